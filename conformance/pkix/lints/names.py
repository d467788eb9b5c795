"""The names of issuer and subject (RFC 5280 sections 4.1.2.4 and 4.1.2.6, and appendices A.1 and B)."""

from __future__ import annotations

import re

from conformance.der import Value, encode
from conformance.pkix.hosts import label_faults
from conformance.pkix.lint import Found, lint
from conformance.pkix.reading import CRL_SIGN, MAIL, SUBJECT_NAMES, Attribute, Certificate, attributes, is_name, text
from conformance.pkix.seen import Seen

COUNTRY, DOMAIN_COMPONENT, EMAIL = "2.5.4.6", "0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1"
_DIRECTORY_STRINGS = frozenset(f"2.5.4.{arc}" for arc in (3, 4, 7, 8, 10, 11, 12, 41, 42, 43, 44, 65))
_UPPER_BOUNDS = {
    "2.5.4.3": 64,
    "2.5.4.4": 32768,
    "2.5.4.5": 64,
    COUNTRY: 2,
    "2.5.4.7": 128,
    "2.5.4.8": 128,
    "2.5.4.10": 64,
    "2.5.4.11": 64,
    "2.5.4.12": 64,
    "2.5.4.41": 32768,
    "2.5.4.42": 32768,
    "2.5.4.43": 32768,
    "2.5.4.44": 32768,
    "2.5.4.65": 128,
    EMAIL: 255,
}
"""Characters that a value may have (appendix A.1)."""
_UTF8, _PRINTABLE, _IA5 = b"\x0c", b"\x13", b"\x16"
_OLD = {b"\x14": "TeletexString", b"\x1c": "UniversalString", b"\x1e": "BMPString"}
_PRINTABLE_CHARACTERS = re.compile(rb"[A-Za-z0-9 '()+,\-./:=?]*")


def string_types(name: Value) -> Found:
    """Which attributes of a name are in none of the string types that it may have; None if it has no DirectoryString."""
    found = [(oid, value) for oid, value in attributes(name) if oid in _DIRECTORY_STRINGS]
    if not found:
        return None
    return [
        f"{oid} is {_OLD.get(value.identifier, f'of tag {value.identifier.hex()}')}, neither PrintableString nor UTF8String"
        for oid, value in found
        if value.identifier not in (_UTF8, _PRINTABLE)
    ]


def _all(one: Certificate) -> list[Attribute]:
    return attributes(one.issuer) + attributes(one.subject)


@lint("certificate.issuer", "4.1.2.4#issuer", kills=("issuer.empty",))
def issuer(one: Certificate, seen: Seen) -> Found:
    """The issuer is a distinguished name, and not empty"""
    return [] if is_name(one.issuer) and one.issuer.parts else ["the issuer is empty or no distinguished name"]


@lint("certificate.issuer-string-types", "4.1.2.4#string-types")
def issuerstring_types(one: Certificate, seen: Seen) -> Found:
    """The issuer is written in PrintableString or UTF8String"""
    return string_types(one.issuer)


@lint("certificate.subject", "4.1.2.6#dn", kills=("subject.empty-set",))
def subject(one: Certificate, seen: Seen) -> Found:
    """A subject that is not empty is a distinguished name"""
    if not one.subject.parts:
        return None
    return [] if is_name(one.subject) else ["the subject is no sequence of sets of a type and a value"]


@lint("certificate.subject-string-types", "4.1.2.6#string-types", kills=("subject.teletex",))
def subjectstring_types(one: Certificate, seen: Seen) -> Found:
    """The subject is written in PrintableString or UTF8String"""
    return string_types(one.subject)


@lint("certificate.subject-older-types", "4.1.2.6#older-types", kills=("subject.teletex",))
def subject_older_types(one: Certificate, seen: Seen) -> Found:
    """TeletexString, BMPString and UniversalString are not for new subjects"""
    found = attributes(one.subject)
    if not found:
        return None
    return [f"{oid} is a {_OLD[value.identifier]}" for oid, value in found if value.identifier in _OLD]


