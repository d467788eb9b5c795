"""RFC 9810 section 5.1.3.5: messages that a registration authority passes on in others."""

from __future__ import annotations

from conformance.case import case
from conformance.cmp import crmf, der
from conformance.cmp.client import Client
from conformance.cmp.lab import CmpLab, asked
from conformance.cmp.message import Body, Draft, Reply

_NESTED = "rfc9810:5.1.3.5#aggregated"


def _around(lab: CmpLab, *inside: Draft, **fields: object) -> Draft:
    """A nested message of the registration authority."""
    content = der.sequence(*(one.encode() for one in inside))
    return lab.draft(Body.NESTED, content=content, protection=lab.authority, **fields)


def _same(draft: Draft) -> dict[str, object]:
    """The fields that a nested message around one message takes over (RFC 9483 section 5.2.2.1)."""
    return {"transaction_id": draft.transaction_id, "sender_nonce": draft.sender_nonce}


@case("cmp.nested.forwarded", covers=[_NESTED], feature="nested", kills=["cmp.nested.refused"])
def forwarded(lab: CmpLab) -> None:
    """A message in a nested one is answered as if it had come by itself."""
    inside = lab.ir()
    answer = lab.send(_around(lab, inside, **_same(inside)))
    read = Client.read(inside, answer.response)
    if read.reply is not None and read.reply.body is Body.NESTED:
        (found,) = der.element(read.reply.content).children
        reply = Reply(found.raw)
    else:
        reply = read.reply  # type: ignore[assignment]
    granted = reply is not None and reply.body is Body.IP and not reply.refused
    lab.require(granted, f"an ir in a nested message gives {answer}")
    lab.check(reply.recip_nonce == inside.sender_nonce, "the answer is not to the message inside")


@case("cmp.nested.batch", covers=[_NESTED], feature="nested", kills=["cmp.nested.first-only", "cmp.nested.refused"])
def batch(lab: CmpLab) -> None:
    """Several messages in a nested one are answered by as many, in a nested one."""
    inside = [lab.genm(asked(2)), lab.genm(asked(6))]
    answer = lab.send(_around(lab, *inside))
    reply = answer.reply
    lab.require(reply is not None and reply.body is Body.NESTED, f"a batch gives {answer}")
    assert reply is not None
    found = [Reply(one.raw) for one in der.element(reply.content).children]
    nonces = [one.recip_nonce for one in found]
    lab.check(nonces == [one.sender_nonce for one in inside], f"a batch of two is answered by {len(found)} messages")


@case("cmp.nested.by-anybody", covers=[_NESTED], feature="nested", kills=["cmp.nested.by-anybody"])
def by_anybody(lab: CmpLab) -> None:
    """A nested message of who is no registration authority is refused, and vouches for nothing."""
    inside = lab.ir(lab.request(proof=crmf.RA_VERIFIED))
    content = der.sequence(inside.encode())
    with lab.examination.during("spoilt"):
        answer = lab.send(lab.draft(Body.NESTED, content=content, protection=lab.signer, **_same(inside)))
    lab.refused(answer, {"notAuthorized", "badRequest", "signerNotTrusted", "badMessageCheck"})


@case("cmp.nested.twice", covers=[_NESTED], feature="nested", kills=["cmp.nested.in-nested"])
def twice(lab: CmpLab) -> None:
    """A nested message in a nested one is refused, however deep it goes."""
    inside = lab.genm(asked(2))
    once = _around(lab, inside)
    answer = lab.send(_around(lab, once))
    reply = answer.reply
    lab.require(reply is not None, f"a nested message in a nested one gives {answer}")
    assert reply is not None
    while reply.body is Body.NESTED:
        children = der.element(reply.content).children
        lab.require(children, "a nested message with nothing in it")
        reply = Reply(children[0].raw)
    lab.check(reply.refused, f"a nested message in a nested one gives {reply}")
