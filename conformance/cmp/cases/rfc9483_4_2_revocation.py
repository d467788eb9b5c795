"""RFC 9483 sections 4.2 and 5.1.3: revocation."""

from __future__ import annotations

from conformance.case import case
from conformance.cmp import der, lightweight
from conformance.cmp.lab import CmpLab
from conformance.cmp.lightweight import negative
from conformance.cmp.message import Body
from conformance.cmp.mutations import Mutation, header
from conformance.cmp.protection import Protection


@case(
    "cmp.lightweight.rp",
    covers=[
        "rfc9483:4.2#rp",
        "rfc9483:4.2#rp-one-status",
        "rfc9483:4.2#rp-fail-info",
        "rfc9483:4.2#rp-protected",
        "rfc9483:4.2#rr-extra-certs",
        "rfc9483:5.1.3#rp",
    ],
    kills=["cmp.lightweight.rp-two-statuses", "cmp.lightweight.rp-accepted-with-fail-info", "cmp.extra-certs.missing"],
    feature="revocation",
)
def rp(lab: CmpLab) -> None:
    """An rr that a certificate signs for itself is answered by an rp with one positive status, protected like the rr."""
    lab = lightweight.bench(lab)
    draft = lightweight.rr(lab)
    answer = lab.send(draft)
    lightweight.unsupported(answer, "rr")
    reply = answer.reply
    for id in ("rfc9483:4.2#rp", "rfc9483:5.1.3#rp"):
        lab.require(reply is not None and reply.body is Body.RP, f"expected an rp, got {answer}", id)
    assert reply is not None
    for id in ("rfc9483:4.2#rp", "rfc9483:4.2#rp-one-status"):
        lab.require(len(reply.statuses) == 1, f"expected one status, got {len(reply.statuses)}", id)
    status = reply.statuses[0]
    lab.check(status.granted, f"expected a positive status, got {status}", "rfc9483:5.1.3#rp")
    lab.check(not (status.granted and status.given), f"a positive status with failInfo: {status}", "rfc9483:4.2#rp-fail-info")
    lab.check(not (why := lab.unverified(answer)), f"the protection of the rp: {why}", "rfc9483:4.2#rp-protected")
    lab.check(reply.extra_certs, "the rp has no extraCerts", "rfc9483:4.2#rr-extra-certs")


def _with(name: str, clause: str, serial: int, lab: CmpLab, protection: Protection | None = None) -> Mutation:
    """Another serial number, or another signer, or both."""
    device = lab.device.certificate
    template = der.sequence(b"\x81" + der.integer(serial)[1:], der.tlv(0xA3, device.issuer.public_bytes()))
    content = der.sequence(der.sequence(template, der.sequence(lightweight.REASON)))
    return header(name, clause, content=content, **({} if protection is None else {"protection": protection}))


negative(
    "cmp.lightweight.rr-signed-by-another",
    "An end entity does not revoke the certificate of another",
    covers=["rfc9483:4.2#signed-with-revoked", "rfc9483:3.5#sender-authorized"],
    control=lightweight.rr,
    mutation=lambda lab: header("signed by another", "RFC 9483 section 4.2", protection=lab.signer),
    failures=("notAuthorized",),
    kills=["cmp.lightweight.revocation-by-another", "cmp.lightweight.revocation-claimed"],
    feature="revocation",
)
negative(
    "cmp.lightweight.rr-of-nothing",
    "A certificate that does not exist is not revoked",
    covers=["rfc9483:5.1.3#exists"],
    control=lightweight.rr,
    mutation=lambda lab: _with("the serial number of no certificate", "RFC 9483 section 5.1.3", 0x7E57C0DE, lab),
    failures=("badCertId",),
    kills=["cmp.lightweight.revocation-claimed"],
    feature="revocation",
)


def _again(lab: CmpLab) -> Mutation:
    device = lightweight.revoked(lab)
    serial = device.certificate.serial_number
    return _with("of a certificate that is revoked", "RFC 9483 section 5.1.3", serial, lab, device.signer)


negative(
    "cmp.lightweight.rr-of-revoked",
    "A certificate that is revoked is not revoked again",
    covers=["rfc9483:5.1.3#exists"],
    control=lightweight.rr,
    mutation=_again,
    failures=("certRevoked",),
    kills=["cmp.lightweight.revoked-again"],
    feature="revocation",
)
