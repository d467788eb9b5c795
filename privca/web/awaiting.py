"""Driving coroutines: at once while nothing blocks, and as a Deferred from the first await that does."""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

Result = TypeVar("Result")


def drive(work: Coroutine[Any, Any, Result]) -> Result | Deferred[Result]:
    """Run ``work``; its result if it never waited, else a Deferred of it. What it raises at once is raised here.

    Most exchanges never wait (SQLite and P-256 signatures are inline), and a Deferred with its callbacks costs more than the routing.
    """
    try:
        awaited = work.send(None)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    return Deferred.fromCoroutine(_continued(work, awaited))


@types.coroutine
def _continued(work: Coroutine[Any, Any, Result], awaited: Any) -> Generator[Any, Any, Result]:
    # fromCoroutine() starts what it is given; this stands in for a coroutine that was started before and waits for ``awaited``.
    try:
        while True:
            try:
                sent = yield awaited
            except GeneratorExit:
                work.close()
                raise
            except BaseException as failure:  # noqa: BLE001 - nothing is swallowed: it is thrown on into the coroutine
                awaited = work.throw(failure)
            else:
                awaited = work.send(sent)
    except StopIteration as stop:
        result: Result = stop.value
        return result
