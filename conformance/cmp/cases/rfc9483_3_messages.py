"""RFC 9483 sections 3.1 to 3.3: header, protection and extraCerts of what a server answers."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509

from conformance.case import case
from conformance.cmp import algorithms, der, lightweight
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab, implicitly
from conformance.cmp.message import CERT_PROFILE, CONFIRM_WAIT_TIME, GRANTS, IMPLICIT_CONFIRM, Body, generalized_time
from conformance.cmp.protection import Pbm, leads_to
from conformance.examination import NotApplicable

_NEAR = timedelta(minutes=5)
HEADER = (
    "rfc9483:3.1#pvno",
    "rfc9483:3.1#recipient-later",
    "rfc9483:3.1#message-time",
    "rfc9483:3.1#message-time-with-wait",
    "rfc9483:3.1#transaction-id",
    "rfc9483:3.1#sender-nonce",
    "rfc9483:3.1#recip-nonce",
    "rfc9483:3.1#implicit-confirm-elsewhere",
    "rfc9483:3.1#implicit-confirm-value",
    "rfc9483:3.1#confirm-wait-value",
    "rfc9483:3.1#cert-profile-elsewhere",
    "rfc9483:4#one-transaction-id",
    "rfc9483:5.1#copied",
    "rfc9483:5.1#nonce-copied",
    "rfc9483:5.1#transaction-id-copied",
)
PROTECTION = ("rfc9483:3.1#protection-alg", "rfc9483:3.2#same-kind", "rfc9483:3.2#present", "rfc9483:3.2#algorithm")
BY_SIGNATURE = (
    "rfc9483:1.2#signer-key-usage",
    "rfc9483:3.1#sender-is-signer",
    "rfc9483:3.1#protection-alg-signature",
    "rfc9483:3.1#protection-alg-key",
    "rfc9483:3.1#sender-kid",
    "rfc9483:3.2#signature",
    "rfc9483:3.3#signer-first",
)
BY_MAC = ("rfc9483:3.1#protection-alg-mac", "rfc9483:3.2#mac")


def check_header(lab: CmpLab, answer: Answer) -> None:
    """What section 3.1 says of every answer to a request of version 2."""
    reply, draft = answer.reply, answer.draft
    assert reply is not None
    name, sender = reply.body.name.lower(), draft.protection.sender
    lab.check(reply.pvno == draft.pvno, f"pvno of the {name}: expected {draft.pvno}, got {reply.pvno}", "rfc9483:3.1#pvno")
    for id in ("rfc9483:5.1#copied", "rfc9483:3.1#recipient-later"):
        lab.check(reply.recipient == sender, f"recipient of the {name} is not the sender of the request", id)
    for id in ("rfc9483:5.1#transaction-id-copied", "rfc9483:3.1#transaction-id", "rfc9483:4#one-transaction-id"):
        lab.check(reply.transaction_id == draft.transaction_id, f"the transactionID of the {name} is another", id)
    for id in ("rfc9483:5.1#nonce-copied", "rfc9483:3.1#recip-nonce"):
        lab.check(reply.recip_nonce == draft.sender_nonce, f"recipNonce of the {name} is not the senderNonce of the request", id)
    nonce = reply.sender_nonce or b""
    lab.check(len(nonce) >= 16, f"senderNonce of the {name} has {8 * len(nonce)} bits", "rfc9483:3.1#sender-nonce")
    at, wait = reply.message_time, reply.information(CONFIRM_WAIT_TIME)
    if at is not None:
        off = abs(at - lab.shared.now())
        lab.check(off < _NEAR, f"messageTime of the {name} is {off} from our time", "rfc9483:3.1#message-time")
    if wait is not None:
        lab.check(at is not None, f"the {name} has confirmWaitTime and no messageTime", "rfc9483:3.1#message-time-with-wait")
        lab.check(_is_time(wait), f"confirmWaitTime of the {name} is {wait.hex()[:40]}", "rfc9483:3.1#confirm-wait-value")
    given = reply.information(IMPLICIT_CONFIRM)
    if given is not None:
        there = reply.body in GRANTS
        lab.check(there, f"the {name} has implicitConfirm", "rfc9483:3.1#implicit-confirm-elsewhere")
        lab.check(given == der.NULL, f"implicitConfirm has the value {given.hex()[:40]}", "rfc9483:3.1#implicit-confirm-value")
    profile = reply.information(CERT_PROFILE)
    lab.check(profile is None, f"the {name} has certProfile", "rfc9483:3.1#cert-profile-elsewhere")


def check_protection(lab: CmpLab, answer: Answer, first: Answer) -> None:
    """What section 3.2 says of every answer, and of one that is signed, or protected by a MAC. :param first: that of its operation."""
    reply = answer.reply
    assert reply is not None
    name = reply.body.name.lower()
    lab.require(reply.protection is not None, f"the {name} is not protected", "rfc9483:3.2#present")
    for id in ("rfc9483:3.2#algorithm", "rfc9483:3.1#protection-alg"):
        lab.require(reply.algorithm is not None, f"the {name} has no protectionAlg", id)
    assert reply.algorithm is not None
    by_mac = reply.algorithm[0] in (algorithms.PBM, algorithms.PBMAC1)
    asked = isinstance(answer.draft.protection, Pbm)
    lab.require(by_mac is asked, f"the {name} is protected by {reply.algorithm[0]}, unlike the request", "rfc9483:3.2#same-kind")
    why = lightweight.unverified(lab, answer, first)
    for id in (
        BY_MAC if by_mac else ("rfc9483:3.2#signature", "rfc9483:3.1#protection-alg-key", "rfc9483:3.1#protection-alg-signature")
    ):
        lab.check(not why, f"the protection of the {name}: {why}", id)
    if not by_mac and not (answer is not first and not reply.extra_certs):
        _check_signer(lab, answer)


def _check_signer(lab: CmpLab, answer: Answer) -> None:
    reply = answer.reply
    assert reply is not None
    name = reply.body.name.lower()
    lab.require(reply.extra_certs, f"the {name} has no extraCerts", "rfc9483:3.3#signer-first")
    signer = lightweight.read(reply.extra_certs)[0]
    subject = der.directory_name(signer.subject.public_bytes())
    lab.check(reply.sender == subject, f"sender of the {name} is not the subject of its signer", "rfc9483:3.1#sender-is-signer")
    kid = _kid(signer)
    if kid is not None:
        lab.check(reply.sender_kid == kid, f"senderKID of the {name} is not that of its signer", "rfc9483:3.1#sender-kid")
    try:
        usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    lab.check(usage.digital_signature, "the signer's key usage has no digitalSignature", "rfc9483:1.2#signer-key-usage")


def _kid(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


def _is_time(value: bytes) -> bool:
    try:
        element = der.element(value)
        generalized_time(element.content.decode("ascii", "replace"))
    except der.Garbled:
        return False
    return element.tag == 0x18


def _checked(lab: CmpLab, answer: Answer, first: Answer) -> None:
    check_header(lab, answer)
    check_protection(lab, answer, first)


@case(
    "cmp.lightweight.messages-by-mac",
    covers=[*HEADER, *PROTECTION, *BY_MAC, "rfc9483:4.1.5#all-by-mac"],
    kills=["cmp.lightweight.pvno-3", "cmp.lightweight.wait-without-time", "cmp.lightweight.signed-for-mac"],
    feature="mac",
)
def messages_by_mac(lab: CmpLab) -> None:
    """Header and protection of ip and pkiConf are as RFC 9483 has them, where a shared secret protects the request."""
    lab = lightweight.bench(lab)
    answer = lab.ask(lab.ir(protection=lab.mac))
    _checked(lab, answer, answer)
    confirmed = lab.ask(lab.confirmation(answer))
    _checked(lab, confirmed, answer)
    kind = confirmed.reply is not None and confirmed.reply.algorithm is not None and confirmed.reply.algorithm[0]
    lab.check(kind in (algorithms.PBM, algorithms.PBMAC1), f"the pkiConf is protected by {kind}", "rfc9483:4.1.5#all-by-mac")


@case(
    "cmp.lightweight.messages-by-signature",
    covers=[*HEADER, *PROTECTION, *BY_SIGNATURE],
    kills=["cmp.extra-certs.missing", "cmp.extra-certs.signer-last"],
)
def messages_by_signature(lab: CmpLab) -> None:
    """Header and protection of cp and pkiConf are as RFC 9483 has them, where the request is signed."""
    lab = lightweight.bench(lab)
    answer = lab.ask(lightweight.cr(lab))
    _checked(lab, answer, answer)
    confirmed = lab.ask(lab.confirmation(answer))
    _checked(lab, confirmed, answer)
    assert answer.reply is not None
    assert confirmed.reply is not None
    fresh = answer.reply.sender_nonce != confirmed.reply.sender_nonce
    lab.check(fresh, "cp and pkiConf have the same senderNonce", "rfc9483:3.1#sender-nonce")


@case("cmp.lightweight.implicit-value", covers=["rfc9483:3.1#implicit-confirm-value", "rfc9483:4.1.1#granted"])
def implicit_value(lab: CmpLab) -> None:
    """Where implicitConfirm is granted, its value is NULL, and no confirmWaitTime goes with it."""
    lab = lightweight.bench(lab)
    reply = lab.ask(implicitly(lab.ir())).reply
    assert reply is not None
    value = reply.information(IMPLICIT_CONFIRM)
    if value is None:
        raise NotApplicable("the server grants no implicit confirmation")
    lab.check(value == der.NULL, f"the value of implicitConfirm is {value.hex()[:40]}")
    wait = reply.information(CONFIRM_WAIT_TIME)
    lab.check(wait is None, "the ip grants implicitConfirm and has confirmWaitTime", "rfc9483:4.1.1#granted")


@case(
    "cmp.extra-certs.signer-and-chain",
    covers=["rfc9483:3.3#chain", "rfc9483:3.3#signer-first", "rfc9483:4.1.1#extra-certs"],
    kills=["cmp.extra-certs.missing", "cmp.extra-certs.signer-last", "cmp.extra-certs.no-chain"],
)
def signer_and_chain(lab: CmpLab) -> None:
    """A signed answer has the signer's certificate first in extraCerts, and what leads from it to a trust anchor."""
    lab = lightweight.bench(lab)
    # An answer without a certificate, whose chain would be the same.
    answer = lab.ask(lab.genm(lightweight.CA_CERTS, protection=lab.signer))
    assert answer.reply is not None
    found = lightweight.read(answer.reply.extra_certs)
    lab.require(found, "the genp has no extraCerts")
    lab.check(not (why := lab.unverified(answer)), f"extraCerts of the genp: {why}", "rfc9483:3.3#signer-first")
    anchors = lab.shared.anchors or [one for one in found if one.issuer == one.subject]
    chained = bool(anchors) and leads_to(found[0], found[1:], anchors)
    for id in ("rfc9483:3.3#chain", "rfc9483:4.1.1#extra-certs"):
        lab.check(chained, "the signer's certificate and extraCerts do not lead to a trust anchor", id)


