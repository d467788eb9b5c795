"""CMP over HTTP (RFC 9811): method, media type, status codes."""

from __future__ import annotations

from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810.message import Body

MEDIA_TYPE = "application/pkixcmp"
_ACCEPTED = frozenset((MEDIA_TYPE, "application/pkixcmp-poll"))
"""Section 4: an older name of the same."""
ANNOUNCEMENTS = frozenset({Body.CKUANN, Body.CANN, Body.RANN, Body.CRLANN})
"""Section 3.5: what a CA pushes. We push them, and take none."""
STATUSES = {Reason.METHOD_NOT_ALLOWED: 405, Reason.UNSUPPORTED_MEDIA_TYPE: 415, Reason.NOT_FOUND: 404}
"""What is wrong with the HTTP request and not with the message in it; a body that is no PKIMessage is 400."""


def check(request: Request) -> None:
    """Sections 3.1 and 3.2. :raises Refused: ``METHOD_NOT_ALLOWED``, ``UNSUPPORTED_MEDIA_TYPE``."""
    if request.method != "POST":
        raise Refused(
            Reason.METHOD_NOT_ALLOWED,
            "RFC 9811 section 3.1",
            "a PKIMessage is sent by POST",
            expected="POST",
            got=request.method[:20],
        )
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() not in _ACCEPTED:
        raise Refused(
            Reason.UNSUPPORTED_MEDIA_TYPE, "RFC 9811 section 3.2", "not a PKIMessage", expected=MEDIA_TYPE, got=repr(given[:80])
        )


def response(message: bytes, status: int = 200) -> Response:
    """A PKIMessage as HTTP response. An error that a PKIMessage explains is 200: what HTTP was to do, it has done."""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store"))
    return Response(status, (*headers, ("Allow", "POST")) if status == 405 else headers, message)
