"""ECDSA and RSA signatures at the edges: widths, encodings, numbers out of range."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from privca.base.refused import Reason, Refused
from privca.jose import rfc7518

MESSAGE = b"eyJhbGciOiJFUzI1NiJ9.e30"
CASES = [
    ("ES256", ec.SECP256R1(), hashes.SHA256(), 32),
    ("ES384", ec.SECP384R1(), hashes.SHA384(), 48),
    ("ES512", ec.SECP521R1(), hashes.SHA512(), 66),
]


def refusal(algorithm: str, key: rfc7518.PublicKey, signature: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        rfc7518.verify(algorithm, key, signature, MESSAGE)
    assert caught.value.reason is Reason.BAD_SIGNATURE
    return caught.value


def signature_with(
    key: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm, fits: Callable[[int, int], bool]
) -> tuple[bytes, int, int]:
    for _ in range(20000):
        der = key.sign(MESSAGE, ec.ECDSA(digest))
        r, s = decode_dss_signature(der)
        if fits(r, s):
            return der, r, s
    raise AssertionError("no such signature in 20000 attempts")


@pytest.mark.parametrize(("algorithm", "curve", "digest", "width"), CASES, ids=[case[0] for case in CASES])
def test_r_and_s_have_the_full_width(algorithm: str, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm, width: int) -> None:
    private = ec.generate_private_key(curve)
    public = private.public_key()
    der, r, s = signature_with(private, digest, lambda _r, _s: True)
    both = r.to_bytes(width, "big") + s.to_bytes(width, "big")
    rfc7518.verify(algorithm, public, both, MESSAGE)
    clause = "RFC 7518 section 3.4"
    assert refusal(algorithm, public, der).clause == clause
    for wrong in (
        b"",
        both[:-1],
        both[1:],
        both + b"\0",
        b"\0" + both,
        r.to_bytes(width + 1, "big") + s.to_bytes(width + 1, "big"),
        both[:width],
        both + both,
    ):
        assert refusal(algorithm, public, wrong).clause == clause
    order = curve.group_order
    top = (1 << 8 * width) - 1
    numbers = [
        (0, 0),
        (0, s),
        (r, 0),
        (r, order),
        (order, s),
        (order, order),
        (r, s ^ 1),
        (s, r),
        (top, top),
        (1, 1),
        (order - 1, order - 1),
    ]
    for other_r, other_s in [*numbers, *([(r + order, s)] if r + order <= top else [])]:
        octets = other_r.to_bytes(width, "big") + other_s.to_bytes(width, "big")
        assert refusal(algorithm, public, octets).clause == "RFC 7515 section 5.2"


@pytest.mark.parametrize(("algorithm", "curve", "digest", "width"), CASES, ids=[case[0] for case in CASES])
def test_zeros_in_front_of_r_and_s_stay(
    algorithm: str, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm, width: int
) -> None:
    """One signature in 128 has a short number; a signer that drops its zeros fails now and then, a verifier must not."""
    private = ec.generate_private_key(curve)
    # P-521 has 7 bits to spare in its first octet, so that a whole octet of zeros is as frequent as one bit.
    _, r, s = signature_with(private, digest, lambda r, s: r.bit_length() <= 8 * (width - 1) or s.bit_length() <= 8 * (width - 1))
    rfc7518.verify(algorithm, private.public_key(), r.to_bytes(width, "big") + s.to_bytes(width, "big"), MESSAGE)
    shortest = r.to_bytes((r.bit_length() + 7) // 8, "big") + s.to_bytes((s.bit_length() + 7) // 8, "big")
    assert refusal(algorithm, private.public_key(), shortest).clause == "RFC 7518 section 3.4"


def test_the_hash_goes_with_the_algorithm() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(private.sign(MESSAGE, ec.ECDSA(hashes.SHA384())))
    refusal("ES256", private.public_key(), r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def test_rsa_signatures_have_the_size_of_the_modulus() -> None:
    private = rsa.generate_private_key(65537, 2048)
    signature = private.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    rfc7518.verify("RS256", private.public_key(), signature, MESSAGE)
    for wrong in (b"", signature[:-1], b"\0" + signature, signature + b"\0", bytes(256), b"\xff" * 256):
        refusal("RS256", private.public_key(), wrong)
    refusal("RS256", private.public_key(), private.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA512()))


@pytest.mark.parametrize("make", [ed25519.Ed25519PrivateKey.generate, ed448.Ed448PrivateKey.generate])
def test_eddsa(make: Callable[[], ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey]) -> None:
    private = make()
    signature = private.sign(MESSAGE)
    rfc7518.verify("EdDSA", private.public_key(), signature, MESSAGE)
    half = len(signature) // 2
    for wrong in (b"", signature[:-1], signature + b"\0", signature[half:] + signature[:half], signature[:half] + b"\xff" * half):
        refusal("EdDSA", private.public_key(), wrong)
