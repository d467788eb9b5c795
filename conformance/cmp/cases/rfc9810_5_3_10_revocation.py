"""RFC 9810 sections 5.3.9 and 5.3.10, appendix B: revocation."""

from __future__ import annotations

from conformance.case import case
from conformance.cmp import crmf, der
from conformance.cmp.client import Answer
from conformance.cmp.lab import CmpLab, Enrolled, negative, rev_details
from conformance.cmp.message import Body, Draft
from conformance.cmp.mutations import Mutation, content
from conformance.examination import Unsupported

_SIGNED = "rfc9810:B#revocation-by-signature"
_MAC = "rfc9810:B#revocation-by-mac"
_ORDER = "rfc9810:F#revocations-in-order"
_CLAUSE = "RFC 9810 section 5.3.9"


def reason(code: int) -> bytes:
    """The CRL entry extension reasonCode (Extension, DER)."""
    return der.sequence(der.oid("2.5.29.21"), der.octets(bytes((0x0A, 1, code))))


def _own(lab: CmpLab) -> Draft:
    device = lab.enroll()
    return lab.revoking(rev_details(device.certificate, reason(4)), protection=device.signer)


def _revoked(lab: CmpLab, device: Enrolled, answer: Answer, requirement: str) -> None:
    lab.require(not lab.denied(answer), f"the rr gives {answer}", requirement)
    lab.withdrawn(device, requirement)


@case("cmp.revocation.by-signature", covers=[_SIGNED], kills=["cmp.revocation.forgotten", "cmp.revocation.owner-refused"])
def by_signature(lab: CmpLab) -> None:
    """An rr that is signed with the certificate revokes it: it is worth nothing any more."""
    device = lab.enroll()
    answer = lab.send(lab.revoking(rev_details(device.certificate, reason(1)), protection=device.signer))
    _revoked(lab, device, answer, _SIGNED)


@case("cmp.revocation.by-mac", covers=[_MAC], kills=["cmp.revocation.forgotten", "cmp.revocation.owner-refused"])
def by_mac(lab: CmpLab) -> None:
    """An rr under the secret that a certificate was obtained by revokes it: the key may be lost."""
    device = lab.enroll(protection=lab.mac)
    answer = lab.send(lab.revoking(rev_details(device.certificate, reason(1)), protection=lab.mac))
    _revoked(lab, device, answer, _MAC)


@case("cmp.revocation.without-reason", covers=[_SIGNED], kills=["cmp.revocation.reason-needed"])
def without_reason(lab: CmpLab) -> None:
    """crlEntryDetails, and a reason in them, may be left out."""
    device = lab.enroll()
    answer = lab.send(lab.revoking(rev_details(device.certificate), protection=device.signer))
    _revoked(lab, device, answer, _SIGNED)


@case("cmp.revocation.named", covers=[_ORDER], kills=["cmp.revocation.names-another"])
def named(lab: CmpLab) -> None:
    """revCerts, where there are any, name what was revoked."""
    device = lab.enroll()
    answer = lab.ask(lab.revoking(rev_details(device.certificate), protection=device.signer))
    assert answer.reply is not None
    lab.check(len(answer.reply.statuses) == 1, f"one certificate, and {len(answer.reply.statuses)} statuses")
    right = (der.directory_name(device.certificate.issuer.public_bytes()), device.certificate.serial_number)
    for one in answer.reply.revoked:
        lab.check(one == right, f"revCerts names the serial number {one[1]:x}")


@case("cmp.revocation.in-order", covers=[_ORDER], kills=["cmp.revocation.statuses-reversed"])
def in_order(lab: CmpLab) -> None:
    """Statuses stand in the order of the request: one certificate that there is, one that there is not."""
    device = lab.enroll(protection=lab.mac)
    right = rev_details(device.certificate, reason(1))
    wrong = rev_details(device.certificate, reason(1), serial=4711)
    answer = lab.send(lab.revoking(right, wrong, protection=lab.mac))
    reply = answer.reply
    if reply is not None and reply.body is Body.ERROR:
        raise Unsupported(f"one rr for two certificates is not supported: {answer}")
    lab.require(reply is not None and len(reply.statuses) == 2, f"an rr for two certificates gives {answer}")
    assert reply is not None
    first, second = reply.statuses
    lab.check(first.granted and second.status == 2, f"the statuses are {first}; {second}")


