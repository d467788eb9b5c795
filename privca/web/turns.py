"""Whose probe is next: so many at once, and all askers in turn, so that whoever asks for a thousand waits behind itself alone."""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred


class Turns:
    """``at_once`` turns; who waits gets one in the order of askers, and among those of one asker in the order of asking."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        # The asker that has waited longest for a turn stands first.
        self._waiting: dict[str, deque[Deferred[None]]] = {}

    def take(self, asker: str) -> Deferred[None]:
        """Fires when there is a turn, which :meth:`give_back` ends; may be cancelled until then."""
        turn: Deferred[None] = Deferred()
        if self._free:
            self._free -= 1
            turn.callback(None)
        else:
            self._waiting.setdefault(asker, deque()).append(turn)
        return turn

    def give_back(self) -> None:
        """End a turn: the next one begins."""
        while self._waiting:
            asker, queue = next(iter(self._waiting.items()))
            del self._waiting[asker]
            turn = queue.popleft()
            if queue:
                self._waiting[asker] = queue
            if not turn.called:  # not cancelled
                turn.callback(None)
                return
        self._free += 1
