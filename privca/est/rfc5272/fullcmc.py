"""``/fullcmc`` (RFC 7030 section 4.3)."""

from __future__ import annotations

from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.est.rfc5272 import layer, response
from privca.est.rfc5272.authority import Authority
from privca.est.rfc7030 import transfer
from privca.est.rfc7030.call import Call

MEDIA_TYPE = "application/pkcs7-mime"
_CLAUSE = "RFC 7030 section 4.3.1"


async def exchange(call: Call) -> Response:
    """Read, process, answer.

    :raises Refused: for what is no message at all, or must not be answered by a signature: media type, base64, a CA that cannot sign.
    """
    if not call.options.fullcmc:
        raise Refused(Reason.NOT_FOUND, "profile: est.fullcmc", "this profile does not serve full CMC")
    octets = transfer.read(call.request, MEDIA_TYPE, tolerant=call.tolerant)
    _check_parameter(call)
    outcome = await layer.process(call, octets, Authority(), layer.Budget())
    return await response.reply(call, outcome)


def _check_parameter(call: Call) -> None:
    """RFC 5273 section 4.1. The value is compared without regard to case, since its own text spells it in two ways (erratum 3593)."""
    given = transfer.media_type(call.request.headers.get("content-type", ""))[1].get("smime-type")
    if given is None and call.tolerant:
        return
    if given is None or given.lower() != "cmc-request":
        raise Refused(
            Reason.UNSUPPORTED_MEDIA_TYPE,
            _CLAUSE,
            "the wrong smime-type of a request body",
            expected="CMC-request",
            got="none" if given is None else repr(given[:80]),
        )
