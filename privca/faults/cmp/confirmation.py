"""Faults of confirmations (RFC 9810 sections 4.2.2.2, 5.1.1.1, 5.3.17 and 5.3.18)."""

from __future__ import annotations

from privca.faults.cmp.headers import CONFIRMED_AGAIN
from privca.faults.cmp.naming import fault
from privca.faults.edits import instead, unchecked

_CONFIRM = "cmp.rfc9810.confirm:confirm"
_PARSE = "cmp.rfc9810.confirm:parse"
_ONE = "cmp.rfc9810.confirm:_confirmation"
_DIGEST = "cmp.rfc9810.confirm:_check_digest"
_ACCEPTED = "accepted = id in said and said[id].accepted"

FAULTS = (
    fault("confirmation.hash-unchecked", "Any certHash is right", "5.3.18", unchecked(_DIGEST, "certHash is not the hash")),
    fault(
        "confirmation.any-hash-function",
        "A certHash may be by any hash function of its length",
        "5.3.18",
        instead(_DIGEST, "hash_of(octets)", "{48: 'sha384', 64: 'sha512'}.get(len(confirmation.digest), 'sha256')"),
    ),
    fault(
        "confirmation.unverified-kept",
        "A certificate whose confirmation does not verify waits for another one",
        "4.2.2.2",
        instead(_CONFIRM, "await _withdraw(call, transaction, certificates)", "pass"),
    ),
    fault(
        "confirmation.id-unchecked",
        "A certConf may be about any certReqId",
        "5.3.18",
        instead(_CONFIRM, "_check_id(confirmation, transaction)", "None"),
        instead(_CONFIRM, "if confirmation.accepted:", "if confirmation.accepted and id in certificates:"),
    ),
    fault(
        "confirmation.id-twice",
        "A certReqId may be confirmed twice in one certConf",
        "5.3.18",
        unchecked(_PARSE, "a certReqId occurs more than once"),
    ),
    fault("confirmation.twice", "A certificate may be confirmed again", "5.3.18", *CONFIRMED_AGAIN),
    fault(
        "confirmation.hash-alg-any-version",
        "hashAlg is taken under cmp2000",
        "5.3.18",
        unchecked(_ONE, "hashAlg is for version 3"),
    ),
    fault(
        "confirmation.hash-alg-ignored",
        "hashAlg is not looked at",
        "5.3.18",
        instead(_ONE, "hash_name = hashes.name(value.hash_alg, hashes.HASHES, 'hash function')", "hash_name = ''"),
    ),
    fault(
        "confirmation.explicit-rejects",
        "Whatever a statusInfo says is a rejection",
        "5.3.18",
        instead(_PARSE, "status.parse(info, clause=_CLAUSE)", "status.StatusInfo(2, '', False)"),
    ),
    fault(
        "confirmation.omission-rejects",
        "A certConf without statusInfo is a rejection",
        "5.3.18",
        instead(_PARSE, "status.StatusInfo(0, '', False)", "status.StatusInfo(2, '', False)"),
    ),
    fault(
        "confirmation.omission-accepts",
        "A certificate that a certConf leaves out is accepted",
        "5.3.18",
        instead(_CONFIRM, _ACCEPTED, "accepted = id not in said or said[id].accepted"),
    ),
    fault(
        "confirmation.rejection-ignored",
        "A certificate that is rejected is kept",
        "5.3.18",
        instead(_CONFIRM, _ACCEPTED, "accepted = id in said"),
    ),
    fault(
        "confirmation.pkiconf-with-content",
        "A pkiConf has an empty SEQUENCE for its content",
        "5.3.17",
        instead(_CONFIRM, "Reply(Body.PKICONF, NULL)", "Reply(Body.PKICONF, b'0\\x00')"),
    ),
    fault(
        "confirmation.implicit-unsaid",
        "Implicit confirmation is granted and not said",
        "5.1.1.1",
        instead("cmp.rfc9810.enroll:answer", "information.append(Information(IMPLICIT_CONFIRM, b'\\x05\\x00'))", "pass"),
    ),
    fault(
        "confirmation.implicit-said-only",
        "Implicit confirmation is said, and a certConf awaited",
        "5.1.1.1",
        instead("cmp.rfc9810.enroll:enroll", "without_confirmation = implicit(call)", "without_confirmation = False"),
        instead("cmp.rfc9810.enroll:answer", "if confirm and call.transaction is not None:", "if not implicit(call):"),
        instead("cmp.rfc9810.enroll:answer", "elif not confirm:", "else:"),
    ),
)
