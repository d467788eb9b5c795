"""A TCP transport that sends at once what the kernel takes at once.

Twisted's own keeps every write until the reactor comes round again: two changes of the poll set and one more round for each reply, which
is a tenth of what a small request costs. Replies here are one write each, and nearly always fit.
"""

from __future__ import annotations

from contextlib import suppress

from twisted.internet import tcp


class PromptServer(tcp.Server):
    """An accepted connection whose first write of a round goes straight to the socket; what is left over waits as usual."""

    def write(self, data: bytes) -> None:
        """Send, or queue behind what is queued already."""
        queued = self.dataBuffer or self._tempDataBuffer
        if self.connected and not (queued or self.disconnecting or self._writeDisconnecting or self._writeDisconnected):
            # An error means that the socket is full or broken: the usual way tells the two apart, and tells the protocol.
            with suppress(OSError):
                data = data[self.socket.send(data) :]
        if data:
            super().write(data)  # type: ignore[no-untyped-call]
