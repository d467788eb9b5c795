"""From a message to a service and back, with the transcript and the counts."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from twisted.internet.defer import Deferred

from privca.base.clock import SetClock
from privca.base.entropy import SeededEntropy
from privca.base.http import Peer, Response
from privca.issuance.profile import Profile, Revisioned, Template
from privca.web.awaiting import drive
from privca.web.framing import BadMessage, HttpLimits, read_head
from privca.web.metrics import Metrics
from privca.web.origin import Origins
from privca.web.resource import Resource
from privca.web.transcript import Record


class Catalogue:
    """Profiles in memory: ``acme-a`` enabled, ``acme-off`` not, ``est-a`` of another protocol."""

    def __init__(self) -> None:
        def revisioned(id: str, protocol: Any, enabled: bool = True) -> Revisioned:
            profile = Profile(protocol=protocol, issuer="x", template="t", authentication=("account",), enabled=enabled)
            return Revisioned(id=id, revision=1, profile=profile, template=Template())

        self.known = {
            r.id: r for r in (revisioned("acme-a", "acme"), revisioned("acme-off", "acme", False), revisioned("est-a", "est"))
        }
        self.defaults = {"acme": "acme-a"}

    async def profile(self, id: str) -> Revisioned | None:
        return self.known.get(id)

    async def default_profile(self, protocol: str) -> str | None:
        return self.defaults.get(protocol)


class Service:
    """Says what it was asked; what it was told to raise it raises."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, Any, Any]] = []
        self.failed: list[tuple[Any, Any, Any]] = []
        self.error: Exception | None = None
        self.broken = False
        self.gate: Deferred[None] | None = None

    async def handle(self, exchange, request, profile=None):
        self.asked.append((exchange, request, profile))
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            raise self.error
        exchange.decided("granted", "RFC 8555 section 7.1.1", "here it is", kind="test")
        return Response(200, (("Content-Type", "text/plain"),), b"ok")

    def failure(self, exchange, request, profile, status, detail):
        self.failed.append((exchange, request, profile))
        if self.broken:
            raise RuntimeError("the second reason")
        return Response(status, (("Content-Type", "text/plain"),), f"as we say it: {detail}".encode())


class Listed:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def write(self, record: Record) -> None:
        self.records.append(record)


@pytest.fixture
def parts():
    class Parts:
        service, status, transcript, metrics = Service(), Service(), Listed(), Metrics()
        logged: ClassVar[list[tuple[str, str, int]]] = []

    def log(exchange, method, path, status, seconds):
        assert 0 <= seconds < 60
        Parts.logged.append((exchange.decision.outcome, f"{method} {path}", status))

    Parts.resource = Resource(
        services={"acme": Parts.service},
        status=Parts.status,
        profiles=Catalogue(),
        names=("ca.example.test", "127.0.0.1", "::1"),
        clock=SetClock(datetime(2026, 1, 2, tzinfo=UTC)),
        entropy=SeededEntropy(b"x"),
        transcript=Parts.transcript,
        metrics=Parts.metrics,
        exchange_log=log,
    )
    return Parts


def ask(parts, path, host="ca.example.test:8443", method="GET", body=b"", tls=True, port=8443):
    message = read_head(f"{method} {path} HTTP/1.1\r\nHost: {host}".encode(), HttpLimits())
    message.body = body
    work: Coroutine[Any, Any, Any] = parts.resource.answer(message, Peer("192.0.2.1", tls), port)
    reply = drive(work)
    assert not isinstance(reply, Deferred)
    reply.sent(b"HTTP/1.1 ...", reply.response.body)
    return reply.response


def test_the_service_gets_request_exchange_and_profile(parts):
    assert ask(parts, "/acme/acme-a/new-order?x=1", method="POST", body=b"{}").body == b"ok"
    exchange, request, profile = parts.service.asked[0]
    assert (request.method, request.path, request.tail, request.query, request.body) == (
        "POST",
        "/acme/acme-a/new-order",
        "new-order",
        "x=1",
        b"{}",
    )
    assert request.origin == "https://ca.example.test:8443"
    assert request.peer.address == "192.0.2.1"
    assert (exchange.profile_id, exchange.now) == ("acme-a", datetime(2026, 1, 2, tzinfo=UTC))
    assert profile.id == "acme-a"


