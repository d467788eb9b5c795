"""RFC 7030 sections 4.2.1 and 4.2.3: requests that are wrong in one thing are refused, and nothing is issued."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from conformance import der
from conformance.est import csr
from conformance.est.draft import body, header, octets, spelled
from conformance.est.lab import negative
from conformance.verdict import Level

_ERROR = "rfc7030:4.2.3#error-status"
_BASE64 = "RFC 8951 section 3"
_PKCS10 = "RFC 2986 section 4"
_BAD = frozenset({400, 403, 415, 422})

negative(
    "est.csr.bad-signature",
    "A CSR whose signature does not verify proves no possession of its key",
    covers=[_ERROR],
    mutation=octets("signature: last octet changed", f"{_PKCS10}.2", csr.badly_signed),
    status=_BAD,
    kills=["est.csr.signature-unchecked"],
)
negative(
    "est.csr.key-of-another",
    "A CSR for a key that did not sign it is refused",
    covers=[_ERROR],
    mutation=octets("subjectPKInfo: another key", f"{_PKCS10}.2", lambda old: der.replaced(old, (0, 2), csr.spki(csr.new_key()))),
    status=_BAD,
    kills=["est.csr.signature-unchecked"],
)
negative(
    "est.csr.another-subject",
    "A CSR whose subject was changed after it was signed is refused",
    covers=[_ERROR],
    mutation=octets("subject: empty", f"{_PKCS10}.2", lambda old: der.replaced(old, (0, 1), b"\x30\x00")),
    status=_BAD,
    kills=["est.csr.signature-unchecked"],
)
negative(
    "est.csr.version",
    "A CSR of an unknown version is refused",
    covers=[_ERROR],
    mutation=octets("version: 7", f"{_PKCS10}.1", lambda old: der.replaced(old, (0, 0), b"\x02\x01\x07")),
    status=_BAD,
)
negative(
    "est.csr.truncated",
    "A CSR that ends too early is refused",
    covers=[_ERROR],
    mutation=octets("DER without its last 10 octets", "X.690 section 8.1.3", lambda old: old[:-10]),
    status=_BAD,
)
negative(
    "est.csr.trailing-octets",
    "A CSR with something behind it is refused",
    covers=[_ERROR],
    mutation=octets("an octet behind the DER", _PKCS10, lambda old: old + b"\0"),
    status=_BAD,
    level=Level.MAY,
    kills=["est.request.trailing-octets-accepted"],
)
negative(
    "est.csr.not-a-request",
    "DER that is no CSR is refused",
    covers=[_ERROR],
    mutation=octets("SubjectPublicKeyInfo in place of the CSR", _PKCS10, lambda old: csr.spki(csr.new_key())),
    status=_BAD,
)
negative(
    "est.csr.garbage",
    "Octets that are no DER are refused",
    covers=[_ERROR],
    mutation=octets("255 octets in place of the CSR", _PKCS10, lambda old: bytes(range(1, 256))),
    status=_BAD,
)
negative(
    "est.request.empty-body",
    "An empty body is refused",
    covers=[_ERROR],
    mutation=body("empty body", "RFC 7030 section 4.2.1", lambda old: b""),
    status=frozenset({*_BAD, 411}),
)
negative(
    "est.request.raw-der",
    "DER that is not in base64 is refused",
    covers=[_ERROR],
    mutation=body("DER as it is", _BASE64, lambda old: old),
    status=_BAD,
    level=Level.MAY,
    kills=["est.request.raw-der-accepted"],
)
negative(
    "est.request.base64url",
    "Base64 of the URL alphabet is refused",
    covers=[_ERROR],
    mutation=body("base64url", "RFC 4648 section 4", urlsafe_b64encode),
    status=_BAD,
)
negative(
    "est.request.bad-letters",
    "Letters outside the alphabet of base64 are refused",
    covers=[_ERROR],
    mutation=body("an exclamation mark in the base64", "RFC 4648 section 3.3", lambda old: b"!" + spelled(old)),
    status=_BAD,
    level=Level.MAY,
    kills=["est.request.bad-letters-skipped"],
)
negative(
    "est.request.wrong-media-type",
    "A body of another media type is refused",
    covers=[_ERROR],
    mutation=header("Content-Type", "application/json", "RFC 7030 section 3.2.4"),
    status=_BAD,
    level=Level.MAY,
    kills=["est.request.any-media-type"],
)
