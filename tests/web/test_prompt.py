"""What is sent at once never overtakes what had to wait."""

from __future__ import annotations

import socket
from contextlib import suppress

from twisted.internet.protocol import Factory, Protocol

from privca.web.listeners import Listeners

LARGE = bytes(range(256)) * (64 << 10)  # 16 MiB: more than the kernel takes at once


def test_a_write_waits_behind_what_the_kernel_had_no_room_for(loop):
    made: list[Protocol] = []

    class Plain(Protocol):
        def connectionMade(self):
            made.append(self)

    listening = socket.create_server(("127.0.0.1", 0))
    listeners = Listeners(loop.reactor)
    loop.run(listeners.serve, [listening], Factory.forProtocol(Plain))
    with listening, socket.create_connection(listening.getsockname(), timeout=10) as client:
        while not made:
            loop.run(loop.pause, 0.01)
        received = bytearray()

        def write_twice_with_room_in_between():
            made[0].transport.write(LARGE)
            # In the reactor's thread, so that it cannot go on with the first write while room is made for the second.
            client.setblocking(False)
            with suppress(BlockingIOError):
                while chunk := client.recv(1 << 20):
                    received.extend(chunk)
            client.settimeout(10)
            assert len(received) < len(LARGE), "the kernel took everything: this test shows nothing"
            made[0].transport.write(b"last")

        loop.run(write_twice_with_room_in_between)
        while len(received) < len(LARGE) + 4:
            received += client.recv(1 << 20)
        assert received == LARGE + b"last"
    loop.run(listeners.stop)
