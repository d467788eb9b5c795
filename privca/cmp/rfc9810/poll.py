"""pollReq and pollRep: asking again for what waits (RFC 9810 section 5.3.22, RFC 9483 section 4.4)."""

from __future__ import annotations

from msgspec.structs import replace

from privca.base.refused import Reason, Refused
from privca.cmp.ports import Part, PartState
from privca.cmp.rfc9810 import delay, enroll
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.delay import WHOLE
from privca.cmp.rfc9810.enroll import Outcome
from privca.cmp.rfc9810.message import Body, free_text
from privca.enrollment.door import Issued
from privca.pkix import der

_CLAUSE = "RFC 9810 section 5.3.22"
_MAXIMUM = 32


@der.sequence
class _Poll:
    cert_req_id: int


def parse(octets: bytes) -> list[int]:
    """PollReqContent. :raises Refused: ``MALFORMED``, ``TOO_LARGE``."""
    elements = der.elements(octets, clause=_CLAUSE)
    if len(elements) > _MAXIMUM:
        raise Refused(Reason.TOO_LARGE, _CLAUSE, "too many elements", expected=f"at most {_MAXIMUM}")
    ids = [der.decode(_Poll, element, clause=_CLAUSE).cert_req_id for element in elements]
    if not ids or len(set(ids)) != len(ids):
        raise Refused(Reason.MALFORMED, _CLAUSE, "a pollReq names each request once, and one at least")
    return ids


def report(ids: list[int], check_after: int) -> Reply:
    """A pollRep: ask again after ``check_after`` seconds."""
    text = free_text(["the request is not decided yet"])
    entries = [der.tlv(0x30, der.integer(id), der.integer(check_after), text) for id in ids]
    return Reply(Body.POLLREP, der.tlv(0x30, *entries))


async def poll(call: Call) -> Reply:
    """Answer a pollReq for certificates: all that are decided by now, or how long to wait."""
    transaction = call.transaction
    ids = parse(call.message.content)
    if transaction is None:
        raise Refused(Reason.WRONG_STATE, _CLAUSE, "nothing of this transaction waits")
    waiting = [part for part in transaction.parts if part.state is PartState.WAITING]
    known = {part.id for part in transaction.parts} | {WHOLE}
    for id in ids:
        if id not in known:
            raise Refused(
                Reason.UNKNOWN_CERTIFICATE, _CLAUSE, "no request of this transaction has this certReqId", got=str(id)[:20]
            )
    if transaction.request:
        after = delay.seconds_left(call)
        if not after:
            return await delay.deliver(call)
        await _remember(call)
        call.exchange.decided("waiting", _CLAUSE)
        return report(ids, after)
    asked = waiting if WHOLE in ids else [part for part in waiting if part.id in ids]
    if not asked:
        raise Refused(Reason.WRONG_STATE, _CLAUSE, "nothing of this transaction waits")
    outcomes, after = [], 0
    for part in asked:
        outcome, seconds = await _resume(call, part)
        after = max(after, seconds)
        if outcome is not None:
            outcomes.append(outcome)
    if not outcomes:
        await _remember(call)
        call.exchange.decided("waiting", _CLAUSE)
        return report(ids, after or call.options.check_after)
    return await enroll.answer(call, outcomes, confirm=not transaction.implicit)


async def _resume(call: Call, part: Part) -> tuple[Outcome | None, int]:
    """What came of a request that waits; None and how long to wait if nothing did."""
    profile = call.profile if part.profile_id == call.profile.id else await call.core.profiles.profile(part.profile_id)
    if profile is None:
        return Outcome(part.id, refused=Refused(Reason.UNAVAILABLE, "profile: enabled", "the profile is no longer there")), 0
    try:
        answered = await call.core.door.resume(call.exchange, profile, part.request_id)
    except Refused as refused:
        return Outcome(part.id, refused=refused), 0
    if isinstance(answered, Issued):
        return Outcome(part.id, certificate=answered.certificate, encrypted=part.encrypted), 0
    return None, answered.retry_after


async def _remember(call: Call) -> None:
    """Our newest nonce."""
    assert call.transaction is not None
    call.transaction = await call.core.store.save_transaction(replace(call.transaction, nonce=call.nonce))
