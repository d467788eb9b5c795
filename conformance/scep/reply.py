"""Replies as the examiner reads them: CertRep (RFC 8894 section 3.3.2), what is in its envelope, certificates-only messages (section 3.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyasn1.codec.der import decoder
from pyasn1.error import PyAsn1Error

from conformance.scep import structures
from conformance.scep.algorithms import CIPHERS, DIGESTS, ECDSA, RSA_ENCRYPTION, SIGNATURES, cipher_name, digest, digest_name
from conformance.scep.applicants import Signer
from conformance.scep.draft import (
    CONTENT_TYPE,
    FAIL_INFO,
    FAIL_INFO_TEXT,
    MESSAGE_DIGEST,
    MESSAGE_TYPE,
    PKI_STATUS,
    RECIPIENT_NONCE,
    SENDER_NONCE,
    TRANSACTION_ID,
)
from conformance.scep.structures import DATA, ENVELOPED_DATA, SIGNED_DATA, Malformed, content_of, decode, encode

STATUSES = {"0": "SUCCESS", "2": "FAILURE", "3": "PENDING"}
FAIL_INFOS = {"0": "badAlg", "1": "badMessageCheck", "2": "badRequest", "3": "badTime", "4": "badCertId"}


@dataclass(frozen=True, slots=True)
class Signed:
    """A SignedData with one signer or none, not yet verified. ``attributes`` are DER of values by OID; ``signed`` is what is signed."""

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    digest: str
    algorithm: str
    identifier: bytes
    attributes: dict[str, tuple[bytes, ...]]
    signed: bytes
    signature: bytes
    signers: int

    def wrong(self, trusted: Iterable[bytes]) -> str:
        """Why the signature does not hold under one of these certificates; empty if it does (RFC 5652 section 5.6)."""
        named = [one for one in trusted if self._names(one)]
        if not named:
            return "the signer is none of the certificates that GetCACert shows"
        key = x509.load_der_x509_certificate(named[0]).public_key()
        if self.digest not in DIGESTS or not self._fits(key):
            return f"the signature is made with {self.algorithm} over {self.digest}"
        if self.attributes.get(CONTENT_TYPE) != (structures.oid(self.content_type),):
            return "the signed contentType is not the one of the content (RFC 5652 section 11.1)"
        if self.attributes.get(MESSAGE_DIGEST) != (structures.octet_string(digest(self.digest, self.content or b"")),):
            return "the signed messageDigest is not the one of the content (RFC 5652 section 11.2)"
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(self.signature, self.signed, padding.PKCS1v15(), DIGESTS[self.digest][1])
            elif isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(self.signature, self.signed, ec.ECDSA(DIGESTS[self.digest][1]))
        except (InvalidSignature, UnsupportedAlgorithm):
            return "the signature does not verify"
        return ""

    def _fits(self, key: object) -> bool:
        """Whether the signature algorithm is one of this key and digest."""
        if isinstance(key, rsa.RSAPublicKey):
            return SIGNATURES.get(self.algorithm) in ("", self.digest)
        return isinstance(key, ec.EllipticCurvePublicKey) and ECDSA.get(self.digest) == self.algorithm

    def _names(self, certificate: bytes) -> bool:
        """Whether a certificate is the signer's, by issuer and serial number or by its key identifier."""
        try:
            if self.identifier[:1] == b"\x80":
                found = x509.load_der_x509_certificate(certificate).extensions
                digest = found.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
                return digest == structures.value_of(self.identifier)
            return structures.issuer_and_serial(certificate) == self.identifier
        except (Malformed, x509.ExtensionNotFound, ValueError):
            return False


def read_signed(octets: bytes) -> Signed:
    """A SignedData in a ContentInfo. :raises Malformed: if it is none, or has several signers."""
    signed = content_of(octets, SIGNED_DATA, structures.SignedData(), "SignedData")
    encapsulated = signed["encapContentInfo"]
    infos = signed["signerInfos"]
    if len(infos) > 1:
        raise Malformed(f"{len(infos)} signers")
    signer = infos[0] if len(infos) else None
    attributes: dict[str, tuple[bytes, ...]] = {}
    parts = [bytes(one) for one in signer["signedAttrs"]] if signer is not None and signer["signedAttrs"].isValue else []
    for part in parts:
        one = decode(part, structures.Attribute(), "Attribute")
        if str(one["type"]) in attributes:
            raise Malformed(f"the attribute {one['type']} is there twice (RFC 5652 section 11)")
        attributes[str(one["type"])] = tuple(bytes(value) for value in one["values"])
    in_order = structures.Octets()
    in_order.extend(parts)
    return Signed(
        content_type=str(encapsulated["eContentType"]),
        content=bytes(encapsulated["eContent"]) if encapsulated["eContent"].isValue else None,
        certificates=tuple(bytes(one) for one in signed["certificates"]) if signed["certificates"].isValue else (),
        crls=tuple(bytes(one) for one in signed["crls"]) if signed["crls"].isValue else (),
        digest=digest_name(str(signer["digestAlgorithm"]["algorithm"])) if signer is not None else "",
        algorithm=str(signer["signatureAlgorithm"]["algorithm"]) if signer is not None else "",
        identifier=bytes(signer["sid"]) if signer is not None else b"",
        attributes=attributes,
        signed=encode(in_order) if parts else b"",
        signature=bytes(signer["signature"]) if signer is not None else b"",
        signers=len(infos),
    )