def test_every_exchange_is_logged(parts):
    ask(parts, "/acme/acme-a/directory")
    ask(parts, "/" + "x" * 300)
    assert parts.logged == [("granted", "GET /acme/acme-a/directory", 200), ("refused", "GET /" + "x" * 199, 404)]


def test_exchanges_have_different_ids(parts):
    for _ in range(3):
        ask(parts, "/acme/acme-a/directory")
    assert len({exchange.id for exchange, _, _ in parts.service.asked}) == 3


def test_the_path_without_an_id_means_the_default_profile(parts):
    assert ask(parts, "/certificate-authority/api/v1/acme/directory").status == 200
    assert parts.service.asked[0][0].profile_id == "acme-a"


@pytest.mark.parametrize(
    ("host", "tls", "origin"),
    [
        ("ca.example.test", True, "https://ca.example.test"),
        ("CA.Example.Test:1234", True, "https://ca.example.test:1234"),
        ("ca.example.test.:8443", True, "https://ca.example.test:8443"),
        ("[::1]:8443", True, "https://[::1]:8443"),
        ("[0::1]:8443", True, "https://[::1]:8443"),
        ("127.0.0.1:8080", False, "http://127.0.0.1:8080"),
        ("evil.test:8443", True, "https://ca.example.test:8443"),
        ("evil.test", True, "https://ca.example.test"),
        ("127.0.0.1.evil.test:8443", True, "https://ca.example.test:8443"),
        ("ca.example.test:99999", True, "https://ca.example.test:8443"),
        ("ca.example.test:0", True, "https://ca.example.test:8443"),
    ],
)
def test_the_origin_is_a_name_of_ours(parts, host, tls, origin):
    ask(parts, "/acme/acme-a/directory", host=host, tls=tls)
    ask(parts, "/acme/acme-a/directory", host=host, tls=tls)
    assert [request.origin for _, request, _ in parts.service.asked] == [origin, origin]


def test_without_a_host_the_origin_is_the_first_name_and_the_listener(parts):
    message = read_head(b"GET /acme/acme-a/directory HTTP/1.0", HttpLimits())
    drive(parts.resource.answer(message, Peer("192.0.2.1", True), 8443))
    assert parts.service.asked[0][1].origin == "https://ca.example.test:8443"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/.well-known/est/cacerts",
        "/.well-known/est/est-a/cacerts",
    ],
)
def test_what_is_not_there_is_a_problem_document(parts, path):
    response = ask(parts, path)
    assert response.status == 404
    assert response.header("content-type") == "application/problem+json"
    document = json.loads(response.body)
    assert document["status"] == 404
    assert document["type"] == "about:blank"
    assert document["detail"].endswith(" (RFC 9110 section 15.5.5)")
    assert not parts.service.asked
    assert parts.transcript.records[0].exchange.decision.outcome == "refused"


@pytest.mark.parametrize("path", ["/acme/unknown/directory", "/acme/acme-off/directory", "/acme/est-a/directory"])
def test_a_profile_that_is_not_there_is_said_by_the_protocol(parts, path):
    response = ask(parts, path)
    assert response.status == 404
    assert response.body.startswith(b"as we say it: there is no acme profile ")
    assert response.body.endswith(b" (RFC 9110 section 15.5.5)")
    assert [profile for _, _, profile in parts.service.failed] == [None]
    assert not parts.service.asked
    assert parts.transcript.records[0].exchange.decision.outcome == "refused"


def test_status_paths_need_no_profile(parts):
    assert ask(parts, "/crl/lab.crl").status == 200
    assert parts.status.asked[0][1].tail == "crl/lab.crl"


def test_a_fault_of_ours_is_500_without_a_trace(parts, capsys):
    parts.service.error = RuntimeError("the secret reason")
    response = ask(parts, "/acme/acme-a/new-order")
    assert response.status == 500
    assert response.body.startswith(b"as we say it: ")
    assert "secret" not in response.body.decode()
    exchange, request, profile = parts.service.failed[0]
    assert exchange is parts.service.asked[0][0]
    assert (request.tail, profile.id) == ("new-order", "acme-a")
    assert exchange.id in response.body.decode()
    logged = "".join(capsys.readouterr())
    assert exchange.id in logged
    assert "the secret reason" in logged


