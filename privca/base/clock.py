"""Time as an argument: nothing below the composition root reads a clock of its own.

Every time in the project is an aware :class:`~datetime.datetime` in UTC without microseconds, since that is what
certificates (RFC 5280 section 4.1.2.5) and RFC 3339 timestamps without a fraction can say.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The current time, aware, UTC, whole seconds."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's time, cut to whole seconds."""
        return datetime.fromtimestamp(int(time.time()), UTC)


class SetClock:
    """A clock that stands where it was put: for tests, vectors and labs."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        """The time that was set."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock on."""
        self._at += by


@lru_cache(
    maxsize=1024
)  # the same moments again and again: of the exchange, and of the order and the authorizations that it is about
def rfc3339(at: datetime) -> str:
    """``at`` as RFC 3339 section 5.6 writes it, in UTC with ``Z``."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
