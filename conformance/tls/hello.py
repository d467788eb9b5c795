"""A ClientHello of our own, and what a server says to it before anything is encrypted (RFC 5246 section 7.4, RFC 8446 section 4.1).

No TLS library offers what is too old or too weak to be offered; here it is a list of numbers.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.tls.wire import Wire

SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
SERVER_NAME, STATUS_REQUEST, GROUPS, POINT_FORMATS, SIGNATURES, ALPN = 0, 5, 10, 11, 13, 16
TRUNCATED_HMAC, EXTENDED_MASTER_SECRET, SUPPORTED_VERSIONS, KEY_SHARE, RENEGOTIATION_INFO = 4, 23, 43, 51, 0xFF01
P_256, P_384, X25519 = 23, 24, 29
PROTOCOL_VERSION, UNRECOGNIZED_NAME, NO_APPLICATION_PROTOCOL = 70, 112, 120
"""Alerts (RFC 8446 section 6)."""

FORWARD_SECRET = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8)
"""ECDHE with AEAD: AES-128-GCM, AES-256-GCM and ChaCha20, each for ECDSA and for RSA."""
_SUITES_1_3 = (0x1301, 0x1302, 0x1303)
_ALL_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0807, 0x0808)
_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO, _CERTIFICATE, _KEY_EXCHANGE, _DONE, _STATUS = 2, 11, 12, 14, 22
_MOST_OCTETS = 1 << 20


def number(value: int, size: int) -> bytes:
    """An unsigned number."""
    return value.to_bytes(size, "big")


def vector(size: int, *parts: bytes) -> bytes:
    """Octets behind their length, which has ``size`` octets."""
    body = b"".join(parts)
    return number(len(body), size) + body


def server_name(host: str) -> dict[int, bytes]:
    """The extension that names a host (RFC 6066 section 3)."""
    return {SERVER_NAME: vector(2, b"\x00", vector(2, host.encode("idna")))}


def application_protocols(*names: str) -> dict[int, bytes]:
    """The extension that offers application protocols (RFC 7301)."""
    return {ALPN: vector(2, *(vector(1, name.encode("ascii")) for name in names))}


def groups(*numbers: int) -> dict[int, bytes]:
    """The extension that offers groups for the key exchange (RFC 8422 section 5.1.1)."""
    return {GROUPS: vector(2, *(number(one, 2) for one in numbers))}


def signatures(*numbers: int) -> dict[int, bytes]:
    """The extension that offers signature algorithms."""
    return {SIGNATURES: vector(2, *(number(one, 2) for one in numbers))}


USUAL: Mapping[int, bytes] = {
    **groups(X25519, P_256, P_384),
    POINT_FORMATS: vector(1, b"\x00"),
    **signatures(*_ALL_SIGNATURES),
    EXTENDED_MASTER_SECRET: b"",
    RENEGOTIATION_INFO: vector(1),
}
"""The extensions of a TLS 1.2 client that wants nothing unusual."""


def version_1_3(*versions: int) -> dict[int, bytes]:
    """The extensions that offer TLS 1.3 with a key share, and these versions in this order."""
    share = number(X25519, 2) + vector(2, secrets.token_bytes(32))
    return {SUPPORTED_VERSIONS: vector(1, *(number(one, 2) for one in versions)), KEY_SHARE: vector(2, share)}


def client_hello(
    *,
    version: int = TLS_1_2,
    suites: Iterable[int] = FORWARD_SECRET,
    extensions: Mapping[int, bytes] = USUAL,
    compressions: Sequence[int] = (0,),
) -> bytes:
    """A ClientHello in its record."""
    body = [
        number(version, 2),
        secrets.token_bytes(32),
        vector(1),
        vector(2, *(number(one, 2) for one in suites)),
        vector(1, bytes(compressions)),
    ]
    if extensions:
        body.append(vector(2, *(number(kind, 2) + vector(2, value) for kind, value in extensions.items())))
    hello = b"\x01" + vector(3, *body)
    return bytes((_HANDSHAKE,)) + number(min(version, TLS_1_0), 2) + vector(2, hello)


def client_hello_1_3(*versions: int) -> bytes:
    """A ClientHello that offers TLS 1.3."""
    return client_hello(suites=(*_SUITES_1_3, *FORWARD_SECRET), extensions={**USUAL, **version_1_3(*versions or (TLS_1_3,))})


@dataclass(slots=True)
class ServerHello:
    """A ServerHello. ``version`` is the one that was chosen, wherever it stands."""

    version: int
    suite: int
    compression: int
    extensions: dict[int, bytes]


@dataclass(slots=True)
class Answer:
    """What came back: a hello with what follows it in clear, or an alert, or neither."""

    octets: bytes = b""
    hello: ServerHello | None = None
    alert: int | None = None
    chain: list[bytes] = field(default_factory=list)
    key_exchange: bytes = b""
    stapled: bool = False

    def __str__(self) -> str:
        if self.hello is not None:
            return f"a ServerHello of version {self.hello.version:#06x} with suite {self.hello.suite:#06x}"
        if self.alert is not None:
            return f"alert {self.alert}"
        return f"{len(self.octets)} octets that are no TLS" if self.octets else "nothing"


def ask(wire: Wire, hello: bytes) -> Answer:
    """Send a ClientHello, and read until the server has said what it says in clear."""
    wire.send(hello)
    answer, messages, records = Answer(), b"", b""
    try:
        while len(answer.octets) < _MOST_OCTETS:
            more = wire.receive()
            if not more:
                return answer
            answer.octets += more
            records += more
            while len(records) >= 5 and len(records) >= 5 + int.from_bytes(records[3:5], "big"):
                size = int.from_bytes(records[3:5], "big")
                kind, body, records = records[0], records[5 : 5 + size], records[5 + size :]
                if kind == _ALERT and size == 2:
                    answer.alert = body[1]
                    return answer
                if kind != _HANDSHAKE:
                    return answer
                left = _read(answer, messages + body)
                if left is None:
                    return answer
                messages = left
        return answer
    except (ValueError, IndexError):
        return answer
    finally:
        wire.close()


def _read(answer: Answer, messages: bytes) -> bytes | None:
    """Take handshake messages in as far as they are whole; what is left, or None at the end of what is in clear."""
    while len(messages) >= 4 and len(messages) >= 4 + int.from_bytes(messages[1:4], "big"):
        size = int.from_bytes(messages[1:4], "big")
        kind, body, messages = messages[0], messages[4 : 4 + size], messages[4 + size :]
        if answer.hello is None:
            if kind != _SERVER_HELLO:
                return None
            answer.hello = _server_hello(body)
            if answer.hello.version == TLS_1_3:
                return None
        elif kind == _CERTIFICATE:
            answer.chain = _vectors(_vector(body, 3)[0], 3)
        elif kind == _STATUS:
            answer.stapled = True
        elif kind == _KEY_EXCHANGE:
            answer.key_exchange = body
        elif kind == _DONE:
            return None
    return messages


def _vector(octets: bytes, size: int) -> tuple[bytes, bytes]:
    """The octets behind a length, and what is behind them. :raises ValueError: if they are not all there."""
    end = size + int.from_bytes(octets[:size], "big")
    if len(octets) < end:
        raise ValueError("a vector is longer than what is there")
    return octets[size:end], octets[end:]


def _vectors(octets: bytes, size: int) -> list[bytes]:
    found = []
    while octets:
        one, octets = _vector(octets, size)
        found.append(one)
    return found


def _server_hello(body: bytes) -> ServerHello:
    version = int.from_bytes(body[:2], "big")
    _, rest = _vector(body[34:], 1)
    suite, compression, rest = int.from_bytes(rest[:2], "big"), rest[2], rest[3:]
    extensions: dict[int, bytes] = {}
    listed = _vector(rest, 2)[0] if rest else b""
    while listed:
        kind = int.from_bytes(listed[:2], "big")
        extensions[kind], listed = _vector(listed[2:], 2)
    if SUPPORTED_VERSIONS in extensions:
        version = int.from_bytes(extensions[SUPPORTED_VERSIONS], "big")
    return ServerHello(version, suite, compression, extensions)
