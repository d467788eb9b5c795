"""SignedData (RFC 5652 section 5): read as it was received, put together from its parts, and the degenerate kind without signers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.pkix import algorithms, der
from privca.pkix.rfc5652 import ber
from privca.pkix.rfc5652.content import DATA, SIGNED_DATA, content_type, wrap
from privca.pkix.rfc5652.identifiers import Identifier, identifier_of

if TYPE_CHECKING:
    from pyasn1.type.base import Asn1Type

MAXIMUM_SIGNERS = 16
MAXIMUM_CERTIFICATES = 32
MAXIMUM_ATTRIBUTES = 64
MAXIMUM_BER_ELEMENTS = 1024

_CLAUSE = "RFC 5652 section 5.1"
_SEQUENCE, _SET, _IMPLICIT_0, _IMPLICIT_1, _EXPLICIT_0, _OCTET_STRING = 0x30, 0x31, 0xA0, 0xA1, 0xA0, 0x04


@der.sequence
class _Attribute:
    type: x509.ObjectIdentifier
    values: der.SetOf[der.TLV]


@der.sequence
class _Attributes:
    # A SEQUENCE OF at the top is no declared type of the codec; its one place is inside another SEQUENCE.
    all: list[_Attribute]


@der.sequence
class _Signer:
    version: int
    sid: der.TLV
    digest: der.TLV
    # SEQUENCE OF in place of SET OF: clients send attributes in any order, and the octets as they came are what is signed.
    signed: Annotated[list[der.TLV] | None, der.Implicit(0)]
    algorithm: der.TLV
    signature: bytes
    unsigned: Annotated[list[der.TLV] | None, der.Implicit(1)]


@der.sequence
class _Encapsulated:
    type: x509.ObjectIdentifier
    content: Annotated[bytes | None, der.Explicit(0)]


@der.sequence
class _SignedData:
    version: int
    digests: der.SetOf[der.TLV]
    encapsulated: _Encapsulated
    certificates: Annotated[list[der.TLV] | None, der.Implicit(0)]
    crls: Annotated[list[der.TLV] | None, der.Implicit(1)]
    signers: der.SetOf[_Signer]


@der.sequence
class _Message:
    type: x509.ObjectIdentifier
    content: Annotated[_SignedData, der.Explicit(0)]


@dataclass(frozen=True, slots=True)
class Signer:
    """One SignerInfo, not yet verified.

    ``attributes`` are the signed attributes: DER of the values by dotted OID; ``signed`` is what the signature is over, empty without
    signed attributes: then it is over the content. ``resorted`` is the same in the order of DER, empty unless it came in another one.
    """

    identifier: Identifier
    digest: bytes
    algorithm: bytes
    signature: bytes
    attributes: dict[str, tuple[bytes, ...]]
    unsigned_attributes: dict[str, tuple[bytes, ...]]
    signed: bytes = field(repr=False)
    resorted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedData:
    """A SignedData, not yet verified. ``content`` is None where it is detached or there is none. Certificates and CRLs are as received."""

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    signers: tuple[Signer, ...]


def parse(octets: bytes) -> SignedData:
    """The SignedData in a ContentInfo, DER or BER. :raises Refused: ``MALFORMED``, ``TOO_LARGE``."""
    signed = decode(_Message, octets, SIGNED_DATA, ber.signed_data, _CLAUSE).content
    certificates, crls, signers = signed.certificates or (), signed.crls or (), signed.signers.as_list()
    _bound("certificates or CRLs", len(certificates) + len(crls), MAXIMUM_CERTIFICATES)
    _bound("signers", len(signers), MAXIMUM_SIGNERS)
    return SignedData(
        content_type=signed.encapsulated.type.dotted_string,
        content=signed.encapsulated.content,
        certificates=tuple([der.encode(one) for one in certificates]),
        crls=tuple([der.encode(one) for one in crls]),
        signers=tuple([_signer(one) for one in signers]),
    )


class _Typed(Protocol):
    @property
    def type(self) -> x509.ObjectIdentifier: ...


_M = TypeVar("_M", bound=_Typed)


def decode(cls: type[_M], octets: bytes, expected: str, specification: Callable[[], Asn1Type], clause: str) -> _M:
    """``octets`` as one ``cls``, DER or else BER; of another content type they are refused with its name."""
    try:
        read = der.decode(cls, octets, clause=clause)
    except Refused as refusal:
        found = content_type(octets)
        if found != expected:
            raise _other(clause, expected, found) from None
        try:
            strict = der.decode_ber(octets, specification, clause=clause, elements=MAXIMUM_BER_ELEMENTS)
            read = der.decode(cls, strict, clause=clause)
        except Refused:
            # Not what it would be in BER, but what keeps it from being DER, helps the developer of the client.
            raise refusal from None
    if read.type.dotted_string != expected:
        raise _other(clause, expected, read.type.dotted_string)
    return read


def _other(clause: str, expected: str, found: str) -> Refused:
    return Refused(Reason.MALFORMED, clause, "the message has another content type", expected=expected, got=found[:80])


def _bound(what: str, count: int, maximum: int) -> None:
    if count > maximum:
        raise Refused(Reason.TOO_LARGE, _CLAUSE, f"too many {what}", expected=f"at most {maximum}", got=str(count))


def _signer(signer: _Signer) -> Signer:
    signed = resorted = b""
    parts = [der.encode(one) for one in signer.signed or ()]
    if signer.signed is not None:
        signed = der.tlv(_SET, *parts)
        if parts != sorted(parts):
            resorted = der.tlv(_SET, *sorted(parts))
    return Signer(
        identifier=identifier_of(signer.sid),
        digest=der.encode(signer.digest),
        algorithm=der.encode(signer.algorithm),
        signature=signer.signature,
        attributes=_attributes(parts),
        unsigned_attributes=_attributes([der.encode(one) for one in signer.unsigned or ()]),
        signed=signed,
        resorted=resorted,
    )


def _attributes(attributes: Sequence[bytes]) -> dict[str, tuple[bytes, ...]]:
    """Values by type. Section 11 forbids a second instance of the attributes that matter, and no other may have one either."""
    if not attributes:
        return {}
    _bound("attributes", len(attributes), MAXIMUM_ATTRIBUTES)
    wrapped = der.tlv(_SEQUENCE, der.tlv(_SEQUENCE, *attributes))
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in der.decode(_Attributes, wrapped, clause="RFC 5652 section 5.3").all:
        kind = attribute.type.dotted_string
        if kind in found:
            raise Refused(Reason.MALFORMED, "RFC 5652 section 11", "an attribute occurs more than once", got=kind)
        found[kind] = tuple([der.encode(value) for value in attribute.values.as_list()])
    return found


def attribute(oid: str, *values: bytes) -> bytes:
    """An Attribute (section 5.3) as DER. :param values: DER."""
    return der.tlv(_SEQUENCE, algorithms.oid(oid), der.tlv(_SET, *sorted(values)))


def set_of(elements: Iterable[bytes], tag: int = _SET) -> bytes:
    """A SET OF as DER: its elements in the order that X.690 section 11.6 wants, each once."""
    return der.tlv(tag, *sorted({*elements}))


def assemble(
    content: bytes | None,
    content_kind: str = DATA,
    *,
    digests: Iterable[bytes] = (),
    signers: Sequence[bytes] = (),
    certificates: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    version: int = 1,
) -> bytes:
    """A ContentInfo with SignedData as DER.

    Certificates stay in the order given, leaf first, which many clients rely on; strictly, DER would sort them.

    :param content: None: absent. :param digests: AlgorithmIdentifiers. :param signers: SignerInfos; all three as DER.
    :param version: section 5.1: 3 if the content is not ``data`` or a signer is named by its key identifier.
    """
    encapsulated = der.tlv(
        _SEQUENCE,
        algorithms.oid(content_kind),
        b"" if content is None else der.tlv(_EXPLICIT_0, der.tlv(_OCTET_STRING, content)),
    )
    return wrap(
        SIGNED_DATA,
        der.tlv(
            _SEQUENCE,
            b"\x02\x01" + bytes((version,)),
            set_of(digests),
            encapsulated,
            der.tlv(_IMPLICIT_0, *certificates) if certificates else b"",
            der.tlv(_IMPLICIT_1, *crls) if crls else b"",
            set_of(signers),
        ),
    )


def certificates_only(certificates: Sequence[bytes] = (), crls: Sequence[bytes] = ()) -> bytes:
    """The degenerate SignedData that only carries certificates and CRLs (section 5.1; RFC 5272 section 4.1 simple response)."""
    return assemble(None, certificates=certificates, crls=crls)
