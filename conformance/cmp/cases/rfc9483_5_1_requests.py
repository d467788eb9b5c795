"""RFC 9483 section 5.1: what is checked of the body of a request, by the message tables of section 4.1, and of its transactionID."""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.cmp import crmf, der, lightweight
from conformance.cmp.lab import CmpLab, asked
from conformance.cmp.lightweight import negative
from conformance.cmp.message import CERT_PROFILE, CONFIRM_WAIT_TIME, IMPLICIT_CONFIRM, IMPLICITLY, Draft, information
from conformance.cmp.mutations import Mutation, header, request

_BODY = "rfc9483:5.1.1#body-checked"
_CLAUSE = "RFC 9483 section 4.1.1"
_WAIT = information(CONFIRM_WAIT_TIME, der.tlv(0x18, b"20991231235959Z"))
_PROFILE = information(CERT_PROFILE, der.sequence(der.utf8("whatever")))


def _confirmation(lab: CmpLab) -> Draft:
    return lab.confirmation(lab.ask(lab.ir()))


def _two(draft: Draft) -> Draft:
    """A second request, for another key."""
    first = draft.requests[0]
    return replace(draft, requests=(first, replace(first, id=1, key=ec.generate_private_key(ec.SECP256R1()))))


def _with_input(draft: Draft) -> Draft:
    """Possession proven over a POPOSigningKeyInput, which names the sender."""
    first = draft.requests[0]
    given = crmf.signing_key_input(der.tlv(0xA0, draft.protection.sender), crmf.spki(first.key))
    return replace(draft, requests=(replace(first, input=given),))


