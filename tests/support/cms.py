"""Both sides of CMS for tests: keys in this process behind the ports of ``privca.pkix.rfc5652``, certificates, and ``openssl cms``."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_public_key
from cryptography.x509.oid import NameOID

from privca.base.refused import Reason, Refused
from privca.pkix import algorithms
from privca.pkix.algorithms import Oaep
from privca.pkix.rfc5652.identifiers import Identifier, Named
from privca.pkix.rfc5652.signing import SigningParty, default_digest, signature_algorithm

T = TypeVar("T")
OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the program openssl is not there")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Drive to its end what never has to wait."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("something waited")


def openssl(directory: Path, *arguments: str) -> bytes:
    """What the program writes with these arguments in this directory; it must succeed."""
    done = subprocess.run(
        [OPENSSL or "openssl", *arguments], cwd=directory, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class LocalKey:
    """A private key behind the port of a recipient."""

    def __init__(self, key: Any) -> None:
        self.key = key

    async def decrypt(self, ciphertext: bytes, oaep: Oaep | None = None) -> bytes:
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if oaep is not None:
            mask = padding.MGF1(algorithms.HASHES[oaep.mask])
            scheme = padding.OAEP(mask, algorithms.HASHES[oaep.hash_name], oaep.label or None)
        try:
            return bytes(self.key.decrypt(ciphertext, scheme))
        except ValueError:
            raise Refused(Reason.MALFORMED, "keys: decipherment", "this cannot be deciphered") from None

    async def agree(self, peer: bytes) -> bytes:
        public_key: Any = load_der_public_key(peer)
        if isinstance(self.key, x25519.X25519PrivateKey):
            return self.key.exchange(public_key)
        return bytes(self.key.exchange(ec.ECDH(), public_key))

    async def decapsulate(self, ciphertext: bytes) -> bytes:
        return bytes(self.key.decapsulate(ciphertext))


def local_signer(key: Any, identifier: Identifier, digest_name: str = "", *, pss: bool = False) -> SigningParty:
    """A signer whose key is in this process."""
    name = digest_name or default_digest(key.public_key())

    async def sign_here(message: bytes) -> bytes:
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, ec.ECDSA(algorithms.HASHES[name]))
        if isinstance(key, rsa.RSAPrivateKey):
            hash_algorithm = algorithms.HASHES[name]
            scheme = padding.PSS(padding.MGF1(hash_algorithm), hash_algorithm.digest_size) if pss else padding.PKCS1v15()
            return key.sign(message, scheme, hash_algorithm)
        return bytes(key.sign(message))

    return SigningParty(identifier, name, signature_algorithm(key.public_key(), name, pss=pss), sign_here)


def make_key(kind: str) -> Any:
    """A new private key of a kind, as profiles spell it."""
    return {
        "RSA": lambda: rsa.generate_private_key(65537, 2048),
        "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate,
        "Ed448": ed448.Ed448PrivateKey.generate,
        "ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
        "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
        "X25519": x25519.X25519PrivateKey.generate,
        "ML-KEM-768": mlkem.MLKEM768PrivateKey.generate,
        "ML-KEM-1024": mlkem.MLKEM1024PrivateKey.generate,
    }[kind]()


def certify(public_key: Any, common_name: str = "someone", *, signer: Any = None, key_identifier: bool = True) -> bytes:
    """A certificate of a public key as DER, signed by ``signer``, or by a key of no importance."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        name, name, public_key, x509.random_serial_number(), now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1)
    )
    if key_identifier:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    builder = builder.add_extension(x509.KeyUsage(True, False, True, False, True, False, False, False, False), critical=True)
    key = signer or ec.generate_private_key(ec.SECP256R1())
    own = isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return builder.sign(key, hashes.SHA256() if own else None).public_bytes(Encoding.DER)


def named(public_key: Any, **options: Any) -> Named:
    """What a certificate of this key says of itself."""
    return Named.read(certify(public_key, **options))


def pem(der: bytes) -> bytes:
    """A certificate as PEM."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def private_pem(key: Any) -> bytes:
    """A private key as PEM."""
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
