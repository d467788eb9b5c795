"""RFC 9810 sections 5.3.1 to 5.3.6, 4.3 and appendix C: requests for certificates and what answers them."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509

from conformance.case import case
from conformance.cmp import crmf, der
from conformance.cmp.cases.rfc9810_5_2_8_pop import p10cr
from conformance.cmp.lab import CmpLab, Enrolled, negative, rev_details
from conformance.cmp.message import CERT_PROFILE, Body, Draft, information
from conformance.cmp.mutations import Mutation, header, request
from conformance.verdict import Level

_ECHOED = "rfc9810:5.1.1#transaction-id-echoed"
_TEMPLATE = "rfc4211:5#template-used"


def _complete(lab: CmpLab, enrolled: Enrolled) -> None:
    draft, reply = enrolled.answer.draft, enrolled.reply
    why = lab.unverified(enrolled.answer)
    lab.check(not why, f"the protection of {reply}: {why}")
    lab.check(reply.transaction_id == draft.transaction_id, f"the transactionID of the {reply.body.name.lower()} is another")


@case(
    "cmp.enroll.ir-by-mac",
    covers=[_ECHOED, "rfc9810:5.1.1#transaction-id-kept"],
    kills=["cmp.header.transaction-id-own", "cmp.protection.reply-mac-wrong"],
)
def ir_by_mac(lab: CmpLab) -> None:
    """ir, ip, certConf and pkiConf under a shared secret give a certificate for the key that was asked for."""
    _complete(lab, lab.enroll(protection=lab.mac))


@case(
    "cmp.enroll.cr-by-signature",
    covers=[_ECHOED, "rfc9810:C.5#certification-signature"],
    kills=["cmp.header.transaction-id-own", "cmp.protection.reply-signature-wrong"],
)
def cr_by_signature(lab: CmpLab) -> None:
    """cr, cp, certConf and pkiConf signed with a certificate of the CA."""
    _complete(lab, lab.enroll(body=Body.CR, protection=lab.signer))


@case(
    "cmp.enroll.pkcs10",
    covers=["rfc9810:5.3.3#pkcs10", "rfc9810:5.3.4#pkcs10-id"],
    kills=["cmp.enroll.pkcs10-id-zero"],
)
def pkcs10(lab: CmpLab) -> None:
    """A p10cr is answered by a cp whose certReqId is -1, and so is that of the certConf."""
    answer = lab.ask(p10cr(lab))
    assert answer.reply is not None
    (response,) = answer.reply.responses
    lab.check(response.id == -1, f"the certReqId of the cp is {response.id}", "rfc9810:5.3.4#pkcs10-id")
    confirmed = lab.send(lab.confirmation(answer))
    lab.check(not lab.denied(confirmed), f"the certConf gives {confirmed}")


@case("cmp.enroll.template", covers=[_TEMPLATE], kills=["cmp.enroll.subject-ignored", "cmp.enroll.names-ignored"])
def template(lab: CmpLab) -> None:
    """Subject and subjectAltName of a template are those of the certificate."""
    name = lab.shared.name()
    names = crmf.extension(x509.SubjectAlternativeName([x509.DNSName(name)]))
    enrolled = lab.enroll(lab.request(subject=crmf.common_name(name), extensions=(names,)))
    found = [str(one.value) for one in enrolled.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    lab.check(found == [name], f"the common name is {found}, asked for was {name}")
    try:
        value = enrolled.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        lab.check(False, "the certificate has no subjectAltName")
        return
    lab.check(value.get_values_for_type(x509.DNSName) == [name], f"the DNS names are {value.get_values_for_type(x509.DNSName)}")


@case(
    "cmp.enroll.two-requests",
    covers=["rfc9810:C.4#one-response", "rfc9810:C.4#first-response", "rfc9810:C.4#second-response"],
    kills=["cmp.enroll.ids-swapped", "cmp.enroll.first-request-only"],
)
def two_requests(lab: CmpLab) -> None:
    """Two requests in one ir are answered in one ip, by the certReqId of each, and confirmed together."""
    answer = lab.send(lab.ir(lab.request(id=0), lab.request(id=1)))
    why = lab.denied(answer)
    lab.require(not why, f"an ir with two requests gives {why}")
    confirmed = lab.send(lab.confirmation(answer))
    lab.check(not lab.denied(confirmed), f"the certConf for both gives {confirmed}")


@case(
    "cmp.enroll.one-of-two",
    covers=["rfc9810:C.4#one-response", "rfc9810:4.3#pop-enforced"],
    kills=["cmp.pop.absent-accepted"],
)
def one_of_two(lab: CmpLab) -> None:
    """Of two requests in one ir the one without a proof of possession is rejected, by its own certReqId."""
    lab.settle(lab.unconfirmed())
    answer = lab.send(lab.ir(lab.request(id=0), lab.request(id=1, proof=b"")))
    reply = answer.reply
    lab.require(reply is not None, f"an ir with two requests gives {answer}")
    assert reply is not None
    if reply.body is not Body.IP:
        lab.check(reply.refused, f"an ir of which one request has no proof gives {answer}")
        return
    statuses = {one.id: one.status for one in reply.responses}
    lab.check(
        1 in statuses and statuses[1].status == 2, f"the request without a proof: {statuses.get(1)}", "rfc9810:4.3#pop-enforced"
    )
    lab.settle(answer)


negative(
    "cmp.enroll.ids-equal",
    "Two requests with the same certReqId are refused",
    covers=["rfc9810:C.4#one-response"],
    control=lambda lab: lab.ir(lab.request(id=0), lab.request(id=1)),
    mutation=request("certReqId 1 twice", "RFC 4211 section 5", id=1),
    failures={"duplicateCertReq", "badRequest", "badDataFormat"},
    kills=["cmp.enroll.ids-unchecked"],
)
negative(
    "cmp.enroll.other-issuer",
    "A template that names another CA as issuer is refused",
    covers=[_TEMPLATE],
    control=lambda lab: lab.ir(),
    mutation=request("issuer of another CA", "RFC 4211 section 5", fields={3: der.tlv(0xA3, crmf.common_name("another CA"))}),
    failures={"wrongAuthority", "badCertTemplate", "badRequest"},
    kills=["cmp.enroll.issuer-unchecked"],
)
negative(
    "cmp.enroll.version",
    "A template for a certificate of version 1 is refused",
    covers=[_TEMPLATE],
    control=lambda lab: lab.ir(),
    mutation=request("version 0", "RFC 4211 section 5", fields={0: b"\x80\x01\x00"}),
    failures={"badCertTemplate", "badRequest", "badDataFormat"},
    level=Level.MAY,
    kills=["cmp.enroll.version-unchecked"],
)


@case("cmp.enroll.serial-number-of-the-ca", covers=[_TEMPLATE])
def serial_number(lab: CmpLab) -> None:
    """The serial number is the CA's to choose, whatever a template says."""
    lab.settle(lab.unconfirmed())
    answer = lab.send(lab.ir(lab.request(fields={1: b"\x81\x02\x12\x34"})))
    if answer.reply is not None and answer.reply.refused:
        lab.check(True, "a template with a serial number is refused")
        return
    issued = lab.issued(answer)
    lab.require(issued, f"a template with a serial number gives {answer}")
    certificate = issued[0].certificate
    assert certificate is not None
    lab.check(certificate.serial_number != 0x1234, "the certificate has the serial number that was asked for")
    lab.settle(answer)


