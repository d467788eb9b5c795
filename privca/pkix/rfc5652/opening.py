"""What a recipient does with its RecipientInfo: the content-encryption key, by a private key behind a port, a shared key or a password."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Protocol

from privca.base.refused import Refused
from privca.pkix import algorithms, der
from privca.pkix.algorithms import Oaep
from privca.pkix.rfc5652 import key_encryption
from privca.pkix.rfc5652.content_encryption import Undecryptable
from privca.pkix.rfc5652.recipients import Kem, KeyAgreement, KeyTransport, Password, PreShared

_SEQUENCE, _BIT_STRING = 0x30, 0x03


class PrivateKey(Protocol):
    """The private key of a recipient, wherever it is: what the CA's keys do under one reference.

    Each refuses what it cannot decipher, with one text for every cause; PKCS #1 v1.5 gives octets that nobody can foresee instead.
    """

    def decrypt(self, ciphertext: bytes, oaep: Oaep | None = None) -> Awaitable[bytes]:
        """Decrypt with an RSA key: RSAES-OAEP, or RSAES-PKCS1-v1_5 without ``oaep``."""

    def agree(self, peer: bytes) -> Awaitable[bytes]:
        """The secret shared with a public key (SubjectPublicKeyInfo, DER)."""

    def decapsulate(self, ciphertext: bytes) -> Awaitable[bytes]:
        """The shared secret of a KEM ciphertext."""


@der.sequence
class _OaepParameters:
    hash: Annotated[algorithms.AlgorithmIdentifier | None, der.Explicit(0)]
    mask: Annotated[algorithms.AlgorithmIdentifier | None, der.Explicit(1)]
    source: Annotated[algorithms.AlgorithmIdentifier | None, der.Explicit(2)]


@der.sequence
class _Spki:
    algorithm: der.TLV
    public_key: der.BitString


def oaep_of(algorithm: bytes) -> Oaep | None:
    """Which RSA encryption a keyEncryptionAlgorithm (DER) names: None is RSAES-PKCS1-v1_5.

    :raises Refused: ``BAD_SIGNATURE_ALGORITHM`` for anything else.
    """
    clause = "RFC 4055 section 4.1"
    oid, parameters = algorithms.split(algorithm, clause="RFC 5652 section 6.2.1")
    if oid == algorithms.RSA_ENCRYPTION:
        return None
    if oid != algorithms.RSAES_OAEP:
        raise algorithms.unsupported("RFC 5652 section 6.2.1", "an unknown key encryption algorithm", got=oid)
    read = der.decode(_OaepParameters, parameters, clause=clause)
    mask, label = "sha1", b""
    if read.mask is not None:
        kind, inner = algorithms.split(der.encode(read.mask), clause=clause)
        mask = algorithms.digest_name(inner) if kind == algorithms.MGF1 else ""
    if read.source is not None:
        kind, inner = algorithms.split(der.encode(read.source), clause=clause)
        if kind != algorithms.P_SPECIFIED or inner[:1] != b"\x04" or len(inner) > 127:
            raise algorithms.unsupported(clause, "a label that we do not accept")
        label = inner[2:]
    hash_name = "sha1" if read.hash is None else algorithms.digest_name(der.encode(read.hash))
    if not {hash_name, mask} <= {"sha1", "sha256", "sha384", "sha512"}:
        raise algorithms.unsupported(clause, "RSAES-OAEP with a hash that we do not accept", got=f"{hash_name} and {mask}")
    return Oaep(hash_name=hash_name, mask=mask, label=label)


async def open_transport(recipient: KeyTransport, key: PrivateKey) -> bytes:
    """The content-encryption key of key transport. :raises Undecryptable:"""
    oaep = oaep_of(recipient.algorithm)
    try:
        return await key.decrypt(recipient.encrypted, oaep)
    except Refused:
        raise Undecryptable from None


async def open_agreement(recipient: KeyAgreement, key: PrivateKey, spki: bytes) -> bytes:
    """The content-encryption key of key agreement.

    :param spki: the recipient's own SubjectPublicKeyInfo: it says the curve, which the originator may leave out (RFC 5753 section 3.1.1).
    :raises Undecryptable:
    """
    clause = "RFC 5753 section 3.1.1"
    scheme, wrapping = algorithms.split(recipient.algorithm, clause=clause)
    if scheme not in algorithms.AGREEMENTS:
        raise algorithms.unsupported(clause, "an unknown key agreement", got=scheme)
    octets = key_encryption.wrap_octets(wrapping, clause=clause)
    own = der.encode(der.decode(_Spki, spki, clause="RFC 5280 section 4.1.2.7").algorithm)
    if algorithms.split(own, clause=clause)[0] != recipient.originator:
        raise Undecryptable
    peer = der.tlv(_SEQUENCE, own, der.tlv(_BIT_STRING, b"\x00", recipient.point))
    try:
        secret = await key.agree(peer)
    except Refused:
        raise Undecryptable from None
    kek = key_encryption.agreed(scheme, secret, wrapping, octets, recipient.ukm)
    return key_encryption.unwrap(kek, recipient.encrypted)


async def open_kem(recipient: Kem, key: PrivateKey) -> bytes:
    """The content-encryption key of an encapsulated secret. :raises Undecryptable:"""
    clause = "RFC 9629 section 3"
    scheme, _ = algorithms.split(recipient.kem, clause=clause)
    kdf, _ = algorithms.split(recipient.kdf, clause=clause)
    octets = key_encryption.wrap_octets(recipient.wrap, clause=clause)
    if scheme not in algorithms.KEMS or kdf not in algorithms.HKDF or octets != recipient.kek_octets:
        raise algorithms.unsupported(clause, "an unknown encapsulation or derivation", expected="ML-KEM and HKDF", got=scheme)
    try:
        secret = await key.decapsulate(recipient.ciphertext)
    except Refused:
        raise Undecryptable from None
    kek = key_encryption.encapsulated(algorithms.HKDF[kdf], secret, recipient.wrap, octets, recipient.ukm)
    return key_encryption.unwrap(kek, recipient.encrypted)


def open_pre_shared(recipient: PreShared, kek: bytes) -> bytes:
    """The content-encryption key wrapped under a shared key. :raises Undecryptable:"""
    if key_encryption.wrap_octets(recipient.algorithm, clause="RFC 5652 section 6.2.3") != len(kek):
        raise Undecryptable
    return key_encryption.unwrap(kek, recipient.encrypted)


def open_password(recipient: Password, secret: bytes, *, maximum: int) -> bytes:
    """The content-encryption key under a password. :param maximum: how many iterations are done. :raises Undecryptable:"""
    name, iv = key_encryption.password_cipher(recipient.algorithm)
    kek = key_encryption.derived(recipient.derivation, secret, algorithms.CBC[name][1], maximum=maximum)
    return key_encryption.password_unwrap(kek, iv, recipient.encrypted)
