"""Authorizations (RFC 8555 sections 7.1.4, 7.5 and 7.5.2), and how they are made."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from privca.acme.ports import Authorization, AuthorizationState, Challenge, ChallengeStatus
from privca.acme.rfc8555 import methods
from privca.acme.rfc8555.call import Call, decode, json, seconds_until
from privca.acme.rfc8555.order import identifier
from privca.acme.rfc8555.problem import Identifier, Problem, together
from privca.acme.rfc8555.states import AUTHORIZATION, AuthorizationEvent
from privca.acme.rfc8555.urls import Urls
from privca.base.clock import rfc3339
from privca.base.entropy import token
from privca.base.http import Response
from privca.base.names import Name
from privca.base.refused import Reason, Refused


class ChallengeObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 8."""

    type: str
    url: str
    status: ChallengeStatus
    token: str
    validated: str | None = None
    error: Problem | None = None


class AuthorizationObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 7.1.4."""

    identifier: Identifier
    status: str
    expires: str
    challenges: list[ChallengeObject]
    wildcard: bool = False


class Update(msgspec.Struct, frozen=True):
    """Payload of a deactivation (section 7.5.2)."""

    status: str | None = None


_update = msgspec.json.Decoder(Update)


def create(call: Call, name: Name, expires: datetime) -> Authorization:
    """A pending authorization, with each challenge of the profile that can prove the name.

    :raises Refused: ``REJECTED_IDENTIFIER`` if there is none: such an authorization could never become valid.
    """
    base = Name(name.kind, name.value.removeprefix("*.")) if name.wildcard else name
    challenges = tuple(
        Challenge(type, token(call.core.entropy), ChallengeStatus.PENDING)
        for type in call.options.challenges
        if methods.METHODS[type].offered_for(base, name.wildcard)
    )
    if not challenges:
        raise Refused(
            Reason.REJECTED_IDENTIFIER,
            "profile: acme.challenges",
            "no challenge of this profile can prove control of this identifier",
            name=name,
        )
    return Authorization(
        id=token(call.core.entropy),
        account_id=call.account.id,
        profile_id=call.profile.id,
        name=base,
        wildcard=name.wildcard,
        state=AuthorizationState.PENDING,
        expires=expires,
        challenges=challenges,
        created=call.now,
    )


def usable(authorization: Authorization, now: datetime) -> bool:
    """Whether it authorizes anything now."""
    return authorization.state is AuthorizationState.VALID and now < authorization.expires


def status(authorization: Authorization, now: datetime) -> str:
    """The status on the wire: what is stored, or ``expired``."""
    live = authorization.state in (AuthorizationState.PENDING, AuthorizationState.VALID)
    return "expired" if live and now >= authorization.expires else authorization.state.value


def challenge_object(authorization: Authorization, challenge: Challenge, urls: Urls) -> ChallengeObject:
    """The challenge object. An error stands in it while it is processing (erratum 5732) and when it is invalid."""
    failed = challenge.status in (ChallengeStatus.PROCESSING, ChallengeStatus.INVALID)
    return ChallengeObject(
        type=challenge.type,
        url=urls.challenge(authorization, challenge.type),
        status=challenge.status,
        token=challenge.token,
        validated=None if challenge.validated is None else rfc3339(challenge.validated),
        error=together(challenge.errors) if failed else None,
    )


def object_of(authorization: Authorization, urls: Urls, now: datetime) -> AuthorizationObject:
    """The authorization object. Once it is valid or invalid it shows the challenge that made it so (section 7.1.4)."""
    challenges = authorization.challenges
    if authorization.state is not AuthorizationState.PENDING:
        final = (ChallengeStatus.VALID, ChallengeStatus.INVALID)
        challenges = tuple(challenge for challenge in challenges if challenge.status in final) or challenges
    return AuthorizationObject(
        identifier=identifier(authorization.name),
        status=status(authorization, now),
        expires=rfc3339(authorization.expires),
        challenges=[challenge_object(authorization, challenge, urls) for challenge in challenges],
        wildcard=authorization.wildcard,
    )


def retry_after(call: Call, authorization: Authorization) -> list[tuple[str, str]]:
    """While a challenge is processing: a time after the next query (section 8.2, erratum 7826)."""
    if authorization.next_attempt is None:
        return []
    probing = any(c.status is ChallengeStatus.PROCESSING and c.attempts > len(c.errors) for c in authorization.challenges)
    seconds = call.options.retry_after if probing else seconds_until(authorization.next_attempt, call.now) + 1
    return [("Retry-After", str(seconds))]


async def load(call: Call) -> Authorization:
    """The authorization that the path names. :raises Refused: ``NOT_FOUND``, ``UNAUTHORIZED``."""
    found = await call.core.store.authorization(call.profile.id, call.ids[0])
    if found is None:
        raise Refused(Reason.NOT_FOUND, "RFC 8555 section 7.5", "there is no such authorization")
    if found.account_id != call.account.id:
        raise Refused(Reason.UNAUTHORIZED, "RFC 8555 section 7.5", "the authorization belongs to another account")
    return found


async def show(call: Call) -> Response:
    """The authorization, by POST-as-GET."""
    authorization = await load(call)
    call.exchange.decided("authorization shown", "RFC 8555 section 7.5", authorization=authorization.id)
    return json(200, object_of(authorization, call.urls, call.now), *retry_after(call, authorization))


async def update(call: Call) -> Response:
    """Deactivate, which is all that a client can do to an authorization (section 7.5.2)."""
    wanted = decode(_update, call.payload, "RFC 8555 section 7.5.2")
    if wanted.status != AuthorizationState.DEACTIVATED.value:
        raise Refused(
            Reason.MALFORMED, "RFC 8555 section 7.5.2", "not an update of an authorization", expected='{"status": "deactivated"}'
        )
    authorization = await load(call)
    if status(authorization, call.now) == "expired":
        raise Refused(Reason.WRONG_STATE, "RFC 8555 section 7.1.6", "the authorization has expired")
    state = AUTHORIZATION.after(authorization.state, AuthorizationEvent.DEACTIVATE)
    authorization = replace(authorization, state=state, next_attempt=None)
    await call.core.store.commit(authorization)
    call.exchange.decided("authorization deactivated", "RFC 8555 section 7.5.2", authorization=authorization.id)
    return json(200, object_of(authorization, call.urls, call.now))
