"""Faults of requests and of errors (RFC 6960 sections 2.3 and 4.1)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.status.naming import ocsp

_READ = "pkix.rfc6960:read_request"
_EXTENSIONS = "pkix.rfc6960:_check_extensions"

FAULTS = (
    ocsp(
        "error.always-internal",
        "Every refusal is an internal error",
        "2.3",
        instead("status.service:StatusService._ocsp", "TABLE[refused.reason]", "TABLE[Reason.INTERNAL]"),
    ),
    ocsp(
        "error.with-bytes",
        "An error comes with response bytes",
        "4.2.1",
        instead(
            "pkix.rfc6960:unsuccessful",
            "_status(status)",
            "_status(status), der.tlv(_CONSTRUCTED | 0, der.tlv(_SEQUENCE, _BASIC, der.tlv(_OCTET_STRING, b'')))",
        ),
    ),
    ocsp(
        "error.trailing-ignored",
        "What follows a request is ignored",
        "2.3",
        instead(
            _READ,
            "der.decode(_OcspRequest, octets, clause",
            "der.decode(_OcspRequest, octets[:2 + octets[1]] if octets[1:2] < b'\\x80' else octets, clause",
        ),
    ),
    ocsp(
        "request.extension-refused",
        "An extension that is not known is refused, critical or not",
        "4.1.2",
        instead(_EXTENSIONS, "one.critical and one.id not in _KNOWN", "one.id not in _KNOWN"),
    ),
    ocsp(
        "request.critical-ignored",
        "An extension that is not known is ignored, though it is critical",
        "4.1.2",
        instead(_EXTENSIONS, "one.critical and one.id not in _KNOWN", "False"),
    ),
    ocsp(
        "request.critical-single-ignored",
        "Extensions of single requests are not looked at",
        "4.1.2",
        instead(_READ, "_check_extensions(request.extensions)", "_check_extensions(())"),
    ),
    ocsp(
        "request.requestor-refused",
        "Who gives a name is refused",
        "4.1.1",
        instead(_READ, "if tbs.version:", "if tbs.version or tbs.requestor is not None:"),
    ),
    ocsp(
        "request.key-hash-with-unused-bits",
        "The hash of the issuer's key is made over the number of unused bits, too",
        "4.1.1",
        ending("pkix.rfc6960:_key_octets", "result = b'\\x00' + result"),
    ),
)
