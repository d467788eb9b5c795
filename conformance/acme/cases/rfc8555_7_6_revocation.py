"""RFC 8555 section 7.6: revocation."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.acme.enrollment import Enrolled
from conformance.acme.keys import Key
from conformance.acme.lab import AcmeLab, said
from conformance.case import case

_ALREADY = {"alreadyRevoked"}


def _der(enrolled: Enrolled) -> bytes:
    return enrolled.certificates[0].public_bytes(Encoding.DER)


@case(
    "acme.revocation.by-account",
    covers=["rfc8555:7.6#accounts"],
    kills=["acme.revocation.account-refused", "acme.revocation.forgotten"],
)
def by_account(lab: AcmeLab) -> None:
    """The account that a certificate was issued to revokes it, and only once."""
    enrolled = lab.enroll()
    reply = lab.client.send(lab.client.revoke(enrolled.account, _der(enrolled)))
    lab.require(reply.status == 200, f"revokeCert gives {said(reply)}")
    again = lab.client.send(lab.client.revoke(enrolled.account, _der(enrolled)))
    lab.refused(again, status=400, errors=_ALREADY)


@case("acme.revocation.by-certificate-key", covers=["rfc8555:7.6#by-certificate-key"], kills=["acme.revocation.key-refused"])
def by_certificate_key(lab: AcmeLab) -> None:
    """Whoever has the certificate's key revokes it."""
    enrolled = lab.enroll()
    reply = lab.client.send(lab.client.revoke(enrolled.key, _der(enrolled)))
    lab.require(reply.status == 200, f"revokeCert gives {said(reply)}")
    again = lab.client.send(lab.client.revoke(enrolled.account, _der(enrolled)))
    lab.refused(again, status=400, errors=_ALREADY)


@case("acme.revocation.unauthorized", covers=["rfc8555:7.6#authorized"], kills=["acme.revocation.by-anybody"])
def unauthorized(lab: AcmeLab) -> None:
    """Neither another account nor another key revokes a certificate; its owner still can."""
    enrolled = lab.enroll()
    stranger = lab.new_account()
    with lab.examination.during("spoilt"):
        for who in (stranger, Key.make()):
            reply = lab.client.send(lab.client.revoke(who, _der(enrolled)))
            lab.refused(reply, status=(400, 401, 403), errors={"unauthorized", "malformed"})
    with lab.examination.during("control after"):
        own = lab.client.send(lab.client.revoke(enrolled.account, _der(enrolled)))
    lab.check(own.status == 200, f"the owner gets {said(own)}")


@case(
    "acme.revocation.bad-reason",
    covers=["rfc8555:7.6#bad-reason", "rfc8555:7.6#reasons-indicated"],
    kills=["acme.revocation.any-reason"],
)
def bad_reason(lab: AcmeLab) -> None:
    """A reason code that does not exist is badRevocationReason, and the certificate is not revoked by it."""
    enrolled = lab.enroll()
    with lab.examination.during("spoilt"):
        for reason in (7, 99):
            reply = lab.client.send(lab.client.revoke(enrolled.account, _der(enrolled), reason))
            lab.refused(reply, status=(400, 403), errors={"badRevocationReason"})
            if reply.error == "badRevocationReason":
                detail = str(reply.object.get("detail", ""))
                lab.check(any(c.isdigit() for c in detail), f"detail is {detail!r}", "rfc8555:7.6#reasons-indicated")
    with lab.examination.during("control after"):
        own = lab.client.send(lab.client.revoke(enrolled.account, _der(enrolled), 4))
    lab.check(own.status == 200, f"reason 4 gives {said(own)}")


@case(
    "acme.revocation.by-authorized-account", covers=["rfc8555:7.6#accounts"], kills=["acme.revocation.authorized-account-refused"]
)
def by_authorized_account(lab: AcmeLab) -> None:
    """An account that holds authorizations for all names of a certificate revokes it."""
    enrolled = lab.enroll()
    other = lab.new_account()
    names = [{"type": "dns", "value": name} for name in _names(enrolled)]
    lab.enroll(names, account=other)
    reply = lab.client.send(lab.client.revoke(other, _der(enrolled)))
    lab.check(reply.status == 200, f"revokeCert by an account with all authorizations gives {said(reply)}")
    again = lab.client.send(lab.client.revoke(enrolled.account, _der(enrolled)))
    lab.refused(again, status=400, errors=_ALREADY)


def _names(enrolled: Enrolled) -> list[str]:
    names = enrolled.certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(names.get_values_for_type(x509.DNSName))
