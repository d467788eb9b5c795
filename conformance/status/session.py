"""One run against a responder and a CRL: the connection, the certificates of known state, and a bench for each case."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from conformance.acme.session import AcmeSession, Missing
from conformance.case import Case
from conformance.examination import Examination, Result, examine
from conformance.status.certificates import ByAcme, Certificates, Issuance
from conformance.status.crl import NotCrl
from conformance.status.lab import Shared, StatusLab
from conformance.status.ocsp import NotOcsp
from conformance.status.signatures import UnknownAlgorithm
from conformance.target import AcmeTarget, StatusTarget, Target, TargetError
from conformance.transport import SocketTransport, Transport


def _now() -> datetime:
    return datetime.now(UTC)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class StatusSession:
    """Examines cases, one after the other.

    :param transport: carries the messages instead of sockets, for a server in the same process.
    :param issuance: has certificates issued and revoked, instead of the target's ACME directory.
    :param now: tells the time; ``wait`` lets that many seconds pass.
    """

    def __init__(
        self,
        target: Target,
        *,
        transport: Transport | None = None,
        issuance: Issuance | None = None,
        now: Callable[[], datetime] = _now,
        wait: Callable[[float], None] = _pause,
    ) -> None:
        if target.status is None:
            raise TargetError("the target has no status endpoint")
        self._target = target
        self._status: StatusTarget = target.status
        self._given = transport
        self._issuance = issuance
        self._now = now
        self._wait = wait
        self._stack = ExitStack()
        self._shared: Shared | None = None

    def __enter__(self) -> Self:
        anchor = Path(self._target.trust_anchor) if self._target.trust_anchor else None
        transport = self._given or self._stack.enter_context(SocketTransport(anchor))
        self._shared = Shared(self._status, transport, self._certificates(transport), self._now, self._wait)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        assert self._shared is not None
        examination = Examination(case)
        missing = [need for need in case.needs if not getattr(self._status, need)]
        lab = StatusLab(self._shared, examination)
        refused = (NotOcsp, NotCrl, UnknownAlgorithm)
        return examine(examination, Missing(missing) if missing else lab, self._target.claimed, refused)

    def _certificates(self, transport: Transport) -> Certificates:
        status = self._status
        issuance = self._issuance
        if issuance is None and status.directory:
            issuance = ByAcme(self._stack.enter_context(AcmeSession(self._by_acme(), transport=transport)))
        return Certificates(issuance, self._now)

    def _by_acme(self) -> Target:
        """The ACME server that issues what a run needs."""
        status, acme = self._status, self._target.acme
        if status.always_valid:
            acme = AcmeTarget(directory=status.directory, validates=False)
        elif acme is not None:
            acme = msgspec.structs.replace(acme, directory=status.directory)
        else:
            raise TargetError("status: directory needs [acme], which says how challenges are met, or always_valid = true")
        return msgspec.structs.replace(self._target, acme=acme)
