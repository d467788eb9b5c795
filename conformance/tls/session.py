"""One run against the TLS listeners of a target: each case is run at each of them."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

from conformance.case import Case
from conformance.examination import Examination, Result, examine
from conformance.target import Target, TargetError
from conformance.tls.lab import TlsLab
from conformance.tls.scan import ScanFailed, Scanner
from conformance.tls.wire import listeners
from conformance.transport import Transport


class TlsSession:
    """Examines listeners, one after the other.

    :param transport: stands for every listener, which then speaks no TLS: stubs have one.
    """

    def __init__(self, target: Target, *, transport: Transport | None = None) -> None:
        self._target = target
        self._listeners = listeners(target.endpoints, transport)
        if not self._listeners:
            raise TargetError("the target has no HTTPS endpoint")
        self._scanner = Scanner(reachable=transport is None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is kept open between two cases."""

    def examine(self, case: Case) -> Result:
        """Run one case to its end, at every listener."""

        def everywhere(examination: Examination) -> None:
            for listener in self._listeners:
                case.body(TlsLab(listener, examination, self._scanner))

        examination = Examination(replace(case, body=everywhere))
        return replace(examine(examination, examination, self._target.claimed, (ScanFailed,)), case=case)
