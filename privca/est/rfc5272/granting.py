"""Certification requests granted, and asked about again (RFC 5272 sections 3.2 and 6.13)."""

from __future__ import annotations

from collections.abc import Mapping

from privca.base.refused import Reason, Refused
from privca.enrollment.authentication import ANONYMOUS
from privca.enrollment.door import Issued, Pending
from privca.est import csrattrs
from privca.est.rfc5272 import failures, modifying, usages
from privca.est.rfc5272.authority import Authority
from privca.est.rfc5272.certification import Certification
from privca.est.rfc5272.message import Message
from privca.est.rfc5272.outcome import Outcome
from privca.est.rfc5272.party import Party
from privca.est.rfc5272.pending import Waiting, unknown_token, waiting
from privca.est.rfc5272.signer import ByWaiting, Signer
from privca.est.rfc6402 import renamed_by
from privca.est.rfc7030 import enrollment
from privca.est.rfc7030.call import Call
from privca.pkix.rfc5272.status import CmcFailInfo

_POSSESSION = frozenset((CmcFailInfo.POP_FAILED, CmcFailInfo.POP_REQUIRED))
_WAITS = "the request waits for a decision"


async def grant(call: Call, party: Party, one: Certification, authority: Authority, outcome: Outcome) -> None:
    """Hand a request to the CA; what comes of it goes into ``outcome``.

    A message that a certificate of this profile proves is a renewal or rekey of that (section 3.2): its window counts.

    :raises Refused: as the door does.
    """
    csrattrs.check(call.profile, one.csr, one.csr)
    usages.check(call.profile, one.requested)
    wanted = modifying.modified(renamed_by(one.requested, one.change), one.body, authority)
    mine = party.identity.certificate
    renews = mine if party.certificate is not None and mine is not None and mine.profile_id == call.profile.id else None
    extensions = [
        part
        for each in wanted.extensions
        for part in (each.oid.dotted_string.encode(), bytes((each.critical,)), each.value.public_bytes())
    ]
    id = enrollment.request_id(party.identity, wanted, one.attributes, b"cmc", *extensions)
    id = await enrollment.fresh(call, id)
    granted = await enrollment.submit(call, party.identity, wanted, id, renews)
    if isinstance(granted, Pending):
        said = waiting(call.profile.id, id, party.identity, wanted.spki, granted, call.now)
        outcome.wait(one.body, call.core.pend_tokens.issue(said), _WAITS)
        return
    _issued(one.body, granted, outcome)


def _issued(body: int, granted: Issued, outcome: Outcome) -> None:
    outcome.certificates.append(granted.certificate)
    outcome.succeed(body)


def tokens(call: Call, message: Message) -> Mapping[int, Waiting | None]:
    """What the Query Pending controls of a message are about; None for a token that is not ours."""
    return {body: call.core.pend_tokens.read(token, call.profile.id) for body, token in message.controls.queries.items()}


async def query(call: Call, asked: Mapping[int, Waiting | None], party: Party | None, signer: Signer, outcome: Outcome) -> None:
    """Answer Query Pending for who made the request. While it waits, the answer is what was said first (section 6.13)."""
    for body, found in asked.items():
        try:
            if found is None or not _made_by(found, party, signer):
                raise unknown_token()
            granted = await call.core.door.resume(call.exchange, call.profile, found.request_id)
        except Refused as refused:
            outcome.fail((body,), refused)
            continue
        if isinstance(granted, Pending):
            outcome.wait(body, call.core.pend_tokens.issue(found), _WAITS)
        else:
            _issued(body, granted, outcome)


def _made_by(found: Waiting, party: Party | None, signer: Signer) -> bool:
    if isinstance(signer, ByWaiting):
        return signer.spki == found.spki
    # Who presented nothing is nobody in particular.
    return party is not None and party.identity.id == found.identity != ANONYMOUS


def lacks_possession(refused: Refused) -> bool:
    """Whether a request was refused for want of its proof of possession."""
    return refused.reason is Reason.BAD_POP or failures.fail_info(refused) in _POSSESSION
