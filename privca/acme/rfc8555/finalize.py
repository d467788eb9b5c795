"""Finalizing an order (RFC 8555 section 7.4): the claim that begins issuance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from privca.acme.ports import Authorization
from privca.acme.rfc8555 import csr as csrs
from privca.acme.rfc8555 import issue, order, validation
from privca.acme.rfc8555.call import Call, decode
from privca.acme.rfc8555.states import ORDER, OrderEvent
from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.jose import rfc4648, rfc7517
from privca.jose.rfc7518 import PublicKey
from privca.pkix.rfc2986 import CertificationRequest

CLAUSE = "RFC 8555 section 7.4"
CAA_LIFE = timedelta(hours=8)
"""A CAA answer that is older does not count at issuance (CA/Browser Forum Baseline Requirements section 3.2.2.8)."""


class Finalize(msgspec.Struct, frozen=True):
    """Payload of finalize."""

    csr: str


_finalize = msgspec.json.Decoder(Finalize)


async def finalize(call: Call) -> Response:
    """Judge the CSR, claim the order, and issue: at once, or in the background if the profile says so.

    A CSR that is refused leaves the order ready. The claim is stored first, so that a crash in between is resumed, and of two
    requests one wins.
    """
    wanted = decode(_finalize, call.payload, CLAUSE)
    found = await order.load(call)
    authorizations = await call.core.store.authorizations(found)
    current = order.status(found, authorizations, call.now)
    if not ORDER.allows(current, OrderEvent.FINALIZE):
        raise Refused(
            Reason.ORDER_NOT_READY, CLAUSE, "the order is not ready to be finalized", expected="ready", got=current.value
        )
    csr = csrs.read(rfc4648.decode(wanted.csr, "csr", Reason.BAD_CSR), call.profile)
    csrs.check(csr, found)
    await _check_key(call, csr)
    await _check_caa_again(call, authorizations)
    if call.options.finalize == "processing":
        # What the CA refuses is told now, while the order is ready: an order that has been seen processing could only become invalid.
        try:
            await call.core.door.check(call.exchange, call.profile, issue.submission(call.identity, found, csr))
        except Refused as refused:
            raise csrs.about_csr(refused) from None
    claimed = replace(found, csr=csr.der, next_attempt=call.now + issue.LEASE)
    await call.core.store.commit(claimed)
    claimed = replace(claimed, version=claimed.version + 1)
    if call.options.finalize == "processing":
        call.core.background.start(issue.in_background(call.core, call.profile, call.account, claimed))
        call.exchange.decided("issuance began", CLAUSE, order=found.id)
        return order.answer(200, call, claimed, authorizations)
    try:
        done = await issue.issue(call.core, call.exchange, call.profile, call.identity, claimed, csr)
    except Refused as refused:
        await call.core.store.commit(issue.released(claimed))
        raise csrs.about_csr(refused) from None
    call.exchange.decided("certificate issued" if done.serial else "issuance waits", CLAUSE, order=found.id, **issue.facts(done))
    return order.answer(200, call, done, authorizations)


async def _check_key(call: Call, csr: CertificationRequest) -> None:
    """No account key is certified, whoever's and of whichever profile; keys of a kind that signs no JWS never are one."""
    if not isinstance(csr.public_key, PublicKey):
        return
    if await call.core.store.is_account_key(rfc7517.of_key(csr.public_key).thumbprint):
        raise Refused(Reason.BAD_CSR, "RFC 8555 section 11.1", "the key of an account cannot be a certificate's key")


async def _check_caa_again(call: Call, authorizations: Sequence[Authorization]) -> None:
    url = call.urls.account(call.account.id)
    for authorization in authorizations:
        for challenge in authorization.challenges:
            if challenge.validated is not None and call.now - challenge.validated > CAA_LIFE:
                await validation.check_caa(call.core, call.profile, url, authorization, challenge.type)
