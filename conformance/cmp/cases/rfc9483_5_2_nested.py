"""RFC 9483 section 5.2.2: a registration authority adds its protection to a request, or sends several in one message."""

from __future__ import annotations

from dataclasses import replace

from conformance.case import case
from conformance.cmp import crmf, der, lightweight
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab
from conformance.cmp.lightweight import LightweightLab
from conformance.cmp.message import Body, Draft, Reply
from conformance.cmp.mutations import bad_protection, header

_ONE = "RFC 9483 section 5.2.2.1"


def _around(lab: CmpLab, inner: Draft) -> Draft:
    """A nested message around one request: its transactionID and senderNonce are those of the request."""
    made = lab.draft(Body.NESTED, content=der.sequence(inner.encode()), protection=lab.authority)
    return replace(made, transaction_id=inner.transaction_id, sender_nonce=inner.sender_nonce)


def _batch(lab: CmpLab, *inner: Draft) -> Draft:
    return lab.draft(Body.NESTED, content=der.sequence(*(one.encode() for one in inner)), protection=lab.authority)


def _inside(lab: CmpLab, answer: Answer, drafts: list[Draft]) -> list[Answer]:
    """The answers inside a nested message, in the order of the requests; only those that are there."""
    reply = answer.reply
    lab.require(reply is not None and reply.body is Body.NESTED, f"expected a nested message, got {answer}")
    assert reply is not None
    found = {one.transaction_id: one for one in (Reply(element.raw) for element in der.element(reply.content).children)}
    return [Answer(one, answer.response, found[one.transaction_id]) for one in drafts if one.transaction_id in found]


def _granted(lab: CmpLab, answer: Answer) -> str:
    """Why an answer inside a nested message grants nothing; empty if it does."""
    return lab.denied(answer) or lab.unverified(answer)


@case(
    "cmp.lightweight.nested-one",
    covers=["rfc9483:5.2.2.1#validated", "rfc9483:5.2.2#messages", "rfc9483:5.1.1#same-entity-or-ra"],
    kills=["cmp.lightweight.nested-wrapped-answer", "cmp.lightweight.nested-no-approval"],
    feature="nested",
)
def one(lab: CmpLab) -> None:
    """A request that a registration authority has verified and protected once more is served: raVerified inside it as well."""
    lab = lightweight.bench(lab)
    inner = lab.ir(lab.request(proof=crmf.RA_VERIFIED))
    answer = lab.send(_around(lab, inner))
    lightweight.unsupported(answer, "nested")
    own = Answer(inner, answer.response, answer.reply)
    for id in ("rfc9483:5.2.2.1#validated", "rfc9483:5.2.2#messages", "rfc9483:5.1.1#same-entity-or-ra"):
        lab.require(not (why := lab.denied(own)), f"the request inside is not served: {why}", id)
    lab.settle(own)


@case(
    "cmp.lightweight.nested-batch",
    covers=[
        "rfc9483:5.2.2.2#nested-answer",
        "rfc9483:5.2.2.2#each",
        "rfc9483:5.2.2.2#nested-header",
        "rfc9483:5.2.2.2#all-responses",
        "rfc9483:5.2.2#messages",
        "rfc9483:5.2.2#protected",
        "rfc9483:5.2.2#extra-certs",
    ],
    kills=[
        "cmp.lightweight.nested-answer-missing",
        "cmp.lightweight.nested-first-alone",
        "cmp.lightweight.nested-other-transaction",
        "cmp.extra-certs.missing",
    ],
    feature="batching",
)
def batch(lab: CmpLab) -> None:
    """Several requests in one message are answered in one, each as usual, under transactionID and nonce of the message around them."""
    lab = lightweight.bench(lab)
    drafts = [lab.ir(), lab.genm(lightweight.CA_CERTS), lab.ir(lab.request(spoil=True))]
    outer = _batch(lab, *drafts)
    answer = lab.send(outer)
    lightweight.unsupported(answer, "nested")
    found = _inside(lab, answer, drafts)
    assert answer.reply is not None
    reply = answer.reply
    for id in ("rfc9483:5.2.2.2#each", "rfc9483:5.2.2.2#all-responses", "rfc9483:5.2.2#messages"):
        lab.require(len(found) == len(drafts), f"expected {len(drafts)} answers, got {len(found)}", id)
    for good in found[:2]:
        lab.check(not (why := _granted(lab, good)), f"a request inside is not served: {why}", "rfc9483:5.2.2.2#each")
    bad = found[2].reply
    lab.check(bad is not None and bad.refused, f"a spoilt request inside is not refused: {bad}", "rfc9483:5.2.2.2#each")
    same = reply.transaction_id == outer.transaction_id and reply.recip_nonce == outer.sender_nonce
    lab.check(same, "transactionID or recipNonce of the answer is another", "rfc9483:5.2.2.2#nested-header")
    lab.check(not (why := lab.unverified(answer)), f"the protection of the answer: {why}", "rfc9483:5.2.2#protected")
    lab.check(reply.extra_certs, "the answer has no extraCerts", "rfc9483:5.2.2#extra-certs")


