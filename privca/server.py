"""The composition root: from a configuration and bound sockets to a running server. The one place that knows everybody.

One process serves by itself; with several workers the parent keeps the admin listener and the lab's resolver, and looks after the workers.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from ipaddress import ip_network
from tempfile import TemporaryDirectory
from typing import Any, Protocol, cast, runtime_checkable

import structlog
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogBeginner

from privca.composition import compose
from privca.config import SERVED_PROTOCOLS, Config, ConfigurationError, host_and_port
from privca.logs import configure
from privca.profiles import FreshProfiles
from privca.server_certificate import UnusableCertificateError, fits, issue_server_certificate, read_server_certificate
from privca.services import Surroundings, acme, cmp, est, scep
from privca.services import status as status_services
from privca.sockets import LOOPBACK, Sockets
from privca.web.addresses import DENIED_BY_DEFAULT, AddressPolicy
from privca.web.admin import Admin
from privca.web.background import ReactorBackground
from privca.web.dns import Dns, DnsFailure, system_servers
from privca.web.framing import HttpLimits
from privca.web.http import HttpFactory
from privca.web.listeners import Listeners, adopt
from privca.web.lock import ReactorLock
from privca.web.metrics import SHARED, Exposition, Metrics, SharedMetrics
from privca.web.prober import NetworkProber, ProberLimits
from privca.web.resolver import LabResolver
from privca.web.resource import ExchangeLog, Resource, Service, Status
from privca.web.tls import ServerTls
from privca.web.transcript import Transcript
from privca.web.zone import LabZone
from privca.workers import Task, TooManyDeathsError, Workers

log = structlog.get_logger("privca.server")
reactor: Any = _reactor

RESUME = 15.0
"""Seconds between two looks for work that a crash left behind."""
WATCH = 5.0
"""Seconds between two looks at the server's certificate file."""
RENEW = 3600.0
"""Seconds between two looks at its end."""
TEND = 0.5
"""Seconds between two looks at the workers."""
TEND_LISTS = 30.0
"""Seconds between two looks for CRLs that are stale; who asks for one makes it sooner."""
DESCRIPTORS = 8192
"""Open files that a process may have: well over its connections and probes."""
DRAIN = 10.0
"""Seconds that connections and work under way have to end when the server stops."""
_failures: list[Exception] = []
"""Why this process ends, unless it was asked to."""


@runtime_checkable
class Resuming(Protocol):
    """A service that has work which a crash can leave behind, or whose time comes."""

    async def resume(self, now: datetime) -> None:
        """Take it up."""


class Front:
    """What serves requests: in the only process, or in each worker."""

    def __init__(self, config: Config, metrics: Metrics, exchange_log: ExchangeLog, name: str) -> None:
        self.parts = compose(config, deferToThread, lock=ReactorLock)
        self._config = config
        self._background = ReactorBackground(reactor)
        surroundings = Surroundings(_prober(config), self._background, deferToThread)
        services: dict[str, Service] = {
            "acme": acme.service(self.parts, surroundings),
            "est": est.service(self.parts, surroundings),
            "scep": scep.service(self.parts, surroundings),
            "cmp": cmp.service(self.parts, surroundings),
        }
        assert services.keys() == SERVED_PROTOCOLS, "the configuration admits profiles of exactly the protocols that are served"
        status: Status = status_services.service(self.parts, surroundings)
        faulty = config.lab is not None and config.lab.faults
        if faulty:
            # Imported here: a server for real use never has this package in memory.
            from privca.faults.service import with_faults
            from privca.faults.status.serving import FaultyStatus, OwnLists

            services = with_faults(services, lambda copy: copy.service(self.parts, surroundings))
            status = FaultyStatus(status, lambda copy: copy.service(self.parts, surroundings, OwnLists(self.parts.store)))
        self._resuming = [service for service in services.values() if isinstance(service, Resuming)]
        directory = config.file(config.server.transcripts) if config.server.transcripts else None
        self._transcript = Transcript(directory / f"{name}.jsonl", reactor, deferToThread) if directory else None
        resource = Resource(
            services=services,
            status=status,
            profiles=FreshProfiles(self.parts.store, faults=faulty),
            names=config.server.hosts,
            clock=self.parts.clock,
            entropy=self.parts.entropy,
            transcript=self._transcript,
            metrics=metrics,
            exchange_log=exchange_log,
        )
        self._factory = HttpFactory(reactor, resource, HttpLimits())
        self._listeners = Listeners(reactor)
        self._seen = _state(config)
        self._tls = ServerTls(*read_server_certificate(config))

    def start(self, https: Sequence[socket.socket], http: Sequence[socket.socket], *, tends: bool) -> None:
        """Accept connections, and pick up what a crash left behind.

        :param tends: whether this process is the one that does what is regularly done once, however many serve.
        """
        self._listeners.serve(https, self._factory, self._tls)
        self._listeners.serve(http, self._factory)
        for service in self._resuming:
            _every(RESUME, partial(self._resume, service))
        _every(WATCH, self._reload)
        if tends:
            _every(TEND_LISTS, self._tend_lists)

    async def _resume(self, service: Resuming) -> None:
        await service.resume(self.parts.clock.now())

    async def _tend_lists(self) -> None:
        """Make CRLs anew that are stale, in the background, so that an end of the server waits for what is under way."""
        self._background.start(self.parts.lists.tend(self.parts.clock.now()))

    async def _reload(self) -> None:
        """Use the server's certificate anew when its file has changed."""
        state = _state(self._config)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._tls.replace(*read_server_certificate(self._config))
        except (UnusableCertificateError, ValueError) as error:
            log.error("the server's certificate has changed and cannot be used; the old one stays", reason=str(error))
        else:
            log.info("the server's certificate was read anew")

    async def stop(self) -> None:
        """Accept nothing more, finish what is under way, and close everything."""
        await self._listeners.stop()
        await self._factory.drain(DRAIN)
        await self._background.drain(DRAIN)
        if self._transcript is not None:
            await self._transcript.close()
        self.parts.store.close()


