"""Revocation, hold and release of certificates (RFC 5280 section 5.3.1): records with who and why. CRLs are made from them elsewhere."""

from __future__ import annotations

import enum
from datetime import datetime

from msgspec.structs import replace

from privca.base.refused import Reason, Refused
from privca.base.states import StateTable
from privca.issuance.ports import Certificate, CertificateStatus, Conflict, IssuanceStore, RevocationReason

_CLAUSE = "RFC 5280 section 5.3.1"

SUBSCRIBER_REASONS = frozenset(
    {
        RevocationReason.UNSPECIFIED,
        RevocationReason.KEY_COMPROMISE,
        RevocationReason.AFFILIATION_CHANGED,
        RevocationReason.SUPERSEDED,
        RevocationReason.CESSATION_OF_OPERATION,
        RevocationReason.PRIVILEGE_WITHDRAWN,
    }
)
"""Reasons that whoever holds a certificate may give: nothing about the keys of the CA, and no hold."""


class Event(enum.Enum):
    """What may happen to an issued certificate."""

    REVOKE = "be revoked"
    HOLD = "be put on hold"
    RELEASE = "be released from hold"


_S = CertificateStatus
STATES: StateTable[CertificateStatus, Event] = StateTable(
    "the certificate",
    _CLAUSE,
    {
        # A prepared certificate may have been signed by a process that died before it could say so.
        (_S.PREPARED, Event.REVOKE): _S.REVOKED,
        (_S.ISSUED, Event.REVOKE): _S.REVOKED,
        (_S.HELD, Event.REVOKE): _S.REVOKED,
        (_S.ISSUED, Event.HOLD): _S.HELD,
        (_S.HELD, Event.RELEASE): _S.ISSUED,
    },
)


class Revocation:
    """Changes the status of certificates. Every call reads the record anew, so that two of them cannot both win."""

    def __init__(self, store: IssuanceStore) -> None:
        self._store = store

    async def revoke(
        self, serial: bytes, reason: RevocationReason, by: str, now: datetime, *, invalidity_date: datetime | None = None
    ) -> Certificate:
        """Revoke for good, or put on hold if that is the reason; the new record.

        :param by: who revokes, as ``acme:ACCOUNT`` or ``operator:NAME``.
        :param invalidity_date: when the key became doubtful, if that is known (section 5.3.2).
        :raises Refused: ``ALREADY_REVOKED``, ``BAD_REVOCATION_REASON`` (removeFromCRL is :meth:`release`), ``NOT_FOUND``.
        """
        if reason is RevocationReason.REMOVE_FROM_CRL:
            raise Refused(
                Reason.BAD_REVOCATION_REASON, _CLAUSE, "removeFromCRL releases a certificate from hold; it does not revoke one"
            )
        hold = reason is RevocationReason.CERTIFICATE_HOLD
        event = Event.HOLD if hold else Event.REVOKE
        return await self._change(serial, event, revoked_at=now, reason=reason, by=by, invalidity_date=invalidity_date)

    async def release(self, serial: bytes, by: str) -> Certificate:
        """End a hold; the certificate leaves the CRL. :raises Refused: ``WRONG_STATE`` if it is not held, ``NOT_FOUND``."""
        return await self._change(serial, Event.RELEASE, revoked_at=None, reason=None, by=by, invalidity_date=None)

    async def _change(
        self,
        serial: bytes,
        event: Event,
        *,
        revoked_at: datetime | None,
        reason: RevocationReason | None,
        by: str,
        invalidity_date: datetime | None,
    ) -> Certificate:
        while True:
            record = await self._store.certificate_by_serial(serial)
            if record is None:
                raise Refused(
                    Reason.NOT_FOUND, _CLAUSE, "no certificate of this CA has this serial number", got=serial.hex()[:64]
                )
            if event is not Event.RELEASE and (record.status is _S.REVOKED or (record.status is _S.HELD and event is Event.HOLD)):
                raise Refused(Reason.ALREADY_REVOKED, _CLAUSE, f"the certificate is {record.status.value} already")
            changed = replace(
                record,
                status=STATES.after(record.status, event),
                # A hold that becomes a revocation keeps its date: section 5.3.1 lets the entry continue, relying parties have seen it.
                revoked_at=record.revoked_at if event is Event.REVOKE and record.revoked_at is not None else revoked_at,
                reason=reason,
                revoked_by=by,
                invalidity_date=invalidity_date,
            )
            try:
                await self._store.update_certificate(changed)
            except Conflict:
                continue  # Somebody changed it since it was read: judge its new status.
            return replace(changed, version=changed.version + 1)
