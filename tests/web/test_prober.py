"""The prober against real servers: what it sees, and every rule that keeps it from places where it must not go."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any

import dns.message
import dns.rdatatype
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import globalLogPublisher

from privca.acme.ports import CaaProbe, DnsProbe, HttpProbe, ProbeFailure, TlsAlpnProbe
from privca.acme.rfc8555.validation import LEASE
from privca.base.names import dns_name, ip_name
from privca.web.addresses import DENIED_BY_DEFAULT, AddressPolicy
from privca.web.dns import Dns, DnsLimits
from privca.web.prober import NetworkProber, ProberLimits
from privca.web.resolver import LabResolver
from privca.web.tls import ServerTls, TlsFactory
from privca.web.zone import LabZone

A, AAAA, TXT, CAA, CNAME = (getattr(dns.rdatatype, kind) for kind in ("A", "AAAA", "TXT", "CAA", "CNAME"))
PATH = "/.well-known/acme-challenge/token"


class Target:
    """A server that sends prepared octets by path; ``None`` sends nothing, a number waits that many seconds between octets."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.answers: dict[str, bytes] = {}
        self.requests: list[bytes] = []
        self.connections = 0
        self.drip = 0.0
        self.close = True
        self._ports: list[Any] = []
        self._open: set[Any] = set()

    def listen(self, address: str = "127.0.0.1", port: int = 0, tls: ServerTls | None = None) -> int:
        target = self

        class One(Protocol):
            def connectionMade(self):
                target.connections += 1
                target._open.add(self)
                self.received = b""

            def dataReceived(self, data):
                self.received += data
                if b"\r\n\r\n" in self.received:
                    target.requests.append(self.received)
                    answer = target.answers.get(
                        self.received.split(b" ")[1].decode(), b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
                    )
                    self.send(answer)

            def send(self, answer):
                if target.drip and self in target._open:
                    self.transport.write(answer[:1])
                    if answer[1:]:
                        target.loop.reactor.callLater(target.drip, self.send, answer[1:])
                    return
                self.transport.write(answer)
                if target.close:
                    self.transport.loseConnection()

            def connectionLost(self, reason):
                target._open.discard(self)

        def begin() -> int:
            factory: Any = Factory.forProtocol(One)
            factory.noisy = False
            if tls is not None:
                factory = TlsFactory(tls, factory, target.loop.reactor)
            opened = target.loop.reactor.listenTCP(port, factory, interface=address)
            target._ports.append(opened)
            return int(opened.getHost().port)

        return int(self.loop.run(begin))

    async def stop(self) -> None:
        for one in list(self._open):
            one.transport.abortConnection()
        for opened in self._ports:
            await opened.stopListening()


@pytest.fixture
def target(loop):
    made = Target(loop)
    yield made
    loop.run(made.stop)


@pytest.fixture
def another(loop):
    made = Target(loop)
    yield made
    loop.run(made.stop)


@pytest.fixture
def zone():
    return LabZone()


@pytest.fixture
def resolver(loop, zone):
    """The lab's DNS server, and where it listens."""
    tcp = socket.socket()
    tcp.bind(("127.0.0.1", 0))
    tcp.listen()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    server = LabResolver(loop.reactor, zone)
    loop.run(server.serve, [udp, tcp])
    yield tcp.getsockname()
    udp.close()
    tcp.close()
    loop.run(server.stop)


@pytest.fixture
def look(loop, resolver):
    """``look(probe, allow=..., deny=..., own=..., servers=..., **limits)``: what the prober sees."""

    def observe(
        probe: Any, *, allow: Any = (), deny: Any = (), own: Any = (), servers: Any = None, wait: float = 2.0, **limits: Any
    ) -> Any:
        policy = AddressPolicy([ipaddress.ip_network(n) for n in allow], [ipaddress.ip_network(n) for n in deny], own)
        resolving = Dns(loop.reactor, servers or [resolver], DnsLimits(wait=wait))
        return loop.run(NetworkProber(loop.reactor, resolving, policy, ProberLimits(**limits)).observe, probe)

    return observe


def http(name: str = "a.test") -> HttpProbe:
    return HttpProbe("p", ip_name(name) if name[0].isdigit() or ":" in name else dns_name(name), PATH)


