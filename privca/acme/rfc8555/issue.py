"""Issuance for an order that was claimed (RFC 8555 section 7.4), at once, in the background, or after a crash.

A claimed order has its CSR and ``next_attempt``. The CA finds a certificate again by the order's ID, so that issuing twice is issuing once,
and every claimed order ends: with its certificate, ready again, or invalid with an error.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from privca.acme.ports import Account, AccountStatus, Conflict, Order
from privca.acme.rfc8555 import csr as csrs
from privca.acme.rfc8555 import problem
from privca.acme.rfc8555.call import Core, identity
from privca.base.durations import duration
from privca.base.entropy import token
from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Identity, Issued, Submission
from privca.issuance.profile import Revisioned
from privca.pkix.rfc2986 import CertificationRequest

LEASE = timedelta(seconds=60)
"""How long a claimed order is left alone: longer than any signature takes."""
_TRANSIENT = (Reason.INTERNAL, Reason.UNAVAILABLE)


def submission(who: Identity, order: Order, csr: CertificationRequest) -> Submission:
    """What the CA is asked for: the order's names, which are proven, and its dates."""
    return Submission(
        request_id=order.id,
        identity=who,
        csr=csr,
        proven=frozenset(order.names),
        not_before=order.not_before,
        not_after=order.not_after,
        asked=order.created,
    )


async def issue(
    core: Core, exchange: Exchange, profile: Revisioned, who: Identity, claimed: Order, csr: CertificationRequest
) -> Order:
    """Submit a claimed order; the order as it is stored then. :raises Refused: what the CA refuses; the claim stands."""
    answer = await core.door.submit(exchange, profile, submission(who, claimed, csr))
    if isinstance(answer, Issued):
        done = replace(claimed, certificate_id=token(core.entropy), serial=answer.certificate.serial, next_attempt=None)
    else:
        done = replace(claimed, next_attempt=exchange.now + timedelta(seconds=answer.retry_after))
    await core.store.commit(done)
    return replace(done, version=done.version + 1)


def released(claimed: Order) -> Order:
    """The order as it was before it was claimed."""
    return replace(claimed, csr=None, next_attempt=None)


def facts(order: Order) -> dict[str, str]:
    """What the transcript says of the certificate."""
    return {} if order.serial is None else {"serial": order.serial.hex()}


async def in_background(core: Core, profile: Revisioned, account: Account, claimed: Order) -> None:
    """Issue for a claimed order that nobody waits for.

    A refusal makes the order invalid where its client was told ``processing``, and ready again where the client was told nothing; a
    failure that may pass leaves the claim, which is taken up again when its lease is over, until the order expires.
    """
    assert claimed.csr is not None
    told = profile.profile.acme.finalize == "processing"
    if told and (seconds := duration(profile.profile.acme.processing_time).total_seconds()):
        await core.background.wait(seconds)
    exchange = Exchange(id=f"order-{claimed.id}", now=core.clock.now(), entropy=core.entropy, profile_id=profile.id)
    try:
        # Read again: it may have been deactivated since it asked, and then what it asked for is cancelled.
        account = await core.store.account(account.profile_id, account.id) or account
        if account.status is not AccountStatus.VALID:
            raise Refused(Reason.UNAUTHORIZED, "RFC 8555 section 7.3.6", f"the account is {account.status.value}")
        if exchange.now >= claimed.expires and await core.door.find(profile.id, claimed.id) is None:
            raise Refused(Reason.ORDER_NOT_READY, "RFC 8555 section 7.1.6", "the order expired before a certificate was issued")
        csr = csrs.read(claimed.csr, profile)
        await issue(core, exchange, profile, identity(account, profile), claimed, csr)
    except Refused as refused:
        if refused.reason not in _TRANSIENT:
            ended = (
                replace(claimed, error=problem.text(csrs.about_csr(refused)), next_attempt=None) if told else released(claimed)
            )
            await core.store.commit(ended)


async def resume(core: Core, profile: Revisioned, order: Order) -> None:
    """Take over an order whose ``next_attempt`` has passed: its worker is gone, or the CA asked to come back."""
    account = await core.store.account(order.profile_id, order.account_id)
    assert account is not None  # none is ever deleted
    claimed = replace(order, next_attempt=core.clock.now() + LEASE)
    try:
        await core.store.commit(claimed)
        await in_background(core, profile, account, replace(claimed, version=claimed.version + 1))
    except Conflict:
        # Another worker took it over.
        return
