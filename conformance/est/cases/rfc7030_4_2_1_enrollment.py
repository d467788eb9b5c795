"""RFC 7030 sections 4.2.1 and 4.2.3: certificates for those who ask rightly."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from conformance.case import case
from conformance.est import replies
from conformance.est.draft import Draft, body, spelled
from conformance.est.lab import EstLab, denied, said, spki_of
from conformance.examination import Inconclusive
from conformance.transport import HttpResponse


def _enrolled(lab: EstLab) -> tuple[HttpResponse, Draft]:
    """The reply to a correct enrollment, with 2xx at least, and the enrollment. :raises Inconclusive:"""
    draft = lab.enrolling()
    reply = lab.client.send(draft)
    if not 200 <= reply.status < 300 or reply.status == 202:
        raise Inconclusive(f"a correct request was refused: {said(reply)}")
    return reply, draft


@case(
    "est.enroll.status-and-type",
    covers=["rfc7030:4.2.3#success"],
    kills=["est.enroll.status-201", "est.enroll.media-type-wrong"],
)
def status_and_type(lab: EstLab) -> None:
    """An issued certificate comes with 200 as application/pkcs7-mime."""
    reply, draft = _enrolled(lab)
    if why := denied(dataclasses.replace(reply, status=200), draft.key):
        raise Inconclusive(f"a correct request was not granted: {why}")
    lab.check(reply.status == 200, f"expected 200, got {said(reply)}")
    lab.check(reply.media_type == replies.CERTIFICATES, f"expected {replies.CERTIFICATES}, got {reply.header('Content-Type')}")


@case(
    "est.enroll.certs-only",
    covers=["rfc7030:4.2.3#certs-only"],
    kills=["est.enroll.with-content", "est.enroll.bare-certificate", "est.enroll.pem-armour"],
)
def certs_only(lab: EstLab) -> None:
    """An issued certificate comes in a SignedData without content and without a signer, in base64."""
    reply, draft = _enrolled(lab)
    try:
        found = replies.certificates(reply)
    except replies.Unreadable as unreadable:
        lab.check(False, str(unreadable))
    else:
        lab.check(any(spki_of(one) == draft.key for one in found), "no certificate has the key of the request")


@case("est.enroll.only-certificate", covers=["rfc7030:4.2.3#certs-only"], kills=["est.enroll.chain-included"])
def only_certificate(lab: EstLab) -> None:
    """Nothing but the certificate that was issued comes back."""
    draft = lab.enrolling()
    found = [lab.granted(reply := lab.client.send(draft), draft.key), *replies.certificates(reply)]
    lab.check(len(found) == 2, f"{len(found) - 1} certificates: {[one.subject.rfc4514_string() for one in found[1:]]}")


@case("est.enroll.as-asked", covers=["rfc7030:4.2.3#certs-only"], kills=["est.enroll.another-certificate"])
def as_asked(lab: EstLab) -> None:
    """The certificate that comes back is for the key of the request, and not one of an earlier request."""
    lab.client.send(lab.enrolling())
    reply, draft = _enrolled(lab)
    found = replies.certificates(reply)
    lab.check(any(spki_of(one) == draft.key for one in found), "no certificate has the key of the request")


@case("est.enroll.key-kinds", covers=["rfc7030:4.2#supported"], kills=["est.enroll.rsa-refused"])
def key_kinds(lab: EstLab) -> None:
    """RSA keys of 2048 bits and P-256 keys are certified, unless the CSR attributes say that the CA wants another kind."""
    found = {}
    for kind in ("P-256", "RSA-2048"):
        draft = lab.enrolling(kind=kind)
        found[kind] = denied(lab.client.send(draft), draft.key)
    if all(found.values()):
        raise Inconclusive(f"a correct request was refused: {found}")
    attributes = lab.client.send(lab.client.get("csrattrs"))
    if any(found.values()) and attributes.status == 200:
        raise Inconclusive("the CSR attributes may say which kind of key is wanted")
    lab.check(not any(found.values()), f"refused: {found}")


@case("est.enroll.another-one", covers=["rfc7030:4.2#supported"])
def another_one(lab: EstLab) -> None:
    """Two requests for two names and keys give two certificates with different serial numbers."""
    one, other = lab.enroll(), lab.enroll()
    lab.check(one.certificate.serial_number != other.certificate.serial_number, "both have the same serial number")
    lab.check(one.certificate.subject != other.certificate.subject, f"both are for {one.certificate.subject.rfc4514_string()!r}")


@case(
    "est.request.white-space",
    covers=["rfc8951:3.1#white-space"],
    kills=["est.request.white-space-refused"],
)
def white_space(lab: EstLab) -> None:
    """White space in the base64 of a request counts for nothing: none at all, lines of another length, CR LF, tabs and spaces."""
    spellings: dict[str, Callable[[bytes], bytes]] = {
        "one line without an end": lambda der: spelled(der, 1 << 20, b""),
        "lines of 76 with CR LF": lambda der: spelled(der, 76, b"\r\n"),
        "blank lines around": lambda der: b"\r\n\r\n" + spelled(der) + b"\r\n",
        "tabs and spaces": lambda der: spelled(der, 20, b" \t\n"),
    }
    with lab.examination.during("control before"):
        draft = lab.enrolling()
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"the control was refused: {why}")
    for name, spell in spellings.items():
        draft = lab.enrolling()
        why = denied(lab.client.send(draft, body(name, "RFC 8951 section 3.1", spell)), draft.key)
        lab.check(not why, f"{name}: {why}")


@case(
    "est.request.transfer-encoding",
    covers=["rfc8951:3#transfer-encoding-ignored"],
    kills=["est.request.transfer-encoding-demanded", "est.request.transfer-encoding-obeyed"],
)
def transfer_encoding(lab: EstLab) -> None:
    """Content-Transfer-Encoding in a request is ignored, whatever it says, and need not be there."""
    found = {}
    for value in (None, "base64", "binary", "quoted-printable"):
        draft = lab.enrolling().header("Content-Transfer-Encoding", value)
        found[value or "none"] = denied(lab.client.send(draft), draft.key)
    if all(found.values()):
        raise Inconclusive(f"a correct request was refused: {found['none']}")
    for said_so, why in found.items():
        lab.check(not why, f"Content-Transfer-Encoding {said_so}: {why}")


@case("est.request.media-type-case", covers=["rfc7030:4.2#supported"], kills=["est.request.media-type-case-sensitive"])
def media_type_case(lab: EstLab) -> None:
    """A media type is compared without regard to case, and parameters that nobody knows do no harm (RFC 9110 section 8.3.1)."""
    with lab.examination.during("control before"):
        draft = lab.enrolling()
        if why := denied(lab.client.send(draft), draft.key):
            raise Inconclusive(f"the control was refused: {why}")
    for value in ("Application/PKCS10", "application/pkcs10; charset=utf-8"):
        draft = lab.enrolling().header("Content-Type", value)
        why = denied(lab.client.send(draft), draft.key)
        lab.check(not why, f"Content-Type {value}: {why}")
