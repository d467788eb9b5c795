"""The admin listener: health, metrics, and pebble-challtestsrv's calls against a real DNS client."""

from __future__ import annotations

import json
import socket

import dns.message
import dns.query
import dns.rcode
import pytest

from privca.web.admin import Admin
from privca.web.metrics import Metrics
from privca.web.resolver import LabResolver
from privca.web.zone import LabZone


@pytest.fixture
def lab(loop, serve):
    """A lab's admin listener and resolver: ``port`` and ``ask(name, kind, tcp=False)``."""
    zone, missing = LabZone(), []
    tcp = socket.socket()
    tcp.bind(("127.0.0.1", 0))
    tcp.listen()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    resolver = LabResolver(loop.reactor, zone)
    loop.run(resolver.serve, [udp, tcp])

    class Lab:
        where = tcp.getsockname()
        port = serve(Admin(Metrics(), lambda: missing, ("localhost", "127.0.0.1", "::1"), zone)).port
        not_ready = missing

        @staticmethod
        def response(name, kind, over_tcp=False):
            query = dns.message.make_query(name, kind)
            send = dns.query.tcp if over_tcp else dns.query.udp
            return send(query, Lab.where[0], port=Lab.where[1], timeout=5)

        @staticmethod
        def ask(name, kind, over_tcp=False):
            return [record.to_text() for rrset in Lab.response(name, kind, over_tcp).answer for record in rrset]

    yield Lab
    udp.close()
    tcp.close()
    loop.run(resolver.stop)


@pytest.fixture
def call(client, lab):
    def post(path, document, host="localhost:8055", more=b"", method="POST"):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n".encode()
        return client(lab.port).send(head + more + b"\r\n" + body).read()

    return post


def test_addresses(lab, call):
    assert lab.ask("any.test", "A") == ["127.0.0.1"]
    assert lab.ask("any.test", "AAAA") == []
    assert call("/set-default-ipv4", {"ip": "10.10.10.2"}).status == 200
    assert call("/set-default-ipv6", {"ip": "::1"}).status == 200
    assert lab.ask("any.test", "A") == ["10.10.10.2"]
    assert lab.ask("any.test", "AAAA", over_tcp=True) == ["::1"]
    assert call("/add-a", {"host": "Some.Test", "addresses": ["192.0.2.1", "192.0.2.2"]}).status == 200
    assert call("/add-aaaa", {"host": "some.test.", "addresses": ["2001:db8::1"]}).status == 200
    assert sorted(lab.ask("some.test", "A")) == ["192.0.2.1", "192.0.2.2"]
    assert lab.ask("some.test", "AAAA") == ["2001:db8::1"]
    assert call("/clear-a", {"host": "some.test"}).status == 200
    assert call("/clear-aaaa", {"host": "some.test"}).status == 200
    assert lab.ask("some.test", "A") == ["10.10.10.2"]
    assert call("/set-default-ipv4", {"ip": ""}).status == 200
    assert lab.ask("any.test", "A") == []


def test_texts(lab, call):
    name = "_acme-challenge.a.test."
    assert call("/set-txt", {"host": name, "value": "one"}).status == 200
    assert call("/set-txt", {"host": name, "value": 'quo"te \\ äö'}).status == 200
    assert call("/set-txt", {"host": name, "value": "x" * 300}).status == 200
    response = lab.response(name, "TXT").answer[0]
    assert {b"".join(record.strings) for record in response} == {b"one", 'quo"te \\ äö'.encode(), b"x" * 300}
    assert call("/clear-txt", {"host": name}).status == 200
    assert lab.ask(name, "TXT") == []


def test_caa(lab, call):
    policies = [{"tag": "issue", "value": "ca.example.test; x=y"}, {"tag": "issuewild", "value": ";"}]
    assert call("/add-caa", {"host": "a.test", "policies": policies}).status == 200
    assert sorted(lab.ask("a.test", "CAA")) == ['0 issue "ca.example.test; x=y"', '0 issuewild ";"']
    assert call("/clear-caa", {"host": "a.test"}).status == 200
    assert lab.ask("a.test", "CAA") == []


