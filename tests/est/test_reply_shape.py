"""The one shape of a reply that libest (two builds), strongSwan and curl all read, on the octets that a connection writes.

Debian's client takes nothing but its own version of HTTP; strongSwan reads twice, the first time 1024 octets, and neither it nor libest
knows chunks; libest tells header names apart by case, and needs lines and a line end.
"""

import re
from base64 import b64decode, b64encode
from types import SimpleNamespace

import pytest

from privca.base.exchange import Exchange
from privca.base.http import Peer, Request
from privca.web import urls
from privca.web.framing import HttpLimits
from privca.web.http import HttpConnection, Reply
from tests.est.conftest import CODE, ORIGIN, USER, Session, csr


class Transport:
    """What the other end gets, write by write."""

    def __init__(self):
        self.written, self.closed = [], False

    def write(self, octets):
        self.written.append(octets)

    def getPeer(self):
        return SimpleNamespace(host="192.0.2.9")

    def getHost(self):
        return SimpleNamespace(port=8443)

    def loseConnection(self):
        self.closed = True

    loseWriteConnection = loseConnection

    def __getattr__(self, name):
        return lambda *arguments: None


class Application:
    """The EST service behind a connection."""

    def __init__(self, lab, profile):
        self.lab, self.profile = lab, profile

    async def answer(self, message, peer, port):
        route = urls.find(message.path)
        tls = Peer(peer.address, True, None, Session())
        request = Request(message.method, message.path, route.tail, message.query, message.headers, message.body, tls, ORIGIN)
        exchange = Exchange("shape", self.lab.clock.now(), self.lab.entropy, self.profile)
        return Reply(await self.lab.service.handle(exchange, request, self.lab._profiles[self.profile]))


def sent(lab, octets, profile):
    """The writes by which these octets are answered."""
    later = SimpleNamespace(callLater=lambda *_: SimpleNamespace(cancel=lambda: None))
    factory = SimpleNamespace(
        limits=HttpLimits(),
        application=Application(lab, profile),
        draining=False,
        reactor=later,
        admit=lambda _: True,
        forget=lambda _: None,
    )
    connection = HttpConnection(factory)
    transport = connection.transport = Transport()
    connection.connectionMade()
    connection.dataReceived(octets)
    return transport


def post(lab, key, version="1.1", profile=None, login=True):
    profile = profile or lab.profile()
    body = b64encode(csr(key, [lab.name()]))
    lines = [f"POST /.well-known/est/{profile}/simpleenroll HTTP/{version}", "Host: a", "Content-Type: application/pkcs10"]
    if login:
        lines.append("Authorization: Basic " + b64encode(f"{USER}:{CODE}".encode()).decode())
    return sent(lab, "\r\n".join([*lines, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body + b"\r\n", profile)


def reply(transport):
    (octets,) = transport.written
    head, _, body = octets.partition(b"\r\n\r\n")
    return head.decode(), body


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_version_is_that_of_the_request(lab, key, version):
    head, _ = reply(post(lab, key, version))
    assert head.startswith(f"HTTP/{version} 200 OK\r\n")


def test_head_and_body_are_one_write(lab, key):
    assert len(post(lab, key).written) == 1


def test_the_length_is_said_and_right_and_there_are_no_chunks(lab, key):
    head, body = reply(post(lab, key))
    assert f"\r\nContent-Length: {len(body)}" in head
    assert "chunked" not in head


@pytest.mark.parametrize("login", [True, False])
def test_the_head_is_short_and_its_names_have_their_usual_case(lab, key, login):
    head, _ = reply(post(lab, key, login=login))
    assert len(head) + 4 < 1024
    names = re.findall(r"\r\n([^:]+):", head)
    assert ("WWW-Authenticate" in names) is not login
    assert all(name == "-".join(word[0].upper() + word[1:] for word in name.split("-")) for name in names), names


def test_the_media_type_is_exactly_this(lab, key):
    head, _ = reply(post(lab, key))
    assert "\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\n" in head


def test_the_base64_is_in_lines_and_ends_with_one(lab, key):
    _, body = reply(post(lab, key))
    lines = body.split(b"\n")
    assert lines.pop() == b""
    assert all(len(line) <= 76 for line in lines)
    assert b"\r" not in body
    assert b64decode(body)[:1] == b"\x30"


def test_a_client_without_a_credential_is_asked_without_a_body_and_basic_first(lab, key):
    head, body = reply(post(lab, key, login=False))
    assert body == b""
    assert re.search(r"\r\nWWW-Authenticate: (\w+)", head)[1] == "Basic"
    assert "\r\nContent-Type" not in head


def test_a_request_that_waits_says_seconds_and_nothing_else(lab, key):
    head, body = reply(post(lab, key, profile=lab.profile(approval_always=True)))
    assert head.startswith("HTTP/1.1 202 ")
    assert re.search(r"\r\nRetry-After: \d+\r\n", head)
    assert body == b""


def test_a_line_end_behind_a_request_is_no_second_one(lab, key):
    transport = post(lab, key)
    assert len(transport.written) == 1
    assert not transport.closed
