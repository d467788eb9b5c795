"""The HTTP/1.1 server on a bare Twisted protocol: one read of a request, one write of a reply, in order, within limits.

:class:`HttpFactory` serves an :class:`Application` on TCP, and on TLS when wrapped by ``listeners``. Framing is in ``framing``;
here are the connection's states, time limits, back pressure and the octets of replies. A reply is always complete: Content-Length, never chunked.

One sweep a second enforces the time limits of all connections: a delayed call for each would cost more than reading the request.
"""

from __future__ import annotations

import enum
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Protocol, cast

import msgspec
import structlog
from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure

from privca.base.http import Peer, Response
from privca.web.awaiting import drive
from privca.web.framing import BadMessage, HttpLimits, Message, RequestReader
from privca.web.reactor import DelayedCall, Reactor, Transport
from privca.web.tls import Session

log = structlog.get_logger("privca.web")

_STATUS_LINES = {(minor, s.value): f"HTTP/1.{minor} {s.value} {s.phrase}\r\n" for s in HTTPStatus for minor in (0, 1)}
_WITHOUT_CONTENT = frozenset({204, 304})
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINGER_OCTETS = 1 << 20


class Reply(msgspec.Struct):
    """A response, and who wants to know what was sent: ``sent(head, body)`` gets the reply's exact octets."""

    response: Response
    sent: Callable[[bytes, bytes], None] | None = None


class Application(Protocol):
    """What answers requests. Neither method raises."""

    def answer(self, message: Message, peer: Peer, port: int) -> Coroutine[Any, Any, Reply]:
        """Answer a request that came in on local port ``port``."""

    def refuse(
        self, refusal: BadMessage, head: Message | None, octets: bytes, peer: Peer, port: int
    ) -> Coroutine[Any, Any, Reply]:
        """The reply to octets (the first of them) that are no request that we can read; ``head`` is what could be read, its body missing."""


class State(enum.Enum):
    """What a connection is doing. Time limits hold in all but ANSWERING, where we are the slow ones."""

    IDLE = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()
    ANSWERING = enum.auto()
    WRITING = enum.auto()
    CLOSING = enum.auto()


