"""How CMS names a signer or a recipient: by issuer and serial number, or by its key identifier (RFC 5652 sections 5.3, 6.2.1, 10.2.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.pkix import der

_SEQUENCE, _IMPLICIT_0 = 0x30, 0x80
_CLAUSE = "RFC 5652 section 10.2.4"
_SUBJECT_KEY_IDENTIFIER = x509.ObjectIdentifier("2.5.29.14")


@der.sequence
class _Extension:
    id: x509.ObjectIdentifier
    critical: Annotated[bool, der.Default(False)]
    value: bytes


@der.sequence
class _Tbs:
    version: Annotated[int, der.Explicit(0), der.Default(0)]
    serial: der.TLV
    signature: der.TLV
    issuer: der.TLV
    validity: der.TLV
    subject: der.TLV
    spki: der.TLV
    issuer_unique: Annotated[der.BitString | None, der.Implicit(1)]
    subject_unique: Annotated[der.BitString | None, der.Implicit(2)]
    extensions: Annotated[list[_Extension] | None, der.Explicit(3)]


@der.sequence
class _Certificate:
    tbs: _Tbs
    algorithm: der.TLV
    signature: der.BitString


@der.sequence
class _IssuerAndSerial:
    issuer: der.TLV
    serial: der.TLV


@dataclass(frozen=True, slots=True)
class Identifier:
    """One of the two: ``issuer`` and ``serial`` are DER, compared octet by octet as they are copied from a certificate; or ``key``."""

    issuer: bytes = b""
    serial: bytes = b""
    key: bytes = b""

    def encoded(self) -> bytes:
        """SignerIdentifier or RecipientIdentifier as DER."""
        return der.tlv(_IMPLICIT_0, self.key) if self.key else der.tlv(_SEQUENCE, self.issuer, self.serial)


@dataclass(frozen=True, slots=True)
class Named:
    """What a certificate says that names it, all DER but ``key_identifier``, which is empty without that extension."""

    der: bytes = field(repr=False)
    issuer: bytes
    serial: bytes
    subject: bytes
    spki: bytes = field(repr=False)
    key_identifier: bytes

    @classmethod
    def read(cls, certificate: bytes) -> Named:
        """Read a certificate, X.509 v1 included, and judge nothing in it. :raises Refused: ``MALFORMED``."""
        tbs = der.decode(_Certificate, certificate, clause="RFC 5280 section 4.1").tbs
        key_identifier = b""
        for extension in tbs.extensions or ():
            if extension.id == _SUBJECT_KEY_IDENTIFIER and extension.value[:1] == b"\x04":
                key_identifier = extension.value[2:]
        return cls(
            der=certificate,
            issuer=der.encode(tbs.issuer),
            serial=der.encode(tbs.serial),
            subject=der.encode(tbs.subject),
            spki=der.encode(tbs.spki),
            key_identifier=key_identifier,
        )

    def is_meant(self, identifier: Identifier) -> bool:
        """Whether an identifier names this certificate."""
        if identifier.key:
            return identifier.key == self.key_identifier
        return identifier.serial == self.serial and identifier.issuer == self.issuer

    def identifier(self, *, by_key: bool = False) -> Identifier:
        """The identifier of this certificate. :param by_key: by its key identifier, if it has one."""
        if by_key and self.key_identifier:
            return Identifier(key=self.key_identifier)
        return Identifier(issuer=self.issuer, serial=self.serial)


def identifier_of(element: der.TLV) -> Identifier:
    """A SignerIdentifier or RecipientIdentifier. :raises Refused: ``MALFORMED``."""
    octets = der.encode(element)
    if octets[0] == _SEQUENCE:
        read = der.decode(_IssuerAndSerial, octets, clause=_CLAUSE)
        return Identifier(issuer=der.encode(read.issuer), serial=der.encode(read.serial))
    if octets[0] == _IMPLICIT_0 and element.data:
        return Identifier(key=bytes(element.data))
    raise Refused(Reason.MALFORMED, _CLAUSE, "neither issuer and serial number nor a key identifier")
