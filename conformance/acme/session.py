"""One run against an ACME server: the connection, the responders that the run can meet challenges with, and a bench for each case."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.acme.client import Problem
from conformance.acme.enrollment import Failed
from conformance.acme.lab import AcmeLab, Shared
from conformance.acme.responders import DnsResponder, HttpResponder, NoResponder, Responder, TlsAlpnResponder
from conformance.case import Case
from conformance.examination import Examination, NotApplicable, Result, examine
from conformance.target import AcmeTarget, Target, TargetError
from conformance.transport import SocketTransport, Transport

BIND = "127.0.0.1"


class AcmeSession:
    """Examines cases, one after the other.

    :param transport: carries the messages instead of sockets, for a server in the same process.
    """

    def __init__(self, target: Target, *, transport: Transport | None = None, bind: str = BIND) -> None:
        if target.acme is None:
            raise TargetError("the target has no ACME endpoint")
        self._target = target
        self._acme: AcmeTarget = target.acme
        self._bind = bind
        self._given = transport
        self._stack = ExitStack()
        self._shared: Shared | None = None

    def __enter__(self) -> Self:
        """:raises TargetError: if a port at which the server looks is taken."""
        anchor = Path(self._target.trust_anchor) if self._target.trust_anchor else None
        transport = self._given or self._stack.enter_context(SocketTransport(anchor))
        self._shared = Shared(self._acme, transport, self._responders())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        examination = Examination(case)
        missing = [need for need in case.needs if need not in self._target.capabilities]
        lab = self.lab(examination)
        return examine(examination, Missing(missing) if missing else lab, self._target.claimed, (Problem, Failed))

    def lab(self, examination: Examination) -> AcmeLab:
        """The bench of one case; also for a case of another protocol that wants a certificate."""
        assert self._shared is not None
        return AcmeLab(self._shared, examination)

    def _responders(self) -> dict[str, Responder]:
        acme = self._acme
        if not acme.validates:
            return {"": NoResponder()}
        found: dict[str, Responder] = {}
        if acme.http01_port:
            found["http-01"] = self._listening(HttpResponder, acme.http01_port)
        if acme.dns_api:
            found["dns-01"] = DnsResponder(acme.dns_api)
        if acme.tlsalpn01_port:
            found["tls-alpn-01"] = self._listening(TlsAlpnResponder, acme.tlsalpn01_port)
        return found

    def _listening(self, kind: type[HttpResponder] | type[TlsAlpnResponder], port: int) -> Responder:
        try:
            responder = kind(self._bind, port)
        except OSError as error:
            raise TargetError(f"{kind.challenge}: the examiner cannot listen at {self._bind}:{port}: {error.strerror}") from None
        self._stack.enter_context(responder)
        return responder


class Missing:
    """The bench of a case that needs what the run was not given: whatever it touches first says so."""

    def __init__(self, missing: list[str]) -> None:
        self._missing = missing

    def __getattr__(self, name: str) -> object:
        raise NotApplicable(f"the run was not given: {', '.join(self._missing)}")