def ok(body: bytes = b"token.thumb") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 2\r\n\r\nno".encode()


# -- http-01: what is seen


def test_a_response_is_seen(target, look):
    port = target.listen()
    target.answers[PATH] = ok()
    seen = look(http(), http01_port=port)
    assert (seen.failure, seen.status, seen.body, seen.address) == (None, 200, b"token.thumb", "127.0.0.1")
    assert seen.url == f"http://a.test:{port}{PATH}"
    assert target.requests[0].startswith(f"GET {PATH} HTTP/1.1\r\nHost: a.test:{port}\r\n".encode())


def test_an_error_status_is_seen_and_not_judged(target, look):
    seen = look(http(), http01_port=target.listen())
    assert (seen.failure, seen.status) == (None, 404)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntoken\r\n6\r\n.thumb\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\ntoken.thumb",
        b"HTTP/1.1 200\r\nconnection: close\r\n\r\ntoken.thumb",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\ntoken.thumb",
    ],
)
def test_the_ways_in_which_servers_answer(answer, target, look):
    target.answers[PATH] = answer
    assert look(http(), http01_port=target.listen()).body == b"token.thumb"


def test_a_server_that_keeps_the_connection_is_not_waited_for(target, look):
    target.close = False
    target.answers[PATH] = ok()
    assert look(http(), http01_port=target.listen()).body == b"token.thumb"


def test_an_address_is_asked_without_dns(target, look, zone):
    target.answers[PATH] = ok()
    port = target.listen()
    assert look(http("127.0.0.1"), http01_port=port).body == b"token.thumb"
    assert f"Host: 127.0.0.1:{port}".encode() in target.requests[0]
    assert not zone.asked("127.0.0.1")


def test_an_ipv6_address(target, look):
    target.answers[PATH] = ok()
    port = target.listen("::1")
    seen = look(http("::1"), http01_port=port)
    assert (seen.body, seen.address) == (b"token.thumb", "::1")
    assert f"Host: [::1]:{port}".encode() in target.requests[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status, target, look):
    port = target.listen()
    target.answers = {PATH: redirect(f"http://b.test:{port}/x?y=z#f", status), "/x?y=z": redirect("../w/v", status), "/w/v": ok()}
    seen = look(http(), http01_port=port)
    assert (seen.status, seen.url) == (200, f"http://b.test:{port}/w/v")
    assert f"Host: b.test:{port}".encode() in target.requests[1]


def test_a_redirect_to_https_is_followed_whatever_its_certificate(target, another, look, server_tls):
    https = another.listen(tls=server_tls)
    target.answers[PATH] = redirect(f"https://nobody.test:{https}/x")
    another.answers["/x"] = ok()
    seen = look(http(), http01_port=target.listen(), https_port=https)
    assert (seen.failure, seen.body) == (None, b"token.thumb")


def test_ipv6_comes_first_and_ipv4_is_the_fallback(target, another, look, zone):
    port = target.listen("127.0.0.1")
    target.answers[PATH] = ok(b"four")
    zone.set_default(AAAA, "::1")
    assert look(http(), http01_port=port).body == b"four"
    another.listen("::1", port)
    another.answers[PATH] = ok(b"six")
    assert look(http(), http01_port=port).body == b"six"


# -- http-01: what is not done


def test_a_denied_address_is_not_connected_to(target, look):
    port = target.listen()
    seen = look(http(), http01_port=port, deny=["127.0.0.0/8"])
    assert seen.failure is ProbeFailure.FORBIDDEN_ADDRESS
    assert "127.0.0.0/8" in seen.detail
    assert target.connections == 0


def test_an_allowed_part_of_a_denied_network(target, look):
    target.answers[PATH] = ok()
    assert look(http(), http01_port=target.listen(), deny=["127.0.0.0/8"], allow=["127.0.0.1/32"]).status == 200


