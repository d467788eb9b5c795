"""RFC 9810 section 5.3.22: answers that come later."""

from __future__ import annotations

from conformance.case import case
from conformance.cmp import der
from conformance.cmp.client import Answer
from conformance.cmp.crmf import CertRequest
from conformance.cmp.lab import CmpLab, asked, rev_details
from conformance.cmp.message import WAITING, Body
from conformance.cmp.protection import Signer
from conformance.examination import Inconclusive

_P = "rfc9810:5.3.22#"
_POLLS = 40
"""How often a case asks at most."""


def poll(*ids: int) -> bytes:
    """PollReqContent (DER)."""
    return der.sequence(*(der.sequence(der.integer(id)) for id in ids))


def _waiting(lab: CmpLab, *requests: CertRequest) -> Answer:
    """The ip of an ir that has to wait."""
    endpoint = lab.delayed
    answer = lab.send(lab.ir(*requests, protection=lab.secret_of(endpoint)), url=endpoint.url)
    reply = answer.reply
    lab.require(reply is not None, f"an ir gives {answer}")
    assert reply is not None
    waits = bool(reply.statuses) and all(one.status == WAITING for one in reply.statuses)
    lab.require(waits and reply.body in (Body.IP, Body.ERROR), f"an ir to an endpoint that delays gives {answer}")
    return answer


def _polled(lab: CmpLab, answer: Answer, id: int, url: str) -> Answer:
    """What comes at last of polling, as often as the server says."""
    for _ in range(_POLLS):
        answer = lab.send(lab.next(answer, Body.POLLREQ, content=poll(id)), url=url)
        reply = answer.reply
        lab.require(reply is not None, f"a pollReq gives {answer}", _P + "poll-answered")
        assert reply is not None
        if reply.body is not Body.POLLREP:
            return answer
        ids = [one for one, _ in reply.polls]
        lab.require(ids == [id], f"a pollReq for {id} is answered for {ids}", _P + "poll-answered")
        after = max(0, reply.polls[0][1])
        if after > lab.shared.patience.total_seconds():
            raise Inconclusive(f"the answer would come after {after} seconds")
        lab.shared.wait(after)
    raise Inconclusive(f"the answer has not come after {_POLLS} pollReqs")


def _obtained(lab: CmpLab) -> Signer:
    """A certificate from the endpoint that delays, confirmed."""
    url = lab.delayed.url
    waiting = _waiting(lab)
    answer = _polled(lab, waiting, 0, url)
    issued = lab.issued(answer)
    lab.require(issued, f"polling ends with {answer}")
    lab.ask(lab.confirmation(answer), url=url)
    certificate = issued[0].certificate
    assert certificate is not None
    return Signer(certificate, waiting.draft.requests[0].key)


@case(
    "cmp.polling.certificate",
    covers=[_P + "waiting", _P + "poll-answered"],
    feature="delayed-delivery",
    kills=["cmp.polling.delivers-nothing", "cmp.polling.waiting-is-acceptance"],
)
def certificate(lab: CmpLab) -> None:
    """An ir that waits is polled for until its ip comes, which is then confirmed."""
    url = lab.delayed.url
    answer = _polled(lab, _waiting(lab), 0, url)
    issued = lab.issued(answer)
    lab.require(issued, f"polling ends with {answer}", _P + "poll-answered")
    confirmed = lab.send(lab.confirmation(answer), url=url)
    lab.check(not lab.denied(confirmed), f"the certConf gives {confirmed}", _P + "poll-answered")


