"""Serving on sockets that were bound before: by this process, or by the parent that started this worker."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory

from privca.web.prompt import PromptServer
from privca.web.reactor import Port, Reactor
from privca.web.tls import ServerTls, TlsFactory


def adopt(descriptor: int) -> socket.socket:
    """The listening socket behind a descriptor that was inherited."""
    return socket.socket(fileno=descriptor)


class Listeners:
    """Everything that accepts connections in this process."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._ports: list[Port] = []

    def serve(self, sockets: Sequence[socket.socket], factory: Factory[Any], tls: ServerTls | None = None) -> None:
        """Accept on listening sockets, with TLS if ``tls`` is given. The sockets are duplicated: the caller may close its own."""
        served = factory if tls is None else TlsFactory(tls, factory, self._reactor)
        for one in sockets:
            one.setblocking(False)
            port = self._reactor.adoptStreamPort(one.fileno(), one.family, served)
            port.transport = PromptServer
            self._ports.append(port)

    async def stop(self) -> None:
        """Accept nothing more; connections that exist go on (``HttpFactory.drain`` ends them)."""
        ports, self._ports = self._ports, []
        stopped: list[Deferred[None]] = []
        for port in ports:
            waiting = port.stopListening()
            if isinstance(waiting, Deferred):
                stopped.append(waiting)
        await gatherResults(stopped)
