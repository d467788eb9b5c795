"""A bounded number at once, and nobody waits behind everything that somebody else asked for."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from privca.web.turns import Turns


def test_askers_take_turns_and_each_keeps_its_order() -> None:
    turns, had = Turns(2), []

    def ask(asker: str, number: int) -> Deferred[None]:
        return turns.take(asker).addCallback(lambda _: had.append((asker, number)))

    for number in range(5):
        ask("many", number)
    ask("one", 0)
    ask("other", 0)
    assert had == [("many", 0), ("many", 1)]
    for _ in range(5):
        turns.give_back()
    assert had[2:] == [("many", 2), ("one", 0), ("other", 0), ("many", 3), ("many", 4)]
    # All were given back in the end: two are free again, and not more.
    turns.give_back()
    turns.give_back()
    assert [turns.take("x").called for _ in range(3)] == [True, True, False]


def test_who_gave_up_gets_no_turn() -> None:
    turns = Turns(1)
    turns.take("a")
    waiting = turns.take("b")
    waiting.addErrback(lambda failure: failure.trap(CancelledError) and None)
    last = turns.take("c")
    waiting.cancel()
    turns.give_back()
    assert last.called
    turns.give_back()
    assert turns.take("d").called
