"""Faults of refusals (RFC 7030 section 4.2.3, RFC 8951 section 5)."""

from __future__ import annotations

from privca.faults.edits import ending
from privca.faults.est.naming import fault, with_status

_RESPONSE = "est.rfc7030.refusal:response"


def _changed(headers: str, body: str) -> str:
    """A statement that changes the text of a refusal, and leaves what asks for a password alone."""
    return f"result = type(result)(result.status, {headers}, {body}) if result.status not in (401, 202) else result"


FAULTS = (
    fault("error.status-200", "What is refused is refused with 200", "4.2.3", with_status(_RESPONSE, 200)),
    fault(
        "error.binary-text",
        "Refusals have a text that is none",
        "4.2.3",
        ending(_RESPONSE, _changed("result.headers", "b'\\xff\\xfe\\x00'")),
    ),
    fault("error.empty", "Refusals say nothing", "4.2.3", ending(_RESPONSE, _changed("result.headers", "b''"))),
    fault(
        "error.no-type-binary",
        "Refusals are octets without a type",
        "4.2.3",
        ending(_RESPONSE, _changed("()", "b'\\xff\\xfe\\x00'")),
    ),
    fault(
        "error.json",
        "Refusals are in JSON",
        "RFC 8951 section 5",
        ending(_RESPONSE, _changed("(('Content-Type', 'application/json'),)", "b'{}'")),
    ),
)