negative(
    "cmp.lightweight.two-requests",
    "Two requests in one message are refused",
    covers=[_BODY],
    control=lightweight.ir,
    mutation=Mutation("a second CertReqMsg", _CLAUSE, _two),
    failures=("badRequest", "badDataFormat"),
    kills=["cmp.lightweight.any-requests"],
)
negative(
    "cmp.lightweight.cert-req-id-1",
    "A request whose certReqId is not 0 is refused",
    covers=[_BODY],
    control=lightweight.ir,
    mutation=request("certReqId 1", _CLAUSE, id=1),
    failures=("badRequest", "badDataFormat"),
    kills=["cmp.lightweight.any-requests"],
)
negative(
    "cmp.lightweight.no-subject",
    "A request without a subject is refused",
    covers=[_BODY],
    control=lightweight.ir,
    mutation=request("no subject", _CLAUSE, subject=None),
    failures=("badCertTemplate", "badPOP"),
    kills=["cmp.lightweight.subject-missing"],
)
negative(
    "cmp.lightweight.poposk-input",
    "A proof of possession over a poposkInput is refused",
    covers=[_BODY],
    control=lightweight.ir,
    mutation=Mutation("a poposkInput", _CLAUSE, _with_input),
    failures=("badPOP",),
    kills=["cmp.lightweight.poposk-input"],
)
negative(
    "cmp.lightweight.pop-by-encryption",
    "A proof of possession other than by signature is refused",
    covers=[_BODY],
    control=lightweight.ir,
    mutation=request("encrCert", _CLAUSE, proof=crmf.ENCRYPTED_CERTIFICATE),
    failures=("badPOP", "badRequest"),
    kills=["cmp.lightweight.pop-by-encryption"],
)
negative(
    "cmp.lightweight.no-pop",
    "A request with a public key and without a proof of possession is refused",
    covers=["rfc9483:5.1.1#possession"],
    control=lightweight.ir,
    mutation=request("no proof of possession", "RFC 9483 section 5.1.1", proof=b""),
    failures=("badPOP",),
    kills=["cmp.lightweight.pop-missing"],
)
negative(
    "cmp.lightweight.pop-by-another-key",
    "A proof of possession by another key is refused",
    covers=["rfc9483:5.1.1#possession"],
    control=lightweight.ir,
    mutation=request("signed by another key", "RFC 9483 section 5.1.1", signer=ec.generate_private_key(ec.SECP256R1())),
    failures=("badPOP",),
    kills=["cmp.lightweight.pop-unchecked"],
)
negative(
    "cmp.lightweight.ra-verified",
    "An end entity does not vouch for itself",
    covers=["rfc9483:5.2.3.2#authorized", "rfc9483:5.1.1#possession"],
    control=lightweight.ir,
    mutation=request("raVerified", "RFC 9483 section 5.2.3.2", proof=crmf.RA_VERIFIED),
    failures=("badPOP", "notAuthorized"),
    kills=["cmp.lightweight.ra-verified-by-anybody"],
)
negative(
    "cmp.lightweight.subject-of-another",
    "An end entity does not get a certificate for another subject than that of the certificate that it signs with",
    covers=["rfc9483:5.1.1#same-entity", "rfc9483:5.1.1#same-entity-or-ra", "rfc9483:3.5#sender-authorized"],
    control=lightweight.cr,
    mutation=request("another subject", "RFC 9483 section 5.1.1", subject=lightweight.name("another.conformance.test")),
    failures=("notAuthorized", "badCertTemplate"),
    kills=["cmp.lightweight.subject-of-another"],
)
negative(
    "cmp.lightweight.transaction-id-in-use",
    "A request does not begin an operation with the transactionID of one that goes on",
    covers=["rfc9483:5.1#transaction-id-free"],
    control=lightweight.ir,
    mutation=lambda lab: header(
        "the transactionID of another operation", "RFC 9483 section 5.1", transaction_id=lab.ask(lab.ir()).draft.transaction_id
    ),
    failures=("transactionIdInUse",),
    kills=["cmp.lightweight.transaction-id-reused"],
)
negative(
    "cmp.lightweight.implicit-value-in-request",
    "An implicitConfirm whose value is not NULL is refused",
    covers=[_BODY],
    control=lightweight.ir,
    mutation=header("implicitConfirm 1", "RFC 9483 section 3.1", information=(information(IMPLICIT_CONFIRM, der.integer(1)),)),
    failures=("badDataFormat", "badRequest"),
    kills=["cmp.lightweight.implicit-value-ignored"],
    bare=True,
)
negative(
    "cmp.lightweight.wait-time-in-request",
    "A request with confirmWaitTime is refused",
    covers=[_BODY],
    control=lightweight.ir,
    mutation=header("confirmWaitTime", "RFC 9483 section 3.1", information=(_WAIT,)),
    failures=("badRequest", "badDataFormat"),
    kills=["cmp.lightweight.wait-time-ignored"],
)
negative(
    "cmp.lightweight.implicit-in-confirmation",
    "A certConf with implicitConfirm is refused",
    covers=[_BODY],
    control=_confirmation,
    mutation=header("implicitConfirm", "RFC 9483 section 3.1", information=(IMPLICITLY,)),
    failures=("badRequest", "badDataFormat"),
    kills=["cmp.lightweight.implicit-anywhere"],
)
negative(
    "cmp.lightweight.profile-in-confirmation",
    "A certConf with certProfile is refused",
    covers=[_BODY],
    control=_confirmation,
    mutation=header("certProfile", "RFC 9483 section 3.1", information=(_PROFILE,)),
    failures=("badRequest", "badDataFormat"),
    kills=["cmp.lightweight.profile-anywhere"],
)
negative(
    "cmp.lightweight.mac-without-name",
    "A MAC whose secret the sender does not name is refused",
    covers=["rfc9483:3.5#sender-kid"],
    control=lightweight.ir,
    mutation=header("the NULL-DN as sender", "RFC 9483 section 3.1", sender=der.NULL_DN),
    failures=("badMessageCheck",),
    kills=["cmp.lightweight.mac-by-any-name"],
)
negative(
    "cmp.lightweight.mac-of-another",
    "A MAC whose senderKID names another secret is refused",
    covers=["rfc9483:3.5#sender-kid"],
    control=lightweight.ir,
    mutation=header("another senderKID", "RFC 9483 section 3.5", kid=b"nobody"),
    failures=("badMessageCheck",),
    kills=["cmp.lightweight.mac-of-anybody"],
)
negative(
    "cmp.lightweight.two-questions",
    "Two pieces in one genm are refused",
    covers=["rfc9483:5.1#on-failure"],
    control=lambda lab: lab.genm(lightweight.CA_CERTS),
    mutation=header("a second piece", "RFC 9483 section 4.3", content=der.sequence(lightweight.CA_CERTS, asked(2))),
    failures=("badRequest", "badDataFormat"),
    kills=["cmp.lightweight.any-count"],
    feature="ca-certs",
)
