"""Faults of what is answered (RFC 9483 sections 3.1, 3.2, 3.6, 4.1, 4.2 and 5.2.2)."""

from __future__ import annotations

from privca.faults.cmp.rules import AUTHENTICATION, SERVICE, fault
from privca.faults.edits import instead

_ANSWER = "cmp.rfc9810.enroll:answer"
_RESPONSE = "cmp.rfc9810.certrep:CertResponse"
_REVOKE = "cmp.rfc9810.revoke:revoke"
_UNWRAP = "cmp.rfc9810.nested:unwrap"
_CONFIRM = "cmp.rfc9810.confirm:confirm"

FAULTS = (
    fault(
        "lightweight.pvno-3",
        "Every answer is of version 3",
        "3.1",
        instead(f"{SERVICE}._write", "pvno=min(max(received.pvno, VERSIONS[0]), VERSIONS[-1])", "pvno=3"),
    ),
    fault(
        "lightweight.wait-without-time",
        "Answers have no messageTime, whether or not they have confirmWaitTime",
        "3.1",
        instead(f"{SERVICE}._write", "message_time=exchange.now", "message_time=None"),
    ),
    fault(
        "lightweight.signed-for-mac",
        "Answers to what a MAC protects are signed",
        "3.2",
        instead(
            f"{AUTHENTICATION}:Authentication._proven",
            "protector = MacProtector(issuer, options, self._authorities, self._derived, secret, mac)",
            "protector = self.signing(profile)",
        ),
    ),
    fault(
        "lightweight.unprotected-errors",
        "Errors are not protected",
        "3.6.4",
        instead(
            f"{SERVICE}._write",
            "protection = await protector.protect(der.tlv(48, header, body))",
            "protection = None if reply.body is Body.ERROR else await protector.protect(der.tlv(48, header, body))",
        ),
    ),
    fault(
        "lightweight.error-without-rejection",
        "Errors have the status accepted",
        "3.6.4",
        instead(
            "cmp.rfc9810.error:content", "status.rejection(refused)", "status.status_info(status.Status.ACCEPTED, str(refused))"
        ),
    ),
    fault(
        "lightweight.body-errors-as-errors",
        "A request that is not granted is answered by an error",
        "3.6.2",
        instead("cmp.rfc9810.enroll:enroll", "return await answer(call, outcomes, confirm=False)", "raise outcomes[0].refused"),
    ),
    fault(
        "lightweight.rejection-with-certificate",
        "A rejection comes with a certifiedKeyPair",
        "4.1.1",
        instead(f"{_RESPONSE}.rejected", "cls(id, rejection(refused))", "cls(id, rejection(refused), b'0\\x00')"),
    ),
    fault(
        "lightweight.goes-on-after-error",
        "An operation goes on after an error",
        "3.6.4",
        instead("cmp.rfc9483:terminates", "profile.profile.cmp.rules == 'rfc9483'", "False"),
    ),
    fault(
        "lightweight.cert-req-id-1",
        "The certReqId of a response is one more than that of the request",
        "4.1.1",
        instead(f"{_RESPONSE}.encode", "der.integer(self.id)", "der.integer(self.id + 1)"),
    ),
    fault(
        "lightweight.accepted-with-fail-info",
        "A positive status has failInfo",
        "4.1.1",
        instead(f"{_RESPONSE}.granted", "status_info(Status.ACCEPTED)", "status_info(Status.ACCEPTED, failure=9)"),
    ),
    fault(
        "lightweight.ca-pubs-of-issuer",
        "caPubs has the issuing CA in place of the root",
        "4.1.1",
        instead("cmp.rfc9810.enroll:_chain", "default.certificates[-1:]", "default.certificates[:1]"),
    ),
    fault(
        "lightweight.ca-pubs-everywhere",
        "caPubs is in every response",
        "4.1.2",
        instead("cmp.rfc9810.enroll:_chain", "root if call.options.ca_pubs and call.by_password else ()", "root"),
        instead(_ANSWER, "ca_pubs if kind is Body.IR else ()", "ca_pubs"),
    ),
    fault(
        "lightweight.no-wait-time",
        "Nobody is told how long the server waits for a certConf",
        "4.1.1",
        instead(_ANSWER, "if confirm and call.transaction is not None:", "if False:"),
    ),
    fault(
        "lightweight.implicit-unasked",
        "implicitConfirm is granted to who did not ask for it",
        "4.1.1",
        instead("cmp.rfc9810.enroll:implicit", "call.message.header.information(IMPLICIT_CONFIRM) is not None", "True"),
    ),
    fault(
        "lightweight.implicit-unanswered",
        "Who asks for implicitConfirm is told nothing",
        "4.1.1",
        instead(_ANSWER, "elif not confirm:", "elif False:"),
    ),
    fault(
        "lightweight.pkiconf-not-null",
        "The content of a pkiConf is an empty sequence",
        "4.1.1",
        instead(_CONFIRM, "Reply(Body.PKICONF, NULL)", "Reply(Body.PKICONF, b'0\\x00')"),
    ),
    fault(
        "lightweight.pkiconf-signed",
        "A pkiConf is signed, whatever protects the request",
        "4.1.1",
        instead(
            f"{SERVICE}.answer",
            "await self._write(exchange, message, transaction_id, nonce, reply, protector)",
            "await self._write(exchange, message, transaction_id, nonce, reply, self._authentication.signing(profile) "
            "if reply.body is Body.PKICONF else protector)",
        ),
    ),
    fault(
        "lightweight.rejection-unheard",
        "A certificate that its client rejects stays good",
        "4.1.1",
        instead(_CONFIRM, "if not accepted:", "if False:"),
    ),
    fault(
        "lightweight.kur-by-cp",
        "A kur is answered by a cp",
        "4.1.3",
        instead(_ANSWER, "Reply(ANSWERS[kind],", "Reply(Body.CP if kind is Body.KUR else ANSWERS[kind],"),
    ),
    fault(
        "lightweight.p10cr-id-0",
        "The certReqId of the response to a p10cr is 0",
        "4.1.4",
        instead("cmp.rfc9810.enroll:_read", "_judged(P10CR_ID,", "_judged(0,"),
    ),
    fault(
        "lightweight.rp-two-statuses",
        "An rp has every status twice",
        "4.2",
        instead(_REVOKE, "der.tlv(48, *statuses)", "der.tlv(48, *statuses, *statuses)"),
    ),
    fault(
        "lightweight.rp-accepted-with-fail-info",
        "An rp has failInfo where all is done",
        "4.2",
        instead(_REVOKE, "status.status_info(status.Status.ACCEPTED)", "status.status_info(status.Status.ACCEPTED, failure=4)"),
    ),
    fault(
        "lightweight.nested-wrapped-answer",
        "The answer to one message in a nested one is nested, too",
        "5.2.2.1",
        instead(
            _UNWRAP,
            "Reply(Body.NESTED, b'', message=await call.again.inner(call, found[0], vouched=True))",
            "Reply(Body.NESTED, der.tlv(48, await call.again.inner(call, found[0], vouched=True)))",
        ),
    ),
    fault(
        "lightweight.nested-answer-missing",
        "The last message of a batch is not answered",
        "5.2.2.2",
        instead(_UNWRAP, "der.tlv(48, *answers)", "der.tlv(48, *answers[:-1])"),
    ),
    fault(
        "lightweight.nested-first-alone",
        "The first message of a batch is all that is read",
        "5.2.2.2",
        instead(_UNWRAP, "for octets in inside]", "for octets in inside[:1]]"),
    ),
    fault(
        "lightweight.nested-other-transaction",
        "The answer to a batch has another transactionID",
        "5.2.2.2",
        instead(
            f"{SERVICE}._write",
            "transaction_id=transaction_id",
            "transaction_id=nonce if reply.body is Body.NESTED else transaction_id",
        ),
    ),
)
