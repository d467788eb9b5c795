"""BER of indefinite length, which many servers write, made definite (X.690 sections 8.1.3.6, 8.7.3)."""

from __future__ import annotations

from conformance.der import DEEPEST, length

_OCTET_STRING, _CONSTRUCTED_OCTET_STRING = 0x04, 0x24
_CONSTRUCTED = 0x20


class BerError(Exception):
    """Octets are no BER."""


def definite(octets: bytes) -> bytes:
    """The same value with definite lengths, and each OCTET STRING in one piece. :raises BerError:"""
    value, end = _value(octets, 0, 0)
    if end != len(octets):
        raise BerError(f"{len(octets) - end} octets follow the value")
    return value


def _value(octets: bytes, at: int, depth: int) -> tuple[bytes, int]:
    """The value at a place, definite, and where it ends."""
    if depth > DEEPEST:
        raise BerError("values are nested too deeply")
    if at + 2 > len(octets) or octets[at] & 0x1F == 0x1F:
        raise BerError("the octets end in the midst of a value, or have a tag that no CMS has")
    identifier, first, start = octets[at], octets[at + 1], at + 2
    constructed = bool(identifier & _CONSTRUCTED)
    if first == 0x80:
        if not constructed:
            raise BerError("a primitive value has no indefinite length")
        end = None
    elif first < 0x80:
        end = start + first
    else:
        count = first & 0x7F
        end, start = start + count + int.from_bytes(octets[start : start + count], "big"), start + count
    if end is not None and end > len(octets):
        raise BerError("a value is longer than what is there")
    if not constructed:
        return bytes([identifier]) + length((end or start) - start) + octets[start:end], end or start
    parts, at = [], start
    while at < end if end is not None else octets[at : at + 2] != b"\0\0":
        part, at = _value(octets, at, depth + 1)
        parts.append(part)
    if end is not None and at != end:
        raise BerError("a part is longer than the whole")
    inside = b"".join(map(_content, parts)) if identifier == _CONSTRUCTED_OCTET_STRING else b"".join(parts)
    identifier = _OCTET_STRING if identifier == _CONSTRUCTED_OCTET_STRING else identifier
    return bytes([identifier]) + length(len(inside)) + inside, at if end is not None else at + 2


def _content(value: bytes) -> bytes:
    """The content of a definite value."""
    return value[2 if value[1] < 0x80 else 2 + (value[1] & 0x7F) :]
