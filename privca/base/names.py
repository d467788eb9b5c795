"""Names that a certificate can hold, in one canonical form each, and the identifiers of our own things.

A :class:`Name` is what protocols ask for, prove and hand over; policy and template judge it. Its value is canonical when the
object exists, so that equality of names is equality of objects.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

import idna
import msgspec

from privca.base.refused import Reason, Refused

_PROFILE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# A profile ID is a path segment in front of operations, so it can never be one of them
# (RFC 7030 section 3.2.2, RFC 9811 section 3.4, RFC 9483 section 6.1).
_EST_OPERATIONS = ["cacerts", "simpleenroll", "simplereenroll", "serverkeygen", "csrattrs", "fullcmc"]
_CMP_OPERATIONS = ["p", "initialization", "certification", "keyupdate", "pkcs10", "revocation", "getcacerts"]
_CMP_OPERATIONS += ["getrootupdate", "getcertreqtemplate", "getcrls", "nested"]
OPERATIONS = frozenset(_EST_OPERATIONS + _CMP_OPERATIONS)


class NameKind(enum.StrEnum):
    """The kinds of GeneralName (RFC 5280 section 4.2.1.6) that this CA certifies."""

    DNS = "dns"
    IP = "ip"
    EMAIL = "email"
    URI = "uri"


class Name(msgspec.Struct, frozen=True, order=True):
    """One name: ``value`` is a lower-case A-label DNS name (``*.`` in front if wildcard), an RFC 5952 or dotted IP address,
    an e-mail address with a lower-case domain, or a URI as given."""

    kind: NameKind
    value: str

    @property
    def wildcard(self) -> bool:
        """Whether this is a DNS name whose first label is ``*``."""
        return self.kind is NameKind.DNS and self.value.startswith("*.")

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LIKE_IPV6 = re.compile(r"[0-9a-f.]*:[0-9a-f:.]*")


@lru_cache(
    maxsize=4096
)  # a name comes in the order, in the CSR, in its subject and in the certificate; what is refused is not kept
def dns_name(text: str) -> Name:
    """A DNS name in canonical form: lower case, no final dot, letters, digits and hyphens, RFC 1035 lengths; ``*.`` may stand in front.

    :raises Refused: ``REJECTED_IDENTIFIER`` for anything that is not such a name, an IP address in text form included.
    """

    def refuse(clause: str, detail: str) -> Refused:
        return Refused(Reason.REJECTED_IDENTIFIER, clause, detail, got=repr(text[:80]))

    if not text.isascii():
        raise refuse("RFC 8555 section 7.1.3", "an internationalized name is written in A-labels (RFC 5890)")
    value = text.lower()
    base = value.removeprefix("*.")
    if base.endswith("."):
        raise refuse("RFC 5280 section 4.2.1.6", "a DNS name is written without a final dot")
    if not base or len(base) > 253:
        raise refuse("RFC 1035 section 2.3.4", "a DNS name has 1 to 253 octets")
    if "*" in base:
        raise refuse("RFC 8555 section 7.1.3", "a wildcard is one '*' as the whole first label")
    labels = base.split(".")
    if labels[-1].isdigit() or _LIKE_IPV6.fullmatch(base):
        # No top-level domain is numeric: what looks like one is an IPv4 address or part of one.
        raise refuse("RFC 8738 section 3", "an IP address is not a DNS name; use identifier type 'ip'")
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise refuse("RFC 1035 section 2.3.1", "a label has 1 to 63 letters, digits and hyphens, no hyphen at either end")
        if label[2:4] == "--" and not _is_a_label(label):
            raise refuse("RFC 5890 section 2.3.1", "a label with '--' in third and fourth place is a valid A-label or nothing")
    if value.startswith("*.") and len(labels) < 2:
        raise refuse("RFC 8555 section 7.1.3", "a wildcard of a top-level domain is not issued")
    return Name(NameKind.DNS, value)


def _is_a_label(label: str) -> bool:
    try:
        return idna.alabel(idna.ulabel(label)).decode("ascii") == label
    except idna.IDNAError:
        return False


def ip_name(text: str) -> Name:
    """An IP address in canonical text form (RFC 5952 for IPv6).

    :raises Refused: ``MALFORMED`` unless ``text`` is exactly that form, as RFC 8738 section 3 asks; ``REJECTED_IDENTIFIER`` for an
        IPv4-mapped address.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Refused(Reason.MALFORMED, "RFC 8738 section 3", "not an IP address", got=repr(text[:80])) from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        # RFC 5952 has two spellings for it, and it would pass an IPv4 policy unseen.
        detail = "an IPv4-mapped IPv6 address is not certified; ask for the IPv4 address"
        raise Refused(Reason.REJECTED_IDENTIFIER, "RFC 5952 section 5", detail, got=repr(text[:80]))
    canonical = str(address)
    if "%" in text or canonical != text:
        expected = canonical.partition("%")[0]
        detail = "an IP address is written in its canonical form"
        raise Refused(Reason.MALFORMED, "RFC 8738 section 3", detail, expected=expected, got=repr(text[:80]))
    return Name(NameKind.IP, canonical)


_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def email_name(text: str) -> Name:
    """An ASCII e-mail address (rfc822Name): the local part as given, the domain in canonical form."""
    local, _, domain = text.rpartition("@")
    if len(local) > 64 or not _LOCAL_PART.fullmatch(local) or domain.startswith("*."):
        detail = "not an e-mail address (RFC 2821 Mailbox with a dot-atom and a domain name)"
        raise Refused(Reason.REJECTED_IDENTIFIER, "RFC 5280 section 4.2.1.6", detail, got=repr(text[:80]))
    return Name(NameKind.EMAIL, f"{local}@{dns_name(domain).value}")


def uri_name(text: str) -> Name:
    """An absolute ASCII URI with a scheme and something after it (RFC 5280 section 4.2.1.6: never relative)."""
    refusal = Refused(Reason.REJECTED_IDENTIFIER, "RFC 5280 section 4.2.1.6", "not an absolute URI in ASCII", got=repr(text[:80]))
    if not text.isascii() or re.search(r"[\x00-\x20\x7f<>\"\\^`{|}]", text) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:.", text):
        raise refusal
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise refusal from None
    if text.partition(":")[2].startswith("//") and not parts.hostname:
        raise refusal
    return Name(NameKind.URI, text)


def profile_id(text: str) -> str:
    """``text`` if it can name a profile, else :class:`Refused`."""
    if not _PROFILE_ID.fullmatch(text) or text in OPERATIONS:
        raise Refused(
            Reason.MALFORMED,
            "profile: id",
            "a profile ID is [a-z0-9][a-z0-9-]{0,62} and never the name of an EST or CMP operation",
            got=repr(text[:80]),
        )
    return text
