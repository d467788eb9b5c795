"""Replies that others may keep (RFC 9111), as OCSP over HTTP (RFC 9919 section 6) and repositories want them, and 304 for who has them."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from privca.base.http import Request, Response

_TAG = re.compile(r'(?:W/)?("[^"]*")')


@lru_cache(maxsize=4096)
def http_date(at: datetime) -> str:
    """A moment as header fields have it."""
    return format_datetime(at, usegmt=True)


def keepable(
    request: Request, kind: str, octets: bytes, *, modified: datetime, expires: datetime | None, seconds: int, tag: str = ""
) -> Response:
    """A reply that caches may give for ``seconds``; 304 if the request says that its sender has it (RFC 9110 section 13.1).

    :param kind: the media type.
    :param expires: when it is of no use any longer, if it ever is.
    :param tag: names these very octets; empty: their hash does.
    """
    tag = f'"{tag or hashlib.sha256(octets).hexdigest()}"'
    headers = (
        ("Last-Modified", http_date(modified)),
        ("ETag", tag),
        *((("Expires", http_date(expires)),) if expires is not None else ()),
        ("Cache-Control", f"max-age={max(seconds, 0)}, public, no-transform, must-revalidate"),
    )
    if request.method in ("GET", "HEAD") and _has(request, tag, modified):
        return Response(304, headers)
    return Response(200, (("Content-Type", kind), *headers), octets)


def _has(request: Request, tag: str, modified: datetime) -> bool:
    """Whether the sender has it already; If-Modified-Since counts only without If-None-Match (RFC 9110 section 13.1.3)."""
    if (asked := request.headers.get("if-none-match")) is not None:
        return asked.strip() == "*" or tag in _TAG.findall(asked)
    if (since := request.headers.get("if-modified-since")) is not None:
        try:
            return modified <= parsedate_to_datetime(since)
        except (ValueError, TypeError):
            return False  # RFC 9110 section 13.1.3: an invalid date is ignored; one without a zone cannot be compared.
    return False