def test_alias(lab, call):
    assert call("/set-cname", {"host": "a.test", "target": "b.test"}).status == 200
    assert call("/set-txt", {"host": "b.test", "value": "x"}).status == 200
    assert lab.ask("a.test", "TXT") == ["b.test.", '"x"']
    assert lab.ask("a.test", "A") == ["b.test.", "127.0.0.1"]
    assert call("/set-cname", {"host": "a.test", "target": "c.test"}).status == 200
    assert lab.ask("a.test", "TXT") == ["c.test."]
    assert call("/clear-cname", {"host": "a.test"}).status == 200
    assert lab.ask("a.test", "A") == ["127.0.0.1"]


def test_servfail(lab, call):
    assert call("/set-servfail", {"host": "a.test"}).status == 200
    assert lab.response("a.test", "A").rcode() == dns.rcode.SERVFAIL
    assert call("/clear-servfail", {"host": "a.test"}).status == 200
    assert lab.response("a.test", "A").rcode() == dns.rcode.NOERROR


def test_rubbish_does_not_stop_the_resolver(lab):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rubbish:
        for octets in (b"", b"x", b"\0" * 12, b"\xff" * 100, b"\0\1\0\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"):
            rubbish.sendto(octets, lab.where)
    with socket.create_connection(lab.where, 5) as rubbish:
        rubbish.sendall(b"\0\5rubbi")
        assert rubbish.recv(10) == b""
    assert lab.ask("a.test", "A") == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/set-default-ipv4", {}),
        ("/set-default-ipv4", {"ip": "x"}),
        ("/set-default-ipv6", {"ip": "127.0.0.1"}),
        ("/add-a", {"host": "a.test"}),
        ("/add-a", {"host": "a.test", "addresses": ["x"]}),
        ("/add-a", {"host": "a.test", "addresses": ["::1"]}),
        ("/add-a", {"addresses": ["127.0.0.1"]}),
        ("/add-a", {"host": "a..test", "addresses": ["127.0.0.1"]}),
        ("/clear-a", {}),
        ("/add-caa", {"host": "a.test", "policies": [{"tag": "issue"}]}),
        ("/set-cname", {"host": "a.test"}),
        ("/set-servfail", {}),
        ("/set-txt", {"host": "a.test"}),
        ("/set-txt", b""),
        ("/set-txt", b"{"),
        ("/set-txt", b"[]"),
    ],
)
def test_wrong_calls(path, document, call):
    answer = call(path, document)
    assert answer.status == 400
    assert answer.json()["detail"]


def test_nothing_else_is_there(call):
    assert call("/add-http01", {"token": "a", "content": "b"}).status == 404
    assert call("/set-txt", b"", method="GET").status == 405


@pytest.mark.parametrize("path", ["/healthz", "/set-txt"])
def test_web_pages_are_refused(path, call):
    """A page in a browser on this machine could send these: its Origin gives it away, and DNS rebinding its Host."""
    document = {"host": "a.test", "value": "x"}
    for origin in (b"http://localhost:8055", b"null", b"http://evil.test"):
        assert call(path, document, more=b"Origin: " + origin + b"\r\n").status == 403
    for host in ("evil.test", "evil.test:8055", "localhost.evil.test", "192.0.2.1"):
        assert call(path, document, host=host).status == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8444", "[::1]:8444", "LOCALHOST"])
def test_our_names_are_answered(host, call):
    assert call("/healthz", b"", host=host, method="GET").body == b"ok\n"


def test_readiness_says_what_is_missing(lab, call):
    assert call("/readyz", b"", method="GET").status == 200
    lab.not_ready.append("the store is locked")
    answer = call("/readyz", b"", method="GET")
    assert (answer.status, answer.body) == (503, b"the store is locked\n")
    assert call("/healthz", b"", method="GET").status == 200


def test_metrics(call):
    answer = call("/metrics", b"", method="GET")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"privca_requests" in answer.body


def test_outside_a_lab_there_is_no_management(serve, client):
    port = serve(Admin(Metrics(), list, ("localhost",), None)).port
    body = b'{"host":"a.test","value":"x"}'
    head = b"POST /set-txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert client(port).send(head + body).read().status == 404
    assert client(port).send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").read().status == 200
