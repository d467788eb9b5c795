"""The gauntlet: a case that passes on a server that does nothing of what it should proves nothing, and fails the gauntlet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.case import Case
from conformance.examination import Result
from conformance.protocols import Protocol
from conformance.stubs import Stub, StubTransport
from conformance.verdict import Verdict


def run(protocol: Protocol, cases: Sequence[Case]) -> Iterator[tuple[Stub, Result]]:
    """Every case of a protocol on each of its stubs."""
    for stub in protocol.stubs:
        with protocol.session(protocol.stub_target, transport=StubTransport(stub)) as session:
            for case in cases:
                yield stub, session.examine(case)


def vacuous(stub: Stub, result: Result) -> bool:
    """Whether a case passed where there is nothing to pass, or fell over what a server may send."""
    if result.verdict is Verdict.ERROR:
        return True
    return result.verdict is Verdict.PASS and not result.case.id.startswith(stub.honest or ("\0",))
