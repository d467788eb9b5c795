"""Faults in reading requests (RFC 7030 section 4.2.1, RFC 8951 section 3, RFC 2986)."""

from __future__ import annotations

from privca.faults.edits import Edit, instead, unchecked
from privca.faults.est.naming import fault

_READ, _DECODE, _ENROLL = "est.rfc7030.transfer:read", "est.rfc7030.transfer:decode", "est.rfc7030.simpleenroll:enroll"
_GIVEN = "given = request.headers.get('content-type', '')"
_SPELLED = "spelled = body.translate(None, _WHITE_SPACE)"
_PARSE = "csr = rfc2986.parse(octets, tolerant=call.tolerant)"
_REFUSED = "raise Refused(Reason.MALFORMED, _CLAUSE, 'no')"
# What parse() does, without looking at the signature.
_UNVERIFIED = """\
wishes = rfc2986.parse_wishes(octets, tolerant=call.tolerant)
    info = rfc2986.der.children(rfc2986.der.children(octets, clause='')[0], clause='')
    csr = rfc2986.CertificationRequest(
        der=octets, subject=wishes.subject, spki=info[2], public_key=rfc2986.read_public_key(info[2]), names=wishes.names,
        extensions=wishes.extensions, attributes=wishes.attributes, challenge_password=wishes.challenge_password,
        signature_algorithm='1.2.840.10045.4.3.2', signature_hash='sha256')"""


def _before(function: str, old: str, statement: str) -> Edit:
    return instead(function, old, f"{statement}\n    {old}")


FAULTS = (
    fault(
        "request.white-space-refused",
        "Requests are in lines with LF, or not understood",
        "RFC 8951 section 3.1",
        instead(_DECODE, _SPELLED, "spelled = body.replace(b'\\n', b'') if body.endswith(b'\\n') else b'!'"),
    ),
    fault(
        "request.transfer-encoding-demanded",
        "A request has to say Content-Transfer-Encoding",
        "RFC 8951 section 3",
        _before(_READ, _GIVEN, "if request.headers.get('content-transfer-encoding') != 'base64':\n        " + _REFUSED),
    ),
    fault(
        "request.transfer-encoding-obeyed",
        "A request that says Content-Transfer-Encoding: binary is read as that",
        "RFC 8951 section 3",
        _before(_READ, _GIVEN, "if request.headers.get('content-transfer-encoding') == 'binary':\n        return request.body"),
    ),
    fault(
        "request.media-type-case-sensitive",
        "The media type of a request is compared letter by letter",
        "RFC 9110 section 8.3.1",
        instead(_READ, "media_type(given)[0] != expected", "given != expected"),
    ),
    fault(
        "request.any-media-type", "The media type of a request is not looked at", "3.2.4", unchecked(_READ, "wrong media type")
    ),
    fault(
        "request.raw-der-accepted",
        "DER without base64 is accepted",
        "RFC 8951 section 3",
        _before(_DECODE, _SPELLED, "if body[:1] == b'0' and (not body.isascii()):\n        return body"),
    ),
    fault(
        "request.bad-letters-skipped",
        "Letters that are none of base64 are skipped",
        "RFC 4648 section 3.3",
        instead(_DECODE, "binascii.a2b_base64(spelled, strict_mode=True)", "binascii.a2b_base64(spelled)"),
        unchecked(_DECODE, "bits set"),
    ),
    fault(
        "request.trailing-octets-accepted",
        "What is behind a CSR is not looked at",
        "RFC 2986 section 4",
        _before(
            _ENROLL, _PARSE, "octets = octets[:4 + int.from_bytes(octets[2:4], 'big')] if octets[1:2] == b'\\x82' else octets"
        ),
    ),
    fault(
        "csr.signature-unchecked",
        "The signature of a CSR is not verified",
        "RFC 2986 section 4.2",
        instead(_ENROLL, _PARSE, _UNVERIFIED),
    ),
)
