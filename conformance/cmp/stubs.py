"""Servers that are no CMP servers. What some say looks right: a PKIMessage that fits the request, and is worth nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.cmp import der
from conformance.cmp.client import MEDIA_TYPE
from conformance.cmp.lab import status_info
from conformance.cmp.message import ANSWERS, FAILURES, Body, Draft, Reply
from conformance.cmp.protection import Unprotected
from conformance.stubs import COMMON, Answer, Stub, echo, fixed
from conformance.target import CmpEndpoint, CmpTarget, Target
from conformance.transport import HttpRequest, HttpResponse

_URL = "http://stub.example.test/.well-known/cmp"
_KIND = ("Content-Type", MEDIA_TYPE)
_FURTHER = CmpEndpoint(url=_URL, reference="stub", code="stub secret")
TARGET = Target(
    name="stub",
    cmp=CmpTarget(url=_URL, reference="stub", code="stub secret", delayed=_FURTHER, ra=_FURTHER, lightweight=_FURTHER),
)
_ID = b"stub transaction"
_NONCE = b"stub nonce No. 1"


@cache
def _certificate() -> bytes:
    """A certificate for nobody (DER)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stub")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _granted(id: int = 0) -> bytes:
    pair = der.sequence(der.tlv(0xA0, _certificate()))
    return der.sequence(der.sequence(der.sequence(der.integer(id), status_info(0), pair)))


_CONTENTS = {
    Body.PKICONF: lambda: der.NULL,
    Body.GENP: lambda: der.sequence(),
    Body.RP: lambda: der.sequence(der.sequence(status_info(0))),
    Body.POLLREP: lambda: der.sequence(der.sequence(der.integer(0), der.integer(0))),
}


def _message(body: Body, content: bytes, request: Reply | None = None) -> bytes:
    """A message without protection, which answers a request if there is one: an honest header."""
    draft = Draft(
        body,
        Unprotected(),
        content,
        transaction_id=_ID if request is None else request.transaction_id,
        sender_nonce=_NONCE,
        recip_nonce=_NONCE if request is None else request.sender_nonce,
        recipient=der.NULL_DN if request is None else request.sender,
    )
    return draft.encode()


def _error(failure: str) -> bytes:
    return der.sequence(status_info(2, FAILURES.index(failure)))


def _every_failure() -> bytes:
    bits = der.tlv(0x03, b"\x05", b"\xff\xff\xff\xe0")
    return der.sequence(der.sequence(der.integer(2), bits))


def _fitting(content: Callable[[Reply], tuple[Body, bytes]]) -> Callable[[], Answer]:
    """Answers what can be read as a PKIMessage with one that has its transactionID and nonce."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            received = Reply(request.body)
        except der.Garbled:
            return HttpResponse(400, (_KIND,), _message(Body.ERROR, _error("badDataFormat")), request)
        return HttpResponse(200, (_KIND,), _message(*content(received), received), request)

    return lambda: answer


def _all_granted(request: Reply) -> tuple[Body, bytes]:
    body = ANSWERS.get(request.body, Body.POLLREP if request.body is Body.POLLREQ else Body.PKICONF)
    content = _CONTENTS.get(body)
    return body, _granted() if content is None else content()


def _all_waiting(request: Reply) -> tuple[Body, bytes]:
    body = ANSWERS.get(request.body, Body.POLLREP)
    if body in (Body.IP, Body.CP, Body.KUP):
        return body, der.sequence(der.sequence(der.sequence(der.integer(0), status_info(3))))
    if body is Body.POLLREP:
        return body, _CONTENTS[Body.POLLREP]()
    return Body.ERROR, der.sequence(status_info(3))


def _replaying() -> Answer:
    """The answer to somebody's ir, again and again."""
    body = _message(Body.IP, _granted())
    return lambda request: HttpResponse(200, (_KIND,), body, request)


STUBS: tuple[Stub, ...] = (
    *COMMON,
    Stub("echo", echo(_KIND)),
    Stub("garbage", fixed(200, b"\x30\x82\x01\x00" + bytes(range(256)), _KIND)),
    Stub("fixed-error", fixed(200, _message(Body.ERROR, _error("badRequest")), _KIND)),
    Stub("refuses-all-bad-request", _fitting(lambda request: (Body.ERROR, _error("badRequest")))),
    Stub("refuses-all-bad-message-check", _fitting(lambda request: (Body.ERROR, _error("badMessageCheck")))),
    Stub("refuses-all-for-every-reason", _fitting(lambda request: (Body.ERROR, _every_failure()))),
    Stub("grants-all", _fitting(_all_granted), ("cmp.header.general-transaction-id",)),
    Stub("lets-all-wait", _fitting(_all_waiting)),
    Stub("replay", _replaying),
)
