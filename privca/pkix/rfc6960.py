"""OCSP messages (RFC 6960 section 4): requests read, responses put together from octets, since one is made for every certificate asked for.

cryptography's own builders know one certificate a request. A CertID is kept as it was received: the response repeats it octet by octet.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from cryptography import x509
from cryptography.x509.oid import OCSPExtensionOID

from privca.base.refused import Reason, Refused
from privca.pkix import der

CONTENT_TYPE_REQUEST = "application/ocsp-request"
CONTENT_TYPE_RESPONSE = "application/ocsp-response"
HASHES: dict[x509.ObjectIdentifier, str] = {
    x509.ObjectIdentifier("1.3.14.3.2.26"): "sha1",
    x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1"): "sha256",
    x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2"): "sha384",
    x509.ObjectIdentifier("2.16.840.1.101.3.4.2.3"): "sha512",
}
"""Hashes by which a CertID may name its issuer: an index, not a signature, so that SHA-1 is as good as any (RFC 9919 section 8.7)."""
MAXIMUM_OCTETS = 1 << 14
MAXIMUM_CERTIFICATES = 64
MAXIMUM_NONCE = 128

_SYNTAX, _NONCE = "RFC 6960 section 4.1.1", "RFC 9654 section 2.1"
_SEQUENCE, _INTEGER, _OCTET_STRING, _BIT_STRING, _NULL, _OID, _ENUMERATED = 0x30, 0x02, 0x04, 0x03, 0x05, 0x06, 0x0A
_GENERALIZED_TIME = 0x18
_CONTEXT, _CONSTRUCTED = 0x80, 0xA0
_BASIC = der.oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.1"))
_ARCHIVE_CUTOFF = der.oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.6"))
_EXTENDED_REVOKE = der.oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.9"))
_NONCE_OID = der.oid(OCSPExtensionOID.NONCE)
_KNOWN = frozenset(
    {
        OCSPExtensionOID.NONCE,
        OCSPExtensionOID.ACCEPTABLE_RESPONSES,
        x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.7"),  # service locator: nobody is asked in our place
        x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.8"),  # preferred signature algorithms: a responder has one key
    }
)


class ResponseStatus(enum.IntEnum):
    """OCSPResponseStatus (section 4.2.1)."""

    SUCCESSFUL = 0
    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    SIG_REQUIRED = 5
    UNAUTHORIZED = 6


class CertId(msgspec.Struct, frozen=True):
    """One certificate that is asked for. ``hash_name`` is empty for a hash that we do not know. ``encoded`` is the CertID as received."""

    hash_name: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int
    encoded: bytes


class OcspRequest(msgspec.Struct, frozen=True):
    """What is asked for, and the nonce that the response repeats: 1 to 128 octets, or None."""

    certificates: tuple[CertId, ...]
    nonce: bytes | None


@der.sequence
class _Algorithm:
    algorithm: x509.ObjectIdentifier
    parameters: der.Null | der.TLV | None


@der.sequence
class _CertId:
    hash_algorithm: _Algorithm
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int


@der.sequence
class _Extension:
    id: x509.ObjectIdentifier
    critical: Annotated[bool, der.Default(False)]
    value: bytes


@der.sequence
class _Request:
    certificate: der.TLV
    extensions: Annotated[list[_Extension] | None, der.Explicit(0)]


@der.sequence
class _TbsRequest:
    # No default: clients that spell version 1 out are understood, too.
    version: Annotated[int | None, der.Explicit(0)]
    requestor: Annotated[der.Null | der.TLV | None, der.Explicit(1)]
    certificates: list[_Request]
    extensions: Annotated[list[_Extension] | None, der.Explicit(2)]


@der.sequence
class _OcspRequest:
    tbs: _TbsRequest
    signature: Annotated[der.Null | der.TLV | None, der.Explicit(0)]


@der.sequence
class _OctetString:
    value: bytes


def read_request(octets: bytes) -> OcspRequest:
    """An OCSPRequest as DER. Its signature, which a responder may ignore (RFC 9919 section 3.1.2), and its requestor are not looked at.

    :raises Refused: ``MALFORMED``, ``TOO_LARGE``.
    """
    if len(octets) > MAXIMUM_OCTETS:
        raise Refused(
            Reason.TOO_LARGE,
            _SYNTAX,
            "the request is too large",
            expected=f"at most {MAXIMUM_OCTETS} octets",
            got=str(len(octets)),
        )
    tbs = der.decode(_OcspRequest, octets, clause=_SYNTAX).tbs
    if tbs.version:
        raise _malformed("an unknown version", expected="v1 (0)", got=str(tbs.version)[:20])
    if not 1 <= len(tbs.certificates) <= MAXIMUM_CERTIFICATES:
        raise _malformed(
            "the number of certificates that are asked for",
            expected=f"1 to {MAXIMUM_CERTIFICATES}",
            got=str(len(tbs.certificates)),
        )
    for request in tbs.certificates:
        _check_extensions(request.extensions)
    _check_extensions(tbs.extensions)
    nonce = next((_nonce(one.value) for one in tbs.extensions or () if one.id == OCSPExtensionOID.NONCE), None)
    return OcspRequest(tuple(_cert_id(der.encode(request.certificate)) for request in tbs.certificates), nonce)


def _cert_id(encoded: bytes) -> CertId:
    found = der.decode(_CertId, encoded, clause=_SYNTAX)
    return CertId(
        HASHES.get(found.hash_algorithm.algorithm, ""), found.issuer_name_hash, found.issuer_key_hash, found.serial, encoded
    )


def _check_extensions(extensions: Sequence[_Extension] | None) -> None:
    """Section 4.1.2: what is not known is ignored, unless it is critical; RFC 5280 section 4.2: none comes twice."""
    seen: set[x509.ObjectIdentifier] = set()
    for one in extensions or ():
        if one.id in seen:
            raise Refused(Reason.MALFORMED, "RFC 5280 section 4.2", "an extension comes twice", got=one.id.dotted_string)
        seen.add(one.id)
        if one.critical and one.id not in _KNOWN:
            raise Refused(
                Reason.MALFORMED, "RFC 6960 section 4.1.2", "an unknown extension is critical", got=one.id.dotted_string
            )


def _nonce(value: bytes) -> bytes:
    # The codec reads declared types alone: an OCTET STRING is what is inside a SEQUENCE of one.
    nonce = der.decode(_OctetString, der.tlv(_SEQUENCE, value), clause=_NONCE).value
    if not 1 <= len(nonce) <= MAXIMUM_NONCE:
        raise Refused(
            Reason.MALFORMED,
            _NONCE,
            "a nonce of a wrong length",
            expected=f"1 to {MAXIMUM_NONCE} octets",
            got=f"{len(nonce)} octets",
        )
    return nonce


def _malformed(detail: str, *, expected: str, got: str) -> Refused:
    return Refused(Reason.MALFORMED, _SYNTAX, detail, expected=expected, got=got)


@der.sequence
class _SubjectPublicKeyInfo:
    algorithm: der.TLV
    public_key: der.BitString


def issuer_hashes(name: bytes, spki: bytes, hash_name: str) -> tuple[bytes, bytes]:
    """IssuerNameHash and issuerKeyHash of a CertID (section 4.1.1). :param name: the issuer's Name, DER. :param spki: of its key, DER."""
    return hashlib.new(hash_name, name).digest(), hashlib.new(hash_name, _key_octets(spki)).digest()


