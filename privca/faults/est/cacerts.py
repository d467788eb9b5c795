"""Faults of CA certificates, operations and transport (RFC 7030 sections 3.2.2, 3.3 and 4.1)."""

from __future__ import annotations

from privca.faults.edits import ending, instead, unchecked
from privca.faults.est.naming import fault, with_body, with_status, with_type

_SHOW = "est.rfc7030.cacerts:show"
_ANSWER = "est.service:EstService._answer"
_SHOWN = "_is_shown(key, call.now, root=not parent)"
_FOUND = "found: dict[bytes, None] = {}"

FAULTS = (
    fault("cacerts.status-201", "The CA certificates come with 201", "4.1.3", with_status(_SHOW, 201)),
    fault(
        "cacerts.media-type-wrong",
        "The CA certificates are octets of no type",
        "4.1.3",
        with_type(_SHOW, "application/octet-stream"),
    ),
    fault(
        "cacerts.pem-armour",
        "The CA certificates have PEM armour",
        "RFC 8951 section 3",
        with_body(_SHOW, "b'-----BEGIN PKCS7-----\\n' + result.body + b'-----END PKCS7-----\\n'"),
    ),
    fault(
        "cacerts.raw-der",
        "The CA certificates are DER without base64",
        "RFC 8951 section 3",
        with_body(_SHOW, "__import__('binascii').a2b_base64(result.body)"),
    ),
    fault(
        "cacerts.with-content",
        "The CA certificates come beside a content",
        "RFC 5272 section 4.1",
        instead(
            _SHOW,
            "transfer.certificates(*sorted(found))",
            "transfer.encode(transfer.certificates_only.__globals__['assemble'](b'x', certificates=sorted(found)))",
        ),
    ),
    fault(
        "cacerts.bare-certificate",
        "The first CA certificate comes by itself",
        "4.1.3",
        instead(_SHOW, "transfer.certificates(*sorted(found))", "transfer.encode(sorted(found)[0])"),
    ),
    fault("cacerts.root-missing", "The root is left out", "4.1.3", instead(_SHOW, _SHOWN, f"parent and {_SHOWN}")),
    fault("cacerts.issuer-missing", "The issuing CA is left out", "4.1.3", instead(_SHOW, _SHOWN, f"not parent and {_SHOWN}")),
    fault(
        "cacerts.needs-authentication",
        "The CA certificates are for those who have a password",
        "4.1.2",
        instead(_SHOW, _FOUND, f"if 'authorization' not in call.request.headers:\n        return Response(401)\n    {_FOUND}"),
    ),
    fault(
        "cacerts.refused-to-clients",
        "Who presents a certificate gets no CA certificates",
        "4.1.2",
        instead(_SHOW, _FOUND, f"if call.request.peer.certificate is not None:\n        return Response(403)\n    {_FOUND}"),
    ),
    fault(
        "cacerts.redirects-to-plain",
        "The CA certificates are elsewhere, without TLS",
        "3.3",
        ending(_SHOW, "result = type(result)(302, (('Location', 'http://localhost/.well-known/est/cacerts'),), b'')"),
    ),
    fault("http.plain-served", "Everything is served without TLS, too", "3.3", unchecked(_ANSWER, "HTTPS alone")),
    fault(
        "operation.reenroll-missing",
        "Nothing is renewed",
        "3.2.2",
        instead(
            _ANSWER,
            "OPERATIONS.get(call.request.tail)",
            "OPERATIONS.get(call.request.tail.replace('simplereenroll', 'nothing'))",
        ),
    ),
    fault(
        "operation.unknown-answered",
        "An unknown operation gets the CA certificates",
        "3.2.2",
        instead(_ANSWER, "OPERATIONS.get(call.request.tail)", "OPERATIONS.get(call.request.tail, OPERATIONS['cacerts'])"),
    ),
    fault(
        "operation.any-case",
        "Operations are found in capitals, too",
        "RFC 3986 section 6.2.2.1",
        instead(_ANSWER, "OPERATIONS.get(call.request.tail)", "OPERATIONS.get(call.request.tail.lower())"),
    ),
    fault(
        "operation.any-method", "Every method does what the right one does", "3.2.2", unchecked(_ANSWER, "not for this method")
    ),
)
