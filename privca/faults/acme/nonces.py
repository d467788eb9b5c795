"""Faults of nonces (RFC 8555 sections 6.5 and 7.2)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import ending, instead, unchecked

_SERVICE = "acme.service:AcmeService"

FAULTS = (
    fault(
        "nonce.accept-reused",
        "A nonce is good any number of times",
        "6.5",
        unchecked("acme.rfc8555.nonce:Nonces.spend", "used before"),
    ),
    fault(
        "nonce.accept-absent",
        "A request without a nonce is accepted",
        "6.5",
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "raise Refused(Reason.BAD_NONCE, 'RFC 8555 section 6.5', 'the protected header has no nonce')",
            "return",
        ),
    ),
    fault(
        "nonce.accept-unknown",
        "A nonce that was never given out is accepted",
        "6.5",
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "raise Refused(Reason.BAD_NONCE, 'RFC 8555 section 6.5', 'this nonce was never issued here')",
            "return",
        ),
    ),
    fault(
        "nonce.accept-malformed",
        "A nonce that is no base64url is accepted",
        "6.5.2",
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "raise Refused(Reason.MALFORMED, 'RFC 8555 section 6.5.2', 'a nonce is base64url text')",
            "return",
        ),
    ),
    fault(
        "nonce.absent-in-reply",
        "No reply to a POST brings a nonce",
        "6.5",
        instead(f"{_SERVICE}.handle", "request.method == 'POST' or ", ""),
    ),
    fault(
        "nonce.absent-in-bad-nonce",
        "badNonce comes without a new nonce",
        "6.5",
        instead(f"{_SERVICE}.handle", "fresh = True", "fresh = refused.reason is not Reason.BAD_NONCE"),
    ),
    fault(
        "nonce.padded",
        "Nonces have base64 padding",
        "6.5.1",
        ending("acme.rfc8555.nonce:Nonces.issue", "result = result + '='"),
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "if nonce is None:",
            "nonce = nonce.rstrip('=') if isinstance(nonce, str) else nonce\n    if nonce is None:",
        ),
    ),
    fault(
        "nonce.short",
        "Nonces are short enough to be guessed",
        "6.5.1",
        ending("acme.rfc8555.nonce:Nonces.issue", "result = result[-6:]"),
        instead(
            "acme.rfc8555.nonce:Nonces.spend",
            "raise Refused(Reason.BAD_NONCE, 'RFC 8555 section 6.5', 'this nonce was never issued here')",
            "return",
        ),
    ),
    fault(
        "nonce.new-nonce-cacheable",
        "newNonce may be cached",
        "7.2",
        instead(f"{_SERVICE}._answer", "(('Cache-Control', 'no-store'),)", "()"),
    ),
    fault(
        "nonce.new-nonce-without-nonce",
        "newNonce brings no nonce",
        "7.2",
        instead(f"{_SERVICE}.handle", " or request.tail == 'new-nonce'", ""),
    ),
    fault(
        "nonce.new-nonce-get-refused",
        "GET of newNonce has a status of its own",
        "7.2",
        instead(f"{_SERVICE}._answer", "200 if request.method == 'HEAD' else 204", "200"),
    ),
)