def _key_octets(spki: bytes) -> bytes:
    """The value of the BIT STRING subjectPublicKey without tag, length and number of unused bits."""
    return der.decode(_SubjectPublicKeyInfo, spki, clause="RFC 5280 section 4.1.2.7").public_key.as_bytes()


GOOD = der.tlv(_CONTEXT | 0)
"""CertStatus good (section 4.2.1)."""
UNKNOWN = der.tlv(_CONTEXT | 2)
"""CertStatus unknown."""


def revoked(at: datetime, reason: int) -> bytes:
    """CertStatus revoked. The reason 0, unspecified, is left out, as in CRLs (RFC 5280 section 5.3.1)."""
    told = der.tlv(_CONSTRUCTED | 0, der.tlv(_ENUMERATED, bytes((reason,)))) if reason else b""
    return der.tlv(_CONSTRUCTED | 1, _time(at), told)


def single_response(
    certificate: bytes, status: bytes, this_update: datetime, next_update: datetime, extensions: Sequence[bytes] = ()
) -> bytes:
    """A SingleResponse. :param certificate: the CertID as received. :param extensions: each as DER."""
    return der.tlv(
        _SEQUENCE,
        certificate,
        status,
        _time(this_update),
        der.tlv(_CONSTRUCTED | 0, _time(next_update)),
        _extensions(_CONSTRUCTED | 1, extensions),
    )


