"""Protection by a key encapsulation mechanism (RFC 9810 section 5.1.3.4): the client has a KEM key, the server encapsulates for it.

The client asks for a ciphertext by an unprotected genm that carries its certificate (appendix E, figure 3), and protects what follows in
the same transaction by a MAC under a key that both derive. The shared secret is kept with the transaction, sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privca.base.refused import Reason, Refused
from privca.cmp.protection import hmac
from privca.cmp.rfc9810 import algorithms
from privca.cmp.rfc9810.message import KEM_CIPHERTEXT_INFO, Body, PkiMessage, free_text, informations
from privca.pkix import der, weak
from privca.pkix.requested import AlgorithmIdentifier

KEM_BASED_MAC = x509.ObjectIdentifier("1.2.840.113533.7.66.16")
METHOD = "kem"
"""The ``method`` of a kept secret that is a KEM's."""
_CLAUSE = "RFC 9810 section 5.1.3.4"
_STATIC = "CMP-KEM"
_MAXIMUM_KEY = 1024
_HKDF: dict[str, hashes.HashAlgorithm] = {
    "1.2.840.113549.1.9.16.3.28": hashes.SHA256(),
    "1.2.840.113549.1.9.16.3.29": hashes.SHA384(),
    "1.2.840.113549.1.9.16.3.30": hashes.SHA512(),
}


@der.sequence
class _Parameters:
    kdf: AlgorithmIdentifier
    context: Annotated[bytes | None, der.Explicit(0)]
    length: int
    mac: AlgorithmIdentifier


@der.sequence
class _KemBasedMac:
    algorithm: x509.ObjectIdentifier
    parameters: _Parameters


@dataclass(frozen=True, slots=True)
class KemMac:
    """KemBMParameter: hash of HKDF, kemContext, length of the key in octets, hash of the HMAC."""

    kdf: hashes.HashAlgorithm
    context: bytes | None
    length: int
    mac: str

    def compute(self, secret: bytes, transaction_id: bytes, message: bytes) -> bytes:
        """The MAC of a message. :param secret: what the KEM gave; :param transaction_id: of the message that had the ciphertext."""
        context = b"" if self.context is None else der.tlv(0xA0, der.tlv(0x04, self.context))
        info = der.tlv(0x30, free_text([_STATIC]), der.tlv(0x04, transaction_id), context)
        key = HKDF(self.kdf, self.length, salt=None, info=info).derive(secret)
        return hmac.compute(key, message, self.mac)


def parse(algorithm: bytes) -> KemMac | None:
    """The parameters of a protectionAlg (DER); None if it is another kind of protection.

    :raises Refused: ``BAD_SIGNATURE_ALGORITHM``, ``MALFORMED``.
    """
    if der.decode(AlgorithmIdentifier, algorithm, clause=_CLAUSE).algorithm != KEM_BASED_MAC:
        return None
    parameters = der.decode(_KemBasedMac, algorithm, clause=_CLAUSE).parameters
    kdf = _HKDF.get(parameters.kdf.algorithm.dotted_string)
    if kdf is None:
        raise Refused(
            Reason.BAD_SIGNATURE_ALGORITHM, _CLAUSE, "unknown key derivation", expected="HKDF with SHA-256, SHA-384 or SHA-512"
        )
    if not 0 < parameters.length <= _MAXIMUM_KEY:
        raise Refused(Reason.BAD_SIGNATURE_ALGORITHM, _CLAUSE, "the length of the key is out of bounds")
    return KemMac(kdf, parameters.context, parameters.length, hmac.name(parameters.mac, hmac.MACS, "MAC"))


def asks_for_ciphertext(message: PkiMessage) -> bool:
    """Whether this is an unprotected genm that asks for a KEM ciphertext, and for nothing else. :raises Refused: ``MALFORMED``."""
    if message.body is not Body.GENM or message.protection is not None:
        return False
    asked = informations(message.content, "RFC 9810 section 5.3.19.18")
    return len(asked) == 1 and asked[0].type == KEM_CIPHERTEXT_INFO and asked[0].value in (None, b"\x05\x00")


def encapsulate(certificate: bytes) -> tuple[bytes, bytes]:
    """A shared secret for the key of a certificate (DER), and KemCiphertextInfo (DER). :raises Refused: ``BAD_PUBLIC_KEY``."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(Reason.MALFORMED, "RFC 9483 section 3.3", "the certificate of the sender is malformed") from None
    if not isinstance(key, mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey):
        raise Refused(
            Reason.BAD_PUBLIC_KEY, _CLAUSE, "the sender's certificate is not for a KEM key", expected="ML-KEM-768, ML-KEM-1024"
        )
    secret, ciphertext = key.encapsulate()
    return secret, der.tlv(0x30, algorithms.KEYS[weak.kind(key)], der.tlv(0x04, ciphertext))
