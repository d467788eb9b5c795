"""Faults of headers, versions and messages that cannot be read (RFC 9810 sections 5.1, 5.1.1 and 7)."""

from __future__ import annotations

from privca.faults.cmp.naming import fault
from privca.faults.edits import Edit, instead, unchecked

_ANSWER = "cmp.service:CmpService.answer"
_CHECK = "cmp.service:CmpService._check_header"
_WRITE = "cmp.service:CmpService._write"
_CONFIRM = "cmp.rfc9810.confirm:confirm"
_NOT_WAITING = "if not waiting:"


def _continuing(function: str, returned: str) -> Edit:
    """Take a message of a transaction that is not known."""
    test = "if transaction is None:"
    return instead(function, test, f"{test}\n        return {returned}\n    {test}")


CONFIRMED_AGAIN = (
    instead("cmp.rfc9810.confirm:_check_id", "part is not None and part.state is PartState.ISSUED", "part is not None"),
    instead(_CONFIRM, _NOT_WAITING, f"{_NOT_WAITING}\n        return Reply(Body.PKICONF, NULL)\n    {_NOT_WAITING}"),
)
"""A certificate that was confirmed is confirmed again."""
_TAKEN_OVER = (
    instead(_CHECK, "transaction is not None and transaction.open", "False"),
    instead("cmp.rfc9810.enroll:begin", "known is not None and known.open and (not known.request)", "False"),
)
_ANY_NONCE = unchecked(_CHECK, "recipNonce is not the senderNonce of our last message")

