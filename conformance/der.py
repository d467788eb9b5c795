"""DER as a tree of tags and values, to be looked at, and to be spoilt at one place while everything around it stays right.

A place is a path of positions: ``(0, 3, 1)`` is the second part of the fourth part of the first part of the outermost value. Octet and bit
strings are leaves unless :func:`inside` opens them. Lengths up to the outermost are made anew by every change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pyasn1.codec.der import decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import ObjectIdentifier
from pyasn1_modules import rfc4210, rfc4211, rfc5280, rfc5480, rfc5652, rfc6402, rfc6960, rfc8018

DEEPEST = 64
"""Levels of nesting that are followed; what is deeper is a leaf."""
_CONSTRUCTED = 0x20
_CLASSES = ("", "application ", "", "private ")
_NAMES = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x03: "BIT STRING",
    0x04: "OCTET STRING",
    0x05: "NULL",
    0x06: "OBJECT IDENTIFIER",
    0x0A: "ENUMERATED",
    0x0C: "UTF8String",
    0x10: "SEQUENCE",
    0x11: "SET",
    0x12: "NumericString",
    0x13: "PrintableString",
    0x14: "T61String",
    0x16: "IA5String",
    0x17: "UTCTime",
    0x18: "GeneralizedTime",
    0x1A: "VisibleString",
    0x1C: "UniversalString",
    0x1E: "BMPString",
}
# RFC 8894 section 3.2.1: no module of pyasn1 has them.
_SCEP = {
    f"2.16.840.1.113733.1.9.{number}": f"id-{name}"
    for number, name in enumerate(("messageType", "pkiStatus", "failInfo", "senderNonce", "recipientNonce", "transactionID"), 2)
} | {"1.3.6.1.5.5.7.24.1": "id-scep-failInfoText"}
_TEXTS = (0x0C, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A)


class DerError(Exception):
    """Octets are no DER, or a path leads nowhere: where, and why."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tag with its content: octets of a primitive, or the parts of a constructed one. ``identifier`` is the tag's octets."""

    identifier: bytes
    content: bytes | tuple[Value, ...]

    @property
    def parts(self) -> tuple[Value, ...]:
        """The parts of a constructed value; none of a primitive one."""
        return self.content if isinstance(self.content, tuple) else ()

    @property
    def octets(self) -> bytes:
        """The content as octets."""
        return self.content if isinstance(self.content, bytes) else b"".join(map(encode, self.content))


def encode(value: Value) -> bytes:
    """The value with its tag and the shortest length (X.690 section 10.1); one without a tag stands for its octets."""
    if not value.identifier:
        return value.octets
    return value.identifier + length(len(value.octets)) + value.octets


def length(octets: int) -> bytes:
    """The octets of a length in DER."""
    if octets < 0x80:
        return bytes([octets])
    number = octets.to_bytes((octets.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(number)]) + number


def decode(octets: bytes) -> Value:
    """The one value that these octets are. :raises DerError: for anything else, octets behind it included."""
    value, rest = _value(octets, 0, 0)
    if rest != len(octets):
        raise DerError(f"{len(octets) - rest} octets follow the value")
    return value


def _value(octets: bytes, at: int, depth: int) -> tuple[Value, int]:
    start = at
    try:
        first = octets[at]
        at += 1
        if first & 0x1F == 0x1F:
            while octets[at] & 0x80:
                at += 1
            at += 1
        identifier = octets[start:at]
        size = octets[at]
        at += 1
        if size == 0x80:
            raise DerError(f"an indefinite length at octet {at - 1} is no DER (X.690 section 10.1)")
        if size > 0x80:
            count = size & 0x7F
            size = int.from_bytes(octets[at : at + count], "big")
            at += count
    except IndexError:
        raise DerError(f"the octets end in the midst of the value at {start}") from None
    end = at + size
    if end > len(octets):
        raise DerError(f"the value at octet {start} is longer than what is there")
    if not first & _CONSTRUCTED or depth >= DEEPEST:
        return Value(identifier, octets[at:end]), end
    parts = []
    while at < end:
        part, at = _value(octets, at, depth + 1)
        parts.append(part)
    if at != end:
        raise DerError(f"a part of the value at octet {start} is longer than the whole")
    return Value(identifier, tuple(parts)), end


def at(value: Value, path: Sequence[int]) -> Value:
    """What is there. :raises DerError: if nothing is."""
    for depth, position in enumerate(path):
        if not -len(value.parts) <= position < len(value.parts):
            raise DerError(f"{'.'.join(map(str, path[: depth + 1]))}: there are {len(value.parts)} parts")
        value = value.parts[position]
    return value


def changed(octets: bytes, path: Sequence[int], change: Callable[[Value], Sequence[Value]]) -> bytes:
    """The octets with the value at ``path`` replaced by those that ``change`` gives. :raises DerError:"""
    root = decode(octets)
    at(root, path)
    return b"".join(map(encode, _changed(root, tuple(path), change)))


