"""Faults of revocation (RFC 9810 sections 5.3.9 and 5.3.10)."""

from __future__ import annotations

from privca.faults.cmp.naming import fault
from privca.faults.edits import instead

_REVOKE = "cmp.rfc9810.revoke:revoke"
_APPLY = "cmp.rfc9810.revoke:_apply"
_DONE = "await call.core.door.revoke(call.exchange, certificate, wish.reason, call.sender, wish.invalidity_date)"
_REVOKED = "if certificate.status is CertificateStatus.REVOKED:"
_NO_REASON = "if reason is None:"
_DETAILS = "if details.extensions is not None:"

FAULTS = (
    fault("revocation.forgotten", "Nothing is revoked", "5.3.10", instead(_APPLY, _DONE, "None")),
    fault(
        "revocation.owner-refused",
        "Nobody revokes",
        "B",
        instead(
            _APPLY, "rfc9483.check_revocation(call, certificate)", "raise Refused(Reason.UNAUTHORIZED, _CLAUSE, 'nobody revokes')"
        ),
    ),
    fault(
        "revocation.by-anybody",
        "Everybody revokes every certificate",
        "5.3.9",
        instead(_APPLY, _DONE, "await call.core.door.withdraw(call.exchange, certificate, wish.reason)"),
    ),
    fault(
        "revocation.again-and-again",
        "A certificate that is revoked is revoked again",
        "5.3.9",
        instead(_APPLY, _REVOKED, f"{_REVOKED}\n        return\n    {_REVOKED}"),
    ),
    fault(
        "revocation.release-forgotten",
        "A certificate on hold stays there",
        "5.3.9",
        instead(_APPLY, "await call.core.door.release(call.exchange, certificate, call.sender)", "None"),
    ),
    fault(
        "revocation.unknown-accepted",
        "What is not found counts as revoked",
        "5.3.10",
        instead(
            _REVOKE,
            "status.rejection(refused)",
            "status.status_info(status.Status.ACCEPTED) if refused.reason is Reason.UNKNOWN_CERTIFICATE else status.rejection(refused)",
        ),
    ),
    fault(
        "revocation.issuer-unchecked",
        "A certificate of another CA is revoked if its serial number is one of ours",
        "5.3.9",
        instead(
            "cmp.rfc9810.revoke:_find",
            "await renewal.find(call, template.issuer, template.serial)",
            "await call.core.door.certificate(template.serial.to_bytes(20, 'big'))",
        ),
        instead("cmp.rfc9810.revoke:_find", "found is not None and _matches(found, template)", "found is not None"),
    ),
    fault(
        "revocation.any-reason",
        "Reason codes that there are not are unspecified",
        "RFC 5280 section 5.3.1",
        instead(
            "cmp.rfc9810.revoke:_reason",
            _NO_REASON,
            f"{_NO_REASON}\n        return RevocationReason.UNSPECIFIED\n    {_NO_REASON}",
        ),
    ),
    fault(
        "revocation.reason-needed",
        "An rr needs a reason",
        "5.3.9",
        instead(
            "cmp.rfc9810.revoke:_wish",
            _DETAILS,
            f"if details.extensions is None:\n        raise Refused(Reason.MALFORMED, _CLAUSE, 'no reason')\n    {_DETAILS}",
        ),
    ),
    fault(
        "revocation.names-another",
        "revCerts names the next serial number",
        "F",
        instead(_REVOKE, "int.from_bytes(certificate.serial, 'big')", "int.from_bytes(certificate.serial, 'big') + 1"),
    ),
    fault(
        "revocation.statuses-reversed",
        "Statuses stand in the reverse order of the request",
        "F",
        instead(_REVOKE, "*statuses", "*statuses[::-1]"),
    ),
)
