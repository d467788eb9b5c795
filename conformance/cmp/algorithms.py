"""Algorithms by their identifiers (RFC 9481): hashes, MACs, and signatures made and verified with the cryptography package."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from conformance.cmp import der

PBM = "1.2.840.113533.7.66.13"
PBMAC1 = "1.2.840.113549.1.5.14"
PBKDF2 = "1.2.840.113549.1.5.12"
HASHES = {
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
HMACS = {
    "sha1": "1.2.840.113549.2.7",
    "sha224": "1.2.840.113549.2.8",
    "sha256": "1.2.840.113549.2.9",
    "sha384": "1.2.840.113549.2.10",
    "sha512": "1.2.840.113549.2.11",
}
_HASH_NAMES = {dotted: name for name, dotted in HASHES.items()}
_HMAC_NAMES = {dotted: name for name, dotted in HMACS.items()} | {"1.3.6.1.5.5.8.1.2": "sha1"}
_ECDSA = {"sha1": "1", "sha224": "3.1", "sha256": "3.2", "sha384": "3.3", "sha512": "3.4"}
_RSA = {"sha1": 5, "sha224": 14, "sha256": 11, "sha384": 12, "sha512": 13}
_SIGNATURES = {f"1.2.840.10045.4.{last}": name for name, last in _ECDSA.items()} | {
    f"1.2.840.113549.1.1.{last}": name for name, last in _RSA.items()
}
_HASH_CLASSES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
ED25519, ED448 = "1.3.101.112", "1.3.101.113"
_PSS = "1.2.840.113549.1.1.10"


class Unknown(ValueError):
    """An algorithm that the examiner does not know."""


def hash_name(dotted: str) -> str:
    """The hash function of an OID. :raises Unknown:"""
    return _known(_HASH_NAMES, dotted, "hash function")


def mac_name(dotted: str) -> str:
    """The hash function of an HMAC by its OID. :raises Unknown:"""
    return _known(_HMAC_NAMES, dotted, "MAC")


def _known(names: dict[str, str], dotted: str, what: str) -> str:
    if dotted not in names:
        raise Unknown(f"{dotted} is no {what} that the examiner knows")
    return names[dotted]


@lru_cache(maxsize=64)
def pbm_key(secret: bytes, salt: bytes, owf: str, iterations: int) -> bytes:
    """BASEKEY of a password-based MAC (RFC 9810 section 5.1.3.1)."""
    key, function = secret + salt, getattr(hashlib, owf)
    for _ in range(iterations):
        key = function(key).digest()
    return key


def mac(key: bytes, message: bytes, name: str) -> bytes:
    """HMAC."""
    return hmac.digest(key, message, name)


def sign(key: Any, message: bytes, name: str = "sha256") -> tuple[bytes, bytes]:
    """A signature, and its AlgorithmIdentifier (DER). ``name`` is the hash function for those kinds of key that want one.

    The same each time, so that a draft is the same message whenever it is encoded.
    """
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(_HASH_CLASSES[name](), deterministic_signing=True)), der.algorithm(
            f"1.2.840.10045.4.{_ECDSA[name]}"
        )
    if isinstance(key, rsa.RSAPrivateKey):
        signed = key.sign(message, padding.PKCS1v15(), _HASH_CLASSES[name]())
        return signed, der.algorithm(f"1.2.840.113549.1.1.{_RSA[name]}", der.NULL)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message), der.algorithm(ED25519)
    if isinstance(key, ed448.Ed448PrivateKey):
        return key.sign(message), der.algorithm(ED448)
    raise Unknown(f"{type(key).__name__} does not sign here")


def verifies(certificate: x509.Certificate, dotted: str, parameters: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature under the key of a certificate holds. :raises Unknown: for an algorithm that the examiner does not know."""
    try:
        key: Any = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unknown(f"the signer's key: {error}") from None
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_HASH_CLASSES[_known(_SIGNATURES, dotted, "signature")]()))
        elif isinstance(key, rsa.RSAPublicKey) and dotted == _PSS:
            name = _pss_hash(parameters)
            scheme = padding.PSS(padding.MGF1(_HASH_CLASSES[name]()), padding.PSS.AUTO)
            key.verify(signature, message, scheme, _HASH_CLASSES[name]())
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), _HASH_CLASSES[_known(_SIGNATURES, dotted, "signature")]())
        elif hasattr(key, "verify"):
            key.verify(signature, message)
        else:
            raise Unknown(f"{type(key).__name__} verifies no signature")
    except InvalidSignature:
        return False
    return True


def _pss_hash(parameters: bytes) -> str:
    for part in der.element(parameters).children:
        if part.tag == 0xA0:
            return next(name for name, dotted in HASHES.items() if der.oid(dotted) == part.children[0].children[0].raw)
    return "sha1"
