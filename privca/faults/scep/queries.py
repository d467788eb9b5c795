"""Faults of CertPoll, GetCert and GetCRL (RFC 8894 sections 4.4 to 4.6)."""

from __future__ import annotations

from privca.faults.edits import ending, instead
from privca.faults.scep.enrollment import SIGNER_FORGOTTEN
from privca.faults.scep.naming import APPROVAL, fault

_POLL = "scep.rfc8894.polling:poll"
_CERTIFICATE = "scep.rfc8894.queries:certificate"
_CRL = "scep.rfc8894.queries:crl"
_PENDING = "return await cert_rep.pending(exchange, profile.profile, addressed.party, message.transaction)"
_UNMATCHED = (
    "raise Refused(Reason.NOT_FOUND, 'RFC 8894 section 4.4', 'there is no PKCSReq or RenewalReq of this transactionID and key')"
)
_RESUMED = "answer = await door.resume(exchange, profile, request_id)"
_SUCCESS = "return await cert_rep.success(exchange, profile.profile, addressed.party, message, addressed.cipher, "

FAULTS = (
    fault(
        "poll.unmatched-pending", "A CertPoll for nothing is answered with PENDING", "4.4", instead(_POLL, _UNMATCHED, _PENDING)
    ),
    fault(
        "poll.any-signer",
        "A CertPoll with another client's transactionID brings that one's certificate",
        "4.4",
        SIGNER_FORGOTTEN,
    ),
    fault(
        "poll.finished-refused",
        "A CertPoll whose request was granted is refused",
        "5.2",
        instead(
            _POLL,
            "return await issued(exchange, profile, door, message, addressed, answer, password)",
            "raise Refused(Reason.NOT_FOUND, 'RFC 8894 section 4.4', 'the transaction is over')",
        ),
    ),
    fault(
        "pending.with-envelope",
        "PENDING has a content",
        "3.3.2.3",
        instead("scep.rfc8894.cert_rep:pending", "PkiStatus.PENDING, None)", "PkiStatus.PENDING, b'0\\x00')"),
        like=APPROVAL,
    ),
    fault(
        "pending.poll-refused",
        "A CertPoll is refused until a person has decided",
        "4.4.1",
        instead(_POLL, _PENDING, "raise Refused(Reason.NOT_FOUND, 'RFC 8894 section 4.4', 'ask later')"),
        like=APPROVAL,
    ),
    fault(
        "pending.content-opened",
        "A CertPoll must have the subject of its request in its envelope",
        "3.3.3",
        instead(
            _POLL,
            "request_id = await",
            "from privca.scep.rfc8894.envelope import _decrypted\n"
            "    if message.signer.subject not in await _decrypted(exchange, profile.profile, addressed):\n"
            "        raise Refused(Reason.NOT_FOUND, 'RFC 8894 section 3.3.3', 'another subject')\n"
            "    request_id = await",
        ),
        like=APPROVAL,
    ),
    fault(
        "pending.any-signer",
        "A CertPoll with another client's transactionID learns how that one's request fares",
        "4.4",
        SIGNER_FORGOTTEN,
        like=APPROVAL,
    ),
    fault(
        "pending.never-granted",
        "A CertPoll is answered with PENDING, whatever a person has decided",
        "4.4.1",
        instead(_POLL, "isinstance(answer, Pending)", "True"),
        like=APPROVAL,
    ),
    fault(
        "pending.rejection-unsaid",
        "A request that was rejected stays PENDING",
        "4.4.1",
        instead(_POLL, _RESUMED, f"try:\n        {_RESUMED}\n    except Refused:\n        {_PENDING}"),
        like=APPROVAL,
    ),
    fault(
        "get-cert.other-certificate",
        "GetCert brings the CA's certificate",
        "3.3.2.1",
        instead(_CERTIFICATE, "certificates=[found.der, *above]", "certificates=[*above]"),
    ),
    fault(
        "get-cert.twice",
        "GetCert brings the certificate twice",
        "3.3.2.1",
        instead(_CERTIFICATE, "certificates=[found.der, *above]", "certificates=[found.der, found.der, *above]"),
    ),
    fault(
        "get-cert.bad-cert-id",
        "GetCert finds nothing",
        "4.5",
        instead(_CERTIFICATE, "if found is None or", "if True or"),
    ),
    fault(
        "get-cert.for-anybody",
        "GetCert brings certificates to everybody",
        "2.6",
        ending("scep.rfc8894.queries:_may_have", "result = True"),
    ),
    fault(
        "get-cert.any-serial",
        "GetCert for what is not there brings what there is",
        "3.2.1.4",
        instead(_CERTIFICATE, "raise no_such_certificate()", f"{_SUCCESS}certificates=[message.signer.der])"),
    ),
    fault("get-crl.without-crl", "GetCRL brings nothing", "3.3.2.1", instead(_CRL, "crls=[record.der]", "crls=[]")),
    fault(
        "get-crl.with-certificates",
        "GetCRL brings a certificate, too",
        "2.7",
        instead(_CRL, "crls=[record.der]", "crls=[record.der], certificates=[addressed.party.named.der]"),
    ),
    fault("get-crl.bad-cert-id", "GetCRL finds nothing", "4.6", instead(_CRL, "if found is None:", "if True:")),
    fault(
        "get-crl.any-serial",
        "GetCRL for what was never issued brings the CRL",
        "3.2.1.4",
        instead(
            _CRL,
            "raise no_such_certificate()",
            "record = await lists.current(profile.profile.issuer, addressed.party.generation, exchange.now)\n"
            f"        {_SUCCESS}crls=[record.der])",
        ),
    ),
    fault(
        "queries.issuer-unchecked",
        "GetCert and GetCRL go by the serial number alone",
        "3.3.4",
        instead(
            "scep.rfc8894.queries:_meant",
            "found if der.encode(named.issuer) == signer.subject_der else None",
            "found",
        ),
    ),
)
