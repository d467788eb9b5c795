"""Accounts (RFC 8555 sections 7.1.2 and 7.3 to 7.3.3, 7.3.6)."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from privca.acme.ports import Account, AccountStatus, ExternalKey
from privca.acme.rfc8555 import binding, contact, ratelimit, terms
from privca.acme.rfc8555.authentication import check_active, other_profile
from privca.acme.rfc8555.call import Call, decode, json
from privca.acme.rfc8555.directory import external_account_required
from privca.acme.rfc8555.order import status as order_status
from privca.acme.rfc8555.states import ACCOUNT, AccountEvent, OrderStatus
from privca.acme.rfc8555.urls import Urls
from privca.base.entropy import token
from privca.base.http import Response
from privca.base.refused import Reason, Refused


class NewAccount(msgspec.Struct, frozen=True, rename="camel"):
    """Payload of newAccount (section 7.3)."""

    contact: list[str] | None = None
    terms_of_service_agreed: bool | None = None
    only_return_existing: bool | None = None
    # Not ``Raw | None``: of such a union msgspec reads nothing but null. So what is absent is null here, as it is in the other members.
    external_account_binding: msgspec.Raw = msgspec.Raw(b"null")


class Update(msgspec.Struct, frozen=True, rename="camel"):
    """Payload of an account update (sections 7.3.2, 7.3.3 and 7.3.6)."""

    contact: list[str] | None = None
    status: str | None = None
    # Of any type where it is ignored: an update is not refused for a member that it must not have.
    terms_of_service_agreed: object = None


class AccountObject(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Section 7.1.2."""

    status: AccountStatus
    orders: str
    contact: tuple[str, ...] = ()
    terms_of_service_agreed: bool = False
    external_account_binding: msgspec.Raw | None = None


class OrdersList(msgspec.Struct, frozen=True):
    """Section 7.1.2.1."""

    orders: list[str]


_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_new_account = msgspec.json.Decoder(NewAccount)
_update = msgspec.json.Decoder(Update)


def object_of(account: Account, urls: Urls) -> AccountObject:
    """The account object."""
    external = account.external_account
    return AccountObject(
        status=account.status,
        orders=urls.orders(account),
        contact=account.contact,
        terms_of_service_agreed=account.terms is not None,
        external_account_binding=None if external is None else msgspec.Raw(external.encode()),
    )


def answer(status: int, account: Account, urls: Urls) -> Response:
    """A reply with the account object and its URL."""
    return json(status, object_of(account, urls), ("Location", urls.account(account.id)))


async def new(call: Call) -> Response:
    """newAccount: find the account of this key, or make one."""
    found = await _find(call)
    if found is not None:
        # Section 7.3.1: the members of the request are ignored, whatever they are.
        decode(_object, call.payload, "RFC 8555 section 7.3")
        check_active(found)
        call.exchange.decided("account found", "RFC 8555 section 7.3.1", account=found.id)
        return answer(200, found, call.urls.of_profile(found.profile_id))
    wanted = decode(_new_account, call.payload, "RFC 8555 section 7.3")
    if wanted.only_return_existing:
        raise Refused(Reason.UNKNOWN_ACCOUNT, "RFC 8555 section 7.3.1", "this key has no account")
    external: ExternalKey | None = None
    profile, urls = call.profile, call.urls
    bound = bytes(wanted.external_account_binding)
    if bound != b"null" and (urls.shared or "eab" in profile.profile.authentication):
        external = await binding.verify(call, bound)
        if external.profile_id != profile.id:
            # Only the path without a profile ID finds a key of another profile: the key chooses.
            chosen = await other_profile(call.core, external.profile_id)
            if chosen is None:
                raise Refused(Reason.UNAUTHORIZED, binding.CLAUSE, "the profile of the external account key is disabled")
            profile, urls = chosen, urls.of_profile(chosen.id)
    if external is None and external_account_required(profile):
        raise Refused(
            Reason.EXTERNAL_ACCOUNT_REQUIRED, binding.CLAUSE, "accounts of this profile need an external account binding"
        )
    options = profile.profile.acme
    if options.terms_of_service and not wanted.terms_of_service_agreed:
        raise Refused(
            Reason.TERMS_NOT_AGREED,
            "RFC 8555 section 7.3",
            "the terms of service are not agreed to",
            expected='"termsOfServiceAgreed": true',
            location=options.terms_of_service,
        )
    await ratelimit.check_new_account(call, profile)
    account = Account(
        id=token(call.core.entropy),
        profile_id=profile.id,
        status=AccountStatus.VALID,
        thumbprint=call.key.thumbprint,
        jwk=call.key.canonical,
        contact=contact.check(wanted.contact or (), options.contacts_maximum),
        terms=options.terms_of_service if wanted.terms_of_service_agreed else None,
        external_account=None if external is None else bound.decode(),
        external_key_id=None if external is None else external.id,
        created=call.now,
    )
    if external is None:
        await call.core.store.commit(account)
    else:
        await call.core.store.commit(account, replace(external, account_id=account.id))
    call.exchange.decided("account created", "RFC 8555 section 7.3", account=account.id, profile=profile.id)
    return answer(201, account, urls)


