"""CRLs (RFC 5280 section 5 and appendix B)."""

from __future__ import annotations

from conformance.pkix.lint import Found, lint
from conformance.pkix.lints.fields import LONGEST_NUMBER
from conformance.pkix.lints.octets import is_excessive
from conformance.pkix.reading import CRL_NUMBER, RevocationList, dotted, walk
from conformance.pkix.seen import Seen


@lint("crl.number-length", "B#crl-number-20")
def number_length(one: RevocationList, seen: Seen) -> Found:
    """A CRL number has at most 20 octets"""
    value = one.value(CRL_NUMBER)
    if value is None:
        return None
    return [] if len(value.octets) <= LONGEST_NUMBER else [f"the CRL number has {len(value.octets)} octets"]


@lint("crl.object-identifiers", "B#oids-of-crls")
def object_identifiers(one: RevocationList, seen: Seen) -> Found:
    """Object identifiers are no longer and no larger than everybody reads"""
    fields = [one.algorithm, one.issuer, *filter(None, (one.value(extension.oid) for extension in one.extensions))]
    found = [dotted(value.octets) for field in fields for value in walk(field) if value.identifier == b"\x06"]
    found += [extension.oid for extension in one.extensions]
    return [f"{oid} is too long or has too large an arc" for oid in dict.fromkeys(found) if is_excessive(oid)]
