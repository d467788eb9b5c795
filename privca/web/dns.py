"""A stub resolver on the reactor: many questions at once without a thread for each (RFC 1035; dnspython for the messages).

Each attempt has a socket and a random port and ID of its own, connected to the server that is asked, and only a response that repeats ID and
question counts: what an attacker off the path can guess is not enough. A truncated response is asked for again over TCP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import DatagramProtocol
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure

from privca.web.reactor import Datagrams, Reactor, Transport

Result = TypeVar("Result")
_PAYLOAD = 1232
_CHAIN = 8
_FINAL = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})


class DnsFailure(Exception):
    """No server gave an answer: one sentence. A name that does not exist is an answer."""


@dataclass(frozen=True, slots=True)
class DnsLimits:
    """``wait`` seconds for each attempt; ``attempts`` times through the list of servers."""

    wait: float = 2.0
    attempts: int = 2


def system_servers() -> tuple[tuple[str, int], ...]:
    """The servers that the system is configured to ask. :raises DnsFailure: if there are none."""
    try:
        configured = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration as none:
        raise DnsFailure("the system has no DNS server configured") from none
    return tuple((server, configured.port) for server in configured.nameservers if isinstance(server, str))


class Dns:
    """Asks ``servers`` (IP address, port) in turn; recursion is their work."""

    def __init__(self, reactor: Reactor, servers: Sequence[tuple[str, int]], limits: DnsLimits = DnsLimits()) -> None:
        self._reactor: Any = reactor
        self._servers = tuple(servers)
        self._limits = limits

    async def query(self, name: str, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        """The records of one kind at ``name`` or at the end of its CNAME chain; None if there are none.

        :raises DnsFailure: if no server answers, all answer with an error, or the chain is too long or broken.
        """
        try:
            wanted = dns.name.from_text(name)
        except dns.exception.DNSException as wrong:
            raise DnsFailure(f"{name} is no DNS name: {wrong}") from None
        for _ in range(_CHAIN):
            response = await self._ask(wanted, kind)
            try:
                chain = response.resolve_chaining()
            except dns.exception.DNSException as wrong:
                raise DnsFailure(f"the answer for {wanted} makes no sense: {wrong}") from None
            if chain.answer is not None or chain.canonical_name == wanted or response.rcode() == dns.rcode.NXDOMAIN:
                return chain.answer
            wanted = chain.canonical_name
        raise DnsFailure(f"the chain of aliases from {name} is longer than {_CHAIN} answers")

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.QueryMessage:
        why = "no DNS server is configured"
        for _ in range(self._limits.attempts):
            for server in self._servers:
                query = dns.message.make_query(name, kind, use_edns=0, payload=_PAYLOAD)
                try:
                    response = await self._in_time(_over_udp(self._reactor, server, query))
                    if response.flags & dns.flags.TC:
                        response = await self._in_time(_over_tcp(self._reactor, server, query))
                except DnsFailure as failure:
                    why = f"{server[0]} port {server[1]}: {failure}"
                    continue
                if response.rcode() in _FINAL:
                    return response
                why = f"{server[0]} port {server[1]} answered {dns.rcode.to_text(response.rcode())}"
        raise DnsFailure(f"{dns.rdatatype.to_text(kind)} of {name.to_text(omit_final_dot=True)}: {why}")

    async def _in_time(self, work: Deferred[Result]) -> Result:
        try:
            return await work.addTimeout(self._limits.wait, self._reactor)
        except TimeoutError:
            raise DnsFailure(f"no answer within {self._limits.wait:g} s") from None


def _read(octets: bytes, query: dns.message.Message) -> dns.message.QueryMessage | None:
    """The response to ``query``; None if these octets are not that."""
    try:
        response = dns.message.from_wire(octets, ignore_trailing=True)
    except dns.exception.DNSException:
        return None
    # is_response() compares ID, QR, opcode and question.
    return (
        response if isinstance(response, dns.message.QueryMessage) and query.is_response(response) and response.question else None
    )


class _Datagrams(DatagramProtocol):
    """One question over UDP."""

    def __init__(self, server: tuple[str, int], query: dns.message.Message) -> None:
        self._server = server
        self._query = query
        self.answered: Deferred[dns.message.QueryMessage] = Deferred(lambda _: self._stop())

    def startProtocol(self) -> None:  # noqa: N802
        """Connected: the kernel drops what comes from anybody else."""
        transport = cast("Datagrams", self.transport)
        transport.connect(*self._server)
        transport.write(self._query.to_wire())

    def datagramReceived(self, datagram: bytes, addr: object) -> None:  # noqa: N802
        """Go on waiting for the right one if it is not the right one."""
        response = _read(datagram, self._query)
        if response is not None and not self.answered.called:
            self._stop()
            self.answered.callback(response)

    def connectionRefused(self) -> None:  # noqa: N802
        """There is nobody."""
        self._stop()

    def stopProtocol(self) -> None:  # noqa: N802
        """Stopped: by us, or by the reactor, which takes the ICMP error of a closed port for the end."""
        if not self.answered.called:
            self.answered.errback(DnsFailure("the port is closed"))

    def _stop(self) -> None:
        cast("Datagrams", self.transport).stopListening()


def _over_udp(reactor: Reactor, server: tuple[str, int], query: dns.message.Message) -> Deferred[dns.message.QueryMessage]:
    datagrams = _Datagrams(server, query)
    try:
        # Port 0: the kernel chooses at random.
        reactor.listenUDP(0, datagrams, interface="::" if ":" in server[0] else "")
    except OSError as error:
        datagrams.answered.addErrback(lambda _: None)
        raise DnsFailure(f"cannot be asked: {error.strerror}") from None
    return datagrams.answered


class _Stream(Int16StringReceiver):
    """One question over TCP (RFC 7766): messages with their length in front."""

    def __init__(self, query: dns.message.Message) -> None:
        self._query = query
        self.answered: Deferred[dns.message.QueryMessage] = Deferred(lambda _: self._abort())

    def connectionMade(self) -> None:  # noqa: N802
        """Ask."""
        octets = self._query.to_wire()
        cast("Transport", self.transport).write(len(octets).to_bytes(2, "big") + octets)

    def stringReceived(self, string: bytes) -> None:  # noqa: N802
        """The answer, or something that ends this."""
        self._abort()
        if not self.answered.called:
            response = _read(string, self._query)
            if response is None:
                self.answered.errback(DnsFailure("answered something else over TCP"))
            else:
                self.answered.callback(response)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802
        """No answer any more."""
        if not self.answered.called:
            self.answered.errback(DnsFailure("closed the TCP connection without an answer"))

    def _abort(self) -> None:
        cast("Transport", self.transport).abortConnection()


def _over_tcp(reactor: Reactor, server: tuple[str, int], query: dns.message.Message) -> Deferred[dns.message.QueryMessage]:
    async def ask() -> dns.message.QueryMessage:
        endpoint = TCP6ClientEndpoint if ":" in server[0] else TCP4ClientEndpoint
        try:
            stream: _Stream = await connectProtocol(endpoint(reactor, *server), _Stream(query))
        except ConnectError as error:
            raise DnsFailure(f"no TCP connection: {error}") from None
        return await stream.answered

    return Deferred.fromCoroutine(ask())
