"""Octet key pairs for EdDSA in JOSE (RFC 8037): Ed25519 and Ed448. Keys for key agreement (X25519, X448) cannot sign and are refused."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

from privca.jose import rfc4648
from privca.jose.rfc7518 import bad_key, member, octets

_SUBTYPES: Mapping[str, type[ed25519.Ed25519PublicKey] | type[ed448.Ed448PublicKey]] = {
    "Ed25519": ed25519.Ed25519PublicKey,
    "Ed448": ed448.Ed448PublicKey,
}


def okp_key(jwk: Mapping[str, object]) -> tuple[str, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey]:
    """Kind and key of a JWK with ``kty`` OKP (section 2). :raises Refused: ``BAD_PUBLIC_KEY``."""
    name = member(jwk, "crv")
    if name not in _SUBTYPES:
        raise bad_key("RFC 8037 section 3.1", "a subtype that cannot sign", expected=", ".join(_SUBTYPES), got=ascii(name[:40]))
    value = octets(jwk, "x")
    try:
        return name, _SUBTYPES[name].from_public_bytes(value)
    except (ValueError, UnsupportedAlgorithm):
        raise bad_key("RFC 8037 section 2", f"'x' is not an {name} public key", got=f"{len(value)} octets") from None


def okp_members(key: ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) -> tuple[str, dict[str, str]]:
    """Kind and required members of an EdDSA key (section 2: ``crv``, ``kty``, ``x``)."""
    name = "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "Ed448"
    return name, {"crv": name, "kty": "OKP", "x": rfc4648.encode(key.public_bytes_raw())}
