"""What can be examined: for each protocol its cases, how they are examined, and the stubs that none of them may pass on."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from conformance.acme import cases as acme_cases
from conformance.acme import stubs as acme_stubs
from conformance.acme.session import AcmeSession
from conformance.case import REGISTRY, Case
from conformance.cmp import cases as cmp_cases
from conformance.cmp import stubs as cmp_stubs
from conformance.cmp.session import CmpSession
from conformance.examination import Result
from conformance.stubs import Stub
from conformance.target import Target
from conformance.transport import Transport


class Session(typing.Protocol):
    """One run against one endpoint."""

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""


class Opening(typing.Protocol):
    """Begins a session. ``transport`` carries its messages instead of sockets."""

    def __call__(self, target: Target, *, transport: Transport | None = None) -> AbstractContextManager[Any]:
        """A session, to be entered."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol. ``name`` is the first part of its cases' IDs; ``load`` registers them."""

    name: str
    load: Callable[[], None]
    session: Opening
    stubs: Sequence[Stub]
    stub_target: Target


PROTOCOLS = {
    one.name: one
    for one in (
        Protocol("acme", acme_cases.load, AcmeSession, acme_stubs.STUBS, acme_stubs.TARGET),
        Protocol("cmp", cmp_cases.load, CmpSession, cmp_stubs.STUBS, cmp_stubs.TARGET),
    )
}


def load() -> dict[str, Case]:
    """Every case there is, by ID."""
    for protocol in PROTOCOLS.values():
        protocol.load()
    return REGISTRY


class Sessions:
    """A run against all endpoints of a target; the session of a protocol begins with its first case."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._begun: dict[str, Session] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def begin(self, protocol: str) -> Session:
        """The session of a protocol. :raises TargetError: if what it takes is not to be had, a port that is in use."""
        if protocol not in self._begun:
            self._begun[protocol] = self._stack.enter_context(PROTOCOLS[protocol].session(self._target))
        return self._begun[protocol]

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        return self.begin(case.protocol).examine(case)
