"""Requests that a person decides about: how they are recorded, what becomes of them, and how they are asked for again.

A request waits under its profile and request ID until a person approves or rejects it, or its time is over. An approved one is issued
when its client comes back, from what was kept of it, and judged anew by the profile as it is then: approval ends the wait, it permits
nothing that the profile does not.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgspec.structs import replace

from privca.base.durations import duration
from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.enrollment import remembered
from privca.enrollment.authentication import no_valid_credential
from privca.enrollment.door import Identity, Pending, Submission
from privca.enrollment.ports import Decision, EnrollmentStore, Full, WaitingRequest
from privca.issuance.ports import Conflict, Spent
from privca.issuance.profile import Revisioned

_CLAUSE = "profile: authentication"


class Approval:
    """The requests that wait, of all profiles."""

    def __init__(self, store: EnrollmentStore) -> None:
        self._store = store

    async def find(self, profile: Revisioned, request_id: str, now: datetime) -> WaitingRequest | None:
        """The record of a request, unless its time is over."""
        found = await self._store.waiting_request(profile.id, request_id)
        return found if found is not None and now < found.expires else None

    async def record(self, exchange: Exchange, profile: Revisioned, submission: Submission) -> Pending:
        """Let a request wait that was judged, and spend its passcode.

        :raises Refused: ``RATE_LIMITED`` if too many wait, ``UNAUTHENTICATED`` if the passcode is spent.
        """
        waiting, identity = profile.profile.waiting, submission.identity
        record = WaitingRequest(
            id=exchange.entropy.octets(6).hex(),
            profile_id=profile.id,
            request_id=submission.request_id,
            method=identity.method,
            identity=identity.id,
            ra=identity.ra,
            certificate=identity.certificate.serial if identity.certificate is not None else b"",
            vendor=identity.vendor,
            renews=submission.renews.serial if submission.renews is not None else b"",
            info=remembered.kept(submission.csr),
            subject=submission.csr.subject.rfc4514_string(),
            names=submission.csr.names,
            proven=tuple(sorted(submission.proven)),
            spki_sha256=hashlib.sha256(submission.csr.spki).digest(),
            not_before=submission.not_before,
            not_after=submission.not_after,
            created=exchange.now,
            expires=exchange.now + duration(waiting.life),
        )
        try:
            await self._store.add_waiting_request(record, waiting.maximum, spends=identity.passcode)
        except Full:
            raise Refused(
                Reason.RATE_LIMITED,
                "profile: waiting.maximum",
                "too many requests wait for a person already",
                retry_after=waiting.retry_after,
            ) from None
        except Spent:
            raise no_valid_credential() from None
        except Conflict:
            pass  # The same request came twice at the same time: it waits.
        return self.pending(exchange, profile)

    def pending(self, exchange: Exchange, profile: Revisioned) -> Pending:
        """The answer to a request that waits."""
        exchange.decided("pending", "profile: approval_always", "a person decides")
        return Pending(profile.profile.waiting.retry_after)

    def check_asker(self, record: WaitingRequest, identity: Identity) -> None:
        """Refuse who asks for somebody else's request. :raises Refused: ``UNAUTHORIZED``."""
        if identity.id != record.identity:
            raise Refused(Reason.UNAUTHORIZED, _CLAUSE, "this request was made by somebody else")

    async def approved(self, record: WaitingRequest) -> Submission | None:
        """The submission of a request that was approved; None if it still waits. :raises Refused: ``UNAUTHORIZED`` if it was rejected."""
        if record.decision is Decision.WAITING:
            return None
        if record.decision is Decision.REJECTED:
            said = f": {record.reason}" if record.reason else ""
            raise Refused(Reason.UNAUTHORIZED, "profile: approval_always", f"a person has rejected this request{said}")
        certificate = await self._store.certificate_by_serial(record.certificate) if record.certificate else None
        return Submission(
            request_id=record.request_id,
            # Without the passcode: it was spent when the request was recorded.
            identity=Identity(record.method, record.identity, certificate=certificate, vendor=record.vendor, ra=record.ra),
            csr=remembered.read(record.info),
            proven=frozenset(record.proven),
            renews=await self._store.certificate_by_serial(record.renews) if record.renews else None,
            not_before=record.not_before,
            not_after=record.not_after,
            asked=record.created,
        )


async def decide(
    store: EnrollmentStore, record: WaitingRequest, decision: Decision, by: str, now: datetime, life: str, reason: str = ""
) -> WaitingRequest:
    """Write down what a person said; an approved request may be fetched for ``life`` from now on.

    :raises Refused: ``WRONG_STATE`` if its time is over, or it was answered or decided otherwise meanwhile.
    """
    if now >= record.expires:
        raise Refused(Reason.WRONG_STATE, "profile: waiting.life", "the time of this request is over; its client has to ask anew")
    decided = replace(
        record, decision=decision, decided=now, decided_by=by, reason=reason, expires=max(record.expires, now + duration(life))
    )
    try:
        await store.decide_request(decided)
    except Conflict:
        raise Refused(
            Reason.WRONG_STATE,
            "profile: approval_always",
            "the request was answered, or somebody else has decided; look at it again",
        ) from None
    return replace(decided, version=decided.version + 1)
