"""Name constraints (RFC 5280 section 4.2.1.10; RFC 9549 section 2.2 and RFC 9598 section 6 on mail addresses)."""

from __future__ import annotations

from conformance.der import Value
from conformance.pkix.hosts import host_faults
from conformance.pkix.lint import Found, lint
from conformance.pkix.reading import (
    ADDRESS,
    DIRECTORY,
    EDI,
    MAIL,
    NAME_CONSTRAINTS,
    REGISTERED,
    URI,
    X400,
    Certificate,
    text,
)
from conformance.pkix.seen import Seen

_PERMITTED, _EXCLUDED = b"\xa0", b"\xa1"
_MINIMUM, _MAXIMUM = b"\x80", b"\x81"


def _subtrees(one: Certificate, *which: bytes) -> list[Value]:
    value = one.value(NAME_CONSTRAINTS)
    lists = value.parts if value is not None else ()
    return [
        subtree for one_list in lists if one_list.identifier in (which or (_PERMITTED, _EXCLUDED)) for subtree in one_list.parts
    ]


def _bases(one: Certificate, tag: bytes) -> list[Value]:
    return [subtree.parts[0] for subtree in _subtrees(one) if subtree.parts and subtree.parts[0].identifier == tag]


@lint("certificate.name-constraints-of-ca", "4.2.1.10#ca-alone")
def name_constraints_of_ca(one: Certificate, seen: Seen) -> Found:
    """The nameConstraints are for CAs alone"""
    if one.extension(NAME_CONSTRAINTS) is None:
        return None
    return [] if one.is_ca else ["it is no CA"]


@lint("certificate.name-constraints-criticality", "4.2.1.10#critical")
def name_constraints_criticality(one: Certificate, seen: Seen) -> Found:
    """The nameConstraints are critical"""
    found = one.extension(NAME_CONSTRAINTS)
    return None if found is None else [] if found.critical else ["they are not critical"]


@lint("certificate.name-constraints-forms", "4.2.1.10#forms")
def name_constraints_forms(one: Certificate, seen: Seen) -> Found:
    """The nameConstraints say nothing of X.400 addresses, EDI party names and registered IDs"""
    found = [subtree.parts[0] for subtree in _subtrees(one) if subtree.parts]
    unusual = {X400: "x400Address", EDI: "ediPartyName", REGISTERED: "registeredID"}
    return [f"they constrain {unusual[base.identifier]}" for base in found if base.identifier in unusual] if found else None


@lint("certificate.name-constraints", "4.2.1.10#not-empty", "4.2.1.10#either")
def name_constraints(one: Certificate, seen: Seen) -> Found:
    """The nameConstraints permit something or exclude something"""
    value = one.value(NAME_CONSTRAINTS)
    return None if value is None else [] if _subtrees(one) else ["they are empty"]


@lint("certificate.name-constraints-minimum", "4.2.1.10#minimum")
def name_constraints_minimum(one: Certificate, seen: Seen) -> Found:
    """The nameConstraints have a minimum of zero, which DER leaves out, and no maximum"""
    found = _subtrees(one)
    if not found:
        return None
    parts = [part for subtree in found for part in subtree.parts[1:]]
    wrong = [part for part in parts if part.identifier == _MAXIMUM or (part.identifier == _MINIMUM and any(part.octets))]
    return [f"there is a {'maximum' if part.identifier == _MAXIMUM else 'minimum'} of {part.octets.hex()}" for part in wrong]


@lint("certificate.name-constraints-uri", "4.2.1.10#uri-host")
def name_constraints_uri(one: Certificate, seen: Seen) -> Found:
    """A constraint for URIs is the full name of a host, or of a domain behind a period"""
    found = [text(base) for base in _bases(one, URI)]
    return [fault for said in found for fault in host_faults(said.removeprefix("."))] if found else None


@lint("certificate.name-constraints-mail", "4.2.1.10#mail")
def name_constraints_mail(one: Certificate, seen: Seen) -> Found:
    """A constraint for mail addresses is a host, or a domain behind a period, and no mailbox"""
    found = [text(base) for base in _bases(one, MAIL)]
    return [fault for said in found for fault in host_faults(said.removeprefix("."))] if found else None


@lint("certificate.name-constraints-address", "4.2.1.10#address", "4.2.1.10#ipv4", "4.2.1.10#ipv6")
def name_constraints_address(one: Certificate, seen: Seen) -> Found:
    """A constraint for IP addresses is an address and a mask, of eight octets or of 32, and the mask has no gap"""
    found = [base.octets for base in _bases(one, ADDRESS)]
    if not found:
        return None
    faults = [f"it has {len(octets)} octets" for octets in found if len(octets) not in (8, 32)]
    return faults + [f"the mask of {octets.hex()} has a gap" for octets in found if len(octets) in (8, 32) and _has_gap(octets)]


def _has_gap(octets: bytes) -> bool:
    mask = octets[len(octets) // 2 :]
    return "01" in "".join(f"{octet:08b}" for octet in mask)


@lint("certificate.name-constraints-directory", "8#permitted")
def name_constraints_directory(one: Certificate, seen: Seen) -> Found:
    """Distinguished names are constrained by what is permitted, not by what is excluded"""
    if not _bases(one, DIRECTORY):
        return None
    excluded = [subtree for subtree in _subtrees(one, _EXCLUDED) if subtree.parts and subtree.parts[0].identifier == DIRECTORY]
    return ["a distinguished name is excluded" for _ in excluded]
