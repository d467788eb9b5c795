"""What a server sends encrypted, opened with a key of the examiner: EnvelopedData for an RSA key (RFC 5652, RFC 9810 section 5.2.2), and the
EncryptedValue of older versions (RFC 4211 section 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from pyasn1.codec.der.encoder import encode
from pyasn1_modules import rfc5652

from conformance.cmp import der
from conformance.cmp.asn1 import read

_PKCS1 = "1.2.840.113549.1.1.1"
_AES_CBC = frozenset(f"2.16.840.1.101.3.4.1.{number}" for number in (2, 22, 42))
_Sha = type[hashes.SHA1 | hashes.SHA256 | hashes.SHA512]
_SHA: dict[str, _Sha] = {
    "1.3.14.3.2.26": hashes.SHA1,
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}


@dataclass(frozen=True)
class Enveloped:
    """An EnvelopedData: how the key comes to its recipients, who the first one is (issuer and serial number, DER, if it is named so)."""

    kinds: tuple[str, ...]
    recipient: tuple[bytes, int] | None
    content_type: str
    parsed: Any

    def transported(self, key: rsa.RSAPrivateKey) -> bytes:
        """The content-encryption key. :raises Garbled: if it does not open."""
        info = self.parsed["recipientInfos"][0].getComponent()
        algorithm = info["keyEncryptionAlgorithm"]
        try:
            wrapped = bytes(info["encryptedKey"])
            return key.decrypt(wrapped, _padding(str(algorithm["algorithm"]), algorithm["parameters"]))
        except ValueError as error:
            raise der.Garbled(f"the content-encryption key does not open: {error}") from None

    def open(self, key: rsa.RSAPrivateKey) -> bytes:
        """The content. :raises Garbled: if it does not open."""
        content, cek = self.parsed["encryptedContentInfo"], self.transported(key)
        encryption = content["contentEncryptionAlgorithm"]
        iv = der.element(bytes(encryption["parameters"])).content
        return decrypted(str(encryption["algorithm"]), cek, iv, bytes(content["encryptedContent"]))


def enveloped(octets: bytes) -> Enveloped:
    """The EnvelopedData of an EncryptedKey (DER): [0] IMPLICIT, or a SEQUENCE. :raises Garbled:"""
    if octets[:1] not in (b"\xa0", b"\x30"):
        raise der.Garbled("an EncryptedKey that is no EnvelopedData")
    parsed = read(b"\x30" + octets[1:], rfc5652.EnvelopedData())
    infos = parsed["recipientInfos"]
    kinds = tuple(str(info.getName()) for info in infos)
    recipient = None
    if kinds and kinds[0] == "ktri":
        rid = infos[0].getComponent()["rid"]
        if rid.getName() == "issuerAndSerialNumber":
            name = read_name(rid.getComponent()["issuer"])
            recipient = (name, int(rid.getComponent()["serialNumber"]))
    return Enveloped(kinds, recipient, str(parsed["encryptedContentInfo"]["contentType"]), parsed)


def read_name(name: Any) -> bytes:
    """A Name that pyasn1 read, as DER."""
    made: bytes = encode(name)
    return made


def is_encrypted_value(octets: bytes) -> bool:
    """Whether an EncryptedKey (DER) is the deprecated EncryptedValue."""
    return octets[:1] == b"\x30"


def encrypted_value(octets: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """The content of an EncryptedValue (DER). :raises Garbled: if it does not open."""
    parts = {part.tag: part for part in der.element(octets).children}
    try:
        algorithm, wrapped, value = parts[0xA1].children, parts[0x82].content[1:], parts[0x03].content[1:]
        cek = key.decrypt(wrapped, padding.PKCS1v15())
    except (KeyError, ValueError) as error:
        raise der.Garbled(f"an EncryptedValue that does not open: {error}") from None
    dotted = next((one for one in _AES_CBC if der.oid(one) == algorithm[0].raw), "")
    return decrypted(dotted, cek, algorithm[1].content, value)


def decrypted(dotted: str, key: bytes, iv: bytes, octets: bytes) -> bytes:
    """AES in CBC mode, without its padding. :raises Garbled:"""
    if dotted not in _AES_CBC:
        raise der.Garbled(f"{dotted or 'what is named'} is no AES in CBC mode")
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        unpadder = PKCS7(128).unpadder()
        return unpadder.update(decryptor.update(octets) + decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise der.Garbled(f"the content does not open: {error}") from None


def _padding(dotted: str, parameters: Any) -> padding.AsymmetricPadding:
    if dotted == _PKCS1:
        return padding.PKCS1v15()
    name = "1.3.14.3.2.26"
    octets = bytes(parameters) if parameters.isValue else b""
    for part in der.element(octets).children if octets else ():
        if part.tag == 0xA0:
            name = next((one for one in _SHA if der.oid(one) == part.children[0].children[0].raw), name)
    return padding.OAEP(padding.MGF1(_SHA[name]()), _SHA[name](), None)