def response_data(responder: bytes, produced: datetime, responses: Sequence[bytes], extensions: Sequence[bytes] = ()) -> bytes:
    """ResponseData, which is what is signed. :param responder: by :func:`responder_by_key` or :func:`responder_by_name`."""
    return der.tlv(
        _SEQUENCE, responder, _time(produced), der.tlv(_SEQUENCE, *responses), _extensions(_CONSTRUCTED | 1, extensions)
    )


def successful(data: bytes, algorithm: bytes, signature: bytes, certificates: Sequence[bytes]) -> bytes:
    """An OCSPResponse that holds a BasicOCSPResponse. :param data: of :func:`response_data`. :param algorithm: AlgorithmIdentifier, DER."""
    basic = der.tlv(
        _SEQUENCE,
        data,
        algorithm,
        der.tlv(_BIT_STRING, b"\x00", signature),
        der.tlv(_CONSTRUCTED | 0, der.tlv(_SEQUENCE, *certificates)),
    )
    response = der.tlv(_SEQUENCE, _BASIC, der.tlv(_OCTET_STRING, basic))
    return der.tlv(_SEQUENCE, _status(ResponseStatus.SUCCESSFUL), der.tlv(_CONSTRUCTED | 0, response))


def unsuccessful(status: ResponseStatus) -> bytes:
    """An OCSPResponse without an answer, and without a signature (section 2.3)."""
    return der.tlv(_SEQUENCE, _status(status))


def responder_by_key(spki: bytes) -> bytes:
    """ResponderID by key: always SHA-1 (section 4.2.1 with errata 6165 to 6167). :param spki: SubjectPublicKeyInfo, DER."""
    return der.tlv(_CONSTRUCTED | 2, der.tlv(_OCTET_STRING, hashlib.sha1(_key_octets(spki), usedforsecurity=False).digest()))


def responder_by_name(name: x509.Name) -> bytes:
    """ResponderID by name."""
    return der.tlv(_CONSTRUCTED | 1, name.public_bytes())


def nonce_extension(nonce: bytes) -> bytes:
    """The nonce of the request, for responseExtensions (RFC 9654 section 2.1)."""
    return der.tlv(_SEQUENCE, _NONCE_OID, der.tlv(_OCTET_STRING, der.tlv(_OCTET_STRING, nonce)))


def archive_cutoff(at: datetime) -> bytes:
    """Section 4.4.4: what expired before ``at`` is no longer answered for; for singleExtensions."""
    return der.tlv(_SEQUENCE, _ARCHIVE_CUTOFF, der.tlv(_OCTET_STRING, _time(at)))


EXTENDED_REVOKE = der.tlv(_SEQUENCE, _EXTENDED_REVOKE, der.tlv(_OCTET_STRING, der.tlv(_NULL)))
"""Section 4.4.8: revoked may also mean that the certificate was never issued; for responseExtensions."""


def _status(status: ResponseStatus) -> bytes:
    return der.tlv(_ENUMERATED, bytes((status,)))


def _extensions(tag: int, extensions: Sequence[bytes]) -> bytes:
    return der.tlv(tag, der.tlv(_SEQUENCE, *extensions)) if extensions else b""


def _time(at: datetime) -> bytes:
    """GeneralizedTime in UTC, whole seconds."""
    at = at.astimezone(UTC)
    octets = b"%04d%02d%02d%02d%02d%02dZ" % (at.year, at.month, at.day, at.hour, at.minute, at.second)
    return der.tlv(_GENERALIZED_TIME, octets)
