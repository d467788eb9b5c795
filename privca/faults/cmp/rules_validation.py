"""Faults of the validation of messages (RFC 9483 section 3.5)."""

from __future__ import annotations

from privca.faults.cmp.rules import AUTHENTICATION, SERVICE, fault
from privca.faults.edits import Edit, instead, unchecked

_HEADER = f"{SERVICE}._check_header"
_RULES = "cmp.rfc9483:check_header"
REVOKED_TRUSTED = instead(
    f"{AUTHENTICATION}:Authentication._trusted",
    "again = message.body is Body.RR and 'revoked' in refused.detail",
    "if 'revoked' in refused.detail:\n            return Identity('code', 'code:lab')\n        again = message.body is Body.RR",
)
"""Who signs with a certificate that is revoked is taken for who knows the code."""


def _refusing(condition: str) -> Edit:
    """Refuse what there is no reason to refuse."""
    refusal = "raise Refused(Reason.BAD_SIGNATURE, clause, 'not for us')"
    return instead(
        _HEADER, "clause = 'RFC 9483 section 3.5'", f"clause = 'RFC 9483 section 3.5'\n    if {condition}:\n        {refusal}"
    )


FAULTS = (
    fault(
        "lightweight.syntax-forgiven",
        "What follows the value of a body is not looked at",
        "3.5",
        unchecked("cmp.rfc9810.message:_content", "a body has one element"),
    ),
    fault("lightweight.any-version", "Any pvno will do", "3.5", unchecked(f"{SERVICE}.answer", "an unknown version")),
    fault(
        "lightweight.transaction-id-missing",
        "A message needs no transactionID",
        "3.5",
        unchecked(_RULES, "transactionID has 128 bits"),
        instead(_HEADER, "header.transaction_id is None", "False"),
        instead(_HEADER, "len(header.transaction_id) < 8", "len(header.transaction_id or bytes(8)) < 8"),
    ),
    fault(
        "lightweight.transaction-id-of-any-length",
        "A transactionID may have less than 128 bits",
        "3.1",
        unchecked(_RULES, "transactionID has 128 bits"),
    ),
    fault(
        "lightweight.sender-nonce-of-any-length",
        "A senderNonce may have any length, or be missing",
        "3.5",
        unchecked(_HEADER, "senderNonce has at least 128 bits"),
    ),
    fault(
        "lightweight.recip-nonce-unchecked",
        "recipNonce is not looked at",
        "3.5",
        unchecked(_HEADER, "recipNonce is not the senderNonce of our last message"),
    ),
    fault(
        "lightweight.first-answers-something",
        "The first message of an operation may have a recipNonce",
        "3.1",
        unchecked(_RULES, "the first message of an operation has no recipNonce"),
        instead(_HEADER, "if header.recip_nonce is not None and", "if False and"),
    ),
    fault(
        "lightweight.unprotected-accepted",
        "Who does not protect a message is taken for who knows the code",
        "3.5",
        instead(
            f"{AUTHENTICATION}:Authentication._unprotected",
            "raise Refused(Reason.UNAUTHENTICATED, _CHECK, 'the message is not protected') from refused",
            "identity = Identity('code', 'code:lab')",
        ),
        instead(_HEADER, "if options.rules == 'rfc9483'", "if message.protection is not None"),
    ),
    fault(
        "lightweight.mac-unchecked",
        "The value of a MAC is not looked at",
        "3.5",
        instead(
            f"{AUTHENTICATION}:Authentication._verifies",
            "hmac.compare_digest(mac.compute(self._derived.theirs(secret, mac), part), protection)",
            "True",
        ),
    ),
    fault(
        "lightweight.signature-unchecked",
        "The value of a signature is not looked at",
        "3.5",
        instead(
            f"{AUTHENTICATION}:verify_signature",
            "signatures.verify(public_key, algorithm, message.protection or b'', message.protected_part())",
            "None",
        ),
    ),
    fault(
        "lightweight.sender-kid-unchecked",
        "senderKID is not compared with the signer's certificate",
        "3.5",
        unchecked(f"{AUTHENTICATION}:_check_sender", "senderKID is not the key identifier"),
    ),
    fault(
        "lightweight.sender-unchecked",
        "sender is not compared with the signer's certificate",
        "3.5",
        unchecked(f"{AUTHENTICATION}:_check_sender", "sender is not the subject"),
        unchecked("cmp.rfc9483:_check_subject", "the subject of the request is not that"),
    ),
    fault(
        "lightweight.mac-of-anybody",
        "The name of a secret is taken from sender alone",
        "3.5",
        instead(f"{AUTHENTICATION}:_reference", "if kid is not None", "if False"),
        unchecked(_RULES, "the common name of sender and senderKID"),
    ),
    fault(
        "lightweight.mac-by-any-name",
        "sender does not have to name the secret of a MAC",
        "3.1",
        unchecked(_RULES, "the common name of sender and senderKID"),
    ),
    fault(
        "lightweight.revoked-signer-accepted",
        "A signer whose certificate is revoked is trusted",
        "3.5",
        REVOKED_TRUSTED,
    ),
    fault("lightweight.any-time", "messageTime is not looked at", "3.5", unchecked(_HEADER, "messageTime is too far from")),
    fault(
        "lightweight.answers-answered",
        "A genp is taken for a genm",
        "3.5",
        instead(
            f"{SERVICE}._method", "TABLE.get(message.body)", "TABLE.get(Body.GENM if message.body is Body.GENP else message.body)"
        ),
    ),
    fault(
        "lightweight.state-unchecked",
        "A certConf is acknowledged whether or not there is something to confirm",
        "3.5",
        instead(
            _HEADER,
            "if transaction is None:",
            "if transaction is None and message.body is Body.CERTCONF:\n        return\n    if transaction is None:",
        ),
        instead(
            "cmp.rfc9810.confirm:confirm",
            "if transaction is None:",
            "if transaction is None:\n        return Reply(Body.PKICONF, NULL)\n    if transaction is None:",
        ),
    ),
    fault(
        "lightweight.recipient-checked",
        "A request for another recipient is refused",
        "3.5",
        _refusing("header.recipient != NULL_DN"),
    ),
    fault(
        "lightweight.general-info-checked",
        "generalInfo of an unknown type is refused",
        "3.5",
        _refusing("any((not one.type.dotted_string.startswith('1.3.6.1.5.5.7.4.') for one in header.general_info))"),
    ),
)
