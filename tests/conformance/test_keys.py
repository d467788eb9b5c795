"""What the examiner signs is verified here by others than itself: josepy's JWS, and cryptography for EdDSA."""

import base64
import hashlib
import json

import josepy
import pytest

from conformance.acme.draft import Draft
from conformance.acme.keys import Key, MacKey, b64, unb64


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "RS256"])
def test_josepy_verifies_and_agrees_on_the_thumbprint(alg):
    key = Key.make(alg)
    envelope = Draft("https://x.test/", key, {"alg": alg, "jwk": key.jwk(), "url": "https://x.test/"}, {"a": 1}).envelope()
    jwk = josepy.JWK.from_json(key.jwk())
    algorithm = josepy.JWASignature.from_json(alg)
    message = f"{envelope['protected']}.{envelope['payload']}".encode()
    assert algorithm.verify(jwk.key, message, unb64(envelope["signature"]))
    assert not algorithm.verify(jwk.key, message + b"x", unb64(envelope["signature"]))
    assert unb64(key.thumbprint()) == jwk.thumbprint()


@pytest.mark.parametrize("alg", ["EdDSA", "Ed448"])
def test_eddsa_verifies(alg):
    key = Key.make(alg)
    key.private.public_key().verify(key.sign(b"message"), b"message")
    assert key.alg == "EdDSA"
    assert set(key.jwk()) == {"kty", "crv", "x"}
    text = json.dumps(key.jwk(), sort_keys=True, separators=(",", ":"))
    assert unb64(key.thumbprint()) == hashlib.sha256(text.encode()).digest()


def test_rfc8037_appendix_a():
    """RFC 8037 sections A.1 to A.4: key, thumbprint and signature."""
    from cryptography.hazmat.primitives.asymmetric import ed25519

    private = ed25519.Ed25519PrivateKey.from_private_bytes(unb64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
    key = Key(private)
    assert key.jwk()["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    signed = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")
    assert b64(signed) == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"


def test_rfc7515_appendix_a1():
    """RFC 7515 section A.1.1: HMAC SHA-256."""
    mac = MacKey("k", "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
    header = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    payload = b"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    assert b64(mac.sign(header + b"." + payload)) == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


@pytest.mark.parametrize("text", ["a=", "a b", "a+", "a/", "\u00e4"])
def test_base64url_is_strict(text):
    with pytest.raises(ValueError, match="base64url"):
        unb64(text)


def test_a_key_survives_its_pem():
    key = Key.make()
    assert Key.read(key.pem()).thumbprint() == key.thumbprint()


def test_base64url_round_trip():
    for length in range(5):
        octets = bytes(range(length))
        assert unb64(b64(octets)) == octets
        assert b64(octets) == base64.urlsafe_b64encode(octets).decode().rstrip("=")
