"""Faults of what is checked of the bodies of requests (RFC 9483 sections 4.1, 4.2 and 5.1)."""

from __future__ import annotations

from privca.faults.cmp.rules import SERVICE, fault
from privca.faults.cmp.rules_validation import REVOKED_TRUSTED
from privca.faults.edits import instead, unchecked

_HEADER = "cmp.rfc9483:check_header"
_REQUEST = "cmp.rfc9483:check_request"
_POP = "cmp.rfc9810.pop:judge"
_OLD = "cmp.rfc9810.renewal:old_certificate"
# The code is known to whoever signs: only the rules look at who it is.
_BY_CODE = instead("cmp.rfc9810.enroll:crmf", "identity=call.sender", "identity=type(call.sender)('code', 'code:lab')")
# An update without the certificate that signs it.
_UNSIGNED = (
    instead(_REQUEST, "if own is None:", "if False:"),
    instead(_REQUEST, "if old is not None and", "if old is not None and own is not None and"),
)

FAULTS = (
    fault(
        "lightweight.any-requests",
        "A message may have any number of requests with any certReqIds",
        "4.1.1",
        unchecked("cmp.rfc9483:check_requests", "a message has one request"),
    ),
    fault(
        "lightweight.subject-missing",
        "Who names no subject gets a certificate for somebody",
        "4.1.1",
        unchecked(_REQUEST, "subject is required"),
        instead(_POP, "message.check_signature(key, tolerant=tolerant)", "None"),
        instead(
            "cmp.rfc9810.enroll:crmf",
            "subject, extensions = renewal.completed(template, old)",
            "subject, extensions = renewal.completed(template, old)\n    if template.subject is None and subject is None:\n        "
            "subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'somebody')]).public_bytes()",
        ),
    ),
    fault(
        "lightweight.poposk-input",
        "poposkInput may be used where the template has subject and key",
        "4.1.1",
        unchecked(_REQUEST, "poposkInput must not be used"),
        instead(_POP, "message.check_signature(key, tolerant=tolerant)", "None"),
    ),
    fault(
        "lightweight.pop-by-encryption",
        "Possession may be proven by decrypting",
        "4.1.1",
        unchecked(_REQUEST, "possession is proven by a signature"),
    ),
    fault(
        "lightweight.pop-missing",
        "A request with a public key needs no proof of possession",
        "5.1.1",
        instead(_POP, "raise _refuse(_CLAUSE, 'the request has a public key and no proof of possession')", "return Proof.GIVEN"),
    ),
    fault(
        "lightweight.pop-unchecked",
        "The proof of possession is not verified",
        "5.1.1",
        instead(_POP, "message.check_signature(key, tolerant=tolerant)", "None"),
    ),
    fault(
        "lightweight.ra-verified-by-anybody",
        "Anybody vouches for possession",
        "5.2.3.2",
        instead(_POP, "if not (call.sender.ra or call.nested):", "if False:"),
    ),
    fault(
        "lightweight.subject-of-another",
        "A certificate for any subject goes to who signs with any certificate",
        "5.1.1",
        unchecked("cmp.rfc9483:_check_subject", "the subject of the request is not that"),
        _BY_CODE,
    ),
    fault(
        "lightweight.transaction-id-reused",
        "An operation may begin with the transactionID of another",
        "5.1",
        instead(f"{SERVICE}._check_header", "raise enroll.in_use()", "pass"),
        instead("cmp.rfc9810.enroll:begin", "if known is not None and known.open and (not known.request):", "if False:"),
    ),
    fault(
        "lightweight.implicit-value-ignored",
        "implicitConfirm may have any value",
        "3.1",
        unchecked(_HEADER, "the value of implicitConfirm is NULL"),
    ),
    fault(
        "lightweight.wait-time-ignored",
        "confirmWaitTime may come in a request",
        "3.1",
        unchecked(_HEADER, "confirmWaitTime is for answers"),
    ),
    fault(
        "lightweight.implicit-anywhere",
        "implicitConfirm may come in any message",
        "3.1",
        unchecked(_HEADER, "implicitConfirm has no place"),
    ),
    fault(
        "lightweight.profile-anywhere",
        "certProfile may come in any message",
        "3.1",
        unchecked(_HEADER, "certProfile has no place"),
    ),
    fault(
        "lightweight.any-count",
        "A message may have any number of elements",
        "4.3",
        unchecked("cmp.rfc9483:check_count", "a message has one"),
    ),
    fault("lightweight.kur-by-mac", "A MAC protects an update", "4.1.3", *_UNSIGNED),
    fault(
        "lightweight.kur-signed-by-another",
        "Any certificate signs an update",
        "4.1.3",
        instead(_OLD, "if not (call.sender.ra or", "if not (True or"),
        _BY_CODE,
        instead(_REQUEST, "old is not None and old.serial != int.from_bytes(own.serial, 'big')", "False"),
    ),
    fault(
        "lightweight.kur-renames",
        "An update may be for another name",
        "4.1.3",
        instead("cmp.rfc9810.enroll:crmf", "renews=old", "renews=None"),
        _BY_CODE,
    ),
    fault(
        "lightweight.kur-of-revoked",
        "A certificate that is revoked is updated",
        "4.1.3",
        *_UNSIGNED,
        REVOKED_TRUSTED,
        unchecked(_OLD, "the certificate that is to be updated is"),
        instead("cmp.rfc9810.enroll:crmf", "renews=old", "renews=None"),
    ),
    fault(
        "lightweight.revocation-by-another",
        "Any certificate signs a revocation",
        "4.2",
        unchecked("cmp.rfc9483:check_revocation", "a revocation is signed with"),
        instead(
            "cmp.rfc9810.revoke:_apply",
            "call.core.door.revoke(call.exchange, certificate, wish.reason, call.sender,",
            "call.core.door.revoke(call.exchange, certificate, wish.reason, type(call.sender)('code', certificate.identity),",
        ),
    ),
    fault(
        "lightweight.revocation-claimed",
        "A revocation that is refused is said to be done",
        "5.1.3",
        instead(
            "cmp.rfc9810.revoke:revoke",
            "statuses.append(status.rejection(refused))",
            "statuses.append(status.status_info(status.Status.ACCEPTED))",
        ),
    ),
    fault(
        "lightweight.revoked-again",
        "Who has its certificate revoked again is told that it is done",
        "5.1.3",
        instead(
            f"{SERVICE}.answer",
            "reply = Reply(Body.ERROR, error.content(refused), refused=True)",
            "done = bytes.fromhex('300730053003020100')\n        reply = Reply(Body.RP, done) if refused.reason is "
            "Reason.ALREADY_REVOKED else Reply(Body.ERROR, error.content(refused), refused=True)",
        ),
    ),
    fault(
        "lightweight.nested-by-anybody",
        "Anybody sends nested messages",
        "5.2.2.1",
        unchecked("cmp.rfc9810.nested:unwrap", "nested messages are for registration authorities"),
    ),
    fault(
        "lightweight.nested-any-nonce",
        "A nested message around one message may have a nonce of its own",
        "5.2.2.1",
        instead("cmp.rfc9810.nested:unwrap", "if found[0].header.sender_nonce != call.message.header.sender_nonce:", "if False:"),
    ),
    fault(
        "lightweight.nested-batch-vouches",
        "A batch vouches for the messages in it",
        "5.2.2.2",
        instead("cmp.rfc9810.nested:unwrap", "vouched=False", "vouched=True"),
    ),
    fault(
        "lightweight.nested-no-approval",
        "What a registration authority has verified is worth nothing",
        "5.2.2.1",
        instead("cmp.rfc9810.nested:unwrap", "vouched=True", "vouched=False"),
    ),
)
