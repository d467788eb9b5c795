"""Faults of problem documents (RFC 8555 section 6.7)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import ending, instead, replying

FAULTS = (
    fault(
        "problem.wrong-media-type",
        "Errors are sent as application/json",
        "6.7",
        ending(
            "acme.rfc8555.problem:response",
            "rest = [one for one in result.headers if one[0] != 'Content-Type']\n"
            "result = type(result)(result.status, (('Content-Type', 'application/json'), *rest), result.body)",
        ),
    ),
    fault(
        "problem.unregistered-type",
        "Errors have a type that is not registered",
        "6.7",
        replying("acme.rfc8555.problem:response", "error:malformed", "error:bad"),
    ),
    fault(
        "problem.identifier-on-top",
        "A problem document has an identifier at its top",
        "6.7.1",
        ending(
            "acme.rfc8555.problem:response",
            'result = type(result)(result.status, result.headers, b\'{"identifier":{"type":"dns","value":"a.test"},\' + result.body[1:])',
        ),
    ),
    fault(
        "problem.always-internal",
        "Every refusal is an error of the server",
        "6.7",
        instead("acme.rfc8555.problem:problem", "TABLE[refused.reason]", "('serverInternal', 500)"),
    ),
    fault(
        "problem.without-detail",
        "Errors have no detail",
        "6.2",
        replying("acme.rfc8555.problem:response", '"detail"', '"note"'),
    ),
)
