"""Revocation Request (RFC 5272 section 6.11): signed, or with the secret that the certificate was obtained with."""

from __future__ import annotations

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.enrollment.door import Identity
from privca.est.rfc5272.outcome import Outcome
from privca.est.rfc7030.call import Call
from privca.issuance.ports import Certificate, RevocationReason
from privca.pkix.rfc5272.controls import Controls
from privca.pkix.rfc5272.retrieval import CertificateName
from privca.pkix.rfc5272.revocation import RevokeRequest

_CLAUSE = "RFC 5272 section 6.11"
_SERIAL_OCTETS = 20
_BY_SECRET = frozenset({"code", "otp"})


async def find(call: Call, name: CertificateName) -> Certificate:
    """The certificate of this profile that an issuer and serial number name. :raises Refused: ``UNKNOWN_CERTIFICATE``."""
    unknown = Refused(Reason.UNKNOWN_CERTIFICATE, _CLAUSE, "no certificate of this profile has this issuer and serial number")
    if not 0 < name.serial < 1 << 8 * _SERIAL_OCTETS:
        raise unknown
    record = await call.core.door.certificate(name.serial.to_bytes(_SERIAL_OCTETS, "big"))
    if record is None or record.der is None or record.profile_id != call.profile.id:
        raise unknown
    if x509.load_der_x509_certificate(record.der).issuer.public_bytes() != name.issuer:
        raise unknown
    return record


async def revoke_all(call: Call, controls: Controls, by: Identity | None, outcome: Outcome) -> None:
    """Every revocation request of a message, each with its status. Secrets are not tried one after the other: the first wrong one ends it.

    :param by: who signed the message; None if nobody did, and the secrets have to do.
    """
    wrong: Refused | None = None
    for body, request in controls.revocations.items():
        outcome.informs = True
        if wrong is not None and request.secret is not None:
            outcome.fail((body,), wrong)
            continue
        try:
            await _revoke(call, request, by)
            outcome.succeed(body)
        except Refused as refused:
            outcome.fail((body,), refused)
            wrong = refused if refused.reason is Reason.UNAUTHENTICATED else wrong


async def _revoke(call: Call, request: RevokeRequest, by: Identity | None) -> None:
    """:raises Refused: ``UNKNOWN_CERTIFICATE``, ``UNAUTHENTICATED``, and as the door does."""
    certificate = await _named(call, request, by)
    if by is not None:
        try:
            await _done(call, request, certificate, by)
            return
        except Refused as refused:
            # Who has not the right by the signature may have it by the secret.
            if refused.reason is not Reason.UNAUTHORIZED or request.secret is None:
                raise
    await _done(call, request, certificate, await _by_secret(call, certificate, request.secret or b""))


async def _done(call: Call, request: RevokeRequest, certificate: Certificate, by: Identity) -> None:
    """Revoke, hold or release."""
    if request.reason == RevocationReason.REMOVE_FROM_CRL:
        await call.core.door.release(call.exchange, certificate, by)
        return
    await call.core.door.revoke(call.exchange, certificate, RevocationReason(request.reason), by, request.invalidity_date)


async def _named(call: Call, request: RevokeRequest, by: Identity | None) -> Certificate:
    try:
        return await find(call, CertificateName(request.issuer, request.serial))
    except Refused:
        if by is None:
            # Who has proven nothing is not told which certificates there are.
            raise _wrong_secret() from None
        raise


async def _by_secret(call: Call, certificate: Certificate, secret: bytes) -> Identity:
    """The identity that the certificate was issued to, proven once more by the code or passcode that it enrolled with."""
    method, _, reference = certificate.identity.partition(":")
    if method not in _BY_SECRET or not secret:
        raise _wrong_secret()
    try:
        identity = await call.core.credentials.password(call.exchange, call.profile, reference, secret)
    except Refused as refused:
        if refused.reason is not Reason.UNAUTHENTICATED:
            raise
        raise _wrong_secret() from None
    if identity.id != certificate.identity:
        raise _wrong_secret()  # the code and the passcode of one name are two secrets
    return identity


def _wrong_secret() -> Refused:
    return Refused(Reason.UNAUTHENTICATED, _CLAUSE, "the shared secret is not that of the certificate")
