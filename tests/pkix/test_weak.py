from __future__ import annotations

import hashlib
import math
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mlkem, rsa, x448, x25519

from privca.base.refused import Reason, Refused
from privca.pkix import weak


def refused(n: int, e: int = 65537, **options: Any) -> Refused:
    with pytest.raises(Refused) as refusal:
        weak.check_rsa(n, e, **options)
    assert refusal.value.reason is Reason.BAD_PUBLIC_KEY
    assert "RFC 8017" in refusal.value.clause
    return refusal.value


def modulus(bits: int, seed: int = 1) -> int:
    """A number that no check finds fault with; whether it is a product of two primes is nothing that a check can know."""
    numbers = random.Random(seed)
    while True:
        n = numbers.getrandbits(bits) | 1 << (bits - 1) | 1
        if all(n % prime for prime in range(3, 1 << 14, 2)):
            return n


GOOD = modulus(2048)


@pytest.mark.parametrize("bits", [2048, 2049, 3072, 4096, 8192])
def test_a_key_without_fault_passes(bits: int) -> None:
    weak.check_rsa(modulus(bits), 65537)


def test_each_kind_has_a_name_a_size_and_passes(kind_and_key: tuple[str, Any]) -> None:
    name, key = kind_and_key
    public_key = key.public_key()
    weak.check(public_key)
    assert weak.kind(public_key) == name
    sizes = {"P-256": 256, "P-384": 384, "P-521": 521, "RSA": 2048, "Ed25519": 256, "Ed448": 456}
    assert weak.bits(public_key) == sizes.get(name, 0) or weak.bits(public_key) == len(public_key.public_bytes_raw()) * 8


@pytest.mark.parametrize("bits", [1024, 2047, 8193, 16384])
def test_rsa_of_a_wrong_size(bits: int) -> None:
    assert "wrong size" in refused(modulus(bits)).detail


@pytest.mark.parametrize(
    ("e", "detail"),
    [
        (1, "range"),
        (3, "range"),
        (65535, "range"),
        (2, "even"),
        (65538, "even"),
        ((1 << 64) + 1, "range"),
        (GOOD - 2, "range"),
        (0, "even"),
    ],
)
def test_rsa_with_a_wrong_exponent(e: int, detail: str) -> None:
    assert detail in refused(GOOD, e).detail


@pytest.mark.parametrize("e", [65537, (1 << 64) - 1])
def test_rsa_with_an_exponent_at_the_limit(e: int) -> None:
    weak.check_rsa(GOOD, e)


def test_rsa_with_an_even_modulus() -> None:
    assert "even" in refused(GOOD + 1).detail


@pytest.mark.parametrize("prime", [3, 751, 16381])
def test_rsa_with_a_small_prime_factor(prime: int) -> None:
    n = modulus(2048 - prime.bit_length() + 1) * prime
    assert "small prime" in refused(n).detail


def roca_modulus(bits: int) -> int:
    """A product of two numbers of the form that the Infineon library gave its primes: k * M + (65537^a mod M)."""
    product = math.prod(prime for prime in range(2, 168) if all(prime % divisor for divisor in range(2, prime)))
    numbers = random.Random(2)

    def factor() -> int:
        while True:
            candidate = numbers.getrandbits(bits // 2) // product * product + pow(65537, numbers.getrandbits(200), product)
            if candidate.bit_length() == bits // 2 and all(candidate % prime for prime in range(3, 1 << 14, 2)):
                return candidate

    while (n := factor() * factor()).bit_length() != bits:
        pass
    return n


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_rsa_with_the_roca_fingerprint(bits: int) -> None:
    assert "CVE-2017-15361" in refused(roca_modulus(bits)).detail


def test_hardly_a_random_modulus_has_the_roca_fingerprint() -> None:
    numbers = random.Random(3)
    assert not any(weak.is_roca(numbers.getrandbits(2048) | 1) for _ in range(20_000))


@pytest.mark.parametrize("distance", [0, 2, 1 << 40, 1 << 500])
def test_rsa_with_factors_close_together(distance: int) -> None:
    p = modulus(1024, 4) | 1 << 1023 | 1 << 1022
    q = p + distance
    while not all(q % prime for prime in range(3, 1 << 14, 2)):
        q += 2
    while not all(p % prime for prime in range(3, 1 << 14, 2)):
        p += 2
    assert "too close" in refused(p * q).detail


def test_a_debian_weak_key_is_known_by_the_installed_list(tmp_path: Path) -> None:
    # The list has the last 20 hex digits of the SHA-1 of the line that `openssl rsa -noout -modulus` prints.
    line = hashlib.sha1(f"Modulus={GOOD:X}\n".encode()).hexdigest()[20:]
    (tmp_path / "blacklist.RSA-2048").write_text(f"# comment\n0123456789abcdef0123\n{line}\n")
    assert "CVE-2008-0166" in refused(GOOD, blacklists=tmp_path).detail
    weak.check_rsa(modulus(2048, 9), 65537, blacklists=tmp_path)
    weak.check_rsa(GOOD, 65537, blacklists=tmp_path / "absent")


def test_check_hands_the_numbers_of_an_rsa_key_on(tmp_path: Path) -> None:
    key = rsa.RSAPublicNumbers(65537, GOOD).public_key()
    weak.check(key, blacklists=tmp_path)
    with pytest.raises(Refused, match="range"):
        weak.check(rsa.RSAPublicNumbers(3, GOOD).public_key())
    with pytest.raises(Refused, match="small prime"):
        weak.check(rsa.RSAPublicNumbers(65537, modulus(2047) * 3).public_key())
    (tmp_path / "two").mkdir()
    line = hashlib.sha1(f"Modulus={GOOD:X}\n".encode()).hexdigest()[20:]
    (tmp_path / "two" / "blacklist.RSA-2048").write_text(f"{line}\n")
    with pytest.raises(Refused, match="Debian"):
        weak.check(key, blacklists=tmp_path / "two")


@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP256R1()])
def test_other_curves_are_refused(curve: ec.EllipticCurve) -> None:
    with pytest.raises(Refused) as refusal:
        weak.check(ec.generate_private_key(curve).public_key())
    assert (refusal.value.reason, refusal.value.got) == (Reason.BAD_PUBLIC_KEY, curve.name)


