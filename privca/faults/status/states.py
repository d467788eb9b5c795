"""Faults of what is said of a certificate (RFC 6960 section 2.2)."""

from __future__ import annotations

from privca.faults.edits import instead
from privca.faults.status.naming import ocsp

_SIGNED = "status.rfc6960:OcspResponder._signed"
_ANSWER = "status.rfc6960:OcspResponder.answer"
_NOT_ISSUED = "options.not_issued == 'revoked'"
_ISSUER = "issuers.get((one.hash_name, one.issuer_name_hash, one.issuer_key_hash))"

FAULTS = (
    ocsp("state.good-for-revoked", "What is revoked is good", "2.2", instead(_SIGNED, "state.revoked_at is None", "True")),
    ocsp("state.revoked-for-good", "What is good is revoked", "2.2", instead(_SIGNED, "rfc6960.GOOD", "rfc6960.revoked(now, 4)")),
    ocsp("state.unknown-for-good", "What is good is unknown", "2.2", instead(_SIGNED, "rfc6960.GOOD", "rfc6960.UNKNOWN")),
    ocsp(
        "state.good-for-non-issued",
        "What was never issued is good",
        "2.2",
        instead(_SIGNED, _NOT_ISSUED, "(status := rfc6960.GOOD) is None"),
    ),
    ocsp(
        "state.non-issued-unmarked",
        "What was never issued is revoked, without a word that this is the extended definition",
        "2.2",
        instead(_SIGNED, _NOT_ISSUED, "True"),
        instead(_SIGNED, "extensions = [rfc6960.EXTENDED_REVOKE]", "extensions = []"),
    ),
    ocsp(
        "state.non-issued-for-good",
        "What was never issued is revoked as of now, because of its key",
        "2.2",
        instead(_SIGNED, _NOT_ISSUED, "True"),
        instead(_SIGNED, "_NEVER_ISSUED_AT, RevocationReason.CERTIFICATE_HOLD", "now, RevocationReason.KEY_COMPROMISE"),
    ),
    ocsp(
        "state.non-issued-marked-critical",
        "The extended definition is a critical extension",
        "4.4.8",
        instead(_SIGNED, _NOT_ISSUED, "True"),
        instead(
            _SIGNED,
            "rfc6960.EXTENDED_REVOKE",
            "rfc6960.der.tlv(48, rfc6960._EXTENDED_REVOKE, b'\\x01\\x01\\xff', rfc6960.der.tlv(4, b'\\x05\\x00'))",
        ),
    ),
    ocsp(
        "state.revoked-in-1970",
        "Everything was revoked in 1970",
        "2.4",
        instead(_SIGNED, "rfc6960.revoked(state.revoked_at", "rfc6960.revoked(_NEVER_ISSUED_AT"),
    ),
    ocsp("state.reason-lost", "No reason is told", "4.2.2.3", instead(_SIGNED, "int(state.reason or 0)", "0")),
    ocsp(
        "state.reason-other",
        "Every reason is keyCompromise",
        "2.2",
        instead(_SIGNED, "int(state.reason or 0)", "1"),
    ),
    ocsp(
        "state.kept-as-fresh",
        "The state is what it was when it was first asked for, as of now",
        "2.5",
        instead(
            "status.rfc6960:OcspResponder._state",
            "else state",
            "else self.__dict__.setdefault('first', {}).setdefault(asked.serial, state)",
        ),
    ),
    ocsp(
        "state.issuer-unchecked",
        "The serial number alone is looked at",
        "4.1.1",
        instead(_ANSWER, _ISSUER, "next(iter(issuers.values()))"),
    ),
    ocsp(
        "state.key-unchecked",
        "The key of the issuer is not looked at",
        "4.1.1",
        instead(_ANSWER, _ISSUER, "next((key for (_, name, _), key in issuers.items() if name == one.issuer_name_hash), None)"),
    ),
    ocsp(
        "state.name-unchecked",
        "The name of the issuer is not looked at",
        "4.1.1",
        instead(
            _ANSWER, _ISSUER, "next((key for (_, _, hashed), key in issuers.items() if hashed == one.issuer_key_hash), None)"
        ),
    ),
)
