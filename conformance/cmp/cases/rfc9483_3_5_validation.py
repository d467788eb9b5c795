"""RFC 9483 section 3.5: what is validated of every message, and how what fails is answered (section 3.6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cryptography import x509

from conformance.case import case
from conformance.cmp import crmf, der, lightweight
from conformance.cmp.lab import CmpLab
from conformance.cmp.lightweight import negative
from conformance.cmp.message import REJECTION, Body, Draft
from conformance.cmp.mutations import Mutation, bad_protection, content, header
from conformance.cmp.protection import Signer, Unprotected
from conformance.examination import NotApplicable

_CLAUSE = "RFC 9483 section 3.5"


def _confirmation(lab: CmpLab) -> Draft:
    """The certConf of a transaction that an ir has begun."""
    return lab.confirmation(lab.ask(lab.ir()))


def _by_another_key(draft: Draft) -> bytes:
    part = der.sequence(draft.header(), der.tlv(0xA0 | draft.body, der.sequence(*(one.encode() for one in draft.requests))))
    return lightweight.self_signed("another").protect(part)


def _by(lab: CmpLab, signer: Signer) -> Mutation:
    """Signed by somebody else, who asks for a certificate of their own subject."""
    request = lightweight.same_subject(lab, signer)
    return header("signed by a certificate that is revoked", _CLAUSE, protection=signer, requests=(request,))


negative(
    "cmp.lightweight.syntax",
    "A message that does not have the syntax of a PKIMessage is refused",
    covers=["rfc9483:3.5#syntax", "rfc9483:3.5#fail-info"],
    control=lightweight.ir,
    mutation=content("a body of two values", _CLAUSE, lambda octets: octets + der.NULL),
    failures=("badDataFormat",),
    kills=["cmp.lightweight.syntax-forgiven"],
    bare=True,
)
negative(
    "cmp.lightweight.version",
    "A version that is neither cmp2000 nor cmp2021 is refused",
    covers=["rfc9483:3.5#pvno"],
    control=lightweight.ir,
    mutation=header("pvno 1", _CLAUSE, pvno=1),
    failures=("unsupportedVersion",),
    kills=["cmp.lightweight.any-version"],
)
negative(
    "cmp.lightweight.no-transaction-id",
    "A message without a transactionID is refused",
    covers=["rfc9483:3.5#transaction-id"],
    control=lightweight.ir,
    mutation=header("no transactionID", _CLAUSE, transaction_id=None),
    failures=("badDataFormat",),
    kills=["cmp.lightweight.transaction-id-missing"],
)
negative(
    "cmp.lightweight.short-transaction-id",
    "A transactionID of other than 128 bits begins no operation",
    covers=["rfc9483:5.1.1#body-checked"],
    control=lightweight.ir,
    mutation=header("transactionID of 120 bits", "RFC 9483 section 3.1", transaction_id=b"fifteen octets."),
    failures=("badDataFormat", "badRequest"),
    kills=["cmp.lightweight.transaction-id-of-any-length"],
)
negative(
    "cmp.lightweight.short-sender-nonce",
    "A senderNonce of less than 128 bits is refused",
    covers=["rfc9483:3.5#sender-nonce"],
    control=lightweight.ir,
    mutation=header("senderNonce of 64 bits", _CLAUSE, sender_nonce=b"8 octets"),
    failures=("badSenderNonce",),
    kills=["cmp.lightweight.sender-nonce-of-any-length"],
)
negative(
    "cmp.lightweight.no-sender-nonce",
    "A message without a senderNonce is refused",
    covers=["rfc9483:3.5#sender-nonce"],
    control=lightweight.ir,
    mutation=header("no senderNonce", _CLAUSE, sender_nonce=None),
    failures=("badSenderNonce",),
    kills=["cmp.lightweight.sender-nonce-of-any-length"],
)
negative(
    "cmp.lightweight.wrong-recip-nonce",
    "A message whose recipNonce is not the senderNonce of the one before it is refused",
    covers=["rfc9483:3.5#recip-nonce", "rfc9483:3.6.2#other-errors"],
    control=_confirmation,
    mutation=header("another recipNonce", _CLAUSE, recip_nonce=b"not what was got"),
    failures=("badRecipientNonce",),
    kills=["cmp.lightweight.recip-nonce-unchecked"],
)
negative(
    "cmp.lightweight.no-recip-nonce",
    "A message without a recipNonce goes on with no operation",
    covers=["rfc9483:3.5#recip-nonce"],
    control=_confirmation,
    mutation=header("no recipNonce", _CLAUSE, recip_nonce=None),
    failures=("badRecipientNonce",),
    kills=["cmp.lightweight.recip-nonce-unchecked"],
)
negative(
    "cmp.lightweight.first-with-recip-nonce",
    "The first message of an operation has no recipNonce",
    covers=["rfc9483:5.1.1#body-checked"],
    control=lightweight.ir,
    mutation=header("a recipNonce", "RFC 9483 section 3.1", recip_nonce=b"answers nothing."),
    failures=("badRecipientNonce", "badRequest"),
    kills=["cmp.lightweight.first-answers-something"],
)
negative(
    "cmp.lightweight.unprotected",
    "A message without protection is refused",
    covers=["rfc9483:3.5#unprotected"],
    control=lightweight.ir,
    mutation=header("no protection", _CLAUSE, protection=Unprotected()),
    failures=("badMessageCheck", "wrongIntegrity"),
    kills=["cmp.lightweight.unprotected-accepted"],
)
negative(
    "cmp.lightweight.bad-mac",
    "A message whose MAC does not verify is refused",
    covers=["rfc9483:3.5#protection"],
    control=lightweight.ir,
    mutation=bad_protection(_CLAUSE),
    failures=("badMessageCheck",),
    kills=["cmp.lightweight.mac-unchecked"],
)
negative(
    "cmp.lightweight.bad-signature",
    "A message whose signature does not verify is refused",
    covers=["rfc9483:3.5#protection"],
    control=lightweight.cr,
    mutation=Mutation("a signature by another key", _CLAUSE, lambda draft: replace(draft, value=_by_another_key(draft))),
    failures=("badMessageCheck",),
    kills=["cmp.lightweight.signature-unchecked"],
)
negative(
    "cmp.lightweight.kur-by-mac",
    "A MAC protects no update, which is signed",
    covers=["rfc9483:3.5#signature-based", "rfc9483:4.1.3#signed-with-old"],
    control=lightweight.kur,
    mutation=lambda lab: header("a MAC", "RFC 9483 section 4.1.3", protection=lab.mac),
    failures=("wrongIntegrity", "notAuthorized", "badMessageCheck"),
    kills=["cmp.lightweight.kur-by-mac"],
)
negative(
    "cmp.lightweight.wrong-sender-kid",
    "A senderKID that is not that of the signer is refused",
    covers=["rfc9483:3.5#sender-kid"],
    control=lightweight.cr,
    mutation=header("another senderKID", _CLAUSE, kid=b"not the key identifier"),
    failures=("badMessageCheck", "signerNotTrusted"),
    kills=["cmp.lightweight.sender-kid-unchecked"],
)
negative(
    "cmp.lightweight.wrong-sender",
    "A sender who is not the subject of the signer's certificate is refused",
    covers=["rfc9483:3.5#sender-is-subject"],
    control=lightweight.cr,
    mutation=header("another sender", _CLAUSE, sender=der.directory_name(lightweight.name("somebody else"))),
    failures=("badMessageCheck",),
    kills=["cmp.lightweight.sender-unchecked"],
)
negative(
    "cmp.lightweight.self-signed-signer",
    "A signer whose certificate is trusted by nobody is refused, also if it stands in extraCerts as its own issuer",
    covers=["rfc9483:3.5#signer-validated", "rfc9483:3.3#not-trusted", "rfc9483:9#self-signed"],
    control=lightweight.cr,
    mutation=lambda lab: header(
        "signed by a self-signed certificate of the same subject",
        _CLAUSE,
        protection=lightweight.self_signed("", like=lab.signer.certificate),
    ),
    failures=("signerNotTrusted", "badMessageCheck"),
    kills=["cmp.extra-certs.trusted"],
)
negative(
    "cmp.lightweight.issued-by-end-entity",
    "A signer whose certificate was issued by an end entity is refused",
    covers=["rfc9483:3.5#rfc5280", "rfc9483:3.5#signer-validated"],
    control=lightweight.cr,
    mutation=lambda lab: header(
        "signed by a certificate that an end entity issued",
        _CLAUSE,
        protection=lightweight.issued_by(lab.signer, lab.signer.certificate.subject),
    ),
    failures=("signerNotTrusted", "badMessageCheck"),
    kills=["cmp.extra-certs.trusted"],
)
negative(
    "cmp.lightweight.revoked-signer",
    "A signer whose certificate is revoked is refused",
    covers=["rfc9483:3.5#signer-status"],
    control=lambda lab: lab.ir(lightweight.same_subject(lab, (device := lab.enroll().signer)), body=Body.CR, protection=device),
    mutation=lambda lab: _by(lab, lightweight.revoked(lab).signer),
    failures=("signerNotTrusted", "badMessageCheck", "certRevoked"),
    kills=["cmp.lightweight.revoked-signer-accepted"],
)
negative(
    "cmp.lightweight.wrong-time",
    "A messageTime that is far from the server's time is refused",
    covers=["rfc9483:3.5#message-time"],
    control=lightweight.ir,
    mutation=lambda lab: header(
        "a messageTime of yesterday", _CLAUSE, message_time=der.time(lab.shared.now() - timedelta(days=1))
    ),
    failures=("badTime",),
    kills=["cmp.lightweight.any-time"],
)
negative(
    "cmp.lightweight.body-of-an-answer",
    "A body that only a server sends is refused",
    covers=["rfc9483:3.5#body-type"],
    control=lambda lab: lab.genm(lightweight.CA_CERTS),
    mutation=header("the body of a genp", _CLAUSE, body=Body.GENP),
    failures=("badRequest",),
    kills=["cmp.lightweight.answers-answered"],
)
negative(
    "cmp.lightweight.nothing-to-confirm",
    "A certConf of an operation that was not begun is refused",
    covers=["rfc9483:3.5#state"],
    control=_confirmation,
    mutation=header("the transactionID of no operation", _CLAUSE, transaction_id=b"never been begun"),
    failures=("badRequest",),
    kills=["cmp.lightweight.state-unchecked"],
)


@case(
    "cmp.lightweight.errors",
    covers=[
        "rfc9483:3.5#negative-response",
        "rfc9483:3.6.2#other-errors",
        "rfc9483:3.6.4#status-info",
        "rfc9483:3.6.4#rejection",
        "rfc9483:3.6.4#error-status",
        "rfc9483:3.6.4#error-protection",
        "rfc9483:3.6.4#error-extra-certs",
        "rfc9483:3.6.4#fail-info",
        "rfc9483:5.1#on-failure",
        "rfc9483:5.1#responds",
    ],
    kills=["cmp.lightweight.error-without-rejection", "cmp.lightweight.unprotected-errors"],
)
def errors(lab: CmpLab) -> None:
    """What fails is answered by an error with the status rejection, protected like the request."""
    lab = lightweight.bench(lab)
    lab.settle(lab.ask(lightweight.cr(lab)))
    for draft, what in (
        (replace(lightweight.cr(lab), sender_nonce=b"8 octets"), "a senderNonce of 64 bits"),
        (replace(lab.ir(), sender_nonce=b"8 octets"), "a senderNonce of 64 bits, by MAC"),
    ):
        answer = lab.send(draft)
        reply = answer.reply
        for id in ("rfc9483:3.5#negative-response", "rfc9483:5.1#responds", "rfc9483:5.1#on-failure"):
            lab.check(reply is not None, f"{what}: no PKIMessage, but {answer}", id)
        lab.require(reply is not None, f"{what}: no PKIMessage, but {answer}", "rfc9483:3.6.2#other-errors")
        assert reply is not None
        lab.require(reply.body is Body.ERROR, f"{what}: expected an error, got {reply}", "rfc9483:3.6.2#other-errors")
        status = reply.statuses[0]
        for id in ("rfc9483:3.6.4#status-info", "rfc9483:3.6.4#rejection", "rfc9483:3.6.4#error-status"):
            lab.check(status.status == REJECTION, f"{what}: expected the status rejection, got {status}", id)
        lab.check(
            "badSenderNonce" in status.failures, f"{what}: expected badSenderNonce, got {status}", "rfc9483:3.6.4#fail-info"
        )
        why = lab.unverified(answer)
        lab.check(not why, f"{what}: the error is not protected: {why}", "rfc9483:3.6.4#error-protection")
        by_mac = isinstance(draft.protection, type(lab.mac))
        lab.check(by_mac or reply.extra_certs, f"{what}: a signed error without extraCerts", "rfc9483:3.6.4#error-extra-certs")


@case(
    "cmp.lightweight.rejection",
    covers=[
        "rfc9483:3.6.2#body-errors",
        "rfc9483:4.1.1#rejection",
        "rfc9483:4.1.1#rejection-no-pair",
        "rfc9483:4.1.1#ip-no-key-pair",
        "rfc9483:5.1#on-failure",
    ],
    kills=["cmp.lightweight.body-errors-as-errors", "cmp.lightweight.rejection-with-certificate"],
)
def rejection(lab: CmpLab) -> None:
    """An ir, cr, p10cr or kur that is not granted is answered by an ip, cp or kup with the status rejection and no certificate."""
    lab = lightweight.bench(lab)
    for body, wanted in ((Body.IR, Body.IP), (Body.CR, Body.CP)):
        answer = lab.send(lab.ir(lab.request(spoil=True), body=body))
        reply = answer.reply
        for id in ("rfc9483:3.6.2#body-errors", "rfc9483:4.1.1#rejection", "rfc9483:5.1#on-failure"):
            rejected = reply is not None and reply.body is wanted and reply.refused
            lab.check(rejected, f"expected a {wanted.name.lower()} with the status rejection, got {answer}", id)
        if reply is None or reply.body is not wanted:
            continue
        for response in reply.responses:
            for id in ("rfc9483:4.1.1#rejection-no-pair", "rfc9483:4.1.1#ip-no-key-pair"):
                lab.check(not response.pair, f"the {wanted.name.lower()} rejects and has a certifiedKeyPair", id)


@case("cmp.lightweight.terminated", covers=["rfc9483:3.6.4#terminated"], kills=["cmp.lightweight.goes-on-after-error"])
def terminated(lab: CmpLab) -> None:
    """After an error nothing goes on: the certConf that would have been right comes too late."""
    lab = lightweight.bench(lab)
    answer = lab.ask(lab.ir())
    spoilt = lab.send(replace(lab.confirmation(answer), sender_nonce=b"8 octets"))
    lab.require(spoilt.reply is not None and spoilt.reply.refused, f"a senderNonce of 64 bits was not refused: {spoilt}")
    assert spoilt.reply is not None
    assert answer.reply is not None
    for nonce in (spoilt.reply.sender_nonce, answer.reply.sender_nonce):
        late = lab.send(replace(lab.confirmation(answer), recip_nonce=nonce))
        lab.check(late.reply is not None and late.reply.refused, f"after an error the operation goes on: {late}")


@case("cmp.lightweight.signer-key-usage", covers=["rfc9483:3.5#signer-key-usage"])
def signer_key_usage(lab: CmpLab) -> None:
    """A certificate whose key usage does not have digitalSignature signs no request."""
    lab = lightweight.bench(lab)
    agreement = x509.KeyUsage(False, False, False, False, True, False, False, False, False)
    device = lab.enroll(lab.request(extensions=(crmf.extension(agreement, critical=True),)))
    try:
        usage = device.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise NotApplicable("the server issues certificates without a key usage") from None
    if usage.digital_signature:
        raise NotApplicable("the server issues no certificate without digitalSignature")
    lab.settle(lab.ask(lightweight.cr(lab)))
    answer = lab.send(lab.ir(lightweight.same_subject(lab, device.signer), body=Body.CR, protection=device.signer))
    lab.refused(answer, ("badMessageCheck", "badAlg", "signerNotTrusted"))
