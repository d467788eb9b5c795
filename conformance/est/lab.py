"""What an EST case gets: a client whose every message is recorded, certificates of its own, and the paired control of a negative case."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import secrets
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from conformance.case import Case, register
from conformance.est import csr, replies
from conformance.est.client import Client
from conformance.est.connections import Connections, Enrolled
from conformance.est.draft import Draft, Mutation
from conformance.examination import Examination, Inconclusive, NotApplicable, Unsupported
from conformance.target import EstAccess, EstTarget
from conformance.transport import HttpResponse, Unreachable
from conformance.verdict import Level

ALWAYS_200 = "est.error.status-200"
"""The fault that every case notices which sends what must be refused."""
_ABSENT = frozenset({404, 405, 501})
_TYPES = {
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "L": NameOID.LOCALITY_NAME,
}
_ANYTHING = range(400, 600)


class Shared:
    """What the cases of one run share: connections, and one certificate that no case changes.

    ``trust`` is a PEM file of the trust anchors, None for the system's; ``over_sockets`` is False where messages never leave the process.
    """

    def __init__(self, target: EstTarget, connections: Connections, trust: Path | None, *, over_sockets: bool) -> None:
        self.target = target
        self.connections = connections
        self.trust = trust
        self.over_sockets = over_sockets
        self.enrolled: Enrolled | None = None
        self._names = itertools.count(1)
        self._mark = secrets.token_hex(3)

    def name(self) -> str:
        """A DNS name that no case has used before, in this run or another."""
        return f"n{next(self._names)}-{self._mark}.conformance.test"


class EstLab:
    """The bench of one case. ``client`` is at the endpoint that is examined first; :meth:`at` is for others of the target."""

    def __init__(self, shared: Shared, examination: Examination) -> None:
        self.shared = shared
        self.examination = examination
        self.check = examination.check
        self.require = examination.require
        self.client = self.at(shared.target)

    def at(self, access: EstAccess) -> Client:
        """A client of an endpoint."""
        return Client(self.shared.connections, access, self._observe)

    @property
    def endpoints(self) -> list[Client]:
        """Clients of all endpoints, the examined one first: where a case looks for what only some settings have."""
        return [self.client, *(self.at(other) for other in self.shared.target.others)]

    def _observe(self, response: HttpResponse) -> None:
        self.examination.record(_without_key(response))
        with contextlib.suppress(replies.Unreadable):
            self.examination.issued(*replies.issued(response))

    # -- what is asked for --------------------------------------------------------------------------------------------

    def subject(self, name: str) -> x509.Name:
        """The subject of a device: a common name, and what the target wants to have beside it."""
        more = [x509.NameAttribute(_TYPES[short], value) for short, value in self.shared.target.subject.items()]
        return x509.Name([*more, x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def enrolling(
        self, client: Client | None = None, operation: str = "simpleenroll", *, kind: str = "P-256", **facts: Any
    ) -> Draft:
        """A correct enrollment with a new key of a kind and a new name. :param facts: of the CSR (:func:`conformance.est.csr.request`)."""
        name = self.shared.name()
        return self._asking(client, operation, csr.new_key(kind), self.subject(name), [name], None, facts)

    def renewing(self, old: Enrolled, key: csr.PrivateKey | None = None, client: Client | None = None, **facts: Any) -> Draft:
        """A correct re-enrollment of a certificate, with its own key or another one."""
        subject, names = old.certificate.subject, names_of(old.certificate)
        return self._asking(client, "simplereenroll", key or old.key, subject, names, old, facts)

    def _asking(
        self,
        client: Client | None,
        operation: str,
        key: csr.PrivateKey,
        subject: x509.Name,
        names: Sequence[str],
        presents: Enrolled | None,
        facts: dict[str, Any],
    ) -> Draft:
        def bind(password: str) -> bytes:
            attributes = [*facts.get("attributes", ()), csr.challenge_password(password)]
            return csr.request(key, subject, names, **{**facts, "attributes": attributes})

        request = csr.request(key, subject, names, **facts)
        return dataclasses.replace((client or self.client).post(operation, request, csr.spki(key), presents), bind=bind)

    @property
    def enrolled(self) -> Enrolled:
        """A certificate that cases share, for what does not change it. :raises Inconclusive: if it is not to be had."""
        if self.shared.enrolled is None:
            self.shared.enrolled = self.enroll()
        return self.shared.enrolled

    def enroll(self, kind: str = "P-256", client: Client | None = None) -> Enrolled:
        """A certificate of this case's own. :raises Inconclusive: if it is not to be had."""
        key, name = csr.new_key(kind), self.shared.name()
        draft = self._asking(client, "simpleenroll", key, self.subject(name), [name], None, {})
        with self.examination.during("setup"):
            return Enrolled(key, self.granted((client or self.client).send(draft), draft.key))

    # -- what came back -----------------------------------------------------------------------------------------------

    def granted(self, response: HttpResponse, key: bytes) -> x509.Certificate:
        """The certificate of this key (SubjectPublicKeyInfo) in a reply. :raises Inconclusive: if there is none."""
        if why := denied(response, key):
            raise Inconclusive(f"a correct request was refused: {why}")
        return next(one for one in replies.certificates(response) if spki_of(one) == key)

    def offered(self, response: HttpResponse, feature: str) -> HttpResponse:
        """A reply of an operation that a server may leave out. :raises Unsupported: if it does."""
        if response.status in _ABSENT:
            raise Unsupported(f"the server has no {feature}: {said(response)}")
        return response

    def needs_sockets(self) -> None:
        """:raises NotApplicable: where messages never leave the process."""
        if not self.shared.over_sockets:
            raise NotApplicable("in process there is no TLS")

    def refused(
        self,
        response: HttpResponse,
        *,
        status: Collection[int] = _ANYTHING,
        requirement: str | None = None,
        level: Level | None = None,
    ) -> bool:
        """Check that a reply refuses. EST has no reasons but the status: a 4xx for what the client did wrong, and no certificate."""
        statuses = "4xx" if status is _ANYTHING else " or ".join(map(str, sorted(status)))
        expected = f"expected {statuses}, got {said(response)}"
        if not self.check(response.status in _ANYTHING or response.status == 0, expected, requirement, level):
            return False
        self.check(not _certificates(response), f"a certificate comes with {response.status}", requirement, level)
        if response.status and response.status not in status:
            return self.check(False, expected, requirement, level)
        if response.status >= 500:
            self.check(False, f"{expected}: what the client did wrong is no error of the server", requirement, Level.SHOULD)
        return True

    def paired(
        self,
        control: Callable[[], Draft],
        mutation: Mutation,
        *,
        status: Collection[int] = _ANYTHING,
        requirement: str | None = None,
        level: Level | None = None,
        client: Client | None = None,
        grants: Callable[[HttpResponse, Draft], str] | None = None,
    ) -> HttpResponse:
        """Send control, spoilt control, control (:meth:`conformance.examination.Examination.paired`).

        :param grants: why a reply to the control does not grant it; by default, a certificate for its key does.
        """
        asks, drafts = client or self.client, list[Draft]()

        def drafted() -> Draft:
            with self.examination.during("setup"):
                drafts.append(control())
            return drafts[-1]

        def spoilt() -> HttpResponse:
            draft = drafted()
            try:
                return asks.send(draft, mutation)
            except Unreachable as failure:
                # A server may refuse in TLS, or hang up.
                return self._hung_up(mutation.of(draft), failure)

        return self.examination.paired(
            lambda: asks.send(drafted()),
            spoilt,
            denied=lambda reply: grants(reply, drafts[-1]) if grants else denied(reply, drafts[-1].key),
            judge=lambda reply: self.refused(reply, status=status, requirement=requirement, level=level),
            requirement=requirement,
        )

    def _hung_up(self, draft: Draft, failure: Unreachable) -> HttpResponse:
        reply = HttpResponse(0, (), str(failure).encode(), draft.request())
        self.examination.record(reply, "no HTTP reply")
        return reply


