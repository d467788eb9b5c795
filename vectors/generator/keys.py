"""Keys of the generated vectors, and what is signed with them: the same octets each time.

RSA signatures are PKCS #1 v1.5, those of EC keys deterministic (RFC 6979).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import AttributeOID, NameOID

from vectors import loader
from vectors.generator.conversation import Entropy


@cache
def key(name: str) -> Any:
    """A private key of the folder ``keys``: ``vector-client-rsa``."""
    return load_pem_private_key(loader.file(f"{name}.key").read_bytes(), None)


@cache
def ca() -> x509.Certificate:
    """The CA of the generated situations."""
    return x509.load_pem_x509_certificate(loader.file("vector-ca.pem").read_bytes())


def spki(private: Any) -> bytes:
    """The SubjectPublicKeyInfo of a key, DER."""
    octets: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return octets


def signature(private: Any, octets: bytes) -> bytes:
    """A signature, with SHA-256 where the key wants a hash."""
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(octets, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    return private.sign(octets)


def csr(private: Any, common_name: str, *names: str, challenge: str = "") -> bytes:
    """A PKCS #10 request, DER."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    if challenge:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
    request: x509.CertificateSigningRequest = _signed(builder, private)
    return request.public_bytes(Encoding.DER)


def self_signed(private: Any, common_name: str, entropy: Entropy) -> bytes:
    """The self-signed certificate of a SCEP client's first message (RFC 8894 section 2.3), DER."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = ca().not_valid_before_utc
    serial = int.from_bytes(entropy.octets(16), "big") >> 1
    builder = x509.CertificateBuilder(name, name, private.public_key(), serial, now, now.replace(month=2))
    certificate: x509.Certificate = _signed(builder, private)
    return certificate.public_bytes(Encoding.DER)


def _signed(builder: Any, private: Any) -> Any:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return builder.sign(private, None)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return builder.sign(private, hashes.SHA256(), ecdsa_deterministic=True)
    return builder.sign(private, hashes.SHA256())


def wrapped(certificate: x509.Certificate, content_key: bytes, entropy: Entropy) -> bytes:
    """A key encrypted by RSAES-PKCS1-v1_5 (RFC 8017 section 7.2.1) with padding that is the same each time."""
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    numbers, size = public.public_numbers(), public.key_size // 8
    padded = b"\x00\x02" + entropy.nonzero(size - 3 - len(content_key)) + b"\x00" + content_key
    return pow(int.from_bytes(padded, "big"), numbers.e, numbers.n).to_bytes(size, "big")