class Keeper:
    """What there is once, however many processes serve: admin listener, lab resolver, renewal of the lab's server certificate."""

    def __init__(self, config: Config, metrics: Exposition, missing: Callable[[], Sequence[str]]) -> None:
        zone = LabZone(ipv4=LOOPBACK, ipv6="") if config.lab is not None else None
        self._resolver = (
            LabResolver(reactor, zone) if zone is not None and config.lab is not None and config.lab.resolver else None
        )
        self._admin = HttpFactory(reactor, Admin(metrics, missing, ("localhost", LOOPBACK, "::1"), zone), HttpLimits())
        self._listeners = Listeners(reactor)
        self._config = config

    def start(self, sockets: Sockets) -> None:
        """Listen."""
        self._listeners.serve(sockets.admin, self._admin)
        if self._resolver is not None:
            self._resolver.serve(sockets.resolver)
        if self._config.lab is not None:
            _every(RENEW, self.renew)

    async def renew(self) -> None:
        """Have a new server certificate issued if the one that is there ends soon or does not name all hosts."""
        parts = compose(self._config, deferToThread)
        try:
            chain, _ = read_server_certificate(self._config)
            if not fits(chain[0], self._config, parts.clock.now()):
                await issue_server_certificate(parts)
                log.info("the server's certificate was renewed")
        finally:
            parts.store.close()

    async def stop(self) -> None:
        """Listen no more."""
        await self._listeners.stop()
        if self._resolver is not None:
            await self._resolver.stop()
        await self._admin.drain(DRAIN)


def serve(config: Config, sockets: Sockets, *, ready: Callable[[], None]) -> int:
    """Serve until SIGINT or SIGTERM; the exit status. ``ready`` is called once everything answers.

    :raises Refused, UnusableCertificateError, ConfigurationError: before anything is served, if something is not as it should be.
    """
    exchange_log = _start_log(config)
    _allow_descriptors()
    with ExitStack() as at_exit:
        if config.server.workers == 1:
            metrics = Metrics()
            front = Front(config, metrics, exchange_log, "server")
            _at_end(front.stop)
            keeper = Keeper(config, metrics, lambda: ())
            front.start(sockets.https, sockets.http, tends=True)
        else:
            counts = at_exit.enter_context(TemporaryDirectory(prefix="privca-"))
            workers = _start_workers(config, sockets, {SHARED: counts})
            keeper = Keeper(config, SharedMetrics(counts), workers.missing)
        _at_end(keeper.stop)
        keeper.start(sockets)
        if config.server.workers == 1:
            sockets.close()  # the reactor listens on duplicates
        else:
            # A worker that takes the place of one that died is given these very descriptors.
            at_exit.callback(sockets.close)
        return _run(ready)


def work(task: Task) -> int:
    """Be a worker until standard input ends or SIGTERM comes; the exit status."""
    # Ctrl-C reaches the whole group of processes; the parent decides when a worker stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exchange_log = _start_log(task.config)
    front = Front(task.config, Metrics(), exchange_log, f"worker-{task.number}")
    _at_end(front.stop)
    front.start([adopt(one) for one in task.https], [adopt(one) for one in task.http], tends=task.number == 0)
    reactor.addReader(_Lifeline())
    return _run(lambda: None)


