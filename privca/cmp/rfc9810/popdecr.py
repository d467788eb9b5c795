"""popdecr: the answer to challenges, and what follows it (RFC 9810 section 5.2.8.3.3)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from msgspec.structs import replace

from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.cmp.ports import Part, PartState
from privca.cmp.rfc9810 import enroll
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.challenge import NUMBER_OCTETS
from privca.cmp.rfc9810.message import Body
from privca.pkix import der, rfc4211

_CLAUSE = "RFC 9810 section 5.2.8.3.3"


@der.sequence
class _Response:
    numbers: list[int]


async def respond(call: Call) -> Reply:
    """Answer a popdecr: what was asked for, where all numbers are right."""
    transaction = call.transaction
    numbers = der.decode(_Response, der.tlv(0x30, call.message.content), clause=_CLAUSE).numbers
    waiting = [] if transaction is None else [part for part in transaction.parts if part.state is PartState.CHALLENGED]
    if transaction is None or not waiting:
        raise Refused(Reason.WRONG_STATE, _CLAUSE, "nothing was asked that this could answer")
    right = _right([part.challenge for part in waiting if part.challenge], numbers)
    outcomes = []
    for part in waiting:
        outcome = enroll.Outcome(part.id)
        if part.challenge and not right:
            outcome.refused = Refused(Reason.BAD_POP, _CLAUSE, "the challenges were not answered rightly")
        else:
            await _judge(call, part, outcome)
        outcomes.append(outcome)
    # Written down before anything is issued: an answer is taken once.
    parts = tuple(
        replace(part, state=PartState.ISSUED, challenge=b"") if part.state is PartState.CHALLENGED else part
        for part in transaction.parts
    )
    expires = call.exchange.now + duration(call.options.confirm_wait)
    changed = replace(transaction, parts=parts, nonce=call.nonce, expires=expires)
    call.transaction = await call.core.store.save_transaction(changed)
    await enroll.submit(call, outcomes)
    return await enroll.answer(call, outcomes, confirm=not transaction.implicit)


def _right(asked: Sequence[bytes], numbers: Sequence[int]) -> bool:
    if len(asked) != len(numbers) or not all(0 <= number < 1 << (8 * NUMBER_OCTETS) for number in numbers):
        return False
    answered = b"".join(number.to_bytes(NUMBER_OCTETS, "big") for number in numbers)
    return hmac.compare_digest(b"".join(asked), answered)


async def _judge(call: Call, part: Part, outcome: enroll.Outcome) -> None:
    """The request again, as it was judged when the transaction began."""
    assert call.transaction is not None
    profile = call.profile if part.profile_id == call.profile.id else await call.core.profiles.profile(part.profile_id)
    if profile is None:
        outcome.refused = Refused(Reason.UNAVAILABLE, "profile: enabled", "the profile is no longer there")
        return
    try:
        outcome.asked = await enroll.crmf(call, rfc4211.parse_one(part.octets), profile, Body(call.transaction.body))
    except Refused as refused:
        outcome.refused = refused
