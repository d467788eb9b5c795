"""Full PKI requests and responses of CMC (RFC 5272 sections 3.2 and 4.2), as far as EST's ``/fullcmc`` needs them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pyasn1_modules import rfc5280, rfc5652, rfc6402

from conformance import der
from conformance.est import csr
from conformance.est.connections import Enrolled
from conformance.est.replies import SIGNED_DATA, Unreadable, elements, identifier, signed_data

PKI_DATA, PKI_RESPONSE = "1.3.6.1.5.5.7.12.2", "1.3.6.1.5.5.7.12.3"
TRANSACTION_ID, SENDER_NONCE, REVOKE_REQUEST, STATUS_INFO, STATUS_INFO_V2 = (
    f"1.3.6.1.5.5.7.7.{last}" for last in (5, 6, 17, 1, 25)
)
SUCCESS = 0
FAILURES = (
    *("badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId", "unsupportedExt", "mustArchiveKeys", "badIdentity"),
    *("popRequired", "popFailed", "noKeyReuse", "internalCAError", "tryLater", "authDataFail"),
)
_SHA256 = "2.16.840.1.101.3.4.2.1"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_DIGESTS = {_SHA256: hashes.SHA256(), "2.16.840.1.101.3.4.2.2": hashes.SHA384(), "2.16.840.1.101.3.4.2.3": hashes.SHA512()}
_REQUEST_BODY = 1
_CESSATION_OF_OPERATION = 5


def full_request(request: bytes, key: csr.PrivateKey) -> bytes:
    """A Full PKI Request (ContentInfo, DER) with one PKCS #10 request, signed with the request's own key (section 3.2): the request has its
    subject key identifier as an extension."""
    tagged = _constructed(b"\xa0", _encoded(univ.Integer(_REQUEST_BODY)), request)
    controls = [
        _control(2, TRANSACTION_ID, _encoded(univ.Integer(secrets.randbits(31)))),
        _control(3, SENDER_NONCE, _encoded(univ.OctetString(secrets.token_bytes(16)))),
    ]
    empty = _constructed(b"\x30")
    data = _constructed(b"\x30", _constructed(b"\x30", *controls), _constructed(b"\x30", tagged), empty, empty)
    return signed(data, key)


def revocation(enrolled: Enrolled) -> bytes:
    """A Full PKI Request that revokes a certificate, signed by it (section 6.11); the reason is cessationOfOperation."""
    names = enrolled.certificate.issuer.public_bytes()
    serial = _encoded(univ.Integer(enrolled.certificate.serial_number))
    request = _constructed(b"\x30", names, serial, _encoded(univ.Enumerated(_CESSATION_OF_OPERATION)))
    controls = [
        _control(1, REVOKE_REQUEST, request),
        _control(2, TRANSACTION_ID, _encoded(univ.Integer(secrets.randbits(31)))),
        _control(3, SENDER_NONCE, _encoded(univ.OctetString(secrets.token_bytes(16)))),
    ]
    empty = _constructed(b"\x30")
    data = _constructed(b"\x30", _constructed(b"\x30", *controls), empty, empty, empty)
    return signed(data, enrolled.key, enrolled.certificate)


def signed(content: bytes, key: csr.PrivateKey, certificate: x509.Certificate | None = None) -> bytes:
    """PKIData in a SignedData (RFC 5652 section 5) whose signer is named by its certificate, which is in it, or by the identifier of its
    key."""
    made = rfc5652.SignedData()
    made["version"] = 3
    algorithm = rfc5652.DigestAlgorithmIdentifier()
    algorithm["algorithm"] = _SHA256
    made["digestAlgorithms"].append(algorithm)
    made["encapContentInfo"]["eContentType"] = PKI_DATA
    made["encapContentInfo"]["eContent"] = content
    signer = rfc5652.SignerInfo()
    if certificate is None:
        signer["version"] = 3
        signer["sid"]["subjectKeyIdentifier"] = key_identifier(key)
    else:
        read, _ = decoder.decode(certificate.public_bytes(Encoding.DER), asn1Spec=rfc5280.Certificate())
        made["certificates"].append(rfc5652.CertificateChoices())
        made["certificates"][0]["certificate"] = read
        signer["version"] = 1
        signer["sid"]["issuerAndSerialNumber"]["issuer"] = read["tbsCertificate"]["issuer"]
        signer["sid"]["issuerAndSerialNumber"]["serialNumber"] = read["tbsCertificate"]["serialNumber"]
    signer["digestAlgorithm"] = algorithm
    for oid, value in (
        (_CONTENT_TYPE, univ.ObjectIdentifier(PKI_DATA)),
        (_MESSAGE_DIGEST, univ.OctetString(hashlib.sha256(content).digest())),
    ):
        attribute = rfc5652.Attribute()
        attribute["attrType"] = oid
        attribute["attrValues"].append(univ.Any(encoder.encode(value)))
        signer["signedAttrs"].append(attribute)
    # The signature is over a SET, whatever tag the field has (RFC 5652 section 5.4).
    identifier, signature = csr.sign(key, b"\x31" + _encoded(signer["signedAttrs"])[1:])
    signer["signatureAlgorithm"] = rfc5652.SignatureAlgorithmIdentifier()
    signer["signatureAlgorithm"]["algorithm"] = identifier["algorithm"]
    if identifier["parameters"].isValue:
        signer["signatureAlgorithm"]["parameters"] = identifier["parameters"]
    signer["signature"] = signature
    made["signerInfos"].append(signer)
    info = rfc5652.ContentInfo()
    info["contentType"] = SIGNED_DATA
    info["content"] = univ.Any(encoder.encode(made))
    return _encoded(info)


def key_identifier(key: csr.PrivateKey) -> bytes:
    """RFC 5280 section 4.2.1.2, the first method."""
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest


def badly_signed(message: bytes) -> bytes:
    """The same message with the last octet of its signature changed: it is the last of the message."""
    return message[:-1] + bytes([message[-1] ^ 1])


def _control(body: int, oid: str, value: bytes) -> bytes:
    return _constructed(b"\x30", _encoded(univ.Integer(body)), _encoded(univ.ObjectIdentifier(oid)), _constructed(b"\x31", value))


def _constructed(tag: bytes, *parts: bytes) -> bytes:
    return der.encode(der.Value(tag, tuple(der.Value(b"", part) for part in parts)))


def _encoded(value: Any) -> bytes:
    return bytes(encoder.encode(value))


@dataclass(frozen=True, slots=True)
class Status:
    """CMCStatusInfoV2: ``failure`` is a number of CMCFailInfo, None where there is none."""

    status: int
    failure: int | None


@dataclass(frozen=True, slots=True)
class PkiResponse:
    """A PKI response; ``statuses`` are none for a simple one, which only grants."""

    statuses: tuple[Status, ...]
    certificates: tuple[bytes, ...]

    @property
    def failures(self) -> list[str]:
        """Names of what failed."""
        return [FAILURES[one.failure] for one in self.statuses if one.failure is not None and one.failure < len(FAILURES)]


def response(octets: bytes) -> PkiResponse:
    """A simple or full PKI response; the signature of a full one is verified. :raises Unreadable:"""
    found = signed_data(octets)
    if not found.signers and found.content is None:
        return PkiResponse((), found.certificates)
    if found.content_type != PKI_RESPONSE or found.content is None:
        raise Unreadable(f"no PKIResponse but {found.content_type}")
    if not found.signers:
        raise Unreadable("a full PKI response without a signer")
    _verify(found.signers[0], found.content, found.certificates)
    try:
        body, rest = decoder.decode(found.content, asn1Spec=rfc6402.PKIResponse())
    except PyAsn1Error as error:
        raise Unreadable(f"no PKIResponse: {error}"[:200]) from None
    if rest:
        raise Unreadable("there is something behind the PKIResponse")
    statuses = [
        _status(bytes(value))
        for control in body["controlSequence"]
        if str(control["attrType"]) in (STATUS_INFO, STATUS_INFO_V2)
        for value in control["attrValues"]
    ]
    return PkiResponse(tuple(statuses), found.certificates)


def _status(value: bytes) -> Status:
    """CMCStatusInfo or its second version; the module of RFC 5272 has them ambiguous (erratum 6571), so they are read by tags."""
    parts = [der.decode(one) for one in elements(value, 0x30)]
    numbers = [int.from_bytes(one.octets, "big") for one in parts if one.identifier == b"\x02"]
    if not numbers:
        raise Unreadable("a status control without a status")
    return Status(numbers[0], numbers[1] if len(numbers) > 1 else None)


def _verify(signer: Any, content: bytes, certificates: tuple[bytes, ...]) -> None:
    digest = _DIGESTS.get(str(signer["digestAlgorithm"]["algorithm"]))
    if digest is None:
        raise Unreadable(f"a digest that is not expected: {signer['digestAlgorithm']['algorithm']}")
    attributes = {str(one["attrType"]): bytes(one["attrValues"][0]) for one in signer["signedAttrs"]}
    hashed = hashlib.new(digest.name, content).digest()
    if attributes.get(_MESSAGE_DIGEST) != _encoded(univ.OctetString(hashed)):
        raise Unreadable("the message digest of the response is another one")
    if identifier(attributes.get(_CONTENT_TYPE, b"")) != PKI_RESPONSE:
        raise Unreadable("the signed content type of the response is another one")
    message = b"\x31" + _encoded(signer["signedAttrs"])[1:]
    for octets in certificates:
        certificate = x509.load_der_x509_certificate(octets)
        key = certificate.public_key()
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(bytes(signer["signature"]), message, ec.ECDSA(digest))
            elif isinstance(key, rsa.RSAPublicKey):
                key.verify(bytes(signer["signature"]), message, padding.PKCS1v15(), digest)
            else:
                continue
        except InvalidSignature:
            continue
        return
    raise Unreadable("no certificate in the response has signed it")
