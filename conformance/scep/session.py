"""One run against a SCEP server: the connection, and a bench for each case."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.case import Case
from conformance.examination import Examination, Inconclusive, Result, examine
from conformance.scep.client import Problem
from conformance.scep.lab import Decide, ScepLab, Shared
from conformance.scep.structures import Malformed
from conformance.target import Target, TargetError
from conformance.transport import SocketTransport, Transport

_PATIENCE = 60
"""Seconds for a command by which a person decides."""


class ScepSession:
    """Examines cases, one after the other.

    :param transport: carries the messages instead of sockets, for a server in the same process.
    :param decide: what a person does there about the request of a subject, ``approve`` or ``reject``; None: the target's command.
    """

    def __init__(self, target: Target, *, transport: Transport | None = None, decide: Decide | None = None) -> None:
        if target.scep is None:
            raise TargetError("the target has no SCEP endpoint")
        self._target = target
        self._scep = target.scep
        self._given = transport
        self._decide = decide or (self._by_command if target.scep.decide else None)
        self._stack = ExitStack()
        self._shared: Shared | None = None

    def __enter__(self) -> Self:
        anchor = Path(self._target.trust_anchor) if self._target.trust_anchor and self._scep.url.startswith("https:") else None
        self._shared = Shared(self._scep, self._given or self._stack.enter_context(SocketTransport(anchor)), self._decide)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        assert self._shared is not None
        examination = Examination(case)
        lab = ScepLab(self._shared, examination)
        return examine(examination, lab, self._target.claimed, (Problem, Malformed))

    def _by_command(self, decision: str, subject: str) -> None:
        """Run the command of the target. :raises Inconclusive: if it fails."""
        command = [part.replace("{decision}", decision).replace("{subject}", subject) for part in self._scep.decide]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603 - the user's own
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise Inconclusive(f"decide: {failure}") from None
        if done.returncode:
            raise Inconclusive(f"decide: {command[0]} ended with {done.returncode}: {done.stderr.strip()[-200:]}")
