"""CertPoll (RFC 8894 sections 3.3.3, 4.4): what became of a request that was left pending.

The transaction ID and the key that signs say which request is meant, as section 3.3.3 advises; the issuerAndSubject in the envelope is not
opened. Of several requests of one transaction ID (sscep) the newest is meant.
"""

from __future__ import annotations

from privca.base.exchange import Exchange
from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Door, Pending
from privca.issuance.profile import Revisioned
from privca.scep.ports import ScepStore
from privca.scep.rfc8894 import cert_rep
from privca.scep.rfc8894.enrollment import issued, transaction_prefix
from privca.scep.rfc8894.envelope import Envelope
from privca.scep.rfc8894.pki_message import PkiMessage


async def poll(
    exchange: Exchange, profile: Revisioned, door: Door, store: ScepStore, message: PkiMessage, addressed: Envelope
) -> Response:
    """Answer a CertPoll. :raises Refused: ``NOT_FOUND`` for a transaction that nobody began with this key, or as the door does."""
    request_id = await store.newest_request(profile.id, transaction_prefix(message))
    if request_id is None:
        raise Refused(Reason.NOT_FOUND, "RFC 8894 section 4.4", "there is no PKCSReq or RenewalReq of this transactionID and key")
    exchange.decision.facts["transactionID"] = message.transaction.id
    answer = await door.resume(exchange, profile, request_id)
    if isinstance(answer, Pending):
        return await cert_rep.pending(exchange, profile.profile, addressed.party, message.transaction)
    password = addressed.secret.value if addressed.secret is not None else None
    return await issued(exchange, profile, door, message, addressed, answer, password)
