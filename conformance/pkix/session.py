"""One look at everything that a run saw the server issue. It comes last: without other cases there is nothing to look at."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from conformance import tools
from conformance.case import Case
from conformance.examination import Examination, Issued, Result, examine
from conformance.pkix.lab import Library, PkixLab
from conformance.target import Target
from conformance.transport import SocketTransport, Transport

TIMEOUT = 10.0
"""Seconds for what a certificate points to: it may point to where nothing is."""


class PkixSession:
    """Examines what was issued.

    :param issued: what the benches of the run have handed over; it may grow meanwhile.
    """

    def __init__(self, target: Target, *, transport: Transport | None = None, issued: list[Issued] | None = None) -> None:
        self._target = target
        self._given = transport
        self._issued = issued if issued is not None else []
        self._stack = ExitStack()
        self._library: Library | None = None
        self._pkilint = tools.find("pkilint") if transport is None else None

    def __enter__(self) -> Self:
        transport = self._given or self._stack.enter_context(SocketTransport(timeout=TIMEOUT))
        self._library = Library(self._issued, transport)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        assert self._library is not None
        examination = Examination(case)
        return examine(examination, PkixLab(self._library, examination, self._pkilint), self._target.claimed)
