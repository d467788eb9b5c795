"""Who asks for certificates: keys, the self-signed certificates of first requests (RFC 8894 section 2.3), and PKCS #10 requests."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from conformance.scep.algorithms import DIGESTS
from conformance.scep.structures import issuer_and_serial

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
CHALLENGE_PASSWORD = x509.ObjectIdentifier("1.2.840.113549.1.9.7")


@cache
def rsa_key(number: int) -> rsa.RSAPrivateKey:
    """An RSA key of 2048 bits, the same one for the same number: making one takes long, and cases need few different ones."""
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key(number: int) -> ec.EllipticCurvePrivateKey:
    """A P-256 key, which cannot decipher."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, slots=True)
class Signer:
    """A key with its certificate (DER)."""

    key: PrivateKey
    certificate: bytes

    @property
    def identifier(self) -> bytes:
        """Its IssuerAndSerialNumber."""
        return issuer_and_serial(self.certificate)

    @property
    def spki(self) -> bytes:
        """Its public key."""
        return public_octets(self.key.public_key())

    def sign(self, octets: bytes, digest: str) -> bytes:
        """A signature, PKCS #1 v1.5 or ECDSA."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(octets, padding.PKCS1v15(), DIGESTS[digest][1])
        return self.key.sign(octets, ec.ECDSA(DIGESTS[digest][1]))


def public_octets(key: object) -> bytes:
    """A SubjectPublicKeyInfo as DER."""
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def name(common_name: str) -> x509.Name:
    """A subject of one attribute."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def self_signed(key: PrivateKey, subject: x509.Name) -> Signer:
    """The certificate that a client makes for itself, as section 2.3 has it."""
    now, deciphers = dt.datetime.now(dt.UTC), isinstance(key, rsa.RSAPrivateKey)
    builder = x509.CertificateBuilder(
        subject,
        subject,
        key.public_key(),
        int.from_bytes(os.urandom(16), "big") >> 1 | 1,
        now - dt.timedelta(hours=1),
        now + dt.timedelta(days=1),
    ).add_extension(x509.KeyUsage(True, False, deciphers, False, False, False, False, False, False), critical=True)
    return Signer(key, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def request(key: PrivateKey, subject: x509.Name, *, names: Sequence[str] = (), challenge: str | None = None) -> bytes:
    """A PKCS #10 as DER. :param names: DNS names. :param challenge: the challengePassword (RFC 2985 section 5.4.1)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
    if challenge is not None:
        builder = builder.add_attribute(CHALLENGE_PASSWORD, challenge.encode())
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
