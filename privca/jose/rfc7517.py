"""JSON Web Keys (RFC 7517): public keys that can verify a signature, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from privca.base.refused import Reason, Refused
from privca.jose import rfc7638, rfc8259
from privca.jose.rfc7518 import SIGNATURES, PublicKey, bad_key, ec_key, ec_members, member, rsa_key, rsa_members
from privca.jose.rfc8037 import okp_key, okp_members

_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


@dataclass(frozen=True, slots=True)
class PublicJwk:
    """A public key as JOSE sees it. ``canonical`` is its one JSON text (RFC 7638 section 3): equal keys are equal objects.

    ``kind`` is P-256, P-384, P-521, RSA, Ed25519 or Ed448; ``thumbprint`` is base64url SHA-256.
    """

    canonical: str
    thumbprint: str = field(compare=False)
    kind: str = field(compare=False)
    key: PublicKey = field(compare=False, repr=False)


def of_key(key: PublicKey) -> PublicJwk:
    """The JWK of a public key, as one from a certificate. :raises Refused: ``BAD_PUBLIC_KEY`` for a curve that JWK cannot name."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        kind, required = ec_members(key)
    elif isinstance(key, rsa.RSAPublicKey):
        kind, required = rsa_members(key)
    else:
        kind, required = okp_members(key)
    canonical = rfc7638.canonical(required)
    return PublicJwk(canonical, rfc7638.thumbprint(canonical), kind, key)


def parse_jwk(value: object, check: Callable[[PublicKey], None] | None = None) -> PublicJwk:
    """A public key from a JSON value that should be a JWK. Members that are not understood are ignored (section 4).

    :param check: refuses keys that are well-formed but weak; runs last.
    :raises Refused: ``BAD_PUBLIC_KEY``, whatever the value is.
    """
    if not isinstance(value, dict):
        raise bad_key("RFC 7517 section 4", "a JWK is a JSON object")
    if any(name in value for name in _PRIVATE):
        # Its owner must stop using it: the private key has left its home. The value is not repeated anywhere.
        raise bad_key(
            "RFC 7515 section 4.1.3", "the JWK has members of a private key; send the public key alone, and replace this key"
        )
    kty = member(value, "kty")
    key: PublicKey
    if kty == "EC":
        kind, key = ec_key(value)
    elif kty == "RSA":
        kind, key = rsa_key(value)
    elif kty == "OKP":
        kind, key = okp_key(value)
    else:
        raise bad_key(
            "RFC 7517 section 4.1", "a key type that cannot verify signatures", expected="EC, RSA, OKP", got=ascii(kty[:40])
        )
    _check_purpose(value, kind)
    if check is not None:
        check(key)
    return of_key(key)


def _check_purpose(jwk: dict[str, object], kind: str) -> None:
    """Refuse a key whose owner says that it is not for what it is used for here."""
    if jwk.get("use", "sig") != "sig":
        raise bad_key("RFC 7517 section 4.2", "the JWK says that it is not for signatures", expected="'use' is 'sig', or absent")
    if "key_ops" in jwk:
        operations = jwk["key_ops"]
        strings = [one for one in operations if isinstance(one, str)] if isinstance(operations, list) else []
        if "verify" not in strings or strings != operations or len(set(strings)) != len(strings):
            raise bad_key("RFC 7517 section 4.3", "'key_ops' is not an array with 'verify', each value once")
    if "alg" in jwk:
        fitting = [name for name, kinds in SIGNATURES.items() if kind in kinds]
        if jwk["alg"] not in fitting:
            raise bad_key("RFC 7517 section 4.4", "'alg' of the JWK does not go with its key", expected=" or ".join(fitting))


@lru_cache(maxsize=4096)
def load(canonical: str) -> PublicJwk:
    """The key that was stored as :attr:`PublicJwk.canonical`; cached, since one account sends many requests.

    :raises Refused: ``INTERNAL`` if the text is not what :func:`of_key` makes: then somebody else wrote it.
    """
    jwk = parse_jwk(rfc8259.load_object(canonical.encode("utf-8"), "the stored key"))
    if jwk.canonical != canonical:
        raise Refused(Reason.INTERNAL, "RFC 7638 section 3", "the stored key is not in canonical form")
    return jwk
