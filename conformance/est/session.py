"""One run against an EST server: its connections, and a bench for each case."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.case import Case
from conformance.est.connections import Connections, OneTransport, SocketConnections, read
from conformance.est.lab import EstLab, Shared
from conformance.est.replies import Unreadable
from conformance.examination import Examination, Result, examine
from conformance.target import EstTarget, Target, TargetError
from conformance.transport import Transport


class EstSession:
    """Examines cases, one after the other.

    :param transport: carries the messages instead of sockets. If it can present client certificates as well
        (:class:`~conformance.est.connections.Connections`), it is asked for connections.
    """

    def __init__(self, target: Target, *, transport: Transport | None = None) -> None:
        if target.est is None:
            raise TargetError("the target has no EST endpoint")
        self._target = target
        self._est: EstTarget = target.est
        self._given = transport
        self._stack = ExitStack()
        self._shared: Shared | None = None

    def __enter__(self) -> Self:
        trust = Path(self._target.trust_anchor) if self._target.trust_anchor else None
        for access in (self._est, *self._est.others):
            if access.certificate:
                read(Path(access.certificate), Path(access.key))  # what is wrong with it is said at once
        self._shared = Shared(self._est, self._connections(trust), trust, over_sockets=self._given is None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        assert self._shared is not None
        examination = Examination(case)
        return examine(examination, EstLab(self._shared, examination), self._target.claimed, (Unreadable,))

    def _connections(self, trust: Path | None) -> Connections:
        if self._given is None:
            return self._stack.enter_context(SocketConnections(trust))
        return self._given if isinstance(self._given, Connections) else OneTransport(self._given)
