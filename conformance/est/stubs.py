"""Servers that look like EST and are none."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from conformance.est.csr import new_key
from conformance.stubs import COMMON, Answer, Stub, echo, fixed
from conformance.target import EstAccess, EstTarget, Target
from conformance.transport import HttpRequest, HttpResponse

URL = "https://stub.example.test/.well-known/est/label"
_CERTIFICATES = ("Content-Type", "application/pkcs7-mime; smime-type=certs-only")
_TEXT = ("Content-Type", "text/plain")
_CHALLENGES = (("WWW-Authenticate", 'Basic realm="stub"'), ("WWW-Authenticate", 'Digest realm="stub", nonce="n", qop="auth"'))
_CACERTS = ("est.cacerts.", "est.uri.well-known", "est.uri.without-label", "est.http.redirections")
"""What a server does right that only shows CA certificates."""
_REFUSALS = ("est.uri.unknown-operation", "est.uri.case-of-operation", "est.uri.post-to-cacerts")
"""What it does right if it refuses everything else."""


_EMPTY_LIST = ("est.csrattrs.status-and-type", "est.csrattrs.encoding", "est.csrattrs.unauthenticated")
"""What is right about CSR attributes that ask for nothing."""


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub")]), datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _certs_only() -> bytes:
    key = new_key()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return b64encode(pkcs7.serialize_certificates([_authority(key)], Encoding.DER)) + b"\n"


def _always(status: int, *headers: tuple[str, str]) -> Callable[[], Answer]:
    """The same certs-only message to everything."""

    def make() -> Answer:
        body = _certs_only()
        return lambda request: HttpResponse(status, headers, body, request)

    return make


def _with_cacerts(rest: Callable[[HttpRequest], HttpResponse]) -> Callable[[], Answer]:
    """Honest CA certificates, and ``rest`` for everything else: a case gets past its setup."""

    def make() -> Answer:
        body = _certs_only()

        def answer(request: HttpRequest) -> HttpResponse:
            if request.method == "GET" and request.url.endswith("/cacerts") and request.url.startswith("https"):
                return HttpResponse(200, (_CERTIFICATES,), body, request)
            return rest(request)

        return answer

    return make


def _refusing(status: int, *headers: tuple[str, str], body: bytes = b"no\n") -> Callable[[HttpRequest], HttpResponse]:
    return lambda request: HttpResponse(status, headers, body, request)


STUBS: tuple[Stub, ...] = (
    *COMMON,
    Stub("echo", echo(_CERTIFICATES)),
    Stub("garbage", fixed(200, b64encode(b"\x30\x82\x01\x00" + bytes(range(256))), _CERTIFICATES)),
    Stub("certificates-for-everybody", _always(200, _CERTIFICATES), _CACERTS),
    Stub("certificates-with-400", _always(400, _CERTIFICATES)),
    Stub("raw", fixed(200, b"\x30\x00", _CERTIFICATES)),
    Stub("json", fixed(200, json.dumps({"status": "valid"}).encode(), ("Content-Type", "application/json"))),
    Stub("refuses-all", _with_cacerts(_refusing(400, _TEXT)), (*_CACERTS, *_REFUSALS)),
    Stub("forbids-all", _with_cacerts(_refusing(403, _TEXT)), (*_CACERTS, *_REFUSALS)),
    Stub("challenges-all", _with_cacerts(_refusing(401, _TEXT, *_CHALLENGES)), (*_CACERTS, *_REFUSALS, "est.auth.challenge")),
    Stub("waits-for-ever", _with_cacerts(_refusing(202, ("Retry-After", "60"), body=b"")), (*_CACERTS, "est.waiting.")),
    Stub("multipart", fixed(200, b"--x\r\n\r\nAA==\r\n--x--\r\n", ("Content-Type", "multipart/mixed; boundary=x"))),
    Stub("empty-list", fixed(200, b64encode(b"\x30\x00"), ("Content-Type", "application/csrattrs")), _EMPTY_LIST),
)
TARGET = Target(
    name="stub",
    est=EstTarget(url=URL, username="user", code="code", others=(EstAccess(url=f"{URL}2"),), plain="http://stub.example.test"),
)
"""Where a stub is thought to be."""