async def _find(call: Call) -> Account | None:
    """The account of the key: in this profile, or by the path without a profile ID in any that is enabled."""
    if not call.urls.shared:
        return await call.core.store.account_by_thumbprint(call.profile.id, call.key.thumbprint)
    found = await call.core.store.account_by_thumbprint(None, call.key.thumbprint)
    return found if found is not None and await other_profile(call.core, found.profile_id) is not None else None


async def show(call: Call) -> Response:
    """The account, by POST-as-GET."""
    _own(call)
    call.exchange.decided("account shown", "RFC 8555 section 6.3", account=call.account.id)
    return answer(200, call.account, call.urls)


async def update(call: Call) -> Response:
    """Change contacts, agree to new terms, or deactivate. Every other member is ignored, every other status too."""
    _own(call)
    wanted = decode(_update, call.payload, "RFC 8555 section 7.3.2")
    account = call.account
    if wanted.contact is not None:
        account = replace(account, contact=contact.check(wanted.contact, call.options.contacts_maximum))
    if wanted.status == AccountStatus.DEACTIVATED.value:
        account = replace(account, status=ACCOUNT.after(account.status, AccountEvent.DEACTIVATE))
        call.exchange.decided("account deactivated", "RFC 8555 section 7.3.6", account=account.id)
    elif wanted.terms_of_service_agreed is True and wanted.contact is None and wanted.status is None and terms.outdated(call):
        account = terms.agreed(call)
        call.exchange.decided("terms agreed to", terms.CLAUSE, account=account.id)
    else:
        call.exchange.decided("account updated", "RFC 8555 section 7.3.2", account=account.id)
    if account is not call.account:
        await call.core.store.commit(account)
    return answer(200, account, call.urls)


async def orders(call: Call) -> Response:
    """One page of the orders list, oldest first, without those that are invalid."""
    _own(call)
    limit = call.options.orders_per_page
    query = call.request.query
    after = query.removeprefix("cursor=") or None
    if query and (after is None or after == query or "&" in query):
        raise Refused(Reason.NOT_FOUND, "RFC 8555 section 7.1.2.1", "there is no such page of the orders list")
    page = list(await call.core.store.orders(call.account.id, after, limit + 1))
    more, page = len(page) > limit, page[:limit]
    listed = [
        call.urls.order(order)
        for order, authorizations in page
        if order_status(order, authorizations, call.now) is not OrderStatus.INVALID
    ]
    links = [("Link", f'<{call.urls.orders(call.account)}?cursor={page[-1][0].id}>;rel="next"')] if more else []
    call.exchange.decided("orders listed", "RFC 8555 section 7.1.2.1", account=call.account.id)
    return json(200, OrdersList(listed), *links)


def _own(call: Call) -> None:
    if call.ids[0] != call.account.id:
        raise Refused(Reason.UNAUTHORIZED, "RFC 8555 section 7.3.2", "this is not the account that signed the request")
