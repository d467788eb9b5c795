"""Request authentication (RFC 8555 sections 6.2 to 6.5).

The order of the checks: form, nonce, signer, URL, account, signature. What is malformed costs no store call; what carries a nonce spends it;
a signature is verified only for an account that exists; and only who holds its key learns that an account is deactivated.
"""

from __future__ import annotations

import enum
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from privca.acme.ports import Account, AccountStatus
from privca.acme.rfc8555.call import Call, Core, url
from privca.acme.rfc8555.urls import Urls
from privca.base.exchange import Exchange
from privca.base.http import Request
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Revisioned
from privca.jose import rfc4648, rfc7515, rfc7517, rfc8259
from privca.pkix import weak

MEDIA_TYPE = "application/jose+json"


class Signer(enum.Enum):
    """Who signs the requests of a resource (section 6.2)."""

    NEW_KEY = "jwk"
    ACCOUNT = "kid"
    EITHER = "jwk or kid"


class Signed(msgspec.Struct, frozen=True):
    """A request body whose form is right, with its nonce spent, but whose signature is not verified yet."""

    jws: rfc7515.Jws
    profile: Revisioned
    urls: Urls
    account_id: str | None


async def authenticate(
    core: Core, exchange: Exchange, request: Request, profile: Revisioned, urls: Urls, ids: tuple[str, ...], signer: Signer
) -> Call:
    """Who sent this, and what. :raises Refused: as sections 6.2 to 6.5 say."""
    signed = await _open(core, exchange, request, profile, urls)
    header = signed.jws.protected
    if "jwk" in header and "kid" in header:
        raise Refused(Reason.MALFORMED, "RFC 8555 section 6.2", "jwk and kid exclude each other", got="both")
    given = "kid" if "kid" in header else "jwk" if "jwk" in header else None
    if given is None or given not in signer.value:
        raise Refused(
            Reason.MALFORMED, "RFC 8555 section 6.2", "the wrong key member for this resource", expected=signer.value, got=given
        )
    if header.get("url") != url(request):
        raise Refused(
            Reason.UNAUTHORIZED,
            "RFC 8555 section 6.4",
            "the url in the protected header is not the URL of the request",
            expected=url(request)[:200],
            got=repr(header.get("url"))[:200],
        )
    account: Account | None = None
    if given == "jwk":
        key = rfc7517.parse_jwk(header["jwk"], weak.check)
    else:
        if signed.account_id is None:
            raise Refused(
                Reason.UNKNOWN_ACCOUNT,
                "RFC 8555 section 6.2",
                "the kid is not an account URL of this profile",
                expected=signed.urls.account("..."),
                got=repr(header["kid"])[:200],
            )
        account = await core.store.account(signed.profile.id, signed.account_id)
        if account is None:
            raise Refused(Reason.UNKNOWN_ACCOUNT, "RFC 8555 section 6.2", "there is no such account")
        key = rfc7517.load(account.jwk)
    rfc7515.verify(signed.jws, key)
    if account is not None:
        check_active(account)
    return Call(
        core=core,
        exchange=exchange,
        request=request,
        profile=signed.profile,
        urls=signed.urls,
        ids=ids,
        payload=signed.jws.payload,
        key=key,
        signer=account,
    )


async def reread(call: Call) -> Call:
    """The same request with its account as it is now. :raises Refused: if that may no longer ask."""
    if call.signer is None:
        return call
    account = await call.core.store.account(call.profile.id, call.signer.id)
    if account is None or account.thumbprint != call.key.thumbprint:
        raise Refused(Reason.UNAUTHENTICATED, "RFC 8555 section 7.3.5", "the key of the account has changed")
    check_active(account)
    return replace(call, signer=account)


async def _open(core: Core, exchange: Exchange, request: Request, profile: Revisioned, urls: Urls) -> Signed:
    """Form and nonce; and on the path without a profile ID, the profile that the account URL names."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise Refused(
            Reason.UNSUPPORTED_MEDIA_TYPE,
            "RFC 8555 section 6.2",
            "the wrong media type of a request body",
            expected=MEDIA_TYPE,
            got=repr(media_type[:80]),
        )
    try:
        jws = rfc7515.parse(request.body)
    except Refused:
        await _spend_what_appeared(core, exchange, request, profile)
        raise
    kid = jws.protected.get("kid")
    found = urls.account_of(kid) if isinstance(kid, str) else None
    account_id: str | None = None
    if found is not None:
        profile_id, account_id = found
        if profile_id != profile.id:
            profile = await other_profile(core, profile_id) or profile
            urls = urls.of_profile(profile.id)
            account_id = account_id if profile.id == profile_id else None
    await core.nonces.spend(jws.protected.get("nonce"), profile.id, exchange.now, profile.profile.acme.refused_nonces)
    return Signed(jws, profile, urls, account_id)


async def _spend_what_appeared(core: Core, exchange: Exchange, request: Request, profile: Revisioned) -> None:
    """Spend the nonce of a body that is refused for its form or algorithm, if one can be found in it: it has appeared (section 6.5)."""
    with suppress(Refused):
        protected = rfc8259.load_object(request.body, "the JWS").get("protected")
        if isinstance(protected, str):
            header = rfc8259.load_object(rfc4648.decode(protected, "the protected header"), "the protected header")
            await core.nonces.spend(header.get("nonce"), profile.id, exchange.now)


async def other_profile(core: Core, profile_id: str) -> Revisioned | None:
    """An enabled ACME profile, for the path without a profile ID."""
    found = await core.store.profile(profile_id)
    return found if found is not None and found.profile.protocol == "acme" and found.profile.enabled else None


def check_active(account: Account) -> None:
    """:raises Refused: ``UNAUTHENTICATED`` if the account is deactivated or revoked (section 7.3.6)."""
    if account.status is not AccountStatus.VALID:
        raise Refused(Reason.UNAUTHENTICATED, "RFC 8555 section 7.3.6", f"the account is {account.status.value}")