@pytest.mark.parametrize("host", ["inner.test", "127.0.0.2", "[::ffff:127.0.0.2]", "[::ffff:7f00:2]"])
def test_a_redirect_to_a_denied_address_is_not_followed(host, target, another, look, zone):
    port = target.listen("127.0.0.1")
    another.listen("127.0.0.2", port)
    zone.add("inner.test", A, "127.0.0.2")
    target.answers[PATH] = redirect(f"http://{host}:{port}/x")
    seen = look(http(), http01_port=port, deny=["127.0.0.2/32"])
    assert seen.failure is ProbeFailure.FORBIDDEN_ADDRESS
    assert another.connections == 0


def test_a_name_that_changes_its_address_is_judged_again(target, another, look, zone):
    """DNS rebinding: the first look finds an address that is allowed, the second one that is not."""
    port = target.listen("127.0.0.1")
    another.listen("127.0.0.2", port)
    original = zone.answer

    def changing(query):
        response = original(query)
        zone.set_default(A, "127.0.0.2" if query.question[0].rdtype == A else zone.ipv4)
        return response

    zone.answer = changing
    target.answers[PATH] = redirect(f"http://a.test:{port}/x")
    another.answers["/x"] = ok()
    seen = look(http(), http01_port=port, deny=["127.0.0.2/32"])
    assert seen.failure is ProbeFailure.FORBIDDEN_ADDRESS
    assert (target.connections, another.connections) == (1, 0)


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(target, another, look, zone):
    """One question a kind, one judgement, one connection: nothing is resolved a second time in between."""
    port = target.listen("127.0.0.1")
    another.listen("127.0.0.2", port)
    target.answers[PATH] = ok()
    original = zone.answer

    def changing(query):
        response = original(query)
        if query.question[0].rdtype == A:
            zone.set_default(A, "127.0.0.2")
        return response

    zone.answer = changing
    assert look(http(), http01_port=port, deny=["127.0.0.2/32"]).address == "127.0.0.1"
    assert sorted(zone.asked("a.test")) == ["A", "AAAA"]
    assert another.connections == 0


def test_denied_addresses_among_several_are_left_out(target, another, look, zone):
    port = target.listen("127.0.0.1")
    another.listen("127.0.0.2", port)
    zone.add("a.test", A, "127.0.0.2", "127.0.0.1")
    target.answers[PATH] = ok()
    assert look(http(), http01_port=port, deny=["127.0.0.2/32"]).address == "127.0.0.1"
    assert another.connections == 0


@pytest.mark.parametrize("own", ["127.0.0.1", "0.0.0.0"])
def test_our_own_listeners_are_not_connected_to_even_if_allowed(own, target, look):
    port = target.listen()
    seen = look(http(), http01_port=port, allow=["127.0.0.0/8"], own=[(own, port)])
    assert seen.failure is ProbeFailure.FORBIDDEN_ADDRESS
    assert target.connections == 0


@pytest.mark.parametrize("address", ["::1%lo", "2001:db8::5%eth0", "::", "0.0.0.0"])
def test_no_spelling_leads_to_ourselves_where_everything_is_allowed(address):
    everywhere = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
    policy = AddressPolicy(allow=everywhere, own=[("::1", 80), ("127.0.0.1", 80), ("2001:db8::5", 80)])
    assert policy.objection(address, 80)


def test_a_wildcard_listener_of_ours_is_only_on_this_machine():
    policy = AddressPolicy(own=[("0.0.0.0", 80), ("::", 443)])
    assert policy.objection("127.0.0.1", 80)
    assert policy.objection("::1", 443)
    assert not policy.objection("192.0.2.1", 80)
    assert not policy.objection("127.0.0.1", 81)


@pytest.mark.parametrize(
    "address",
    "0.0.0.0 127.0.0.1 127.9.9.9 169.254.169.254 224.0.0.1 255.255.255.255 :: ::1 fe80::1 ff02::1 "
    "::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1:: 2001::80ff:fffe ::127.0.0.1 ::ffff:0:127.0.0.1 "
    "64:ff9b:1::7f00:1 fe80::1%lo ::1%lo".split(),
)
def test_what_serve_denies(address):
    assert AddressPolicy(deny=DENIED_BY_DEFAULT).objection(address, 80)


