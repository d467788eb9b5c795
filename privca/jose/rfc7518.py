"""JSON Web Algorithms (RFC 7518) that ACME uses: ECDSA, RSASSA-PKCS1-v1_5 and HMAC with their keys.

Signatures and MACs stand in two tables that are never looked at together: what verifies with a public key cannot be asked for with
a MAC algorithm, so a public key can never serve as a MAC key. ``none`` is in neither.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils

from privca.base.refused import Reason, Refused
from privca.jose import rfc4648

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey

SIGNATURES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "ES256": frozenset({"P-256"}),
        "ES384": frozenset({"P-384"}),
        "ES512": frozenset({"P-521"}),
        "RS256": frozenset({"RSA"}),
        "EdDSA": frozenset({"Ed25519", "Ed448"}),
    }
)
"""Signature algorithms, and the kinds of key that each goes with (sections 3.3 and 3.4, RFC 8037 section 3.1)."""
MACS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {"HS256": ("sha256", 32), "HS384": ("sha384", 48), "HS512": ("sha512", 64)}
)
"""MAC algorithms: hash, and octets of the MAC, which are also the fewest that its key may have (section 3.2)."""

CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = MappingProxyType(
    {"P-256": (ec.SECP256R1(), 32), "P-384": (ec.SECP384R1(), 48), "P-521": (ec.SECP521R1(), 66)}
)
"""Curves by their JWK name, with the octets of a coordinate and of either half of a signature."""
_CURVE_NAMES = {curve.name: name for name, (curve, _) in CURVES.items()}
_ECDSA = {"P-256": ec.ECDSA(hashes.SHA256()), "P-384": ec.ECDSA(hashes.SHA384()), "P-521": ec.ECDSA(hashes.SHA512())}
_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()

RSA_MINIMUM = 2048
RSA_MAXIMUM = 8192
"""Bits of an RSA modulus: section 3.3 sets the lower bound, the time of a verification the upper one."""
EXPONENT_MAXIMUM = (1 << 64) - 1


def verify(algorithm: str, key: PublicKey, signature: bytes, message: bytes) -> None:
    """Verify a signature with a key of the kind that :data:`SIGNATURES` has for the algorithm; the caller has checked that.

    :raises Refused: ``BAD_SIGNATURE``.
    """
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            kind = _CURVE_NAMES[key.curve.name]
            width = CURVES[kind][1]
            if len(signature) != 2 * width:
                raise Refused(
                    Reason.BAD_SIGNATURE,
                    "RFC 7518 section 3.4",
                    f"an {algorithm} signature is R and S at full width, one after the other",
                    expected=f"{2 * width} octets",
                    got=str(len(signature)),
                )
            r, s = int.from_bytes(signature[:width], "big"), int.from_bytes(signature[width:], "big")
            key.verify(utils.encode_dss_signature(r, s), message, _ECDSA[kind])
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, _PKCS1, _SHA256)
        else:
            key.verify(signature, message)
    except InvalidSignature:
        raise Refused(Reason.BAD_SIGNATURE, "RFC 7515 section 5.2", "the signature does not verify with this key") from None


def verifies_mac(algorithm: str, key: bytes, mac: bytes, message: bytes) -> bool:
    """Whether an HMAC (section 3.2) is right, compared in constant time; never with a key that is shorter than the MAC."""
    hash_name, octets = MACS[algorithm]
    return len(key) >= octets and hmac.compare_digest(hmac.digest(key, message, hash_name), mac)


def member(jwk: Mapping[str, object], name: str) -> str:
    """A required member of a JWK that is a string. :raises Refused: ``BAD_PUBLIC_KEY``."""
    value = jwk.get(name)
    if not isinstance(value, str):
        raise bad_key("RFC 7517 section 4", f"the JWK has no member '{name}' that is a string")
    return value


def octets(jwk: Mapping[str, object], name: str) -> bytes:
    """A required member of a JWK that is base64url, decoded. :raises Refused: ``BAD_PUBLIC_KEY``."""
    return rfc4648.decode(member(jwk, name), f"the JWK member '{name}'", Reason.BAD_PUBLIC_KEY)


def bad_key(clause: str, detail: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    """The refusal of a key."""
    return Refused(Reason.BAD_PUBLIC_KEY, clause, detail, expected=expected, got=got)


def ec_key(jwk: Mapping[str, object]) -> tuple[str, ec.EllipticCurvePublicKey]:
    """Kind and key of a JWK with ``kty`` EC (section 6.2.1). :raises Refused: ``BAD_PUBLIC_KEY``."""
    name = member(jwk, "crv")
    if name not in CURVES:
        raise bad_key(
            "RFC 7518 section 6.2.1.1", "a curve that is not supported", expected=", ".join(CURVES), got=ascii(name[:40])
        )
    curve, width = CURVES[name]
    point = b"\x04"
    for coordinate, clause in (("x", "RFC 7518 section 6.2.1.2"), ("y", "RFC 7518 section 6.2.1.3")):
        value = octets(jwk, coordinate)
        if len(value) != width:
            raise bad_key(
                clause,
                f"'{coordinate}' is written at the full width of the curve",
                expected=f"{width} octets",
                got=str(len(value)),
            )
        point += value
    try:
        return name, ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError:
        raise bad_key("RFC 7518 section 6.2.1", f"the point is not on {name}") from None


def ec_members(key: ec.EllipticCurvePublicKey) -> tuple[str, dict[str, str]]:
    """Kind and required members (RFC 7638 section 3.2) of an EC key; coordinates keep their zeros (RFC 8555 erratum 7565)."""
    name = _CURVE_NAMES.get(key.curve.name)
    if name is None:
        raise bad_key(
            "RFC 7518 section 6.2.1.1", "a curve that JWK has no name for", expected=", ".join(CURVES), got=key.curve.name
        )
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    width = CURVES[name][1]
    return name, {
        "crv": name,
        "kty": "EC",
        "x": rfc4648.encode(point[1 : 1 + width]),
        "y": rfc4648.encode(point[1 + width :]),
    }


def rsa_key(jwk: Mapping[str, object]) -> tuple[str, rsa.RSAPublicKey]:
    """Kind and key of a JWK with ``kty`` RSA (section 6.3.1). :raises Refused: ``BAD_PUBLIC_KEY``.

    Zero octets in front of ``n`` and ``e`` are dropped, not refused: RFC 8555 section 8.1 (erratum 7565) tells the server to strip them.
    """
    n, e = (int.from_bytes(octets(jwk, name), "big") for name in ("n", "e"))
    if not RSA_MINIMUM <= n.bit_length() <= RSA_MAXIMUM:
        raise bad_key(
            "RFC 7518 section 3.3",
            "RSA modulus of the wrong size",
            expected=f"{RSA_MINIMUM} to {RSA_MAXIMUM} bits",
            got=f"{n.bit_length()} bits",
        )
    if not (n & 1 and e & 1 and 3 <= e <= EXPONENT_MAXIMUM):
        raise bad_key(
            "RFC 8017 section 3.1", "modulus and exponent are not those of an RSA key: odd, exponent from 3 to 2^64 - 1"
        )
    return "RSA", rsa.RSAPublicNumbers(e, n).public_key()


def rsa_members(key: rsa.RSAPublicKey) -> tuple[str, dict[str, str]]:
    """Kind and required members (RFC 7638 section 3.2) of an RSA key, each number in the fewest octets (section 2)."""
    numbers = key.public_numbers()
    e, n = (rfc4648.encode(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (numbers.e, numbers.n))
    return "RSA", {"e": e, "kty": "RSA", "n": n}
