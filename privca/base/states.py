"""State machines as tables ``{(state, event): next state}``: one place for the code, the documentation and the state x event test."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Generic, TypeVar

from privca.base.refused import Reason, Refused

State = TypeVar("State", bound=enum.Enum)
Event = TypeVar("Event", bound=enum.Enum)


class StateTable(Generic[State, Event]):
    """A state machine that refuses what its table does not list.

    ``clause`` is the section whose figure the table is; ``final`` states are those that no event leaves.
    """

    def __init__(self, subject: str, clause: str, table: Mapping[tuple[State, Event], State]) -> None:
        self.subject = subject
        self.clause = clause
        self.table = dict(table)

    def after(self, state: State, event: Event) -> State:
        """The state that follows, or :class:`Refused` with ``WRONG_STATE``."""
        try:
            return self.table[state, event]
        except KeyError:
            allowed = sorted(s.value for s, e in self.table if e is event)
            raise Refused(
                Reason.WRONG_STATE,
                self.clause,
                f"{self.subject} cannot {event.value} now",
                expected=" or ".join(allowed) or "no state",
                got=str(state.value),
            ) from None

    def allows(self, state: State, event: Event) -> bool:
        """Whether ``event`` may happen in ``state``."""
        return (state, event) in self.table
