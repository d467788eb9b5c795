"""The one seam on ``cryptography.hazmat.asn1``: strict DER in and out, and a bounded way from BER to DER.

That module is marked unstable; nobody else imports it, ``pyproject.toml`` bounds its version, and a test notices when it changes.
DER is what RFC 5280 and RFC 2986 ask for and what we always send. Some clients send BER; :func:`decode_ber` turns it into DER by
``pyasn1``, which is two orders slower, so that it is imported only when such a client comes, and reads only what passed the limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cryptography.hazmat.asn1 import (
    TLV,
    BitString,
    Default,
    Explicit,
    GeneralizedTime,
    IA5String,
    Implicit,
    Null,
    PrintableString,
    SetOf,
    Size,
    UTCTime,
    Variant,
    decode_der,
    encode_der,
    sequence,
    set,
    value_set,
)
from cryptography.x509 import ObjectIdentifier

from privca.base.refused import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyasn1.type.base import Asn1Type

__all__ = [
    "TLV",
    "BitString",
    "Default",
    "Explicit",
    "GeneralizedTime",
    "IA5String",
    "Implicit",
    "Null",
    "PrintableString",
    "SetOf",
    "Size",
    "UTCTime",
    "Variant",
    "children",
    "content",
    "decode",
    "decode_ber",
    "elements",
    "encode",
    "integer",
    "oid",
    "sequence",
    "set",
    "tlv",
    "value_set",
]

T = TypeVar("T")

MAXIMUM_OCTETS = 1 << 18
MAXIMUM_DEPTH = 32
MAXIMUM_ELEMENTS = 4096

_CONSTRUCTED = 0x20
_INDEFINITE = 0x80
_END_OF_CONTENTS = b"\x00\x00"


def encode(value: object) -> bytes:
    """``value`` (an instance of a declared type) as DER."""
    return encode_der(value)


def decode(cls: type[T], octets: bytes, *, clause: str) -> T:
    """``octets`` as one ``cls`` and nothing after it, strict DER.

    :raises Refused: ``MALFORMED`` with ``clause``, the section that defines the type.
    """
    try:
        return decode_der(cls, octets)
    except (ValueError, OverflowError) as error:
        raise Refused(Reason.MALFORMED, clause, f"not DER of {cls.__name__.lstrip('_')}", got=_why(error)) from None


def _why(error: Exception) -> str:
    """The codec's own words without anything that was in the message."""
    return str(error).removeprefix("error parsing asn1 value: ")[:120]


