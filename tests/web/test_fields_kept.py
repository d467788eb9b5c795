"""Header fields that come again are read once, and that is never told from reading them."""

from __future__ import annotations

import pytest

from privca.web import framing
from privca.web.framing import BadMessage, HttpLimits, read_head

LIMITS = HttpLimits()
REST = b"Host: ca.test\r\nAccept: a\r\naccept: b\r\nContent-Length: 3"


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(framing, "_blocks", {})


def test_the_second_time_is_like_the_first():
    first = read_head(b"POST /a HTTP/1.1\r\n" + REST, LIMITS)
    second = read_head(b"POST /b HTTP/1.1\r\n" + REST, LIMITS)
    assert (first.path, second.path) == ("/a", "/b")
    assert first.headers == second.headers == {"host": "ca.test", "accept": "a, b", "content-length": "3"}
    assert second.authority == "ca.test"
    assert second.head == b"POST /b HTTP/1.1\r\n" + REST
    assert len(framing._blocks) == 1


@pytest.mark.parametrize("name", [b"Authorization", b"proxy-authorization", b"COOKIE"])
def test_what_may_be_a_secret_is_not_kept(name):
    read_head(b"GET / HTTP/1.1\r\nHost: ca.test\r\n" + name + b": secret", LIMITS)
    assert not framing._blocks


def test_what_is_refused_is_refused_again():
    for _ in range(2):
        for rest in (b"Host: ca.test\r\nHost: ca.test", b"Host: a b", b"Host : x", b"", b"Host: x\r\n"):
            with pytest.raises(BadMessage):
                read_head(b"GET / HTTP/1.1\r\n" + rest, LIMITS)
    assert not framing._blocks


def test_limits_hold_for_fields_that_are_kept():
    head = b"GET / HTTP/1.1\r\n" + REST
    read_head(head, LIMITS)
    with pytest.raises(BadMessage) as refused:
        read_head(head, HttpLimits(fields=3))
    assert refused.value.status == 431


def test_a_client_that_invents_fields_fills_nothing():
    for n in range(2 * framing._BLOCKS_KEPT + 5):
        read_head(b"GET / HTTP/1.1\r\nHost: ca.test\r\nX-N: %d" % n, LIMITS)
    read_head(b"GET / HTTP/1.1\r\nHost: ca.test\r\nX-N: " + b"x" * framing._BLOCK_LONGEST, LIMITS)
    assert 0 < len(framing._blocks) <= framing._BLOCKS_KEPT
    assert max(map(len, framing._blocks)) <= framing._BLOCK_LONGEST
