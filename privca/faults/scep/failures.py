"""Faults of a CertRep FAILURE (RFC 8894 sections 3.2.1.4, 3.3.2.2)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.fault import Fault
from privca.faults.scep.naming import fault
from privca.faults.scep.replies import FLIPPED

_OF_REPLY = "scep.rfc8894.attributes:of_reply"
_FAILED = "scep.rfc8894.cert_rep:failed"
_FAIL_INFO = "scep.rfc8894.failure:fail_info"
_FOUND = "return TABLE[refused.reason]"


def _as_bad_request(label: str, name: str, member: str) -> Fault:
    changed = f"found = TABLE[refused.reason]\n    return FailInfo.BAD_REQUEST if found is FailInfo.{member} else found"
    title = f"What is {name} is called badRequest"
    return fault(f"failure.{label}-as-bad-request", title, "3.2.1.4", instead(_FAIL_INFO, _FOUND, changed))


FAULTS = (
    fault(
        "failure.http-500",
        "What should be refused in CMS is answered with HTTP 500",
        "4.3.1",
        instead(
            "scep.service:ScepService._pki_operation",
            "return await cert_rep.failed(exchange, profile.profile, party, transaction, refused)",
            "return _plain(500, str(refused))",
        ),
    ),
    fault(
        "failure.always-bad-time",
        "Every FAILURE has the failInfo badTime",
        "3.3.2.2",
        instead(_FAIL_INFO, _FOUND, "return FailInfo.BAD_TIME"),
    ),
    _as_bad_request("bad-alg", "badAlg", "BAD_ALG"),
    _as_bad_request("bad-message-check", "badMessageCheck", "BAD_MESSAGE_CHECK"),
    _as_bad_request("bad-time", "badTime", "BAD_TIME"),
    _as_bad_request("bad-cert-id", "badCertId", "BAD_CERT_ID"),
    fault(
        "failure.without-fail-info",
        "A FAILURE has no failInfo",
        "3.2.1.3",
        instead(_FAILED, "failure.fail_info(refused)", "None"),
    ),
    fault(
        "failure.fail-info-undefined",
        "A FAILURE has the failInfo 5, which is not defined",
        "3.2.1.4",
        instead(_OF_REPLY, "_FAIL_INFO[fail_info]", "_printable(FAIL_INFO, '5')"),
    ),
    fault(
        "failure.fail-info-as-utf8",
        "failInfo is a UTF8String",
        "3.2.1",
        instead(_OF_REPLY, "_FAIL_INFO[fail_info]", "attribute(FAIL_INFO, der.tlv(_UTF8_STRING, str(int(fail_info)).encode()))"),
    ),
    fault(
        "failure.with-envelope",
        "A FAILURE has a content",
        "3.3.2.2",
        instead(_FAILED, "PkiStatus.FAILURE, None,", "PkiStatus.FAILURE, b'0\\x00',"),
    ),
    fault(
        "failure.recipient-nonce-absent",
        "A FAILURE has no recipientNonce",
        "3.2.1",
        instead(_OF_REPLY, "if recipient_nonce:", "if recipient_nonce and status is not PkiStatus.FAILURE:"),
    ),
    fault(
        "failure.transaction-id-other",
        "A FAILURE has a transactionID of its own",
        "3.2.1.1",
        instead(
            _OF_REPLY, "raw_transaction_id)", "raw_transaction_id if status is not PkiStatus.FAILURE else b'\\x13\\x05other')"
        ),
    ),
    fault(
        "failure.sender-nonce-absent",
        "A FAILURE has no senderNonce",
        "3.2.1.5",
        instead(
            _OF_REPLY,
            ", attribute(SENDER_NONCE, der.tlv(_OCTET_STRING, fresh_nonce))",
            ", *([attribute(SENDER_NONCE, der.tlv(_OCTET_STRING, fresh_nonce))] if status is not PkiStatus.FAILURE else [])",
        ),
    ),
    fault("failure.signature-wrong", "The signature of a FAILURE is wrong", "3.2", ending(_FAILED, FLIPPED)),
)
