"""A request as it is kept while a person decides: what it asks for, whatever format it came in, and nothing else of it.

The form is that of a CertificationRequestInfo (RFC 2986 section 4.1) for PKCS #10 and CRMF alike. The octets received are not kept:
they may hold a challengePassword, and a proof of possession, which was verified when they came.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.base.names import Name
from privca.issuance.ports import Requested
from privca.pkix import der
from privca.pkix.rfc5280.names import names_of
from privca.pkix.weak import SigningPublicKey

_EXTENSION_REQUEST = x509.ObjectIdentifier("1.2.840.113549.1.9.14")
_SEQUENCE, _SET, _BOOLEAN, _OCTET_STRING, _BIT_STRING, _ATTRIBUTES = 0x30, 0x31, 0x01, 0x04, 0x03, 0xA0
# A signature that is none, for the parser of requests, which does not verify: ecdsa-with-SHA256.
_UNSIGNED = der.tlv(_SEQUENCE, der.oid(x509.ObjectIdentifier("1.2.840.10045.4.3.2"))) + der.tlv(_BIT_STRING, b"\0")


@dataclass(frozen=True, slots=True)
class Remembered:
    """Implements :class:`~privca.issuance.ports.Requested` from what was kept. ``der`` is a CertificationRequestInfo."""

    der: bytes = field(repr=False)
    subject: x509.Name
    spki: bytes = field(repr=False)
    public_key: SigningPublicKey
    names: tuple[Name, ...]
    extensions: tuple[x509.Extension[x509.ExtensionType], ...]


def kept(requested: Requested) -> bytes:
    """What is kept of a request: a CertificationRequestInfo, DER."""
    attributes = b""
    if requested.extensions:
        extensions = der.tlv(_SEQUENCE, *[_extension(one) for one in requested.extensions])
        attributes = der.tlv(_SEQUENCE, der.oid(_EXTENSION_REQUEST), der.tlv(_SET, extensions))
    return der.tlv(_SEQUENCE, der.integer(0), requested.subject.public_bytes(), requested.spki, der.tlv(_ATTRIBUTES, attributes))


def read(info: bytes) -> Remembered:
    """The request of which :func:`kept` made this."""
    with warnings.catch_warnings():
        # Of lengths that cryptography would not issue: lint judges them.
        warnings.simplefilter("ignore")
        loaded = x509.load_der_x509_csr(der.tlv(_SEQUENCE, info, _UNSIGNED))
        subject, extensions = loaded.subject, tuple(loaded.extensions)
    public_key = cast("SigningPublicKey", loaded.public_key())
    alternative = next((one.value for one in extensions if isinstance(one.value, x509.SubjectAlternativeName)), ())
    return Remembered(
        der=info,
        subject=subject,
        spki=public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public_key=public_key,
        names=names_of(alternative),
        extensions=extensions,
    )


def _extension(extension: x509.Extension[x509.ExtensionType]) -> bytes:
    critical = der.tlv(_BOOLEAN, b"\xff") if extension.critical else b""
    return der.tlv(_SEQUENCE, der.oid(extension.oid), critical, der.tlv(_OCTET_STRING, extension.value.public_bytes()))
