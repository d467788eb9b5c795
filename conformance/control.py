"""The paired control: a refusal proves something only if the same request, unspoilt, is accepted before it and after it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from conformance.acme.client import Client
from conformance.acme.deviations import deviations
from conformance.acme.draft import Draft, Mutation
from conformance.transport import HttpResponse

Verdict = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a paired control showed. ``refused`` is the reply to the spoilt request, if it came to that."""

    verdict: Verdict
    detail: str
    refused: HttpResponse | None = None


def paired(client: Client, control: Callable[[], Draft], mutation: Mutation, status: int, errors: Collection[str]) -> Outcome:
    """Send control, spoilt control, control.

    ``control`` drafts a correct request that may be sent more than once. The spoilt one must be refused with exactly ``status`` and
    one of ``errors`` (ACME error types without their prefix), and with nothing that every ACME reply owes left out.
    Control refused before: inconclusive. Control refused after: fail, since the spoilt request has harmed somebody else's.
    """
    before = client.send(control())
    if before.status >= 400:
        return Outcome("inconclusive", f"the control was refused: {_said(before)}")
    refused = client.send(control(), mutation)
    if refused.status < 400:
        return Outcome("fail", f"{mutation.name} was accepted with {refused.status}: {mutation.clause}", refused)
    if refused.status != status or refused.error not in errors:
        return Outcome("fail", f"{mutation.name}: expected {status} {' or '.join(errors)}, got {_said(refused)}", refused)
    found = deviations(refused, directory_url=client.directory_url, new_nonce_url=client.directory["newNonce"])
    if found:
        return Outcome("fail", f"{mutation.name}: {'; '.join(map(str, found))}", refused)
    after = client.send(control())
    if after.status >= 400:
        return Outcome("fail", f"after {mutation.name} the control was refused: {_said(after)}", refused)
    return Outcome("pass", f"{mutation.name} was refused: {_said(refused)}", refused)


def _said(response: HttpResponse) -> str:
    return f"{response.status} {response.error or response.media_type} {response.body[:300].decode('utf-8', 'replace')}"
