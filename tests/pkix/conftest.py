"""Keys, and requests put together octet by octet, so that each can be wrong in one place (X.690 by hand: no part of the server's codec)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes(4, "big").lstrip(b"\0")
    return bytes([tag, 0x80 | len(size)]) + size + content


COMMON_NAME = bytes.fromhex("0603550403")
SUBJECT_ALT_NAME = bytes.fromhex("0603551d11")
BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")
EXTENSION_REQUEST = bytes.fromhex("06092a864886f70d01090e")
MICROSOFT_EXTENSION_REQUEST = bytes.fromhex("060a2b06010401823702010e")
CHALLENGE_PASSWORD = bytes.fromhex("06092a864886f70d010907")
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


class Wire:
    """Makes requests. Every part can be given as octets; what is not given is right."""

    tlv = staticmethod(tlv)

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def spki(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def rdn(self, value: bytes = b"\x0c\x06client", oid: bytes = COMMON_NAME) -> bytes:
        return tlv(0x31, tlv(0x30, oid, value))

    def attribute(self, oid: bytes, *values: bytes) -> bytes:
        return tlv(0x30, oid, tlv(0x31, *values))

    def extension(self, oid: bytes, value: bytes, *, critical: bytes = b"") -> bytes:
        return tlv(0x30, oid, critical, tlv(0x04, value))

    def extension_request(self, *extensions: bytes) -> bytes:
        return self.attribute(EXTENSION_REQUEST, tlv(0x30, *extensions))

    def microsoft_extension_request(self, *extensions: bytes) -> bytes:
        return self.attribute(MICROSOFT_EXTENSION_REQUEST, tlv(0x30, *extensions))

    def names(self, *general_names: bytes) -> bytes:
        return self.extension(SUBJECT_ALT_NAME, tlv(0x30, *general_names))

    def dns(self, text: str) -> bytes:
        return tlv(0x82, text.encode("latin-1"))

    def password(self, value: bytes = b"\x13\x06secret") -> bytes:
        return self.attribute(CHALLENGE_PASSWORD, value)

    def info(
        self,
        *attributes: bytes,
        version: bytes = b"\x02\x01\x00",
        subject: bytes | None = None,
        spki: bytes | None = None,
    ) -> bytes:
        return tlv(0x30, version, subject or tlv(0x30, self.rdn()), spki or self.spki, tlv(0xA0, *attributes))

    def request(
        self,
        *attributes: bytes,
        info: bytes | None = None,
        algorithm: bytes = ECDSA_SHA256,
        signature: bytes | None = None,
        **parts: bytes,
    ) -> bytes:
        info = self.info(*attributes, **parts) if info is None else info
        if signature is None:
            signature = self.key.sign(info, ec.ECDSA(hashes.SHA256()))
        return tlv(0x30, info, algorithm, tlv(0x03, b"\0", signature))


@pytest.fixture(scope="session")
def wire() -> Wire:
    return Wire()


def _sign(key: object, message: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message)  # type: ignore[attr-defined, no-any-return]


@pytest.fixture(scope="session")
def sign() -> Callable[[object, bytes], bytes]:
    """Signs with any kind of key, SHA-256 where there is a choice."""
    return _sign


KINDS: dict[str, Callable[[], object]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey.generate,
}


@pytest.fixture(scope="session", params=list(KINDS))
def kind_and_key(request: pytest.FixtureRequest) -> tuple[str, object]:
    """Each kind of key that is certified, by its name."""
    return request.param, KINDS[request.param]()
