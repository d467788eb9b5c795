"""Private keys in files: one PKCS #8 PEM file for each reference, in a directory that is ours alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from privca.base.refused import Reason, Refused
from privca.keys.files import private_directory, read_private, write_private
from privca.pkix import algorithms
from privca.pkix.algorithms import Oaep
from privca.pkix.signatures import HASHES

Offload: TypeAlias = Callable[[Callable[[], bytes]], Awaitable[bytes]]
"""Runs a slow call where it stops nobody else (a thread), and gives its result."""

_Inline: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_Offloaded: TypeAlias = rsa.RSAPrivateKey | mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
_Signing: TypeAlias = _Inline | _Offloaded
_Deciphering: TypeAlias = x25519.X25519PrivateKey | mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey
_PrivateKey: TypeAlias = _Signing | _Deciphering

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MAXIMUM_OCTETS = 1 << 16
_LARGE = 1 << 16
"""Octets of a message whose hashing takes longer than a signature."""
_INLINE_BITS = 2048
KINDS: dict[str, Callable[[], _PrivateKey]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA-3072": lambda: rsa.generate_private_key(65537, 3072),
    "RSA-4096": lambda: rsa.generate_private_key(65537, 4096),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey.generate,
    "X25519": x25519.X25519PrivateKey.generate,
    "ML-KEM-768": mlkem.MLKEM768PrivateKey.generate,
    "ML-KEM-1024": mlkem.MLKEM1024PrivateKey.generate,
}
"""How each kind of key is made."""
# OAEP and MGF1 do not rest on collision resistance; SHA-1 is what RFC 4055 section 4.1 makes their default, and what clients send.
_OAEP_HASHES: dict[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), **HASHES}  # noqa: S303


class SoftwareKeys:
    """Implements :class:`privca.issuance.ports.Keys` over a directory.

    EC, Ed25519 and RSA keys of up to 2048 bits work at once, in 0.1 to 0.7 ms, of which a thread's switch would take a fifth more; larger
    RSA keys, ML-DSA signatures and the making of keys go through ``offload``.
    A key is read once and kept.

    :raises Refused: ``INTERNAL`` if others can enter the directory.
    """

    def __init__(self, directory: Path, offload: Offload) -> None:
        private_directory(directory)
        self._directory = directory
        self._offload = offload
        self._loaded: dict[str, _PrivateKey] = {}

    def __repr__(self) -> str:
        return f"SoftwareKeys({str(self._directory)!r})"

    async def generate(self, reference: str, kind: str) -> bytes:
        """Make a key of ``kind`` (as ``CertificateAuthority.key`` spells it) under a new reference; its SubjectPublicKeyInfo as DER.

        :raises Refused: ``INTERNAL`` if the reference is taken or is none; :class:`ValueError` for an unknown kind.
        """
        path = self._path(reference)
        if kind not in KINDS:
            raise ValueError(f"unknown kind of key {kind!r}: one of {', '.join(KINDS)}")

        def make() -> bytes:
            key = KINDS[kind]()
            write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            return _spki(key)

        return await self._offload(make)

    async def public_key(self, reference: str) -> bytes:
        """SubjectPublicKeyInfo as DER. :raises Refused: ``INTERNAL`` if there is no such key or its file is not as it should be."""
        return _spki(self._load(reference))

    async def sign(self, reference: str, message: bytes, hash_name: str) -> bytes:
        """Sign ``message``: ECDSA or RSA PKCS #1 v1.5 with ``hash_name`` (sha256, sha384, sha512; RSA also the older ones, for replies
        to devices that know nothing else); Ed25519 and ML-DSA ignore it.

        :raises Refused: as :meth:`public_key`; :class:`KeyError` for an unknown hash.
        """
        key = self._load(reference)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            if len(message) <= _LARGE:
                return key.sign(message, ec.ECDSA(HASHES[hash_name]))
            # A CRL may have megabytes; hashlib lets others run meanwhile.
            digest = await self._offload(lambda: hashlib.new(hash_name, message).digest())
            return key.sign(digest, ec.ECDSA(Prehashed(HASHES[hash_name])))
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(message)
        if isinstance(key, rsa.RSAPrivateKey):
            rsa_key, algorithm = key, algorithms.HASHES[hash_name]
            if key.key_size <= _INLINE_BITS and len(message) <= _LARGE:
                return key.sign(message, padding.PKCS1v15(), algorithm)
            return await self._offload(lambda: rsa_key.sign(message, padding.PKCS1v15(), algorithm))
        if isinstance(key, _Deciphering):
            raise _wrong_kind(reference, "sign")
        mldsa_key = key
        return await self._offload(lambda: mldsa_key.sign(message))

    async def decrypt(self, reference: str, ciphertext: bytes, oaep: Oaep | None = None) -> bytes:
        """Decrypt with an RSA key: RSAES-OAEP, or without its parameters RSAES-PKCS1-v1_5 with implicit rejection.

        :raises Refused: ``MALFORMED`` if it cannot be deciphered, ``INTERNAL`` as :meth:`public_key` and for a key that is not RSA.
        """
        key = self._load(reference)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise _wrong_kind(reference, "decrypt")
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if oaep is not None:
            mask = padding.MGF1(_OAEP_HASHES[oaep.mask])
            scheme = padding.OAEP(mask, _OAEP_HASHES[oaep.hash_name], oaep.label or None)

        def work() -> bytes:
            try:
                return key.decrypt(ciphertext, scheme)
            except ValueError:
                raise _undeciphered() from None

        return work() if key.key_size <= _INLINE_BITS else await self._offload(work)

    async def agree(self, reference: str, peer: bytes) -> bytes:
        """The secret shared with a peer's public key (SubjectPublicKeyInfo as DER): ECDH or X25519, no key derivation.

        :raises Refused: as :meth:`decrypt`, ``MALFORMED`` for a public key that is not on our curve, too.
        """
        key = self._load(reference)
        if not isinstance(key, ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey):
            raise _wrong_kind(reference, "agree on a secret")
        try:
            public_key = load_der_public_key(peer)
            if isinstance(key, x25519.X25519PrivateKey):
                if isinstance(public_key, x25519.X25519PublicKey):
                    return key.exchange(public_key)
            elif isinstance(public_key, ec.EllipticCurvePublicKey):
                return key.exchange(ec.ECDH(), public_key)
        except (ValueError, UnsupportedAlgorithm):
            raise _undeciphered() from None
        raise _undeciphered()

    async def decapsulate(self, reference: str, ciphertext: bytes) -> bytes:
        """The shared secret of an ML-KEM ciphertext (FIPS 203: a wrong one gives a secret that nobody knows). :raises Refused: as :meth:`decrypt`."""
        key = self._load(reference)
        if not isinstance(key, mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey):
            raise _wrong_kind(reference, "decapsulate")
        try:
            return key.decapsulate(ciphertext)
        except ValueError:
            raise _undeciphered() from None

    def _path(self, reference: str) -> Path:
        # A reference is a name in our directory and nothing else: no separator, no leading dot.
        if not _REFERENCE.fullmatch(reference):
            raise Refused(
                Reason.INTERNAL, "keys: reference", "not a key reference", expected=_REFERENCE.pattern, got=repr(reference[:80])
            )
        return self._directory / f"{reference}.pem"

    def _load(self, reference: str) -> _PrivateKey:
        key = self._loaded.get(reference)
        if key is None:
            key = self._loaded[reference] = _read(self._path(reference))
        return key


def _wrong_kind(reference: str, what: str) -> Refused:
    return Refused(Reason.INTERNAL, "keys: kind", f"this kind of key does not {what}", got=reference)


def _undeciphered() -> Refused:
    """One refusal for whatever is wrong with what was to be deciphered."""
    return Refused(Reason.MALFORMED, "keys: decipherment", "this cannot be deciphered")


def _read(path: Path) -> _PrivateKey:
    try:
        key = load_pem_private_key(read_private(path, _MAXIMUM_OCTETS), None)
    except (ValueError, TypeError):
        # Not chained: what a parser says of a file with a key in it stays here.
        raise Refused(Reason.INTERNAL, "keys: format", f"{path}: not an unencrypted PKCS #8 PEM file") from None
    if not isinstance(key, _PrivateKey):
        raise Refused(Reason.INTERNAL, "keys: format", f"{path}: a kind of key that is not used here", expected=", ".join(KINDS))
    return key


def _spki(key: _PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
