"""A client with a key of a KEM (RFC 9810 section 5.1.3.4): its certificate comes encrypted, its messages are protected by a MAC under a secret
that the server encapsulated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from conformance.cmp import algorithms, der
from conformance.cmp.enveloped import Enveloped
from conformance.cmp.generated import content
from conformance.cmp.protection import Signer

KEM_BASED_MAC = "1.2.840.113533.7.66.16"
_ORI_KEM = "1.2.840.113549.1.9.16.13.3"
_HKDF_SHA256 = "1.2.840.113549.1.9.16.3.28"
_KEY_OCTETS = 32


def new_key() -> mlkem.MLKEM768PrivateKey:
    """A new key, ML-KEM-768."""
    return mlkem.MLKEM768PrivateKey.generate()


def opened(sealed: Enveloped, key: mlkem.MLKEM768PrivateKey) -> bytes:
    """What an EnvelopedData for a KEM key has inside (RFC 9629 section 3). :raises Garbled: if it does not open."""
    info: Any = sealed.parsed["recipientInfos"][0]
    if info.getName() != "ori" or str(info.getComponent()["oriType"]) != _ORI_KEM:
        raise der.Garbled("an EnvelopedData whose recipient has no KEM key")
    parts = der.element(bytes(info.getComponent()["oriValue"])).children
    if len(parts) != 8 or parts[4].children[0].raw != der.oid(_HKDF_SHA256):
        raise der.Garbled("a KEMRecipientInfo with other parts, or another KDF, than HKDF with SHA-256")
    _, _, _, ciphertext, _, length, wrap, encrypted = parts
    octets = int.from_bytes(length.content, "big")
    try:
        kek = HKDF(hashes.SHA256(), octets, None, der.sequence(wrap.raw, length.raw)).derive(key.decapsulate(ciphertext.content))
        cek = keywrap.aes_key_unwrap(kek, encrypted.content)
    except (ValueError, keywrap.InvalidUnwrap) as error:
        raise der.Garbled(f"the content-encryption key does not open: {error}") from None
    return content(sealed, cek)


@dataclass(frozen=True)
class KemMac:
    """Protection by a KEM-based MAC: HKDF and HMAC with SHA-256. ``transaction_id`` is that of the message that had the ciphertext."""

    certificate: x509.Certificate
    secret: bytes = field(repr=False)
    transaction_id: bytes
    static: str = "CMP-KEM"
    certificates: tuple[bytes, ...] = ()

    @property
    def sender(self) -> bytes:
        """The certificate's subject."""
        return der.directory_name(self.certificate.subject.public_bytes())

    @property
    def kid(self) -> bytes | None:
        """The certificate's key identifier."""
        return Signer(self.certificate, None).kid

    @property
    def algorithm(self) -> bytes:
        """With KemBMParameter."""
        mac = der.algorithm(algorithms.HMACS["sha256"], der.NULL)
        return der.algorithm(KEM_BASED_MAC, der.sequence(der.algorithm(_HKDF_SHA256), der.integer(_KEY_OCTETS), mac))

    def protect(self, part: bytes) -> bytes:
        """The MAC, under a key that is made of the secret and KemOtherInfo."""
        info = der.sequence(der.sequence(der.utf8(self.static)), der.octets(self.transaction_id))
        key = HKDF(hashes.SHA256(), _KEY_OCTETS, None, info).derive(self.secret)
        return algorithms.mac(key, part, "sha256")
