"""A lock that coroutines wait for on the reactor."""

from __future__ import annotations

from types import TracebackType

from twisted.internet.defer import DeferredLock


class ReactorLock:
    """``async with``: who enters while somebody is inside waits, in the order of coming."""

    def __init__(self) -> None:
        self._lock = DeferredLock()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._lock.release()
        return None