@case(
    "cmp.lightweight.nested-batch-approves-nothing",
    covers=["rfc9483:5.2.2.2#no-approval"],
    kills=["cmp.lightweight.nested-batch-vouches"],
    feature="batching",
)
def batch_approves_nothing(lab: CmpLab) -> None:
    """The protection of a batch says nothing of the requests in it: raVerified is refused there, as it is without the batch."""
    lab = lightweight.bench(lab)
    drafts = [lab.ir(), lab.ir(lab.request(proof=crmf.RA_VERIFIED))]
    answer = lab.send(_batch(lab, *drafts))
    lightweight.unsupported(answer, "nested")
    good, vouched = _pair(lab, answer, drafts)
    lab.require(not (why := _granted(lab, good)), f"a request inside is not served: {why}")
    lab.check(vouched.reply is not None and vouched.reply.refused, f"raVerified in a batch is accepted: {vouched}")


def _pair(lab: LightweightLab, answer: Answer, drafts: list[Draft]) -> tuple[Answer, Answer]:
    found = _inside(lab, answer, drafts)
    lab.require(len(found) == 2, f"expected two answers, got {len(found)}")
    return found[0], found[1]


@case(
    "cmp.lightweight.nested-garbage-inside",
    covers=["rfc9483:3.6.3#batch-error"],
    kills=["cmp.lightweight.nested-first-alone"],
    feature="batching",
)
def garbage_inside(lab: CmpLab) -> None:
    """An error in the nested message itself is answered to who sent it, and none of the requests in it is."""
    lab = lightweight.bench(lab)
    before = lab.send(_questions(lab))
    lightweight.unsupported(before, "nested")
    lab.require(before.reply is not None and before.reply.body is Body.NESTED, f"expected a nested message, got {before}")
    spoilt = replace(_questions(lab), content=der.sequence(lab.ir().encode(), der.sequence()))
    answer = lab.send(spoilt)
    reply = answer.reply
    lab.require(reply is not None and reply.body is Body.ERROR, f"expected an error, got {answer}")
    assert reply is not None
    lab.check(reply.refused, f"expected an error, got {reply}")
    lab.check(reply.transaction_id == spoilt.transaction_id, "the error is not for the nested message")


def _questions(lab: CmpLab) -> Draft:
    return _batch(lab, lab.genm(lightweight.CA_CERTS), lab.genm(lightweight.CA_CERTS))


lightweight.negative(
    "cmp.lightweight.nested-bad-signature",
    "A nested message whose signature does not verify is refused",
    covers=["rfc9483:5.2.2.1#validated"],
    control=_questions,
    mutation=bad_protection(_ONE),
    failures=("badMessageCheck",),
    kills=["cmp.lightweight.signature-unchecked"],
    feature="nested",
)
lightweight.negative(
    "cmp.lightweight.nested-by-end-entity",
    "A nested message of who is no registration authority is refused",
    covers=["rfc9483:5.2.2.1#validated"],
    control=_questions,
    mutation=lambda lab: header("signed by an end entity", _ONE, protection=lab.signer),
    failures=("notAuthorized",),
    kills=["cmp.lightweight.nested-by-anybody"],
    feature="nested",
)


@case(
    "cmp.lightweight.nested-other-nonce",
    covers=["rfc9483:5.2.2.1#copied"],
    kills=["cmp.lightweight.nested-any-nonce"],
    feature="nested",
)
def other_nonce(lab: CmpLab) -> None:
    """A nested message around one message whose senderNonce is not that of the message inside is refused."""
    lab = lightweight.bench(lab)
    inner = lab.genm(lightweight.CA_CERTS)
    before = lab.send(_around(lab, inner))
    lightweight.unsupported(before, "nested")
    lab.require(not (why := lab.denied(Answer(inner, before.response, before.reply))), f"the request inside is not served: {why}")
    spoilt = replace(_around(lab, lab.genm(lightweight.CA_CERTS)), sender_nonce=b"a nonce of its own")
    lab.refused(lab.send(spoilt), ("badSenderNonce", "badRequest"))