def _changed(value: Value, path: tuple[int, ...], change: Callable[[Value], Sequence[Value]]) -> Sequence[Value]:
    if not path:
        return change(value)
    position = path[0] % len(value.parts)
    inside = _changed(value.parts[position], path[1:], change)
    return [replace(value, content=(*value.parts[:position], *inside, *value.parts[position + 1 :]))]


def replaced(octets: bytes, path: Sequence[int], new: bytes) -> bytes:
    """With the octets ``new``, which need not be DER, in the place of the value at ``path``."""
    return changed(octets, path, lambda old: [Value(b"", new)])


def deleted(octets: bytes, path: Sequence[int]) -> bytes:
    """Without the value at ``path``."""
    return changed(octets, path, lambda old: [])


def inserted(octets: bytes, path: Sequence[int], new: bytes) -> bytes:
    """With the octets ``new`` in front of the value at ``path``."""
    return changed(octets, path, lambda old: [Value(b"", new), old])


def appended(octets: bytes, path: Sequence[int], new: bytes) -> bytes:
    """With the octets ``new`` as the last part of the value at ``path``."""
    return changed(octets, path, lambda old: [replace(old, content=(*old.parts, Value(b"", new)))])


def retagged(octets: bytes, path: Sequence[int], identifier: int) -> bytes:
    """With another identifier octet at ``path``."""
    return changed(octets, path, lambda old: [replace(old, identifier=bytes([identifier]))])


def content(octets: bytes, path: Sequence[int], new: bytes | Callable[[bytes], bytes]) -> bytes:
    """With another content under the tag at ``path``."""
    return changed(octets, path, lambda old: [replace(old, content=new(old.octets) if callable(new) else new)])


def inside(octets: bytes, path: Sequence[int], change: Callable[[bytes], bytes]) -> bytes:
    """With the DER that an OCTET STRING, or a BIT STRING without unused bits, holds at ``path`` changed."""
    unused = 1 if at(decode(octets), path).identifier == b"\x03" else 0
    return content(octets, path, lambda old: old[:unused] + change(old[unused:]))


# -- for a reader ---------------------------------------------------------------------------------------------------------


def dump(octets: bytes, *, width: int = 96) -> list[str]:
    """A line for each value, indented by depth; DER within octet and bit strings is opened. :raises DerError:"""
    found: list[str] = []
    _dump(decode(octets), 0, found, width)
    return found


def _dump(value: Value, depth: int, found: list[str], width: int) -> None:
    label = "  " * depth + _label(value.identifier)
    if value.parts or isinstance(value.content, tuple):
        found.append(label)
        for part in value.parts:
            _dump(part, depth + 1, found, width)
        return
    tag, octets = value.identifier[0], value.octets
    nested = octets[1:] if tag == 0x03 and octets[:1] == b"\0" else octets if tag == 0x04 else b""
    if len(nested) > 4 and depth < DEEPEST and (within := _decoded(nested)) is not None:
        found.append(f"{label}, which holds")
        _dump(within, depth + 1, found, width)
    else:
        found.append(f"{label} {_shown(tag, octets, width)}".rstrip())


def _decoded(octets: bytes) -> Value | None:
    """Octets that are most likely DER: a SEQUENCE, SET or explicit tag that fits to the last octet."""
    if octets[0] not in (0x30, 0x31) and octets[0] & 0xE0 != 0xA0:
        return None
    try:
        return decode(octets)
    except DerError:
        return None


def _label(identifier: bytes) -> str:
    first = identifier[0]
    if first & 0xC0 == 0 and (first & 0x1F) in _NAMES:
        return _NAMES[first & 0x1F]
    number = first & 0x1F if len(identifier) == 1 else int.from_bytes(identifier[1:], "big")
    return f"[{_CLASSES[first >> 6]}{number}]"


def _shown(tag: int, octets: bytes, width: int) -> str:
    if tag == 0x06:
        return _identifier(octets)
    if tag == 0x01:
        return {b"\0": "FALSE", b"\xff": "TRUE"}.get(octets, octets.hex())
    if tag in (0x02, 0x0A) and 0 < len(octets) <= 8:
        return str(int.from_bytes(octets, "big", signed=True))
    if tag in _TEXTS:
        return octets.decode("utf-8", "replace").encode("unicode_escape").decode("ascii")[: width * 2]
    text = octets.hex()
    return text if len(text) <= width else f"{text[:width]}... ({len(octets)} octets)"


def _identifier(octets: bytes) -> str:
    try:
        dotted = str(decoder.decode(b"\x06" + length(len(octets)) + octets)[0])
    except PyAsn1Error:
        return octets.hex()
    name = _names().get(dotted)
    return f"{name} ({dotted})" if name else dotted


@cache
def _names() -> dict[str, str]:
    """Names of object identifiers, as the modules of the RFCs have them."""
    found = dict(_SCEP)
    for module in (rfc4210, rfc4211, rfc6402, rfc6960, rfc5652, rfc8018, rfc5480, rfc5280):
        members: dict[str, Any] = vars(module)
        for name, value in members.items():
            if isinstance(value, ObjectIdentifier) and value.isValue and re.fullmatch(r"[a-z][A-Za-z0-9_-]+", name):
                found[str(value)] = name.replace("_", "-")
    return found
