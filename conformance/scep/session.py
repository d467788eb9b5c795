"""One run against a SCEP server: the connection, and a bench for each case."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.case import Case
from conformance.examination import Examination, Result, examine
from conformance.scep.client import Problem
from conformance.scep.lab import ScepLab, Shared
from conformance.scep.structures import Malformed
from conformance.target import Target, TargetError
from conformance.transport import SocketTransport, Transport


class ScepSession:
    """Examines cases, one after the other.

    :param transport: carries the messages instead of sockets, for a server in the same process.
    """

    def __init__(self, target: Target, *, transport: Transport | None = None) -> None:
        if target.scep is None:
            raise TargetError("the target has no SCEP endpoint")
        self._target = target
        self._scep = target.scep
        self._given = transport
        self._stack = ExitStack()
        self._shared: Shared | None = None

    def __enter__(self) -> Self:
        anchor = Path(self._target.trust_anchor) if self._target.trust_anchor and self._scep.url.startswith("https:") else None
        self._shared = Shared(self._scep, self._given or self._stack.enter_context(SocketTransport(anchor)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        assert self._shared is not None
        examination = Examination(case)
        lab = ScepLab(self._shared, examination)
        return examine(examination, lab, self._target.claimed, (Problem, Malformed))
