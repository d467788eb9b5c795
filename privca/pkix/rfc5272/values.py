"""Single values of controls, read and written: an element alone is no declared type of the codec, so each is read inside a SEQUENCE."""

from __future__ import annotations

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.pkix import der

SEQUENCE = 0x30
BODY_MAXIMUM = 4294967295
"""RFC 5272 section 3.2.2: bodyIdMax."""
_LIST_MAXIMUM = 64


@der.sequence
class _Octets:
    value: bytes


@der.sequence
class _Text:
    value: str


@der.sequence
class _Integer:
    value: int


@der.sequence
class _Integers:
    value: list[int]


@der.sequence
class AlgorithmIdentifier:
    """RFC 5280 section 4.1.1.2."""

    algorithm: x509.ObjectIdentifier
    parameters: der.Null | der.TLV | None


def wrapped(value: bytes) -> bytes:
    """A SEQUENCE of this one element."""
    return der.tlv(SEQUENCE, value)


def read_octets(value: bytes, clause: str, *, maximum: int) -> bytes:
    """An OCTET STRING of 1 to ``maximum`` octets. :raises Refused: ``MALFORMED``."""
    octets = der.decode(_Octets, wrapped(value), clause=clause).value
    if not 0 < len(octets) <= maximum:
        raise Refused(
            Reason.MALFORMED,
            clause,
            "the control has a wrong length",
            expected=f"1 to {maximum} octets",
            got=str(len(octets)),
        )
    return octets


def read_text(value: bytes, clause: str, *, maximum: int) -> str:
    """A UTF8String of 1 to ``maximum`` characters. :raises Refused: ``MALFORMED``."""
    text = der.decode(_Text, wrapped(value), clause=clause).value
    if not 0 < len(text) <= maximum:
        raise Refused(Reason.MALFORMED, clause, "the control has a wrong length", expected=f"1 to {maximum} characters")
    return text


def read_integer(value: bytes, clause: str) -> int:
    """An INTEGER. :raises Refused: ``MALFORMED``."""
    return der.decode(_Integer, wrapped(value), clause=clause).value


def body_part(number: int, clause: str = "RFC 5272 section 3.2.2") -> int:
    """A BodyPartID that stands in a message. :raises Refused: ``MALFORMED`` if it is out of range."""
    if not 0 <= number <= BODY_MAXIMUM:
        raise Refused(Reason.MALFORMED, clause, "a body part identifier is out of range", expected=f"0 to {BODY_MAXIMUM}")
    return number


def body_parts(numbers: list[int], clause: str) -> tuple[int, ...]:
    """A BodyPartList or BodyPartPath: never empty, bounded. :raises Refused: ``MALFORMED``."""
    if not 0 < len(numbers) <= _LIST_MAXIMUM:
        raise Refused(
            Reason.MALFORMED,
            clause,
            "a list of body parts has a wrong length",
            expected=f"1 to {_LIST_MAXIMUM}",
            got=str(len(numbers)),
        )
    return tuple(body_part(number) for number in numbers)


def read_body_parts(value: bytes, clause: str) -> tuple[int, ...]:
    """A SEQUENCE OF BodyPartID alone. :raises Refused: ``MALFORMED``."""
    return body_parts(der.decode(_Integers, wrapped(value), clause=clause).value, clause)


def integer(number: int) -> bytes:
    """An INTEGER as DER. At most 125 octets long."""
    return der.encode(_Integer(value=number))[2:]


def octet_string(octets: bytes) -> bytes:
    """An OCTET STRING as DER."""
    return der.tlv(0x04, octets)


def utf8_string(text: str) -> bytes:
    """A UTF8String as DER."""
    return der.tlv(0x0C, text.encode())


def algorithm_identifier(algorithm: AlgorithmIdentifier, clause: str) -> str:
    """The dotted identifier of an algorithm whose parameters are absent or NULL. :raises Refused: ``BAD_SIGNATURE_ALGORITHM``."""
    if isinstance(algorithm.parameters, der.TLV):
        raise Refused(Reason.BAD_SIGNATURE_ALGORITHM, clause, "the algorithm has parameters", expected="none, or NULL")
    return algorithm.algorithm.dotted_string
