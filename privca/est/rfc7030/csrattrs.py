"""``/csrattrs`` (RFC 7030 section 4.5, RFC 8951 section 4)."""

from __future__ import annotations

from privca.base.http import Response
from privca.est import csrattrs, rfc8951
from privca.est.rfc7030 import transfer
from privca.est.rfc7030.call import Call

_MEDIA_TYPE = "application/csrattrs"


async def show(call: Call) -> Response:
    """What a CSR for this profile should have; 204 if there is nothing to say. Nobody is asked who they are."""
    found = csrattrs.entries(call.profile)
    call.exchange.decided("CSR attributes shown", "RFC 8951 section 4", entries=str(len(found)))
    if not found:
        return Response(204)
    body = transfer.encode(rfc8951.encode(found))
    return transfer.reply(_MEDIA_TYPE, body, transfer_encoding=call.says_transfer_encoding)
