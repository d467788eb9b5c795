"""Digests and ciphers by name, the good ones and those that RFC 8894 section 2.9 forbids: an examiner sends both."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from conformance.scep.structures import Malformed

RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
DIGESTS: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "md5": ("1.2.840.113549.2.5", hashes.MD5()),  # noqa: S303 - an examiner must have what must be refused
    "sha1": ("1.3.14.3.2.26", hashes.SHA1()),  # noqa: S303 - which section 2.9 allows
    "sha256": ("2.16.840.1.101.3.4.2.1", hashes.SHA256()),
    "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384()),
    "sha512": ("2.16.840.1.101.3.4.2.3", hashes.SHA512()),
}
SIGNATURES = {
    RSA_ENCRYPTION: "",
    "1.2.840.113549.1.1.4": "md5",
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
"""Signature algorithms of RSA by OID, with the digest that they fix: rsaEncryption fixes none (RFC 3370 section 3.2)."""
ECDSA = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
"""Those of ECDSA by digest."""


@dataclass(frozen=True, slots=True)
class BlockCipher:
    """A cipher in CBC mode: its OID, and octets of key and block."""

    oid: str
    key: int
    block: int

    def _cipher(self, key: bytes, iv: bytes) -> Cipher[modes.CBC]:
        algorithm = AES(key) if self.block == 16 else TripleDES(key * 3 if self.key == 8 else key)
        return Cipher(algorithm, modes.CBC(iv))

    def encrypt(self, content: bytes, key: bytes, iv: bytes) -> bytes:
        """With padding (RFC 5652 section 6.3)."""
        padder = PKCS7(self.block * 8).padder()
        encryptor = self._cipher(key, iv).encryptor()
        return encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()

    def decrypt(self, encrypted: bytes, key: bytes, iv: bytes) -> bytes:
        """Without padding. :raises Malformed: if lengths or padding are wrong."""
        if len(key) != self.key or len(iv) != self.block or not encrypted or len(encrypted) % self.block:
            raise Malformed("the encrypted content, its key or its IV has a wrong length")
        decryptor, unpadder = self._cipher(key, iv).decryptor(), PKCS7(self.block * 8).unpadder()
        try:
            return unpadder.update(decryptor.update(encrypted) + decryptor.finalize()) + unpadder.finalize()
        except ValueError:
            raise Malformed("the encrypted content has wrong padding") from None

    def fresh(self) -> tuple[bytes, bytes]:
        """A new key and IV."""
        return os.urandom(self.key), os.urandom(self.block)


CIPHERS = {
    "des": BlockCipher("1.3.14.3.2.7", 8, 8),
    "3des": BlockCipher("1.2.840.113549.3.7", 24, 8),
    "aes128": BlockCipher("2.16.840.1.101.3.4.1.2", 16, 16),
    "aes192": BlockCipher("2.16.840.1.101.3.4.1.22", 24, 16),
    "aes256": BlockCipher("2.16.840.1.101.3.4.1.42", 32, 16),
}


def digest(name: str, octets: bytes) -> bytes:
    """The digest of octets."""
    hasher = hashes.Hash(DIGESTS[name][1])
    hasher.update(octets)
    return hasher.finalize()


def digest_name(dotted: str) -> str:
    """The name of a digest; its OID if it is none of these."""
    return next((name for name, (oid, _) in DIGESTS.items() if oid == dotted), dotted)


def cipher_name(dotted: str) -> str:
    """The name of a cipher; its OID if it is none of these."""
    return next((name for name, cipher in CIPHERS.items() if cipher.oid == dotted), dotted)