@pytest.mark.parametrize("address", "10.0.0.1 192.168.1.1 172.16.0.1 192.0.2.1 2001:db8::1 fd00::1 64:ff9b::c000:201".split())
def test_what_serve_allows(address):
    assert not AddressPolicy(deny=DENIED_BY_DEFAULT).objection(address, 80)


@pytest.mark.parametrize(
    "location",
    [
        "ftp://a.test/x",
        "file:///etc/passwd",
        "gopher://a.test:{port}/x",
        "http://a.test:22/x",
        "https://a.test:{port}/x",
        "http://u:p@a.test:{port}/x",
        "http://a.test:99999/",
    ],
)
def test_redirects_to_other_schemes_ports_and_users_are_not_followed(location, target, look):
    port = target.listen()
    target.answers[PATH] = redirect(location.format(port=port))
    assert look(http(), http01_port=port).failure in (ProbeFailure.LIMIT, ProbeFailure.CONNECTION)
    assert target.connections == 1


def test_a_location_cannot_smuggle_a_request(target, look):
    port = target.listen()
    target.answers[PATH] = redirect(f"http://a.test:{port}/x y\tz")
    assert look(http(), http01_port=port).failure is ProbeFailure.CONNECTION
    assert target.connections == 1


@pytest.mark.parametrize(("count", "failure"), [(10, None), (11, ProbeFailure.LIMIT)])
def test_ten_redirects_and_not_more(count, failure, target, look):
    target.answers = {PATH: redirect("/1"), **{f"/{n}": redirect(f"/{n + 1}") for n in range(1, count)}, f"/{count}": ok()}
    assert look(http(), http01_port=target.listen()).failure is failure


BIG = 65537


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG,
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + b"a" * BIG,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * BIG,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n" + b"a" * BIG,
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 17000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20000,
    ],
)
def test_answers_are_bounded(answer, target, look):
    target.close = False
    target.answers[PATH] = answer
    seen = look(http(), http01_port=target.listen())
    assert (seen.failure, seen.body) == (ProbeFailure.LIMIT, b"")


def test_the_largest_answer(target, look):
    target.answers[PATH] = ok(b"a" * 65536)
    assert len(look(http(), http01_port=target.listen()).body) == 65536


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 2OO OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    ],
)
def test_answers_that_are_none(answer, target, look):
    target.answers[PATH] = answer
    assert look(http(), http01_port=target.listen()).failure is ProbeFailure.CONNECTION


@pytest.mark.parametrize("size", [1, 3])
def test_an_answer_in_crumbs(size, target, look):
    target.drip = 0.0001
    target.answers[PATH] = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"%x\r\n" % size + b"a" * size + b"\r\n") * 10 + b"0\r\n\r\n"
    )
    assert look(http(), http01_port=target.listen()).body == b"a" * size * 10


def test_only_some_addresses_of_a_name_are_tried(loop, resolver, zone, open_socket):
    with open_socket() as bound:
        port = bound.getsockname()[1]
    tried = []

    class Watching(AddressPolicy):
        def objection(self, address, port):
            tried.append(address)
            return super().objection(address, port)

    zone.add("a.test", A, *[f"127.0.0.{n}" for n in range(2, 12)])
    prober = NetworkProber(loop.reactor, Dns(loop.reactor, [resolver]), Watching(), ProberLimits(http01_port=port))
    assert loop.run(prober.observe, http()).failure is ProbeFailure.CONNECTION
    assert len(tried) == 2


def test_a_slow_server_is_given_up(target, look):
    target.drip = 0.05
    target.answers[PATH] = ok(b"a" * 1000)
    seen = look(http(), http01_port=target.listen(), total=0.4)
    assert seen.failure is ProbeFailure.CONNECTION
    assert "0.4 s" in seen.detail


def test_the_time_is_for_all_redirects_together(target, look):
    target.drip = 0.001
    port = target.listen()
    target.answers[PATH] = redirect(PATH)
    assert look(http(), http01_port=port, total=0.3, redirects=1000).failure is ProbeFailure.CONNECTION


def test_a_closed_port(look, open_socket):
    with open_socket() as bound:
        port = bound.getsockname()[1]
    seen = look(http(), http01_port=port)
    assert (seen.failure, seen.address) == (ProbeFailure.CONNECTION, "127.0.0.1")
    assert "refused" in seen.detail


