"""What an ACME case gets: a client whose every message is recorded, accounts, enrollments, and the paired control of a negative case."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from conformance.acme import enrollment
from conformance.acme.client import Account, Client, Identifier, Problem, dns
from conformance.acme.deviations import deviations
from conformance.acme.draft import Draft, Mutation
from conformance.acme.keys import Key, MacKey
from conformance.acme.responders import Responder
from conformance.case import Case, register
from conformance.examination import Examination, Inconclusive, NotApplicable, Unsupported
from conformance.target import AcmeTarget
from conformance.transport import HttpResponse, Transport, pem_certificates

ALWAYS_INTERNAL = "acme.problem.always-internal"
"""The fault that every case notices which asks why a request was refused."""


class Shared:
    """What the cases of one run share: the transport, responders by challenge type, one account, one certificate.

    Only what no case changes is in here; a case that deactivates or revokes makes its own.
    """

    def __init__(self, target: AcmeTarget, transport: Transport, responders: dict[str, Responder]) -> None:
        self.target = target
        self.transport = transport
        self.responders = responders
        self.account: Account | None = None
        self.enrolled: enrollment.Enrolled | None = None
        self.bindings = list(target.bindings)
        self._names = itertools.count(1)
        self._mark = secrets.token_hex(3)

    def name(self) -> str:
        """A DNS name that no case has used before, in this run or another."""
        return f"n{next(self._names)}-{self._mark}.conformance.test"


class AcmeLab:
    """The bench of one case."""

    def __init__(self, shared: Shared, examination: Examination) -> None:
        self.shared = shared
        self.examination = examination
        self.client = self.client_of(shared.target.directory)
        self.check = examination.check
        self.require = examination.require

    def client_of(self, directory: str) -> Client:
        """A client of another directory of the same server."""
        contact = (self.shared.target.contact,) if self.shared.target.contact else ()
        return Client(self.shared.transport, directory, self._observe, contact)

    def _observe(self, draft: Draft | None, response: HttpResponse) -> None:
        self.examination.record(response, again=None if draft is None else lambda: self.client.again(draft))
        if response.status == 200 and response.media_type == "application/pem-certificate-chain":
            self.examination.issued(*pem_certificates(response.body))

    # -- what is there ------------------------------------------------------------------------------------------------

    @property
    def directory(self) -> dict[str, Any]:
        """The directory. :raises Inconclusive: if there is none."""
        found: dict[str, Any] = self.sure(lambda: self.client.directory)
        return found

    def needs_resource(self, name: str) -> str:
        """The URL of a resource that a server may leave out. :raises Unsupported: if it does."""
        url = self.directory.get(name)
        if not url:
            raise Unsupported(f"the directory has no {name}")
        return str(url)

    def sure(self, step: Callable[[], Any]) -> Any:
        """Do something that has to work before anything can be examined. :raises Inconclusive: if it does not."""
        try:
            return step()
        except (Problem, enrollment.Failed, KeyError, ValueError, TypeError) as failure:
            raise Inconclusive(f"{type(failure).__name__}: {failure}"[:400]) from None

    @property
    def account(self) -> Account:
        """The account that cases share; for what does not change it."""
        if self.shared.account is None:
            self.shared.account = self.new_account()
        return self.shared.account

    def new_account(self, key: Key | None = None) -> Account:
        """An account of this case's own."""
        account: Account = self.sure(lambda: self.client.register(key, binding=self.binding()))
        return account

    def binding(self) -> MacKey | None:
        """An external account binding: one that has not been used in this run, as long as there is one; None if the target has none."""
        target = self.shared.target
        if self.shared.bindings:
            return MacKey(*self.shared.bindings.pop())
        return MacKey(target.kid, target.hmac_key) if target.kid else None

    @property
    def responder(self) -> Responder:
        """Proves names, by whichever challenge the run can meet."""
        for responder in self.shared.responders.values():
            return responder
        raise NotApplicable("the run can meet no challenge")

    @property
    def enrolled(self) -> enrollment.Enrolled:
        """A certificate that cases share; for what does not change it."""
        if self.shared.enrolled is None:
            self.shared.enrolled = self.enroll(account=self.account)
        return self.shared.enrolled

    def enroll(
        self, identifiers: Sequence[Identifier] | None = None, *, account: Account | None = None, key: Key | None = None
    ) -> enrollment.Enrolled:
        """A certificate of this case's own. :raises Inconclusive: if it is not to be had."""
        wanted = identifiers or dns(self.shared.name())
        enrolled: enrollment.Enrolled = self.sure(
            lambda: enrollment.enroll(self.client, wanted, self.responder, account=account or self.account, key=key)
        )
        return enrolled

    def finished(self, url: str, order: dict[str, Any], identifiers: Sequence[Identifier]) -> enrollment.Enrolled:
        """The certificate of an order of the shared account that was just made. :raises Inconclusive: if it is not to be had."""
        finish = partial(enrollment.finish, self.client, self.account, url, order, identifiers, self.responder, Key.make())
        enrolled: enrollment.Enrolled = self.sure(finish)
        return enrolled

    def order(self, *names: str, account: Account | None = None) -> tuple[str, dict[str, Any]]:
        """A new order for these names (none: a fresh one): its URL and object."""
        wanted = dns(*(names or (self.shared.name(),)))
        made: tuple[str, dict[str, Any]] = self.sure(lambda: self.client.order(account or self.account, wanted))
        return made

    def read(self, url: str, account: Account | None = None) -> dict[str, Any]:
        """A JSON resource. :raises Inconclusive: if it is not to be had."""
        found: dict[str, Any] = self.sure(lambda: self.client.read(account or self.account, url))
        return found

    # -- what is owed -------------------------------------------------------------------------------------------------

    def refused(
        self, response: HttpResponse, *, status: int | Collection[int], errors: Collection[str], requirement: str | None = None
    ) -> bool:
        """Check that a reply refuses, with this status and one of these error types, as RFC 8555 section 6.7 says it."""
        statuses = (status,) if isinstance(status, int) else status
        wanted = f"{' or '.join(map(str, statuses))} {' or '.join(sorted(errors))}"
        if not self.check(response.status >= 400, f"expected {wanted}, got {said(response)}", requirement):
            return False
        return self.check(
            response.status in statuses and response.error in errors, f"expected {wanted}, got {said(response)}", requirement
        )

    def paired(
        self,
        control: Callable[[], Draft],
        mutation: Mutation,
        *,
        status: int | Collection[int] = 400,
        errors: Collection[str] = ("malformed",),
        requirement: str | None = None,
    ) -> HttpResponse:
        """Send control, spoilt control, control (:meth:`conformance.examination.Examination.paired`)."""

        def sent(*changes: Mutation) -> HttpResponse:
            with self.examination.during("setup"):
                draft = self.sure(control)
            return self.client.send(draft, *changes)

        return self.examination.paired(
            sent,
            lambda: sent(mutation),
            denied=lambda reply: said(reply) if reply.status >= 400 else "",
            judge=lambda reply: self.refused(reply, status=status, errors=errors, requirement=requirement),
            requirement=requirement,
        )

    def owed(self, response: HttpResponse) -> list[str]:
        """What every ACME reply owes to its client and this one does not give."""
        found = deviations(
            response, directory_url=self.client.directory_url, new_nonce_url=str(self.directory.get("newNonce", ""))
        )
        return [str(one) for one in found]


def said(response: HttpResponse) -> str:
    """A reply in one line."""
    text = " ".join(response.body[:400].decode("utf-8", "replace").split())[:200]
    return f"{response.status} {response.error or response.media_type or 'no type'} {text}"


def negative(
    id: str,
    title: str,
    *,
    covers: Sequence[str],
    control: Callable[[AcmeLab], Draft],
    mutation: Mutation | Callable[[AcmeLab], Mutation],
    status: int | Collection[int] = 400,
    errors: Collection[str] = ("malformed",),
    kills: Sequence[str] = (),
    needs: Sequence[str] = (),
    feature: str = "",
) -> Case:
    """Declare a negative case: ``control`` drafts a correct request each time, ``mutation`` spoils it in one way."""

    def body(lab: AcmeLab) -> None:
        change = mutation if isinstance(mutation, Mutation) else mutation(lab)
        lab.paired(lambda: control(lab), change, status=status, errors=errors)

    name = mutation.name if isinstance(mutation, Mutation) else "made for the request"
    kills = (*kills, ALWAYS_INTERNAL)
    return register(Case(id, title, tuple(covers), body, tuple(kills), tuple(needs), feature, negative=True, mutation=name))
