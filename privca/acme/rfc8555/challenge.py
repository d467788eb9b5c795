"""Responding to challenges (RFC 8555 section 7.5.1), and asking for a retry (section 8.2)."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from privca.acme.ports import Authorization, AuthorizationState, Challenge, ChallengeStatus
from privca.acme.rfc8555 import authorization as authorizations
from privca.acme.rfc8555 import validation
from privca.acme.rfc8555.call import Call, decode, json
from privca.base.http import Response
from privca.base.refused import Reason, Refused

CLAUSE = "RFC 8555 section 7.5.1"
_response = msgspec.json.Decoder(dict[str, msgspec.Raw])


async def show(call: Call) -> Response:
    """The challenge, by POST-as-GET."""
    authorization, challenge = await _load(call)
    call.exchange.decided("challenge shown", CLAUSE, authorization=authorization.id, challenge=challenge.type)
    return _answer(call, authorization, challenge)


async def respond(call: Call) -> Response:
    """The client is ready: validate, or validate again.

    A response to a challenge that is decided, or whose authorization is valid already, changes nothing and is answered with what is.
    """
    decode(_response, call.payload, CLAUSE)  # these types define no response members; others are ignored
    authorization, challenge = await _load(call)
    if authorization.state is AuthorizationState.VALID:
        call.exchange.decided("challenge answered already", CLAUSE, authorization=authorization.id)
        return _answer(call, authorization, challenge)
    if authorizations.status(authorization, call.now) != AuthorizationState.PENDING.value:
        raise Refused(
            Reason.WRONG_STATE,
            "RFC 8555 section 7.1.6",
            "the authorization is not pending",
            got=authorizations.status(authorization, call.now),
        )
    if "open" in call.profile.profile.authentication:
        lasting = call.now + validation.life(call.profile)
        authorization = validation.succeeded(validation.claimed(authorization, challenge, call.now), call.now, lasting)
        await call.core.store.commit(authorization)
        call.exchange.decided("challenge counts as valid", "profile: authentication", authorization=authorization.id)
        return _answer(call, authorization, _same(authorization, challenge))
    if validation.under_way(challenge, authorization, call.now):
        call.exchange.decided("challenge is being validated", "RFC 8555 section 8.2", authorization=authorization.id)
        return _answer(call, authorization, challenge)
    other = next((c for c in authorization.challenges if c.status is ChallengeStatus.PROCESSING and c != challenge), None)
    if other is not None:
        raise Refused(Reason.WRONG_STATE, CLAUSE, f"the {other.type} challenge of this authorization is being validated")
    claimed = validation.claimed(authorization, challenge, call.now)
    await call.core.store.commit(claimed)
    claimed = replace(claimed, version=claimed.version + 1)
    url = call.urls.account(call.account.id)
    call.core.background.start(validation.pursue(call.core, call.profile, call.account, url, claimed))
    call.exchange.decided("challenge accepted for validation", CLAUSE, authorization=authorization.id, challenge=challenge.type)
    return _answer(call, claimed, _same(claimed, challenge))


async def _load(call: Call) -> tuple[Authorization, Challenge]:
    authorization = await authorizations.load(call)
    challenge = next((c for c in authorization.challenges if c.type == call.ids[1]), None)
    if challenge is None:
        raise Refused(Reason.NOT_FOUND, CLAUSE, "the authorization has no such challenge")
    return authorization, challenge


def _same(authorization: Authorization, challenge: Challenge) -> Challenge:
    return next(c for c in authorization.challenges if c.type == challenge.type)


def _answer(call: Call, authorization: Authorization, challenge: Challenge) -> Response:
    return json(
        200,
        authorizations.challenge_object(authorization, challenge, call.urls),
        ("Location", call.urls.challenge(authorization, challenge.type)),
        ("Link", f'<{call.urls.authorization(authorization.id)}>;rel="up"'),
        *authorizations.retry_after(call, authorization),
    )
