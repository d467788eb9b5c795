"""error: what ends a transaction (RFC 9810 section 5.3.21), from the server and from a client."""

from __future__ import annotations

from privca.base.refused import Refused
from privca.cmp.ports import PartState
from privca.cmp.rfc9810 import confirm, status
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import Body
from privca.pkix import der


def content(refused: Refused) -> bytes:
    """ErrorMsgContent of a refusal, as DER."""
    return der.tlv(0x30, status.rejection(refused))


def waiting() -> Reply:
    """An answer that comes later (section 5.3.22)."""
    return Reply(
        Body.ERROR, der.tlv(0x30, status.status_info(status.Status.WAITING, "the answer comes later; ask for it with pollReq"))
    )


async def received(call: Call) -> Reply:
    """A client ends the transaction: what it did not confirm is revoked. The answer is a pkiConf (section 5.3.21)."""
    said = status.parse_error(call.message.content)
    transaction = call.transaction
    if transaction is not None:
        for part in transaction.parts:
            if part.state is PartState.ISSUED:
                certificate = await call.core.door.find(part.profile_id, part.request_id)
                if certificate is not None:
                    await confirm.revoke(call.core.door, call.exchange, certificate)
        await call.core.store.forget_transaction(transaction)
    call.exchange.decided("ended by the client", "RFC 9810 section 5.3.21", said.text)
    return Reply(Body.PKICONF, confirm.NULL)
