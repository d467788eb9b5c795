"""Asks an ACME server whether it knows the account whose key a client holds (RFC 8555 section 7.3.1): proof of a registration."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from interop.evidence import keys

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
HASHES: dict[int, hashes.HashAlgorithm] = {256: hashes.SHA256(), 384: hashes.SHA384()}


def b64(octets: bytes) -> str:
    """RFC 7515 section 2: base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(octets: str) -> int:
    """The integer of a JWK member."""
    return int.from_bytes(urlsafe_b64decode(octets + "=" * (-len(octets) % 4)))


def load_key(path: Path) -> PrivateKey:
    """A client's account key, be it PEM or JWK. :raises ValueError: if it is neither, or of a kind that no known client uses."""
    octets = path.read_bytes()
    if not octets.lstrip().startswith(b"{"):
        key, _ = keys.read(path)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError(f"account key of kind {type(key).__name__}")
        return key
    jwk = json.loads(octets)
    if jwk["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"]))
        parts = {name: number(jwk[name]) for name in ("p", "q", "d", "dp", "dq", "qi")}
        return rsa.RSAPrivateNumbers(
            parts["p"], parts["q"], parts["d"], parts["dp"], parts["dq"], parts["qi"], public
        ).private_key()
    curve = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[jwk["crv"]]
    return ec.derive_private_key(number(jwk["d"]), curve)


def jwk_of(key: PrivateKey) -> dict[str, str]:
    """The public key as JWK."""
    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "n": b64(public.n.to_bytes((public.n.bit_length() + 7) // 8)),
            "e": b64(public.e.to_bytes(3).lstrip(b"\0")),
        }
    point, width = key.public_key().public_numbers(), (key.key_size + 7) // 8
    return {"kty": "EC", "crv": f"P-{key.key_size}", "x": b64(point.x.to_bytes(width)), "y": b64(point.y.to_bytes(width))}


def sign(key: PrivateKey, protected: dict[str, Any], payload: bytes) -> bytes:
    """A flattened JWS (RFC 7515 section 7.2.2)."""
    protected = {"alg": "RS256" if isinstance(key, rsa.RSAPrivateKey) else f"ES{key.key_size}", **protected}
    head, body = b64(json.dumps(protected).encode()), b64(payload)
    message = f"{head}.{body}".encode()
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    else:
        width = (key.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(HASHES[key.key_size])))
        signature = r.to_bytes(width) + s.to_bytes(width)
    return json.dumps({"protected": head, "payload": body, "signature": b64(signature)}).encode()


def look_up(directory: str, trust: Path, key: PrivateKey) -> tuple[str, str]:
    """What the server says of the account of ``key``: its status and URL, or the type of the error and an empty string.

    :raises OSError: if there is no answer.
    """
    context = ssl.create_default_context(cafile=str(trust))

    def fetch(url: str, body: bytes | None = None, method: str = "GET") -> tuple[dict[str, Any], Any]:
        request = urllib.request.Request(url, body, {"Content-Type": "application/jose+json"}, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20, context=context) as reply:  # noqa: S310 - the service under test
                return json.loads(reply.read() or b"{}"), reply.headers
        except urllib.error.HTTPError as error:
            with error:
                return json.loads(error.read() or b"{}"), error.headers

    links, _ = fetch(directory)
    _, headers = fetch(links["newNonce"], method="HEAD")
    protected = {"nonce": headers["Replay-Nonce"], "url": links["newAccount"], "jwk": jwk_of(key)}
    answer, headers = fetch(links["newAccount"], sign(key, protected, b'{"onlyReturnExisting": true}'), "POST")
    return (
        (answer["status"], headers["Location"])
        if "status" in answer and "Location" in headers
        else (str(answer.get("type", "")), "")
    )
