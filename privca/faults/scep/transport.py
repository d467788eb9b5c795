"""Faults of messages in HTTP (RFC 8894 section 4.1)."""

from __future__ import annotations

from privca.faults.edits import instead
from privca.faults.scep.naming import fault

_OPERATION = "scep.rfc8894.transport:operation"
_FROM_QUERY = "scep.rfc8894.transport:_from_query"

FAULTS = (
    fault("transport.post-refused", "POST is refused", "2.9", instead(_OPERATION, "request.method == 'POST'", "False")),
    fault(
        "transport.get-base64url",
        "Messages by GET are taken for base64url",
        "4.1",
        instead(_FROM_QUERY, "b64decode(text, ", "b64decode(text.translate(bytes.maketrans(b'+/-_', b'-_+/')), "),
    ),
    fault(
        "transport.get-unescaped-twice",
        "A query is unescaped twice, so that a plus sign becomes a space",
        "4.1",
        instead(_FROM_QUERY, "unquote_to_bytes(raw)", "unquote_to_bytes(raw).replace(b'+', b' ')"),
    ),
    fault(
        "transport.operation-first",
        "The operation must be the first parameter",
        "4.1",
        instead(
            _OPERATION,
            "parameters(request.query)",
            "parameters(request.query if request.query.startswith('operation=') else '')",
        ),
    ),
    fault(
        "transport.unknown-operation-is-get-ca-caps",
        "An unknown operation is taken for GetCACaps",
        "4.1",
        instead("scep.service:ScepService._inquiry", "name == 'GetCACaps'", "name not in ('GetCACert', 'GetNextCACert')"),
    ),
    fault(
        "transport.errors-500",
        "What the client did wrong is called a fault of the server",
        "RFC 9110 section 15.6",
        instead("scep.service:ScepService.handle", "HTTP_STATUS.get(refused.reason, 500)", "500"),
    ),
    fault(
        "transport.path-tail-refused",
        "pkiclient.exe behind the path is not found",
        "4.1",
        instead(_OPERATION, "request.tail not in TAILS", "request.tail"),
    ),
    fault(
        "transport.trailing-octets",
        "Octets behind a message are not looked at",
        "3.2",
        instead(
            "scep.service:ScepService._pki_operation",
            "pki_message.read(octets)",
            "pki_message.read(octets[:4 + int.from_bytes(octets[2:4], 'big')])",
        ),
    ),
)
