"""A private key that a server generated: opened with what the client has, and read as RFC 9483 section 4.1.6 wants it packed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from pyasn1.codec.der.encoder import encode
from pyasn1_modules import rfc5280, rfc5652, rfc5753

from conformance.cmp import algorithms as names
from conformance.cmp import der
from conformance.cmp.asn1 import PBKDF2_PARAMETERS, read
from conformance.cmp.asn1 import field as optional
from conformance.cmp.enveloped import Enveloped, decrypted
from conformance.cmp.protection import parameters_of

KEY_PACKAGE = "2.16.840.1.101.2.1.2.78.5"
SIGNED_DATA = "1.2.840.113549.1.7.2"
PWRI_KEK = "1.2.840.113549.1.9.16.3.9"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
WRAPS = {f"2.16.840.1.101.3.4.1.{number}": size for number, size in ((5, 16), (25, 24), (45, 32))}
AES_CBC = {f"2.16.840.1.101.3.4.1.{number}": size for number, size in ((2, 16), (22, 24), (42, 32))}
AGREEMENTS = {
    f"1.3.132.1.{scheme}.{number}": kdf
    for scheme in (11, 14)
    for number, kdf in enumerate((hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()))
}
"""KM_KA_ALG for NIST curves (RFC 9481 section 4.1.2); a cofactor of 1 makes the two schemes the same."""
_MAXIMUM = 5_000_000


def content_key(enveloped: Enveloped, *, key: Any = None, secret: bytes = b"") -> bytes:
    """The content-encryption key of the first recipient, by the private key or the secret of the client. :raises Garbled:"""
    kind = enveloped.kinds[0] if enveloped.kinds else "nobody"
    info = enveloped.parsed["recipientInfos"][0].getComponent() if enveloped.kinds else None
    try:
        if kind == "ktri":
            return enveloped.transported(key)
        if kind == "kari":
            return _agreed(info, key)
        if kind == "pwri":
            return _by_password(info, secret)
    except (ValueError, TypeError, KeyError, IndexError, keywrap.InvalidUnwrap) as error:
        raise der.Garbled(f"the content-encryption key does not open ({kind}): {error}") from None
    raise der.Garbled(f"a recipient of the kind {kind}")


def content(enveloped: Enveloped, cek: bytes) -> bytes:
    """What is inside. :raises Garbled:"""
    inner = enveloped.parsed["encryptedContentInfo"]
    dotted, parameters = parameters_of(inner["contentEncryptionAlgorithm"])
    return decrypted(dotted, cek, der.element(parameters).content, bytes(inner["encryptedContent"]))


def _agreed(info: Any, key: Any) -> bytes:
    """Ephemeral-static ECDH (RFC 5753 section 3.1)."""
    dotted, parameters = parameters_of(info["keyEncryptionAlgorithm"])
    wrap = der.element(parameters)
    size = next(size for oid, size in WRAPS.items() if wrap.children[0].raw == der.oid(oid))
    shared = rfc5753.ECC_CMS_SharedInfo()
    shared["keyInfo"] = read(parameters, rfc5280.AlgorithmIdentifier())
    if info["ukm"].isValue:
        shared["entityUInfo"] = bytes(info["ukm"])
    shared["suppPubInfo"] = (size * 8).to_bytes(4, "big")
    point = info["originator"]["originatorKey"]["publicKey"].asOctets()
    secret = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(key.curve, point))
    kek = X963KDF(AGREEMENTS[dotted], size, encode(shared)).derive(secret)
    return keywrap.aes_key_unwrap(kek, bytes(info["recipientEncryptedKeys"][0]["encryptedKey"]))


def _by_password(info: Any, secret: bytes) -> bytes:
    """PBKDF2, and AES key wrap or PWRI-KEK (RFC 3370 section 4.4.1)."""
    derivation, parameters = parameters_of(info["keyDerivationAlgorithm"])
    if derivation != names.PBKDF2:
        raise der.Garbled(f"a key derivation by {derivation}")
    given = read(parameters, PBKDF2_PARAMETERS)
    prf, count = optional(given, "prf"), int(given["iterationCount"])
    if not 0 < count <= _MAXIMUM:
        raise der.Garbled(f"an iteration count of {count}")
    dotted, parameters = parameters_of(info["keyEncryptionAlgorithm"])
    wrapped, size, vector = bytes(info["encryptedKey"]), WRAPS.get(dotted, 0), b""
    if dotted == PWRI_KEK:
        cipher, iv = der.element(parameters).children
        size = next(size for oid, size in AES_CBC.items() if cipher.raw == der.oid(oid))
        vector = iv.content
    name = "sha1" if prf is None else names.mac_name(str(prf["algorithm"]))
    kek = hashlib.pbkdf2_hmac(name, secret, bytes(given["salt"]), count, size)
    return _pwri_kek(kek, vector, wrapped) if vector else keywrap.aes_key_unwrap(kek, wrapped)


def _pwri_kek(kek: bytes, vector: bytes, wrapped: bytes) -> bytes:
    """RFC 3211 section 2.3.2."""

    def cbc(iv: bytes, octets: bytes) -> bytes:
        decryptor = Cipher(algorithms.AES(kek), modes.CBC(iv)).decryptor()
        return decryptor.update(octets) + decryptor.finalize()

    last = cbc(wrapped[-32:-16], wrapped[-16:])
    inner = cbc(last, wrapped[:-16]) + last
    opened = cbc(vector, inner)
    length, check, cek = opened[0], opened[1:4], opened[4 : 4 + opened[0]]
    if len(cek) != length or bytes(one ^ 0xFF for one in cek[:3]) != check:
        raise der.Garbled("the check value of PWRI-KEK does not fit: another secret")
    return cek


def salt(enveloped: Enveloped) -> bytes:
    """The salt of the key derivation of a pwri. :raises Garbled:"""
    _, parameters = parameters_of(enveloped.parsed["recipientInfos"][0].getComponent()["keyDerivationAlgorithm"])
    return bytes(read(parameters, PBKDF2_PARAMETERS)["salt"])


@dataclass(frozen=True)
class Signed:
    """The SignedData around a key package: what pyasn1 read of it, its certificates, and what is signed (DER, or empty)."""

    parsed: Any
    certificates: list[x509.Certificate]
    package: bytes

    @property
    def signer(self) -> Any:
        """The first SignerInfo. :raises Garbled: if there is none."""
        if not len(self.parsed["signerInfos"]):
            raise der.Garbled("a SignedData without a signer")
        return self.parsed["signerInfos"][0]

    @property
    def attributes(self) -> dict[str, bytes]:
        """The first value (DER) of each signed attribute, by its type."""
        found = self.signer["signedAttrs"]
        return {str(one["attrType"]): bytes(one["attrValues"][0]) for one in found} if found.isValue else {}

    def verifies(self) -> bool:
        """Whether the signature of the first certificate holds, and messageDigest is that of the package."""
        signer = self.signer
        attributes = encode(signer["signedAttrs"].clone(tagSet=rfc5652.SignedAttributes.tagSet, cloneValueFlag=True))
        name = names.hash_name(str(signer["digestAlgorithm"]["algorithm"]))
        digest = self.attributes.get(MESSAGE_DIGEST, b"")
        if digest != der.octets(hashlib.new(name, self.package).digest()) or not self.certificates:
            return False
        dotted, parameters = parameters_of(signer["signatureAlgorithm"])
        return names.verifies(self.certificates[0], dotted, parameters, bytes(signer["signature"]), b"\x31" + attributes[1:])


def signed(octets: bytes) -> Signed:
    """A SignedData (DER, without ContentInfo). :raises Garbled:"""
    parsed = read(octets, rfc5652.SignedData())
    package = parsed["encapContentInfo"]["eContent"]
    try:
        certificates = [x509.load_der_x509_certificate(encode(one.getComponent())) for one in parsed["certificates"]]
    except ValueError as error:
        raise der.Garbled(f"not a certificate: {error}") from None
    return Signed(parsed, certificates, bytes(package) if package.isValue else b"")


@dataclass(frozen=True)
class OneKey:
    """OneAsymmetricKey (RFC 5958 section 2): its version, the key, and the public key beside it (the octets of its BIT STRING)."""

    version: int
    key: Any
    public: bytes | None

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo (DER) of the private key."""
        made: bytes = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return made


def keys(package: bytes) -> list[OneKey]:
    """The keys of an AsymmetricKeyPackage (DER). :raises Garbled:"""
    found = []
    for one in der.element(package).children:
        parts = one.children
        public = next((part.content[1:] for part in parts[3:] if part.tag == 0x81), None)
        try:
            key = load_der_private_key(der.sequence(der.integer(0), *(part.raw for part in parts[1:3])), None)
        except (ValueError, TypeError, IndexError) as error:
            raise der.Garbled(f"not a private key: {error}") from None
        found.append(OneKey(int.from_bytes(parts[0].content, "big"), key, public))
    return found
