"""Messages in HTTP (RFC 8894 section 4.1): the operation in the query, the message in the body of a POST or in the query of a GET.

Twenty years of devices have many ways to get base64 into a query; what is undone beyond percent-encoding is a tolerance of the profile.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from urllib.parse import unquote_to_bytes

from privca.base.http import Request
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Profile

PKI_OPERATION = "PKIOperation"
MESSAGE_MEDIA_TYPE = "application/x-pki-message"
MAXIMUM_OCTETS = 1 << 16
"""Of a message: a request with a long chain has some thousand."""
TAILS = frozenset(("", "pkiclient.exe", "cgi-bin/pkiclient.exe"))
"""What may follow the profile in the path: SCEPPATH as section 4.1 fixes it, and as devices append it."""

_CLAUSE = "RFC 8894 section 4.1"
_TO_STANDARD = bytes.maketrans(b"-_ ", b"+/+")
_BREAKS = re.compile(rb"[\r\n\t]")


def tolerates(profile: Profile, switch: bool | None) -> bool:
    """Whether a tolerance is on: by itself, or with ``tolerant``."""
    return profile.tolerant if switch is None else switch


def parameters(query: str) -> dict[str, str]:
    """The parameters of a query, in whatever order; values as they came, percent-encoded. The first of a name counts."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        found.setdefault(name, value)
    return found


def operation(request: Request, profile: Profile) -> tuple[str, str]:
    """The operation, and the raw value of ``message`` (empty if there is none).

    :raises Refused: ``METHOD_NOT_ALLOWED``, ``NOT_FOUND``, ``UNSUPPORTED_MEDIA_TYPE``, ``MALFORMED``.
    """
    options = profile.scep.tolerances
    if request.tail not in TAILS and not tolerates(profile, options.path_tail):
        raise Refused(Reason.NOT_FOUND, _CLAUSE, "SCEPPATH ends otherwise", expected="/cgi-bin/pkiclient.exe or nothing")
    given = parameters(request.query)
    name, message = given.get("operation", ""), given.get("message", "")
    if request.method == "POST":
        if name != PKI_OPERATION and not (not name and tolerates(profile, options.operation)):
            raise Refused(Reason.MALFORMED, _CLAUSE, "POST has operation=PKIOperation", got=repr(name[:40]))
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != MESSAGE_MEDIA_TYPE and not tolerates(profile, options.content_type):
            raise Refused(
                Reason.UNSUPPORTED_MEDIA_TYPE,
                "RFC 8894 section 4.3",
                "a message has its own media type",
                expected=MESSAGE_MEDIA_TYPE,
                got=repr(media_type[:80]),
            )
        return PKI_OPERATION, message
    if request.method not in ("GET", "HEAD"):
        raise Refused(Reason.METHOD_NOT_ALLOWED, _CLAUSE, "SCEP is spoken by GET and POST", got=request.method[:20])
    if message and name != PKI_OPERATION and not tolerates(profile, options.message):
        raise Refused(Reason.MALFORMED, "RFC 8894 section 4.2", "there is no request data with this operation", got="message")
    return name, message


def message_of(request: Request, raw: str, profile: Profile) -> bytes:
    """The octets of a pkiMessage. :param raw: the value of ``message`` in the query, as it came. :raises Refused: ``MALFORMED``, ``TOO_LARGE``."""
    octets = request.body if request.method == "POST" else _from_query(raw, profile)
    if len(octets) > MAXIMUM_OCTETS:
        raise Refused(Reason.TOO_LARGE, _CLAUSE, "the message is too large", expected=f"at most {MAXIMUM_OCTETS} octets")
    if not octets:
        raise Refused(Reason.MALFORMED, _CLAUSE, "there is no message")
    return octets


def _from_query(raw: str, profile: Profile) -> bytes:
    text = unquote_to_bytes(raw)
    if tolerates(profile, profile.scep.tolerances.base64):
        # A + that was not escaped is a space to whoever decoded the query on the way.
        text = _BREAKS.sub(b"", text).translate(_TO_STANDARD).rstrip(b"=")
        text += b"=" * (-len(text) % 4)
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise Refused(Reason.MALFORMED, _CLAUSE, "the message in the query is not base64 (RFC 4648 section 4)") from None
