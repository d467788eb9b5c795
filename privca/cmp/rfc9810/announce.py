"""Announcements: ckuann, cann, rann and crlann, which a CA pushes and nobody answers (RFC 9810 sections 5.3.13 to 5.3.16).

An administrator asks for them, and the profile names who gets them: nothing that a client sends brings one about. They are signed like any
answer to a client that signs.
"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.cmp.protection.protector import SigningProtector
from privca.cmp.rfc9810.message import NULL_DN, Body, Header, encode, encode_body, generalized_time
from privca.cmp.rfc9810.status import Status
from privca.issuance.authorities import Authorities
from privca.issuance.delegates import Delegates
from privca.issuance.ports import Certificate, CertificateStatus, Keys
from privca.issuance.profile import Revisioned
from privca.issuance.revocation_lists import RevocationLists
from privca.issuance.succession import line
from privca.pkix import der, rfc4211

_NONCE_OCTETS = 16
_CMP2021 = 3
"""RootCaKeyUpdateContent is of this version (section 5.3.13)."""


async def ca_key_update(authorities: Authorities, profile: Revisioned) -> tuple[Body, bytes]:
    """CAKeyUpdContent: the newest step of the root's keys. :raises Refused: ``WRONG_STATE`` if there was none."""
    update = (await line(authorities, profile.profile.issuer))[-1].update_of()
    if update is None:
        raise Refused(Reason.WRONG_STATE, "RFC 9810 section 5.3.13", "the root CA has had one key alone: there is no update")
    parts = [update.new_with_new]
    if update.new_with_old is not None:
        parts.append(der.tlv(0xA0, update.new_with_old))
    if update.old_with_new is not None:
        parts.append(der.tlv(0xA1, update.old_with_new))
    return Body.CKUANN, der.tlv(0xA0, der.tlv(0x30, *parts))


def certificate(record: Certificate) -> tuple[Body, bytes]:
    """CertAnnContent. :raises Refused: ``WRONG_STATE`` for a certificate that is not good."""
    if record.der is None or record.status is not CertificateStatus.ISSUED:
        raise Refused(
            Reason.WRONG_STATE, "RFC 9810 section 5.3.14", f"a certificate that is {record.status.value} is not announced"
        )
    return Body.CANN, record.der


def revocation(record: Certificate, now: datetime) -> tuple[Body, bytes]:
    """RevAnnContent: that a certificate is revoked. :raises Refused: ``WRONG_STATE`` for one that is not."""
    clause = "RFC 9810 section 5.3.15"
    if record.der is None or record.revoked_at is None:
        raise Refused(Reason.WRONG_STATE, clause, "the certificate is not revoked")
    issuer = x509.load_der_x509_certificate(record.der).issuer.public_bytes()
    identifier = rfc4211.CertId(issuer, int.from_bytes(record.serial, "big")).encode()
    status = Status.REVOCATION_NOTIFICATION if record.revoked_at <= now else Status.REVOCATION_WARNING
    bad_since = record.invalidity_date or record.revoked_at
    content = der.tlv(0x30, der.integer(status), identifier, generalized_time(record.revoked_at), generalized_time(bad_since))
    return Body.RANN, content


async def crls(lists: RevocationLists, authorities: Authorities, profile: Revisioned, now: datetime) -> tuple[Body, bytes]:
    """CRLAnnContent: the newest CRL of each key of the CA that has not expired."""
    name = profile.profile.issuer
    found = []
    for key in await authorities.generations(name):
        if key.not_after > now:
            found.append((await lists.current(name, key.generation.number, now)).der)
    return Body.CRLANN, der.tlv(0x30, *found)


async def message(
    exchange: Exchange,
    profile: Revisioned,
    delegates: Delegates,
    authorities: Authorities,
    keys: Keys,
    body: Body,
    content: bytes,
) -> bytes:
    """The whole PKIMessage, signed."""
    protector = SigningProtector(profile.profile.issuer, profile.profile.cmp, delegates, authorities, keys, b"")
    prepared = await protector.prepare(exchange)
    header = Header(
        pvno=_CMP2021 if body is Body.CKUANN else 2,
        sender=prepared.sender,
        recipient=NULL_DN,
        message_time=exchange.now,
        protection_alg=prepared.algorithm,
        sender_kid=prepared.key_identifier,
        transaction_id=exchange.entropy.octets(_NONCE_OCTETS),
        sender_nonce=exchange.entropy.octets(_NONCE_OCTETS),
    ).encode()
    encoded = encode_body(body, content)
    protection = await protector.protect(der.tlv(0x30, header, encoded))
    return encode(header, encoded, protection, prepared.certificates)
