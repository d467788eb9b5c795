"""Servers that are no SCEP servers. Some do one thing right, so that a case gets as far as it can: what they do honestly, a case may find so."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.scep import reply, structures
from conformance.scep.algorithms import digest
from conformance.scep.applicants import Signer, name, rsa_key
from conformance.scep.client import CA_CERTIFICATE
from conformance.scep.draft import (
    CERT_REP,
    CONTENT_TYPE,
    FAIL_INFO,
    MEDIA_TYPE,
    MESSAGE_DIGEST,
    MESSAGE_TYPE,
    PKI_STATUS,
    RECIPIENT_NONCE,
    SENDER_NONCE,
    TRANSACTION_ID,
    Attributes,
    enveloped_data,
    signer_info,
)
from conformance.scep.structures import DATA, Malformed, encode, octet_string, oid, printable
from conformance.stubs import COMMON, Answer, Stub, echo, fixed
from conformance.target import ScepTarget, Target
from conformance.transport import HttpRequest, HttpResponse

URL = "http://stub.example.test/scep"
_CAPABILITIES = b"AES\nDES3\nGetNextCACert\nPOSTPKIOperation\nRenewal\nSCEPStandard\nSHA-1\nSHA-256\nSHA-512\n"


@cache
def _ca() -> Signer:
    """A CA that certifies nothing."""
    key, subject, now = rsa_key(9), name("no CA"), dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - dt.timedelta(1), now + dt.timedelta(1))
    usage = x509.KeyUsage(True, False, True, False, False, True, True, False, False)
    made = builder.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    return Signer(key, made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def _with_ca(operate: Callable[[HttpRequest], HttpResponse]) -> Callable[[], Answer]:
    """Honest capabilities and an honest CA certificate, and ``operate`` for messages."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.url.endswith("operation=GetCACaps"):
            return HttpResponse(200, (("Content-Type", "text/plain"),), _CAPABILITIES, request)
        if request.url.endswith("operation=GetCACert"):
            return HttpResponse(200, (("Content-Type", CA_CERTIFICATE),), _ca().certificate, request)
        if "operation=PKIOperation" in request.url:
            return operate(request)
        return HttpResponse(404, (), b"", request)

    return lambda: answer


def _cert_rep(request: HttpRequest, status: str, fail_info: str = "", content: bytes | None = None) -> HttpResponse:
    """A CertRep that looks right, to whatever can be read; else HTTP 400."""
    try:
        asked = reply.read(request.body)
    except Malformed:
        return HttpResponse(400, (), b"", request)
    attributes: Attributes = {
        CONTENT_TYPE: [oid(DATA)],
        MESSAGE_DIGEST: [octet_string(digest("sha256", content or b""))],
        MESSAGE_TYPE: [printable(CERT_REP)],
        PKI_STATUS: [printable(status)],
        TRANSACTION_ID: [printable(asked.transaction_id)],
        SENDER_NONCE: [octet_string(os.urandom(16))],
        RECIPIENT_NONCE: [octet_string(asked.sender_nonce)],
    }
    if fail_info:
        attributes[FAIL_INFO] = [printable(fail_info)]
    signed = structures.SignedData()
    signed["version"] = 1
    signed["digestAlgorithms"].clear()
    signed["encapContentInfo"]["eContentType"] = DATA
    if content is not None:
        signed["encapContentInfo"]["eContent"] = content
    signed["signerInfos"].append(signer_info(_ca(), "sha256", attributes))
    body = structures.content_info(structures.SIGNED_DATA, encode(signed))
    return HttpResponse(200, (("Content-Type", MEDIA_TYPE),), body, request)


def _refusing(fail_info: str) -> Callable[[], Answer]:
    return _with_ca(lambda request: _cert_rep(request, "2", fail_info))


def _granting(request: HttpRequest) -> HttpResponse:
    """SUCCESS to everybody, with a certificate that nobody asked for."""
    try:
        signer = reply.read(request.body).signed.certificates[0]
    except (Malformed, IndexError):
        return HttpResponse(400, (), b"", request)
    only = structures.SignedData()
    only["version"] = 1
    only["digestAlgorithms"].clear()
    only["encapContentInfo"]["eContentType"] = DATA
    only["certificates"].append(_ca().certificate)
    only["signerInfos"].clear()
    inside = structures.content_info(structures.SIGNED_DATA, encode(only))
    try:
        enveloped = enveloped_data(inside, signer, "aes128")
    except Malformed:
        return HttpResponse(400, (), b"", request)
    return _cert_rep(request, "0", content=structures.content_info(structures.ENVELOPED_DATA, encode(enveloped)))


def _replaying() -> Answer:
    """The first reply to a message, again and again."""
    kept: list[HttpResponse] = []

    def operate(request: HttpRequest) -> HttpResponse:
        kept.append(_granting(request))
        return kept[0]

    return _with_ca(operate)()


_IN_THE_CLEAR = (
    "scep.caps.list",
    "scep.caps.text-",
    "scep.caps.registered",
    "scep.ca-cert.served",
    "scep.ca-cert.chain-whole",
    "scep.transport.unknown-operation",
    "scep.transport.path-ignored",
)


def _replies(*areas: str) -> tuple[str, ...]:
    return tuple(f"scep.reply.{area}" for area in areas)


_FORM = _replies(
    "pki-status",
    "signature",
    "message-type",
    "econtent-type",
    "envelope",
    "certificates-only",
    "algorithms",
    "media-type",
)
_THIS = _replies("transaction-id", "recipient-nonce", "sender-nonce")
STUBS: tuple[Stub, ...] = (
    *COMMON,
    Stub("fixed-error", fixed(400, b"bad request", ("Content-Type", "text/plain"))),
    Stub("echo", echo(("Content-Type", MEDIA_TYPE))),
    Stub("garbage", fixed(200, b"\x30\x82\x01\x00" + bytes(range(256)), ("Content-Type", MEDIA_TYPE))),
    Stub("errors-in-http", _with_ca(lambda request: HttpResponse(500, (), b"no", request)), _IN_THE_CLEAR),
    Stub("refuses-all-bad-request", _refusing("2"), _IN_THE_CLEAR),
    Stub("refuses-all-bad-message-check", _refusing("1"), _IN_THE_CLEAR),
    Stub("refuses-all-bad-cert-id", _refusing("4"), _IN_THE_CLEAR),
    Stub("grants-all", _with_ca(_granting), (*_IN_THE_CLEAR, *_FORM, *_THIS)),
    Stub("replays", _replaying, (*_IN_THE_CLEAR, *_FORM)),
)

TARGET = Target(name="stub", scep=ScepTarget(url=URL, code="secret", approval_url=URL, approval_code="secret"))
"""Where a stub is thought to be."""
