"""Names of hosts and what is made of them, as certificates have them (RFC 5280 sections 4.2.1.6 and 7, RFC 9549)."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

import idna

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+", re.DOTALL)
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LONGEST = 253
WITH_AUTHORITY = frozenset({"http", "https", "ftp", "ldap", "ldaps"})
"""Schemes whose URIs are nothing without a host, but that ldap may leave it to the reader."""


def label_faults(label: str) -> list[str]:
    """What is wrong with one label: letters, digits and hyphens; an A-label that is none of IDNA2008."""
    if not _LABEL.fullmatch(label):
        return [f"{label!r} is no label of letters, digits and hyphens"]
    if label.lower().startswith("xn--"):
        try:
            if idna.alabel(idna.ulabel(label.lower())) != label.lower().encode("ascii"):
                return [f"{label!r} is not the A-label of what it says"]
        except idna.IDNAError as error:
            return [f"{label!r} is no A-label: {error}"]
    return []


def host_faults(name: str, *, wildcard: bool = False) -> list[str]:
    """What is wrong with a fully qualified name in the preferred syntax (RFC 1034 section 3.5, RFC 1123 section 2.1).

    :param wildcard: whether the first label may be an asterisk, whose meaning RFC 5280 leaves to others.
    """
    if not name or len(name) > _LONGEST:
        return [f"{name[:80]!r} has {len(name)} characters"]
    labels = name.split(".")
    if wildcard and labels[0] == "*" and len(labels) > 1:
        labels = labels[1:]
    return [fault for label in labels for fault in label_faults(label)]


def mail_faults(address: str) -> list[str]:
    """What is wrong with a mailbox of ASCII characters (RFC 5321 section 4.1.2), whose host is in A-labels."""
    local, at, host = address.rpartition("@")
    if not at or not local or not address.isascii():
        return [f"{address!r} is no mailbox in ASCII"]
    return [] if host.startswith("[") else host_faults(host)


def uri_faults(uri: str) -> list[str]:
    """What is wrong with an absolute URI of ASCII characters (RFC 3986)."""
    if not _URI.fullmatch(uri) or _BAD_ESCAPE.search(uri):
        return [f"{uri!r} has characters that a URI has not"]
    if not _SCHEME.fullmatch(uri):
        return [f"{uri!r} has not both a scheme and something behind it"]
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError as error:
        return [f"{uri!r}: {error}"]
    if not uri.partition(":")[2].startswith("//"):
        return [f"{uri!r} has no host"] if parts.scheme in WITH_AUTHORITY and not parts.scheme.startswith("ldap") else []
    if not host:
        return [] if parts.scheme.startswith("ldap") or parts.scheme == "file" else [f"{uri!r} has no host"]
    return [] if is_address(host) else host_faults(host)


def is_address(host: str) -> bool:
    """Whether it is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
