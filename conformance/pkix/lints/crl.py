"""CRLs (RFC 5280 section 5 and appendix B)."""

from __future__ import annotations

from pyasn1_modules import rfc5280

from conformance.der import DerError, Value, encode
from conformance.pkix.encoding import extension_faults, faults
from conformance.pkix.lint import Found, lint
from conformance.pkix.lints.fields import LONGEST_NUMBER, kind_faults, time_faults
from conformance.pkix.lints.names import string_types
from conformance.pkix.lints.octets import is_excessive
from conformance.pkix.reading import (
    AUTHORITY_ACCESS,
    CRL_NUMBER,
    FRESHEST_CRL,
    GENERALIZED_TIME,
    Extension,
    RevocationList,
    dotted,
    inner,
    is_name,
    walk,
)
from conformance.pkix.seen import Seen

_DELTA, _ISSUING_POINT = "2.5.29.27", "2.5.29.28"
_REASON, _INVALIDITY, _CERTIFICATE_ISSUER = "2.5.29.21", "2.5.29.24", "2.5.29.29"
_UNSPECIFIED, _REMOVE = b"\x00", b"\x08"
_ATTRIBUTE_CERTIFICATES = b"\x85"


@lint("crl.der", "5.1.1.3#signature", raw=True)
def der(octets: bytes, seen: Seen) -> Found:
    """A CRL is DER, and so is what is inside its extensions"""
    found = faults(octets, rfc5280.CertificateList())
    try:
        one = RevocationList.read(octets)
        return found + extension_faults([*one.extensions, *(item for entry in one.entry_extensions() for item in entry)])
    except (DerError, IndexError) as error:
        return found or [str(error) or "a part of it is missing"]


@lint("crl.version", "5.1.2.1#version", "5.1#version", "5#profile")
def version(one: RevocationList, seen: Seen) -> Found:
    """A CRL is of version 2"""
    return [] if one.version == 1 else [f"its version is {'left out' if one.version is None else one.version + 1}"]


@lint("crl.same-algorithm", "5.1.1.2#same", "5.1.2.2#same")
def same_algorithm(one: RevocationList, seen: Seen) -> Found:
    """The signature algorithm is the same within what is signed and beside it"""
    inside, outside = encode(one.algorithm), encode(one.outer_algorithm)
    return [] if inside == outside else [f"inside it is {inside.hex()}, outside {outside.hex()}"]


@lint("crl.issuer", "5.1.2.3#non-empty")
def issuer(one: RevocationList, seen: Seen) -> Found:
    """The issuer is a distinguished name, and not empty"""
    return [] if is_name(one.issuer) and one.issuer.parts else ["the issuer is empty or no distinguished name"]


@lint("crl.issuer-string-types", "5.1.2.3#encoding")
def issuer_string_types(one: RevocationList, seen: Seen) -> Found:
    """The issuer is written in PrintableString or UTF8String"""
    return string_types(one.issuer)


def _updates(one: RevocationList) -> list[Value]:
    return [one.this_update, *([one.next_update] if one.next_update is not None else [])]


@lint("crl.times-by-year", "5.1.2.4#utc-time", "5.1.2.5#utc-time", "5.1.2.5#generalized-time")
def times_by_year(one: RevocationList, seen: Seen) -> Found:
    """A date through 2049 is a UTCTime, a later one a GeneralizedTime"""
    return [fault for value in _updates(one) for fault in kind_faults(value)]


@lint("crl.time-form", "5.1.2.4#utc-form", "5.1.2.5#utc-form", "5.1.2.5#generalized-form")
def time_form(one: RevocationList, seen: Seen) -> Found:
    """Times have seconds and no fraction of them, and are of Greenwich"""
    return [fault for value in _updates(one) for fault in time_faults(value)]


@lint("crl.next-update", "5.1.2.5#included", "5#profile")
def next_update(one: RevocationList, seen: Seen) -> Found:
    """A CRL says when the next one comes"""
    return [] if one.next_update is not None else ["there is no nextUpdate"]


@lint("crl.empty-list", "5.1.2.6#absent")
def empty_list(one: RevocationList, seen: Seen) -> Found:
    """Where nothing is revoked, there is no list"""
    return ["the list is there, and empty"] if one.entries == () else []


@lint("crl.entry-times", "5.1.2.6#time")
def entry_times(one: RevocationList, seen: Seen) -> Found:
    """A date of revocation is written as thisUpdate is"""
    if not one.entries:
        return None
    dates = [entry.parts[1] for entry in one.entries if len(entry.parts) > 1]
    return [fault for date in dates for fault in (kind_faults(date) or time_faults(date))]


@lint("crl.authority-key", "5.2.1#key-identifier", "5.2#required")
def authority_key(one: RevocationList, seen: Seen) -> Found:
    """A CRL names the key that it was signed with"""
    return [] if one.authority_key is not None else ["there is no authority key identifier with a keyIdentifier"]


@lint("crl.number", "5.2.3#included", "5.2#required")
def number(one: RevocationList, seen: Seen) -> Found:
    """A CRL has a number, in an extension that is not critical"""
    found = one.extension(CRL_NUMBER)
    return ["there is no CRL number"] if found is None else ["the CRL number is critical"] if found.critical else []


@lint("crl.number-length", "5.2.3#length", "B#crl-number-20")
def number_length(one: RevocationList, seen: Seen) -> Found:
    """A CRL number has at most 20 octets"""
    value = one.value(CRL_NUMBER)
    if value is None:
        return None
    return [] if len(value.octets) <= LONGEST_NUMBER else [f"the CRL number has {len(value.octets)} octets"]


