"""Public keys that we do not certify: of a kind that cannot sign, too small, too large, malformed, or known to be broken.

The checks are ordered from cheap to dear, so that a key that would make the later ones (or the verification of its signature) slow
never reaches them: nothing below takes more than some milliseconds even for 8192 bits.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, mlkem, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from privca.base.refused import Reason, Refused

SigningPublicKey: TypeAlias = (
    ec.EllipticCurvePublicKey
    | rsa.RSAPublicKey
    | ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | mldsa.MLDSA44PublicKey
    | mldsa.MLDSA65PublicKey
    | mldsa.MLDSA87PublicKey
)
CertifiedPublicKey: TypeAlias = (
    SigningPublicKey | x25519.X25519PublicKey | x448.X448PublicKey | mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey
)
"""Keys that a certificate can be for: those that sign, and those that agree on a key or encapsulate one."""
AGREES = (x25519.X25519PublicKey, x448.X448PublicKey, mlkem.MLKEM768PublicKey, mlkem.MLKEM1024PublicKey)
"""Classes of the keys that do not sign."""

RSA_MINIMUM = 2048
RSA_MAXIMUM = 8192
# FIPS 186-5 section A.1.1 asks for more than 2^16. OpenSSL verifies no exponent over 64 bits once the modulus has more than 3072.
EXPONENT_MINIMUM = 65537
EXPONENT_MAXIMUM = (1 << 64) - 1
BLACKLISTS = Path("/usr/share/openssl-blacklist")
"""Where the Debian package openssl-blacklist (and its -extra) puts its lists, if it is installed."""

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_CLASSES: tuple[tuple[type, str, int], ...] = (
    (ed25519.Ed25519PublicKey, "Ed25519", 256),
    (ed448.Ed448PublicKey, "Ed448", 456),
    (mldsa.MLDSA44PublicKey, "ML-DSA-44", 1312 * 8),
    (mldsa.MLDSA65PublicKey, "ML-DSA-65", 1952 * 8),
    (mldsa.MLDSA87PublicKey, "ML-DSA-87", 2592 * 8),
    (x25519.X25519PublicKey, "X25519", 256),
    (x448.X448PublicKey, "X448", 448),
    (mlkem.MLKEM768PublicKey, "ML-KEM-768", 1184 * 8),
    (mlkem.MLKEM1024PublicKey, "ML-KEM-1024", 1568 * 8),
)


def _refuse(clause: str, detail: str, *, expected: str | None = None, got: str | None = None) -> Refused:
    return Refused(Reason.BAD_PUBLIC_KEY, clause, detail, expected=expected, got=got)


def kind(public_key: PublicKeyTypes) -> str:
    """The name of the key's kind as profiles spell it: ``P-256``, ``RSA``, ``Ed25519``, ``ML-DSA-65`` ...

    :raises Refused: ``BAD_PUBLIC_KEY`` for kinds that we never certify.
    """
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        name = _CURVES.get(public_key.curve.name)
        if name is None:
            raise _refuse(
                "RFC 5480 section 2.1.1.1",
                "a curve that we do not certify",
                expected="P-256, P-384 or P-521",
                got=public_key.curve.name,
            )
        return name
    if isinstance(public_key, rsa.RSAPublicKey):
        return "RSA"
    for cls, name, _ in _CLASSES:
        if isinstance(public_key, cls):
            return name
    raise _refuse(
        "RFC 5280 section 4.1.2.7",
        "a kind of key that we do not certify",
        expected="EC, RSA, Ed25519, Ed448, X25519, X448, ML-DSA or ML-KEM",
        got=type(public_key).__name__.removesuffix("PublicKey"),
    )


def bits(public_key: PublicKeyTypes) -> int:
    """Size of the key in bits: of the modulus (RSA), of the field (EC), of the encoded public key (all others)."""
    if isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return public_key.key_size
    name = kind(public_key)
    return next(size for _, known, size in _CLASSES if known == name)


def check(public_key: PublicKeyTypes, *, blacklists: Path = BLACKLISTS) -> None:
    """Refuse a key that cannot sign, is not a valid key, or is known to be weak.

    That an EC point lies on its curve is checked when the key is made from its octets: no key object with another point exists.

    :param blacklists: directory with lists of Debian weak keys in openssl-blacklist format; those that are not there are not checked.
    :raises Refused: ``BAD_PUBLIC_KEY``.
    """
    name = kind(public_key)
    if isinstance(public_key, rsa.RSAPublicKey):
        numbers = public_key.public_numbers()
        check_rsa(numbers.n, numbers.e, blacklists=blacklists)
    elif isinstance(public_key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        _check_order(name, public_key.public_bytes_raw())
    elif isinstance(public_key, x25519.X25519PublicKey | x448.X448PublicKey):
        _check_agreement(name, public_key.public_bytes_raw())


def _check_order(name: str, octets: bytes) -> None:
    """Refuse points of small order, under which anybody can make signatures that verify (RFC 8032 sections 5.1.7 and 5.2.7)."""
    if name == "Ed25519":
        prime, small = _PRIME_25519, _SMALL_25519
        y = int.from_bytes(octets, "little") & ((1 << 255) - 1)
    else:
        prime, small = _PRIME_448, _SMALL_448
        y = int.from_bytes(octets[:56], "little")
    if y % prime in small:
        raise _refuse("RFC 8032 section 5", f"the {name} public key is a point of small order")
    if y >= prime:
        raise _refuse(
            "RFC 8032 section 5.1.3" if name == "Ed25519" else "RFC 8032 section 5.2.3", f"the {name} public key is not canonical"
        )


def _check_agreement(name: str, octets: bytes) -> None:
    """Refuse points of small order, with which anybody agrees on zero (RFC 7748 section 6)."""
    u = int.from_bytes(octets, "little")
    if name == "X25519":
        u &= (1 << 255) - 1
    prime, small = (_PRIME_25519, _SMALL_X25519) if name == "X25519" else (_PRIME_448, _SMALL_X448)
    if u % prime in small:
        raise _refuse("RFC 7748 section 6", f"the {name} public key is a point of small order")


def check_rsa(n: int, e: int, *, blacklists: Path = BLACKLISTS) -> None:
    """Refuse a weak RSA public key (RFC 8017 section 3.1) given as modulus and public exponent."""
    clause = "RFC 8017 section 3.1"
    size = n.bit_length()
    if not RSA_MINIMUM <= size <= RSA_MAXIMUM:
        raise _refuse(
            clause, "RSA modulus of the wrong size", expected=f"{RSA_MINIMUM} to {RSA_MAXIMUM} bits", got=f"{size} bits"
        )
    if not e & 1:
        raise _refuse(clause, "the RSA public exponent is even")
    if not EXPONENT_MINIMUM <= e <= EXPONENT_MAXIMUM:
        raise _refuse(
            clause,
            "the RSA public exponent is out of range (FIPS 186-5 section A.1.1)",
            expected="65537 to 2^64 - 1",
            got=str(e) if e < EXPONENT_MINIMUM else f"{e.bit_length()} bits",
        )
    if not n & 1:
        raise _refuse(clause, "the RSA modulus is even")
    if math.gcd(_small_primes_product() % n, n) != 1:
        raise _refuse(clause, "the RSA modulus has a small prime factor")
    if is_roca(n):
        raise _refuse(clause, "the RSA modulus has the fingerprint of the ROCA weakness (CVE-2017-15361)")
    if _factors_by_fermat(n):
        raise _refuse(clause, "the prime factors of the RSA modulus are too close to each other (CVE-2022-26320)")
    if blacklisted(n, blacklists):
        raise _refuse(clause, "the RSA key is one of the Debian weak keys (CVE-2008-0166)")


def _primes(below: int) -> list[int]:
    """All primes below ``below``, by Eratosthenes' sieve."""
    sieve = bytearray([1]) * below
    sieve[:2] = b"\0\0"
    for number in range(2, math.isqrt(below) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, below, number)))
    return [number for number in range(below) if sieve[number]]


