"""Certification requests (PKCS #10, RFC 2986, with the attributes of RFC 2985): parsed, verified, and reduced to facts.

What is asked for stays a wish: names and extensions are handed over as they stand in the request, and policy judges them. The
signature is verified over the octets that were received, never over a re-encoding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.pkix import der, signatures, weak
from privca.pkix.requested import (
    EXTENSION_REQUEST,
    AlgorithmIdentifier,
    Extension,
    RdnSequence,
    check_extensions,
    check_subject,
    names_in,
    subject_and_extensions,
)
from privca.pkix.requested import public_key as read_public_key

if TYPE_CHECKING:
    from pyasn1.type.base import Asn1Type

MAXIMUM_OCTETS = 1 << 16
MAXIMUM_ELEMENTS = 1024
MAXIMUM_CHALLENGE_PASSWORD = 255  # RFC 2985 section 5.4.1: pkcs-9-ub-challengePassword

CHALLENGE_PASSWORD = x509.ObjectIdentifier("1.2.840.113549.1.9.7")

_CLAUSE = "RFC 2986 section 4"
_MICROSOFT_EXTENSION_REQUEST = x509.ObjectIdentifier("1.3.6.1.4.1.311.2.1.14")
# DirectoryString (RFC 5280 section 4.1.2.4), and IA5String, which RFC 2985 allowed for e-mail and clients use here too.
_STRINGS = {b"\x0c": "utf-8", b"\x13": "ascii", b"\x14": "latin-1", b"\x16": "ascii", b"\x1c": "utf-32-be", b"\x1e": "utf-16-be"}


@der.sequence
class _Attribute:
    type: x509.ObjectIdentifier
    values: der.SetOf[der.TLV]


@der.sequence
class _CertificationRequestInfo:
    version: int
    subject: RdnSequence
    spki: der.TLV
    attributes: Annotated[der.SetOf[_Attribute], der.Implicit(0)]


@der.sequence
class _CertificationRequest:
    info: der.TLV
    algorithm: der.TLV
    signature: der.BitString


@der.sequence
class _ExtensionRequest:
    # A SEQUENCE OF at the top is no declared type of the codec; its one place is inside another SEQUENCE.
    extensions: list[Extension]


Attributes: TypeAlias = Mapping[str, tuple[bytes, ...]]
"""Attributes of a request: DER of the values of each by dotted OID."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request asks for, whoever signed it and with whatever key: neither was looked at.

    ``der`` are the octets received. ``names`` is the subjectAltName in canonical form, in the order of the request, without duplicates.
    ``extensions`` are the requested extensions, subjectAltName included.
    """

    der: bytes = field(repr=False)
    subject: x509.Name
    names: tuple[Name, ...]
    extensions: tuple[x509.Extension[x509.ExtensionType], ...]
    attributes: Attributes = field(repr=False)
    challenge_password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertificationRequest:
    """A request whose signature is valid and whose key is not weak: what :class:`Wishes` has, and the key.

    ``spki`` is the SubjectPublicKeyInfo as the certificate will hold it (points uncompressed). ``signature_algorithm`` is a dotted OID,
    ``signature_hash`` is ``sha256`` ..., empty where the scheme has its own.
    """

    der: bytes = field(repr=False)
    subject: x509.Name
    spki: bytes = field(repr=False)
    public_key: weak.SigningPublicKey
    names: tuple[Name, ...]
    extensions: tuple[x509.Extension[x509.ExtensionType], ...]
    attributes: Attributes = field(repr=False)
    challenge_password: str | None = field(repr=False)
    signature_algorithm: str
    signature_hash: str


class BadCsr(Refused):
    """``BAD_CSR`` for what another module refused. ``because`` is its own reason: ``BAD_SIGNATURE`` is a proof of possession that fails."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(Reason.BAD_CSR, refusal.clause, refusal.detail, expected=refusal.expected, got=refusal.got)
        self.because = refusal.reason


