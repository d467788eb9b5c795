"""What a request for a certificate asks for, whatever its format (PKCS #10, CRMF): subject, extensions, names and key, bounded and checked.

What is asked for stays a wish: it is handed over as it stands in the request, and policy judges it.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Annotated, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID, PublicKeyAlgorithmOID

from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.pkix import der, weak
from privca.pkix.rfc5280.names import names_of

MAXIMUM_SUBJECT_ATTRIBUTES = 32
MAXIMUM_ATTRIBUTE_OCTETS = 1024
MAXIMUM_EXTENSIONS = 32
MAXIMUM_NAMES = 1000

_EC_PUBLIC_KEY = PublicKeyAlgorithmOID.EC_PUBLIC_KEY
SIGNATURE_KEYS = frozenset(
    (
        _EC_PUBLIC_KEY,
        PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5,
        PublicKeyAlgorithmOID.ED25519,
        PublicKeyAlgorithmOID.ED448,
        PublicKeyAlgorithmOID.ML_DSA_44,
        PublicKeyAlgorithmOID.ML_DSA_65,
        PublicKeyAlgorithmOID.ML_DSA_87,
    )
)
"""Algorithms of keys that can prove their possession by a signature."""
EXTENSION_REQUEST = x509.ObjectIdentifier("1.2.840.113549.1.9.14")
_SEQUENCE = 0x30
_COUNTRIES = (NameOID.COUNTRY_NAME, NameOID.JURISDICTION_COUNTRY_NAME)
_OBJECT_IDENTIFIER = b"\x06"


@der.sequence
class AttributeTypeAndValue:
    """RFC 5280 section 4.1.2.4."""

    type: x509.ObjectIdentifier
    value: der.TLV


@der.sequence
class AlgorithmIdentifier:
    """RFC 5280 section 4.1.1.2."""

    algorithm: x509.ObjectIdentifier
    parameters: der.Null | der.TLV | None


@der.sequence
class SubjectPublicKeyInfo:
    """RFC 5280 section 4.1."""

    algorithm: AlgorithmIdentifier
    public_key: der.BitString


@der.sequence
class Extension:
    """RFC 5280 section 4.1."""

    id: x509.ObjectIdentifier
    critical: Annotated[bool, der.Default(False)]
    value: bytes


RdnSequence = list[der.SetOf[AttributeTypeAndValue]]
"""A Name (RFC 5280 section 4.1.2.4) as the codec reads it."""


def _refuse(clause: str, detail: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    return Refused(Reason.BAD_CSR, clause, detail, expected=expected, got=got)


def check_subject(subject: RdnSequence) -> None:
    """Bound what is kept of a subject; which attributes and lengths are issued is for template and lint to say."""
    attributes = [attribute for relative in subject for attribute in relative.as_list()]
    if len(attributes) > MAXIMUM_SUBJECT_ATTRIBUTES:
        raise _refuse(
            "RFC 5280 section 4.1.2.6", "too many attributes in the subject", expected=f"at most {MAXIMUM_SUBJECT_ATTRIBUTES}"
        )
    for attribute in attributes:
        if len(attribute.value.data) > MAXIMUM_ATTRIBUTE_OCTETS:
            raise _refuse(
                "RFC 5280 section A.1",
                "an attribute of the subject is too long",
                expected=f"at most {MAXIMUM_ATTRIBUTE_OCTETS} octets",
            )


def subject_and_extensions(
    csr: bytes, subject: RdnSequence, *, extensions: bool
) -> tuple[x509.Name, tuple[x509.Extension[x509.ExtensionType], ...]]:
    """Both as cryptography reads them, without the warnings that it gives for a length that it would not issue.

    :param csr: a CertificationRequest (DER) that has them.
    :param subject: the same subject; :param extensions: whether the request has any.
    """
    try:
        loaded = x509.load_der_x509_csr(csr)
        found = _extensions(loaded) if extensions else ()
        if all(_has_usual_length(attribute) for relative in subject for attribute in relative.as_list()):
            return loaded.subject, found
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return loaded.subject, found
    # KeyError: what the parser raises for a number in a TLS feature extension (RFC 7633) that it does not know.
    except (
        ValueError,
        KeyError,
        TypeError,
        OverflowError,
        UnsupportedAlgorithm,
        x509.UnsupportedGeneralNameType,
        Warning,
    ) as error:
        raise _refuse(
            "RFC 5280 section 4.2", "the subject or a requested extension is malformed", got=type(error).__name__
        ) from None


def _extensions(csr: x509.CertificateSigningRequest) -> tuple[x509.Extension[x509.ExtensionType], ...]:
    """:raises Warning: for what the parser still takes, and will refuse one day: a serial number that is not positive in an
    authorityKeyIdentifier."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return tuple(csr.extensions)


@der.sequence
class _Name:
    # A SEQUENCE OF at the top is no declared type of the codec; its one place is inside another SEQUENCE.
    name: RdnSequence


