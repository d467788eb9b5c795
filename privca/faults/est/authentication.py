"""Faults of authentication (RFC 7030 sections 3.2.3, 3.3.2 and 4.2)."""

from __future__ import annotations

from privca.faults.edits import ending, instead, unchecked
from privca.faults.est.naming import AS_NEW, NOBODY, fault

_MODULE = "est.rfc7030.authentication"
_VERIFIED = "return await credentials_of.password(call.exchange, call.profile, user or None, password)"
_COMPARED = "hmac.compare_digest(expected.encode(), answer.response.encode())"
_READ = "octets = transfer.read(call.request, transfer.PKCS10, tolerant=call.tolerant)"
_CSR = "csr = rfc2986.parse(octets, tolerant=call.tolerant)"

# A client certificate is recognized by its serial number alone.
_BY_SERIAL = instead(
    f"{_MODULE}:by_certificate",
    "return await call.core.credentials.certificate(call.exchange, call.profile, peer.certificate, others)",
    "serial = __import__('cryptography.x509').x509.load_der_x509_certificate(peer.certificate).serial_number\n"
    "    known = await call.core.door.certificate(serial.to_bytes(20, 'big'))\n"
    "    return Identity('certificate', f'certificate:{serial:x}', certificate=known)",
)

FAULTS = (
    fault(
        "auth.no-challenge",
        "401 comes without a challenge",
        "3.2.3",
        ending(
            "est.rfc7030.refusal:response",
            "kept = tuple(one for one in result.headers if one[0] != 'WWW-Authenticate')\n"
            "result = type(result)(result.status, kept, result.body)",
        ),
    ),
    fault(
        "auth.basic-broken",
        "Basic is offered, and no password is right",
        "3.2.3",
        ending("est.rfc7617:read", "result = (result[0], result[1] + b'x')"),
    ),
    fault(
        "auth.digest-broken",
        "Digest is offered, and no answer is right",
        "3.2.3",
        instead("est.rfc7616:verify", _COMPARED, "False"),
    ),
    fault(
        "auth.digest-unverified",
        "Every Digest answer is right",
        "RFC 7616 section 3.4",
        instead("est.rfc7616:verify", _COMPARED, "True"),
    ),
    fault(
        "auth.digest-any-nonce",
        "A Digest answer to a nonce that was never given is right",
        "RFC 7616 section 3.3",
        ending("est.rfc7616:Nonces.is_fresh", "result = True"),
    ),
    fault(
        "auth.digest-any-resource",
        "A Digest answer for another resource is right",
        "RFC 7616 section 3.4.6",
        unchecked(f"{_MODULE}:_by_digest", "another resource or realm"),
    ),
    fault(
        "auth.anonymous",
        "Who presents nothing enrolls",
        "4.2",
        instead(
            f"{_MODULE}:authenticate",
            "return await call.core.credentials.anonymous(call.exchange, call.profile)\n    raise NothingPresented",
            f"pass\n    return {NOBODY}",
        ),
    ),
    fault(
        "auth.any-password", "Every password is right", "4.2", instead(f"{_MODULE}:by_password", _VERIFIED, f"return {NOBODY}")
    ),
    fault(
        "auth.any-user",
        "A password is right under every name",
        "4.2",
        instead(f"{_MODULE}:by_password", _VERIFIED, _VERIFIED.replace("user or None", "None")),
    ),
    fault(
        "auth.unknown-scheme-anonymous",
        "A scheme that is not offered is no obstacle",
        "4.2",
        instead(
            f"{_MODULE}:by_password",
            "raise Refused(Reason.UNAUTHENTICATED, _CLAUSE, 'an authentication scheme that is not offered', "
            "expected=' or '.join(call.options.http))",
            f"return {NOBODY}",
        ),
    ),
    fault(
        "auth.any-certificate",
        "A client certificate is recognized by its serial number alone",
        "3.3.2",
        _BY_SERIAL,
    ),
    fault(
        "auth.revoked-certificate",
        "A certificate that was revoked is renewed",
        "3.3.2",
        _BY_SERIAL,
        AS_NEW,
    ),
    fault(
        "auth.password-demanded",
        "Who presents a certificate is asked for a password all the same",
        "3.2.3",
        instead(f"{_MODULE}:authenticate", "if both and (not password):", "if not password:"),
    ),
    fault(
        "auth.after-the-request",
        "Nobody's requests are read before anybody is asked who it is",
        "4.2",
        instead(
            "est.rfc7030.simpleenroll:enroll",
            f"identity = await authenticate(call)\n    {_READ}\n    {_CSR}",
            f"{_READ}\n    {_CSR}\n    identity = await authenticate(call)",
        ),
    ),
)
