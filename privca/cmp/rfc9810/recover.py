"""krr and krp: archived private keys are recovered (RFC 9810 sections 5.3.7 and 5.3.8).

By who obtained them, at the same endpoint, or by a registration authority. What is not there and what is somebody else's is one refusal.
Nothing new is certified (no newSigCert), so that there is nothing to confirm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.base.refused import Reason, Refused
from privca.cmp.ports import ArchivedKey, Sought
from privca.cmp.rfc9810 import certrep, deliver, encrypted, status
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import Body
from privca.enrollment.authentication import no_valid_credential
from privca.issuance.delegates import Purpose
from privca.issuance.ports import Certificate, Spent
from privca.pkix import der, requested, rfc4211
from privca.pkix.rfc5280.identifiers import key_identifier
from privca.pkix.rfc5652.identifiers import Identifier
from privca.pkix.rfc5652.wrapping import Wrap

_REQUEST = "RFC 9810 section 5.3.7"
_CLAUSE = "RFC 9810 section 5.3.8"
MAXIMUM_KEYS = 16
"""How many keys one answer has."""


@dataclass(frozen=True, slots=True)
class Found:
    """An archived key (PrivateKeyInfo, DER) and its certificate: the record, and what it says."""

    record: Certificate
    certificate: x509.Certificate
    private: bytes = field(repr=False)


async def recover(call: Call) -> Reply:
    """Answer a krr."""
    try:
        return await _recover(call)
    except Refused as refused:
        call.exchange.decided("refused", refused.clause, str(refused))
        return Reply(Body.KRP, encode(status.rejection(refused)), refused=True)


async def _recover(call: Call) -> Reply:
    if not call.options.archive:
        raise Refused(Reason.UNSUPPORTED_OPERATION, "profile: cmp.archive", "this profile archives no private keys")
    if call.message.protection is None:
        raise Refused(Reason.UNAUTHENTICATED, _REQUEST, "a private key is recovered only by who is known")
    deliver.check_version(call, call.profile)
    messages = rfc4211.parse(call.message.content)
    if len(messages) != 1:
        raise Refused(
            Reason.UNSUPPORTED_OPERATION, _CLAUSE, "a krr has one request, as a krp has one status", got=str(len(messages))
        )
    wrap = _wrap(call, messages[0])
    sought = _sought(call, messages[0].template)
    keys = [] if sought is None else await call.core.store.archived_keys(sought, MAXIMUM_KEYS + 1)
    found = [one for key in keys[:MAXIMUM_KEYS] if (one := await _found(call, key, messages[0].template)) is not None]
    if not found:
        raise Refused(
            Reason.UNKNOWN_CERTIFICATE, _REQUEST, "there is no archived key that the template names and the sender may recover"
        )
    pairs = [await _pair(call, one, wrap) for one in found]
    authorities: dict[bytes, None] = {}
    for one in found:
        (default, *_) = await call.core.door.chains(one.record)
        authorities.update(dict.fromkeys(default.certificates))
    await _spend(call)
    info = status.status_info(status.Status.ACCEPTED)
    if len(keys) > MAXIMUM_KEYS:
        text = f"there are more: these are the newest {MAXIMUM_KEYS}; the template may name others by serialNumber or publicKey"
        info = status.status_info(status.Status.GRANTED_WITH_MODS, text)
    call.exchange.decided("recovered", _CLAUSE, serials=" ".join(one.record.serial.hex() for one in found))
    return Reply(Body.KRP, encode(info, tuple(authorities), pairs))


def encode(info: bytes, ca_certs: Sequence[bytes] = (), pairs: Sequence[bytes] = ()) -> bytes:
    """KeyRecRepContent, of PKIStatusInfo, certificates and CertifiedKeyPairs, all as DER."""
    authorities = der.tlv(0xA1, der.tlv(0x30, *ca_certs)) if ca_certs else b""
    history = der.tlv(0xA2, der.tlv(0x30, *pairs)) if pairs else b""
    return der.tlv(0x30, info, authorities, history)


def _wrap(call: Call, message: rfc4211.CertReqMsg) -> Wrap:
    """For whom the keys are encrypted: for the key of a protocolEncrKey (RFC 4211 section 6.6), else as keys that are made here.

    :raises Refused: if nothing can be encrypted for that.
    """
    control = message.controls.get(rfc4211.PROTOCOL_ENCR_KEY)
    if control is None:
        return encrypted.recipient(call)
    key = requested.public_key(control, rfc4211.CERTIFIED_KEYS)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encrypted.for_key(key, Identifier(key=key_identifier(spki)))


def _sought(call: Call, template: rfc4211.CertTemplate) -> Sought | None:
    """What a template selects among the keys that the sender may recover; None if nothing can be that."""
    serial = spki = None
    if template.serial is not None:
        if not 0 < template.serial < 1 << 160:
            return None
        serial = template.serial.to_bytes(20, "big")
    if template.has_key:
        key = template.public_key()
        spki = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    subject = None if template.subject in (None, b"\x30\x00") else template.subject
    named = serial is not None or spki is not None or subject is not None
    own = call.sender.certificate
    return Sought(
        profile_id=call.profile.id,
        serial=serial,
        spki_sha256=spki,
        subject=subject,
        # A registration authority speaks for others, whom it has to name.
        identity=None if call.sender.ra and named else call.sender.id,
        own=b"" if own is None else own.serial,
    )


async def _found(call: Call, key: ArchivedKey, template: rfc4211.CertTemplate) -> Found | None:
    """An archived key with its certificate, if that is by the issuer that the template names."""
    record = await call.core.door.certificate(key.serial)
    if record is None or record.der is None:
        return None
    certificate = x509.load_der_x509_certificate(record.der)
    if template.issuer not in (None, b"\x30\x00", certificate.issuer.public_bytes()):
        return None
    return Found(record, certificate, key.private)


async def _pair(call: Call, found: Found, wrap: Wrap) -> bytes:
    """CertifiedKeyPair (DER)."""
    kga = await call.core.delegates.current(found.record.authority, Purpose.KGA)
    spki = found.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    delivered = await encrypted.private_key(call, found.private, spki, kga, call.core.keys, wrap)
    key = encrypted.encrypted_key(delivered)
    for secret in (found.private, key):
        call.exchange.conceal("private key", secret)
    return certrep.key_pair(der.tlv(0xA0, found.record.der or b""), key)


async def _spend(call: Call) -> None:
    """A passcode is good for one recovery, as for one certificate. :raises Refused: ``UNAUTHENTICATED`` if it is spent."""
    if not call.sender.passcode:
        return
    name = f"krr-{call.transaction_id.hex()}"
    try:
        await call.core.store.spend_on_recovery(call.sender.passcode, call.profile.id, name, call.exchange.now)
    except Spent:
        raise no_valid_credential() from None
