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
from conformance.est import cases as est_cases
from conformance.est import stubs as est_stubs
from conformance.est.session import EstSession
from conformance.examination import Issued, Result
from conformance.pkix import cases as pkix_cases
from conformance.pkix import stubs as pkix_stubs
from conformance.pkix.session import PkixSession
from conformance.scep import cases as scep_cases
from conformance.scep import stubs as scep_stubs
from conformance.scep.session import ScepSession
from conformance.status import cases as status_cases
from conformance.status import stubs as status_stubs
from conformance.status.session import StatusSession
from conformance.stubs import Stub
from conformance.target import Target
from conformance.tls import cases as tls_cases
from conformance.tls import stubs as tls_stubs
from conformance.tls.session import TlsSession
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
    source: str = ""
    """A case that is given a certificate and hands it over: what there is to look at on a profile with a fault."""
    concerns: Callable[[Target], bool] | None = None
    """Whether a target has something to be examined; None: if it has an endpoint of that name."""
    looks_back: bool = False
    """Its session is given the list of all that other sessions hand over."""


PROTOCOLS = {
    one.name: one
    for one in (
        Protocol(
            "acme",
            acme_cases.load,
            AcmeSession,
            acme_stubs.STUBS,
            acme_stubs.TARGET,
            source="acme.finalize.as-requested",
        ),
        Protocol("cmp", cmp_cases.load, CmpSession, cmp_stubs.STUBS, cmp_stubs.TARGET, source="cmp.enroll.ir-by-mac"),
        Protocol("est", est_cases.load, EstSession, est_stubs.STUBS, est_stubs.TARGET, source="est.enroll.as-asked"),
        Protocol(
            "pkix",
            pkix_cases.load,
            pkix_stubs.session,
            pkix_stubs.STUBS,
            pkix_stubs.TARGET,
            concerns=lambda target: bool(target.endpoints),
            looks_back=True,
        ),
        Protocol("scep", scep_cases.load, ScepSession, scep_stubs.STUBS, scep_stubs.TARGET, source="scep.caps.standard"),
        Protocol("status", status_cases.load, StatusSession, status_stubs.STUBS, status_stubs.TARGET),
        Protocol(
            "tls",
            tls_cases.load,
            TlsSession,
            tls_stubs.STUBS,
            tls_stubs.TARGET,
            concerns=lambda target: any(url.startswith("https://") for url in target.endpoints.values()),
        ),
    )
}


def load() -> dict[str, Case]:
    """Every case there is, by ID."""
    for protocol in PROTOCOLS.values():
        protocol.load()
    return REGISTRY


def concerned(target: Target) -> list[str]:
    """The protocols that there is something to examine of."""
    return [
        name
        for name, protocol in PROTOCOLS.items()
        if (name in target.endpoints if protocol.concerns is None else protocol.concerns(target))
    ]


class Sessions:
    """A run against all endpoints of a target; the session of a protocol lasts from its first case to the first of another one."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._begun: dict[str, Session] = {}
        self._issued: list[Issued] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def begin(self, protocol: str) -> Session:
        """The session of a protocol. :raises TargetError: if what it takes is not to be had, a port that is in use."""
        if protocol not in self._begun:
            # One at a time: the next one may want a port of the last.
            self._stack.close()
            self._begun.clear()
            known = PROTOCOLS[protocol]
            session = PkixSession(self._target, issued=self._issued) if known.looks_back else known.session(self._target)
            self._begun[protocol] = self._stack.enter_context(session)
        return self._begun[protocol]

    def examine(self, case: Case) -> Result:
        """Run one case to its end."""
        result = self.begin(case.protocol).examine(case)
        self._issued += result.issued
        return result
