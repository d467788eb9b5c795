"""Listeners that speak no TLS, or only the beginning of it."""

from __future__ import annotations

from conformance.stubs import COMMON, Stub, echo, fixed
from conformance.target import AcmeTarget, EstTarget, Target
from conformance.tls.hello import TLS_1_2, number, vector

TARGET = Target(
    name="stub",
    acme=AcmeTarget(directory="https://stub.example.test/directory"),
    est=EstTarget(url="https://stub.example.test/.well-known/est"),
)
_FATAL = bytes.fromhex("15030300020228")
"""Alert handshake_failure."""


def _hello() -> bytes:
    """A ServerHello of TLS 1.2 with ECDHE-ECDSA-AES128-GCM and no extensions, and the end of the flight."""
    body = number(TLS_1_2, 2) + bytes(32) + vector(1) + number(0xC02B, 2) + b"\x00"
    messages = b"\x02" + vector(3, body) + b"\x0e" + vector(3)
    return b"\x16" + number(TLS_1_2, 2) + vector(2, messages)


STUBS: tuple[Stub, ...] = (
    *COMMON,
    Stub("echo", echo()),
    Stub("garbage", fixed(200, bytes(range(256)))),
    Stub("plaintext", fixed(200, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
    Stub("refuses-all", fixed(200, _FATAL)),
    # It grants TLS 1.2 with a good suite whatever is asked for: what is right in that, it does right.
    Stub(
        "grants-all",
        fixed(200, _hello()),
        (
            "tls.version.tls-1-2",
            "tls.compression.none",
            "tls.sni.known",
            "tls.truncated-hmac.none",
            "tls.suite.forward-secrecy",
            "tls.suite.recommended",
            "tls.suite.preferred",
            "tls.plaintext.refused",
        ),
    ),
)