def _refuse(clause: str, detail: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    return Refused(Reason.BAD_CSR, clause, detail, expected=expected, got=got)


def parse(octets: bytes, *, tolerant: bool = False, old: Container[str] = ()) -> CertificationRequest:
    """The request that ``octets`` (DER) are.

    :param tolerant: whether BER, and attributes out of the order that DER gives a SET, are accepted.
    :param old: hashes of its signature that are accepted although they are no longer safe: ``md5``, ``sha1``.
    :raises Refused: ``BAD_PUBLIC_KEY`` for keys that :func:`privca.pkix.weak.check` refuses, ``BAD_CSR`` for everything else.
    """
    return _guarded(functools.partial(_parse, old), octets, tolerant)


def parse_wishes(octets: bytes, *, tolerant: bool = False) -> Wishes:
    """What a request asks for whose key and signature do not count (RFC 7030 section 4.4.1).

    :raises Refused: ``BAD_CSR`` as :func:`parse` does for the rest of it.
    """
    return _guarded(_parse_wishes, octets, tolerant)


T = TypeVar("T")


def _guarded(read: Callable[[bytes, bool], T], octets: bytes, tolerant: bool) -> T:
    if len(octets) > MAXIMUM_OCTETS:
        raise _refuse(_CLAUSE, "the CSR is too large", expected=f"at most {MAXIMUM_OCTETS} octets", got=str(len(octets)))
    try:
        return read(octets, tolerant)
    except Refused as refusal:
        if refusal.reason in (Reason.BAD_CSR, Reason.BAD_PUBLIC_KEY):
            raise
        # The codec and the names know no CSR; to every protocol, what they refuse here makes a bad one.
        raise BadCsr(refusal) from None


def _parse(old: Container[str], octets: bytes, tolerant: bool) -> CertificationRequest:
    request, info, signed, strict = _decode(octets, tolerant)
    _check_info(info)
    public_key = cast("weak.SigningPublicKey", read_public_key(der.encode(info.spki)))
    algorithm = der.encode(request.algorithm)
    signature_hash = signatures.verify(public_key, algorithm, _octets(request.signature), signed, old)
    attributes = info.attributes.as_list()
    extension_request, challenge_password = _attributes(attributes)
    subject, extensions = subject_and_extensions(strict, info.subject, extensions=extension_request)
    return CertificationRequest(
        der=octets,
        subject=subject,
        spki=public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        public_key=public_key,
        names=names_in(extensions),
        extensions=extensions,
        attributes=_values(attributes),
        challenge_password=challenge_password,
        signature_algorithm=der.decode(AlgorithmIdentifier, algorithm, clause=_CLAUSE).algorithm.dotted_string,
        signature_hash=signature_hash,
    )


def _parse_wishes(octets: bytes, tolerant: bool) -> Wishes:
    _, info, _, strict = _decode(octets, tolerant)
    _check_info(info)
    attributes = info.attributes.as_list()
    extension_request, challenge_password = _attributes(attributes)
    subject, extensions = subject_and_extensions(strict, info.subject, extensions=extension_request)
    return Wishes(octets, subject, names_in(extensions), extensions, _values(attributes), challenge_password)


def _check_info(info: _CertificationRequestInfo) -> None:
    if info.version != 0:
        raise _refuse("RFC 2986 section 4.1", "the version of a CSR is 0", got="another")
    check_subject(info.subject)


def _values(attributes: list[_Attribute]) -> Attributes:
    return {one.type.dotted_string: tuple([der.encode(value) for value in one.values.as_list()]) for one in attributes}


def _decode(octets: bytes, tolerant: bool) -> tuple[_CertificationRequest, _CertificationRequestInfo, bytes, bytes]:
    """The request, what is signed in it, that as it was received, and the whole as strict DER."""
    try:
        request, info = _strict(octets)
    except Refused as refusal:
        if not tolerant:
            raise
        try:
            strict = der.decode_ber(octets, _specification, clause=_CLAUSE, elements=MAXIMUM_ELEMENTS)
            request, info = _strict(strict)
        except Refused:
            # Not what it would be in BER, but what keeps it from being DER, helps the developer of the client.
            raise refusal from None
        return request, info, der.children(octets, clause=_CLAUSE)[0], strict
    return request, info, der.encode(request.info), octets


def _strict(octets: bytes) -> tuple[_CertificationRequest, _CertificationRequestInfo]:
    request = der.decode(_CertificationRequest, octets, clause=_CLAUSE)
    return request, der.decode(_CertificationRequestInfo, der.encode(request.info), clause="RFC 2986 section 4.1")


def _specification() -> Asn1Type:
    from pyasn1_modules import rfc2986

    return rfc2986.CertificationRequest()


def _octets(bits: der.BitString) -> bytes:
    if bits.padding_bits():
        raise _refuse("RFC 2986 section 4.2", "the signature is not a whole number of octets")
    return bits.as_bytes()


def _attributes(attributes: list[_Attribute]) -> tuple[bool, str | None]:
    """Whether extensions are requested (bounded, without duplicates), and the challenge password."""
    types = [attribute.type for attribute in attributes]
    if len(set(types)) != len(types):
        raise _refuse("RFC 2985 section 5.4", "an attribute occurs more than once")
    if EXTENSION_REQUEST in types and _MICROSOFT_EXTENSION_REQUEST in types:
        raise _refuse("RFC 2985 section 5.4.2", "extensions are requested by more than one attribute")
    requested, password = False, None
    for attribute in attributes:
        if attribute.type in (EXTENSION_REQUEST, _MICROSOFT_EXTENSION_REQUEST):
            _check_extensions(_only(attribute, "RFC 2985 section 5.4.2"))
            requested = True
        elif attribute.type == CHALLENGE_PASSWORD:
            password = _directory_string(_only(attribute, "RFC 2985 section 5.4.1"))
    return requested, password


def _only(attribute: _Attribute, clause: str) -> der.TLV:
    values = attribute.values.as_list()
    if len(values) != 1:
        raise _refuse(clause, "the attribute has exactly one value", got=str(len(values)))
    return values[0]


def _check_extensions(value: der.TLV) -> None:
    wrapped = der.tlv(0x30, der.encode(value))
    check_extensions(der.decode(_ExtensionRequest, wrapped, clause="RFC 2985 section 5.4.2").extensions)


def _directory_string(value: der.TLV) -> str:
    clause = "RFC 2985 section 5.4.1"
    encoding = _STRINGS.get(value.tag_bytes)
    if encoding is None:
        raise _refuse(clause, "the challenge password is not a DirectoryString")
    try:
        text = bytes(value.data).decode(encoding)
    except UnicodeDecodeError:
        # Neither chained nor quoted: the text of that exception has the password in it.
        raise _refuse(clause, "the challenge password is not in the encoding that it claims") from None
    if not 0 < len(text) <= MAXIMUM_CHALLENGE_PASSWORD:
        raise _refuse(
            clause, "the challenge password has a wrong length", expected=f"1 to {MAXIMUM_CHALLENGE_PASSWORD} characters"
        )
    return text
