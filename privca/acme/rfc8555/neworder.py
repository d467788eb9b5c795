"""newOrder (RFC 8555 section 7.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from privca.acme import rfc9773
from privca.acme.ports import Authorization, Order
from privca.acme.rfc8555 import authorization as authorizations
from privca.acme.rfc8555 import identifier, order, ratelimit, terms
from privca.acme.rfc8555.call import Call, decode
from privca.acme.rfc8555.directory import external_account_required
from privca.base.durations import duration
from privca.base.entropy import token
from privca.base.http import Response
from privca.base.names import Name
from privca.base.refused import Reason, Refused

CLAUSE = "RFC 8555 section 7.4"
REUSE_MARGIN = timedelta(minutes=10)
"""A valid authorization that ends sooner is not reused: the order would be worth nothing by the time the client finalizes it."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class NewOrder(msgspec.Struct, frozen=True, rename="camel"):
    """Payload of newOrder."""

    identifiers: list[identifier.Wanted]
    not_before: Moment | None = None
    not_after: Moment | None = None
    replaces: str | None = None


_new_order = msgspec.json.Decoder(NewOrder)


async def new(call: Call) -> Response:
    """Make an order, with an authorization for each identifier: a valid one that the account has, or a new one."""
    if external_account_required(call.profile) and call.account.external_key_id is None:
        # The account is older than the rule; told now, its client does not prove its names in vain.
        raise Refused(
            Reason.EXTERNAL_ACCOUNT_REQUIRED, "RFC 8555 section 7.3.4", "this profile now issues to bound accounts alone"
        )
    terms.check(call)
    wanted = decode(_new_order, call.payload, CLAUSE)
    names = identifier.names_of(call, wanted.identifiers, CLAUSE)
    not_before, not_after = await _validity(call, wanted)
    expires = call.now + duration(call.options.order_life)
    reused = await _reusable(call, names)
    await ratelimit.check_new_order(call, (name for name in names if name not in reused))
    added: list[Authorization] = []
    failures: list[Refused] = []
    used: list[Authorization] = []
    for name in names:
        found = reused.get(name)
        if found is None:
            try:
                found = authorizations.create(call, name, expires)
            except Refused as refused:
                failures.append(refused)
                continue
            added.append(found)
        used.append(found)
    if failures:
        raise identifier.together(failures, CLAUSE)
    order_id = token(call.core.entropy)
    replaces = wanted.replaces if call.options.renewal_information else None
    marked = [] if replaces is None else [await rfc9773.replacement(call, replaces, names, order_id)]
    made = Order(
        id=order_id,
        account_id=call.account.id,
        profile_id=call.profile.id,
        names=names,
        authorization_ids=tuple(authorization.id for authorization in used),
        not_before=not_before,
        not_after=not_after,
        # The order is a promise until it expires: it cannot outlive an authorization that it rests on.
        expires=min([expires, *(authorization.expires for authorization in used)]),
        created=call.now,
        replaces=replaces,
    )
    await call.core.store.commit(*added, *marked, made)
    call.exchange.decided("order created", CLAUSE, order=made.id, names=" ".join(name.value for name in names))
    return order.answer(201, call, made, used)


async def _reusable(call: Call, names: tuple[Name, ...]) -> dict[Name, Authorization]:
    """Valid authorizations that the account has for these names; never failed, pending or nearly expired ones."""
    if not call.options.authorization_reuse:
        return {}
    asked = {(Name(name.kind, name.value.removeprefix("*.")) if name.wildcard else name, name.wildcard): name for name in names}
    found = await call.core.store.authorizations_of(call.account.id, tuple(asked), call.now)
    reusable: dict[Name, Authorization] = {}
    for authorization in found:
        if authorizations.usable(authorization, call.now + REUSE_MARGIN):
            reusable.setdefault(asked[authorization.name, authorization.wildcard], authorization)
    return reusable


async def _validity(call: Call, wanted: NewOrder) -> tuple[datetime | None, datetime | None]:
    """The dates that are asked for, if the certificate can have exactly them (section 7.4: fulfil as specified, or refuse)."""
    if wanted.not_before is None and wanted.not_after is None:
        return None, None
    if not call.options.validity_request:
        raise Refused(Reason.BAD_VALIDITY, "profile: acme.validity_request", "notBefore and notAfter are chosen by the CA")
    not_before, not_after = _utc(wanted.not_before), _utc(wanted.not_after)
    await call.core.door.check_validity(call.exchange, call.profile, not_before, not_after)
    return not_before, not_after


def _utc(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    if at.microsecond or not 1950 <= at.year <= 9998:
        raise Refused(Reason.BAD_VALIDITY, "RFC 5280 section 4.1.2.5", "a certificate has whole seconds, from 1950 to 9998")
    return at.astimezone(UTC)
