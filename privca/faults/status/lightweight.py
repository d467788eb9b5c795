"""Faults of the lightweight profile of OCSP (RFC 9919)."""

from __future__ import annotations

from privca.faults.edits import Edit, ending, instead
from privca.faults.fault import Fault
from privca.faults.status.naming import ocsp

_OCSP = "status.service:StatusService._ocsp"


def _fault(name: str, title: str, section: str, *edits: Edit) -> Fault:
    return ocsp(f"lightweight.{name}", title, f"RFC 9919 section {section}", *edits)


def _headers(headers: str) -> Edit:
    """Give the headers of every OCSP reply another value, which may refer to them as ``result.headers``."""
    return ending(_OCSP, f"result = type(result)(result.status, {headers}, result.body)")


FAULTS = (
    _fault(
        "by-name",
        "The responder is named by its name",
        "3.2.2",
        instead(
            "status.rfc6960:OcspResponder._signed",
            "rfc6960.responder_by_key(delegate.spki)",
            "rfc6960.responder_by_name(delegate.subject)",
        ),
    ),
    _fault(
        "no-next-update",
        "There is no nextUpdate",
        "3.2.4",
        instead("pkix.rfc6960:single_response", "der.tlv(_CONSTRUCTED | 0, _time(next_update)), ", ""),
    ),
    _fault("not-kept", "Answers are not to be kept", "7.2", _headers("(*result.headers, ('Cache-Control', 'no-store'))")),
    _fault(
        "no-fields",
        "Nothing tells how long an answer may be kept",
        "6",
        _headers("tuple(field for field in result.headers if field[0] == 'Content-Type')"),
    ),
    _fault(
        "kept-too-long",
        "Answers may be kept for long after their end",
        "7.1",
        instead(
            _OCSP, "(answer.refreshed - exchange.now).total_seconds()", "(answer.refreshed - exchange.now).total_seconds() * 100"
        ),
    ),
    _fault(
        "errors-kept", "Errors may be kept for an hour", "7.2", instead(_OCSP, "_NOT_KEPT", "('Cache-Control', 'max-age=3600')")
    ),
)
