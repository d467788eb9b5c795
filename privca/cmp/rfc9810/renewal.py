"""kur: which certificate is updated, and what it lends to the request (RFC 9810 section 5.3.5, RFC 9483 section 4.1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810.call import Call
from privca.issuance.ports import Certificate, CertificateStatus
from privca.pkix import rfc4211
from privca.pkix.requested import Extension

_CLAUSE = "RFC 9483 section 4.1.3"


def _unknown(detail: str, *, got: str | None = None) -> Refused:
    return Refused(Reason.UNKNOWN_CERTIFICATE, _CLAUSE, detail, got=got)


async def old_certificate(call: Call, message: rfc4211.CertReqMsg) -> Certificate:
    """The certificate that a kur updates: that of the oldCertID control, else the one that the message is signed with.

    :raises Refused: ``UNKNOWN_CERTIFICATE`` if it is not ours, not the sender's, or not good.
    """
    named, own = message.old_certificate(), call.sender.certificate
    if named is None:
        if own is None:
            raise _unknown("an update names the certificate that it updates (oldCertID), or is signed with it")
        record: Certificate | None = own
    else:
        record = await find(call, named.issuer, named.serial)
    if record is None:
        raise _unknown("oldCertID names no certificate of this CA", got=f"serial {named.serial:x}"[:60] if named else None)
    if not (call.sender.ra or record.identity == call.sender.id or (own is not None and own.serial == record.serial)):
        raise _unknown("oldCertID names a certificate of somebody else")
    if record.status is not CertificateStatus.ISSUED:
        raise _unknown(f"the certificate that is to be updated is {record.status.value}")
    if record.not_after < call.exchange.now:
        raise _unknown("the certificate that is to be updated has expired")
    return record


async def find(call: Call, issuer: bytes, serial: int) -> Certificate | None:
    """A certificate by issuer (Name, DER) and serial number, if a CA of ours that the profile knows issued it."""
    if serial <= 0 or serial.bit_length() > 160:
        return None
    record = await call.core.door.certificate(serial.to_bytes(20, "big"))
    if record is None or record.der is None:
        return None
    return record if x509.load_der_x509_certificate(record.der).issuer.public_bytes() == issuer else None


def completed(template: rfc4211.CertTemplate, old: Certificate | None) -> tuple[bytes | None, Sequence[Extension] | None]:
    """Subject (DER) and extensions for a request: what the template leaves out of an update is that of the old certificate."""
    if old is None or old.der is None:
        return None, None
    certificate = x509.load_der_x509_certificate(old.der)
    subject = certificate.subject.public_bytes() if template.subject is None else None
    if any(extension.id == x509.SubjectAlternativeName.oid for extension in template.extensions):
        return subject, None
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return subject, None
    kept = Extension(id=names.oid, critical=names.critical, value=names.value.public_bytes())
    return subject, (*template.extensions, kept)