def tlv(tag: int, *contents: bytes) -> bytes:
    """One DER element: ``tag`` is the identifier octet, ``contents`` are joined."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


@sequence
class _Oid:
    value: ObjectIdentifier


def oid(identifier: ObjectIdentifier) -> bytes:
    """An OBJECT IDENTIFIER as DER."""
    # The codec encodes declared types alone: the identifier is what is inside a SEQUENCE of one, whose header is two octets
    # (an OID that cryptography accepts has at most 63 octets).
    return encode_der(_Oid(value=identifier))[2:]


def integer(number: int) -> bytes:
    """An INTEGER as DER."""
    return tlv(
        0x02,
        number.to_bytes(number.bit_length() // 8 + 1 if number >= 0 else (number + 1).bit_length() // 8 + 1, "big", signed=True),
    )


@sequence
class _Elements:
    elements: list[TLV]


def elements(octets: bytes, *, clause: str) -> list[bytes]:
    """The elements directly inside the one constructed DER element that ``octets`` are, each with its header, whatever the tag outside.

    What is inside them is not looked at. :raises Refused: ``MALFORMED``.
    """
    # The codec reads declared types alone: the element is put into a SEQUENCE, as a SEQUENCE.
    if not octets or not octets[0] & _CONSTRUCTED or octets[0] & 0x1F == 0x1F:
        raise Refused(Reason.MALFORMED, clause, "not a constructed element")
    return [encode_der(element) for element in decode(_Elements, tlv(0x30, b"\x30", octets[1:]), clause=clause).elements]


def content(element: bytes) -> bytes:
    """What is inside one DER element that the codec has let through, or that we made, with an identifier of one octet."""
    return element[2:] if element[1] < 0x80 else element[2 + (element[1] & 0x7F) :]


def children(octets: bytes, *, clause: str) -> list[bytes]:
    """The elements directly inside the one constructed BER or DER element that ``octets`` are, each with its header, as received.

    :raises Refused: ``MALFORMED`` if ``octets`` are not exactly one element or exceed the limits of :func:`decode_ber`.
    """
    return [octets[start:end] for start, end in _scan(octets, clause, MAXIMUM_ELEMENTS)]


def decode_ber(octets: bytes, specification: Callable[[], Asn1Type], *, clause: str, elements: int = MAXIMUM_ELEMENTS) -> bytes:
    """The DER of a BER message of the ``pyasn1`` type that ``specification`` makes.

    Indefinite lengths, constructed strings, long lengths and unsorted sets become what DER wants; what the type calls ANY stays as
    it was received. At most 256 KiB, 32 levels and ``elements`` elements, each of which costs about 20 us.

    :raises Refused: ``MALFORMED`` with ``clause``.
    """
    _scan(octets, clause, elements)
    from pyasn1.codec.ber import decoder
    from pyasn1.codec.der import encoder
    from pyasn1.error import PyAsn1Error

    try:
        # Nothing can be left over: the walk found one element.
        value, _ = decoder.decode(octets, asn1Spec=specification())
        return bytes(encoder.encode(value))
    except (PyAsn1Error, ValueError, LookupError, TypeError, OverflowError, AttributeError):
        # pyasn1 reports some malformed values by the exception of whatever Python operation they break.
        raise Refused(Reason.MALFORMED, clause, "neither DER nor BER of the expected type") from None


def _scan(octets: bytes, clause: str, elements: int) -> list[tuple[int, int]]:
    """Walk one BER element without recursion, within the limits; where its direct children start and end."""

    def refuse(detail: str) -> Refused:
        return Refused(Reason.MALFORMED, clause, detail)

    if len(octets) > MAXIMUM_OCTETS:
        raise Refused(
            Reason.TOO_LARGE,
            clause,
            "the message is too large",
            expected=f"at most {MAXIMUM_OCTETS} octets",
            got=str(len(octets)),
        )
    found: list[tuple[int, int]] = []
    # Each open constructed element: where it began, and where it ends or None while its length is indefinite.
    open_elements: list[tuple[int, int | None]] = []
    at = count = 0
    while True:
        end = open_elements[-1][1] if open_elements else None
        if open_elements and end is None and octets[at : at + 2] == _END_OF_CONTENTS:
            at += 2
        elif end is None or at < end:
            count += 1
            if count > elements:
                raise refuse(f"more than {elements} ASN.1 elements")
            start = at
            constructed, length, at = _header(octets, at, refuse)
            if length is not None and at + length > (len(octets) if end is None else end):
                raise refuse("an element is longer than what contains it")
            if constructed:
                if len(open_elements) == MAXIMUM_DEPTH:
                    raise refuse(f"ASN.1 elements are nested more than {MAXIMUM_DEPTH} deep")
                open_elements.append((start, None if length is None else at + length))
                continue
            if length is None:
                raise refuse("a primitive element has no end")
            at += length
            if not open_elements:
                break
            if len(open_elements) == 1:
                found.append((start, at))
            continue
        start, _ = open_elements.pop()
        if len(open_elements) == 1:
            found.append((start, at))
        if not open_elements:
            break
        end = open_elements[-1][1]
        if end is not None and at > end:
            raise refuse("an element is longer than what contains it")
    if at != len(octets):
        raise refuse("octets follow the message")
    return found


def _header(octets: bytes, at: int, refuse: Callable[[str], Refused]) -> tuple[bool, int | None, int]:
    """Whether the element at ``at`` is constructed, its length (None: indefinite), and where its contents begin."""
    try:
        identifier = octets[at]
        at += 1
        if identifier & 0x1F == 0x1F:
            number = at
            while octets[at] & 0x80:
                at += 1
            at += 1
            if at - number > 4:
                raise refuse("an ASN.1 tag number is too large")
        length = octets[at]
    except IndexError:
        raise refuse("the message ends inside an element") from None
    at += 1
    if length < 0x80:
        return bool(identifier & _CONSTRUCTED), length, at
    if length == _INDEFINITE:
        return bool(identifier & _CONSTRUCTED), None, at
    size = length & 0x7F
    if size > 8 or at + size > len(octets):
        raise refuse("the message ends inside a length")
    return bool(identifier & _CONSTRUCTED), int.from_bytes(octets[at : at + size], "big"), at + size
