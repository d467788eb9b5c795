"""Real sockets against a real reactor, which runs in a thread of its own for the whole session (it cannot be started twice)."""

from __future__ import annotations

import inspect
import json
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread

from privca.base.http import Peer, Response
from privca.web.framing import BadMessage, HttpLimits, Message
from privca.web.http import HttpFactory, Reply
from privca.web.listeners import Listeners
from privca.web.problems import problem
from privca.web.tls import ServerTls

reactor: Any = _reactor
WAIT = 10.0


class Loop:
    """The reactor in its thread."""

    reactor = reactor

    def run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Call ``work`` in the reactor's thread, and wait for its result, its coroutine or its Deferred."""

        def call() -> Any:
            result = work(*arguments)
            return Deferred.fromCoroutine(result) if inspect.iscoroutine(result) else result

        return blockingCallFromThread(reactor, call)

    def start(self, work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """Start a coroutine without waiting; ``run(lambda: started)`` waits."""
        started: list[Deferred[Any]] = []
        self.run(lambda: started.append(Deferred.fromCoroutine(work)))
        return started[0]

    async def pause(self, seconds: float) -> None:
        later: Deferred[None] = Deferred()
        reactor.callLater(seconds, later.callback, None)
        await later


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    started = threading.Event()
    reactor.callWhenRunning(started.set)
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True)
    thread.start()
    assert started.wait(WAIT)
    yield Loop()
    reactor.callFromThread(reactor.stop)
    thread.join(WAIT)
    assert not thread.is_alive()


class Echo:
    """Answers with what it understood, as JSON; ``/wait`` when :attr:`gate` fires; ``/big`` with a megabyte; ``/split`` with a bad field."""

    def __init__(self) -> None:
        self.seen: list[Message] = []
        self.peers: list[Peer] = []
        self.refused: list[BadMessage] = []
        self.heads: list[Message | None] = []
        self.sent: list[tuple[bytes, bytes]] = []
        self.gates: list[Deferred[None]] = []

    async def answer(self, message: Message, peer: Peer, port: int) -> Reply:
        self.seen.append(message)
        self.peers.append(peer)
        if message.path == "/wait":
            gate: Deferred[None] = Deferred()
            self.gates.append(gate)
            await gate
        if message.path == "/big":
            return self._reply(Response(200, (), b"x" * 1_000_000))
        if message.path == "/split":
            line_end = message.query.replace("CR", "\r").replace("LF", "\n")
            return self._reply(Response(200, (("X", f"a{line_end}Set-Cookie: b"),), b"x"))
        if message.path == "/none":
            return self._reply(Response(204, (("Replay-Nonce", "n"),)))
        if message.path == "/kept":
            return self._reply(Response(304, (("ETag", '"n"'),)))
        said = {
            "method": message.method,
            "path": message.path,
            "query": message.query,
            "body": message.body.decode("latin-1"),
            "authority": message.authority,
            "headers": dict(message.headers),
        }
        return self._reply(Response(200, (("Content-Type", "application/json"), ("X-CaSe", "kept")), json.dumps(said).encode()))

    def _reply(self, response: Response) -> Reply:
        return Reply(response, lambda head, body: self.sent.append((head, body)))

    async def refuse(self, refusal: BadMessage, head: Message | None, octets: bytes, peer: Peer, port: int) -> Reply:
        if head is not None and head.path == "/wait":
            gate: Deferred[None] = Deferred()
            self.gates.append(gate)
            await gate
        self.refused.append(refusal)
        self.heads.append(head)
        return self._reply(problem(refusal.status, refusal.detail, refusal.clause))


@dataclass
class Served:
    """A server on loopback."""

    port: int
    factory: HttpFactory
    listeners: Listeners


def listening(address: str = "127.0.0.1") -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    bound.bind((address, 0))
    bound.listen(128)
    return bound


@pytest.fixture
def serve(loop: Loop) -> Iterator[Callable[..., Served]]:
    """``serve(application, limits, tls)``: a server until the end of the test."""
    running: list[Served] = []

    def start(application: Any, limits: HttpLimits | None = None, tls: ServerTls | None = None) -> Served:
        def begin() -> Served:
            factory = HttpFactory(reactor, application, limits or HttpLimits())
            listeners = Listeners(reactor)
            with listening() as bound:
                listeners.serve([bound], factory, tls)
                return Served(bound.getsockname()[1], factory, listeners)

        running.append(loop.run(begin))
        return running[-1]

    async def end(served: Served) -> None:
        await served.listeners.stop()
        await served.factory.drain(0.5)

    yield start
    for served in running:
        loop.run(end, served)


@dataclass
class Answer:
    """One reply as a client reads it."""

    version: str
    status: int
    headers: dict[str, str]
    body: bytes
    head: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A raw socket that can read replies."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", source: str = "") -> None:
        plain = socket.create_connection((host, port), WAIT, (source, 0) if source else None)
        self.socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        self._buffer = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, octets: bytes) -> Client:
        self.socket.sendall(octets)
        return self

    def _more(self) -> bool:
        octets = self.socket.recv(65536)
        self._buffer += octets
        return bool(octets)

    def read(self, *, head_only: bool = False) -> Answer:
        while b"\r\n\r\n" not in self._buffer:
            assert self._more(), f"closed after {self._buffer!r}"
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        headers = dict(line.split(": ", 1) for line in lines)
        length = 0 if head_only or status.startswith("1") else int(headers.get("Content-Length", "0"))
        while len(self._buffer) < length:
            assert self._more(), f"closed after {len(self._buffer)} of {length} octets"
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(version, int(status), headers, body, head)

    def fill(self) -> None:
        """Wait until something has come."""
        assert self._more()

    def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            while self._more():
                pass
        except ConnectionResetError:
            self._buffer += b"<reset>"
        return self._buffer


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    opened: list[Client] = []

    def connect(port: int, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", source: str = "") -> Client:
        opened.append(Client(port, tls, host, source))
        return opened[-1]

    yield connect
    for one in opened:
        one.socket.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@dataclass(frozen=True)
class Identity:
    """A key and its self-signed certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def self_signed(name: str, extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Identity(key, builder.sign(key, hashes.SHA256()))


@pytest.fixture(scope="session")
def identity() -> Identity:
    return self_signed("localhost")


@pytest.fixture(scope="session")
def make_identity() -> Callable[..., Identity]:
    return self_signed


@pytest.fixture
def server_tls(identity: Identity) -> ServerTls:
    return ServerTls([identity.certificate], identity.key)


@pytest.fixture
def trusting() -> ssl.SSLContext:
    """A client's context that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture
def open_socket() -> Callable[..., socket.socket]:
    return listening
