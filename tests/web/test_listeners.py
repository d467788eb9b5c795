"""Listening sockets that come from elsewhere."""

from __future__ import annotations

import os

from privca.web.framing import HttpLimits
from privca.web.http import HttpFactory
from privca.web.listeners import Listeners, adopt

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_an_inherited_descriptor_serves_on(loop, client, echo, open_socket):
    bound = open_socket()
    port = bound.getsockname()[1]
    inherited = os.dup(bound.fileno())
    bound.close()

    def begin():
        factory, listeners = HttpFactory(loop.reactor, echo, HttpLimits()), Listeners(loop.reactor)
        with adopt(inherited) as socket:
            listeners.serve([socket], factory)
        return factory, listeners

    factory, listeners = loop.run(begin)
    with client(port) as c:
        assert c.send(REQUEST).read().status == 200
        loop.run(listeners.stop)
        assert c.send(REQUEST).read().status == 200  # what is connected goes on
    loop.run(factory.drain, 1.0)


def test_several_addresses(loop, client, echo, open_socket):
    bound = [open_socket("127.0.0.1"), open_socket("::1")]
    ports = [one.getsockname()[1] for one in bound]

    def begin():
        factory, listeners = HttpFactory(loop.reactor, echo, HttpLimits()), Listeners(loop.reactor)
        listeners.serve(bound, factory)
        return factory, listeners

    factory, listeners = loop.run(begin)
    for one in bound:
        one.close()
    with client(ports[0]) as four, client(ports[1], None, "::1") as six:
        assert four.send(REQUEST).read().status == 200
        assert six.send(REQUEST).read().status == 200
    assert [peer.address for peer in echo.peers] == ["127.0.0.1", "::1"]
    loop.run(listeners.stop)
    loop.run(factory.drain, 1.0)
