"""Work that outlives an exchange, on the reactor: validations, deferred issuance."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, cast

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from privca.web.reactor import Reactor

log = structlog.get_logger("privca.web")


class ReactorBackground:
    """Implements :class:`privca.acme.ports.Background`. Whatever is started is known until it ends, and its failure reaches the log."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor: Any = reactor
        self._running: set[Deferred[object]] = set()
        self._idle: Deferred[None] | None = None

    @property
    def running(self) -> int:
        """How many pieces of work are under way."""
        return len(self._running)

    def start(self, work: object) -> None:
        """Start a coroutine in the next turn of the reactor: the reply that caused it goes out first."""
        coroutine = cast("Coroutine[Deferred[Any], Any, object]", work)
        turn: Deferred[object] = deferLater(self._reactor, 0)
        turn.addCallback(lambda _: Deferred.fromCoroutine(coroutine))
        self._running.add(turn)
        turn.addErrback(self._failed)
        turn.addBoth(self._ended, turn, coroutine)

    async def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        await deferLater(self._reactor, seconds)

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is under way, at most ``seconds``; then what still runs is cancelled where it waits."""
        if not self._running:
            return
        self._idle = Deferred()
        cut = self._reactor.callLater(seconds, self._cancel)
        await self._idle
        if cut.active():
            cut.cancel()

    def _cancel(self) -> None:
        for turn in list(self._running):
            turn.cancel()

    def _ended(self, result: object, turn: Deferred[object], coroutine: Coroutine[Any, Any, object]) -> None:
        coroutine.close()  # it may have been cancelled before it began
        self._running.discard(turn)
        if not self._running and self._idle is not None:
            idle, self._idle = self._idle, None
            idle.callback(None)

    @staticmethod
    def _failed(failure: Failure) -> None:
        log.error("work in the background failed", reason=repr(failure.value), trace=failure.getTraceback())
