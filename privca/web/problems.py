"""Problem documents (RFC 7807) where no protocol has words of its own: no such path, an unreadable request, our own failure."""

from __future__ import annotations

import json
from http import HTTPStatus

from privca.base.http import Response


def problem(status: int, detail: str, clause: str = "") -> Response:
    """A problem document of the type that says "see the status"; ``clause`` is appended to ``detail`` for the developer of the client."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": f"{detail} ({clause})" if clause else detail,
    }
    return Response(status, (("Content-Type", "application/problem+json"),), json.dumps(document).encode())