@case(
    "cmp.extra-certs.issued-chain",
    covers=["rfc9483:3.3#issued-chain", "rfc9483:4.1.1#ip-chain"],
    kills=["cmp.extra-certs.no-issued-chain"],
)
def issued_chain(lab: CmpLab) -> None:
    """The ip carries what leads from the new certificate to a trust anchor, also where a shared secret protects it."""
    lab = lightweight.bench(lab)
    enrolled = lab.enroll()
    others = lightweight.read(enrolled.reply.extra_certs)
    issuer = enrolled.certificate.issuer
    there = any(one.subject == issuer for one in others) or any(one.subject == issuer for one in lab.shared.anchors)
    anchors = lab.shared.anchors or [one for one in others if one.issuer == one.subject]
    chained = there and (not anchors or leads_to(enrolled.certificate, others, anchors))
    for id in ("rfc9483:3.3#issued-chain", "rfc9483:4.1.1#ip-chain"):
        lab.check(
            chained, f"extraCerts of the ip do not lead from the new certificate to a trust anchor: {len(others)} there", id
        )


@case(
    "cmp.extra-certs.any-order",
    covers=["rfc9483:3.3#any-order"],
    kills=["cmp.extra-certs.order-matters"],
)
def any_order(lab: CmpLab) -> None:
    """A request whose extraCerts have further certificates, and the signer's in another place than the first, is served."""
    lab = lightweight.bench(lab)
    stranger = lightweight.self_signed("stranger").certificates
    draft = lightweight.cr(lab)
    own = draft.protection.certificates
    before = lab.ask(draft)
    lab.settle(before)
    for order, what in (
        ((*own, *stranger), "a certificate more"),
        ((*stranger, *reversed(own)), "the signer's in another place"),
    ):
        answer = lab.send(lightweight.with_certificates(lightweight.cr(lab), order))
        lab.check(not (why := lab.denied(answer)), f"extraCerts with {what}: {why}")
        lab.settle(answer)


