"""Revocation (RFC 8555 section 7.6)."""

from __future__ import annotations

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from privca.acme.ports import Account
from privca.acme.rfc8555.authorization import usable
from privca.acme.rfc8555.call import Call, decode
from privca.base.http import Response
from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Identity
from privca.issuance.ports import Certificate, RevocationReason
from privca.jose import rfc4648
from privca.pkix.der import children

CLAUSE = "RFC 8555 section 7.6"
ALLOWED = (
    RevocationReason.UNSPECIFIED,
    RevocationReason.KEY_COMPROMISE,
    RevocationReason.AFFILIATION_CHANGED,
    RevocationReason.SUPERSEDED,
    RevocationReason.CESSATION_OF_OPERATION,
    RevocationReason.PRIVILEGE_WITHDRAWN,
)
"""What a client may say: nothing about the CA's own keys, and no hold, which ACME could not lift."""


class RevokeCert(msgspec.Struct, frozen=True):
    """Payload of revokeCert."""

    certificate: str
    reason: int | None = None


_revoke_cert = msgspec.json.Decoder(RevokeCert)


async def revoke(call: Call) -> Response:
    """Revoke, if the signer may: only who may learns whether the certificate is known, or revoked already."""
    wanted = decode(_revoke_cert, call.payload, CLAUSE)
    der = rfc4648.decode(wanted.certificate, "certificate")
    _check_serial(der)
    try:
        presented = x509.load_der_x509_certificate(der)
        key = presented.public_key() if call.signer is None else None
        serial = presented.serial_number.to_bytes(20, "big")
    except (ValueError, OverflowError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise Refused(Reason.MALFORMED, CLAUSE, "certificate is not an X.509 certificate in DER") from None
    if call.signer is None and key != call.key.key:
        raise Refused(Reason.UNAUTHORIZED, CLAUSE, "the jwk is not the key of the certificate")
    record = await call.core.door.certificate(serial)
    known = record is not None and record.der == der and record.protocol == "acme"
    if record is None or not known or not (call.urls.shared or record.profile_id == call.profile.id):
        raise _not_yours()
    if call.signer is not None and not await _may(call, call.signer, record):
        raise _not_yours()
    done = await call.core.door.revoke(call.exchange, record, _reason(wanted.reason), _identity(call))
    call.exchange.decided("certificate revoked", CLAUSE, serial=done.serial.hex())
    return Response(200)


def _check_serial(der: bytes) -> None:
    """Refuse zero and negative serial numbers before the certificate is parsed: the parser still takes them, but warns of them."""
    parts = children(der, clause=CLAUSE)
    # Only version 1 begins with the serial number; ours, like all since, begin with the version, which is tagged [0].
    serial = [part for part in children(parts[0], clause=CLAUSE)[:2] if part[:1] == b"\x02"][:1] if parts else []
    if not serial or len(serial[0]) < 3 or serial[0][2] >= 0x80 or not any(serial[0][2:]):
        clause = "RFC 5280 section 4.1.2.2"
        raise Refused(Reason.MALFORMED, clause, "certificate is no X.509 certificate with a positive serial number")


def _not_yours() -> Refused:
    return Refused(Reason.UNAUTHORIZED, CLAUSE, "no certificate of this profile that the signer of the request may revoke")


def _identity(call: Call) -> Identity:
    return Identity("certificate", f"acme-key:{call.key.thumbprint}") if call.signer is None else call.identity


async def _may(call: Call, account: Account, record: Certificate) -> bool:
    """Whether the account issued the certificate, or holds valid authorizations for all of its identifiers."""
    if record.identity == f"acme:{account.id}":
        return True
    asked = {(Name(name.kind, name.value.removeprefix("*.")) if name.wildcard else name, name.wildcard) for name in record.names}
    held = await call.core.store.authorizations_of(account.id, tuple(asked), call.now)
    return bool(asked) and asked <= {(a.name, a.wildcard) for a in held if usable(a, call.now)}


def _reason(code: int | None) -> RevocationReason:
    if code is None:
        return RevocationReason.UNSPECIFIED
    if code not in ALLOWED:
        allowed = ", ".join(str(reason.value) for reason in ALLOWED)
        raise Refused(Reason.BAD_REVOCATION_REASON, CLAUSE, "this reason code is not allowed", expected=allowed, got=str(code))
    return RevocationReason(code)
