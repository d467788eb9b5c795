"""A CMC client (RFC 5272, 6402) on pyasn1 and cryptography's primitives: it shares no codec with the server.

It makes requests, right or wrong in one place, and reads responses: signatures verified, statuses and certificates taken out.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import char, namedtype, tag, univ, useful
from pyasn1_modules import rfc2986, rfc4211, rfc5280, rfc5652, rfc6402

SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
DIGESTS = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "md5": "1.2.840.113549.2.5",
}
MACS = {
    "sha1": "1.3.6.1.5.5.8.1.2",
    "sha256": "1.2.840.113549.2.9",
    "sha384": "1.2.840.113549.2.10",
    "sha512": "1.2.840.113549.2.11",
}
STATUSES = {0: "success", 2: "failed", 3: "pending", 4: "noSupport", 5: "confirmRequired", 6: "popRequired", 7: "partial"}
FAILURES = (
    *("badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId", "unsupportedExt", "mustArchiveKeys", "badIdentity"),
    *("popRequired", "popFailed", "noKeyReuse", "internalCAError", "tryLater", "authDataFail"),
)


class StatusInfoV2(univ.Sequence):  # type: ignore[misc]
    """The type with the tag of erratum 6571, without which pyasn1's own cannot tell pendInfo from extendedFailInfo."""

    componentType = namedtype.NamedTypes(
        namedtype.NamedType("cMCStatus", univ.Integer()),
        namedtype.NamedType("bodyList", univ.SequenceOf(componentType=rfc6402.BodyPartReference())),
        namedtype.OptionalNamedType("statusString", char.UTF8String()),
        namedtype.OptionalNamedType(
            "otherInfo",
            univ.Choice(
                componentType=namedtype.NamedTypes(
                    namedtype.NamedType("failInfo", univ.Integer()),
                    namedtype.NamedType("pendInfo", rfc6402.PendInfo()),
                    namedtype.NamedType(
                        "extendedFailInfo",
                        univ.Sequence().subtype(implicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 1)),
                    ),
                )
            ),
        ),
    )


def tlv(identifier: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    if len(content) < 128:
        return bytes([identifier, len(content)]) + content
    size = len(content).to_bytes(4, "big").lstrip(b"\0")
    return bytes([identifier, 0x80 | len(size)]) + size + content


def retagged(identifier: int, der: bytes) -> bytes:
    """The same contents under another identifier octet."""
    return bytes([identifier]) + der[1:]


def sequence(*elements: bytes) -> bytes:
    return tlv(0x30, *elements)


def elements(der: bytes) -> list[bytes]:
    """What is directly inside a SEQUENCE."""
    found, rest = decoder.decode(der, asn1Spec=univ.SequenceOf(componentType=univ.Any()))
    assert not rest
    return [bytes(one) for one in found]


def oid(text: str) -> bytes:
    return bytes(encoder.encode(univ.ObjectIdentifier(text)))


def integer(value: int) -> bytes:
    return bytes(encoder.encode(univ.Integer(value)))


def octets(value: bytes) -> bytes:
    return bytes(encoder.encode(univ.OctetString(value)))


def text(value: str) -> bytes:
    return bytes(encoder.encode(char.UTF8String(value)))


def time(at: datetime) -> bytes:
    return bytes(encoder.encode(useful.GeneralizedTime(at.strftime("%Y%m%d%H%M%SZ"))))


def algorithm(identifier: str, parameters: bytes = b"") -> bytes:
    return sequence(oid(identifier), parameters)


def new_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def spki(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def key_id(key: Any) -> bytes:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest


def sign(key: Any, message: bytes) -> tuple[bytes, bytes]:
    """Algorithm identifier (DER) and signature."""
    if isinstance(key, rsa.RSAPrivateKey):
        return algorithm("1.2.840.113549.1.1.11", b"\x05\x00"), key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return algorithm("1.2.840.10045.4.3.2"), key.sign(message, ec.ECDSA(hashes.SHA256()))
    return algorithm("1.3.101.112"), key.sign(message)


def name(**attributes: str) -> bytes:
    oids = {"CN": x509.NameOID.COMMON_NAME, "O": x509.NameOID.ORGANIZATION_NAME, "OU": x509.NameOID.ORGANIZATIONAL_UNIT_NAME}
    return x509.Name([x509.NameAttribute(oids[short], value) for short, value in attributes.items()]).public_bytes()


def extension(value: x509.ExtensionType, *, critical: bool = False) -> bytes:
    made = rfc5280.Extension()
    made["extnID"], made["critical"] = value.oid.dotted_string, critical
    made["extnValue"] = value.public_bytes()
    return bytes(encoder.encode(made))


def alternative_names(*names: str) -> bytes:
    """GeneralNames of DNS names."""
    return x509.SubjectAlternativeName([x509.DNSName(one) for one in names]).public_bytes()


def extensions_for(key: Any, names: Sequence[str], *, ski: bool = True, more: Sequence[bytes] = ()) -> list[bytes]:
    found = [extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]))] if names else []
    return [*found, *([extension(x509.SubjectKeyIdentifier(key_id(key)))] if ski else []), *more]


