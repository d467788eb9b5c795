"""Keys that sign JSON Web Signatures: josepy's for RSA and ECDSA, EdDSA (RFC 8037) beside them since josepy lacks it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key
from josepy.jwa import ES256, ES384, ES512, RS256, JWASignature
from josepy.jwk import JWKEC, JWKRSA
from josepy.util import ComparableECKey, ComparableRSAKey

_SIGNATURES: dict[str, JWASignature] = {"ES256": ES256, "ES384": ES384, "ES512": ES512, "RS256": RS256}
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


def b64(octets: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    """The octets of a base64url text without padding. :raises ValueError: if it has padding or other letters."""
    if not text.isascii() or any(not (c.isalnum() or c in "-_") for c in text):
        raise ValueError("not base64url without padding (RFC 7515 section 2)")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Signer(Protocol):
    """Something that signs a JWS."""

    @property
    def alg(self) -> str:
        """The ``alg`` header parameter (RFC 7515 section 4.1.1)."""

    def sign(self, message: bytes) -> bytes:
        """The JWS Signature over the JWS Signing Input."""


class Key:
    """A private key with its JWS algorithm: ES256, ES384, ES512, RS256 or EdDSA."""

    def __init__(self, private: PrivateKey) -> None:
        self.private = private
        self._jwk: dict[str, Any]
        match private:
            case ec.EllipticCurvePrivateKey():
                self.alg = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}[private.curve.name]
                self._jwk = JWKEC(key=ComparableECKey(private.public_key())).to_json()
            case rsa.RSAPrivateKey():
                self.alg = "RS256"
                self._jwk = JWKRSA(key=ComparableRSAKey(private.public_key())).to_json()
            case _:
                self.alg = "EdDSA"
                raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
                curve = "Ed25519" if isinstance(private, ed25519.Ed25519PrivateKey) else "Ed448"
                self._jwk = {"kty": "OKP", "crv": curve, "x": b64(raw)}

    @classmethod
    def make(cls, alg: str = "ES256", *, rsa_bits: int = 2048) -> Key:
        """A new key for ``alg``; for Ed448, which few servers take, ask for ``Ed448``."""
        match alg:
            case "ES256":
                return cls(ec.generate_private_key(ec.SECP256R1()))
            case "ES384":
                return cls(ec.generate_private_key(ec.SECP384R1()))
            case "ES512":
                return cls(ec.generate_private_key(ec.SECP521R1()))
            case "RS256":
                return cls(rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits))
            case "EdDSA":
                return cls(ed25519.Ed25519PrivateKey.generate())
            case "Ed448":
                return cls(ed448.Ed448PrivateKey.generate())
        raise ValueError(f"no key for {alg!r}: ES256, ES384, ES512, RS256, EdDSA or Ed448")

    @classmethod
    def read(cls, pem: bytes) -> Key:
        """A key from an unencrypted PEM file. :raises ValueError: if it is of a kind that signs no JWS."""
        private = load_pem_private_key(pem, None)
        if not isinstance(private, PrivateKey):
            raise ValueError(f"{type(private).__name__} cannot sign a JWS")
        return cls(private)

    def pem(self) -> bytes:
        """The private key as PKCS #8."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def jwk(self) -> dict[str, Any]:
        """The public key as JWK (RFC 7517), a new object each time so that it can be spoilt."""
        return dict(self._jwk)

    def thumbprint(self) -> str:
        """RFC 7638 with SHA-256, base64url."""
        members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}[self._jwk["kty"]]
        text = json.dumps({name: self._jwk[name] for name in members}, separators=(",", ":"))
        return b64(hashlib.sha256(text.encode("ascii")).digest())

    def key_authorization(self, token: str) -> str:
        """RFC 8555 section 8.1."""
        return f"{token}.{self.thumbprint()}"

    def sign(self, message: bytes) -> bytes:
        """RFC 7518 section 3 and RFC 8037 section 3.1."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return self.private.sign(message)
        return bytes(_SIGNATURES[self.alg].sign(self.private, message))


class MacKey:
    """An external account binding key (RFC 8555 section 7.3.4): ``kid`` and the HMAC key in base64url, as a CA hands them out."""

    def __init__(self, kid: str, hmac_key: str, alg: str = "HS256") -> None:
        self.kid = kid
        self.alg = alg
        self._key = unb64(hmac_key.rstrip("="))

    def sign(self, message: bytes) -> bytes:
        """RFC 7518 section 3.2."""
        return hmac.digest(self._key, message, {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[self.alg])
