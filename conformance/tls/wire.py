"""A way to a listener below TLS: octets there, octets back."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from conformance.transport import HttpRequest, Transport, Unreachable

TIMEOUT = 5.0
"""Seconds to connect, and for each read."""
_CHUNK = 1 << 14


class Wire(Protocol):
    """One connection."""

    def send(self, octets: bytes) -> None:
        """Send. What a listener that has hung up does not take is lost: what it said before is there to be read."""

    def receive(self) -> bytes:
        """What came; empty at the end, and where nothing comes any more."""

    def close(self) -> None:
        """Hang up."""


class SocketWire:
    """Over TCP. :raises Unreachable: if nobody listens."""

    def __init__(self, host: str, port: int, timeout: float = TIMEOUT) -> None:
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as failure:
            raise Unreachable(f"{host}:{port}: {type(failure).__name__}: {failure}") from failure

    def send(self, octets: bytes) -> None:
        """Send."""
        with contextlib.suppress(OSError):
            self._socket.sendall(octets)

    def receive(self) -> bytes:
        """Read once."""
        try:
            return self._socket.recv(_CHUNK)
        except OSError:
            return b""

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class TransportWire:
    """Over a transport of messages, for a listener that is none: what is sent is a body, and what comes is a body."""

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self._url = url
        self._replies: list[bytes] = []

    def send(self, octets: bytes) -> None:
        """Send."""
        self._replies.append(self._transport.exchange(HttpRequest("TLS", self._url, (), octets)).body)

    def receive(self) -> bytes:
        """The reply to what was sent before."""
        return self._replies.pop(0) if self._replies else b""

    def close(self) -> None:
        """Nothing is to be closed."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where something listens: ``host`` as the URLs have it, and ``protocols`` that are behind it."""

    host: str
    port: int
    url: str
    protocols: tuple[str, ...]
    dial: Callable[[], Wire]

    @property
    def place(self) -> str:
        """``host:port``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listeners(endpoints: dict[str, str], transport: Transport | None = None) -> list[Listener]:
    """The TLS listeners behind these URLs, by protocol; each once."""
    behind: dict[tuple[str, int], list[str]] = {}
    urls: dict[tuple[str, int], str] = {}
    for protocol, url in endpoints.items():
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            at = (parts.hostname, parts.port or 443)
            behind.setdefault(at, []).append(protocol)
            urls.setdefault(at, url)
    return [Listener(*at, urls[at], tuple(names), _dial(at, urls[at], transport)) for at, names in behind.items()]


def _dial(at: tuple[str, int], url: str, transport: Transport | None) -> Callable[[], Wire]:
    return (lambda: SocketWire(*at)) if transport is None else (lambda: TransportWire(transport, url))