@lint("certificate.upper-bounds", "A.1#upper-bounds", kills=("subject.too-long",))
def upper_bounds(one: Certificate, seen: Seen) -> Found:
    """No attribute of a name has more characters than it may have; a country has two"""
    found = [(oid, value) for oid, value in _all(one) if oid in _UPPER_BOUNDS]
    if not found:
        return None
    faults = []
    for oid, value in found:
        length, most = len(text(value)), _UPPER_BOUNDS[oid]
        if not (length == most if oid == COUNTRY else 1 <= length <= most):
            faults.append(f"{oid} has {length} characters, where {most} are {'right' if oid == COUNTRY else 'the most'}")
    return faults


@lint("certificate.printable-strings", "B#printable", kills=("subject.at-sign-printable",))
def printable_strings(one: Certificate, seen: Seen) -> Found:
    """A PrintableString has no at sign, no underscore, and nothing else that its type lacks"""
    found = [(oid, value) for oid, value in _all(one) if value.identifier == _PRINTABLE]
    if not found:
        return None
    return [f"{oid} is {text(value)!r}" for oid, value in found if not _PRINTABLE_CHARACTERS.fullmatch(value.octets)]


@lint("certificate.subject-mail-type", "B#mail-type")
def subject_mail_type(one: Certificate, seen: Seen) -> Found:
    """An emailAddress of a name is an IA5String"""
    found = [value for oid, value in _all(one) if oid == EMAIL]
    return [f"it has the tag {value.identifier.hex()}" for value in found if value.identifier != _IA5] if found else None


@lint("certificate.subject-mail", "4.1.2.6#mail", "4.2.1.6#used")
def subject_mail(one: Certificate, seen: Seen) -> Found:
    """A mail address of the subject is in the subjectAltName"""
    found = [text(value).lower() for oid, value in attributes(one.subject) if oid == EMAIL]
    if not found:
        return None
    names = [text(name).lower() for name in one.names() or () if name.identifier == MAIL]
    return [f"{address} is no rfc822Name of the certificate" for address in found if address not in names]


@lint("certificate.domain-components", "7.3#a-labels")
def domain_components(one: Certificate, seen: Seen) -> Found:
    """A domainComponent is one label, in ASCII: an internationalized one is an A-label"""
    found = [text(value) for oid, value in _all(one) if oid == DOMAIN_COMPONENT]
    return [fault for label in found for fault in label_faults(label)] if found else None


@lint(
    "certificate.empty-subject",
    "4.2.1.6#empty-subject",
    "4.1.2.6#alternative-alone",
    "4.2.1.6#alternative-alone",
    kills=("subject.empty-names-not-critical",),
)
def empty_subject(one: Certificate, seen: Seen) -> Found:
    """Without a subject there is a subjectAltName, and it is critical"""
    if one.subject.parts:
        return None
    names = one.extension(SUBJECT_NAMES)
    if names is None:
        return ["there is neither a subject nor a subjectAltName"]
    return [] if names.critical else ["the subject is empty and the subjectAltName is not critical"]


@lint(
    "certificate.ca-subject",
    "4.1.2.6#ca",
    "4.1.2.6#ca-encoding",
    "4.1.2.6#ca-encoding-older",
    "8#identical",
    kills=("issuer.other-encoding", "issuer.empty"),
)
def ca_subject(one: Certificate, seen: Seen) -> Found:
    """A CA has a subject, and it is the issuer of what the CA issues, octet by octet"""
    if not one.is_ca:
        return None
    if not one.subject.parts:
        return ["the subject is empty"]
    if one.subject_key is None:
        return []
    below = [other for other in seen.certificates if other.authority_key == one.subject_key]
    known = {encode(ca.subject) for ca in seen.certificates if ca.is_ca and ca.subject_key == one.subject_key}
    return [f"it is not the issuer of {other}, which its key has signed" for other in below if encode(other.issuer) not in known]


@lint("certificate.crl-issuer-subject", "4.1.2.6#crl-issuer", "4.1.2.6#crl-issuer-encoding")
def crl_issuer_subject(one: Certificate, seen: Seen) -> Found:
    """Who signs CRLs has a subject, and it is the issuer of these CRLs, octet by octet"""
    if one.key_usage is None or CRL_SIGN not in one.key_usage:
        return None
    if not one.subject.parts:
        return ["the subject is empty"]
    below = [crl for crl in seen.crls if one.subject_key is not None and crl.authority_key == one.subject_key]
    known = {encode(ca.subject) for ca in seen.certificates if ca.subject_key == one.subject_key}
    return [f"it is not the issuer of {crl}, which its key has signed" for crl in below if encode(crl.issuer) not in known]