def attribute(identifier: str, *values: bytes) -> bytes:
    return sequence(oid(identifier), tlv(0x31, *values))


def csr(
    key: Any,
    subject: bytes = b"\x30\x00",
    names: Sequence[str] = (),
    *,
    ski: bool = True,
    attributes: Sequence[bytes] = (),
    more: Sequence[bytes] = (),
    signer: Any = None,
) -> bytes:
    """A PKCS #10 request; ``signer`` is another key for a signature that proves nothing."""
    extensions = extensions_for(key, names, ski=ski, more=more)
    asked = [attribute(EXTENSION_REQUEST, sequence(*extensions))] if extensions else []
    info = sequence(integer(0), subject, spki(key), tlv(0xA0, *sorted([*asked, *attributes])))
    decoder.decode(info, asn1Spec=rfc2986.CertificationRequestInfo())
    identifier, signature = sign(signer or key, info)
    return sequence(info, identifier, tlv(0x03, b"\0", signature))


def crmf(
    body: int,
    key: Any,
    subject: bytes | None = b"\x30\x00",
    names: Sequence[str] = (),
    *,
    ski: bool = True,
    pop: str = "signature",
    controls: Sequence[bytes] = (),
    more: Sequence[bytes] = (),
    signer: Any = None,
    registration: bytes = b"",
) -> bytes:
    """A CertReqMsg (RFC 4211). ``pop`` is ``signature``, ``raVerified``, ``none`` or ``subsequent`` (keyEncipherment)."""
    template = [] if subject is None else [tlv(0xA5, subject)]
    template.append(retagged(0xA6, spki(key)))
    extensions = extensions_for(key, names, ski=ski, more=more)
    if extensions:
        template.append(tlv(0xA9, *extensions))
    request = sequence(integer(body), sequence(*template), *([sequence(*controls)] if controls else []))
    proof = b""
    if pop == "signature":
        identifier, signature = sign(signer or key, request)
        proof = tlv(0xA1, identifier, tlv(0x03, b"\0", signature))
    elif pop == "raVerified":
        proof = b"\x80\x00"
    elif pop == "subsequent":
        proof = tlv(0xA2, b"\x81\x01\x01")
    message = sequence(request, proof, registration)
    decoder.decode(message, asn1Spec=rfc4211.CertReqMsg())
    return message


def tcr(body: int, request: bytes) -> bytes:
    return retagged(0xA0, sequence(integer(body), request))


def crm(message: bytes) -> bytes:
    return retagged(0xA1, message)


def orm(body: int) -> bytes:
    return retagged(0xA2, sequence(integer(body), oid("1.3.6.1.4.1.99999.1"), b"\x05\x00"))


def control(body: int, identifier: object, *values: bytes) -> bytes:
    """``identifier`` is a number of the arc id-cmc, or a whole identifier."""
    dotted = identifier if isinstance(identifier, str) else f"1.3.6.1.5.5.7.7.{identifier}"
    return sequence(integer(body), oid(dotted), tlv(0x31, *values))


def content(body: int, message: bytes) -> bytes:
    return sequence(integer(body), message)


def pki_data(
    controls: Sequence[bytes] = (), requests: Sequence[bytes] = (), contents: Sequence[bytes] = (), others: Sequence[bytes] = ()
) -> bytes:
    return sequence(sequence(*controls), sequence(*requests), sequence(*contents), sequence(*others))