def test_many_at_once_need_no_threads(target, loop, resolver):
    target.drip = 0.01
    target.answers[PATH] = ok()
    port = target.listen()
    prober = NetworkProber(loop.reactor, Dns(loop.reactor, [resolver]), AddressPolicy(), ProberLimits(http01_port=port))
    before = threading.active_count()

    def begin():
        return gatherResults([Deferred.fromCoroutine(prober.observe(http(f"a{n}.test"))) for n in range(32)])

    seen = loop.run(begin)
    assert [s.status for s in seen] == [200] * 32
    assert threading.active_count() <= before


def test_the_number_of_probes_at_once_is_bounded(target, loop, resolver):
    target.drip = 0.002
    target.answers[PATH] = ok()
    port = target.listen()
    prober = NetworkProber(
        loop.reactor, Dns(loop.reactor, [resolver]), AddressPolicy(), ProberLimits(http01_port=port, concurrent=2)
    )
    most = []

    async def one(n):
        await prober.observe(http(f"a{n}.test"))
        most.append(len(target._open))

    loop.run(lambda: gatherResults([Deferred.fromCoroutine(one(n)) for n in range(8)]))
    assert max(most) <= 2


def test_a_turn_is_not_waited_for_without_end(target, loop, resolver):
    target.drip = 5.0
    target.answers[PATH] = ok()
    limits = ProberLimits(http01_port=target.listen(), concurrent=1, queue=0.2, total=1.0)
    prober = NetworkProber(loop.reactor, Dns(loop.reactor, [resolver]), AddressPolicy(), limits)
    seen = loop.run(lambda: gatherResults([Deferred.fromCoroutine(prober.observe(http(), asker)) for asker in ("a", "b")]))
    assert [s.failure for s in seen] == [ProbeFailure.CONNECTION] * 2
    assert "no complete answer" in seen[0].detail
    assert "too much else" in seen[1].detail
    target.drip = 0
    assert loop.run(prober.observe, http()).status == 200


def test_a_probe_with_its_wait_ends_before_others_take_it_over():
    assert ProberLimits().queue + ProberLimits().total < LEASE.total_seconds()


# -- DNS


def dns01(name: str = "_acme-challenge.a.test") -> DnsProbe:
    return DnsProbe("p", dns_name("a.test"), name)


def test_texts(look, zone):
    zone.add("_acme-challenge.a.test", TXT, '"one" "two"', '"three"')
    seen = look(dns01())
    assert (seen.failure, sorted(seen.texts)) == (None, [b"onetwo", b"three"])


def test_no_texts_is_an_answer(look):
    seen = look(dns01())
    assert (seen.failure, seen.texts) == (None, ())


def test_aliases_are_followed_in_one_answer_and_over_several(look, zone):
    zone.add("_acme-challenge.a.test", CNAME, "b.test.")
    zone.add("b.test", CNAME, "c.test.")
    zone.add("c.test", TXT, '"x"')
    assert look(dns01()).texts == (b"x",)
    original = zone.answer

    def one_step(query):
        response = original(query)
        del response.answer[1:]
        return response

    zone.answer = one_step
    assert look(dns01()).texts == (b"x",)


def test_aliases_without_end(look, zone):
    zone.add("_acme-challenge.a.test", CNAME, "b.test.")
    zone.add("b.test", CNAME, "_acme-challenge.a.test.")
    assert look(dns01()).failure is ProbeFailure.DNS
    original = zone.answer

    def one_step(query):
        response = original(query)
        response.set_rcode(0)
        del response.answer[1:]
        return response

    zone.answer = one_step
    assert look(dns01()).failure is ProbeFailure.DNS


def test_servfail_is_a_failure(look, zone):
    zone.fail("_acme-challenge.a.test", True)
    seen = look(dns01())
    assert seen.failure is ProbeFailure.DNS
    assert "SERVFAIL" in seen.detail
    zone.fail("_acme-challenge.a.test", False)
    assert look(dns01()).failure is None


