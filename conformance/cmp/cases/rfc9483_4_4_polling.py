"""RFC 9483 sections 4.4 and 5.1.5: delayed delivery."""

from __future__ import annotations

from conformance.case import case
from conformance.cmp import der, lightweight
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab
from conformance.cmp.message import WAITING, Body, Draft
from conformance.cmp.protection import Signer
from conformance.examination import Inconclusive, NotApplicable

_POLLS = 20


def _send(lab: CmpLab, draft: Draft) -> Answer:
    return lab.send(draft, url=lab.delayed.url)


def _poll(lab: CmpLab, answer: Answer, id: int) -> Answer:
    return _send(lab, lab.next(answer, Body.POLLREQ, content=der.sequence(der.sequence(der.integer(id)))))


def _final(lab: CmpLab, answer: Answer, id: int) -> Answer:
    """What comes in the end. :raises Inconclusive: if nothing does."""
    for _ in range(_POLLS):
        answer = _poll(lab, answer, id)
        reply = answer.reply
        if reply is None or reply.body is not Body.POLLREP:
            return answer
        after = max((seconds for _, seconds in reply.polls), default=0)
        if after > lab.shared.patience.total_seconds():
            raise Inconclusive(f"the server wants to be asked again after {after} seconds, longer than this run waits")
        lab.shared.wait(max(after, 1))
    raise Inconclusive(f"the answer had not come when it was asked for {_POLLS} times")


def _device(lab: CmpLab) -> Signer:
    """Who has waited for a certificate of the endpoint that delays its answers."""
    draft = lab.ir(protection=lab.secret_of(lab.delayed))
    answer = _final(lab, _send(lab, draft), 0)
    (response,) = lab.issued(answer) or (None,)
    if response is None or response.certificate is None:
        raise Inconclusive(f"no certificate in clear: {answer}")
    lab.ask(lab.confirmation(answer), url=lab.delayed.url)
    return Signer(response.certificate, draft.requests[0].key)


_WAITING = ("rfc9483:4.4#waiting", "rfc9483:4.4#status-waiting", "rfc9483:5.1.5#waiting")


def _check_waiting(lab: CmpLab, answer: Answer, body: Body, ids: tuple[str, ...]) -> None:
    reply = answer.reply
    waits = reply is not None and reply.body is body and len(reply.statuses) == 1 and reply.statuses[0].status == WAITING
    for id in ids:
        lab.require(waits, f"expected a {body.name.lower()} with the status waiting, got {answer}", id)
    assert reply is not None
    lab.check(not reply.statuses[0].given, f"waiting with failInfo: {reply}", "rfc9483:4.4#status-waiting")
    lab.check(not (why := lab.unverified(answer)), f"the protection of the {body.name.lower()}: {why}", "rfc9483:4.4#protected")


@case(
    "cmp.lightweight.delayed-certificate",
    covers=[
        *_WAITING,
        "rfc9483:4.4#final",
        "rfc9483:4.4#final-header",
        "rfc9483:4.4#final-protection",
        "rfc9483:4.4#final-extra-certs",
        "rfc9483:4.4#protected",
        "rfc9483:3.1#recip-nonce-delayed",
        "rfc9483:5.1.5#nonce-replaced",
    ],
    feature="polling",
)
def delayed_certificate(lab: CmpLab) -> None:
    """An ir that has to wait gets an ip with the status waiting, and with pollReq the final ip, as it would have come at once."""
    draft = lab.ir(protection=lab.secret_of(lab.delayed))
    answer = _send(lab, draft)
    _check_waiting(lab, answer, Body.IP, _WAITING)
    assert answer.reply is not None
    (waiting,) = answer.reply.responses
    lab.check(not waiting.pair, f"waiting with a certifiedKeyPair: {answer}", "rfc9483:4.4#status-waiting")
    final = _final(lab, answer, 0)
    reply = final.reply
    lab.require(
        reply is not None and reply.body is Body.IP and not reply.refused, f"expected an ip, got {final}", "rfc9483:4.4#final"
    )
    assert reply is not None
    for id in ("rfc9483:4.4#final", "rfc9483:4.4#final-header"):
        lab.check(not (why := lab.denied(Answer(draft, final.response, reply))), f"the final ip grants nothing: {why}", id)
    same = reply.transaction_id == draft.transaction_id
    lab.check(same, "the transactionID of the final ip is another", "rfc9483:4.4#final-header")
    lab.check(not (why := lab.unverified(final)), f"the protection of the final ip: {why}", "rfc9483:4.4#final-protection")
    issuers = [one.subject for one in lightweight.read(reply.extra_certs)] + [one.subject for one in lab.shared.anchors]
    certificate = reply.responses[0].certificate
    chained = certificate is not None and certificate.issuer in issuers
    lab.check(chained, "the issuer is not in extraCerts of the final ip", "rfc9483:4.4#final-extra-certs")
    # The first is what section 3.1 asks for, the second what section 5.1.5 allows in its place.
    nonces = (draft.sender_nonce, final.draft.sender_nonce)
    lab.check(reply.recip_nonce in nonces, "recipNonce of the final ip answers nothing", "rfc9483:3.1#recip-nonce-delayed")
    lab.ask(lab.confirmation(final), url=lab.delayed.url)


