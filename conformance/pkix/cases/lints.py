"""A case for each lint: it is asked about every certificate, CRL or OCSP response that the run has seen."""

from __future__ import annotations

import base64
from functools import partial

from conformance.case import Case, register
from conformance.examination import Exchange, Issued, Kind, NotApplicable
from conformance.pkix import lints
from conformance.pkix.lab import PkixLab
from conformance.pkix.lint import LINTS, Found, Lint
from conformance.pkix.seen import Seen

MOST_TOLD = 5
"""Things that one case tells of by name: a CA that does a thing wrong does it each time."""


def _judged(one: Lint, issued: Issued, seen: Seen) -> Found:
    if one.raw:
        return one.judge(issued.octets, seen)
    return one.judge(seen.read[issued], seen) if issued in seen.read else None


def _body(one: Lint, lab: PkixLab) -> None:
    seen = lab.library.seen
    looked_at = seen.of(one.kind)
    if not looked_at:
        raise NotApplicable(f"the cases of this run saw no {one.kind.value}")
    concerned = [(issued, found) for issued in looked_at if (found := _judged(one, issued, seen)) is not None]
    if not concerned:
        raise NotApplicable(f"none of the {len(looked_at)} {_plural(one.kind)} that the run saw is concerned")
    wrong = [(issued, found) for issued, found in concerned if found]
    for issued, found in wrong[:MOST_TOLD]:
        _show(lab, seen, issued)
        for detail in found:
            lab.check(False, f"{seen.read.get(issued, _digest(issued))}: {detail}")
    if len(wrong) > MOST_TOLD:
        lab.check(False, f"and {len(wrong) - MOST_TOLD} more of {len(concerned)}")
    if not wrong:
        lab.check(True, f"{len(concerned)} hold")


def _show(lab: PkixLab, seen: Seen, issued: Issued) -> None:
    """Keep the message that it came in, and the thing itself: it may have come enciphered."""
    if issued.exchange is not None:
        note = f"{issued.kind.value}: {base64.b64encode(issued.octets).decode('ascii')}"
        lab.examination.exchanges.append(Exchange("seen", issued.exchange.response, note))


def _digest(issued: Issued) -> str:
    return f"{issued.kind.value} of {len(issued.octets)} octets"


def _plural(kind: Kind) -> str:
    return f"{kind.value}s"


lints.load()
for _lint in LINTS.values():
    register(
        Case(
            _lint.id,
            _lint.title,
            _lint.covers,
            partial(_body, _lint),
            _lint.kills,
            looks_back=True,
        )
    )