negative(
    "cmp.enroll.unknown-profile",
    "A certProfile that the server does not have is refused",
    covers=["rfc9810:5.2.3#status"],
    control=lambda lab: lab.ir(),
    mutation=header(
        "certProfile no-such-profile",
        "RFC 9810 section 5.1.1.4",
        information=(information(CERT_PROFILE, der.sequence(der.utf8("no-such-profile"))),),
    ),
    failures={"badRequest", "badCertTemplate", "addInfoNotAvailable", "notAuthorized"},
    level=Level.MAY,
    kills=["cmp.enroll.any-profile"],
)
negative(
    "cmp.enroll.unknown-critical-extension",
    "A critical extension that nobody knows is not left out in silence: the request is refused, or granted with modifications",
    covers=[_TEMPLATE],
    control=lambda lab: lab.ir(),
    mutation=request(
        "critical extension 1.2.3.4",
        "RFC 5280 section 4.2",
        extensions=(der.sequence(der.oid("1.2.3.4"), b"\x01\x01\xff", der.octets(der.NULL)),),
    ),
    failures={"unacceptedExtension", "badCertTemplate"},
    level=Level.MAY,
)

# -- update ------------------------------------------------------------------------------------------------------------

_UPDATES = ["rfc9810:5.3.5#existing"]


def _update(lab: CmpLab, device: Enrolled, certificate: x509.Certificate | None = None) -> Draft:
    """A kur for a new key, which names the certificate that it updates by oldCertId."""
    named = crmf.control(crmf.OLD_CERT_ID, crmf.cert_id(device.certificate if certificate is None else certificate))
    one = lab.request(subject=device.certificate.subject.public_bytes(), controls=(named,))
    return lab.ir(one, body=Body.KUR, protection=device.signer)


