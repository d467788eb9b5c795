"""What a TLS client offers, read from its first message (RFC 8446 section 4.1.2) before it is answered."""

from __future__ import annotations

from dataclasses import dataclass

_RECORD_HEADER = 5
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_SERVER_NAME, _ALPN, _SUPPORTED_VERSIONS = 0, 16, 43
_GREASE = 0x0A0A


class Incomplete(Exception):
    """More octets are needed."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """``server_name`` is empty without SNI, ``protocols`` without ALPN. ``versions`` are those of TLS that it offers, 0x0303 for 1.2."""

    server_name: str
    protocols: tuple[str, ...]
    versions: tuple[int, ...]


class _Reader:
    """Takes octets from the front. :raises Incomplete: where there are not enough."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def take(self, count: int) -> bytes:
        if len(self.octets) < count:
            raise Incomplete
        taken, self.octets = self.octets[:count], self.octets[count:]
        return taken

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def vector(self, length_octets: int) -> _Reader:
        return _Reader(self.take(self.number(length_octets)))


def parse(octets: bytes) -> ClientHello:
    """The ClientHello at the beginning of a connection. :raises Incomplete: if it is not all there. :raises ValueError: if it is none."""
    records, message = _Reader(octets), b""
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        kind = records.take(_RECORD_HEADER)
        if kind[0] != _HANDSHAKE:
            raise ValueError(f"a record of type {kind[0]} where a ClientHello should be")
        message += records.take(int.from_bytes(kind[3:5], "big"))
        if message and message[0] != _CLIENT_HELLO:
            raise ValueError(f"a handshake message of type {message[0]} where a ClientHello should be")
    try:
        return _hello(_Reader(message[4:]))
    except (Incomplete, UnicodeDecodeError):
        raise ValueError("a ClientHello that ends in the midst") from None


def _hello(reader: _Reader) -> ClientHello:
    legacy = reader.number(2)
    reader.take(32)  # random
    reader.vector(1)  # session ID
    reader.vector(2)  # cipher suites
    reader.vector(1)  # compression methods
    name, protocols, versions = "", list[str](), [legacy]
    extensions = reader.vector(2) if reader.octets else _Reader(b"")
    while extensions.octets:
        kind, body = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            names = body.vector(2)
            while names.octets:
                host, value = names.number(1) == 0, names.vector(2).octets
                name = value.decode("ascii") if host else name
        elif kind == _ALPN:
            listed = body.vector(2)
            while listed.octets:
                protocols.append(listed.vector(1).octets.decode("latin-1"))
        elif kind == _SUPPORTED_VERSIONS:
            offered = body.vector(1)
            versions = []
            while offered.octets:
                versions.append(offered.number(2))
    return ClientHello(name, tuple(protocols), tuple(one for one in versions if one & 0x0F0F != _GREASE))
