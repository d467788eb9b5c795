"""JWKs: one canonical form and thumbprint each; everything else refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from hypothesis import given, settings
from hypothesis import strategies as st
from josepy import jwk as independent

from privca.base.refused import Reason, Refused
from privca.jose import rfc4648, rfc7517
from privca.jose.rfc7517 import load, of_key, parse_jwk
from privca.jose.rfc7518 import PublicKey

P256 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def b64(number: int, width: int | None = None) -> str:
    return rfc4648.encode(number.to_bytes(width or (number.bit_length() + 7) // 8, "big"))


def rsa_jwk(n: int, e: int = 65537) -> dict[str, str]:
    return {"kty": "RSA", "n": b64(n), "e": b64(e)}


def refusal(value: object) -> Refused:
    with pytest.raises(Refused) as caught:
        parse_jwk(value)
    assert caught.value.reason is Reason.BAD_PUBLIC_KEY
    return caught.value


def keys() -> list[PublicKey]:
    return [
        ec.generate_private_key(ec.SECP256R1()).public_key(),
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        ec.generate_private_key(ec.SECP521R1()).public_key(),
        rsa.generate_private_key(65537, 2048).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
        ed448.Ed448PrivateKey.generate().public_key(),
    ]


def test_the_thumbprints_of_the_rfcs(examples: dict[str, list[dict[str, Any]]]) -> None:
    for example in examples["thumbprints"]:
        assert parse_jwk(example["jwk"]).thumbprint == example["thumbprint"], example["source"]


def test_every_kind_comes_back_from_its_canonical_form() -> None:
    kinds = []
    for key in keys():
        jwk = of_key(key)
        kinds.append(jwk.kind)
        assert parse_jwk(json.loads(jwk.canonical)) == jwk
        assert load(jwk.canonical) == jwk
        assert load(jwk.canonical) is load(jwk.canonical)
        assert hash(load(jwk.canonical)) == hash(jwk)
        assert jwk.thumbprint == rfc4648.encode(hashlib.sha256(jwk.canonical.encode()).digest())
    assert kinds == ["P-256", "P-384", "P-521", "RSA", "Ed25519", "Ed448"]


def test_josepy_writes_the_same_key_and_thumbprint() -> None:
    for key in keys()[:4]:
        cls = independent.JWKRSA if isinstance(key, rsa.RSAPublicKey) else independent.JWKEC
        theirs = cls(key=key)
        ours = parse_jwk(json.loads(theirs.json_dumps()))
        assert ours == of_key(key)
        assert ours.thumbprint == rfc4648.encode(theirs.thumbprint())


def test_coordinates_keep_the_zeros_in_front() -> None:
    """RFC 8555 erratum 7565: one key in 128 has a coordinate that begins with a zero octet, which belongs to it."""
    for scalar in range(1, 4000):
        key = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()
        numbers = key.public_numbers()
        if numbers.x.bit_length() <= 248:
            break
    full = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x, 32), "y": b64(numbers.y, 32)}
    jwk = parse_jwk(full)
    assert jwk == of_key(key)
    assert json.loads(jwk.canonical)["x"] == full["x"]
    assert refusal({**full, "x": b64(numbers.x)}).clause == "RFC 7518 section 6.2.1.2"
    assert refusal({**full, "y": b64(numbers.y, 33)}).clause == "RFC 7518 section 6.2.1.3"


def test_zeros_in_front_of_rsa_numbers_do_not_count() -> None:
    """RFC 8555 section 8.1 strips them before the thumbprint, so a key with and without them is one account."""
    numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    plain = parse_jwk(rsa_jwk(numbers.n))
    padded = parse_jwk({"kty": "RSA", "n": b64(numbers.n, 257), "e": b64(65537, 5)})
    assert padded == plain
    assert padded.thumbprint == plain.thumbprint


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_key_is_refused_and_not_repeated(member: str) -> None:
    refused = refusal({**P256, member: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})
    assert "jpsQ" not in str(refused)


@pytest.mark.parametrize(
    ("jwk", "clause"),
    [
        pytest.param(None, "RFC 7517 section 4", id="null"),
        pytest.param([P256], "RFC 7517 section 4", id="an array"),
        pytest.param(json.dumps(P256), "RFC 7517 section 4", id="JSON in a string"),
        pytest.param({}, "RFC 7517 section 4", id="empty"),
        pytest.param({**P256, "kty": None}, "RFC 7517 section 4", id="kty null"),
        pytest.param({**P256, "kty": "ec"}, "RFC 7517 section 4.1", id="kty in small letters"),
        pytest.param({"kty": "oct"}, "RFC 7517 section 4.1", id="symmetric key"),
        pytest.param({**P256, "crv": "P-384"}, "RFC 7518 section 6.2.1.2", id="coordinates of another curve"),
        pytest.param({**P256, "crv": "secp256k1"}, "RFC 7518 section 6.2.1.1", id="unsupported curve"),
        pytest.param({**P256, "crv": "Ed25519"}, "RFC 7518 section 6.2.1.1", id="EC with an OKP curve"),
        pytest.param({**P256, "x": P256["y"]}, "RFC 7518 section 6.2.1", id="point off the curve"),
        pytest.param({**P256, "x": b64(0, 32), "y": b64(0, 32)}, "RFC 7518 section 6.2.1", id="zero point"),
        pytest.param({**P256, "x": b64((1 << 256) - 1)}, "RFC 7518 section 6.2.1", id="coordinate above the prime"),
        pytest.param({**P256, "x": P256["x"] + "="}, "RFC 7515 section 2", id="padding"),
        pytest.param({**P256, "x": ""}, "RFC 7518 section 6.2.1.2", id="empty coordinate"),
        pytest.param({"kty": "EC", "crv": "P-256", "x": P256["x"]}, "RFC 7517 section 4", id="y missing (compressed)"),
        pytest.param({**P256, "y": 1}, "RFC 7517 section 4", id="y a number"),
        pytest.param({**ED25519, "crv": "X25519"}, "RFC 8037 section 3.1", id="key agreement"),
        pytest.param({**ED25519, "crv": "P-256"}, "RFC 8037 section 3.1", id="OKP with an EC curve"),
        pytest.param({**ED25519, "crv": "Ed448"}, "RFC 8037 section 2", id="Ed448 too short"),
        pytest.param({**ED25519, "x": rfc4648.encode(bytes(33))}, "RFC 8037 section 2", id="Ed25519 too long"),
        pytest.param({**P256, "use": "enc"}, "RFC 7517 section 4.2", id="for encryption"),
        pytest.param({**P256, "use": ["sig"]}, "RFC 7517 section 4.2", id="use an array"),
        pytest.param({**P256, "key_ops": ["sign"]}, "RFC 7517 section 4.3", id="not to verify"),
        pytest.param({**P256, "key_ops": "verify"}, "RFC 7517 section 4.3", id="key_ops no array"),
        pytest.param({**P256, "key_ops": ["verify", "verify"]}, "RFC 7517 section 4.3", id="key_ops twice"),
        pytest.param({**P256, "key_ops": ["verify", [1]]}, "RFC 7517 section 4.3", id="key_ops with an array"),
        pytest.param({**P256, "alg": "ES384"}, "RFC 7517 section 4.4", id="alg of another curve"),
        pytest.param({**P256, "alg": "HS256"}, "RFC 7517 section 4.4", id="alg a MAC"),
        pytest.param({**P256, "alg": ["ES256"]}, "RFC 7517 section 4.4", id="alg an array"),
        pytest.param(rsa_jwk((1 << 2047) - 1), "RFC 7518 section 3.3", id="RSA of 2047 bits"),
        pytest.param(rsa_jwk((1 << 8193) - 1), "RFC 7518 section 3.3", id="RSA of 8193 bits"),
        pytest.param(rsa_jwk((1 << 2048) - 2), "RFC 8017 section 3.1", id="RSA modulus even"),
        pytest.param(rsa_jwk((1 << 2048) - 1, 1), "RFC 8017 section 3.1", id="RSA exponent 1"),
        pytest.param(rsa_jwk((1 << 2048) - 1, 65536), "RFC 8017 section 3.1", id="RSA exponent even"),
        pytest.param(rsa_jwk((1 << 2048) - 1, (1 << 64) + 1), "RFC 8017 section 3.1", id="RSA exponent of 65 bits"),
        pytest.param({"kty": "RSA", "n": "", "e": "AQAB"}, "RFC 7518 section 3.3", id="RSA modulus empty"),
        pytest.param({"kty": "RSA", "n": b64((1 << 2048) - 1), "e": ""}, "RFC 8017 section 3.1", id="RSA exponent empty"),
    ],
)
def test_what_is_no_public_key_is_refused(jwk: object, clause: str) -> None:
    assert refusal(jwk).clause == clause


def test_members_that_say_what_is_right_or_nothing_are_accepted() -> None:
    plain = parse_jwk(P256)
    assert (
        parse_jwk({**P256, "use": "sig", "key_ops": ["verify", "sign"], "alg": "ES256", "kid": "1", "x5t": [], "exp": 7}) == plain
    )
    assert parse_jwk({**ED25519, "alg": "EdDSA"}) == parse_jwk(ED25519)


def test_the_caller_can_refuse_weak_keys() -> None:
    seen: list[PublicKey] = []
    assert parse_jwk(P256, seen.append).key is seen[0]

    def refuse(key: PublicKey) -> None:
        raise Refused(Reason.BAD_PUBLIC_KEY, "profile: keys", "weak")

    with pytest.raises(Refused, match="weak"):
        parse_jwk(P256, refuse)


def test_curves_that_jwk_cannot_name_are_refused() -> None:
    with pytest.raises(Refused) as caught:
        of_key(ec.generate_private_key(ec.BrainpoolP256R1()).public_key())
    assert caught.value.reason is Reason.BAD_PUBLIC_KEY


def test_a_stored_key_that_somebody_else_wrote_is_ours_to_mend() -> None:
    with pytest.raises(Refused) as caught:
        load(json.dumps(P256))
    assert caught.value.reason is Reason.INTERNAL


def test_nothing_of_the_key_object_is_in_the_repr() -> None:
    assert "object at" not in repr(parse_jwk(P256))


SCRAPS = (
    st.none()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from([*P256.values(), *ED25519.values(), "RSA", "P-521", "AQAB", "X448"])
)
MEMBERS = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "use", "key_ops", "alg"])


@given(st.dictionaries(MEMBERS, SCRAPS | st.lists(SCRAPS, max_size=2), max_size=6) | SCRAPS)
@settings(max_examples=300)
def test_any_value_is_a_key_or_refused(value: object) -> None:
    reason = Reason.BAD_PUBLIC_KEY
    try:
        parse_jwk(value)
    except Refused as refused:
        reason = refused.reason
    assert reason is Reason.BAD_PUBLIC_KEY


@given(st.sampled_from(["Ed25519", "Ed448", "P-256", "P-384", "P-521"]), st.data())
@settings(max_examples=150)
def test_any_octets_of_the_right_length_are_a_key_or_refused(crv: str, data: st.DataObject) -> None:
    width = {"Ed25519": 32, "Ed448": 57, "P-256": 32, "P-384": 48, "P-521": 66}[crv]
    x, y = (rfc4648.encode(data.draw(st.binary(min_size=width, max_size=width))) for _ in "xy")
    jwk = {"kty": "OKP" if crv.startswith("Ed") else "EC", "crv": crv, "x": x, "y": y}
    try:
        accepted = rfc7517.parse_jwk(jwk)
    except Refused:
        return
    assert json.loads(accepted.canonical)["x"] == x


def test_key_agreement_octets_are_not_taken_for_a_signature_key() -> None:
    octets = x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
    assert refusal({"kty": "OKP", "crv": "X25519", "x": rfc4648.encode(octets)}).clause == "RFC 8037 section 3.1"