class _Lifeline:
    """Standard input of a worker: when it ends, the parent is gone, or wants the worker to go."""

    def fileno(self) -> int:
        return 0

    def logPrefix(self) -> str:  # noqa: N802
        return "lifeline"

    def doRead(self) -> None:  # noqa: N802
        if not os.read(0, 1):
            self.connectionLost(None)

    def connectionLost(self, reason: object) -> None:  # noqa: N802
        """The other end has hung up, or the reactor is stopping."""
        reactor.removeReader(self)
        _stop()


def _start_workers(config: Config, sockets: Sockets, environment: Mapping[str, str]) -> Workers:
    descriptors = [tuple(one.fileno() for one in purpose) for purpose in (sockets.https, sockets.http)]
    task = Task(config=config, number=0, https=descriptors[0], http=descriptors[1])
    workers = Workers(config.server.workers, task, log.info, environment)

    async def tend() -> None:
        try:
            workers.tend()
        except TooManyDeathsError as error:
            log.error("the server stops", reason=str(error))
            _failures.append(error)
            _stop()

    async def stop() -> None:
        await deferToThread(workers.stop)

    _every(TEND, tend)
    _at_end(stop)
    return workers


def _allow_descriptors() -> None:
    """Raise the limit of open files, which is often 1024: so many connections of clients would leave none for validation and logs.
    Workers inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _prober(config: Config) -> NetworkProber:
    validation = config.validation
    if validation.resolver:
        servers: Sequence[tuple[str, int]] = (host_and_port(validation.resolver, "[validation] resolver"),)
    elif config.lab is not None and config.lab.resolver:
        servers = ((LOOPBACK, config.lab.resolver_port),)
    else:
        try:
            servers = system_servers()
        except DnsFailure as failure:
            raise ConfigurationError(f"{failure}; name a DNS server with [validation] resolver") from None
    limits = ProberLimits(http01_port=validation.http01_port, tlsalpn01_port=validation.tlsalpn01_port)
    return NetworkProber(reactor, Dns(reactor, servers), address_policy(config), limits)


def address_policy(config: Config) -> AddressPolicy:
    """Where validation may connect to: never to loopback and the like unless the configuration allows it, and never to ourselves."""
    validation, server = config.validation, config.server
    own = [(address, port) for address in server.bind for port in (server.https_port, server.http_port)]
    return AddressPolicy(
        allow=[ip_network(block) for block in validation.allow],
        deny=[*DENIED_BY_DEFAULT, *(ip_network(block) for block in validation.deny)],
        own=[*own, (LOOPBACK, server.admin_port)],
    )


def _state(config: Config) -> tuple[tuple[int, int], ...]:
    """What changes with the server's certificate files."""
    found = []
    for name in (config.server.certificate, config.server.key):
        try:
            status = config.file(name).stat()
        except OSError:
            continue
        found.append((status.st_ino, status.st_mtime_ns))
    return tuple(found)


def _every(seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Call now, and again that long after each start unless it still runs. What goes wrong once may go right the next time."""

    def failed(failure: Any) -> None:
        log.error("regular work failed", work=work.__qualname__, reason=repr(failure.value), trace=failure.getTraceback())

    def once() -> Deferred[None]:
        return Deferred.fromCoroutine(work()).addErrback(failed)

    calls = LoopingCall(once)
    calls.start(seconds)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: calls.stop() if calls.running else None)


def _at_end(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do this before the process ends; the reactor waits for it."""
    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(work()))


def _stop() -> None:
    with suppress(ReactorNotRunning):
        reactor.stop()


def _run(ready: Callable[[], None]) -> int:
    """Run the reactor to its end; the exit status."""

    def start() -> None:
        try:
            ready()
        except OSError as error:
            log.error("the server stops", reason=str(error))
            _failures.append(error)
            _stop()

    reactor.callWhenRunning(start)
    # What lives from here to the end (modules, statements, configuration) is never garbage: the collector need not walk it every
    # few hundred allocations, which costs 4 % of each request. Requests leave cycles behind seldom.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    reactor.run()
    return 1 if _failures else 0


def _start_log(config: Config) -> ExchangeLog:
    """Our log, and what Twisted has to say of errors in it."""
    exchange_log = configure(config, reactor.callLater)

    def observe(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.warn:
            failure = event.get("log_failure")
            trace = failure.getTraceback() if failure is not None else ""
            log.error("twisted", said=formatEvent(event), trace=trace)

    globalLogBeginner.beginLoggingTo([cast("ILogObserver", observe)], redirectStandardIO=False, discardBuffer=True)
    return exchange_log
