"""What is asked of Twisted's reactor and transports, as types: its own interfaces say nothing to a type checker."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import DatagramProtocol


class DelayedCall(Protocol):
    """Something that happens later."""

    def cancel(self) -> None:
        """Let it not happen."""

    def active(self) -> bool:
        """Whether it still will."""


class Port(Protocol):
    """Something that listens; ``transport`` is the class of the connections that it accepts."""

    transport: type[object]

    def stopListening(self) -> Deferred[None] | None:  # noqa: N802
        """Listen no more."""


class Reactor(Protocol):
    """The parts of the reactor that are used here. Seconds are floats."""

    def seconds(self) -> float:
        """The reactor's monotonic time."""

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object) -> DelayedCall:  # noqa: N802
        """Call after ``delay`` seconds."""

    def listenUDP(self, port: int, protocol: DatagramProtocol, interface: str = "") -> Port:  # noqa: N802
        """Bind a UDP socket."""

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: socket.AddressFamily, factory: Any) -> Port:  # noqa: N802, N803
        """Accept on a duplicate of a listening socket."""

    def adoptDatagramPort(  # noqa: N802
        self,
        fileDescriptor: int,  # noqa: N803
        addressFamily: socket.AddressFamily,  # noqa: N803
        protocol: DatagramProtocol,
        maxPacketSize: int = 8192,  # noqa: N803
    ) -> Port:
        """Receive on a duplicate of a bound UDP socket."""


class Transport(Protocol):
    """TCP, or TLS over it; only TLS has ``getPeerCertificate`` and a handle that is its connection."""

    def write(self, data: bytes) -> None:
        """Send, now or later."""

    def loseConnection(self) -> None:  # noqa: N802
        """Close after what was written."""

    def loseWriteConnection(self) -> None:  # noqa: N802
        """Send FIN after what was written, and go on reading."""

    def abortConnection(self) -> None:  # noqa: N802
        """Close at once."""

    def getHost(self) -> IAddress:  # noqa: N802
        """Our end."""

    def getPeer(self) -> IAddress:  # noqa: N802
        """The other end."""

    def getPeerCertificate(self) -> X509 | None:  # noqa: N802
        """What the other end presented in TLS."""

    def getHandle(self) -> SSL.Connection:  # noqa: N802
        """The TLS connection."""

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """RFC 896 off: replies are written whole."""

    def registerProducer(self, producer: object, streaming: bool) -> None:  # noqa: N802
        """Say who is to be told when the buffer is full, and empty again."""

    def unregisterProducer(self) -> None:  # noqa: N802
        """Nobody is told any more."""

    def pauseProducing(self) -> None:  # noqa: N802
        """Stop reading."""

    def resumeProducing(self) -> None:  # noqa: N802
        """Read again."""


class Datagrams(Protocol):
    """A UDP socket."""

    def connect(self, host: str, port: int) -> None:
        """Talk to nobody else."""

    def write(self, datagram: bytes, addr: tuple[str, int] | None = None) -> None:
        """Send."""

    def stopListening(self) -> Deferred[None] | None:  # noqa: N802
        """Close."""
