"""Delayed delivery: a request of any kind is answered when its client has asked again (RFC 9810 section 5.3.22, RFC 9483 section 4.4)."""

from __future__ import annotations

from datetime import timedelta

from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.cmp.ports import Conflict, Part, PartState, Transaction
from privca.cmp.rfc9810 import certrep, enroll, error
from privca.cmp.rfc9810 import message as messages
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.certrep import CertResponse
from privca.pkix import rfc4211

_CLAUSE = "RFC 9810 section 5.3.22"
WHOLE = -1
"""The certReqId that means the whole answer."""


async def postpone(call: Call) -> Reply:
    """Keep a request and tell its client to wait: in its own answer where it asks for certificates, else by an error message.

    :raises Refused: ``TRANSACTION_IN_USE``; ``MALFORMED`` for a request that cannot be read.
    """
    body, now = call.message.body, call.exchange.now
    enrolls = body in enroll.ANSWERS
    ids = [WHOLE]
    if enrolls and body is not messages.Body.P10CR:
        ids = [message.id for message in rfc4211.parse(call.message.content)]
    known = call.transaction
    transaction = Transaction(
        profile_id=call.profile.id,
        id=call.transaction_id,
        method=call.sender.method,
        identity=call.sender.id,
        credential=call.protector.credential,
        secret=call.secret,
        signer=call.signer,
        nonce=call.nonce,
        body=body,
        implicit=False,
        parts=tuple(Part(id, call.profile.id, "", PartState.WAITING) for id in ids),
        request=call.message.octets,
        ready=now + timedelta(seconds=call.options.check_after),
        created=now,
        expires=now + duration(call.options.transaction_life),
        version=0 if known is None else known.version,
    )
    try:
        call.transaction = await call.core.store.save_transaction(transaction)
    except Conflict:
        raise enroll.in_use() from None
    call.exchange.decided("delayed", _CLAUSE)
    if enrolls:
        return Reply(enroll.ANSWERS[body], certrep.encode([CertResponse.waiting(id) for id in ids]))
    return error.waiting()


async def deliver(call: Call) -> Reply:
    """The answer to a request that was postponed, now that it is due."""
    postponed = call.transaction
    assert postponed is not None
    message = messages.parse(postponed.request)
    reply = await call.again.replay(call, message)
    left = await call.core.store.transaction(call.profile.id, call.transaction_id)
    if left is not None and left.request:
        # Nothing follows: the answer was all.
        await call.core.store.forget_transaction(left)
    return reply


def seconds_left(call: Call) -> int:
    """How long a postponed request has to wait yet; 0: it is due. :raises Refused: ``WRONG_STATE`` if nothing was postponed."""
    transaction = call.transaction
    if transaction is None or transaction.ready is None:
        raise Refused(Reason.WRONG_STATE, _CLAUSE, "nothing of this transaction waits")
    return max(0, int((transaction.ready - call.exchange.now).total_seconds()))