def wishes(
    subject: bytes, extensions: list[Extension], *, clause: str
) -> tuple[x509.Name, tuple[x509.Extension[x509.ExtensionType], ...]]:
    """Subject (a Name as DER) and extensions, wherever they stood, bounded and as cryptography reads them.

    :param clause: where the subject stands. :raises Refused: ``BAD_CSR``; ``MALFORMED`` for what is no Name.
    """
    rdns = der.decode(_Name, der.tlv(_SEQUENCE, subject), clause=clause).name
    check_subject(rdns)
    if extensions:
        check_extensions(extensions)
    return subject_and_extensions(_as_csr(subject, extensions), rdns, extensions=bool(extensions))


@cache
def _frame() -> tuple[bytes, bytes]:
    """A key and a signature that stand for none."""
    algorithm = der.tlv(_SEQUENCE, der.oid(PublicKeyAlgorithmOID.ED25519))
    return der.tlv(_SEQUENCE, algorithm, der.tlv(3, b"\0" * 33)), algorithm + der.tlv(3, b"\0" * 65)


def _as_csr(subject: bytes, extensions: list[Extension]) -> bytes:
    """The same wishes as a CertificationRequest, the one form of a request that the certificate library reads. Nobody else sees it."""
    key, signature = _frame()
    attributes = b""
    if extensions:
        values = der.tlv(0x31, der.tlv(_SEQUENCE, *(der.encode(extension) for extension in extensions)))
        attributes = der.tlv(_SEQUENCE, der.oid(EXTENSION_REQUEST), values)
    info = der.tlv(_SEQUENCE, b"\x02\x01\x00", subject, key, der.tlv(0xA0, attributes))
    return der.tlv(_SEQUENCE, info, signature)


def _has_usual_length(attribute: AttributeTypeAndValue) -> bool:
    if attribute.type in _COUNTRIES:
        return len(attribute.value.data) == 2
    # The warning counts octets in UTF-8, of which two in a BMPString can make three.
    return attribute.type != NameOID.COMMON_NAME or 1 <= len(attribute.value.data) <= 42


def public_key(spki: bytes, algorithms: frozenset[x509.ObjectIdentifier] = SIGNATURE_KEYS) -> weak.CertifiedPublicKey:
    """The key of a SubjectPublicKeyInfo, checked; a weak one is refused before anything is computed with it.

    :param algorithms: which kinds of keys the format can prove possession of.
    :raises Refused: ``BAD_PUBLIC_KEY``.
    """

    def refuse(clause: str, detail: str, got: str | None = None) -> Refused:
        return Refused(Reason.BAD_PUBLIC_KEY, clause, detail, got=got)

    algorithm = der.decode(SubjectPublicKeyInfo, spki, clause="RFC 5280 section 4.1.2.7").algorithm
    if algorithm.algorithm not in algorithms:
        # Before anything loads them: the kinds that we do not certify are old, large or cannot sign.
        raise refuse("RFC 5280 section 4.1.2.7", "a kind of key that we do not certify", algorithm.algorithm.dotted_string)
    names_curve = isinstance(algorithm.parameters, der.TLV) and algorithm.parameters.tag_bytes == _OBJECT_IDENTIFIER
    if algorithm.algorithm == _EC_PUBLIC_KEY and not names_curve:
        raise refuse("RFC 5480 section 2.1.1", "an EC public key names its curve; explicit and implicit parameters are not used")
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, TypeError, OverflowError):
        raise refuse(
            "RFC 5280 section 4.1.2.7", "not a valid public key of its kind (RFC 5480 section 2.2: a point lies on its curve)"
        ) from None
    except UnsupportedAlgorithm:
        raise refuse("RFC 5480 section 2.1.1.1", "a curve that we do not certify") from None
    weak.check(key)
    return cast("weak.CertifiedPublicKey", key)


def names_in(extensions: tuple[x509.Extension[x509.ExtensionType], ...]) -> tuple[Name, ...]:
    """The names of the subjectAltName in canonical form, in their order, without duplicates."""
    for extension in extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = list(extension.value)
            if not 0 < len(names) <= MAXIMUM_NAMES:
                raise _refuse(
                    "RFC 5280 section 4.2.1.6", "a wrong number of names", expected=f"1 to {MAXIMUM_NAMES}", got=str(len(names))
                )
            return names_of(names)
    return ()


def check_extensions(extensions: list[Extension]) -> None:
    """Bound what is asked for, before anything reads it. :raises Refused: ``BAD_CSR``."""
    if not 0 < len(extensions) <= MAXIMUM_EXTENSIONS:
        raise _refuse(
            "RFC 5280 section 4.1",
            "wrong number of requested extensions",
            expected=f"1 to {MAXIMUM_EXTENSIONS}",
            got=str(len(extensions)),
        )
    if len({extension.id for extension in extensions}) != len(extensions):
        raise _refuse("RFC 5280 section 4.2", "an extension is requested more than once")
