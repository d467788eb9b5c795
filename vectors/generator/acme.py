"""ACME (RFC 8555): one order from its account to its revocation, and what must be refused with which error type."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from vectors.generator import keys
from vectors.generator.conversation import Conversation, Files, get, post
from vectors.harness import Harness, Reply

_ORIGIN = "https://ca.example.test"
_BASE = f"{_ORIGIN}/acme/vector/"
_JOSE = "application/jose+json"
_NAME = "www.example.test"


def _b64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Account:
    """A P-256 key, and the URL of its account once there is one."""

    def __init__(self, name: str = "vector-account-p256") -> None:
        self.key = keys.key(name)
        self.url = ""

    @property
    def jwk(self) -> dict[str, str]:
        """The public key (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        x, y = (_b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    def signed(self, payload: Any, /, **header: Any) -> bytes:
        """A flattened JWS (RFC 7515 section 7.2.2); the payload of POST-as-GET is None."""
        protected = _b64(_json({"alg": "ES256", **header}))
        text = "" if payload is None else _b64(payload if isinstance(payload, bytes) else _json(payload))
        r, s = decode_dss_signature(keys.signature(self.key, f"{protected}.{text}".encode()))
        signature = _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return _json({"protected": protected, "payload": text, "signature": signature})

    def request(
        self, url: str, payload: Any, nonce: str, /, *, with_jwk: bool = False, media_type: str = _JOSE, **header: Any
    ) -> bytes:
        """An HTTP request; ``header`` changes members of the protected header."""
        who = {"jwk": self.jwk} if with_jwk else {"kid": self.url}
        body = self.signed(payload, **{**who, "nonce": nonce, "url": url, **header})
        return post(url.removeprefix(_ORIGIN), media_type, body)


def _nonce(reply: Reply) -> str:
    return next(value for name, value in reply.fields if name == "Replay-Nonce")


def _location(reply: Reply) -> str:
    return next(value for name, value in reply.fields if name == "Location")


def generate(harness: Harness, files: Files) -> None:
    """Write all of them down."""
    Conversation(harness, files, "acme").send("directory", get("/acme/vector/directory"), "The directory.", "directory")
    talk = Conversation(harness, files, "acme")
    reply = talk.send("newnonce", get("/acme/vector/new-nonce", method="HEAD"), "A first nonce.", "newNonce")
    account, nonce = Account(), _nonce(reply)
    first = nonce
    terms = {"termsOfServiceAgreed": True, "contact": ["mailto:admin@example.test"]}
    registration = account.request(_BASE + "new-account", terms, nonce, with_jwk=True)
    reply = talk.send("newaccount", registration, "A new account.", "newAccount", needs=["vector-account-p256.key"])
    account.url, nonce = _location(reply), _nonce(reply)
    order = {"identifiers": [{"type": "dns", "value": _NAME}]}
    reply = talk.send("neworder", account.request(_BASE + "new-order", order, nonce), "An order for one name.", "newOrder")
    placed, order_url, nonce = json.loads(reply.body), _location(reply), _nonce(reply)
    url = placed["authorizations"][0]
    reply = talk.send("authz", account.request(url, None, nonce), "Its authorization, by POST-as-GET.", "POST-as-GET")
    challenges, nonce = json.loads(reply.body)["challenges"], _nonce(reply)
    chosen = next(one for one in challenges if one["type"] == "http-01")
    reply = talk.send("challenge", account.request(chosen["url"], {}, nonce), "The challenge is answered.", "challenge")
    nonce = _nonce(reply)
    reply = talk.send("order-ready", account.request(order_url, None, nonce), "The order is ready.", "POST-as-GET")
    nonce = _nonce(reply)
    csr = {"csr": _b64(keys.csr(keys.key("vector-client-p256"), "", _NAME))}
    reply = talk.send("finalize", account.request(placed["finalize"], csr, nonce), "The order is finalized.", "finalize")
    nonce = _nonce(reply)
    reply = talk.send("order-valid", account.request(order_url, None, nonce), "The order has its certificate.", "POST-as-GET")
    url, nonce = json.loads(reply.body)["certificate"], _nonce(reply)
    reply = talk.send("certificate", account.request(url, None, nonce), "The certificate with its chain.", "POST-as-GET")
    certificate, nonce = x509.load_pem_x509_certificates(reply.body)[0], _nonce(reply)
    other = Account("vector-account-2-p256")
    change = other.signed({"account": account.url, "oldKey": account.jwk}, jwk=other.jwk, url=_BASE + "key-change")
    rollover = account.request(_BASE + "key-change", change, nonce)
    reply = talk.send("keychange", rollover, "Another key for the account.", "keyChange")
    other.url, nonce = account.url, _nonce(reply)
    withdrawn = {"certificate": _b64(certificate.public_bytes(Encoding.DER)), "reason": 4}
    revocation = other.request(_BASE + "revoke-cert", withdrawn, nonce)
    reply = talk.send("revokecert", revocation, "Revocation: superseded.", "revokeCert")
    farewell = other.request(account.url, {"status": "deactivated"}, _nonce(reply))
    talk.send("deactivate", farewell, "The account is deactivated.", "account update")
    _refused(harness, files, Account(), first)


def _refused(harness: Harness, files: Files, account: Account, nonce: str) -> None:
    """Each is the new account with one change, after the same nonce."""
    url, terms = _BASE + "new-account", {"termsOfServiceAgreed": True, "contact": ["mailto:admin@example.test"]}

    def spoilt(payload: Any = terms, /, **header: Any) -> bytes:
        return account.request(url, payload, nonce, with_jwk=True, **header)

    body = spoilt()
    last = body.rindex(b'"')
    flipped = b"A" if body[last - 4 : last - 3] != b"A" else b"B"
    other = hashlib.sha256(nonce.encode()).digest()[:16]
    cases: tuple[tuple[str, bytes, str, str], ...] = (
        (
            "signature",
            body[: last - 4] + flipped + body[last - 3 :],
            "One character of the signature is another.",
            "RFC 8555 section 6.2",
        ),
        ("nonce", spoilt(nonce=_b64(other)), "The nonce was never given out.", "RFC 8555 section 6.5"),
        ("url", spoilt(url=_BASE + "new-order"), "The url of the protected header is another one.", "RFC 8555 section 6.4"),
        ("alg", spoilt(alg="none"), "The algorithm is none.", "RFC 8555 section 6.2"),
        ("kid-beside-jwk", spoilt(kid=_BASE + "acct/1"), "There are both kid and jwk.", "RFC 8555 section 6.2"),
        ("crit", spoilt(crit=["exp"]), "An extension that nobody knows is critical.", "RFC 7515 section 4.1.11"),
        ("media-type", spoilt(media_type="application/json"), "The media type is that of plain JSON.", "RFC 8555 section 6.2"),
        (
            "contact",
            spoilt({**terms, "contact": ["ftp://example.test"]}),
            "The contact is no URL of mail.",
            "RFC 8555 section 7.3",
        ),
    )
    for name, octets, comment, clause in cases:
        talk = Conversation(harness, files, "acme", after="newnonce")
        talk.send(f"newaccount-bad-{name}", octets, comment, "newAccount", spoilt=("newaccount", clause))
