"""How a certificate is encoded (RFC 5280 section 4.1 and appendix B)."""

from __future__ import annotations

from pyasn1_modules import rfc5280

from conformance.der import DerError
from conformance.pkix.encoding import extension_faults, faults, has_trailing_zeros
from conformance.pkix.lint import Found, lint
from conformance.pkix.reading import DISTRIBUTION_POINTS, KEY_USAGE, Certificate, dotted, walk
from conformance.pkix.seen import Seen

_LONGEST_OID, _MOST_ARCS, _LARGEST_ARC = 100, 20, (1 << 28) - 1


@lint("certificate.der", "4.1#der", kills=("encoding.boolean", "encoding.set-unsorted", "encoding.default"), raw=True)
def der(octets: bytes, seen: Seen) -> Found:
    """A certificate is DER, and so is what is inside its extensions"""
    found = faults(octets, rfc5280.Certificate())
    try:
        return found + extension_faults(Certificate.read(octets).extensions)
    except (DerError, IndexError) as error:
        return found or [str(error) or "a part of it is missing"]


@lint("certificate.named-bits", "B#named-bits", kills=("key-usage.trailing-zeros",))
def named_bits(one: Certificate, seen: Seen) -> Found:
    """Lists of named bits end with a bit that is set"""
    usage = one.value(KEY_USAGE)
    found = [] if usage is None else [usage]
    points = one.value(DISTRIBUTION_POINTS)
    if points is not None:
        found += [part for point in points.parts for part in point.parts if part.identifier == b"\x81"]
    if not found:
        return None
    return [f"{value.octets.hex()} ends in zeros" for value in found if has_trailing_zeros(value)]


@lint("certificate.object-identifiers", "B#oids")
def object_identifiers(one: Certificate, seen: Seen) -> Found:
    """Object identifiers are no longer and no larger than everybody reads"""
    fields = [one.issuer, one.subject, one.key, *filter(None, (one.value(extension.oid) for extension in one.extensions))]
    found = [dotted(value.octets) for field in fields for value in walk(field) if value.identifier == b"\x06"]
    found += [extension.oid for extension in one.extensions]
    return [f"{oid} is too long or has too large an arc" for oid in dict.fromkeys(found) if is_excessive(oid)]


def is_excessive(oid: str) -> bool:
    """Whether it goes beyond what implementations have to read (appendix B)."""
    arcs = oid.split(".")
    return len(oid) > _LONGEST_OID or len(arcs) > _MOST_ARCS or any(int(arc) > _LARGEST_ARC for arc in arcs)
