"""Faults of revocation (RFC 8555 section 7.6)."""

from __future__ import annotations

from privca.faults.acme.naming import fault
from privca.faults.edits import instead

FAULTS = (
    fault(
        "revocation.by-anybody",
        "Every account revokes every certificate",
        "7.6",
        instead(
            "acme.rfc8555.revocation:revoke", "call.signer is not None and (not await _may(call, call.signer, record))", "False"
        ),
    ),
    fault(
        "revocation.authorized-account-refused",
        "Only the account that a certificate was issued to revokes it",
        "7.6",
        instead(
            "acme.rfc8555.revocation:_may",
            "bool(asked) and asked <= {(a.name, a.wildcard) for a in held if usable(a, call.now)}",
            "False",
        ),
    ),
    fault(
        "revocation.account-refused",
        "No account revokes",
        "7.6",
        instead("acme.rfc8555.revocation:_may", "record.identity == f'acme:{account.id}'", "False"),
        instead(
            "acme.rfc8555.revocation:_may",
            "bool(asked) and asked <= {(a.name, a.wildcard) for a in held if usable(a, call.now)}",
            "False",
        ),
    ),
    fault(
        "revocation.key-refused",
        "The key of a certificate does not revoke it",
        "7.6",
        instead("acme.rfc8555.revocation:revoke", "key != call.key.key", "True"),
    ),
    fault(
        "revocation.any-reason",
        "Reason codes are not looked at",
        "7.6",
        instead("acme.rfc8555.revocation:_reason", "code not in ALLOWED", "False"),
        instead("acme.rfc8555.revocation:_reason", "RevocationReason(code)", "RevocationReason.UNSPECIFIED"),
    ),
    fault(
        "revocation.forgotten",
        "Nothing is revoked",
        "7.6",
        instead(
            "acme.rfc8555.revocation:revoke",
            "done = await call.core.door.revoke(call.exchange, record, _reason(wanted.reason), _identity(call))",
            "done = record\n    _reason(wanted.reason)",
        ),
    ),
)
