"""Faults of CMP over HTTP (RFC 9811 section 3, RFC 9483 section 6.1)."""

from __future__ import annotations

from privca.faults.cmp.rules import SERVICE
from privca.faults.edits import Edit, instead, unchecked
from privca.faults.fault import Fault


def _fault(name: str, title: str, clause: str, *edits: Edit) -> Fault:
    return Fault(f"cmp.http.{name}", title, f"RFC {clause}", edits)


FAULTS = (
    _fault(
        "status-202",
        "What is granted is answered with 202",
        "9811 section 3.1",
        instead("cmp.rfc9811:response", "Response(status,", "Response(202 if status == 200 else status,"),
    ),
    _fault(
        "reply-media-type",
        "Answers have the media type of any octets",
        "9811 section 3.2",
        instead("cmp.rfc9811:response", "('Content-Type', MEDIA_TYPE)", "('Content-Type', 'application/octet-stream')"),
    ),
    _fault(
        "bare-errors",
        "What is refused is answered with 200 and no content",
        "9483 section 3.6.2",
        instead(
            f"{SERVICE}._write",
            "encode(header, body, protection, certificates)",
            "encode(header, body, protection, certificates) if reply.body is not Body.ERROR else b''",
        ),
    ),
    _fault(
        "any-method",
        "A PKIMessage may come by any method",
        "9811 section 3.1",
        unchecked("cmp.rfc9811:check", "a PKIMessage is sent by POST"),
    ),
    _fault(
        "any-media-type",
        "A PKIMessage may come under any media type",
        "9811 section 3.2",
        unchecked("cmp.rfc9811:check", "not a PKIMessage"),
    ),
    _fault(
        "media-type-by-letter",
        "The media type is compared letter by letter",
        "9811 section 3.2",
        instead("cmp.rfc9811:check", ".strip().lower()", ".strip()"),
    ),
    _fault(
        "poll-media-type-unknown",
        "application/pkixcmp-poll is not known",
        "9811 section 4",
        instead("cmp.rfc9811:check", "not in _ACCEPTED", "not in (MEDIA_TYPE,)"),
    ),
    _fault(
        "garbage-unanswered",
        "What is no PKIMessage is answered with 200 and no content",
        "9483 section 3.5",
        instead(f"{SERVICE}.handle", "rfc9811.response(_unprotected(refused), 400)", "Response(200, (), b'')"),
    ),
    _fault(
        "labels-unknown",
        "No operation label is known",
        "9483 section 6.1",
        instead("cmp.rfc9483:check_operation", "OPERATIONS.get(label)", "None"),
    ),
    _fault(
        "label-ignored",
        "Every message is served at every operation label",
        "9483 section 6.1",
        unchecked("cmp.rfc9483:check_operation", "this message does not belong to the operation"),
    ),
    _fault(
        "announcement-answered",
        "An announcement that is not taken is answered with 200",
        "9811 section 3.5",
        instead(f"{SERVICE}.handle", "400 if message.body in rfc9811.ANNOUNCEMENTS else 200", "200"),
    ),
)
