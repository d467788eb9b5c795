"""The first flight of a TLS handshake, written octet by octet: what a server chooses when it is offered nothing else.

A TLS library of today can offer neither TLS 1.0 nor a suite without encryption, so ClientHello is made here (RFC 5246 section 7.4.1.2), and
of the answer only ServerHello is read.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

TLS10, TLS12 = 0x0301, 0x0303
MODERN = (0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9)
"""ECDHE with AES-GCM and ChaCha20 (RFC 9325 section 4.2)."""
OLD = (0xC009, 0xC00A, 0xC013, 0xC014, 0x002F, 0x0035, 0x000A)
"""What TLS 1.0 has: CBC suites with ECDSA and RSA, and 3DES."""
NULL = (0x0001, 0x0002, 0x003B, 0xC001, 0xC006, 0xC00B, 0xC010)
ANON = (0x0018, 0x001B, 0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7, 0xC015, 0xC017, 0xC018, 0xC019)
EXPORT = (0x0003, 0x0006, 0x0008, 0x000B, 0x000E, 0x0011, 0x0014, 0x0017, 0x0019)
DES = (0x0009, 0x000C, 0x000F, 0x0012, 0x0015, 0x001A)
_EMPTY_RENEGOTIATION_INFO_SCSV = 0x00FF
_RENEGOTIATION_INFO = 0xFF01
_TIMEOUT = 10.0
_HANDSHAKE, _SERVER_HELLO = 22, 2


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What the server chose. ``renegotiation_info`` tells whether it knows RFC 5746."""

    version: int
    suite: int
    renegotiation_info: bool


def offer(url: str, version: int, suites: tuple[int, ...]) -> ServerHello | None:
    """What the server of a URL chooses from an offer; None if it refuses. :raises OSError: if it cannot be reached at all."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    with socket.create_connection((host, parts.port or 443), _TIMEOUT) as connection:
        connection.settimeout(_TIMEOUT)
        try:
            connection.sendall(_client_hello(host, version, suites))
            return _server_hello(_record(connection))
        except OSError:
            return None  # it hung up, which is an answer, too


def _client_hello(host: str, version: int, suites: tuple[int, ...]) -> bytes:
    name = host.encode("idna")
    extensions = (
        (0x0000, _vector(2, b"\x00" + _vector(2, name))),  # server_name
        (0x000A, _vector(2, b"\x00\x1d\x00\x17\x00\x18")),  # supported_groups: X25519, P-256, P-384
        (0x000B, _vector(1, b"\x00")),  # ec_point_formats: uncompressed
        (0x000D, _vector(2, b"\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x06\x01\x02\x03\x02\x01")),  # signature_algorithms
    )
    listed = b"".join(suite.to_bytes(2, "big") for suite in (*suites, _EMPTY_RENEGOTIATION_INFO_SCSV))
    hello = (
        version.to_bytes(2, "big")
        + secrets.token_bytes(32)
        + _vector(1, b"")
        + _vector(2, listed)
        + _vector(1, b"\x00")
        + _vector(2, b"".join(kind.to_bytes(2, "big") + _vector(2, data) for kind, data in extensions))
    )
    return bytes([_HANDSHAKE]) + TLS10.to_bytes(2, "big") + _vector(2, b"\x01" + _vector(3, hello))


def _vector(size: int, octets: bytes) -> bytes:
    return len(octets).to_bytes(size, "big") + octets


def _record(connection: socket.socket) -> bytes:
    """The content of the first record, with its type in front; nothing if the connection ends before."""
    head = _exactly(connection, 5)
    return head[:1] + _exactly(connection, int.from_bytes(head[3:5], "big")) if len(head) == 5 else b""


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count and (more := connection.recv(count - len(found))):
        found += more
    return found


def _server_hello(record: bytes) -> ServerHello | None:
    if record[:2] != bytes([_HANDSHAKE, _SERVER_HELLO]) or len(record) < 42:
        return None
    body = record[5:]
    at = 35 + body[34]
    suite = int.from_bytes(body[at : at + 2], "big")
    at += 5  # suite, compression, length of the extensions
    kinds = set()
    while at + 4 <= len(body):
        kinds.add(int.from_bytes(body[at : at + 2], "big"))
        at += 4 + int.from_bytes(body[at + 2 : at + 4], "big")
    return ServerHello(int.from_bytes(body[:2], "big"), suite, _RENEGOTIATION_INFO in kinds)