def test_keys_that_are_out_of_use_are_refused() -> None:
    key: Any = dsa.DSAPublicNumbers(5, dsa.DSAParameterNumbers(modulus(2048), (1 << 255) | 1, 2)).public_key()
    for attempt in (weak.check, weak.kind):
        with pytest.raises(Refused) as refusal:
            attempt(key)
        assert refusal.value.reason is Reason.BAD_PUBLIC_KEY
        assert refusal.value.got == "DSA"


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("X25519", x25519.X25519PrivateKey),
        ("X448", x448.X448PrivateKey),
        ("ML-KEM-768", mlkem.MLKEM768PrivateKey),
        ("ML-KEM-1024", mlkem.MLKEM1024PrivateKey),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_keys_that_agree_or_encapsulate_have_a_kind(kind: str, key: Any) -> None:
    public_key = key.generate().public_key()
    weak.check(public_key)
    assert weak.kind(public_key) == kind


def test_rfc7748_6_points_of_small_order_are_refused() -> None:
    # The list of https://cr.yp.to/ecdh.html: what each of them gives is zero, whatever the private key.
    known = ["00" * 32, "01" + "00" * 31, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"]
    known += ["5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", "ec" + "ff" * 30 + "7f"]
    for octets in known:
        with pytest.raises(Refused, match="RFC 7748 section 6"):
            weak.check(x25519.X25519PublicKey.from_public_bytes(bytes.fromhex(octets)))
    for number in (0, 1, (1 << 448) - (1 << 224) - 2):
        with pytest.raises(Refused, match="RFC 7748 section 6"):
            weak.check(x448.X448PublicKey.from_public_bytes(number.to_bytes(56, "little")))


_P = 2**255 - 19


def _order_8() -> list[int]:
    """The y coordinates of points of order 8, found from the curve equation: 2P has y = 0 exactly if x^2 = -y^2 (RFC 8032 section 5.1.4)."""
    d = -121665 * pow(121666, -1, _P) % _P
    # -x^2 + y^2 = 1 + d x^2 y^2 with x^2 = -y^2 gives 2 y^2 = 1 - d y^4, a quadratic equation of y^2.
    root = _square_root(4 + 4 * d)
    found = []
    for sign in (1, -1):
        square = (-2 + sign * root) * pow(2 * d, -1, _P) % _P
        if pow(square, (_P - 1) // 2, _P) == 1:
            y = _square_root(square)
            found += [y, _P - y]
    return found


def _square_root(square: int) -> int:
    root = pow(square % _P, (_P + 3) // 8, _P)
    if root * root % _P != square % _P:
        root = root * pow(2, (_P - 1) // 4, _P) % _P
    assert root * root % _P == square % _P
    return root


@pytest.mark.parametrize("sign", [0, 1])
def test_ed25519_points_of_small_order(sign: int) -> None:
    order_8 = _order_8()
    assert len(order_8) == 2
    for y in (0, 1, _P - 1, _P, _P + 1, *order_8):
        octets = (y | sign << 255).to_bytes(32, "little")
        with pytest.raises(Refused, match="small order"):
            weak.check(ed25519.Ed25519PublicKey.from_public_bytes(octets))


def test_ed25519_encodings_above_the_prime() -> None:
    with pytest.raises(Refused, match="not canonical"):
        weak.check(ed25519.Ed25519PublicKey.from_public_bytes((_P + 3).to_bytes(32, "little")))


def test_ed448_points_of_small_order_and_encodings_above_the_prime() -> None:
    prime = 2**448 - 2**224 - 1
    for y in (0, 1, prime - 1, prime, prime + 1):
        for sign in (b"\x00", b"\x80"):
            with pytest.raises(Refused, match="small order"):
                weak.check(ed448.Ed448PublicKey.from_public_bytes(y.to_bytes(56, "little") + sign))
    with pytest.raises(Refused, match="not canonical"):
        weak.check(ed448.Ed448PublicKey.from_public_bytes((prime + 3).to_bytes(56, "little") + b"\x00"))
