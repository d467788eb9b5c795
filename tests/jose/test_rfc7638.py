"""JWK thumbprints (RFC 7638), by its example and beside an independent implementation."""

from __future__ import annotations

import josepy
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from privca.jose import rfc7517

# RFC 7638 section 3.1
EXAMPLE = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn6"
    "4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91"
    "CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}


def test_the_example_of_section_3_1() -> None:
    assert rfc7517.parse_jwk(EXAMPLE).thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_members_beside_the_required_ones_do_not_count() -> None:
    required = {member: EXAMPLE[member] for member in ("e", "kty", "n")}
    assert rfc7517.parse_jwk(required).thumbprint == rfc7517.parse_jwk(EXAMPLE).thumbprint


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_as_josepy_computes_it_for_ec(curve: ec.EllipticCurve) -> None:
    jwk = josepy.JWKEC(key=josepy.ComparableECKey(ec.generate_private_key(curve))).public_key()
    assert rfc7517.parse_jwk(jwk.to_json()).thumbprint == josepy.b64encode(jwk.thumbprint()).decode()


def test_as_josepy_computes_it_for_rsa() -> None:
    jwk = josepy.JWKRSA(key=josepy.ComparableRSAKey(rsa.generate_private_key(65537, 2048))).public_key()
    assert rfc7517.parse_jwk(jwk.to_json()).thumbprint == josepy.b64encode(jwk.thumbprint()).decode()