def denied(response: HttpResponse, key: bytes) -> str:
    """Why a reply does not grant a certificate for this key; empty if it does."""
    if response.status != 200:
        return said(response)
    try:
        found = replies.certificates(response)
    except replies.Unreadable as unreadable:
        return f"200, and {unreadable}"
    return "" if any(spki_of(one) == key for one in found) else "200, and no certificate has the key of the request"


def spki_of(certificate: x509.Certificate) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def names_of(certificate: x509.Certificate) -> list[str]:
    """The DNS names of the subjectAltName."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)


def said(response: HttpResponse) -> str:
    """A reply in one line."""
    if not response.status:
        return f"no HTTP reply ({response.body.decode('utf-8', 'replace')[:200]})"
    response = _without_key(response)
    return f"{response.status} {response.media_type or 'no type'} {response.body[:200].decode('utf-8', 'replace')}".strip()


def _certificates(response: HttpResponse) -> bool:
    """Whether there are certificates in a reply that hand something out: a signed CMC response has those of its signer."""
    try:
        return bool(replies.certificates(response))
    except replies.Unreadable:
        return False


def _without_key(response: HttpResponse) -> HttpResponse:
    """A reply as it is recorded: a generated private key is a secret, of whoever asked for it."""
    if response.media_type not in ("multipart/mixed", "application/pkcs8") and b"PRIVATE KEY" not in response.body:
        return response
    return dataclasses.replace(response, body=b"(a private key with its certificate, left out)")


def negative(
    id: str,
    title: str,
    *,
    covers: Sequence[str],
    mutation: Mutation | Callable[[EstLab], Mutation],
    control: Callable[[EstLab], Draft] = EstLab.enrolling,
    status: Collection[int] = _ANYTHING,
    level: Level | None = None,
    grants: Callable[[HttpResponse, Draft], str] | None = None,
    kills: Sequence[str] = (),
    needs: Sequence[str] = (),
    feature: str = "",
) -> Case:
    """Declare a negative case: ``control`` drafts a correct request each time, ``mutation`` spoils it in one way."""

    def body(lab: EstLab) -> None:
        change = mutation if isinstance(mutation, Mutation) else mutation(lab)
        if feature:
            lab.offered(lab.client.send(control(lab)), feature)
        lab.paired(lambda: control(lab), change, status=status, level=level, grants=grants)

    name = mutation.name if isinstance(mutation, Mutation) else "made for the request"
    kills = (*kills, ALWAYS_200)
    return register(Case(id, title, tuple(covers), body, tuple(kills), tuple(needs), feature, negative=True, mutation=name))
