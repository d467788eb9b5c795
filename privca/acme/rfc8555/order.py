"""Orders: object and status (RFC 8555 sections 7.1.3 and 7.1.6), and their POST-as-GET (section 7.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from privca.acme.ports import Authorization, AuthorizationState, Order
from privca.acme.rfc8555 import problem
from privca.acme.rfc8555.call import Call, json, seconds_until
from privca.acme.rfc8555.problem import Identifier
from privca.acme.rfc8555.states import OrderStatus
from privca.acme.rfc8555.urls import Urls
from privca.base.clock import rfc3339
from privca.base.http import Response
from privca.base.names import Name
from privca.base.refused import Reason, Refused


class OrderObject(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Section 7.1.3."""

    status: OrderStatus
    expires: str
    identifiers: list[Identifier]
    authorizations: list[str]
    finalize: str
    not_before: str | None = None
    not_after: str | None = None
    error: msgspec.Raw | None = None
    certificate: str | None = None
    replaces: str | None = None


def status(order: Order, authorizations: Sequence[Authorization], now: datetime) -> OrderStatus:
    """The status of an order: a function of its record, its authorizations and the time.

    While issuance is under way nothing but its outcome counts: what was authorized when the CSR came stays authorized.
    """
    if order.certificate_id is not None:
        return OrderStatus.VALID
    if order.error is not None:
        return OrderStatus.INVALID
    if order.next_attempt is not None:
        return OrderStatus.PROCESSING
    if _obstacle(order, authorizations, now) is not None:
        return OrderStatus.INVALID
    if all(authorization.state is AuthorizationState.VALID for authorization in authorizations):
        return OrderStatus.READY
    return OrderStatus.PENDING


def _obstacle(order: Order, authorizations: Sequence[Authorization], now: datetime) -> Refused | None:
    """Why an order that nothing has happened to can no longer succeed, if so."""
    if now >= order.expires:
        return Refused(Reason.MALFORMED, "RFC 8555 section 7.1.6", "the order has expired")
    for authorization in authorizations:
        if authorization.state is AuthorizationState.INVALID:
            detail = "an authorization has failed: see the error of its challenge"
        elif authorization.state in (AuthorizationState.DEACTIVATED, AuthorizationState.REVOKED):
            detail = f"an authorization was {authorization.state.value}"
        elif now >= authorization.expires:
            detail = "an authorization has expired"
        else:
            continue
        return Refused(Reason.UNAUTHORIZED, "RFC 8555 section 7.1.6", detail, name=authorization.name)
    return None


def object_of(order: Order, authorizations: Sequence[Authorization], urls: Urls, now: datetime) -> OrderObject:
    """The order object."""
    current = status(order, authorizations, now)
    error = order.error
    if error is None and current is OrderStatus.INVALID:
        obstacle = _obstacle(order, authorizations, now)
        error = None if obstacle is None else problem.text(obstacle)
    return OrderObject(
        status=current,
        expires=rfc3339(order.expires),
        identifiers=[identifier(name) for name in order.names],
        authorizations=[urls.authorization(id) for id in order.authorization_ids],
        finalize=urls.finalize(order),
        not_before=None if order.not_before is None else rfc3339(order.not_before),
        not_after=None if order.not_after is None else rfc3339(order.not_after),
        error=None if error is None else msgspec.Raw(error.encode()),
        certificate=None if order.certificate_id is None else urls.certificate(order.certificate_id),
        replaces=order.replaces,
    )


def identifier(name: Name) -> Identifier:
    """A name as an identifier object."""
    return Identifier(name.kind.value, name.value)


def answer(code: int, call: Call, order: Order, authorizations: Sequence[Authorization]) -> Response:
    """A reply with the order object, its URL, and while it is processing the time to ask again."""
    headers = [("Location", call.urls.order(order))]
    if order.next_attempt is not None:
        headers.append(("Retry-After", str(min(call.options.retry_after, seconds_until(order.next_attempt, call.now)))))
    return json(code, object_of(order, authorizations, call.urls, call.now), *headers)


async def load(call: Call) -> Order:
    """The order that the path names. :raises Refused: ``NOT_FOUND``, ``UNAUTHORIZED``."""
    found = await call.core.store.order(call.profile.id, call.ids[0])
    if found is None:
        raise Refused(Reason.NOT_FOUND, "RFC 8555 section 7.4", "there is no such order")
    if found.account_id != call.account.id:
        raise Refused(Reason.UNAUTHORIZED, "RFC 8555 section 7.4", "the order belongs to another account")
    return found


async def show(call: Call) -> Response:
    """The order, by POST-as-GET."""
    order = await load(call)
    # An order that has its certificate is valid, whatever has become of its authorizations since.
    authorizations = await call.core.store.authorizations(order) if order.certificate_id is None else ()
    call.exchange.decided("order shown", "RFC 8555 section 7.4", order=order.id)
    return answer(200, call, order, authorizations)
