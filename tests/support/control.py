"""The paired control of the conformance kit, for tests that want one outcome of it: a refusal proves something only beside what is granted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from conformance.acme.client import Client
from conformance.acme.deviations import deviations
from conformance.acme.draft import Draft, Mutation
from conformance.acme.lab import said
from conformance.case import Case
from conformance.examination import Examination, Inconclusive
from conformance.transport import HttpResponse

_CASE = Case("acme.trap.refused", "A request with one change is refused.", ("rfc8555:6.7#problem-document",), lambda lab: None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a paired control showed. ``refused`` is the reply to the spoilt request, if it came to that."""

    verdict: Literal["pass", "fail", "inconclusive"]
    detail: str
    refused: HttpResponse | None = None


def paired(client: Client, control: Callable[[], Draft], mutation: Mutation, status: int, errors: Collection[str]) -> Outcome:
    """Send control, spoilt control, control (:meth:`conformance.examination.Examination.paired`).

    ``control`` drafts a correct request that may be sent more than once. The spoilt one must be refused with exactly ``status`` and
    one of ``errors`` (ACME error types without their prefix), and with nothing that every ACME reply owes left out.
    """
    examination = Examination(_CASE)

    def judge(reply: HttpResponse) -> None:
        right = reply.status == status and reply.error in errors
        examination.check(right, f"{mutation.name}: expected {status} {' or '.join(sorted(errors))}, got {said(reply)}")
        for one in deviations(reply, directory_url=client.directory_url, new_nonce_url=client.directory["newNonce"]):
            examination.check(False, f"{mutation.name}: {one}")

    try:
        refused = examination.paired(
            lambda: client.send(control()),
            lambda: client.send(control(), mutation),
            denied=lambda reply: said(reply) if reply.status >= 400 else "",
            judge=judge,
        )
    except Inconclusive as end:
        return Outcome("inconclusive", str(end))
    if examination.findings:
        return Outcome("fail", "; ".join(one.detail for one in examination.findings), refused)
    return Outcome("pass", f"{mutation.name} was refused: {said(refused)}", refused)