@case(
    "cmp.lightweight.unlisted-fields",
    covers=["rfc9483:1.8#unlisted-fields-accepted", "rfc9483:3.5#other-header-fields"],
    kills=["cmp.lightweight.recipient-checked", "cmp.lightweight.general-info-checked"],
)
def unlisted_fields(lab: CmpLab) -> None:
    """Another recipient, and generalInfo of a type that nobody knows, are handled gracefully."""
    lab = lightweight.bench(lab)
    elsewhere = der.directory_name(lightweight.name("another CA"))
    unknown = der.sequence(der.oid("1.3.6.1.4.1.99999.1"), der.utf8("whatever"))
    for draft, what in (
        (lab.ir(recipient=elsewhere), "another recipient"),
        (lab.ir(information=(unknown,)), "generalInfo of an unknown type"),
    ):
        answer = lab.send(draft)
        for id in ("rfc9483:1.8#unlisted-fields-accepted", "rfc9483:3.5#other-header-fields"):
            lab.check(not (why := lab.denied(answer)), f"{what}: {why}", id)
        lab.settle(answer)


@case(
    "cmp.lightweight.cr-cp",
    covers=["rfc9483:4.1.2#bodies", "rfc9483:4.1.2#no-ca-pubs", "rfc9483:4.1.2#bodies-ir"],
    kills=["cmp.lightweight.ca-pubs-everywhere"],
    feature="cr",
)
def cr_cp(lab: CmpLab) -> None:
    """A cr is answered with a cp, an ir with an ip; a cp has no caPubs."""
    lab = lightweight.bench(lab)
    for draft, wanted, id in (
        (lab.ir(body=Body.CR), Body.CP, "rfc9483:4.1.2#bodies"),
        (lightweight.cr(lab), Body.CP, "rfc9483:4.1.2#bodies"),
        (lab.ir(), Body.IP, "rfc9483:4.1.2#bodies-ir"),
    ):
        answer = lab.send(draft)
        reply = answer.reply
        lab.require(
            reply is not None and reply.body is wanted and not lab.denied(answer),
            f"expected a {wanted.name.lower()}, got {answer}",
            id,
        )
        assert reply is not None
        if wanted is Body.CP:
            lab.check(not reply.ca_pubs, "the cp has caPubs", "rfc9483:4.1.2#no-ca-pubs")
        lab.settle(answer)
