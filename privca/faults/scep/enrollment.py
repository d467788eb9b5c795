"""Faults of who may have a certificate (RFC 8894 sections 2.3 to 2.5), and of transactions (sections 3.2.1.1, 4.3)."""

from __future__ import annotations

from privca.faults.edits import Edit, instead, unchecked
from privca.faults.scep.naming import fault

_ENROLL = "scep.rfc8894.enrollment:enroll"
_IDENTITY = "scep.rfc8894.enrollment:_identity"
_SUBMISSION = "scep.rfc8894.enrollment:_submission"
_IDENTIFIED = "identity = await _identity(exchange, profile, credentials, message, addressed, csr)"
_RENEWS = "message.kind is MessageType.RENEWAL_REQ"
_ANYBODY = "Identity('code', 'code:lab')"
_ID = "hashlib.sha256(csr.der).hexdigest()"
SIGNER_FORGOTTEN = instead(
    "scep.rfc8894.enrollment:transaction_prefix",
    "message.transaction.id.encode() + b'\\x00' + signer",
    "message.transaction.id.encode()",
)
"""A transaction is known by its ID alone."""

_ANY_TWIN = instead(
    _IDENTITY,
    "return await credentials.certificate(exchange, profile, message.signer.der, message.others)",
    "from privca.pkix.rfc5652.identifiers import Named\n"
    "            twins = [one for one in message.others if Named.read(one).identifier() == message.signer.identifier()]\n"
    "            for one in (*twins, message.signer.der):\n"
    "                with suppress(Refused):\n"
    "                    return await credentials.certificate(exchange, profile, one, message.others)\n"
    "            raise Refused(Reason.UNAUTHENTICATED, 'RFC 8894 section 2.4', 'no certificate of this CA')",
)


def _refusing(when: str, detail: str) -> Edit:
    refusal = f"raise Refused(Reason.UNAUTHENTICATED, 'RFC 8894 section 2.5', {detail!r})"
    return instead(_SUBMISSION, _IDENTIFIED, f"if {when}:\n        {refusal}\n    {_IDENTIFIED}")


FAULTS = (
    fault(
        "enroll.any-challenge",
        "Any challengePassword is right",
        "2.4",
        instead(
            _IDENTITY,
            "return await credentials.password(exchange, profile, None, csr.challenge_password.encode())",
            f"return {_ANYBODY}",
        ),
    ),
    fault(
        "enroll.challenge-optional",
        "Who has no challengePassword gets a certificate all the same",
        "2.4",
        instead(_IDENTITY, "return await credentials.anonymous(exchange, profile)", f"return {_ANYBODY}"),
    ),
    fault(
        "enroll.signer-key-unchecked",
        "A message may be signed by another key than its PKCS #10 has",
        "2.3",
        instead(_IDENTITY, "_check_same_key(message, csr)", "None"),
    ),
    fault(
        "enroll.signer-subject-unchecked",
        "A self-signed certificate may have any subject",
        "2.3",
        unchecked("scep.rfc8894.enrollment:_check_self_signed", "the self-signed certificate has another subject"),
    ),
    fault(
        "enroll.request-signature-unchecked",
        "The signature of a PKCS #10 is not verified",
        "RFC 2986 section 3",
        instead(
            _ENROLL,
            "rfc2986.parse(octets, tolerant=profile.profile.tolerant, old=profile.profile.scep.digests)",
            "__import__('privca.faults.scep.unverified', fromlist=['request']).request(octets)",
        ),
    ),
    fault("renewal.refused", "RenewalReq is refused, though it is listed", "3.5.2", _refusing(_RENEWS, "no renewals")),
    fault(
        "renewal.challenge-demanded",
        "A renewal needs a challengePassword beside the certificate",
        "2.4",
        _refusing(f"{_RENEWS} and not csr.challenge_password", "no challengePassword"),
    ),
    fault(
        "renewal.same-key-refused",
        "A renewal must be for a new key",
        "2.5",
        _refusing(f"{_RENEWS} and csr.spki == message.signer.spki", "the key is the old one"),
    ),
    fault(
        "renewal.pkcs-req-refused",
        "A PKCSReq may not be signed by a certificate of the CA",
        "2.3",
        _refusing(f"not message.self_issued and not {_RENEWS}", "a PKCSReq is signed by a self-signed certificate"),
    ),
    fault(
        "renewal.by-anybody",
        "Who signs a RenewalReq is not looked at",
        "2.4",
        instead(_SUBMISSION, _IDENTIFIED, f"identity = {_ANYBODY}\n    if not ({_RENEWS}):\n        {_IDENTIFIED}"),
    ),
    fault(
        "renewal.any-twin",
        "A certificate proves who asks if another one of its issuer and serial number verifies the message",
        "2.5",
        _ANY_TWIN,
    ),
    fault(
        "renewal.any-twin-reversed",
        "The same, where certificates are looked for from the end",
        "2.5",
        _ANY_TWIN,
        instead(
            "scep.rfc8894.pki_message:_signers_certificate",
            "for certificate in signed.certificates:",
            "for certificate in reversed(signed.certificates):",
        ),
    ),
    fault(
        "renewal.any-subject",
        "A renewal may be for any subject",
        "2.5",
        instead(_SUBMISSION, _IDENTIFIED, f"{_IDENTIFIED}\n    if {_RENEWS}:\n        identity = {_ANYBODY}"),
    ),
    fault(
        "transaction.replay-issues-again",
        "A message that comes again brings another certificate",
        "5.2",
        instead(_ENROLL, _ID, f"{_ID} + exchange.entropy.octets(8).hex()"),
    ),
    fault(
        "transaction.id-alone",
        "Whoever sends a transactionID gets the certificate that it was first used for",
        "3.2.1.1",
        SIGNER_FORGOTTEN,
        instead(_ENROLL, _ID, "'the same'"),
    ),
    fault(
        "transaction.hexadecimal-alone",
        "A transactionID may have letters and digits alone",
        "3.2.1.1",
        instead("scep.rfc8894.attributes:transaction_id", "found.isprintable()", "found.isalnum()"),
    ),
)
