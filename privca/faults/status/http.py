"""Faults of OCSP over HTTP (RFC 6960 appendix A)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.status.naming import ocsp

_OCSP = "status.service:StatusService._ocsp"
_OTHER_TYPE = "tuple((name, 'application/octet-stream' if name == 'Content-Type' else value) for name, value in result.headers)"

FAULTS = (
    ocsp(
        "http.media-type",
        "Answers are octet streams",
        "A.2",
        ending(_OCSP, f"result = type(result)(result.status, {_OTHER_TYPE}, result.body)"),
    ),
    ocsp(
        "http.get-refused",
        "There is nothing by GET",
        "A.1",
        instead(_OCSP, "_check_method(request, _POST_TOO)", "_check_method(request, ('POST',))"),
    ),
    ocsp(
        "http.post-refused",
        "There is nothing by POST",
        "A.1",
        instead(_OCSP, "_check_method(request, _POST_TOO)", "_check_method(request, _GET)"),
    ),
    ocsp(
        "http.not-decoded",
        "The URL encoding of a GET is not undone",
        "A.1",
        instead("status.service:_octets", "unquote_to_bytes(encoded.lstrip('/'))", "encoded.lstrip('/')"),
    ),
)
