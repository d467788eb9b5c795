"""RFC 9483 sections 4.1.1 to 4.1.5: enrollment and update, as answered where all is right."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.case import case
from conformance.cmp import crmf, der, lightweight
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab, cert_status, implicitly, status_info
from conformance.cmp.lightweight import negative
from conformance.cmp.message import CONFIRM_WAIT_TIME, IMPLICIT_CONFIRM, REJECTION, Body, Reply, Response, generalized_time
from conformance.cmp.mutations import Mutation, header, request
from conformance.cmp.protection import Pbm
from conformance.examination import NotApplicable


def _one(lab: CmpLab, answer: Answer, wanted: Body, id: str) -> tuple[Reply, Response]:
    reply = answer.reply
    lab.require(reply is not None and reply.body is wanted, f"expected a {wanted.name.lower()}, got {answer}", id)
    assert reply is not None
    lab.require(len(reply.responses) == 1, f"expected one response, got {len(reply.responses)}", id)
    return reply, reply.responses[0]


@case(
    "cmp.lightweight.ip",
    covers=[
        "rfc9483:4.1.1#ip-one-response",
        "rfc9483:4.1.1#ip-cert-req-id",
        "rfc9483:4.1.1#ip-status",
        "rfc9483:4.1.1#ip-fail-info",
        "rfc9483:4.1.1#ip-key-pair",
        "rfc9483:4.1.1#ip-certificate",
        "rfc9483:4.1.1#ip-no-private-key",
        "rfc9483:4.1.1#ip-ca-pubs",
        "rfc9483:4.1.1#protected",
        "rfc9483:4.1.1#wait-time",
        "rfc9483:3.1#confirm-wait",
        "rfc9483:4.1.1#not-granted-unasked",
        "rfc9483:5.1.1#responds",
        "rfc9483:5.1.1#positive",
    ],
    kills=[
        "cmp.lightweight.cert-req-id-1",
        "cmp.lightweight.accepted-with-fail-info",
        "cmp.lightweight.ca-pubs-of-issuer",
        "cmp.lightweight.no-wait-time",
        "cmp.lightweight.implicit-unasked",
    ],
)
def ip(lab: CmpLab) -> None:
    """An ir is answered by an ip with one response, its certReqId, its status and the new certificate; nothing is granted unasked."""
    lab = lightweight.bench(lab)
    draft = lab.ir()
    answer = lab.send(draft)
    lab.check(not (why := lab.denied(answer)), f"the ir is not granted: {why}", "rfc9483:5.1.1#positive")
    reply, response = _one(lab, answer, Body.IP, "rfc9483:4.1.1#ip-one-response")
    lab.check(response.id == 0, f"expected certReqId 0, got {response.id}", "rfc9483:4.1.1#ip-cert-req-id")
    lab.check(response.status.granted, f"expected a positive status, got {response.status}", "rfc9483:4.1.1#ip-status")
    lab.check(not response.status.given, f"a positive status with failInfo: {response.status}", "rfc9483:4.1.1#ip-fail-info")
    lab.check(response.pair, "a positive status without certifiedKeyPair", "rfc9483:4.1.1#ip-key-pair")
    certificate = response.certificate
    lab.require(certificate is not None, "no certificate in certOrEncCert", "rfc9483:4.1.1#ip-certificate")
    assert certificate is not None
    own = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    lab.check(own == crmf.spki(draft.requests[0].key), "the certificate is for another key", "rfc9483:4.1.1#ip-certificate")
    lab.check(response.private_key is None, "a private key, of which the client has its own", "rfc9483:4.1.1#ip-no-private-key")
    for octets in reply.ca_pubs:
        anchor = x509.load_der_x509_certificate(octets)
        rooted = anchor.issuer == anchor.subject
        lab.check(rooted, f"caPubs has {anchor.subject.rfc4514_string()}, no trust anchor", "rfc9483:4.1.1#ip-ca-pubs")
    lab.check(not (why := lab.unverified(answer)), f"the protection of the ip: {why}", "rfc9483:4.1.1#protected")
    implicit = reply.information(IMPLICIT_CONFIRM)
    lab.check(implicit is None, "implicitConfirm is granted to who did not ask for it", "rfc9483:4.1.1#not-granted-unasked")
    wait = reply.information(CONFIRM_WAIT_TIME)
    for id in ("rfc9483:4.1.1#wait-time", "rfc9483:3.1#confirm-wait"):
        lab.check(wait is not None, "neither implicitConfirm nor confirmWaitTime is in the ip", id)
    lab.ask(lab.confirmation(answer))


@case(
    "cmp.lightweight.pkiconf",
    covers=[
        "rfc9483:4.1.1#pki-conf",
        "rfc9483:4.1.1#pkiconf-null",
        "rfc9483:4.1.1#pkiconf-credentials",
        "rfc9483:4.1.1#later-extra-certs",
        "rfc9483:4.1#confirmation-answered",
        "rfc9483:5.1.2#handled",
        "rfc9483:5.1.2#reacts",
    ],
    kills=["cmp.lightweight.pkiconf-not-null", "cmp.lightweight.pkiconf-signed"],
)
def pkiconf(lab: CmpLab) -> None:
    """A certConf is answered by a pkiConf whose content is NULL, protected with what the ip was protected with."""
    lab = lightweight.bench(lab)
    for draft in (lab.ir(), lightweight.cr(lab)):
        answer = lab.ask(draft)
        confirmed = lab.send(lab.confirmation(answer))
        reply = confirmed.reply
        for id in (
            "rfc9483:4.1.1#pki-conf",
            "rfc9483:4.1#confirmation-answered",
            "rfc9483:5.1.2#handled",
            "rfc9483:5.1.2#reacts",
        ):
            is_one = reply is not None and reply.body is Body.PKICONF
            lab.check(is_one, f"expected a pkiconf, got {confirmed}", id)
        if reply is None or answer.reply is None:
            return
        null = reply.content == der.NULL
        lab.check(null, f"expected NULL, got {reply.content.hex()[:40]}", "rfc9483:4.1.1#pkiconf-null")
        why = lightweight.unverified(lab, confirmed, answer)
        lab.check(not why, f"the pkiConf: {why}", "rfc9483:4.1.1#pkiconf-credentials")
        same = reply.sender == answer.reply.sender and _kind(reply) == _kind(answer.reply)
        lab.check(same, "the pkiConf is protected with other credentials than the response", "rfc9483:4.1.1#pkiconf-credentials")
        there = reply.extra_certs or not answer.reply.extra_certs or isinstance(draft.protection, Pbm)
        lab.check(there, "the pkiConf has no extraCerts", "rfc9483:4.1.1#later-extra-certs")


def _kind(reply: Reply) -> str:
    return reply.algorithm[0] if reply.algorithm is not None else ""


@case(
    "cmp.lightweight.rejected-certificate",
    covers=["rfc9483:5.1.2#reacts", "rfc9483:4.1.1#rejected-revoked", "rfc9483:4.1.1#pki-conf"],
    kills=["cmp.lightweight.rejection-unheard"],
)
def rejected_certificate(lab: CmpLab) -> None:
    """A certConf that rejects the certificate is answered by a pkiConf, too, and the certificate is worth nothing then."""
    lab = lightweight.bench(lab)
    answer = lab.ask(lab.ir())
    (response,) = lab.issued(answer)
    rejecting = cert_status(response, info=status_info(REJECTION))
    confirmed = lab.send(lab.confirmation(answer, rejecting))
    there = confirmed.reply is not None and confirmed.reply.body is Body.PKICONF
    for id in ("rfc9483:5.1.2#reacts", "rfc9483:4.1.1#pki-conf"):
        lab.require(there, f"expected a pkiconf, got {confirmed}", id)
    _given_up(lab, answer, "rfc9483:4.1.1#rejected-revoked")


def _given_up(lab: CmpLab, answer: Answer, id: str) -> None:
    """Check that the certificate of an answer is of no use any more: it signs no request."""
    (response,) = lab.issued(answer)
    certificate = response.certificate
    assert certificate is not None
    signer = lightweight.holder(certificate, answer)
    used = lab.send(lab.ir(lightweight.same_subject(lab, signer), body=Body.CR, protection=signer))
    lab.check(bool(lab.denied(used)), "the certificate that was not accepted still signs requests", id)


@case("cmp.lightweight.unconfirmed", covers=["rfc9483:4.1.1#unconfirmed"])
def unconfirmed(lab: CmpLab) -> None:
    """A certificate that is not confirmed in time is treated as a rejected one: a certConf comes too late, and it signs nothing."""
    lab = lightweight.bench(lab)
    lab.settle(lab.ask(lab.ir()))
    answer = lab.ask(lab.ir())
    assert answer.reply is not None
    wait = answer.reply.information(CONFIRM_WAIT_TIME)
    if wait is None:
        raise NotApplicable("the server does not say how long it waits (confirmWaitTime)")
    left = generalized_time(der.element(wait).content.decode("ascii", "replace")) - lab.shared.now()
    if left > lab.shared.patience:
        raise NotApplicable(f"the server waits {int(left.total_seconds())} seconds for a certConf, longer than this run does")
    lab.shared.wait(left.total_seconds() + 2)
    late = lab.send(lab.confirmation(answer))
    lab.check(bool(lab.denied(late)), f"a certConf that comes too late is accepted: {late}")
    _given_up(lab, answer, "rfc9483:4.1.1#unconfirmed")


@case(
    "cmp.lightweight.implicit-confirmation",
    covers=["rfc9483:4.1.1#granted", "rfc9483:5.1.1#omission", "rfc9483:5.1.1#omission-granted", "rfc9483:4.1.1#wait-time"],
    kills=["cmp.lightweight.implicit-unanswered"],
)
def implicit_confirmation(lab: CmpLab) -> None:
    """Who asks to go without a confirmation is granted that, or told how long the server waits for one."""
    lab = lightweight.bench(lab)
    answer = lab.ask(implicitly(lab.ir()))
    assert answer.reply is not None
    granted, wait = (answer.reply.information(id) for id in (IMPLICIT_CONFIRM, CONFIRM_WAIT_TIME))
    for id in ("rfc9483:4.1.1#granted", "rfc9483:5.1.1#omission"):
        lab.check(granted is None or wait is None, "the ip has implicitConfirm and confirmWaitTime", id)
    told = granted is not None or wait is not None
    lab.check(told, "the ip has neither implicitConfirm nor confirmWaitTime", "rfc9483:4.1.1#wait-time")
    lab.check(granted is not None, "implicitConfirm is not granted", "rfc9483:5.1.1#omission-granted")
    lab.settle(answer)


@case(
    "cmp.lightweight.kup",
    covers=["rfc9483:4.1.3#bodies", "rfc9483:4.1.3#no-ca-pubs", "rfc9483:5.1.1#positive"],
    kills=["cmp.lightweight.ca-pubs-everywhere", "cmp.lightweight.kur-by-cp"],
)
def kup(lab: CmpLab) -> None:
    """A kur is answered by a kup with the new certificate and without caPubs."""
    lab = lightweight.bench(lab)
    answer = lab.send(lightweight.kur(lab))
    reply, _ = _one(lab, answer, Body.KUP, "rfc9483:4.1.3#bodies")
    lab.check(not (why := lab.denied(answer)), f"the kur is not granted: {why}", "rfc9483:5.1.1#positive")
    lab.check(not reply.ca_pubs, "the kup has caPubs", "rfc9483:4.1.3#no-ca-pubs")
    lab.settle(answer)


@case(
    "cmp.lightweight.p10cr",
    covers=["rfc9483:4.1.4#bodies", "rfc9483:4.1.4#cert-req-id"],
    kills=["cmp.lightweight.p10cr-id-0"],
    feature="p10cr",
)
def p10cr(lab: CmpLab) -> None:
    """A p10cr is answered by a cp whose certReqId is -1, and so is its certConf (erratum 8806)."""
    lab = lightweight.bench(lab)
    key = lab.key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, lab.shared.name())])
    csr = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    answer = lab.send(lab.draft(Body.P10CR, content=csr))
    lightweight.unsupported(answer, "p10cr")
    _, response = _one(lab, answer, Body.CP, "rfc9483:4.1.4#bodies")
    lab.check(response.id == -1, f"expected certReqId -1, got {response.id}", "rfc9483:4.1.4#cert-req-id")
    lab.check(not (why := lab.denied(answer)), f"the p10cr is not granted: {why}", "rfc9483:4.1.4#bodies")
    confirmed = lab.send(lab.confirmation(answer))
    lab.check(not (why := lab.denied(confirmed)), f"a certConf with certReqId -1: {why}", "rfc9483:4.1.4#cert-req-id")


negative(
    "cmp.lightweight.kur-signed-by-another",
    "An update that is signed with another certificate than the one that it updates is refused",
    covers=["rfc9483:4.1.3#signed-with-old", "rfc9483:4.1.3#control"],
    control=lightweight.kur,
    mutation=lambda lab: header("signed by another", "RFC 9483 section 4.1.3", protection=lab.enroll().signer),
    failures=("badCertId", "notAuthorized"),
    kills=["cmp.lightweight.kur-signed-by-another"],
)
negative(
    "cmp.lightweight.kur-renames",
    "An update under another name is refused",
    covers=["rfc9483:4.1.3#same-name"],
    control=lightweight.kur,
    mutation=request("another subject", "RFC 9483 section 4.1.3", subject=lightweight.name("renamed.conformance.test")),
    failures=("badCertTemplate", "notAuthorized"),
    kills=["cmp.lightweight.kur-renames"],
)


def _of_revoked(lab: CmpLab) -> Mutation:
    """An update of a certificate that is revoked, which signs it."""
    device = lightweight.revoked(lab)
    control = crmf.control(crmf.OLD_CERT_ID, crmf.cert_id(device.certificate))
    asked = lightweight.same_subject(lab, device.signer, controls=(control,))
    return header("of a certificate that is revoked", "RFC 9483 section 4.1.3", protection=device.signer, requests=(asked,))


negative(
    "cmp.lightweight.kur-of-revoked",
    "A certificate that is revoked is not updated",
    covers=["rfc9483:4.1.3#updatable"],
    control=lightweight.kur,
    mutation=_of_revoked,
    failures=("signerNotTrusted", "certRevoked", "badCertId"),
    kills=["cmp.lightweight.kur-of-revoked"],
)