@case(
    "cmp.enroll.kur",
    covers=["rfc9810:5.3.6#like-initialization", *_UPDATES, "rfc9810:C.6#update-signature"],
    kills=["cmp.enroll.kur-refused", "cmp.enroll.kur-answered-by-cp"],
)
def kur(lab: CmpLab) -> None:
    """A certificate is updated by a kur that is signed with it: kup, certConf and pkiConf."""
    device = lab.enroll()
    answer = lab.send(_update(lab, device))
    lab.require(not lab.denied(answer), f"a kur gives {answer}")
    certificate = lab.issued(answer)[0].certificate
    assert certificate is not None
    lab.check(certificate.subject == device.certificate.subject, "the new certificate has another subject")
    confirmed = lab.send(lab.confirmation(answer))
    lab.check(not lab.denied(confirmed), f"the certConf gives {confirmed}")


def _old(name: str, **fields: object) -> Mutation:
    """A kur with another oldCertId."""

    def change(draft: Draft) -> Draft:
        (one,) = draft.requests
        certificate = draft.protection.certificate  # type: ignore[attr-defined]
        named = crmf.control(crmf.OLD_CERT_ID, crmf.cert_id(certificate, **fields))  # type: ignore[arg-type]
        return replace(draft, requests=(replace(one, controls=(named,)),))

    return Mutation(name, "RFC 4211 section 6.5", change)


def _own(lab: CmpLab) -> Draft:
    return _update(lab, lab.enroll())


negative(
    "cmp.enroll.kur-unknown-serial",
    "A kur for a certificate that there is not is refused",
    covers=_UPDATES,
    control=_own,
    mutation=_old("oldCertId with serial number 4711", serial=4711),
    failures={"badCertId"},
    kills=["cmp.enroll.old-certificate-unchecked"],
)
negative(
    "cmp.enroll.kur-other-issuer",
    "A kur for a certificate of another CA is refused",
    covers=_UPDATES,
    control=_own,
    mutation=_old("oldCertId with another issuer", issuer=crmf.common_name("another CA")),
    failures={"badCertId", "wrongAuthority"},
    kills=["cmp.enroll.old-issuer-unchecked"],
)


def _somebody_elses(lab: CmpLab) -> Mutation:
    """A kur for the certificate of another device, which has the same subject."""

    def change(draft: Draft) -> Draft:
        (one,) = draft.requests
        with lab.examination.during("setup"):
            other = lab.enroll(lab.request(subject=one.subject))
        named = crmf.control(crmf.OLD_CERT_ID, crmf.cert_id(other.certificate))
        return replace(draft, requests=(replace(one, controls=(named,)),))

    return Mutation("oldCertId of another device", "RFC 4211 section 6.5", change)


negative(
    "cmp.enroll.kur-of-another",
    "A kur for the certificate of another device is refused",
    covers=_UPDATES,
    control=_own,
    mutation=_somebody_elses,
    failures={"badCertId", "notAuthorized"},
    kills=["cmp.enroll.old-owner-unchecked"],
)


@case("cmp.enroll.kur-of-revoked", covers=_UPDATES, kills=["cmp.enroll.old-status-unchecked"])
def kur_of_revoked(lab: CmpLab) -> None:
    """A certificate that was revoked is not updated, whoever asks under the secret that it was obtained by."""
    device = lab.enroll(protection=lab.mac)
    named = crmf.control(crmf.OLD_CERT_ID, crmf.cert_id(device.certificate))

    def update() -> Draft:
        subject = device.certificate.subject.public_bytes()
        return lab.ir(lab.request(subject=subject, controls=(named,)), body=Body.KUR, protection=lab.mac)

    lab.settle(lab.ask(update()))
    lab.ask(lab.revoking(rev_details(device.certificate), protection=device.signer))
    with lab.examination.during("spoilt"):
        refused = lab.send(update())
    lab.refused(refused, {"badCertId", "certRevoked", "badRequest", "notAuthorized"})


negative(
    "cmp.enroll.kur-without-name",
    "A kur under a secret that names no certificate is refused",
    covers=_UPDATES,
    control=lambda lab: _named_by_mac(lab),
    mutation=request("no oldCertId", "RFC 9810 section 5.3.5", controls=()),
    failures={"badCertId", "badRequest", "wrongIntegrity"},
    level=Level.MAY,
    kills=["cmp.enroll.old-certificate-optional"],
)


def _named_by_mac(lab: CmpLab) -> Draft:
    device = lab.enroll(protection=lab.mac)
    named = crmf.control(crmf.OLD_CERT_ID, crmf.cert_id(device.certificate))
    one = lab.request(subject=device.certificate.subject.public_bytes(), controls=(named,))
    return lab.ir(one, body=Body.KUR, protection=lab.mac)
