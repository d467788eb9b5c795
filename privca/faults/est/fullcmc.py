"""Faults of full CMC (RFC 7030 section 4.3, RFC 5272)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.est.naming import NOBODY, fault

_REPLY, _LINKAGE = "est.rfc5272.response:reply", "est.rfc5272.linkage:check"
_REFUSED = "return Response(bare.status, (*found.headers, *headers), found.body)"
_SIGNED = "signing.verify(message.signed.signers[0], PKI_DATA.dotted_string, message.content, key)"
_GRANTED = "result = result if result.status != 200 else "

FAULTS = (
    fault(
        "fullcmc.status-201",
        "A full request is granted with 201",
        "4.3.2",
        ending(_REPLY, f"{_GRANTED}type(result)(201, result.headers, result.body)"),
    ),
    fault(
        "fullcmc.media-type-wrong",
        "What a full request grants is octets of no type",
        "4.3.2",
        ending(_REPLY, f"{_GRANTED}type(result)(200, (('Content-Type', 'application/octet-stream'),), result.body)"),
    ),
    fault(
        "fullcmc.content-altered",
        "The signature of a response does not verify",
        "RFC 5272 section 4.2",
        ending("est.rfc5272.response:full", "result = result[:-1] + bytes([result[-1] ^ 1])"),
    ),
    fault(
        "fullcmc.invalid-200",
        "What is no message is answered with 200",
        "4.3.1",
        instead(
            _REPLY,
            _REFUSED,
            _REFUSED.replace("bare.status", "200 if refused.reason is refusal.Reason.MALFORMED else bare.status"),
        ),
    ),
    fault(
        "fullcmc.error-200",
        "What is refused is refused with 200",
        "4.3.2",
        instead(_REPLY, _REFUSED, _REFUSED.replace("bare.status", "200")),
    ),
    fault("fullcmc.error-in-text", "A refusal is a text", "4.3.2", instead(_REPLY, _REFUSED, "return bare")),
    fault(
        "fullcmc.error-type-wrong",
        "A refusal is octets of no type",
        "4.3.2",
        instead(_REPLY, _REFUSED, _REFUSED.replace("*found.headers", "('Content-Type', 'application/octet-stream')")),
    ),
    fault(
        "fullcmc.signature-unchecked",
        "The signature of a message is not verified",
        "RFC 5272 section 3.2",
        instead("est.rfc5272.signer:_verified", _SIGNED, "None"),
    ),
    fault(
        "fullcmc.anonymous",
        "Nobody in particular sends messages",
        "3.2.3",
        instead("est.rfc5272.party:identify", "identity = await authentication.authenticate(call)", f"identity = {NOBODY}"),
    ),
    fault(
        "fullcmc.linking-unnamed",
        "A wrong channel binding is a bad request",
        "3.5",
        instead(_LINKAGE, "raise Refused(Reason.BAD_POP, refused.clause", "raise Refused(Reason.BAD_CSR, refused.clause"),
    ),
    fault(
        "fullcmc.linking-unverified",
        "The channel binding of a full request is not verified",
        "3.5",
        instead(_LINKAGE, "linking.check(call, party.identity, one.challenge_password)", "None"),
    ),
)