FAULTS = (
    fault(
        "header.transaction-id-own",
        "A reply has a transactionID of the server's own",
        "5.1.1",
        instead(_WRITE, "transaction_id=transaction_id", "transaction_id=nonce"),
    ),
    fault(
        "header.transaction-id-absent",
        "The reply to a request without a transactionID has none either",
        "5.1.1",
        instead(_WRITE, "transaction_id=transaction_id", "transaction_id=received.transaction_id"),
    ),
    fault(
        "header.transaction-id-unchecked",
        "A certConf or pollReq of no transaction is answered as if there were one",
        "5.1.1",
        _continuing(_CHECK, ""),
        _continuing(_CONFIRM, "Reply(Body.PKICONF, NULL)"),
        _continuing("cmp.rfc9810.poll:poll", "report(ids, 1)"),
    ),
    fault(
        "header.transaction-id-taken-over",
        "A transactionID that is in use begins another transaction in place of the first",
        "5.1.1",
        *_TAKEN_OVER,
    ),
    fault(
        "header.request-replayed",
        "An ir that comes again is granted again",
        "5.1.1",
        *_TAKEN_OVER,
        instead("cmp.rfc9810.enroll:request_id", "{digest}", "{call.exchange.entropy.octets(20).hex()}"),
    ),
    fault(
        "header.in-use-is-bad-request",
        "A transactionID that is in use is badRequest",
        "5.1.1",
        instead("cmp.rfc9810.enroll:in_use", "Reason.TRANSACTION_IN_USE", "Reason.UNSUPPORTED_OPERATION"),
    ),
    fault(
        "header.recipient-nonce-own",
        "The recipNonce of a reply is its senderNonce",
        "5.1.1",
        instead(_WRITE, "recip_nonce=received.sender_nonce", "recip_nonce=nonce"),
    ),
    fault("header.recipient-nonce-unchecked", "The recipNonce of a certConf is not looked at", "5.1.1", _ANY_NONCE),
    fault(
        "header.recipient-nonce-optional",
        "A certConf needs no recipNonce",
        "5.1.1",
        instead(_CHECK, "header.recip_nonce != transaction.nonce", "header.recip_nonce not in (None, transaction.nonce)"),
    ),
    fault(
        "header.confirmation-replayed",
        "A certConf that comes again is taken again",
        "5.1.1",
        _ANY_NONCE,
        *CONFIRMED_AGAIN,
    ),
    fault(
        "header.sender-nonce-short",
        "Replies have a senderNonce of 64 bits",
        "5.1.1",
        instead(_ANSWER, "nonce = exchange.entropy.octets(NONCE_OCTETS)", "nonce = exchange.entropy.octets(8)"),
    ),
    fault(
        "header.sender-nonce-fixed",
        "Every reply has the same senderNonce",
        "5.1.1",
        instead(_ANSWER, "nonce = exchange.entropy.octets(NONCE_OCTETS)", "nonce = b'the same octets.'"),
    ),
    fault(
        "header.sender-nonce-unchecked",
        "Requests need no senderNonce",
        "5.1.1",
        unchecked(_CHECK, "senderNonce has at least 128 bits"),
    ),
    fault(
        "header.message-time-of-another-day",
        "The messageTime of a reply is ten days old",
        "5.1.1",
        instead(
            _WRITE,
            "message_time=exchange.now",
            "message_time=datetime.fromtimestamp(exchange.now.timestamp() - 864000, exchange.now.tzinfo)",
        ),
    ),
    fault(
        "header.message-time-unchecked",
        "The messageTime of a request may be any",
        "5.1.1",
        unchecked(_CHECK, "messageTime is too far from our time"),
    ),
    fault("header.sender-unnamed", "The sender of a reply is the NULL-DN", "C.5", instead(_WRITE, "prepared.sender", "NULL_DN")),
    fault("header.sender-kid-absent", "Replies have no senderKID", "5.1.1", instead(_WRITE, "prepared.key_identifier", "None")),
    fault(
        "version.always-two",
        "Every reply has pvno 2",
        "7",
        instead(_WRITE, "min(max(received.pvno, VERSIONS[0]), VERSIONS[-1])", "2"),
    ),
    fault(
        "version.error-echoes",
        "The reply to a version that is not supported has that version",
        "7",
        instead(_WRITE, "min(max(received.pvno, VERSIONS[0]), VERSIONS[-1])", "received.pvno"),
    ),
    fault("version.any", "Any pvno is taken", "7", unchecked(_ANSWER, "an unknown version")),
    fault(
        "version.unsupported-is-bad-request",
        "A version that is not supported is badRequest",
        "7",
        instead(_ANSWER, "Reason.UNSUPPORTED_VERSION", "Reason.UNSUPPORTED_OPERATION"),
    ),
    fault(
        "message.any-octets",
        "What cannot be read is answered by a pkiConf",
        "5.2.3",
        instead(
            "cmp.service:CmpService.handle",
            "rfc9811.response(_unprotected(refused), 400)",
            "rfc9811.response(encode(Header(pvno=2, sender=NULL_DN).encode(), encode_body(Body.PKICONF, b'\\x05\\x00'), None), 200)",
        ),
    ),
    fault(
        "message.trailing-octets",
        "Octets behind a message are cut off",
        "5.1",
        instead(
            "cmp.rfc9810.message:parse",
            "der.decode(_Message, octets, clause=_CLAUSE)",
            "der.decode(_Message, octets[:4 + int.from_bytes(octets[2:4], 'big')] if octets[1:2] == b'\\x82' else octets, clause=_CLAUSE)",
        ),
    ),
    fault(
        "error.always-system-failure",
        "Whatever is refused is refused by systemFailure",
        "5.2.3",
        instead("cmp.rfc9810.status:rejection", "TABLE[refused.reason]", "FailInfo.SYSTEM_FAILURE"),
    ),
    fault(
        "error.no-fail-info",
        "Refusals have no failInfo",
        "5.2.3",
        instead("cmp.rfc9810.status:rejection", ", TABLE[refused.reason]", ""),
    ),
    fault(
        "error.accepted",
        "An error has the status accepted",
        "5.2.3",
        instead(
            "cmp.rfc9810.error:content", "status.rejection(refused)", "status.status_info(status.Status.ACCEPTED, str(refused))"
        ),
    ),
    fault(
        "error.not-confirmed",
        "The error of a client is answered by a pollRep",
        "5.3.21",
        instead("cmp.rfc9810.error:received", "Reply(Body.PKICONF, confirm.NULL)", "Reply(Body.POLLREP, der.tlv(48))"),
    ),
    fault(
        "error.client-error-keeps",
        "After the error of a client its transaction goes on",
        "5.3.21",
        instead("cmp.rfc9810.error:received", "if transaction is not None:", "if False:"),
    ),
)
