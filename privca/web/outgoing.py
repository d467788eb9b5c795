"""Connections that the prober makes: TCP, and TLS that shows a certificate without judging it; never by name, always to an address.

Every function raises :class:`ProbeFailed` for what the network does, and can be cancelled at any await (the overall time limit).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IHandshakeListener, IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from privca.acme.ports import ProbeFailure
from privca.web.reactor import Reactor, Transport
from privca.web.tls import Connection


class ProbeFailed(Exception):
    """A probe saw nothing to judge; ``address`` is who was asked, if anybody was."""

    def __init__(self, failure: ProbeFailure, detail: str, address: str = "") -> None:
        super().__init__(failure, detail)
        self.failure = failure
        self.detail = detail
        self.address = address


@implementer(IHandshakeListener)
class Link(TwistedProtocol):
    """One outgoing connection: ``ready`` fires when TCP (and TLS, if any) stands; what comes then is for :meth:`exchange`.

    ``ended`` fires when the other side has closed, or nothing more is wanted.
    """

    def __init__(self, tls: bool) -> None:
        self._tls = tls
        self._feed: Callable[[bytes], bool] | None = None
        self.ready: Deferred[None] = Deferred(lambda _: self.abort())
        self.ended: Deferred[None] = Deferred(lambda _: self.abort())

    def connectionMade(self) -> None:  # noqa: N802
        """Ready, unless a handshake follows."""
        if not self._tls:
            self.ready.callback(None)

    def handshakeCompleted(self) -> None:  # noqa: N802
        """Ready."""
        if not self.ready.called:
            self.ready.callback(None)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Hand on, if anybody wants it: nothing is kept here."""
        if self.ended.called or self._feed is None:
            return
        try:
            if self._feed(data):
                self._end(None)
        except ProbeFailed as failed:
            self._end(failed)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802
        """The end, in order or not; before the handshake is done it is a failure of TLS."""
        if not self.ready.called:
            self.ready.errback(ProbeFailed(ProbeFailure.TLS, f"the TLS handshake failed: {_said(reason.value)}"))
        if not self.ended.called:
            self.ended.callback(None)

    async def exchange(self, octets: bytes, feed: Callable[[bytes], bool]) -> None:
        """Send ``octets``, and give what comes to ``feed`` until that says that it has enough, or the other side closes."""
        self._feed = feed
        cast("Transport", self.transport).write(octets)
        await self.ended

    def close(self) -> None:
        """End in order: what was written, the last message of a TLS handshake above all, still reaches the other side."""
        transport = cast("Transport", self.transport)
        transport.loseConnection()
        if self._tls:
            # Not waiting for the other side's close_notify: nothing more is to be read.
            cast("Transport", cast("TLSMemoryBIOProtocol", self.transport).transport).loseConnection()

    def abort(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            cast("Transport", self.transport).abortConnection()

    def _end(self, failed: ProbeFailed | None) -> None:
        self.abort()
        if failed is None:
            self.ended.callback(None)
        else:
            self.ended.errback(failed)


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    def __init__(self, server_name: str, alpn: bytes) -> None:
        self._server_name = server_name
        self._alpn = alpn

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        # RFC 8555 section 8.3 and RFC 8737 section 3: the certificate is what is looked at, or does not matter; it proves nothing here.
        context.set_verify(SSL.VERIFY_NONE)
        context.set_alpn_protos([self._alpn])
        connection = Connection(context, None)
        if self._server_name:
            connection.set_tlsext_host_name(self._server_name.encode("ascii"))
        return connection


class _One(Factory):
    noisy = False

    def __init__(self, link: Link) -> None:
        self._link = link

    def buildProtocol(self, addr: object) -> Link:  # noqa: N802
        return self._link


async def connect(
    reactor: Reactor,
    address: str,
    port: int,
    wait: float,
    *,
    server_name: str | None = None,
    alpn: bytes = b"http/1.1",
) -> Link:
    """A connection to exactly ``address``, with TLS if ``server_name`` is given (empty: TLS without SNI).

    :param wait: seconds for the TCP connection.
    :raises ProbeFailed: CONNECTION or TLS.
    """
    link = Link(server_name is not None)
    factory: Any = _One(link)
    if server_name is not None:
        factory = TLSMemoryBIOFactory(cast("Any", _Creator(server_name, alpn)), True, factory, clock=cast("Any", reactor))
    endpoint = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
    try:
        await endpoint(reactor, address, port, timeout=wait).connect(factory)
    except (ConnectError, OSError) as error:
        raise ProbeFailed(ProbeFailure.CONNECTION, f"no connection to {address} port {port}: {_said(error)}", address) from None
    try:
        await link.ready
    except ProbeFailed as failed:
        failed.address = address
        raise
    return link


def peer_of(link: Link) -> SSL.Connection:
    """The TLS side of a link."""
    return cast("SSL.Connection", cast("TLSMemoryBIOProtocol", link.transport).getHandle())


def _said(error: BaseException | None) -> str:
    """An error of the network in a few words."""
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return str(error.args[0][0][-1])
    return str(error).removesuffix(".")
