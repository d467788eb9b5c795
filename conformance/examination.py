"""One case at work: what it finds, the exchanges that it made, and how it ended."""

from __future__ import annotations

import enum
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from conformance.case import Case
from conformance.catalogue import catalogue
from conformance.transport import HttpRequest, HttpResponse, Unreachable
from conformance.verdict import BROKEN, Level, Verdict


class _End(Exception):
    """A case ends before its end, with a verdict of its own."""

    verdict: Verdict


class Inconclusive(_End):
    """What the case rests on did not work: nothing can be said."""

    verdict = Verdict.INCONCLUSIVE


class Unsupported(_End):
    """The server says that it does not have the feature. If the target claims it, that is inconsistent."""

    verdict = Verdict.UNSUPPORTED


class NotApplicable(_End):
    """The run or the server's settings make the case meaningless."""

    verdict = Verdict.NOT_APPLICABLE


class Stop(Exception):
    """A finding was recorded after which going on makes no sense."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that did not hold, and the requirement that is broken thereby."""

    requirement: str
    level: Level
    detail: str

    def __str__(self) -> str:
        return f"{self.level.value} {catalogue()[self.requirement].clause}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its reply. ``stage`` is what it was for: setup, control before, spoilt, control after, check.

    ``again`` makes the same request anew where it cannot be sent twice as it is, since something in it is good for once (a nonce).
    """

    stage: str
    response: HttpResponse
    note: str = ""
    again: Callable[[], HttpRequest] | None = None


class Kind(enum.StrEnum):
    """What a CA issues."""

    CERTIFICATE = "certificate"
    CRL = "CRL"
    OCSP_RESPONSE = "OCSP response"


@dataclass(frozen=True, slots=True)
class Issued:
    """Something that the server issued, DER as it came, and the exchange that it was seen in."""

    kind: Kind
    octets: bytes
    exchange: Exchange | None = None


@dataclass(slots=True)
class Examination:
    """What a case does and finds. ``stage`` marks the exchanges that are recorded from now on."""

    case: Case
    stage: str = "setup"
    findings: list[Finding] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    seen: list[Issued] = field(default_factory=list)
    checks: int = 0

    def record(self, response: HttpResponse, note: str = "", again: Callable[[], HttpRequest] | None = None) -> None:
        """Keep an exchange."""
        self.exchanges.append(Exchange(self.stage, response, note, again))

    def issued(self, *octets: bytes, kind: Kind = Kind.CERTIFICATE) -> None:
        """Hand over what the server issued in the last exchange that was recorded: the lints of ``pkix`` look at it at the end of the run.

        As octets, before anything parses them: a parser may refuse just what a lint is for. CA certificates are welcome, too.
        """
        exchange = self.exchanges[-1] if self.exchanges else None
        self.seen += [Issued(kind, one, exchange) for one in octets]

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """Mark what is exchanged meanwhile."""
        before, self.stage = self.stage, stage
        try:
            yield
        finally:
            self.stage = before

    def check(self, holds: object, detail: str, requirement: str | None = None, level: Level | None = None) -> bool:
        """Note whether something holds; ``detail`` says what was expected and what was there instead.

        :param requirement: what is broken if not; the first that the case covers if None.
        """
        self.checks += 1
        broken = requirement or self.case.covers[0]
        if broken not in self.case.covers:
            raise ValueError(f"{self.case.id} checks {broken}, which it does not cover")
        if not holds:
            self.findings.append(Finding(broken, level or catalogue()[broken].level, detail))
        return bool(holds)

    def require(self, holds: object, detail: str, requirement: str | None = None) -> None:
        """The same, where the case cannot go on if it does not hold."""
        if not self.check(holds, detail, requirement):
            raise Stop

    def paired(
        self,
        control: Callable[[], HttpResponse],
        spoilt: Callable[[], HttpResponse],
        *,
        denied: Callable[[HttpResponse], str],
        judge: Callable[[HttpResponse], object],
        requirement: str | None = None,
    ) -> HttpResponse:
        """Control, spoilt control, control: the one way in which a negative case sends anything; the reply to the spoilt one.

        :param control: sends a correct request, a fresh one each time.
        :param spoilt: sends the same with one change.
        :param denied: why a reply does not grant what the control asks for; empty if it does.
        :param judge: checks the reply to the spoilt request.
        :raises Inconclusive: if the control is refused before; if it is refused after, the spoilt one has done harm, which is a finding,
            and so is that the spoilt one is not answered at all.
        """
        with self.during("control before"):
            if why := denied(control()):
                raise Inconclusive(f"the control was refused: {why}")
        with self.during("spoilt"):
            try:
                reply = spoilt()
            except Unreachable as failure:
                self.require(False, f"the spoilt request was not answered{self._harm(control)}: {failure}", requirement)
                raise
        judge(reply)
        with self.during("control after"):
            why = denied(control())
        self.check(not why, f"after the spoilt request the control is refused: {why}", requirement)
        return reply

    def _harm(self, control: Callable[[], HttpResponse]) -> str:
        """What a request that was not answered did to others."""
        with self.during("control after"):
            try:
                control()
            except Unreachable:
                return ", and nothing is any more"
        return ""


@dataclass(frozen=True, slots=True)
class Result:
    """How a case ended."""

    case: Case
    verdict: Verdict
    detail: str
    findings: tuple[Finding, ...]
    exchanges: tuple[Exchange, ...]
    seconds: float
    issued: tuple[Issued, ...] = ()


def examine(examination: Examination, lab: object, claims: frozenset[str], refused: tuple[type[Exception], ...] = ()) -> Result:
    """Run a case to its end. Never raises.

    :param refused: exceptions by which a protocol's client says that a correct request was refused: then nothing can be concluded.
    """
    started = time.perf_counter()
    detail, ended = "", None
    caught: tuple[type[Exception], ...] = (Unreachable, *refused)
    try:
        examination.case.body(lab)
    except Stop:
        pass
    except _End as end:
        ended, detail = end.verdict, str(end)
        if isinstance(end, Unsupported) and examination.case.feature in claims:
            ended, detail = Verdict.INCONSISTENT, f"the target claims {examination.case.feature}: {end}"
    except caught as failure:
        ended, detail = Verdict.INCONCLUSIVE, str(failure)[:400]
    except Exception as failure:  # noqa: BLE001 - whatever an examiner's own fault is, it ends this case alone, and says so
        last = traceback.extract_tb(failure.__traceback__)[-1]
        ended, detail = Verdict.ERROR, f"{type(failure).__name__}: {failure} ({last.name}, line {last.lineno})"
    verdict = ended or _verdict(examination)
    if examination.findings and ended in (None, Verdict.INCONCLUSIVE, Verdict.UNSUPPORTED, Verdict.NOT_APPLICABLE):
        # What was found before the end was found.
        verdict, detail = _verdict(examination), "; ".join(map(str, examination.findings))
    elif verdict is Verdict.PASS and not examination.checks:
        verdict, detail = Verdict.ERROR, "the case checked nothing"
    return Result(
        examination.case,
        verdict,
        detail,
        tuple(examination.findings),
        tuple(examination.exchanges),
        time.perf_counter() - started,
        tuple(examination.seen),
    )


def _verdict(examination: Examination) -> Verdict:
    if not examination.findings:
        return Verdict.PASS
    return BROKEN[min((finding.level for finding in examination.findings), key=lambda level: level.rank)]