def test_a_name_whose_addresses_cannot_be_had(look, zone):
    zone.fail("a.test", True)
    assert look(http()).failure is ProbeFailure.DNS
    zone.fail("a.test", False)
    zone.set_default(A, "")
    seen = look(http())
    assert (seen.failure, seen.detail) == (ProbeFailure.DNS, "a.test has no address")


def test_an_answer_that_is_too_long_for_udp_comes_over_tcp(look, zone):
    zone.add("_acme-challenge.a.test", TXT, *[f'"{n:0200}"' for n in range(40)])
    assert len(look(dns01()).texts) == 40


def test_caa(look, zone):
    zone.add("a.test", CAA, '0 issue "ca.example.test; accounturi=https://x/"', '128 issuewild ";"')
    seen = look(CaaProbe("p", dns_name("a.test"), "a.test"))
    assert sorted(seen.caa) == [(0, "issue", "ca.example.test; accounturi=https://x/"), (128, "issuewild", ";")]


class Liar(threading.Thread):
    """A DNS server that sends what ``lies`` make of the true answer first, and then the true answer."""

    def __init__(self, zone: LabZone, lies: Any) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.zone, self.lies = zone, lies
        self.sources: set[Any] = set()
        self.ids: set[int] = set()

    def run(self) -> None:
        while True:
            octets, source = self.socket.recvfrom(4096)
            if octets == b"end":
                break
            query = dns.message.from_wire(octets)
            self.sources.add(source)
            self.ids.add(query.id)
            self.lies(self, query, source)
        self.socket.close()
        self.other.close()

    def end(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", self.socket.getsockname())
        self.join(5)


def true_answer(server, query, source):
    server.socket.sendto(server.zone.answer(query).to_wire(), source)


def forged(query):
    zone = LabZone()
    zone.add(query.question[0].name.to_text(), TXT, '"forged"')
    return zone.answer(query)


def wrong_id(server, query, source):
    response = forged(query)
    response.id ^= 1
    server.socket.sendto(response.to_wire(), source)


def wrong_question(server, query, source):
    other = dns.message.make_query("other.test", TXT, id=query.id)
    server.socket.sendto(forged(other).to_wire(), source)


def wrong_source(server, query, source):
    server.other.sendto(forged(query).to_wire(), source)


def no_response(server, query, source):
    server.socket.sendto(query.to_wire(), source)


def rubbish(server, query, source):
    server.socket.sendto(query.to_wire()[:2] + b"\x81\x80\xff\xff", source)


@pytest.mark.parametrize("lie", [wrong_id, wrong_question, wrong_source, no_response, rubbish])
def test_forged_answers_are_not_believed(lie, look, zone):
    zone.add("_acme-challenge.a.test", TXT, '"true"')
    liar = Liar(zone, lambda *arguments: (lie(*arguments), true_answer(*arguments)))
    liar.start()
    try:
        assert look(dns01(), servers=[liar.socket.getsockname()]).texts == (b"true",)
    finally:
        liar.end()


def test_ports_and_ids_differ(look, zone):
    server = Liar(zone, true_answer)
    server.start()
    try:
        for _ in range(8):
            look(dns01(), servers=[server.socket.getsockname()])
    finally:
        server.end()
    assert len(server.sources) > 4
    assert len(server.ids) > 4


def test_another_server_is_asked_when_one_is_silent_or_fails(look, zone, resolver):
    zone.add("_acme-challenge.a.test", TXT, '"x"')
    silent = Liar(zone, lambda *_: None)
    silent.start()
    try:
        servers = [silent.socket.getsockname(), resolver]
        assert look(dns01(), servers=servers, wait=0.1).texts == (b"x",)
    finally:
        silent.end()


def test_nobody_answers(look, open_socket):
    with open_socket() as bound:
        closed = bound.getsockname()
        seen = look(dns01(), servers=[closed], wait=0.1)
    assert seen.failure is ProbeFailure.DNS


# -- tls-alpn-01


@pytest.fixture
def alpn_server(loop, make_identity):
    """A server that answers tls-alpn-01 for any name: its port, its certificate, and the names that it was asked for."""
    opened: list[Any] = []

    def start(protocol: bytes | None = b"acme-tls/1") -> Any:
        identity = make_identity("a.test")
        asked: list[bytes | None] = []
        offered: list[list[bytes]] = []

        class Context:
            def serverConnectionForTLS(self, tls_protocol):
                context = SSL.Context(SSL.TLS_SERVER_METHOD)
                context.use_certificate(identity.certificate)
                context.use_privatekey(identity.key)
                if protocol is not None:
                    context.set_alpn_select_callback(lambda _, protocols: offered.append(protocols) or protocol)
                context.set_tlsext_servername_callback(lambda connection: asked.append(connection.get_servername()))
                return SSL.Connection(context, None)

        from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
        from zope.interface import directlyProvides

        creator = Context()
        directlyProvides(creator, IOpenSSLServerConnectionCreator)
        factory = Factory.forProtocol(Protocol)
        factory.noisy = False
        port = loop.run(lambda: loop.reactor.listenTCP(0, TlsFactory(creator, factory, loop.reactor), interface="127.0.0.1"))
        opened.append(port)
        return port.getHost().port, identity, asked, offered

    yield start
    for port in opened:
        loop.run(port.stopListening)


def test_the_certificate_that_is_shown(alpn_server, look):
    port, identity, asked, offered = alpn_server()
    seen = look(TlsAlpnProbe("p", dns_name("a.test"), "a.test"), tlsalpn01_port=port)
    assert (seen.failure, seen.alpn, seen.address) == (None, "acme-tls/1", "127.0.0.1")
    assert seen.certificate == identity.certificate.public_bytes(Encoding.DER)
    assert asked == [b"a.test"]
    assert offered == [[b"acme-tls/1"]]


def test_an_address_is_named_in_sni_as_rfc_8738_says(alpn_server, look):
    port, _, asked, _ = alpn_server()
    seen = look(TlsAlpnProbe("p", ip_name("127.0.0.1"), "1.0.0.127.in-addr.arpa"), tlsalpn01_port=port)
    assert seen.failure is None
    assert asked == [b"1.0.0.127.in-addr.arpa"]


def test_a_server_without_alpn(alpn_server, look):
    port, _, _, _ = alpn_server(None)
    seen = look(TlsAlpnProbe("p", dns_name("a.test"), "a.test"), tlsalpn01_port=port)
    assert (seen.failure, seen.alpn) == (None, "")


def test_a_server_that_refuses_the_protocol(target, look, server_tls):
    seen = look(TlsAlpnProbe("p", dns_name("a.test"), "a.test"), tlsalpn01_port=target.listen(tls=server_tls))
    assert seen.failure is ProbeFailure.TLS


@pytest.mark.parametrize("said", [b"220 hello\r\n", bytes.fromhex("15 0303 0002 01 00")], ids=["plain", "close_notify"])
def test_a_server_that_speaks_no_tls(said, loop, look):
    errors = []

    def note(event):
        if event.get("isError"):
            errors.append(event["failure"].value)

    class Plain(Protocol):
        def connectionMade(self):
            self.transport.write(said)

    factory = Factory.forProtocol(Plain)
    factory.noisy = False
    port = loop.run(lambda: loop.reactor.listenTCP(0, factory, interface="127.0.0.1"))
    globalLogPublisher.addObserver(note)
    try:
        seen = look(TlsAlpnProbe("p", dns_name("a.test"), "a.test"), tlsalpn01_port=port.getHost().port)
    finally:
        globalLogPublisher.removeObserver(note)
    assert seen.failure is ProbeFailure.TLS
    assert errors == []
    loop.run(port.stopListening)


def test_a_server_that_says_nothing(loop, look, target):
    seen = look(TlsAlpnProbe("p", dns_name("a.test"), "a.test"), tlsalpn01_port=target.listen(), total=0.3)
    assert seen.failure is ProbeFailure.CONNECTION


def test_tls_alpn_goes_to_no_denied_address(alpn_server, look):
    port, _, asked, _ = alpn_server()
    seen = look(TlsAlpnProbe("p", dns_name("a.test"), "a.test"), tlsalpn01_port=port, deny=["127.0.0.0/8"])
    assert seen.failure is ProbeFailure.FORBIDDEN_ADDRESS
    assert asked == []