class _Date:
    """The Date field, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = f"Date: {formatdate(second, usegmt=True)}\r\nServer: privca\r\n"
        return self._line


_date = _Date()


def reply_head(response: Response, minor: int, keep_alive: bool) -> bytes:
    """Status line and fields of a reply, empty line included.

    :raises ValueError: if a field of the response contains a line end: nothing that a client sent may split a reply (RFC 9112 section 11.1).
    """
    line = _STATUS_LINES.get((minor, response.status)) or f"HTTP/1.{minor} {response.status} \r\n"
    fields = "".join([f"{name}: {value}\r\n" for name, value in response.headers])
    if fields.count("\n") != len(response.headers) or fields.count("\r") != len(response.headers):
        raise ValueError("a header field contains a line end")
    # RFC 9110 section 8.6: no Content-Length in 1xx and 204, and in 304 only that of the answer which is not repeated.
    length = "" if response.status in _WITHOUT_CONTENT else f"Content-Length: {len(response.body)}\r\n"
    # HTTP/1.0 keeps a connection only if told so; HTTP/1.1 unless told otherwise.
    connection = ("" if minor else "Connection: keep-alive\r\n") if keep_alive else "Connection: close\r\n"
    return f"{line}{_date.line()}{fields}{length}{connection}\r\n".encode("latin-1")


class HttpConnection(TwistedProtocol):
    """One connection. ``deadline`` (monotonic seconds) is when the sweep ends what it is doing now."""

    factory: HttpFactory

    def __init__(self, factory: HttpFactory) -> None:
        self.factory = factory
        self._limits = factory.limits
        self._reader = RequestReader(factory.limits)
        self._state = State.IDLE
        self._first = True
        self._continued = False
        self._scheduled = False
        self._congested = False
        self._paused = False
        self._lingered = 0
        self.address = ""
        self._peer: Peer | None = None
        self._port = 0
        self.deadline = time.monotonic() + factory.limits.head_time

    # -- what the transport calls

    def connectionMade(self) -> None:  # noqa: N802
        """Count the connection in, or turn it away."""
        self._tcp = cast("Transport", self.transport)
        self._tls = ISSLTransport.providedBy(self.transport)
        self.address = getattr(self._tcp.getPeer(), "host", "")
        if not self.factory.admit(self):
            self._state = State.CLOSING
            self._tcp.abortConnection()
            return
        self._tcp.setTcpNoDelay(True)
        self._port = getattr(self._tcp.getHost(), "port", 0)
        # A client that does not read its replies must not fill our memory: the transport says when its buffer is full and empty again.
        self._tcp.registerProducer(self, True)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802
        """Count the connection out; what is being answered goes on to its end, for the state that it changes."""
        self._state = State.CLOSING
        self.factory.forget(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Read; answer at once if a request is complete and none is being answered."""
        if self._state is State.CLOSING:
            self._lingered += len(data)
            if self._lingered > _LINGER_OCTETS:
                self._tcp.abortConnection()
            return
        self._reader.feed(data)
        if self._state is State.ANSWERING or self._congested or self._scheduled:
            if self._reader.buffered > self._limits.body + self._limits.head:
                self._pause()
            return
        self._next()

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport's buffer is full: the client does not read."""
        self._congested = True
        if self._state in (State.IDLE, State.HEAD, State.BODY):
            self._state = State.WRITING
            self.deadline = time.monotonic() + self._limits.write_time
            self._pause()

    def resumeProducing(self) -> None:  # noqa: N802
        """The transport's buffer is empty again."""
        self._congested = False
        if self._state is State.WRITING:
            self._settle()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is lost; ``connectionLost`` does the rest."""

    # -- one request after the other

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._tcp.pauseProducing()

    def _next(self) -> None:
        self._scheduled = False
        if self._state in (State.CLOSING, State.ANSWERING):
            return
        try:
            message = self._reader.next()
            if message is None:
                self._wait()
                return
        except BadMessage as refusal:
            self._refuse(refusal)
            return
        self._state = State.ANSWERING
        self._first = self._continued = False
        answered = drive(self.factory.application.answer(message, self._peer or self._meet(), self._port))
        if isinstance(answered, Reply):  # not asked for a Deferred, which is an abstract class: that is twenty times as slow
            self._answered(answered, message)
        else:
            answered.addCallback(self._answered, message)
            answered.addErrback(self._failed)

    def _wait(self) -> None:
        """Octets are missing: set the time limit of what is being waited for, when that changes."""
        head = self._reader.head
        if head is not None:
            if self._state is not State.BODY:
                self._state = State.BODY
                self.deadline = time.monotonic() + self._limits.body_time
            expected = head.headers.get("expect")
            if expected is not None and not self._continued and head.minor:
                if expected.lower() != "100-continue":
                    self._refuse(BadMessage(417, "RFC 9110 section 10.1.1", "the only expectation known here is 100-continue"))
                    return
                self._continued = True
                self._tcp.write(_CONTINUE)
        elif self._reader.waiting and self._state is State.IDLE:
            self._state = State.HEAD
            if not self._first:  # the limit of the first head runs from the connection
                self.deadline = time.monotonic() + self._limits.head_time

    def _meet(self) -> Peer:
        if not self._tls:
            self._peer = Peer(self.address)
            return self._peer
        presented = self._tcp.getPeerCertificate()
        # Not parsed here: TLS accepts certificates that the parser does not, and whoever trusts them reads them.
        certificate = None if presented is None else dump_certificate(FILETYPE_ASN1, presented)
        self._peer = Peer(self.address, True, certificate, Session(self._tcp.getHandle()))
        return self._peer

    def _answered(self, reply: Reply, message: Message) -> None:
        if self._state is State.CLOSING:
            if reply.sent is not None:
                reply.sent(b"", b"")
            return
        keep_alive = message.keep_alive and not self.factory.draining
        self._send(reply, message.minor, keep_alive, with_body=message.method != "HEAD")
        if not keep_alive:
            self.close()
            return
        self._state = State.IDLE
        if self._congested:
            self.pauseProducing()
        else:
            self._settle()

    def _settle(self) -> None:
        """A reply is out: go on with what was received meanwhile, or wait for the next request."""
        self._state = State.IDLE
        if self._paused:
            self._paused = False
            self._tcp.resumeProducing()
        self.deadline = time.monotonic() + self._limits.idle_time
        if self._reader.waiting:
            # Through the reactor, so that one client with many requests in one packet does not hold the others.
            self._scheduled = True
            self.factory.reactor.callLater(0, self._next)

    def _failed(self, failure: Failure) -> None:
        log.error("the application failed to answer", failure=failure.getTraceback())
        self._tcp.abortConnection()

    def _refuse(self, refusal: BadMessage) -> None:
        self._state = State.ANSWERING
        head = self._reader.head
        refused = drive(self.factory.application.refuse(refusal, head, self._reader.held, self._peer or self._meet(), self._port))
        if isinstance(refused, Deferred):
            refused.addCallback(self._refused, head)
            refused.addErrback(self._failed)
        else:
            self._refused(refused, head)

    def _refused(self, reply: Reply, head: Message | None) -> None:
        if self._state is State.CLOSING:
            if reply.sent is not None:
                reply.sent(b"", b"")
            return
        self._send(reply, 1 if head is None else head.minor, keep_alive=False, with_body=head is None or head.method != "HEAD")
        self.close()

    def _send(self, reply: Reply, minor: int, keep_alive: bool, *, with_body: bool = True) -> None:
        try:
            head = reply_head(reply.response, minor, keep_alive)
        except ValueError as wrong:
            log.error("a reply could not be sent", reason=str(wrong))
            reply = Reply(Response(500), reply.sent)
            head = reply_head(reply.response, minor, keep_alive)
        body = reply.response.body if with_body and reply.response.status not in _WITHOUT_CONTENT else b""
        self._tcp.write(head + body)
        if reply.sent is not None:
            reply.sent(head, body)

    # -- the end

    @property
    def answering(self) -> bool:
        """Whether it waits for us, not we for it."""
        return self._state is State.ANSWERING

    @property
    def busy(self) -> bool:
        """Whether a request is under way, from its first octet to the last of its reply."""
        return self._state is not State.IDLE or self._reader.waiting

    @property
    def asking(self) -> bool:
        """Whether more has come than a connection and a part of a head, which cost whoever only holds it nothing."""
        return self._state in (State.BODY, State.ANSWERING, State.WRITING)

    def close(self) -> None:
        """Close after what is written; then read and drop what still comes, so that no reset destroys the reply on its way (RFC 9112 section 9.6)."""
        idle = self._state is State.IDLE and not self._reader.waiting
        self._state = State.CLOSING
        self.deadline = time.monotonic() + self._limits.close_time
        tcp = self._tcp
        tcp.unregisterProducer()
        if self._paused:
            self._paused = False
            tcp.resumeProducing()
        if self._tls or idle:
            # TLS: close_notify goes out, and the connection stays until the client's comes or the sweep ends it.
            tcp.loseConnection()
        else:
            tcp.loseWriteConnection()

    def overdue(self) -> None:
        """The deadline has passed."""
        if self._state is State.HEAD and self._reader.waiting:
            self._refuse(
                BadMessage(408, "RFC 9110 section 15.5.9", f"a request head is sent within {self._limits.head_time:g} seconds")
            )
        elif self._state is State.BODY:
            self._refuse(
                BadMessage(408, "RFC 9110 section 15.5.9", f"a request body is sent within {self._limits.body_time:g} seconds")
            )
        elif self._state is State.IDLE:
            self.close()
        elif self._state is not State.ANSWERING:
            self.abort()

    def abort(self) -> None:
        """Cut off."""
        self._tcp.abortConnection()


class HttpFactory(Factory[HttpConnection]):
    """Makes connections for one application, and ends them when their time is over."""

    noisy = False

    def __init__(self, reactor: Reactor, application: Application, limits: HttpLimits) -> None:
        self.reactor = reactor
        self.application = application
        self.limits = limits
        self.draining = False
        self.turned_away = 0
        self._connections: set[HttpConnection] = set()
        self._empty: Deferred[None] | None = None
        shortest = min(limits.head_time, limits.body_time, limits.idle_time, limits.write_time, limits.close_time)
        self._interval = min(1.0, shortest / 4)
        self._sweep: DelayedCall | None = None

    def buildProtocol(self, addr: IAddress | None) -> HttpConnection:  # noqa: N802
        """A connection."""
        return HttpConnection(self)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def admit(self, connection: HttpConnection) -> bool:
        """Count a new connection in; False if there are too many."""
        if self.draining or (len(self._connections) >= self.limits.connections and not self._make_room()):
            self.turned_away += 1
            return False
        self._connections.add(connection)
        if self._sweep is None:
            self._sweep = self.reactor.callLater(self._interval, self._end_overdue)
        return True

    def _make_room(self) -> bool:
        """End a connection that we only wait for, of the address that has the most: one client cannot keep all others out by connections
        that it does nothing with. False if every connection waits for us."""
        held = Counter(connection.address for connection in self._connections)
        waiting = [connection for connection in self._connections if not connection.answering]
        if not waiting:
            return False
        ended = min(waiting, key=lambda connection: (-held[connection.address], connection.asking, connection.deadline))
        ended.abort()
        self.forget(ended)
        return True

    def forget(self, connection: HttpConnection) -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        if not self._connections and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def _end_overdue(self) -> None:
        # The next sweep is set first, so that nothing that goes wrong in this one ends them all. Without connections there is none.
        self._sweep = self.reactor.callLater(self._interval, self._end_overdue) if self._connections else None
        now = time.monotonic()
        for connection in [c for c in self._connections if c.deadline < now]:
            connection.overdue()

    async def drain(self, seconds: float) -> None:
        """Stop: close idle connections, let what is under way end, cut off what still is there after ``seconds``."""
        self.draining = True
        for connection in list(self._connections):
            if not connection.busy:
                connection.close()
        if self._connections:
            self._empty = Deferred()
            cut = self.reactor.callLater(seconds, self._cut)
            await self._empty
            if cut.active():
                cut.cancel()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _cut(self) -> None:
        for connection in list(self._connections):
            connection.abort()
