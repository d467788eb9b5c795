"""Servers that issue nothing: whatever they say is taken for a certificate, a CRL and an OCSP response, and nothing in it may be found right."""

from __future__ import annotations

from conformance.examination import Exchange, Issued, Kind
from conformance.pkix.session import PkixSession
from conformance.stubs import COMMON, Stub, fixed
from conformance.target import AcmeTarget, Target
from conformance.transport import HttpRequest, Transport, Unreachable

_URL = "https://stub.example.test/directory"
TARGET = Target(name="stub", acme=AcmeTarget(directory=_URL))
# A SEQUENCE of two empty ones and a BIT STRING: the outermost shape of a certificate and of a CRL, with nothing in it.
_SHAPE = bytes.fromhex("3007300030000301" + "00")

STUBS: tuple[Stub, ...] = (
    *COMMON,
    Stub("page", fixed(200, b"<!doctype html><title>Welcome</title>")),
    Stub("garbage", fixed(200, b"\x30\x82\x01\x00" + bytes(range(256)))),
    Stub("empty-sequence", fixed(200, b"\x30\x00")),
    Stub("right-shape", fixed(200, _SHAPE)),
)


def session(target: Target, *, transport: Transport | None = None) -> PkixSession:
    """A session that has seen what the transport brings, as each kind of thing; without a transport, nothing."""
    issued: list[Issued] = []
    if transport is not None:
        try:
            reply = transport.exchange(HttpRequest("GET", target.endpoints["acme"]))
        except Unreachable:
            reply = None
        if reply is not None:
            issued = [Issued(kind, reply.body, Exchange("seen", reply)) for kind in Kind]
    return PkixSession(target, transport=transport, issued=issued)
