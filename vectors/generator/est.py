"""EST (RFC 7030): every operation, and what must be refused."""

from __future__ import annotations

import base64
from typing import Any

from vectors.generator import keys
from vectors.generator.conversation import Conversation, Files, get, post
from vectors.harness import Harness

_BASE = "/.well-known/est/vector/"
_BASIC = ("Authorization", "Basic " + base64.b64encode(b"lab:vector secret").decode())
_WRONG = ("Authorization", "Basic " + base64.b64encode(b"lab:vector secreT").decode())
_TLS = {"version": "TLSv1.3", "cipher": "TLS_AES_128_GCM_SHA256"}
_SECTION = "RFC 7030 section 4.2.1"


def _enroll(csr: bytes, *fields: tuple[str, str], operation: str = "simpleenroll") -> bytes:
    # RFC 8951 section 3.1: base64 of the DER, whose line breaks are the sender's own.
    return post(_BASE + operation, "application/pkcs10", base64.encodebytes(csr), *fields)


def generate(harness: Harness, files: Files) -> None:
    """Write all of them down."""

    def alone(case: str, octets: bytes, comment: str, operation: str, **more: Any) -> None:
        Conversation(harness, files, "est").send(case, octets, comment, operation, tls=_TLS, **more)

    p256 = keys.csr(keys.key("vector-client-p256"), "device", "device.example.test")
    alone("cacerts", get(_BASE + "cacerts"), "The CA certificates.", "cacerts")
    alone("csrattrs", get(_BASE + "csrattrs"), "The CSR attributes; there are none.", "csrattrs")
    for name in ("p256", "rsa", "ed25519"):
        request = keys.csr(keys.key(f"vector-client-{name}"), "device", "device.example.test")
        comment = f"Enrollment with the password, {name} key."
        alone(f"enroll-{name}", _enroll(request, _BASIC), comment, "simpleenroll", needs=[f"vector-client-{name}.key"])
    alone(
        "enroll-no-credential",
        _enroll(p256),
        "Nobody says who it is.",
        "simpleenroll",
        spoilt=("enroll-p256", "RFC 7030 section 3.2.3"),
    )
    alone(
        "enroll-wrong-password",
        _enroll(p256, _WRONG),
        "The last letter of the password is another one.",
        "simpleenroll",
        spoilt=("enroll-p256", "RFC 7030 section 3.2.3"),
    )
    broken = p256[:-1] + bytes([p256[-1] ^ 1])
    alone(
        "enroll-csr-signature",
        _enroll(broken, _BASIC),
        "The last bit of the CSR's signature is flipped.",
        "simpleenroll",
        spoilt=("enroll-p256", _SECTION),
    )
    alone(
        "enroll-csr-cut",
        _enroll(p256[:-1], _BASIC),
        "The last octet of the CSR is missing.",
        "simpleenroll",
        spoilt=("enroll-p256", _SECTION),
    )
    alone(
        "enroll-csr-trailing",
        _enroll(p256 + b"\0", _BASIC),
        "An octet follows the CSR.",
        "simpleenroll",
        spoilt=("enroll-p256", _SECTION),
    )
    alone("enroll-empty", _enroll(b"", _BASIC), "There is no CSR.", "simpleenroll", spoilt=("enroll-p256", _SECTION))
    alone(
        "unknown-operation",
        _enroll(p256, _BASIC, operation="simpleenrol"),
        "An operation that does not exist.",
        "simpleenroll",
        spoilt=("enroll-p256", "RFC 7030 section 3.2.2"),
    )
    alone(
        "serverkeygen",
        _enroll(p256, _BASIC, operation="serverkeygen"),
        "A key pair made by the server; it is another one each time.",
        "serverkeygen",
        match="answer",
    )
    waiting = Conversation(harness, files, "est", "generated-est-waits")
    waiting.send("waits-1", _enroll(p256, _BASIC), "A person has to decide: 202 with Retry-After.", "simpleenroll", tls=_TLS)
    waiting.act({"approve": True})
    waiting.send("waits-2", _enroll(p256, _BASIC), "The same request after it was approved.", "simpleenroll", tls=_TLS)