@lint("crl.delta-indicator", "5.2.4#indicator")
def delta_indicator(one: RevocationList, seen: Seen) -> Found:
    """The indicator of a delta CRL is critical"""
    return _critical(one.extension(_DELTA))


@lint("crl.issuing-point-criticality", "5.2.5#critical")
def issuing_point_criticality(one: RevocationList, seen: Seen) -> Found:
    """An issuing distribution point is critical"""
    return _critical(one.extension(_ISSUING_POINT))


@lint("crl.issuing-point", "5.2.5#not-empty")
def issuing_point(one: RevocationList, seen: Seen) -> Found:
    """An issuing distribution point is not empty"""
    value = one.value(_ISSUING_POINT)
    return None if value is None else [] if value.parts else ["it is empty"]


@lint("crl.issuing-point-attributes", "5.2.5#attribute")
def issuing_point_attributes(one: RevocationList, seen: Seen) -> Found:
    """An issuing distribution point is not for attribute certificates"""
    value = one.value(_ISSUING_POINT)
    if value is None:
        return None
    marks = [part for part in value.parts if part.identifier == _ATTRIBUTE_CERTIFICATES and part.octets != b"\x00"]
    return ["onlyContainsAttributeCerts is TRUE"] if marks else []


@lint("crl.freshest-crl-criticality", "5.2.6#critical")
def freshest_crl_criticality(one: RevocationList, seen: Seen) -> Found:
    """The extension freshestCRL is not critical"""
    return _not_critical(one.extension(FRESHEST_CRL))


@lint("crl.freshest-crl-of-complete", "5.2.6#not-in-delta")
def freshest_crl_of_complete(one: RevocationList, seen: Seen) -> Found:
    """A delta CRL points to no delta CRL"""
    if one.extension(_DELTA) is None:
        return None
    return ["it has freshestCRL"] if one.extension(FRESHEST_CRL) else []


@lint("crl.authority-access-criticality", "5.2.7#critical")
def authority_access_criticality(one: RevocationList, seen: Seen) -> Found:
    """The extension authorityInfoAccess is not critical"""
    return _not_critical(one.extension(AUTHORITY_ACCESS))


def _of_entries(one: RevocationList, oid: str) -> list[Extension]:
    """The extensions of that type of the entries."""
    return [item for entry in one.entry_extensions() for item in entry if item.oid == oid]


@lint("crl.reason-criticality", "5.3.1#not-critical")
def reason_criticality(one: RevocationList, seen: Seen) -> Found:
    """A reason is not critical"""
    return _each(_of_entries(one, _REASON), critical=False)


@lint("crl.reason-unspecified", "5.3.1#unspecified")
def reason_unspecified(one: RevocationList, seen: Seen) -> Found:
    """A reason that is none is left out"""
    found = _of_entries(one, _REASON)
    wrong = [item for item in found if (value := inner(item.value)) is not None and value.octets == _UNSPECIFIED]
    return [f"{len(wrong)} entries have the reason unspecified"] * bool(wrong) if found else None


@lint("crl.reason-remove", "5.3.1#remove")
def reason_remove(one: RevocationList, seen: Seen) -> Found:
    """Only a delta CRL removes"""
    found = _of_entries(one, _REASON)
    if not found or one.extension(_DELTA) is not None:
        return None
    wrong = [item for item in found if (value := inner(item.value)) is not None and value.octets == _REMOVE]
    return [f"{len(wrong)} entries have the reason removeFromCRL"] * bool(wrong)


@lint("crl.invalidity-criticality", "5.3.2#not-critical")
def invalidity_criticality(one: RevocationList, seen: Seen) -> Found:
    """An invalidity date is not critical"""
    return _each(_of_entries(one, _INVALIDITY), critical=False)


@lint("crl.invalidity-form", "5.3.2#zulu")
def invalidity_form(one: RevocationList, seen: Seen) -> Found:
    """An invalidity date is a GeneralizedTime of Greenwich with seconds and no fraction of them"""
    found = [inner(item.value) for item in _of_entries(one, _INVALIDITY)]
    if not found:
        return None
    return [
        fault
        for value in found
        for fault in (time_faults(value) if value is not None and value.identifier == GENERALIZED_TIME else ["it is none"])
    ]


@lint("crl.certificate-issuer-criticality", "5.3.3#critical")
def certificate_issuer_criticality(one: RevocationList, seen: Seen) -> Found:
    """The issuer of a certificate in an entry is critical"""
    return _each(_of_entries(one, _CERTIFICATE_ISSUER), critical=True)


@lint("crl.object-identifiers", "B#oids-of-crls")
def object_identifiers(one: RevocationList, seen: Seen) -> Found:
    """Object identifiers are no longer and no larger than everybody reads"""
    fields = [one.algorithm, one.issuer, *filter(None, (one.value(extension.oid) for extension in one.extensions))]
    found = [dotted(value.octets) for field in fields for value in walk(field) if value.identifier == b"\x06"]
    found += [extension.oid for extension in one.extensions]
    return [f"{oid} is too long or has too large an arc" for oid in dict.fromkeys(found) if is_excessive(oid)]


def _each(found: list[Extension], *, critical: bool) -> Found:
    wrong = sum(1 for item in found if item.critical is not critical)
    said = f"{wrong} entries have it {'critical' if not critical else 'not critical'}"
    return ([said] if wrong else []) if found else None


def _critical(found: Extension | None) -> Found:
    return None if found is None else [] if found.critical else [f"extension {found.oid} is not critical"]


def _not_critical(found: Extension | None) -> Found:
    return None if found is None else [f"extension {found.oid} is critical"] if found.critical else []
