"""Requests that wait for a person (port: ``enrollment.ports.EnrollmentStore``)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, exists, func, insert, select, update

from privca.enrollment.ports import Decision, Full, WaitingRequest
from privca.issuance.ports import Conflict
from privca.store import schema
from privca.store.credentials import spend
from privca.store.database import Database, Row, Statement, operation
from privca.store.rows import (
    names_from_json,
    names_to_json,
    to_datetime,
    to_optional_datetime,
    to_optional_seconds,
    to_seconds,
)

_w, _c = schema.waiting_request.c, schema.certificate.c
_COLUMNS = tuple(column for column in schema.waiting_request.columns if column.name != "sequence")
_BY_REQUEST = Statement(
    select(*_COLUMNS).where(_w.profile_id == bindparam("profile_id"), _w.request_id == bindparam("request_id"))
)
_BY_ID = Statement(select(*_COLUMNS).where(_w.id == bindparam("id")))
_ALL = Statement(select(*_COLUMNS).order_by(_w.sequence))
_OF_PROFILE = Statement(select(*_COLUMNS).where(_w.profile_id == bindparam("profile_id")).order_by(_w.sequence))
_DROP = Statement(delete(schema.waiting_request).where(_w.profile_id == bindparam("profile_id"), _w.expires <= bindparam("at")))
_waiting = select(func.count()).where(_w.profile_id == bindparam("profile_id"), _w.decision == Decision.WAITING.value)
# Counted apart: who needs nothing to ask must not take the places of those who have a credential.
_COUNT_OF_NOBODY = Statement(_waiting.where(_w.method == "approval"))
_COUNT_OF_OTHERS = Statement(_waiting.where(_w.method != "approval"))
_ADD = Statement(insert(schema.waiting_request).values({column.name: bindparam(column.name) for column in _COLUMNS}))
_DECIDE = Statement(
    update(schema.waiting_request)
    .where(
        _w.id == bindparam("of"),
        _w.version == bindparam("read"),
        ~exists(select(_c.serial).where(_c.profile_id == _w.profile_id, _c.request_id == _w.request_id)),
    )
    .values({name: bindparam(name) for name in ("decision", "decided", "decided_by", "reason", "expires", "version")})
)
_IS_APPROVED = Statement(select(_w.id).where(_w.id == bindparam("id"), _w.decision == Decision.APPROVED.value))


def check_approved(database: Database, id: str) -> None:
    """Hold, inside the transaction that records a certificate, that a person still allows it. :raises Conflict: if not."""
    if database.one(_IS_APPROVED, id=id) is None:
        raise Conflict(f"request {id} is not approved any longer")


class WaitingRequests:
    """The part of the store that keeps requests until a person has decided, and what was decided until they expire."""

    _database: Database

    @operation
    def waiting_request(self, profile_id: str, request_id: str) -> WaitingRequest | None:
        """The record of a request that waits or waited."""
        return _request(self._database.one(_BY_REQUEST, profile_id=profile_id, request_id=request_id))

    @operation
    def waiting_request_by_id(self, id: str) -> WaitingRequest | None:
        """The same by its own ID."""
        return _request(self._database.one(_BY_ID, id=id))

    @operation
    def waiting_requests(self, profile_id: str | None = None) -> Sequence[WaitingRequest]:
        """All of them, or those of a profile, oldest first."""
        rows = self._database.all(_ALL) if profile_id is None else self._database.all(_OF_PROFILE, profile_id=profile_id)
        return [request for row in rows if (request := _request(row)) is not None]

    @operation
    def add_waiting_request(self, request: WaitingRequest, most: int, *, spends: str = "") -> None:
        """Record a request, and spend its passcode, in one transaction; those of the profile that expired are dropped."""
        with self._database.atomic():
            self._database.change(_DROP, {"profile_id": request.profile_id, "at": to_seconds(request.created)})
            count = _COUNT_OF_NOBODY if request.method == "approval" else _COUNT_OF_OTHERS
            row = self._database.one(count, profile_id=request.profile_id)
            if row is not None and row[0] >= most:
                raise Full(f"{row[0]} requests of {request.profile_id} wait")
            self._database.change(_ADD, _values(request))
            if spends:
                spend(self._database, spends, request.profile_id, request.request_id, request.created)

    @operation
    def decide_request(self, request: WaitingRequest) -> None:
        """Record what was decided, unless somebody else did so or a certificate answers the request."""
        values = {
            "of": request.id,
            "read": request.version,
            "decision": request.decision.value,
            "decided": to_optional_seconds(request.decided),
            "decided_by": request.decided_by,
            "reason": request.reason,
            "expires": to_seconds(request.expires),
            "version": request.version + 1,
        }
        if self._database.change(_DECIDE, values) != 1:
            raise Conflict(f"request {request.id} was decided or answered meanwhile")


def _values(request: WaitingRequest) -> dict[str, object]:
    return {
        "id": request.id,
        "profile_id": request.profile_id,
        "request_id": request.request_id,
        "method": request.method,
        "identity": request.identity,
        "ra": int(request.ra),
        "certificate": request.certificate,
        "vendor": request.vendor,
        "renews": request.renews,
        "info": request.info,
        "subject": request.subject,
        "names": names_to_json(request.names),
        "proven": names_to_json(request.proven),
        "spki_sha256": request.spki_sha256,
        "not_before": to_optional_seconds(request.not_before),
        "not_after": to_optional_seconds(request.not_after),
        "created": to_seconds(request.created),
        "expires": to_seconds(request.expires),
        "decision": request.decision.value,
        "decided": to_optional_seconds(request.decided),
        "decided_by": request.decided_by,
        "reason": request.reason,
        "version": request.version + 1,
    }


def _request(row: Row | None) -> WaitingRequest | None:
    if row is None:
        return None
    return WaitingRequest(
        id=row[0],
        profile_id=row[1],
        request_id=row[2],
        method=row[3],
        identity=row[4],
        ra=bool(row[5]),
        certificate=row[6],
        vendor=row[7],
        renews=row[8],
        info=row[9],
        subject=row[10],
        names=names_from_json(row[11]),
        proven=names_from_json(row[12]),
        spki_sha256=row[13],
        not_before=to_optional_datetime(row[14]),
        not_after=to_optional_datetime(row[15]),
        created=to_datetime(row[16]),
        expires=to_datetime(row[17]),
        decision=Decision(row[18]),
        decided=to_optional_datetime(row[19]),
        decided_by=row[20],
        reason=row[21],
        version=row[22],
    )
