"""Validation of challenges in the background (RFC 8555 sections 7.1.6, 8 and 8.2), safe against a crash at any moment.

A challenge is claimed before it is looked at: it is stored as processing, with one attempt more than it has errors, and with a time from
which anybody may take it over (``next_attempt``). The outcome of the attempt is stored in one commit with the authorization's. Both commits
name the version that they saw, so that of two workers one wins, and a client's deactivation is never overwritten.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from privca.acme import rfc8659
from privca.acme.ports import (
    Account,
    AccountStatus,
    Authorization,
    Challenge,
    ChallengeStatus,
    Conflict,
)
from privca.acme.rfc8555 import problem
from privca.acme.rfc8555.call import Core
from privca.acme.rfc8555.methods import METHODS
from privca.acme.rfc8555.states import AUTHORIZATION, CHALLENGE, AuthorizationEvent, ChallengeEvent
from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Revisioned

LEASE = timedelta(seconds=60)
"""How long a claimed attempt is left alone: longer than the prober, waiting for its turn included, and the CAA lookups may take. Were it
shorter, attempts would be taken over while they wait, and under load none would ever end."""


def life(profile: Revisioned) -> timedelta:
    """How long a valid authorization may be used."""
    return duration(profile.profile.acme.authorization_life)


def under_way(challenge: Challenge, authorization: Authorization, now: datetime) -> bool:
    """Whether somebody is looking at this challenge right now, so that a retry would only be a second look."""
    return (
        challenge.status is ChallengeStatus.PROCESSING
        and challenge.attempts > len(challenge.errors)
        and authorization.next_attempt is not None
        and now < authorization.next_attempt
    )


def claimed(authorization: Authorization, challenge: Challenge, now: datetime) -> Authorization:
    """The authorization with one attempt at a challenge begun."""
    event = ChallengeEvent.RESPOND if challenge.status is ChallengeStatus.PENDING else ChallengeEvent.RETRY
    begun = replace(challenge, status=CHALLENGE.after(challenge.status, event), attempts=len(challenge.errors) + 1)
    return replace(authorization, challenges=_with(authorization, begun), next_attempt=now + LEASE)


def succeeded(authorization: Authorization, now: datetime, expires: datetime) -> Authorization:
    """The authorization after the attempt that was claimed has proven control."""
    challenge = processing(authorization)
    done = replace(challenge, status=CHALLENGE.after(challenge.status, ChallengeEvent.SUCCEED), validated=now)
    return replace(
        authorization,
        challenges=_with(authorization, done),
        state=AUTHORIZATION.after(authorization.state, AuthorizationEvent.SUCCEED),
        expires=expires,
        next_attempt=None,
    )


def failed(authorization: Authorization, now: datetime, refused: Refused, profile: Revisioned) -> Authorization:
    """The authorization after a failed attempt: it waits for the next one, or it was the last."""
    options = profile.profile.acme
    challenge = processing(authorization)
    challenge = replace(challenge, errors=(*challenge.errors, problem.text(refused)))
    if challenge.attempts < options.validation_attempts:
        waiting = now + duration(options.validation_interval)
        return replace(authorization, challenges=_with(authorization, challenge), next_attempt=waiting)
    final = replace(challenge, status=CHALLENGE.after(challenge.status, ChallengeEvent.FAIL))
    return replace(
        authorization,
        challenges=_with(authorization, final),
        state=AUTHORIZATION.after(authorization.state, AuthorizationEvent.FAIL),
        next_attempt=None,
    )


def lapsed(authorization: Authorization) -> Authorization:
    """The authorization after it expired under a validation: the challenge has failed, and expired it stays."""
    challenge = processing(authorization)
    error = problem.text(Refused(Reason.UNAUTHORIZED, "RFC 8555 section 7.1.6", "the authorization has expired"))
    final = replace(challenge, status=CHALLENGE.after(challenge.status, ChallengeEvent.FAIL), errors=(*challenge.errors, error))
    return replace(authorization, challenges=_with(authorization, final), next_attempt=None)


def processing(authorization: Authorization) -> Challenge:
    """The challenge that is being validated: there is at most one."""
    return next(c for c in authorization.challenges if c.status is ChallengeStatus.PROCESSING)


def _with(authorization: Authorization, challenge: Challenge) -> tuple[Challenge, ...]:
    return tuple(challenge if c.type == challenge.type else c for c in authorization.challenges)


async def check_caa(core: Core, profile: Revisioned, account_url: str, authorization: Authorization, method: str) -> None:
    """CAA (RFC 8659, with RFC 8657), if the profile asks for it. :raises Refused: ``CAA``."""
    options = profile.profile.acme
    if options.caa:
        await rfc8659.check_caa(
            lambda probe: core.prober.observe(probe, account_url),
            profile.id,
            authorization.name,
            authorization.wildcard,
            options.caa_identities,
            account_url,
            method,
        )


async def _look(core: Core, profile: Revisioned, account: Account, account_url: str, authorization: Authorization) -> None:
    """One attempt: the challenge, then CAA. :raises Refused: what failed."""
    _check_account(account)
    challenge = processing(authorization)
    method = METHODS[challenge.type]
    name = authorization.name
    probe = method.plan(name, profile.id, challenge.token, account.thumbprint)
    method.judge(await core.prober.observe(probe, account_url), name, challenge.token, account.thumbprint)
    await check_caa(core, profile, account_url, authorization, challenge.type)
    # Looking took its time, in which the account may have been deactivated.
    _check_account(await core.store.account(account.profile_id, account.id) or account)


def _check_account(account: Account) -> None:
    if account.status is not AccountStatus.VALID:
        raise Refused(Reason.UNAUTHORIZED, "RFC 8555 section 7.3.6", f"the account is {account.status.value}")


async def _attempt(
    core: Core, profile: Revisioned, account: Account, account_url: str, authorization: Authorization
) -> Authorization:
    """The authorization after the attempt that was claimed."""
    refused: Refused | None = None
    if core.clock.now() < authorization.expires:
        try:
            await _look(core, profile, account, account_url, authorization)
        except Refused as found:
            refused = found
    now = core.clock.now()
    if now >= authorization.expires:
        return lapsed(authorization)
    if refused is not None:
        return failed(authorization, now, refused, profile)
    return succeeded(authorization, now, now + life(profile))


async def pursue(core: Core, profile: Revisioned, account: Account, account_url: str, authorization: Authorization) -> None:
    """Carry a claimed challenge through all its attempts, until it is decided or somebody else changed the authorization."""
    while True:
        outcome = await _attempt(core, profile, account, account_url, authorization)
        try:
            await core.store.commit(outcome)
            if outcome.next_attempt is None:
                return
            await core.background.wait(duration(profile.profile.acme.validation_interval).total_seconds())
            waiting = replace(outcome, version=outcome.version + 1)
            again = claimed(waiting, processing(waiting), core.clock.now())
            await core.store.commit(again)
        except Conflict:
            # The client deactivated the authorization or asked for a retry, or another worker took it over: their word counts.
            return
        authorization = replace(again, version=again.version + 1)
        account = await core.store.account(account.profile_id, account.id) or account


async def resume(core: Core, profile: Revisioned, authorization: Authorization) -> None:
    """Take over a challenge whose ``next_attempt`` has passed, because its worker is gone."""
    account = await core.store.account(authorization.profile_id, authorization.account_id)
    assert account is not None  # none is ever deleted
    again = claimed(authorization, processing(authorization), core.clock.now())
    try:
        await core.store.commit(again)
    except Conflict:
        return
    url = f"{core.origin}/acme/{profile.id}/acct/{account.id}"
    await pursue(core, profile, account, url, replace(again, version=again.version + 1))