def _details(name: str, **fields: object) -> Mutation:
    """RevDetails that name another certificate."""

    def change(old: bytes) -> bytes:
        parts = {one.tag: one.content for one in der.element(old).children[0].children[0].children}
        serial, issuer = fields.get("serial"), fields.get("issuer")
        number = b"\x81" + (der.integer(int(str(serial)))[1:] if serial is not None else der.octets(parts[0x81])[1:])
        who = der.tlv(0xA3, issuer if isinstance(issuer, bytes) else parts[0xA3])
        return der.sequence(der.sequence(der.sequence(number, who)))

    return content(name, _CLAUSE, change)


negative(
    "cmp.revocation.unknown-serial",
    "An rr for a certificate that there is not is refused",
    covers=[_SIGNED],
    control=_own,
    mutation=_details("serial number 4711", serial=4711),
    failures={"badCertId"},
    kills=["cmp.revocation.unknown-accepted"],
)
negative(
    "cmp.revocation.other-issuer",
    "An rr for a certificate of another CA is refused",
    covers=[_SIGNED],
    control=_own,
    mutation=_details("another issuer", issuer=crmf.common_name("another CA")),
    failures={"badCertId", "wrongAuthority"},
    kills=["cmp.revocation.issuer-unchecked"],
)
negative(
    "cmp.revocation.nothing-named",
    "An rr that names no certificate is refused",
    covers=[_SIGNED],
    control=_own,
    mutation=content("an empty certDetails", _CLAUSE, lambda old: der.sequence(der.sequence(der.sequence()))),
    failures={"badCertId", "addInfoNotAvailable", "badRequest", "badDataFormat"},
)
negative(
    "cmp.revocation.empty",
    "An rr with no RevDetails is refused",
    covers=[_SIGNED],
    control=_own,
    mutation=content("no RevDetails", _CLAUSE, lambda old: der.sequence()),
    failures={"badDataFormat", "badRequest"},
)


def _others(lab: CmpLab) -> Mutation:
    other = lab.enroll().certificate
    return _details("another device's certificate", serial=other.serial_number, issuer=other.issuer.public_bytes())


negative(
    "cmp.revocation.of-another",
    "An rr for the certificate of another device is refused",
    covers=[_SIGNED],
    control=_own,
    mutation=_others,
    failures={"notAuthorized", "badCertId", "badRequest", "wrongIntegrity"},
    kills=["cmp.revocation.by-anybody"],
)
negative(
    "cmp.revocation.bad-reason",
    "A reason code that there is not is refused",
    covers=[_SIGNED],
    control=_own,
    mutation=content(
        "reason code 99",
        "RFC 5280 section 5.3.1",
        lambda old: der.sequence(
            der.sequence(der.element(old).children[0].children[0].raw, der.sequence(reason(99))),
        ),
    ),
    failures={"badRequest", "badDataFormat", "unacceptedExtension"},
    kills=["cmp.revocation.any-reason"],
)


@case("cmp.revocation.twice", covers=[_MAC], kills=["cmp.revocation.again-and-again"])
def twice(lab: CmpLab) -> None:
    """A certificate is revoked once: the second rr is refused, for that reason."""
    device = lab.enroll(protection=lab.mac)
    lab.ask(lab.revoking(rev_details(device.certificate, reason(1)), protection=lab.mac))
    with lab.examination.during("spoilt"):
        again = lab.send(lab.revoking(rev_details(device.certificate, reason(1)), protection=lab.mac))
    lab.refused(again, {"certRevoked"})


@case(
    "cmp.revocation.hold", covers=[_MAC], feature="hold", kills=["cmp.revocation.release-forgotten", "cmp.revocation.forgotten"]
)
def hold(lab: CmpLab) -> None:
    """A certificate that is put on hold is worth nothing until it is released."""
    device = lab.enroll(protection=lab.mac)
    held = lab.send(lab.revoking(rev_details(device.certificate, reason(6)), protection=lab.mac))
    if held.reply is not None and held.reply.refused:
        raise Unsupported(f"certificates are not put on hold: {held}")
    _revoked(lab, device, held, _MAC)
    released = lab.send(lab.revoking(rev_details(device.certificate, reason(8)), protection=lab.mac))
    lab.require(not lab.denied(released), f"the release gives {released}")
    used = lab.send(lab.genm(protection=device.signer))
    lab.check(not lab.denied(used), f"a message under a certificate that was released: {used}")
