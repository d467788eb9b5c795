"""How a fault of EST is declared, and the small changes that many of them are."""

from __future__ import annotations

from privca.faults.edits import Edit, ending, instead
from privca.faults.fault import Fault

NOBODY = "Identity('code', 'code:nobody')"
"""Whoever asks, as an expression where ``Identity`` is known."""
AS_NEW = instead(
    "est.rfc7030.simplereenroll:reenroll",
    "await enrollment.submit(call, identity, requested, id, renews)",
    "await enrollment.submit(call, type(identity)('code', identity.id), requested, id)",
)
"""A renewal reaches the CA as a first enrollment, since the CA itself compares it with what is renewed."""


def fault(name: str, title: str, section: str, *edits: Edit, like: str = "") -> Fault:
    """A fault of the name ``est.NAME``. :param section: one of RFC 7030, or a whole clause of another RFC."""
    clause = f"RFC 7030 section {section}" if section[0].isdigit() else section
    return Fault(f"est.{name}", title, clause, edits, like)


def with_status(function: str, status: int) -> Edit:
    """The reply of a function under another status."""
    return ending(function, f"result = type(result)({status}, result.headers, result.body)")


def with_type(function: str, media_type: str) -> Edit:
    """The reply of a function under another media type."""
    return ending(function, f"result = type(result)(result.status, (('Content-Type', {media_type!r}),), result.body)")


def with_body(function: str, body: str) -> Edit:
    """The reply of a function with another body. :param body: an expression in which ``result`` is the reply."""
    return ending(function, f"result = type(result)(result.status, result.headers, {body})")
