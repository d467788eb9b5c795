"""RecipientInfos that we make: one function for each kind, from what the recipient has to the octets for a content-encryption key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from privca.base.entropy import Entropy
from privca.pkix import algorithms, der
from privca.pkix.algorithms import Oaep
from privca.pkix.rfc5652 import key_encryption
from privca.pkix.rfc5652.identifiers import Identifier, Named

Wrap: TypeAlias = Callable[[bytes], bytes]
"""From a content-encryption key to a RecipientInfo as DER."""

_SEQUENCE, _OCTET_STRING, _BIT_STRING, _INTEGER = 0x30, 0x04, 0x03, 0x02
_AGREEMENT, _PRE_SHARED, _PASSWORD, _OTHER = 0xA1, 0xA2, 0xA3, 0xA4
_EXPLICIT_0, _IMPLICIT_0, _IMPLICIT_1 = 0xA0, 0xA0, 0xA1
_VERSION = b"\x02\x01"
_RSA_ENCRYPTION = algorithms.identifier(algorithms.RSA_ENCRYPTION, algorithms.NULL)
_X963_SHA256, _HKDF_SHA256_AGREEMENT = "1.3.132.1.11.1", "1.2.840.113549.1.9.16.3.19"
_HKDF_SHA256 = "1.2.840.113549.1.9.16.3.28"
_ORI_KEM = "1.2.840.113549.1.9.16.13.3"


def for_certificate(recipient: Named, *, oaep: Oaep | None = None, by_key: bool = False) -> Wrap:
    """The way that the key of a certificate has: key transport (RSA), key agreement (EC, X25519) or encapsulation (ML-KEM).

    :param oaep: for RSA, RSAES-OAEP in place of RSAES-PKCS1-v1_5. :param by_key: name the recipient by its key identifier.
    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for a key that can only sign.
    """
    key = load_der_public_key(recipient.spki)
    identifier = recipient.identifier(by_key=by_key)
    if isinstance(key, rsa.RSAPublicKey):
        return key_transport(key, identifier, oaep)
    if isinstance(key, ec.EllipticCurvePublicKey | x25519.X25519PublicKey):
        return key_agreement(key, identifier)
    if isinstance(key, mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey):
        return kem(key, identifier)
    raise algorithms.unsupported(
        "RFC 5652 section 6.2", "nothing can be encrypted for a key of this kind", got=type(key).__name__
    )


def can_encrypt(key: PublicKeyTypes) -> bool:
    """Whether :func:`for_certificate` has a way for this key."""
    return isinstance(
        key,
        rsa.RSAPublicKey
        | ec.EllipticCurvePublicKey
        | x25519.X25519PublicKey
        | mlkem.MLKEM768PublicKey
        | mlkem.MLKEM1024PublicKey,
    )


def key_transport(key: rsa.RSAPublicKey, identifier: Identifier, oaep: Oaep | None = None) -> Wrap:
    """KeyTransRecipientInfo (section 6.2.1) by RSAES-PKCS1-v1_5, or RSAES-OAEP (RFC 3560)."""
    algorithm = _RSA_ENCRYPTION if oaep is None else oaep_identifier(oaep)
    version = _VERSION + (b"\x02" if identifier.key else b"\x00")

    def wrap(cek: bytes) -> bytes:
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if oaep is not None:
            mask = padding.MGF1(algorithms.HASHES[oaep.mask])
            scheme = padding.OAEP(mask, algorithms.HASHES[oaep.hash_name], oaep.label or None)
        return der.tlv(_SEQUENCE, version, identifier.encoded(), algorithm, der.tlv(_OCTET_STRING, key.encrypt(cek, scheme)))

    return wrap


def oaep_identifier(oaep: Oaep) -> bytes:
    """id-RSAES-OAEP with its parameters, each left out where it is the default (RFC 4055 section 4.1)."""

    def hash_identifier(name: str) -> bytes:
        return algorithms.identifier(algorithms.DIGEST_OIDS[name], algorithms.NULL)

    parts = b""
    if oaep.hash_name != "sha1":
        parts += der.tlv(0xA0, hash_identifier(oaep.hash_name))
    if oaep.mask != "sha1":
        parts += der.tlv(0xA1, algorithms.identifier(algorithms.MGF1, hash_identifier(oaep.mask)))
    if oaep.label:
        parts += der.tlv(0xA2, algorithms.identifier(algorithms.P_SPECIFIED, der.tlv(_OCTET_STRING, oaep.label)))
    return algorithms.identifier(algorithms.RSAES_OAEP, der.tlv(_SEQUENCE, parts))


def key_agreement(key: ec.EllipticCurvePublicKey | x25519.X25519PublicKey, identifier: Identifier, *, octets: int = 32) -> Wrap:
    """KeyAgreeRecipientInfo (section 6.2.2) with an ephemeral key: X9.63 KDF on NIST curves (RFC 5753), HKDF for X25519 (RFC 8418).

    :param octets: length of the key-encryption key: 16, 24 or 32.
    """
    wrapping = algorithms.identifier(algorithms.AES_WRAP_OIDS[octets])
    scheme = _X963_SHA256 if isinstance(key, ec.EllipticCurvePublicKey) else _HKDF_SHA256_AGREEMENT
    rid = der.tlv(_IMPLICIT_0, der.tlv(_OCTET_STRING, identifier.key)) if identifier.key else identifier.encoded()

    def wrap(cek: bytes) -> bytes:
        if isinstance(key, ec.EllipticCurvePublicKey):
            ephemeral = ec.generate_private_key(key.curve)
            secret = ephemeral.exchange(ec.ECDH(), key)
            kind = algorithms.oid("1.2.840.10045.2.1")
            point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        else:
            other = x25519.X25519PrivateKey.generate()
            secret, kind, point = other.exchange(key), algorithms.oid("1.3.101.110"), other.public_key().public_bytes_raw()
        kek = key_encryption.agreed(scheme, secret, wrapping, octets, None)
        originator = der.tlv(_IMPLICIT_1, der.tlv(_SEQUENCE, kind), der.tlv(_BIT_STRING, b"\x00", point))
        encrypted = der.tlv(_SEQUENCE, rid, der.tlv(_OCTET_STRING, key_encryption.wrap(kek, cek)))
        return der.tlv(
            _AGREEMENT,
            _VERSION + b"\x03",
            der.tlv(_EXPLICIT_0, originator),
            algorithms.identifier(scheme, wrapping),
            der.tlv(_SEQUENCE, encrypted),
        )

    return wrap


def pre_shared(key_identifier: bytes, kek: bytes) -> Wrap:
    """KEKRecipientInfo (section 6.2.3) by AES key wrap."""

    def wrap(cek: bytes) -> bytes:
        return der.tlv(
            _PRE_SHARED,
            _VERSION + b"\x04",
            der.tlv(_SEQUENCE, der.tlv(_OCTET_STRING, key_identifier)),
            algorithms.identifier(algorithms.AES_WRAP_OIDS[len(kek)]),
            der.tlv(_OCTET_STRING, key_encryption.wrap(kek, cek)),
        )

    return wrap


def password(
    secret: bytes, entropy: Entropy, *, iterations: int = 10_000, hash_name: str = "sha256", cipher: str = "aes256"
) -> Wrap:
    """PasswordRecipientInfo (section 6.2.4): PBKDF2 and PWRI-KEK (RFC 3370 sections 4.3.1 and 4.4.1)."""
    oid, octets, block = algorithms.CBC[cipher]

    def wrap(cek: bytes) -> bytes:
        iv = entropy.octets(block)
        derivation = key_encryption.pbkdf2(hash_name, entropy.octets(16), iterations)
        kek = key_encryption.derived(derivation, secret, octets, maximum=iterations)
        return der.tlv(
            _PASSWORD,
            _VERSION + b"\x00",
            bytes((_IMPLICIT_0,)) + derivation[1:],
            algorithms.identifier(algorithms.PWRI_KEK, algorithms.identifier(oid, der.tlv(_OCTET_STRING, iv))),
            der.tlv(_OCTET_STRING, key_encryption.password_wrap(kek, iv, cek, entropy)),
        )

    return wrap


def kem(key: mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey, identifier: Identifier) -> Wrap:
    """KEMRecipientInfo (RFC 9629 section 3) by ML-KEM with HKDF-SHA256 and AES-256 key wrap (RFC 9936)."""
    name = "ML-KEM-768" if isinstance(key, mlkem.MLKEM768PublicKey) else "ML-KEM-1024"
    scheme = algorithms.identifier(next(oid for oid, known in algorithms.KEMS.items() if known == name))
    wrapping = algorithms.identifier(algorithms.AES_WRAP_OIDS[32])

    def wrap(cek: bytes) -> bytes:
        secret, ciphertext = key.encapsulate()
        kek = key_encryption.encapsulated("sha256", secret, wrapping, 32, None)
        return der.tlv(
            _OTHER,
            algorithms.oid(_ORI_KEM),
            der.tlv(
                _SEQUENCE,
                _VERSION + b"\x00",
                identifier.encoded(),
                scheme,
                der.tlv(_OCTET_STRING, ciphertext),
                algorithms.identifier(_HKDF_SHA256),
                der.tlv(_INTEGER, b"\x20"),
                wrapping,
                der.tlv(_OCTET_STRING, key_encryption.wrap(kek, cek)),
            ),
        )

    return wrap
