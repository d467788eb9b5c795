"""DER as the examiner writes it, and elements of what it receives, as they stand: a protection is over the very octets.

Whole structures are read with pyasn1 (:mod:`conformance.cmp.asn1`); :mod:`conformance.der` spoils them at one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pyasn1.codec.der.encoder import encode
from pyasn1.type import univ

from conformance.der import length

NULL = b"\x05\x00"
SEQUENCE = 0x30


def tlv(tag: int, *contents: bytes) -> bytes:
    """An element with a tag of one octet."""
    content = b"".join(contents)
    return bytes((tag,)) + length(len(content)) + content


def sequence(*contents: bytes) -> bytes:
    """SEQUENCE."""
    return tlv(SEQUENCE, *contents)


def integer(value: int) -> bytes:
    """INTEGER."""
    made: bytes = encode(univ.Integer(value))
    return made


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    made: bytes = encode(univ.ObjectIdentifier(dotted))
    return made


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(0x04, value)


def bits(value: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return tlv(0x03, b"\0", value)


def utf8(text: str) -> bytes:
    """UTF8String."""
    return tlv(0x0C, text.encode())


def time(at: datetime) -> bytes:
    """GeneralizedTime, as RFC 5280 section 4.1.2.5.2 has it."""
    return tlv(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())


def algorithm(dotted: str, parameters: bytes = b"") -> bytes:
    """AlgorithmIdentifier."""
    return sequence(oid(dotted), parameters)


def directory_name(name: bytes) -> bytes:
    """GeneralName directoryName of a Name."""
    return tlv(0xA4, name)


NULL_DN = directory_name(b"\x30\x00")


class Garbled(ValueError):
    """What was received is not what it should be: says what."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its identifier octet, its contents, and all of it as it stands."""

    tag: int
    content: bytes
    raw: bytes

    @property
    def children(self) -> list[Element]:
        """The elements inside. :raises Garbled:"""
        return list(elements(self.content))


def elements(octets: bytes) -> Iterator[Element]:
    """The elements that stand one after the other. :raises Garbled: for a length that is not DER's or goes beyond the end."""
    while octets:
        head = 2
        if len(octets) < head or octets[0] & 0x1F == 0x1F:
            raise Garbled("an element without a tag and length")
        size = octets[1]
        if size & 0x80:
            head += size & 0x7F
            number = octets[2:head]
            size = int.from_bytes(number, "big")
            if not number or not number[0] or size < 0x80:
                raise Garbled("a length that is not as short as DER wants it")
        if len(octets) < head + size:
            raise Garbled("an element that goes beyond the end")
        yield Element(octets[0], octets[head : head + size], octets[: head + size])
        octets = octets[head + size :]


def element(octets: bytes) -> Element:
    """The one element that ``octets`` are. :raises Garbled:"""
    found = list(elements(octets))
    if len(found) != 1:
        raise Garbled(f"{len(found)} elements where there is one")
    return found[0]
