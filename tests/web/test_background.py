"""Work that outlives its exchange: tracked, never lost, waited for."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from privca.web.background import ReactorBackground


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def background(clock):
    return ReactorBackground(clock)


def test_work_starts_after_the_reply_and_is_tracked(clock, background):
    did = []

    async def work():
        did.append("started")
        await background.wait(5)
        did.append("done")

    background.start(work())
    assert did == []
    clock.advance(0)
    assert (did, background.running) == (["started"], 1)
    clock.advance(5)
    assert (did, background.running) == (["started", "done"], 0)


def test_a_failure_reaches_the_log(clock, background, capsys):
    async def work():
        raise RuntimeError("what went wrong")

    background.start(work())
    clock.advance(0)
    assert background.running == 0
    assert "what went wrong" in "".join(capsys.readouterr())


def test_drain_waits(clock, background):
    gate: Deferred[None] = Deferred()

    async def work():
        await gate

    background.start(work())
    clock.advance(0)
    drained = Deferred.fromCoroutine(background.drain(10))
    assert not drained.called
    gate.callback(None)
    assert drained.called
    assert not clock.getDelayedCalls()


def test_drain_cuts_what_lasts_too_long(clock, background):
    ended = []

    async def work():
        try:
            await Deferred()
        finally:
            ended.append(True)

    background.start(work())
    clock.advance(0)
    drained = Deferred.fromCoroutine(background.drain(10))
    clock.advance(10)
    assert drained.called
    assert ended == [True]


def test_work_that_was_never_begun_ends_quietly(clock, background):
    async def work():
        raise AssertionError("it was to be cancelled")

    background.start(work())
    drained = Deferred.fromCoroutine(background.drain(0))
    next(call for call in clock.getDelayedCalls() if call.func == background._cancel).func()
    assert drained.called


def test_draining_nothing_is_done_at_once(background):
    assert Deferred.fromCoroutine(background.drain(10)).called
