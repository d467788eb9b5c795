"""A few lines of DER (X.690), to write messages octet by octet and to find one's way in a reply. No part of any server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


def tlv(tag: int, *contents: bytes) -> bytes:
    """Tag, length, contents."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    number = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(number))) + number + content


def sequence(*contents: bytes) -> bytes:
    """SEQUENCE."""
    return tlv(0x30, *contents)


def set_of(*contents: bytes) -> bytes:
    """SET OF: in the order that DER wants (section 11.6)."""
    return tlv(0x31, *sorted(contents))


def integer(value: int) -> bytes:
    """INTEGER."""
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octet_string(octets: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(0x04, octets)


def bit_string(octets: bytes) -> bytes:
    """BIT STRING without unused bits."""
    return tlv(0x03, b"\0", octets)


def explicit(number: int, *contents: bytes) -> bytes:
    """[number] EXPLICIT, or IMPLICIT of something constructed."""
    return tlv(0xA0 | number, *contents)


def utf8(text: str) -> bytes:
    """UTF8String."""
    return tlv(0x0C, text.encode())


def printable(text: str) -> bytes:
    """PrintableString."""
    return tlv(0x13, text.encode("ascii"))


def generalized_time(text: str) -> bytes:
    """GeneralizedTime, as ``20260102030405Z``."""
    return tlv(0x18, text.encode("ascii"))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *rest):
        chunk = [arc & 0x7F]
        while arc := arc >> 7:
            chunk.append(0x80 | (arc & 0x7F))
        octets += bytes(reversed(chunk))
    return tlv(0x06, bytes(octets))


def algorithm(dotted: str, *parameters: bytes) -> bytes:
    """AlgorithmIdentifier."""
    return sequence(oid(dotted), *parameters)


@dataclass(frozen=True, slots=True)
class Value:
    """A value that was read: its tag, its content, and all its octets."""

    tag: int
    content: bytes
    octets: bytes

    @property
    def parts(self) -> list[Value]:
        """What is inside. :raises ValueError: if that is no DER."""
        return list(values(self.content))

    def tagged(self, number: int) -> Value | None:
        """The part that is [number]; None if there is none."""
        return next((part for part in self.parts if part.tag in (0xA0 | number, 0x80 | number)), None)

    @property
    def number(self) -> int:
        """The value of an INTEGER."""
        return int.from_bytes(self.content, "big", signed=True)


def values(octets: bytes) -> Iterator[Value]:
    """The values that stand one behind another. :raises ValueError: if there is anything else."""
    at = 0
    while at < len(octets):
        start = at
        if len(octets) - at < 2:
            raise ValueError(f"a value ends in its first octets, at {at}")
        tag, size = octets[at], octets[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(octets[at : at + count], "big")
            at += count
        end = at + size
        if end > len(octets):
            raise ValueError(f"the value at {start} is longer than what is there")
        yield Value(tag, octets[at:end], octets[start:end])
        at = end


def one(octets: bytes) -> Value:
    """The one value that these octets are. :raises ValueError: if they are something else."""
    found = list(values(octets))
    if len(found) != 1:
        raise ValueError(f"{len(found)} values where one should be")
    return found[0]
