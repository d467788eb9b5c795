"""Version, serial number, algorithms, times and unique identifiers (RFC 5280 sections 4.1.1 and 4.1.2)."""

from __future__ import annotations

import datetime as dt

from conformance.der import Value, encode
from conformance.pkix.lint import Found, lint
from conformance.pkix.reading import GENERALIZED_TIME, INTEGER, UTC_TIME, Certificate
from conformance.pkix.seen import Seen

LONGEST_NUMBER = 20
"""Octets of a serial number and of a CRL number."""
_NO_END = b"99991231235959Z"


def moment(value: Value) -> dt.datetime | None:
    """The moment that a Time says; None if it is none."""
    text = value.octets.decode("ascii", "replace")
    if value.identifier == UTC_TIME:
        # Section 4.1.2.5.1: from 50 on it is the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    try:
        return dt.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def time_faults(value: Value) -> list[str]:
    """What is wrong with the form of a Time (sections 4.1.2.5.1 and 4.1.2.5.2)."""
    octets = value.octets
    digits = 12 if value.identifier == UTC_TIME else 14
    right = len(octets) == digits + 1 and octets[:-1].isdigit() and octets[-1:] == b"Z" and moment(value) is not None
    return [] if right else [f"{octets!r} is not {'YYMMDDHHMMSSZ' if digits == 12 else 'YYYYMMDDHHMMSSZ'}"]


def kind_faults(value: Value) -> list[str]:
    """Whether a Time has the kind for its year: UTCTime through 2049."""
    if value.identifier not in (UTC_TIME, GENERALIZED_TIME):
        return [f"a time has the tag {value.identifier.hex()}"]
    early = value.identifier == GENERALIZED_TIME and value.octets[:4] < b"2050"
    return [f"{value.octets!r} is a GeneralizedTime before 2050"] if early else []


@lint(
    "certificate.version-of-fields",
    "4.1.2.1#extensions-3",
    "4.1#version-of-fields",
    "4.1.2.9#version-3",
    "A.1#version-of-fields",
    kills=("version.v1-with-extensions",),
)
def version_of_fields(one: Certificate, seen: Seen) -> Found:
    """What has extensions is of version 3"""
    if not one.has_extensions:
        return None
    return [] if one.version == 2 else [f"it has extensions, and its version is {(one.version or 0) + 1}"]


@lint("certificate.version-of-unique-identifiers", "4.1.2.8#version-2", "4.1.2.8#not-version-1")
def version_of_unique_identifiers(one: Certificate, seen: Seen) -> Found:
    """What has unique identifiers is of version 2 or 3"""
    if not one.unique:
        return None
    return [] if one.version in (1, 2) else [f"it has unique identifiers, and its version is {(one.version or 0) + 1}"]


@lint("certificate.version-lowest", "4.1.2.1#basic-1", "4.1.2.1#unique-identifier-2")
def version_lowest(one: Certificate, seen: Seen) -> Found:
    """What has no extensions is of the lowest version that has its fields"""
    if one.has_extensions:
        return None
    wanted = 1 if one.unique else None
    return [] if one.version == wanted else [f"without extensions its version is {(one.version or 0) + 1}"]


@lint("certificate.unique-identifiers", "4.1.2.8#none", kills=("unique-identifiers.issued",))
def unique_identifiers(one: Certificate, seen: Seen) -> Found:
    """There are no unique identifiers"""
    return ["it has a unique identifier"] if one.unique else []


@lint(
    "certificate.serial-positive",
    "4.1.2.2#positive",
    "4.1.2.2#non-negative",
    "B#serial-sign",
    kills=("serial.negative", "serial.zero"),
)
def serial_positive(one: Certificate, seen: Seen) -> Found:
    """A serial number is positive"""
    octets = one.serial.octets
    positive = one.serial.identifier == INTEGER and octets and octets[0] < 0x80 and any(octets)
    return [] if positive else [f"the serial number is {octets.hex() or 'empty'}"]


@lint("certificate.serial-length", "4.1.2.2#20-octets", "B#serial-20", kills=("serial.too-long",))
def serial_length(one: Certificate, seen: Seen) -> Found:
    """A serial number has at most 20 octets"""
    octets = len(one.serial.octets)
    return [] if octets <= LONGEST_NUMBER else [f"the serial number has {octets} octets"]


@lint("certificate.serial-unique", "4.1.2.2#unique", kills=("serial.repeated",))
def serial_unique(one: Certificate, seen: Seen) -> Found:
    """No two certificates of a CA have one serial number"""
    others = [other for other in seen.certificates if other is not one and encode(other.issuer) == encode(one.issuer)]
    if not others:
        return None
    same = [other for other in others if other.serial == one.serial]
    return [f"another certificate has its serial number: SHA-256 {other.fingerprint}" for other in same]


@lint("certificate.same-algorithm", "4.1.1.2#same-algorithm", "4.1.2.3#same-algorithm", kills=("signature.algorithms-differ",))
def same_algorithm(one: Certificate, seen: Seen) -> Found:
    """The signature algorithm is the same within what is signed and beside it"""
    inside, outside = encode(one.algorithm), encode(one.outer_algorithm)
    return [] if inside == outside else [f"inside it is {inside.hex()}, outside {outside.hex()}"]


@lint("certificate.times-by-year", "4.1.2.5#2049", kills=("validity.generalized-before-2050",))
def times_by_year(one: Certificate, seen: Seen) -> Found:
    """A date through 2049 is a UTCTime, a later one a GeneralizedTime"""
    return [fault for value in one.times for fault in kind_faults(value)]


@lint("certificate.utc-time", "4.1.2.5.1#zulu", kills=("validity.without-seconds",))
def utc_time(one: Certificate, seen: Seen) -> Found:
    """A UTCTime has seconds, and is of Greenwich"""
    found = [value for value in one.times if value.identifier == UTC_TIME]
    return [fault for value in found for fault in time_faults(value)] if found else None


@lint("certificate.generalized-time", "4.1.2.5.2#zulu", "4.1.2.5.2#fraction", kills=("validity.fraction",))
def generalized_time(one: Certificate, seen: Seen) -> Found:
    """A GeneralizedTime has seconds and no fraction of them, and is of Greenwich"""
    found = [value for value in one.times if value.identifier == GENERALIZED_TIME]
    return [fault for value in found for fault in time_faults(value)] if found else None


@lint("certificate.period", "4.1.2.5#period", kills=("validity.backwards",))
def period(one: Certificate, seen: Seen) -> Found:
    """A certificate ends after it begins"""
    times = [moment(value) for value in one.times]
    if len(times) != 2:
        return [f"the validity has {len(times)} times"]
    begin, end = times
    if begin is None or end is None:
        return None
    return [] if begin <= end else [f"it begins at {begin:%Y-%m-%d %H:%M:%S} and ends at {end:%Y-%m-%d %H:%M:%S}"]


@lint("certificate.no-end", "4.1.2.5#no-end")
def no_end(one: Certificate, seen: Seen) -> Found:
    """One that never ends says so as 99991231235959Z"""
    end = one.times[-1] if one.times else None
    if end is None or end.identifier != GENERALIZED_TIME or not end.octets.startswith(b"9999"):
        return None
    return [] if end.octets == _NO_END else [f"it ends at {end.octets!r}"]
