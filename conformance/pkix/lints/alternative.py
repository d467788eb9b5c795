"""Alternative names of subject and issuer (RFC 5280 sections 4.2.1.6, 4.2.1.7 and 7)."""

from __future__ import annotations

from collections.abc import Callable

from conformance.der import Value
from conformance.pkix.hosts import host_faults, mail_faults, uri_faults
from conformance.pkix.lint import Found, lint
from conformance.pkix.reading import ADDRESS, DIRECTORY, DNS, ISSUER_NAMES, MAIL, SUBJECT_NAMES, URI, Certificate, is_name, text
from conformance.pkix.seen import Seen


def _each(one: Certificate, tag: bytes, judge: Callable[[Value], list[str]]) -> Found:
    found = [name for name in one.names() or () if name.identifier == tag]
    return [fault for name in found for fault in judge(name)] if found else None


def _address(name: Value) -> list[str]:
    return [] if len(name.octets) in (4, 16) else [f"an iPAddress of {len(name.octets)} octets"]


def _dns(name: Value) -> list[str]:
    return host_faults(text(name), wildcard=True)


def _mail(name: Value) -> list[str]:
    return mail_faults(text(name))


def _uri(name: Value) -> list[str]:
    return uri_faults(text(name))


_JUDGES = {ADDRESS: _address, DNS: _dns, MAIL: _mail, URI: _uri}


@lint("certificate.alternative-names", "4.2.1.6#one-entry")
def alternative_names(one: Certificate, seen: Seen) -> Found:
    """A subjectAltName has at least one name"""
    names = one.names()
    return None if names is None else [] if names else ["the subjectAltName is empty"]


@lint("certificate.alternative-name-empty", "4.2.1.6#no-empty-name", kills=("names.empty",))
def alternative_name_empty(one: Certificate, seen: Seen) -> Found:
    """No name of a subjectAltName is empty"""
    names = one.names()
    if not names:
        return None
    # A directoryName has a Name inside, which is empty as a SEQUENCE of nothing.
    empty = [name for name in names if not name.octets or (name.identifier == DIRECTORY and not name.parts[0].parts)]
    return [f"a name with the tag {name.identifier.hex()} is empty" for name in empty]


@lint("certificate.alternative-names-criticality", "4.2.1.6#non-critical", kills=("names.critical",))
def alternative_names_criticality(one: Certificate, seen: Seen) -> Found:
    """Beside a subject, the subjectAltName is not critical"""
    names = one.extension(SUBJECT_NAMES)
    if names is None or not one.subject.parts:
        return None
    return ["the subjectAltName is critical, and there is a subject"] if names.critical else []


@lint("certificate.addresses", "4.2.1.6#ipv4", "4.2.1.6#ipv6", "4.2.1.6#address")
def addresses(one: Certificate, seen: Seen) -> Found:
    """An iPAddress has four octets or sixteen"""
    return _each(one, ADDRESS, _address)


@lint(
    "certificate.dns-names", "4.2.1.6#preferred-syntax", "4.2.1.6#dns", "7.2#ace", "7.2#conversion", kills=("names.underscore",)
)
def dns_names(one: Certificate, seen: Seen) -> Found:
    """A dNSName is written in the preferred syntax, an internationalized one in A-labels"""
    return _each(one, DNS, _dns)


@lint("certificate.dns-name-space", "4.2.1.6#not-a-space")
def dns_name_space(one: Certificate, seen: Seen) -> Found:
    """No dNSName is a space"""
    return _each(one, DNS, lambda name: ["a dNSName is a space"] if text(name) == " " else [])


@lint("certificate.mail-addresses", "4.2.1.6#mail", "7.5#converted", "7.5#hosts")
def mail_addresses(one: Certificate, seen: Seen) -> Found:
    """An rfc822Name is a mailbox in ASCII, its host in A-labels"""
    return _each(one, MAIL, _mail)


@lint("certificate.uris", "4.2.1.6#absolute", "4.2.1.6#uri", "4.2.1.6#scheme", "4.2.1.6#host", "7.4#mapped", "7.4#hosts")
def uris(one: Certificate, seen: Seen) -> Found:
    """A uniformResourceIdentifier is absolute and in ASCII; where it has an authority, its host is a full name or an address"""
    return _each(one, URI, _uri)


@lint("certificate.directory-names", "4.2.1.6#used")
def directory_names(one: Certificate, seen: Seen) -> Found:
    """A directoryName is a distinguished name"""
    return _each(one, DIRECTORY, lambda name: [] if len(name.parts) == 1 and is_name(name.parts[0]) else ["it is none"])


@lint("certificate.issuer-alternative-names", "4.2.1.7#encoded")
def issuer_alternative_names(one: Certificate, seen: Seen) -> Found:
    """An issuerAltName is written as a subjectAltName is"""
    names = one.names(ISSUER_NAMES)
    if names is None:
        return None
    found = [] if names else ["the issuerAltName is empty"]
    return found + [fault for name in names if name.identifier in _JUDGES for fault in _JUDGES[name.identifier](name)]


@lint("certificate.issuer-alternative-names-criticality", "4.2.1.7#non-critical")
def issuer_alternative_names_criticality(one: Certificate, seen: Seen) -> Found:
    """An issuerAltName is not critical"""
    names = one.extension(ISSUER_NAMES)
    return None if names is None else ["the issuerAltName is critical"] if names.critical else []