@case(
    "cmp.polling.general",
    covers=[_P + "waiting-error", _P + "poll-answered"],
    feature="delayed-delivery",
    kills=["cmp.polling.delivers-nothing", "cmp.polling.waiting-is-rejection"],
)
def general(lab: CmpLab) -> None:
    """A genm that waits is answered by an error with the status waiting, and polled for by -1 until its genp comes."""
    endpoint = lab.delayed
    answer = lab.send(lab.genm(asked(2), protection=lab.secret_of(endpoint)), url=endpoint.url)
    reply = answer.reply
    lab.require(
        reply is not None and reply.body is Body.ERROR, f"a genm to an endpoint that delays gives {answer}", _P + "waiting-error"
    )
    assert reply is not None
    lab.require(reply.statuses[0].status == WAITING, f"the status is that of {answer}", _P + "waiting-error")
    ended = _polled(lab, answer, -1, endpoint.url)
    lab.check(ended.reply is not None and ended.reply.body is Body.GENP, f"polling ends with {ended}", _P + "poll-answered")


@case(
    "cmp.polling.unknown-id",
    covers=[_P + "poll-answered"],
    feature="delayed-delivery",
    kills=["cmp.polling.any-id"],
)
def unknown_id(lab: CmpLab) -> None:
    """A pollReq for a certReqId that the ip does not have is refused."""
    url = lab.delayed.url
    answer = _waiting(lab)
    with lab.examination.during("spoilt"):
        refused = lab.send(lab.next(answer, Body.POLLREQ, content=poll(77)), url=url)
    lab.refused(refused, {"badCertId", "badRequest"})


@case(
    "cmp.polling.another-client",
    covers=[_P + "poll-answered"],
    feature="delayed-delivery",
    kills=["cmp.polling.by-anybody"],
)
def another_client(lab: CmpLab) -> None:
    """What waits is not given out to who polls under other credentials."""
    url = lab.delayed.url
    other = _obtained(lab)
    answer = _waiting(lab, lab.request(subject=other.certificate.subject.public_bytes()))
    with lab.examination.during("spoilt"):
        stolen = lab.send(lab.next(answer, Body.POLLREQ, content=poll(0), protection=other), url=url)
    refused = stolen.reply is not None and stolen.reply.refused
    lab.check(refused, f"a pollReq under other credentials gives {stolen}")


@case("cmp.polling.nothing-waits", covers=["rfc9810:5.1.1#transaction-id-kept"], kills=["cmp.header.transaction-id-unchecked"])
def nothing_waits(lab: CmpLab) -> None:
    """A pollReq of a transaction that was never begun is refused."""
    lab.settle(lab.unconfirmed())
    with lab.examination.during("spoilt"):
        answer = lab.send(lab.draft(Body.POLLREQ, content=poll(0), recip_nonce=bytes(16)))
    lab.refused(answer, {"badRequest", "badCertId", "badRecipientNonce"})


@case("cmp.polling.issued-already", covers=["rfc9810:5.1.1#transaction-id-kept"], kills=["cmp.polling.nothing-to-wait-for"])
def issued_already(lab: CmpLab) -> None:
    """A pollReq for a certificate that was issued at once is refused, and gives no other one."""
    answer = lab.unconfirmed()
    with lab.examination.during("spoilt"):
        polled = lab.send(lab.next(answer, Body.POLLREQ, content=poll(0)))
    lab.refused(polled, {"badRequest", "badCertId"})


@case(
    "cmp.polling.revocation",
    covers=[_P + "waiting-error", _P + "poll-answered"],
    feature="delayed-delivery",
    kills=["cmp.polling.waiting-is-rejection", "cmp.polling.delivers-nothing"],
)
def revocation(lab: CmpLab) -> None:
    """An rr that waits is done when it is polled for."""
    endpoint = lab.delayed
    secret = lab.secret_of(endpoint)
    url = endpoint.url
    certificate = _obtained(lab).certificate
    asked_for = lab.send(lab.revoking(rev_details(certificate), protection=secret), url=url)
    reply = asked_for.reply
    lab.require(reply is not None and reply.statuses and reply.statuses[0].status == WAITING, f"an rr gives {asked_for}")
    ended = _polled(lab, asked_for, -1, url)
    granted = ended.reply is not None and ended.reply.body is Body.RP and ended.reply.statuses[0].granted
    lab.check(granted, f"polling ends with {ended}", _P + "poll-answered")