@case(
    "cmp.lightweight.delayed-information",
    covers=[*_WAITING, "rfc9483:3.6.4#waiting", "rfc9483:4.4#final", "rfc9483:4.4#protected"],
    feature="polling",
)
def delayed_information(lab: CmpLab) -> None:
    """A genm that has to wait gets an error with the status waiting, and with pollReq for -1 its genp."""
    answer = _send(lab, lab.genm(lightweight.CA_CERTS, protection=lab.secret_of(lab.delayed)))
    _check_waiting(lab, answer, Body.ERROR, (*_WAITING, "rfc9483:3.6.4#waiting"))
    final = _final(lab, answer, -1)
    reply = final.reply
    lab.check(reply is not None and reply.body is Body.GENP, f"expected a genp, got {final}", "rfc9483:4.4#final")
    lab.check(not (why := lab.unverified(final)), f"the protection of the genp: {why}", "rfc9483:4.4#protected")


@case(
    "cmp.lightweight.poll-rep",
    covers=[
        "rfc9483:4.4#poll-rep",
        "rfc9483:4.4#poll-rep-id",
        "rfc9483:4.4#check-after",
        "rfc9483:4.4#poll-rep-credentials",
        "rfc9483:4.4#extra-certs",
    ],
    feature="polling",
)
def poll_rep(lab: CmpLab) -> None:
    """Who asks too early gets a pollRep with the same certReqId and the seconds to wait, protected like the first response."""
    secret = lab.secret_of(lab.delayed)
    for draft, id in (
        (lab.ir(protection=secret), 0),
        (lab.genm(lightweight.CA_CERTS, protection=secret), -1),
        (lab.genm(lightweight.CA_CERTS, protection=_device(lab)), -1),
    ):
        first = _send(lab, draft)
        answer = _poll(lab, first, id)
        reply = answer.reply
        if reply is not None and reply.body in (Body.IP, Body.GENP):
            raise NotApplicable("the server has its answer ready by the first pollReq")
        lab.require(reply is not None and reply.body is Body.POLLREP, f"expected a pollrep, got {answer}")
        assert reply is not None
        ids = [one for one, _ in reply.polls]
        for requirement in ("rfc9483:4.4#poll-rep", "rfc9483:4.4#poll-rep-id"):
            lab.check(ids == [id], f"expected the certReqId {id}, got {ids}", requirement)
        seconds = [after for _, after in reply.polls]
        lab.check(all(after >= 0 for after in seconds), f"checkAfter is {seconds}", "rfc9483:4.4#check-after")
        why = lightweight.unverified(lab, answer, first)
        lab.check(not why, f"the protection of the pollRep: {why}", "rfc9483:4.4#poll-rep-credentials")
        there = reply.extra_certs or draft.protection is secret
        lab.check(there, "a signed pollRep has no extraCerts", "rfc9483:4.4#extra-certs")
        early = _poll(lab, answer, id)
        goes_on = early.reply is not None and early.reply.body in (Body.POLLREP, Body.IP, Body.GENP)
        lab.check(goes_on, f"a second pollReq gets {early}")
