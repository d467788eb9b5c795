"""RFC 7030 section 3.5: identity and proof of possession linked by ``tls-unique``."""

from __future__ import annotations

from base64 import b64encode

from conformance.case import Case, case, register
from conformance.est import csr
from conformance.est.cases.rfc7030_4_2_3_replies import text_of
from conformance.est.client import Client
from conformance.est.connections import Enrolled
from conformance.est.draft import Draft
from conformance.est.lab import ALWAYS_200, EstLab, denied, names_of, said
from conformance.examination import Inconclusive, NotApplicable, Unsupported
from conformance.transport import HttpResponse

_VERIFIED = ("rfc7030:3.5#verified", "rfc7030:4.2#tls-unique", "rfc7030:3.3#implements-linking")
_WORDS = ("link", "pop", "possession", "tls-unique", "tls_unique", "channel binding", "challengepassword", "challenge password")


def _bound(
    lab: EstLab, client: Client, *, presents: Enrolled | None = None, wrong: str = "", linked: bool = True
) -> tuple[HttpResponse, Draft]:
    """An enrollment (a renewal of ``presents``) over a connection of its own.

    :param wrong: ``changed``: one octet of the channel binding is another; ``foreign``: it is that of another connection.
    :param linked: whether there is a challengePassword at all.
    """
    key, name = csr.new_key(), lab.shared.name()
    subject, names = lab.subject(name), [name]
    if presents is not None:
        subject, names = presents.certificate.subject, names_of(presents.certificate)
    operation = "simpleenroll" if presents is None else "simplereenroll"
    with lab.examination.during("setup"):
        password = client.password("POST", operation) if presents is None else ()
    with client.connections.bound(client.access.url, presents) as connection:
        binding = connection.tls_unique
        if wrong == "changed":
            binding = bytes([binding[0] ^ 1]) + binding[1:]
        elif wrong == "foreign":
            with client.connections.bound(client.access.url, presents) as other:
                binding = other.tls_unique
        attributes = [csr.challenge_password(b64encode(binding).decode())] if linked else []
        request = csr.request(key, subject, names, attributes=attributes)
        # The password was asked for before the connection was made, which is for one request.
        draft = client.post(operation, request, csr.spki(key), presents, password=password)
        return client.send(draft, over=connection), draft


@case("est.linking.accepted", covers=[_VERIFIED[2]], kills=["est.linking.refused"])
def accepted(lab: EstLab) -> None:
    """A CSR with the tls-unique of its connection is accepted."""
    plain = lab.enrolling()
    with lab.examination.during("control before"):
        first = lab.client.send(plain)
    reply, draft = _bound(lab, lab.client)
    why = denied(reply, draft.key)
    if why and denied(first, plain.key):
        raise Inconclusive(f"a correct request was refused: {why}")
    lab.check(not why, f"with the tls-unique of the connection: {why}")


def _declared(id: str, title: str, wrong: str, mutation: str, *, renews: bool = False, kills: tuple[str, ...]) -> None:
    """A negative case whose every request has a connection of its own."""

    def body(lab: EstLab) -> None:
        drafts: list[Draft] = []
        with lab.examination.during("setup"):
            old = lab.enrolled if renews else None

        def send(spoilt: str = "") -> HttpResponse:
            reply, draft = _bound(lab, lab.client, presents=old, wrong=spoilt)
            drafts.append(draft)
            return reply

        lab.examination.paired(
            send, lambda: send(wrong), denied=lambda reply: denied(reply, drafts[-1].key), judge=lambda reply: lab.refused(reply)
        )

    register(Case(id, title, _VERIFIED, body, (*kills, ALWAYS_200), negative=True, mutation=mutation))


_declared(
    "est.linking.changed-binding",
    "A CSR with a tls-unique that is not that of its connection is refused",
    "changed",
    "challengePassword: one octet of the channel binding changed",
    kills=("est.linking.unverified",),
)
_declared(
    "est.linking.binding-of-another",
    "A CSR with the tls-unique of another connection of the same client is refused",
    "foreign",
    "challengePassword: the channel binding of another connection",
    kills=("est.linking.unverified",),
)
_declared(
    "est.linking.changed-binding-renewal",
    "A re-enrollment with a tls-unique that is not that of its connection is refused",
    "changed",
    "challengePassword: one octet of the channel binding changed",
    renews=True,
    kills=("est.linking.unverified-in-renewal",),
)


@case("est.linking.informative", covers=["rfc7030:3.5#informative"], kills=["est.linking.unexplained"])
def informative(lab: EstLab) -> None:
    """A refusal for want of linking says so in words."""
    with lab.examination.during("control before"):
        reply, draft = _bound(lab, lab.client)
        if why := denied(reply, draft.key):
            raise Inconclusive(f"the control was refused: {why}")
    with lab.examination.during("spoilt"):
        reply, _ = _bound(lab, lab.client, wrong="changed")
    if reply.status < 400:
        raise Inconclusive(f"a wrong tls-unique is accepted: {said(reply)}")
    text = text_of(reply).lower()
    if not text:
        raise NotApplicable(f"the refusal has no text: {said(reply)}")
    lab.check(any(word in text for word in _WORDS), f"the text says nothing of linking: {text[:200]}")


def demanding(lab: EstLab) -> Client:
    """The client of an endpoint where a CSR without a channel binding is refused, and one with it granted. :raises Unsupported:"""
    for client in lab.endpoints:
        with lab.examination.during("control before"):
            reply, draft = _bound(lab, client)
        if denied(reply, draft.key):
            continue
        with lab.examination.during("spoilt"):
            reply, draft = _bound(lab, client, linked=False)
        if denied(reply, draft.key):
            return client
    raise Unsupported("no endpoint of the target demands a channel binding")


@case(
    "est.linking.demanded",
    covers=["rfc7030:3.5#may-be-required"],
    kills=["est.linking.demand-without-words"],
    feature="linking-required",
)
def demanded(lab: EstLab) -> None:
    """Where identity and proof of possession must be linked, a CSR without a channel binding is refused by 4xx with a text."""
    client = demanding(lab)
    with lab.examination.during("spoilt"):
        reply, _ = _bound(lab, client, linked=False)
    lab.check(400 <= reply.status < 500, f"expected 4xx, got {said(reply)}")
    lab.check(any(word in text_of(reply).lower() for word in _WORDS), f"the text says nothing of linking: {said(reply)}")
