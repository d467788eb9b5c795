"""nested: a registration authority adds its protection to a message, or sends several in one (RFC 9810 section 5.1.3.5).

One message whose transaction is that of the nested message around it: the RA has verified it, and its answer goes back as it is (RFC 9483
section 5.2.2.1). Anything else is a batch, which says nothing about the messages in it (section 5.2.2.2); its answer is a batch too.
"""

from __future__ import annotations

from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810 import message as messages
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import Body
from privca.pkix import der

_CLAUSE = "RFC 9810 section 5.1.3.5"
MAXIMUM = 16


async def unwrap(call: Call) -> Reply:
    """Answer what is inside."""
    if not call.sender.ra:
        raise Refused(Reason.UNAUTHORIZED, _CLAUSE, "nested messages are for registration authorities (extended key usage cmcRA)")
    if call.nested:
        raise Refused(Reason.UNSUPPORTED_OPERATION, _CLAUSE, "a nested message holds no nested message")
    inside = der.elements(call.message.content, clause=_CLAUSE)
    if not 0 < len(inside) <= MAXIMUM:
        raise Refused(
            Reason.TOO_LARGE, _CLAUSE, "a wrong number of nested messages", expected=f"1 to {MAXIMUM}", got=str(len(inside))
        )
    found = [messages.parse(octets) for octets in inside]
    if len(found) == 1 and found[0].header.transaction_id == call.transaction_id:
        if found[0].header.sender_nonce != call.message.header.sender_nonce:
            raise Refused(
                Reason.BAD_SENDER_NONCE,
                "RFC 9483 section 5.2.2.1",
                "a nested message around one message has the senderNonce of that message",
            )
        return Reply(Body.NESTED, b"", message=await call.again.inner(call, found[0], vouched=True))
    answers = [await call.again.inner(call, one, vouched=False) for one in found]
    call.exchange.decided("batch answered", _CLAUSE, f"{len(answers)} messages")
    return Reply(Body.NESTED, der.tlv(0x30, *answers))