_SMALL_FACTORS_BELOW = 1 << 14


@cache
def _small_primes_product() -> int:
    return math.prod(_primes(_SMALL_FACTORS_BELOW))


def _subgroup(prime: int) -> int:
    """The powers of 65537 modulo ``prime`` as a bit mask."""
    mask, power = 0, 1
    while not mask >> power & 1:
        mask |= 1 << power
        power = power * 65537 % prime
    return mask


# Infineon's primes are k * M + (65537^a mod M), M a product of the first primes, so the modulus is a power of 65537 modulo each of them.
# Primes of which 65537 generates the whole group tell nothing; the others together let one random modulus in about 2^27 pass.
_ROCA = tuple((prime, _subgroup(prime)) for prime in _primes(168) if prime > 2 and _subgroup(prime).bit_count() < prime - 1)


def is_roca(n: int) -> bool:
    """Whether the modulus carries the fingerprint of keys made by the Infineon library (Nemec et al., CCS 2017)."""
    return all(mask >> (n % prime) & 1 for prime, mask in _ROCA)


_FERMAT_ROUNDS = 100


def _factors_by_fermat(n: int) -> bool:
    """Whether Fermat's method finds the factors within a hundred rounds, as it does only for primes that were chosen close together."""
    a = math.isqrt(n - 1) + 1
    remainder = a * a - n
    for _ in range(_FERMAT_ROUNDS):
        # A square is 0, 1, 4 or 9 modulo 16: three of four candidates need no root.
        if remainder & 15 in (0, 1, 4, 9) and math.isqrt(remainder) ** 2 == remainder:
            return True
        remainder += 2 * a + 1
        a += 1
    return False


@cache
def _blacklist(path: Path) -> frozenset[str]:
    """The lines of one list: the last 80 bits, in hex, of the SHA-1 of what ``openssl rsa -modulus`` prints."""
    if not path.is_file():
        return frozenset()
    return frozenset(line for line in path.read_text("ascii").split("\n") if line and not line.startswith("#"))


def blacklisted(n: int, blacklists: Path) -> bool:
    """Whether a list of Debian weak keys for this modulus size is there and has this modulus."""
    listed = _blacklist(blacklists / f"blacklist.RSA-{n.bit_length()}")
    return bool(listed) and hashlib.sha1(b"Modulus=%X\n" % n, usedforsecurity=False).hexdigest()[20:] in listed


_PRIME_25519 = (1 << 255) - 19
_PRIME_448 = (1 << 448) - (1 << 224) - 1
# The y coordinates of all points whose order divides the cofactor; the sign of x, and encodings above the prime, change nothing.
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_SMALL_25519 = frozenset((0, 1, _PRIME_25519 - 1, _ORDER_8, _PRIME_25519 - _ORDER_8))
_SMALL_448 = frozenset((0, 1, _PRIME_448 - 1))
# The same points on the Montgomery curves, u = (1 + y) / (1 - y) (RFC 7748 section 4.1), and -1, which is on the twist.
_SMALL_X25519 = frozenset((1 + y) * pow(1 - y, -1, _PRIME_25519) % _PRIME_25519 for y in _SMALL_25519 if y != 1) | {
    _PRIME_25519 - 1
}
_SMALL_X448 = frozenset((0, 1, _PRIME_448 - 1))
