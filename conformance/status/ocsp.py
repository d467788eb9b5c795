"""OCSP messages (RFC 6960 section 4): requests written, responses read, both by pyasn1 and independently of any server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import Null, ObjectIdentifier, OctetString
from pyasn1_modules import rfc5280, rfc6960

from conformance import der
from conformance.status.strict import generalized_time

REQUEST_TYPE, RESPONSE_TYPE = "application/ocsp-request", "application/ocsp-response"
BASIC = "1.3.6.1.5.5.7.48.1.1"
NONCE = "1.3.6.1.5.5.7.48.1.2"
CRL_REFERENCE = "1.3.6.1.5.5.7.48.1.3"
ACCEPTABLE = "1.3.6.1.5.5.7.48.1.4"
NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6"
PREFERRED = "1.3.6.1.5.5.7.48.1.8"
EXTENDED_REVOKE = "1.3.6.1.5.5.7.48.1.9"
NOBODY_KNOWS = "1.3.6.1.4.1.32473.1"
"""An extension that no responder can know: below the enterprise number for examples (RFC 5612)."""
HASHES = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}
STATUSES = {
    0: "successful",
    1: "malformedRequest",
    2: "internalError",
    3: "tryLater",
    5: "sigRequired",
    6: "unauthorized",
}
"""OCSPResponseStatus (section 4.2.1); 4 is not used."""
CERTIFICATE_HOLD = 6


class NotOcsp(Exception):
    """Octets are no OCSPResponse, or a part of it cannot be read: which, and why."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA as a CertID names it: its Name and SubjectPublicKeyInfo, both DER."""

    name: bytes
    spki: bytes

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Issuer:
        """The CA whose certificate this is."""
        spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(certificate.subject.public_bytes(), spki)

    @property
    def key(self) -> bytes:
        """The value of the BIT STRING subjectPublicKey without tag, length and number of unused bits."""
        return der.at(der.decode(self.spki), (1,)).octets[1:]

    def key_hash(self) -> bytes:
        """KeyHash (section 4.2.1 with errata 6165 to 6167): always SHA-1."""
        return hashlib.sha1(self.key, usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class CertId:
    """A CertID (section 4.1.1). ``hash_name`` is a key of :data:`HASHES`, or a dotted OID."""

    hash_name: str
    name_hash: bytes
    key_hash: bytes
    serial: int

    @classmethod
    def of(cls, issuer: Issuer, serial: int, hash_name: str = "sha1") -> CertId:
        """The CertID of the certificate with this serial number."""
        return cls(hash_name, hashlib.new(hash_name, issuer.name).digest(), hashlib.new(hash_name, issuer.key).digest(), serial)


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension; ``value`` is what the OCTET STRING extnValue holds."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Single:
    """A SingleResponse. ``state`` is good, revoked or unknown; times are as written, and are read by :func:`generalized_time`."""

    cert_id: CertId
    state: str
    revoked_at: str
    reason: int | None
    this_update: str
    next_update: str | None
    extensions: tuple[Extension, ...]


@dataclass(frozen=True, slots=True)
class Basic:
    """A BasicOCSPResponse. ``signed`` are the octets of ResponseData, ``octets`` those of all; ``certs`` is None if the field is absent.

    ``responder`` is ``name`` with a Name (DER) or ``key`` with a KeyHash.
    """

    octets: bytes
    signed: bytes
    version: int
    responder: tuple[str, bytes]
    produced_at: str
    singles: tuple[Single, ...]
    extensions: tuple[Extension, ...]
    algorithm: str
    parameters: bytes
    signature: bytes
    certs: tuple[bytes, ...] | None

    def extension(self, oid: str) -> Extension | None:
        """The extension of that OID in responseExtensions."""
        return next((one for one in self.extensions if one.oid == oid), None)

    @property
    def produced(self) -> datetime | None:
        """producedAt, if it is written as it should be."""
        return generalized_time(self.produced_at)


@dataclass(frozen=True, slots=True)
class Response:
    """An OCSPResponse: its status, the type of the response and its octets; both empty if responseBytes is absent."""

    status: int
    kind: str
    octets: bytes
    has_bytes: bool

    @property
    def said(self) -> str:
        """The status in words."""
        return STATUSES.get(self.status, f"status {self.status}")

    def basic(self) -> Basic:
        """What the basic response says. :raises NotOcsp: if it is none."""
        if self.kind != BASIC:
            raise NotOcsp(f"the response type is {self.kind or 'absent'}, not id-pkix-ocsp-basic")
        try:
            return _basic(self.octets)
        except (PyAsn1Error, der.DerError) as error:
            raise NotOcsp(f"no BasicOCSPResponse: {str(error)[:200]}") from None


def response(octets: bytes) -> Response:
    """An OCSPResponse. :raises NotOcsp: for anything else, octets behind it included."""
    try:
        found, rest = decoder.decode(octets, asn1Spec=rfc6960.OCSPResponse())
    except PyAsn1Error as error:
        raise NotOcsp(f"no OCSPResponse: {str(error)[:200]}") from None
    if rest:
        raise NotOcsp(f"{len(rest)} octets follow the OCSPResponse")
    body = found["responseBytes"]
    if not body.hasValue():
        return Response(int(found["responseStatus"]), "", b"", has_bytes=False)
    return Response(int(found["responseStatus"]), str(body["responseType"]), bytes(body["response"]), has_bytes=True)


def _basic(octets: bytes) -> Basic:
    found, rest = decoder.decode(octets, asn1Spec=rfc6960.BasicOCSPResponse())
    if rest:
        raise der.DerError(f"{len(rest)} octets follow it")
    data = found["tbsResponseData"]
    responder = data["responderID"]
    named = responder.getName() == "byName"
    value = encoder.encode(responder["byName"][0]) if named else bytes(responder["byKey"])
    certs = found["certs"]
    return Basic(
        octets,
        der.encode(der.at(der.decode(octets), (0,))),
        int(data["version"]),
        ("name" if named else "key", value),
        str(data["producedAt"]),
        tuple(_single(one) for one in data["responses"]),
        extensions(data["responseExtensions"]),
        str(found["signatureAlgorithm"]["algorithm"]),
        _optional(found["signatureAlgorithm"]["parameters"]),
        found["signature"].asOctets(),
        tuple(encoder.encode(one) for one in certs) if certs.isValue else None,
    )


def _single(one: Any) -> Single:
    state = one["certStatus"].getName()
    revoked = one["certStatus"]["revoked"] if state == "revoked" else None
    reason = revoked["revocationReason"] if revoked is not None else None
    hash_oid = str(one["certID"]["hashAlgorithm"]["algorithm"])
    hash_name = next((name for name, oid in HASHES.items() if oid == hash_oid), hash_oid)
    asked = one["certID"]
    return Single(
        CertId(hash_name, bytes(asked["issuerNameHash"]), bytes(asked["issuerKeyHash"]), int(asked["serialNumber"])),
        state,
        str(revoked["revocationTime"]) if revoked is not None else "",
        int(reason) if reason is not None and reason.hasValue() else None,
        str(one["thisUpdate"]),
        str(one["nextUpdate"]) if one["nextUpdate"].hasValue() else None,
        extensions(one["singleExtensions"]),
    )


def extensions(found: Any) -> tuple[Extension, ...]:
    """Extensions as pyasn1 reads them; none if they are absent."""
    if not found.isValue:
        return ()
    return tuple(Extension(str(one["extnID"]), bool(one["critical"]), bytes(one["extnValue"])) for one in found)


def _optional(value: Any) -> bytes:
    return bytes(value) if value.hasValue() else b""


# -- requests -------------------------------------------------------------------------------------------------------------


def nonce_extension(nonce: bytes) -> Extension:
    """The nonce, encoded as RFC 9654 section 2.1 wants it."""
    return Extension(NONCE, False, encoder.encode(OctetString(nonce)))


def request(
    cert_ids: Iterable[CertId],
    *,
    carried: Iterable[Extension] = (),
    single: Iterable[Extension] = (),
    requestor: x509.Name | None = None,
) -> bytes:
    """An OCSPRequest, DER.

    :param carried: requestExtensions. :param single: singleRequestExtensions of each certificate. :param requestor: requestorName.
    """
    made = rfc6960.OCSPRequest()
    tbs = made["tbsRequest"]
    if requestor is not None:
        name, _ = decoder.decode(requestor.public_bytes(), asn1Spec=rfc5280.Name())
        tbs["requestorName"]["directoryName"][0] = name[0]
    for number, cert_id in enumerate(cert_ids):
        one = tbs["requestList"][number]
        asked = one["reqCert"]
        asked["hashAlgorithm"]["algorithm"] = ObjectIdentifier(HASHES[cert_id.hash_name])
        asked["hashAlgorithm"]["parameters"] = encoder.encode(Null(""))
        asked["issuerNameHash"] = cert_id.name_hash
        asked["issuerKeyHash"] = cert_id.key_hash
        asked["serialNumber"] = cert_id.serial
        _write(one["singleRequestExtensions"], single)
    _write(tbs["requestExtensions"], carried)
    octets: bytes = encoder.encode(made)
    return octets


def _write(field: Any, carried: Iterable[Extension]) -> None:
    for number, one in enumerate(carried):
        field[number]["extnID"] = ObjectIdentifier(one.oid)
        field[number]["critical"] = one.critical
        field[number]["extnValue"] = one.value
