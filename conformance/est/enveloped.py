"""EnvelopedData around a generated key (RFC 7030 section 4.4.2, RFC 5652 section 6), opened with ``cryptography``'s primitives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, keywrap, padding
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from pyasn1.codec.der import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pyasn1_modules import rfc5280, rfc5652, rfc5753

from conformance import der
from conformance.est.replies import Unreadable, elements, signed_data

ENVELOPED_DATA = "1.2.840.113549.1.7.3"
SIGNED_DATA = "1.2.840.113549.1.7.2"
KEY_PACKAGE = "2.16.840.1.101.2.1.2.78.5"
AES128_CBC, AES_CBC = "2.16.840.1.101.3.4.1.2", "2.16.840.1.101.3.4.1.42"
AES128_WRAP, AES192_WRAP, AES256_WRAP = "2.16.840.1.101.3.4.1.5", "2.16.840.1.101.3.4.1.25", "2.16.840.1.101.3.4.1.45"
RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
ECDH_SHA256 = "1.3.132.1.11.1"
_CIPHERS = {AES128_CBC: 16, "2.16.840.1.101.3.4.1.22": 24, AES_CBC: 32}
_WRAPS = {AES128_WRAP: 16, AES192_WRAP: 24, AES256_WRAP: 32}
_AGREEMENTS = {
    "1.3.132.1.11.0": hashes.SHA224(),
    ECDH_SHA256: hashes.SHA256(),
    "1.3.132.1.11.2": hashes.SHA384(),
    "1.3.132.1.11.3": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class Enveloped:
    """One EnvelopedData. ``kinds`` are those of its recipients: ktri, kari, kekri; ``key_octets`` the length of the content encryption key."""

    data: Any
    kinds: list[str]
    key_octets: int

    def by_transport(self, key: Any) -> bytes:
        """What is inside, by RSA PKCS #1 v1.5. :raises Unreadable:"""
        info = self.data["recipientInfos"][0]["ktri"]
        if str(info["keyEncryptionAlgorithm"]["algorithm"]) != RSA_ENCRYPTION:
            raise Unreadable(f"a key transport that was not asked for: {info['keyEncryptionAlgorithm']['algorithm']}")
        try:
            return self._opened(key.decrypt(bytes(info["encryptedKey"]), PKCS1v15()))
        except ValueError as error:
            raise Unreadable(f"cannot be deciphered: {error}") from None

    def by_secret(self, key: bytes) -> bytes:
        """What is inside, by AES key wrap. :raises Unreadable:"""
        info = self.data["recipientInfos"][0]["kekri"]
        return self._opened(_unwrapped(key, bytes(info["encryptedKey"])))

    def by_agreement(self, key: Any) -> bytes:
        """What is inside, by ephemeral-static ECDH (RFC 5753 section 3.1). :raises Unreadable:"""
        info = self.data["recipientInfos"][0]["kari"]
        agreement = info["keyEncryptionAlgorithm"]
        digest = _AGREEMENTS.get(str(agreement["algorithm"]))
        wrap, _ = decoder.decode(agreement["parameters"], asn1Spec=rfc5280.AlgorithmIdentifier())
        size = _WRAPS.get(str(wrap["algorithm"]))
        if digest is None or size is None:
            raise Unreadable(f"a key agreement that was not asked for: {agreement['algorithm']} with {wrap['algorithm']}")
        shared = rfc5753.ECC_CMS_SharedInfo()
        shared["keyInfo"]["algorithm"] = wrap["algorithm"]
        if wrap["parameters"].isValue:
            shared["keyInfo"]["parameters"] = wrap["parameters"]
        if info["ukm"].isValue:
            shared["entityUInfo"] = bytes(info["ukm"])
        shared["suppPubInfo"] = (size * 8).to_bytes(4, "big")
        public = load_der_public_key(_spki(key, info["originator"]["originatorKey"]["publicKey"]))
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise Unreadable("the originator's key is none of an elliptic curve")
        secret = key.exchange(ec.ECDH(), public)
        kek = X963KDF(digest, size, encoder.encode(shared)).derive(secret)
        return self._opened(_unwrapped(kek, bytes(info["recipientEncryptedKeys"][0]["encryptedKey"])))

    def _opened(self, key: bytes) -> bytes:
        inside = self.data["encryptedContentInfo"]
        vector, _ = decoder.decode(inside["contentEncryptionAlgorithm"]["parameters"], asn1Spec=univ.OctetString())
        cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(vector))).decryptor()
        padded = cipher.update(bytes(inside["encryptedContent"])) + cipher.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        try:
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError as error:
            raise Unreadable(f"cannot be deciphered: {error}") from None


def _unwrapped(key: bytes, wrapped: bytes) -> bytes:
    try:
        return keywrap.aes_key_unwrap(key, wrapped)
    except InvalidUnwrap as error:
        raise Unreadable(f"the content encryption key cannot be unwrapped {error}") from None


def _spki(key: Any, point: univ.BitString) -> bytes:
    """The originator's point with the curve of our own key: RFC 5753 section 3.1.1 leaves the curve out, or repeats it."""
    made = rfc5280.SubjectPublicKeyInfo()
    made["algorithm"]["algorithm"] = "1.2.840.10045.2.1"
    made["algorithm"]["parameters"] = univ.Any(encoder.encode(univ.ObjectIdentifier("1.2.840.10045.3.1.7")))
    made["subjectPublicKey"] = univ.BitString.fromOctetString(point.asOctets())
    return bytes(encoder.encode(made))


def parse(octets: bytes) -> Enveloped:
    """A ContentInfo with EnvelopedData. :raises Unreadable:"""
    try:
        info, rest = decoder.decode(octets, asn1Spec=rfc5652.ContentInfo())
        if rest or str(info["contentType"]) != ENVELOPED_DATA:
            raise Unreadable(f"no EnvelopedData but {info['contentType']}")
        data, _ = decoder.decode(info["content"], asn1Spec=rfc5652.EnvelopedData())
    except PyAsn1Error as error:
        raise Unreadable(f"no EnvelopedData: {error}"[:200]) from None
    cipher = str(data["encryptedContentInfo"]["contentEncryptionAlgorithm"]["algorithm"])
    return Enveloped(data, [one.getName() for one in data["recipientInfos"]], _CIPHERS.get(cipher, 0))


def packaged_key(content: bytes) -> Any:
    """The key in an AsymmetricKeyPackage (RFC 5958 section 2) that is signed (RFC 7030 section 4.4.2). :raises Unreadable:

    :param content: what EnvelopedData held: a SignedData, without its ContentInfo.
    """
    wrapped = der.encode(
        der.Value(
            b"\x30",
            (der.Value(b"", encoder.encode(univ.ObjectIdentifier(SIGNED_DATA))), der.Value(b"\xa0", (der.Value(b"", content),))),
        )
    )
    found = signed_data(wrapped)
    if found.content_type != KEY_PACKAGE or found.content is None or not found.signers:
        raise Unreadable(f"no signed key package but {found.content_type} with {len(found.signers)} signers")
    keys = elements(found.content, 0x30)
    if len(keys) != 1:
        raise Unreadable(f"a key package with {len(keys)} keys")
    try:
        return load_der_private_key(keys[0], None)
    except (ValueError, TypeError) as error:
        raise Unreadable(f"no private key: {error}"[:200]) from None
