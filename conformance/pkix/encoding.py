"""The distinguished encoding rules (X.690 sections 10 and 11), rule by rule, on octets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type.base import Asn1Item
from pyasn1_modules import rfc5280

from conformance.der import DerError, Value, decode, encode
from conformance.pkix.reading import Extension, bits, dotted

LARGEST_TYPED = 1 << 18
"""Octets of what is held against its type: a CRL of more takes pyasn1 minutes, and is held against the rules alone."""
_STRINGS = frozenset((0x03, 0x04, 0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E, 0x17, 0x18))


def faults(octets: bytes, kind: Asn1Item) -> list[str]:
    """What is no DER in octets that should be a ``kind`` (a type of :mod:`pyasn1_modules.rfc5280`)."""
    try:
        value = decode(octets)
    except DerError as error:
        return [str(error)]
    found = list(_faults(value))
    if encode(value) != octets:
        found.append("a length has more octets than it needs (X.690 section 10.1)")
    return found or (_as(octets, kind) if len(octets) <= LARGEST_TYPED else [])


def extension_faults(extensions: Iterable[Extension]) -> list[str]:
    """The same for what is inside the extensions whose types RFC 5280 gives."""
    found = []
    for extension in extensions:
        kind = rfc5280.certificateExtensionsMap.get(rfc5280.univ.ObjectIdentifier(extension.oid))
        if kind is not None:
            found += [f"extension {extension.oid}: {fault}" for fault in faults(extension.value, kind)]
    return found


def _as(octets: bytes, kind: Asn1Item) -> list[str]:
    """Whether it is of its type, and left out what is a default (X.690 section 11.5)."""
    try:
        value, rest = decoder.decode(octets, asn1Spec=kind)
        again = encoder.encode(value)
    except PyAsn1Error as error:
        return [f"it is no {type(kind).__name__}: {str(error).splitlines()[0][:160]}"]
    if rest or again != octets:
        return [
            "written anew it is another one: a default is written out, or a SET is not in order (X.690 sections 11.5 and 11.6)"
        ]
    return []


def _faults(value: Value) -> Iterator[str]:
    tag, octets = value.identifier[0], value.octets
    if tag & 0xC0 == 0:
        yield from _universal(tag & 0x1F, bool(tag & 0x20), octets)
    if tag == 0x31:
        parts = [encode(part) for part in value.parts]
        if parts != sorted(parts):
            yield "the parts of a SET OF are not in order (X.690 section 11.6)"
    for part in value.parts:
        yield from _faults(part)


def _universal(tag: int, constructed: bool, octets: bytes) -> Iterator[str]:
    if constructed and tag in _STRINGS:
        yield "a string is in pieces (X.690 section 10.2)"
    elif tag == 0x01 and octets not in (b"\x00", b"\xff"):
        yield f"a BOOLEAN is {octets.hex()} (X.690 section 11.1)"
    elif tag in (0x02, 0x0A) and not _shortest(octets):
        yield "an INTEGER has more octets than it needs (X.690 section 8.3.2)"
    elif tag == 0x03 and not _bit_string(octets):
        yield "the unused bits of a BIT STRING are not zero (X.690 section 11.2)"
    elif tag == 0x05 and octets:
        yield "a NULL has content"
    elif tag == 0x06:
        try:
            dotted(octets)
        except DerError as error:
            yield str(error)


def _shortest(octets: bytes) -> bool:
    if len(octets) < 2:
        return len(octets) == 1
    return not (octets[0] == 0x00 and octets[1] < 0x80) and not (octets[0] == 0xFF and octets[1] >= 0x80)


def _bit_string(octets: bytes) -> bool:
    if not octets or octets[0] > 7 or (len(octets) == 1 and octets[0]):
        return False
    return len(octets) == 1 or octets[-1] & ((1 << octets[0]) - 1) == 0


def has_trailing_zeros(value: Value) -> bool:
    """Whether a BIT STRING of named bits ends in bits that are zero (X.690 section 11.2.2); of no bits it has one octet."""
    octets = value.octets
    if len(octets) < 2:
        return octets != b"\x00"
    last = max(bits(value), default=-1)
    return last != 8 * (len(octets) - 1) - 1 - octets[0]
