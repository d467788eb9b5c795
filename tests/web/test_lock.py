"""A lock on the reactor: one inside, the others in the order of coming, and whoever fails lets the next one in."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from privca.web.lock import ReactorLock


def test_one_inside_and_the_others_in_order() -> None:
    lock, inside, done = ReactorLock(), [], []
    gates: list[Deferred[None]] = [Deferred() for _ in range(3)]

    async def work(number: int) -> None:
        async with lock:
            inside.append(number)
            await gates[number]
        done.append(number)

    tasks = [Deferred.fromCoroutine(work(number)) for number in range(3)]
    for number in range(3):
        assert inside == list(range(number + 1))
        gates[number].callback(None)
    assert done == [0, 1, 2]
    assert all(task.called for task in tasks)


def test_a_failure_lets_the_next_one_in() -> None:
    lock, gate, failures = ReactorLock(), Deferred[None](), []

    async def fails() -> None:
        async with lock:
            await gate
            raise ValueError("the disk is full")

    async def follows() -> str:
        async with lock:
            return "in"

    first, second = Deferred.fromCoroutine(fails()), Deferred.fromCoroutine(follows())
    first.addErrback(lambda failure: failures.append(failure.value))
    assert not second.called
    gate.callback(None)
    assert [str(failure) for failure in failures] == ["the disk is full"]
    assert second.result == "in"


def test_who_is_cancelled_while_waiting_leaves_the_line() -> None:
    lock, gate, seen = ReactorLock(), Deferred[None](), []

    async def holds() -> None:
        async with lock:
            await gate

    async def waits(name: str) -> None:
        async with lock:
            seen.append(name)

    held = Deferred.fromCoroutine(holds())
    gone, stays = Deferred.fromCoroutine(waits("gone")), Deferred.fromCoroutine(waits("stays"))
    gone.cancel()
    gone.addErrback(lambda failure: seen.append(str(failure.trap(CancelledError).__name__)))
    gate.callback(None)
    assert seen == ["CancelledError", "stays"]
    assert held.called
    assert stays.called
