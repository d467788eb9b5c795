"""The lab's DNS server, over UDP and TCP, on sockets that were bound before. What it says is in :class:`~privca.web.zone.LabZone`."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import cast

import dns.exception
import dns.flags
import dns.message
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import DatagramProtocol, Factory
from twisted.protocols.basic import Int16StringReceiver

from privca.web.reactor import Datagrams, DelayedCall, Port, Reactor, Transport
from privca.web.zone import LabZone

_PLAIN_PAYLOAD = 512
_TCP_TIME = 30.0


def _respond(zone: LabZone, octets: bytes, limit: int | None) -> bytes | None:
    """The response, at most ``limit`` octets (None: what the query allows over UDP); None to what is no query."""
    try:
        query = dns.message.from_wire(octets, ignore_trailing=True)
    except dns.exception.DNSException:
        return None
    if query.flags & dns.flags.QR:
        return None
    response = zone.answer(query)
    size = limit if limit is not None else max(_PLAIN_PAYLOAD, query.payload)
    try:
        return response.to_wire(max_size=size)
    except dns.exception.TooBig:
        truncated = dns.message.make_response(query, recursion_available=True)
        truncated.flags |= dns.flags.TC
        return truncated.to_wire()


class _Udp(DatagramProtocol):
    def __init__(self, zone: LabZone) -> None:
        self._zone = zone

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:  # noqa: N802
        response = _respond(self._zone, datagram, None)
        if response is not None:
            cast("Datagrams", self.transport).write(response, addr)


class _Tcp(Int16StringReceiver):
    def __init__(self, zone: LabZone, reactor: Reactor) -> None:
        self._zone = zone
        self._reactor = reactor
        self._end: DelayedCall | None = None

    def connectionMade(self) -> None:  # noqa: N802
        self._tcp = cast("Transport", self.transport)
        self._end = self._reactor.callLater(_TCP_TIME, self._tcp.abortConnection)

    def stringReceived(self, string: bytes) -> None:  # noqa: N802
        response = _respond(self._zone, string, 65535)
        if response is None:
            self._tcp.loseConnection()
        else:
            self._tcp.write(len(response).to_bytes(2, "big") + response)

    def connectionLost(self, reason: object) -> None:  # type: ignore[override] # noqa: N802
        if self._end is not None and self._end.active():
            self._end.cancel()


class _TcpFactory(Factory):
    noisy = False

    def __init__(self, zone: LabZone, reactor: Reactor) -> None:
        self._zone = zone
        self._reactor = reactor

    def buildProtocol(self, addr: IAddress | None) -> _Tcp:  # noqa: N802
        return _Tcp(self._zone, self._reactor)


class LabResolver:
    """Serves one zone."""

    def __init__(self, reactor: Reactor, zone: LabZone) -> None:
        self._reactor = reactor
        self._zone = zone
        self._ports: list[Port] = []

    def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Answer on bound UDP and listening TCP sockets, which are duplicated."""
        for one in sockets:
            one.setblocking(False)
            if one.type == socket.SOCK_DGRAM:
                port = self._reactor.adoptDatagramPort(one.fileno(), one.family, _Udp(self._zone), maxPacketSize=65535)
            else:
                port = self._reactor.adoptStreamPort(one.fileno(), one.family, _TcpFactory(self._zone, self._reactor))
            self._ports.append(port)

    async def stop(self) -> None:
        """Answer no more."""
        ports, self._ports = self._ports, []
        waiting = [port.stopListening() for port in ports]
        await gatherResults([w for w in waiting if isinstance(w, Deferred)])
