"""Get Certificate, Get CRL and Confirm Certificate Acceptance (RFC 5272 sections 6.9, 6.10 and 6.14): what names a thing that exists."""

from __future__ import annotations

from dataclasses import dataclass

from privca.base.refused import Reason, Refused
from privca.pkix import der

_DIRECTORY_NAME, _NAME = b"\xa4", b"\x30"
_MAXIMUM_ISSUER = 8192


@der.sequence
class _IssuerAndSerial:
    issuer: der.TLV
    serial: int


@dataclass(frozen=True, slots=True)
class CertificateName:
    """A certificate by its issuer (a Name as DER) and serial number."""

    issuer: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class GetCrl:
    """A CRL by its issuer (a Name as DER). ``qualified`` tells that a CRL name, a time or reasons stood beside it."""

    issuer: bytes
    qualified: bool


def read_get_cert(value: bytes) -> CertificateName:
    """A GetCert: its issuer is a GeneralName, of which only a directoryName can be one of our CAs. :raises Refused: ``MALFORMED``."""
    clause = "RFC 5272 section 6.9"
    wanted = der.decode(_IssuerAndSerial, value, clause=clause)
    if wanted.issuer.tag_bytes != _DIRECTORY_NAME:
        raise Refused(Reason.NOT_FOUND, clause, "no CA here has a name of this kind", expected="a directoryName")
    return CertificateName(_name(bytes(wanted.issuer.data), clause), wanted.serial)


def read_certificate_id(value: bytes) -> CertificateName:
    """A CMCCertId, which is an IssuerAndSerialNumber (section 6.14). :raises Refused: ``MALFORMED``."""
    clause = "RFC 5272 section 6.14"
    wanted = der.decode(_IssuerAndSerial, value, clause=clause)
    return CertificateName(_name(der.encode(wanted.issuer), clause), wanted.serial)


def read_get_crl(value: bytes) -> GetCrl:
    """A GetCRL. :raises Refused: ``MALFORMED``."""
    clause = "RFC 5272 section 6.10"
    parts = der.children(value, clause=clause)
    if value[:1] != _NAME or not 1 <= len(parts) <= 4:
        raise Refused(Reason.MALFORMED, clause, "not a GetCRL")
    return GetCrl(_name(parts[0], clause), len(parts) > 1)


def _name(octets: bytes, clause: str) -> bytes:
    if octets[:1] != _NAME or len(octets) > _MAXIMUM_ISSUER:
        raise Refused(Reason.MALFORMED, clause, "issuerName is not a Name")
    return octets
