"""Faults of OCSP over HTTP (RFC 6960 appendix A), and of how CRLs are published."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.status.naming import crl, ocsp

_OCSP, _CRL = "status.service:StatusService._ocsp", "status.service:StatusService._crl"
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
    crl(
        "crl.media-type",
        "CRLs are octet streams",
        "4.2.1.13",
        instead(_CRL, "'application/pkix-crl'", "'application/octet-stream'"),
    ),
    crl(
        "crl.pem",
        "CRLs are in PEM",
        "4.2.1.13",
        instead(
            _CRL,
            "record.der",
            "b'-----BEGIN X509 CRL-----\\n' + base64.encodebytes(record.der) + b'-----END X509 CRL-----\\n'",
        ),
    ),
)