def test_a_fault_in_telling_a_fault_is_told_plainly(parts, capsys):
    parts.service.error, parts.service.broken = RuntimeError("the first reason"), True
    response = ask(parts, "/acme/acme-a/new-order")
    assert (response.status, response.header("content-type")) == (500, "application/problem+json")
    assert "reason" not in response.body.decode()
    assert "the second reason" in "".join(capsys.readouterr())


def test_a_service_may_wait(parts):
    parts.service.gate = Deferred()
    reply = drive(parts.resource.answer(read_head(b"GET /acme/acme-a/x HTTP/1.1\r\nHost: a", HttpLimits()), Peer("192.0.2.1"), 1))
    assert isinstance(reply, Deferred)
    got = []
    reply.addCallback(got.append)
    parts.service.gate.callback(None)
    assert got[0].response.body == b"ok"


def test_one_record_and_one_count_for_each_exchange(parts):
    ask(parts, "/acme/acme-a/order/1")
    ask(parts, "/acme/acme-a/order/2")
    ask(parts, "/acme/acme-a/../../etc")
    assert len(parts.transcript.records) == 3
    text = parts.metrics.exposition()[1].decode()
    assert 'privca_requests_total{operation="order",protocol="acme",status="200"} 2.0' in text
    assert 'privca_request_seconds_count{operation="order",protocol="acme"} 2.0' in text


def test_a_client_cannot_make_counters_without_end(parts):
    for n in range(500):
        ask(parts, f"/acme/acme-a/{n}")
    assert parts.metrics.exposition()[1].decode().count("privca_requests_total{") <= 65


def refuse(parts, refusal, octets, *, readable=True):
    head = read_head(octets.partition(b"\r\n\r\n")[0], HttpLimits()) if readable else None
    reply = drive(parts.resource.refuse(refusal, head, octets, Peer("192.0.2.1", True), 8443))
    reply.sent(b"head", b"body")
    return reply.response


def test_an_unreadable_request_is_recorded_too(parts):
    response = refuse(parts, BadMessage(400, "RFC 9112 section 2.2", "no"), b"GET /\nx\r\n\r\nrest", readable=False)
    assert json.loads(response.body)["detail"] == "no (RFC 9112 section 2.2)"
    record = parts.transcript.records[0]
    assert (record.request_head, record.request_body) == (b"GET /\nx", b"rest")
    assert record.exchange.decision.clause == "RFC 9112 section 2.2"


def test_an_unreadable_body_is_refused_by_the_protocol_of_its_path(parts):
    octets = b"POST /acme/acme-a/new-order HTTP/1.1\r\nHost: ca.example.test:8443\r\n\r\nrest"
    response = refuse(parts, BadMessage(413, "RFC 9110 section 15.5.14", "too much"), octets)
    assert (response.status, response.body) == (413, b"as we say it: too much (RFC 9110 section 15.5.14)")
    exchange, request, profile = parts.service.failed[0]
    assert (request.method, request.tail, request.origin) == ("POST", "new-order", "https://ca.example.test:8443")
    assert profile.id == "acme-a"
    record = parts.transcript.records[0]
    assert record.exchange is exchange
    assert (record.request_head, record.request_body) == tuple(octets.split(b"\r\n\r\n"))
    assert exchange.decision.outcome == "refused"


def test_drive_raises_at_once_what_is_raised_at_once_and_hands_on_the_rest():
    async def fail(first: Deferred[None] | None) -> None:
        if first is not None:
            await first
        raise KeyError("x")

    with pytest.raises(KeyError):
        drive(fail(None))
    gate: Deferred[None] = Deferred()
    later = drive(fail(gate))
    assert isinstance(later, Deferred)
    failures: list[Any] = []
    later.addErrback(failures.append)
    gate.callback(None)
    assert failures[0].check(KeyError)


def test_drive_gives_failures_to_the_coroutine():
    async def mend(first: Deferred[None], second: Deferred[str]) -> str:
        try:
            await first
        except ValueError:
            return await second
        return "not raised"

    first: Deferred[None] = Deferred()
    second: Deferred[str] = Deferred()
    later = drive(mend(first, second))
    assert isinstance(later, Deferred)
    got: list[str] = []
    later.addCallback(got.append)
    first.errback(ValueError())
    second.callback("mended")
    assert got == ["mended"]


def test_a_server_has_a_name():
    with pytest.raises(ValueError, match="at least one name"):
        Origins(())
