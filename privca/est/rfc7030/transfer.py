"""What request and reply bodies look like: media types (RFC 7030 section 3.2.4) and base64 (RFC 8951 section 3)."""

from __future__ import annotations

import binascii
import re

from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.pkix.rfc5652.signed_data import certificates_only

PKCS10 = "application/pkcs10"
CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only"
"""Exactly so: libest's client wants the parameter, and no other one, not even in another order."""

_COLUMNS = 64  # RFC 7468 section 2; libest's client reads no longer lines than 76, and needs a line end at the end
_WHITE_SPACE = b" \t\r\n"
_ARMOUR = re.compile(
    rb"\s*-----BEGIN ((?:NEW )?CERTIFICATE REQUEST|PKCS7|CMS)-----\r?\n([A-Za-z0-9+/=\s]*?)-----END \1-----\s*", re.DOTALL
)
_CLAUSE = "RFC 8951 section 3"


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """Type and parameters of a Content-Type field; type and names of parameters in lower case, values without quotes (RFC 9110 section 8.3)."""
    kind, *parameters = value.split(";")
    found = {}
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        found[name.strip().lower()] = text.strip().strip('"')
    return kind.strip().lower(), found


def read(request: Request, expected: str, *, tolerant: bool) -> bytes:
    """The DER in the body of a request, or whatever is there in its place. Content-Transfer-Encoding says nothing here, whatever it says.

    :param expected: the media type of the operation; a tolerant profile takes a request without any.
    :param tolerant: whether PEM armour around the base64 is accepted, too.
    :raises Refused: ``UNSUPPORTED_MEDIA_TYPE``, ``MALFORMED``.
    """
    given = request.headers.get("content-type", "")
    if media_type(given)[0] != expected and (given or not tolerant):
        raise Refused(
            Reason.UNSUPPORTED_MEDIA_TYPE,
            "RFC 7030 section 3.2.4",
            "the wrong media type of a request body",
            expected=expected,
            got=repr(given[:80]) if given else "none",
        )
    return decode(request.body, tolerant=tolerant)


def decode(body: bytes, *, tolerant: bool) -> bytes:
    """What a body in base64 spells: white space counts for nothing, anything else that is not base64 is refused.

    :raises Refused: ``MALFORMED``.
    """
    if tolerant and b"-----BEGIN" in body:
        armour = _ARMOUR.fullmatch(body)
        body = armour[2] if armour is not None else body
    spelled = body.translate(None, _WHITE_SPACE)
    if not spelled:
        raise Refused(Reason.MALFORMED, _CLAUSE, "the body is empty", expected="DER in base64")
    try:
        octets = binascii.a2b_base64(spelled, strict_mode=True)
    except (binascii.Error, ValueError):
        what = "DER" if spelled[:1] == b"\x30" and not spelled.isascii() else None
        raise Refused(
            Reason.MALFORMED,
            _CLAUSE,
            "the body is not base64 (RFC 4648 section 4: its alphabet, and = up to a multiple of four)",
            got=what,
        ) from None
    if binascii.b2a_base64(octets, newline=False) != spelled:
        raise Refused(Reason.MALFORMED, "RFC 4648 section 3.5", "the base64 of the body has bits set after its last octet")
    return octets


def encode(octets: bytes) -> bytes:
    """Base64 in lines, each with a line feed at its end."""
    text = binascii.b2a_base64(octets, newline=False)
    return b"".join([text[at : at + _COLUMNS] + b"\n" for at in range(0, len(text), _COLUMNS)])


def certificates(*found: bytes) -> bytes:
    """The base64 of a certs-only Simple PKI Response (RFC 5272 section 4.1) with these certificates."""
    return encode(certificates_only(found))


def reply(kind: str, body: bytes, *, transfer_encoding: bool) -> Response:
    """A reply whose body is base64. :param transfer_encoding: whether it says so, as RFC 7030 had it before RFC 8951."""
    headers = [("Content-Type", kind)]
    if transfer_encoding:
        headers.append(("Content-Transfer-Encoding", "base64"))
    return Response(200, tuple(headers), body)
