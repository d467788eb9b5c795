"""Account key rollover (RFC 8555 section 7.3.5)."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from privca.acme.rfc8555 import account as accounts
from privca.acme.rfc8555.call import Call, decode
from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.jose import rfc7515, rfc7517
from privca.pkix import weak

CLAUSE = "RFC 8555 section 7.3.5"


class KeyChange(msgspec.Struct, frozen=True, rename="camel"):
    """Payload of the inner JWS."""

    account: str
    old_key: dict[str, object]


_key_change = msgspec.json.Decoder(KeyChange)


async def change(call: Call) -> Response:
    """Replace the account key by the one that signed the inner JWS; nothing else of the account changes."""
    inner = rfc7515.parse(call.payload)
    header = inner.protected
    if "jwk" not in header or "kid" in header:
        raise Refused(Reason.MALFORMED, CLAUSE, "the inner JWS has the new key in jwk, and no kid")
    if "nonce" in header:
        raise Refused(Reason.MALFORMED, CLAUSE, "the inner JWS has no nonce")
    new_key = rfc7517.parse_jwk(header["jwk"], weak.check)
    rfc7515.verify(inner, new_key)
    wanted = decode(_key_change, inner.payload, CLAUSE)
    if header.get("url") != call.url:
        raise Refused(Reason.MALFORMED, CLAUSE, "inner and outer JWS have different urls")
    account = call.account
    if wanted.account != call.urls.account(account.id):
        raise Refused(Reason.MALFORMED, CLAUSE, "account is not the URL of the account that signed the request")
    if rfc7517.parse_jwk(wanted.old_key).thumbprint != account.thumbprint:
        raise Refused(Reason.MALFORMED, CLAUSE, "oldKey is not the key of the account")
    holder = await call.core.store.account_by_thumbprint(account.profile_id, new_key.thumbprint)
    if holder is not None:
        raise Refused(Reason.KEY_IN_USE, CLAUSE, "the new key belongs to an account", location=call.urls.account(holder.id))
    changed = replace(account, thumbprint=new_key.thumbprint, jwk=new_key.canonical)
    await call.core.store.commit(changed)
    call.exchange.decided("account key changed", CLAUSE, account=account.id, thumbprint=new_key.thumbprint)
    return accounts.answer(200, changed, call.urls)
