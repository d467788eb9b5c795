"""``/cacerts`` (RFC 7030 section 4.1): the root, every CA on the way to it, and what a client needs during a rollover of any of them."""

from __future__ import annotations

from privca.base.http import Response
from privca.est.rfc7030 import transfer
from privca.est.rfc7030.call import Call
from privca.issuance.ca_key import CaKey
from privca.issuance.ports import GenerationRole

_SHOWN = (GenerationRole.CURRENT, GenerationRole.PREVIOUS)
# RFC 7030 names no smime-type here, and libest's own server sends none.
_MEDIA_TYPE = "application/pkcs7-mime"


async def show(call: Call) -> Response:
    """All certificates of the profile's CA and those above it that are of use now. Nobody is asked who they are (section 4.1.2)."""
    found: dict[bytes, None] = {}
    above = call.profile.profile.issuer
    while above:
        for key in await call.core.authorities.generations(above):
            if key.generation.role in _SHOWN and (key.generation.role is GenerationRole.CURRENT or key.not_after > call.now):
                found.update(dict.fromkeys(_certificates(key)))
        above = call.core.authorities.configured(above).parent
    call.exchange.decided("CA certificates shown", "RFC 7030 section 4.1.3", certificates=str(len(found)))
    # In the order of DER (X.690 section 11.6), which RFC 8951 section 3 asks for: a set has no first one.
    body = transfer.certificates(*sorted(found))
    return transfer.reply(_MEDIA_TYPE, body, transfer_encoding=call.options.content_transfer_encoding)


def _certificates(key: CaKey) -> list[bytes]:
    """The key's own certificate (OldWithOld or NewWithNew of a root), and, of a root that was rolled over, NewWithOld and OldWithNew
    (RFC 4210 section 4.4)."""
    generation = key.generation
    return [der for der in (generation.certificate, generation.new_with_old, generation.old_with_new) if der is not None]
