"""``/cacerts`` (RFC 7030 section 4.1): the root, every CA on the way to it, and what a client needs during a rollover of any of them."""

from __future__ import annotations

from datetime import datetime

from privca.base.http import Response
from privca.est.rfc7030 import transfer
from privca.est.rfc7030.call import Call
from privca.issuance.ca_key import CaKey
from privca.issuance.ports import GenerationRole

# RFC 7030 names no smime-type here, and libest's own server sends none.
_MEDIA_TYPE = "application/pkcs7-mime"


async def show(call: Call) -> Response:
    """All certificates of the profile's CA and those above it that are of use now. Nobody is asked who they are (section 4.1.2)."""
    found: dict[bytes, None] = {}
    above = call.profile.profile.issuer
    while above:
        parent = call.core.authorities.configured(above).parent
        for key in await call.core.authorities.generations(above):
            if _is_shown(key, call.now, root=not parent):
                found.update(dict.fromkeys(_certificates(key)))
        above = parent
    call.exchange.decided("CA certificates shown", "RFC 7030 section 4.1.3", certificates=str(len(found)))
    # In the order of DER (X.690 section 11.6), which RFC 8951 section 3 asks for: a set has no first one.
    body = transfer.certificates(*sorted(found))
    return transfer.reply(_MEDIA_TYPE, body, transfer_encoding=call.says_transfer_encoding)


def _is_shown(key: CaKey, now: datetime, *, root: bool) -> bool:
    """Whether a key is of use now: the current one always, the one before it until it ends. A subordinate CA's older keys have certified
    what may still be about, and lead up from it; an older root's would only be one more trust anchor, and nothing leads to a next one yet."""
    role = key.generation.role
    if role is GenerationRole.CURRENT:
        return True
    return key.not_after > now and (role is GenerationRole.PREVIOUS or (role is GenerationRole.RETIRED and not root))


def _certificates(key: CaKey) -> list[bytes]:
    """The key's own certificate (OldWithOld or NewWithNew of a root), and, of a root that was rolled over, NewWithOld and OldWithNew
    (RFC 4210 section 4.4)."""
    generation = key.generation
    return [der for der in (generation.certificate, generation.new_with_old, generation.old_with_new) if der is not None]