def identity_proof(
    body: int, requests: Sequence[bytes], secret: str, identification: str = "", *, hashed: str = "sha256", mac: str = "sha256"
) -> bytes:
    """Identity Proof Version 2 (section 6.2.1) over the reqSequence that these requests make."""
    key = hashlib.new(hashed, (secret + identification).encode()).digest()
    witness = hmac.digest(key, sequence(*requests), mac)
    value = sequence(algorithm(DIGESTS[hashed]), algorithm(MACS[mac]), octets(witness))
    decoder.decode(value, asn1Spec=rfc6402.IdentifyProofV2())
    return control(body, 34, value)


def identity_proof_v1(body: int, requests: Sequence[bytes], secret: str, identification: str = "") -> bytes:
    key = hashlib.sha1((secret + identification).encode()).digest()
    return control(body, 3, octets(hmac.digest(key, sequence(*requests), "sha1")))


def pop_link_witness(secret: str, random: bytes, *, hashed: str = "sha256", mac: str = "sha256") -> bytes:
    """The value of a POP Link Witness Version 2 (section 6.3.1.1)."""
    key = hashlib.new(hashed, secret.encode()).digest()
    return sequence(algorithm(DIGESTS[hashed]), algorithm(MACS[mac]), octets(hmac.digest(key, random, mac)))


def revoke_request(
    issuer: bytes, serial: int, reason: int = 4, *, secret: bytes | None = None, at: datetime | None = None
) -> bytes:
    value = sequence(
        issuer,
        integer(serial),
        b"\x0a\x01" + bytes([reason]),
        *([time(at)] if at else []),
        *([octets(secret)] if secret is not None else []),
        text("no longer used"),
    )
    decoder.decode(value, asn1Spec=rfc6402.RevokeRequest())
    return value


def signed(
    data: bytes,
    signers: Sequence[Signer] = (),
    certificates: Sequence[bytes] = (),
    *,
    content_type: str = "1.3.6.1.5.5.7.12.2",
    attributes: bool = True,
) -> bytes:
    """A SignedData (RFC 5652 section 5) in its ContentInfo."""
    version = 3
    infos = [signer.info(data, content_type, attributes=attributes) for signer in signers]
    body = sequence(
        integer(version),
        tlv(0x31, *([algorithm(DIGESTS["sha256"])] if signers else [])),
        sequence(oid(content_type), tlv(0xA0, octets(data))),
        *([tlv(0xA0, *certificates)] if certificates else []),
        tlv(0x31, *infos),
    )
    decoder.decode(body, asn1Spec=rfc5652.SignedData())
    return sequence(oid(SIGNED_DATA), tlv(0xA0, body))


@dataclass
class Signer:
    """Who signs: by the certificate, or by the key identifier alone. ``spoil`` breaks one part."""

    key: Any
    certificate: bytes | None = None
    key_identifier: bytes | None = None
    spoil: str = ""

    def info(self, data: bytes, content_type: str, *, attributes: bool = True) -> bytes:
        if self.key_identifier is not None or self.certificate is None:
            version, who = 3, tlv(0x80, self.key_identifier or key_id(self.key))
        else:
            loaded = x509.load_der_x509_certificate(self.certificate)
            version, who = 1, sequence(loaded.issuer.public_bytes(), integer(loaded.serial_number))
        digest = hashlib.sha256(data + (b"x" if self.spoil == "digest" else b"")).digest()
        named = "1.2.840.113549.1.7.1" if self.spoil == "content type" else content_type
        parts = sorted([attribute(CONTENT_TYPE, oid(named)), attribute(MESSAGE_DIGEST, octets(digest))])
        identifier, signature = sign(self.key, tlv(0x31, *parts) if attributes else data)
        if self.spoil == "signature":
            signature = sign(new_key(), tlv(0x31, *parts))[1]
        return sequence(
            integer(version),
            who,
            algorithm(DIGESTS["sha256"]),
            retagged(0xA0, tlv(0x31, *parts)) if attributes else b"",
            identifier,
            octets(signature),
        )


@dataclass
class Status:
    """One CMCStatusInfoV2."""

    status: str
    bodies: list[int]
    text: str = ""
    failure: str = ""
    token: bytes = b""
    time: datetime | None = None


