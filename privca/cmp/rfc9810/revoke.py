"""rr and rp: revocation, hold and release (RFC 9810 sections 5.3.9 and 5.3.10, RFC 9483 section 4.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.base.refused import Reason, Refused
from privca.cmp import rfc9483
from privca.cmp.rfc9810 import renewal, status
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import Body
from privca.issuance.ports import Certificate, CertificateStatus, RevocationReason
from privca.pkix import der, rfc4211
from privca.pkix.requested import Extension, check_extensions

_CLAUSE = "RFC 9810 section 5.3.9"
_REASON = "RFC 5280 section 5.3.1"
_MAXIMUM = 16
_CRL_REASON = x509.ObjectIdentifier("2.5.29.21")
_INVALIDITY_DATE = x509.ObjectIdentifier("2.5.29.24")
_REASONS: Mapping[int, RevocationReason] = {int(reason): reason for reason in RevocationReason}


@der.sequence
class _Details:
    template: der.TLV
    extensions: list[Extension] | None


@der.sequence
class _Date:
    at: der.GeneralizedTime


@dataclass(frozen=True, slots=True)
class Wish:
    """One certificate that shall be revoked, why, and since when its key is doubtful (crlEntryDetails)."""

    template: rfc4211.CertTemplate
    reason: RevocationReason
    invalidity_date: datetime | None


def parse(octets: bytes) -> list[Wish]:
    """RevReqContent. :raises Refused: ``MALFORMED``, ``TOO_LARGE``, ``UNACCEPTED_EXTENSION``, ``BAD_REVOCATION_REASON``."""
    elements = der.elements(octets, clause=_CLAUSE)
    if not 0 < len(elements) <= _MAXIMUM:
        raise Refused(Reason.TOO_LARGE, _CLAUSE, "a wrong number of certificates to revoke", expected=f"1 to {_MAXIMUM}")
    return [_wish(element) for element in elements]


def _wish(element: bytes) -> Wish:
    details = der.decode(_Details, element, clause=_CLAUSE)
    reason, date = RevocationReason.UNSPECIFIED, None
    extensions = details.extensions or []
    if details.extensions is not None:
        check_extensions(extensions)
    for extension in extensions:
        if extension.id == _CRL_REASON:
            reason = _reason(extension.value)
        elif extension.id == _INVALIDITY_DATE:
            date = der.decode(_Date, der.tlv(0x30, extension.value), clause="RFC 5280 section 5.3.2").at.as_datetime()
        elif extension.critical:
            raise Refused(
                Reason.UNACCEPTED_EXTENSION,
                "RFC 5280 section 5.3",
                "a critical CRL entry extension that we do not know",
                got=extension.id.dotted_string,
            )
    return Wish(rfc4211.CertTemplate.parse(der.encode(details.template)), reason, date)


def _reason(value: bytes) -> RevocationReason:
    # ENUMERATED, which the codec does not read: one octet for every value that there is.
    reason = _REASONS.get(value[2]) if len(value) == 3 and value[:2] == b"\x0a\x01" else None
    if reason is None:
        raise Refused(Reason.BAD_REVOCATION_REASON, _REASON, "not a CRLReason", got=value.hex()[:20])
    return reason


async def revoke(call: Call) -> Reply:
    """Answer an rr: one status for each certificate, in the same order."""
    wishes = parse(call.message.content)
    rfc9483.check_count(call, "RevDetails", "RFC 9483 section 4.2", len(wishes))
    statuses, identifiers, failed = [], [], 0
    for wish in wishes:
        try:
            certificate = await _find(call, wish.template)
            await _apply(call, certificate, wish)
        except Refused as refused:
            call.exchange.decided("refused", refused.clause, str(refused))
            statuses.append(status.rejection(refused))
            failed += 1
        else:
            statuses.append(status.status_info(status.Status.ACCEPTED))
            issuer = x509.load_der_x509_certificate(certificate.der or b"").issuer.public_bytes()
            identifiers.append(rfc4211.CertId(issuer, int.from_bytes(certificate.serial, "big")).encode())
    # Section 5.3.10: in the order of the request; left out where one of them would be missing.
    named = der.tlv(0xA0, der.tlv(0x30, *identifiers)) if identifiers and not failed else b""
    return Reply(Body.RP, der.tlv(0x30, der.tlv(0x30, *statuses), named), refused=failed == len(wishes))


async def _apply(call: Call, certificate: Certificate, wish: Wish) -> None:
    rfc9483.check_revocation(call, certificate)
    if certificate.not_after < call.exchange.now:
        raise Refused(Reason.ALREADY_REVOKED, "RFC 9483 section 5.1.3", "the certificate has expired")
    if wish.reason is RevocationReason.REMOVE_FROM_CRL:
        await call.core.door.release(call.exchange, certificate, call.sender)
        return
    if certificate.status is CertificateStatus.REVOKED:
        raise Refused(Reason.ALREADY_REVOKED, _REASON, "the certificate is revoked already")
    await call.core.door.revoke(call.exchange, certificate, wish.reason, call.sender, wish.invalidity_date)


async def _find(call: Call, template: rfc4211.CertTemplate) -> Certificate:
    """The certificate that a template names: by issuer and serial number, or by its key and what else there is."""
    if template.serial is not None and template.issuer is not None:
        found = await renewal.find(call, template.issuer, template.serial)
        matching = [found] if found is not None and _matches(found, template) else []
    elif template.spki is not None and template.has_key:
        # As a certificate has it: a point uncompressed.
        spki = template.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        known = await call.core.door.certificates_by_key(hashlib.sha256(spki).digest())
        matching = [one for one in known if one.not_after >= call.exchange.now and _matches(one, template)]
        good = [one for one in matching if one.status is not CertificateStatus.REVOKED]
        matching = good or matching[:1]
    else:
        raise Refused(
            Reason.UNKNOWN_CERTIFICATE,
            _CLAUSE,
            "the template names no certificate",
            expected="issuer and serialNumber, or publicKey",
        )
    if len(matching) != 1:
        raise Refused(
            Reason.UNKNOWN_CERTIFICATE,
            "RFC 9483 section 5.1.3",
            "no certificate of this CA is what the template names"
            if not matching
            else "the template names more than one certificate",
        )
    return matching[0]


def _matches(record: Certificate, template: rfc4211.CertTemplate) -> bool:
    """Whether what the template has besides is that of the certificate."""
    if record.der is None:
        return False
    certificate = x509.load_der_x509_certificate(record.der)
    if template.subject not in (None, certificate.subject.public_bytes()):
        return False
    if template.issuer not in (None, certificate.issuer.public_bytes()):
        return False
    return template.serial in (None, certificate.serial_number)
