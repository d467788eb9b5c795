"""Problem documents (RFC 7807) for what never reaches a protocol core: no such path, no such profile, an unreadable request, our own failure."""

from __future__ import annotations

import json
from http import HTTPStatus

from privca.base.http import Response
from privca.web import urls

# What an ACME client reads of these statuses (RFC 8555 section 6.7); other protocols get the type that says "see the status".
_ACME_TYPES = {500: "urn:ietf:params:acme:error:serverInternal"}
_ACME_OTHER = "urn:ietf:params:acme:error:malformed"


def problem(status: int, detail: str, clause: str = "", *, protocol: str = "") -> Response:
    """A problem document; ``clause`` is appended to ``detail`` for the developer of the client."""
    kind = _ACME_TYPES.get(status, _ACME_OTHER) if protocol == urls.ACME else "about:blank"
    document = {
        "type": kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": f"{detail} ({clause})" if clause else detail,
    }
    return Response(status, (("Content-Type", "application/problem+json"),), json.dumps(document).encode())