@dataclass
class Response:
    """What a PKI Response says; ``full`` tells which kind it is. ``controls`` are the values (DER) by number of the arc id-cmc."""

    full: bool
    certificates: list[x509.Certificate]
    crls: list[bytes] = field(default_factory=list)
    signer: x509.Certificate | None = None
    statuses: list[Status] = field(default_factory=list)
    controls: dict[int, list[bytes]] = field(default_factory=dict)
    inside: dict[int, Response] = field(default_factory=dict)

    def certificate_for(self, key: Any) -> x509.Certificate | None:
        return next((one for one in self.certificates if one.public_key() == key.public_key()), None)

    def status_of(self, body: int) -> Status:
        (found,) = [status for status in self.statuses if body in status.bodies]
        return found


def read(message: bytes) -> Response:
    """A PKI Response; the signature of a full one is verified."""
    info, rest = decoder.decode(message, asn1Spec=rfc5652.ContentInfo())
    assert not rest
    assert str(info["contentType"]) == SIGNED_DATA
    data, rest = decoder.decode(info["content"], asn1Spec=rfc5652.SignedData())
    assert not rest
    certificates = [x509.load_der_x509_certificate(encoder.encode(choice["certificate"])) for choice in data["certificates"]]
    crls = [encoder.encode(choice["crl"]) for choice in data["crls"]] if data["crls"].isValue else []
    if not len(data["signerInfos"]):
        assert not data["encapContentInfo"]["eContent"].isValue
        return Response(False, certificates, crls)
    assert str(data["encapContentInfo"]["eContentType"]) == "1.3.6.1.5.5.7.12.3"
    encapsulated = bytes(data["encapContentInfo"]["eContent"])
    signer = _verify(data["signerInfos"][0], encapsulated, certificates)
    response, rest = decoder.decode(encapsulated, asn1Spec=rfc6402.PKIResponse())
    assert not rest
    assert encoder.encode(response) == encapsulated
    found = Response(True, certificates, crls, signer)
    bodies = []
    for item in response["controlSequence"]:
        bodies.append(int(item["bodyPartID"]))
        number = int(str(item["attrType"]).rpartition(".")[2])
        (value,) = item["attrValues"]
        found.controls.setdefault(number, []).append(bytes(value))
        if number == 25:
            found.statuses.append(_status(bytes(value)))
    for item in response["cmsSequence"]:
        bodies.append(int(item["bodyPartID"]))
        found.inside[bodies[-1]] = read(encoder.encode(item["contentInfo"]))
    assert len(set(bodies)) == len(bodies)
    assert 0 not in bodies
    return found


def _verify(info: Any, encapsulated: bytes, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    attributes = {str(item["attrType"]): bytes(item["attrValues"][0]) for item in info["signedAttrs"]}
    assert attributes[CONTENT_TYPE] == oid("1.3.6.1.5.5.7.12.3")
    digest = {identifier: hashed for hashed, identifier in DIGESTS.items()}[str(info["digestAlgorithm"]["algorithm"])]
    assert attributes[MESSAGE_DIGEST] == octets(hashlib.new(digest, encapsulated).digest())
    issuer_and_serial = info["sid"]["issuerAndSerialNumber"]
    signed_by = [
        one
        for one in certificates
        if (
            info["sid"].getName() == "issuerAndSerialNumber"
            and one.serial_number == int(issuer_and_serial["serialNumber"])
            and one.issuer.public_bytes() == encoder.encode(issuer_and_serial["issuer"])
        )
        or (
            info["sid"].getName() == "subjectKeyIdentifier"
            and one.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
            == bytes(info["sid"]["subjectKeyIdentifier"])
        )
    ]
    key: Any = signed_by[0].public_key()
    signature, message = bytes(info["signature"]), retagged(0x31, encoder.encode(info["signedAttrs"]))
    hashed = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[digest]
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, message, ec.ECDSA(hashed))
    else:
        key.verify(signature, message, padding.PKCS1v15(), hashed)
    return signed_by[0]


def _status(value: bytes) -> Status:
    info, rest = decoder.decode(value, asn1Spec=StatusInfoV2())
    assert not rest
    found = Status(
        STATUSES[int(info["cMCStatus"])],
        [int(reference["bodyPartID"]) for reference in info["bodyList"]],
        str(info["statusString"]) if info["statusString"].isValue else "",
    )
    if info["otherInfo"].isValue:
        if info["otherInfo"].getName() == "failInfo":
            found.failure = FAILURES[int(info["otherInfo"]["failInfo"])]
        else:
            pending = info["otherInfo"]["pendInfo"]
            found.token = bytes(pending["pendToken"])
            found.time = datetime.strptime(str(pending["pendTime"]), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return found
