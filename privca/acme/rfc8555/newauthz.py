"""newAuthz: pre-authorization (RFC 8555 section 7.4.1)."""

from __future__ import annotations

import msgspec

from privca.acme.rfc8555 import authorization as authorizations
from privca.acme.rfc8555 import identifier, ratelimit, terms
from privca.acme.rfc8555.call import Call, decode, json
from privca.acme.rfc8555.directory import pre_authorization
from privca.base.durations import duration
from privca.base.http import Response
from privca.base.refused import Reason, Refused

CLAUSE = "RFC 8555 section 7.4.1"


class NewAuthz(msgspec.Struct, frozen=True):
    """Payload of newAuthz."""

    identifier: identifier.Wanted


_new_authz = msgspec.json.Decoder(NewAuthz)


async def new(call: Call) -> Response:
    """Make an authorization before any order needs it: 201, or 200 with the one that the account has already (erratum 5861)."""
    if not pre_authorization(call.options):
        raise Refused(Reason.NOT_FOUND, CLAUSE, "this profile has no pre-authorization")
    terms.check(call)
    wanted = decode(_new_authz, call.payload, CLAUSE)
    (name,) = identifier.names_of(call, (wanted.identifier,), CLAUSE)
    if name.wildcard:
        raise Refused(Reason.REJECTED_IDENTIFIER, CLAUSE, "a wildcard cannot be authorized in advance", name=name)
    found = next(iter(await call.core.store.authorizations_of(call.account.id, ((name, False),), call.now)), None)
    if found is None:
        await ratelimit.check_new_authorization(call, name)
        authorization = authorizations.create(call, name, call.now + duration(call.options.order_life))
        await call.core.store.commit(authorization)
    else:
        authorization = found
    outcome = "authorization created" if found is None else "authorization found"
    call.exchange.decided(outcome, CLAUSE, authorization=authorization.id, name=name.value)
    return json(
        201 if found is None else 200,
        authorizations.object_of(authorization, call.urls, call.now),
        ("Location", call.urls.authorization(authorization.id)),
    )