@dataclass(frozen=True, slots=True)
class CertRep:
    """A reply to a PKIOperation, with what its signed attributes say; what is absent or no text of its kind is empty."""

    signed: Signed

    @property
    def message_type(self) -> str:
        """The number of the messageType."""
        return self._text(MESSAGE_TYPE)

    @property
    def status(self) -> str:
        """SUCCESS, FAILURE or PENDING; else what is there."""
        return STATUSES.get(self._text(PKI_STATUS), self._text(PKI_STATUS))

    @property
    def fail_info(self) -> str:
        """badAlg, badMessageCheck, badRequest, badTime or badCertId; else what is there."""
        return FAIL_INFOS.get(self._text(FAIL_INFO), self._text(FAIL_INFO))

    @property
    def text(self) -> str:
        """The failInfoText."""
        return self._text(FAIL_INFO_TEXT)

    @property
    def transaction_id(self) -> str:
        """The transactionID."""
        return self._text(TRANSACTION_ID)

    @property
    def sender_nonce(self) -> bytes:
        """The senderNonce."""
        return self._octets(SENDER_NONCE)

    @property
    def recipient_nonce(self) -> bytes:
        """The recipientNonce."""
        return self._octets(RECIPIENT_NONCE)

    def type_of(self, kind: str) -> str:
        """The ASN.1 type of an attribute's one value; empty if there is none, or no string."""
        values = self.signed.attributes.get(kind, ())
        try:
            return type(decoder.decode(values[0])[0]).__name__ if len(values) == 1 else ""
        except (PyAsn1Error, ValueError, IndexError):
            return ""

    def _text(self, kind: str) -> str:
        values = self.signed.attributes.get(kind, ())
        try:
            return structures.text_of(values[0])[1] if len(values) == 1 else ""
        except Malformed:
            return ""

    def _octets(self, kind: str) -> bytes:
        values = self.signed.attributes.get(kind, ())
        if len(values) != 1 or values[0][:1] != b"\x04":
            return b""
        try:
            return structures.value_of(values[0])
        except Malformed:
            return b""


def read(octets: bytes) -> CertRep:
    """A CertRep. :raises Malformed: if it is no SignedData with one signer and signed attributes."""
    signed = read_signed(octets)
    if signed.signers != 1 or not signed.attributes:
        raise Malformed("nobody signed the message, or its signer signed no attributes (section 3.2)")
    return CertRep(signed)


@dataclass(frozen=True, slots=True)
class Opened:
    """What is in the envelope of a reply, decrypted. ``ours`` tells whether our certificate is named as the recipient."""

    content: bytes
    cipher: str
    key_algorithm: str
    content_type: str
    ours: bool


def open_envelope(octets: bytes, recipient: Signer) -> Opened:
    """Decrypt a pkcsPKIEnvelope. :raises Malformed: if it is none, or not for this key."""
    enveloped = content_of(octets, ENVELOPED_DATA, structures.EnvelopedData(), "EnvelopedData")
    if len(enveloped["recipientInfos"]) != 1:
        raise Malformed(f"{len(enveloped['recipientInfos'])} recipients")
    transport = decode(bytes(enveloped["recipientInfos"][0]), structures.KeyTransRecipientInfo(), "KeyTransRecipientInfo")
    encrypted = enveloped["encryptedContentInfo"]
    cipher = cipher_name(str(encrypted["contentEncryptionAlgorithm"]["algorithm"]))
    way = str(transport["keyEncryptionAlgorithm"]["algorithm"])
    if cipher not in CIPHERS or way != RSA_ENCRYPTION or not isinstance(recipient.key, rsa.RSAPrivateKey):
        raise Malformed(f"the envelope is encrypted with {cipher}, its key with {way}")
    try:
        key = recipient.key.decrypt(bytes(transport["encryptedKey"]), padding.PKCS1v15())
    except ValueError:
        raise Malformed("the key of the envelope is not encrypted for the key that signed the request") from None
    iv = structures.value_of(bytes(encrypted["contentEncryptionAlgorithm"]["parameters"]))
    content = CIPHERS[cipher].decrypt(bytes(encrypted["encryptedContent"]), key, iv)
    return Opened(content, cipher, way, str(encrypted["contentType"]), bytes(transport["rid"]) == recipient.identifier)


@dataclass(frozen=True, slots=True)
class Degenerate:
    """A certificates-only SignedData. ``empty`` tells whether it has no content, as section 3.4 demands."""

    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    empty: bool


def read_degenerate(octets: bytes) -> Degenerate:
    """A certificates-only SignedData. :raises Malformed: if it is none, or somebody signed it."""
    signed = read_signed(octets)
    if signed.signers:
        raise Malformed("a certificates-only SignedData has no signers")
    if signed.content_type != DATA:
        raise Malformed(f"the eContentType of a certificates-only SignedData is {signed.content_type}")
    return Degenerate(signed.certificates, signed.crls, signed.content is None)


def leaf(certificates: Collection[bytes]) -> list[bytes]:
    """Those of a bag of certificates that certify no other one of it."""
    issuers = {structures.issuer_of(one) for one in certificates if structures.issuer_of(one) != structures.subject_of(one)}
    return [one for one in certificates if structures.subject_of(one) not in issuers]
