"""Keys and signers. josepy signs, so that the code under test is never compared with itself."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from josepy import jwa, jwk, jws


@functools.cache
def _rsa_key() -> jwk.JWKRSA:
    return jwk.JWKRSA(key=rsa.generate_private_key(65537, 2048))


_ALGORITHMS: dict[str, tuple[jwa.JWASignature, Callable[[], Any]]] = {
    "ES256": (jwa.ES256, lambda: jwk.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))),
    "ES384": (jwa.ES384, lambda: jwk.JWKEC(key=ec.generate_private_key(ec.SECP384R1()))),
    "ES512": (jwa.ES512, lambda: jwk.JWKEC(key=ec.generate_private_key(ec.SECP521R1()))),
    "RS256": (jwa.RS256, _rsa_key),
    "PS256": (jwa.PS256, _rsa_key),
    "RS512": (jwa.RS512, _rsa_key),
    "HS256": (jwa.HS256, lambda: jwk.JWKOct(key=b"k" * 64)),
    "HS384": (jwa.HS384, lambda: jwk.JWKOct(key=b"k" * 64)),
    "HS512": (jwa.HS512, lambda: jwk.JWKOct(key=b"k" * 64)),
}


@functools.cache
def _signer(name: str) -> tuple[jwa.JWASignature, Any]:
    algorithm, make = _ALGORITHMS[name]
    return algorithm, make()


def sign_with_josepy(name: str, payload: bytes = b"{}") -> dict[str, str]:
    """A flattened JWS as josepy writes it, ``jwk`` (or ``kid`` for MACs) in its protected header."""
    algorithm, key = _signer(name)
    if name.startswith("HS"):
        signed = jws.JWS.sign(
            payload=payload, key=key, alg=algorithm, protect=frozenset(["alg", "kid"]), include_jwk=False, kid="k1"
        )
    else:
        signed = jws.JWS.sign(payload=payload, key=key, alg=algorithm, protect=frozenset(["alg", "jwk"]))
    members: dict[str, str] = json.loads(signed.json_dumps())
    return members


@pytest.fixture(scope="session")
def sign() -> Callable[..., dict[str, str]]:
    return sign_with_josepy


@pytest.fixture(scope="session")
def examples() -> dict[str, list[dict[str, Any]]]:
    """The examples of RFC 7515, 7520, 7638 and 8037 for the algorithms that are supported."""
    found: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("examples.json").read_text("ascii"))
    return found
