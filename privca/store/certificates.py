"""The CA's memory: generations, certificates from their prepared TBS on, revocation, CRLs (port: ``issuance.ports.IssuanceStore``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, func, insert, select, update

from privca.issuance.ports import (
    Certificate,
    CertificateState,
    CertificateStatus,
    Conflict,
    CrlBase,
    CrlMark,
    CrlRecord,
    DelegateRecord,
    Generation,
    GenerationRole,
    RevocationChange,
    RevocationReason,
    RevokedEntry,
    RevokedPage,
)
from privca.store import schema
from privca.store.credentials import spend
from privca.store.database import Database, Row, Statement, operation
from privca.store.recent import Recent
from privca.store.rows import (
    names_from_json,
    names_to_json,
    to_datetime,
    to_optional_datetime,
    to_optional_seconds,
    to_seconds,
)
from privca.store.waiting import check_approved

_g = schema.generation.c
_GENERATIONS = Statement(
    select(_g.authority, _g.number, _g.role, _g.key, _g.certificate, _g.new_with_old, _g.old_with_new, _g.created, _g.version)
    .where(_g.authority == bindparam("of"))
    .order_by(_g.number)
)
_ADD_GENERATION = Statement(insert(schema.generation))
_CHANGE_GENERATION = Statement(
    update(schema.generation)
    .where(_g.authority == bindparam("of"), _g.number == bindparam("at"), _g.version == bindparam("read"))
    .values({name: bindparam(name) for name in ("role", "key", "certificate", "new_with_old", "old_with_new", "version")})
)

_c = schema.certificate.c
_COLUMNS = tuple(column for column in schema.certificate.columns if column.name != "sequence")
_BY_SERIAL = Statement(select(*_COLUMNS).where(_c.serial == bindparam("serial")))
_STATE = Statement(
    select(_c.authority, _c.generation, _c.status, _c.not_after, _c.revoked_at, _c.reason, _c.invalidity_date, _c.version).where(
        _c.serial == bindparam("serial")
    )
)
_BY_REQUEST = Statement(
    select(*_COLUMNS).where(_c.profile_id == bindparam("profile_id"), _c.request_id == bindparam("request_id"))
)
_BY_KEY = Statement(
    select(*_COLUMNS).where(_c.spki_sha256 == bindparam("key")).order_by(_c.sequence.desc()).limit(bindparam("limit"))
)
_SEQUENCE = Statement(select(_c.sequence).where(_c.serial == bindparam("serial")))
_page = select(*_COLUMNS).where(_c.sequence > bindparam("after")).order_by(_c.sequence).limit(bindparam("limit"))
_PAGE = Statement(_page)
_PAGE_OF_PROFILE = Statement(_page.where(_c.profile_id == bindparam("profile_id")))
_ADD = Statement(insert(schema.certificate).values({column.name: bindparam(column.name) for column in _COLUMNS}))
# What was recorded before signing (serial, TBS, request) never changes afterwards.
_CHANGE = Statement(
    update(schema.certificate)
    .where(_c.serial == bindparam("of"), _c.version == bindparam("read"))
    .values(
        {name: bindparam(name) for name in ("der", "status", "revoked_at", "reason", "revoked_by", "invalidity_date", "version")}
    )
)
# In the order of the index, so that a page is read without sorting what follows it; by two statements, since SQLite searches for
# neither a row value nor an OR of what both of these find at once.
_REVOKED = (
    select(_c.serial, _c.revoked_at, _c.reason, _c.invalidity_date, _c.not_after, _c.sequence)
    .where(_c.authority == bindparam("authority"), _c.revoked_at.is_not(None))
    .order_by(_c.not_after, _c.sequence)
    .limit(bindparam("limit"))
)
_REVOKED_SAME_END = Statement(_REVOKED.where(_c.not_after == bindparam("not_after"), _c.sequence > bindparam("after")))
_REVOKED_LATER_END = Statement(_REVOKED.where(_c.not_after > bindparam("not_after")))

_d = schema.delegate.c
_DELEGATES = Statement(
    select(_d.authority, _d.generation, _d.purpose, _d.number, _d.key, _d.serial)
    .where(_d.authority == bindparam("authority"), _d.purpose == bindparam("purpose"))
    .order_by(_d.generation, _d.number)
)
_ADD_DELEGATE = Statement(insert(schema.delegate))

_n = schema.revocation_count.c
_COUNT = Statement(select(_n["count"]).where(_n.authority == bindparam("authority")))
_COUNT_UP = Statement(update(schema.revocation_count).where(_n.authority == bindparam("of")).values({"count": _n["count"] + 1}))
_COUNT_FIRST = Statement(insert(schema.revocation_count))

_l = schema.crl.c
_NEWEST = (
    select(_l.generation, _l.number, _l.this_update, _l.next_update, _l.der, _l.scope, _l["count"])
    .where(_l.authority == bindparam("authority"))
    .order_by(_l.number.desc())
    .limit(1)
)
_BY_KEY_AND_SCOPE = (_l.generation == bindparam("generation"), _l.scope == bindparam("scope"))
_NEWEST_CRL = Statement(_NEWEST.where(*_BY_KEY_AND_SCOPE))
_MARK = (
    select(_l.number, _l.this_update, _l.next_update, _l["count"])
    .where(_l.authority == bindparam("authority"))
    .order_by(_l.number.desc())
    .limit(1)
)
_NEWEST_MARK = Statement(_MARK)
_NEWEST_MARK_BY_KEY = Statement(_MARK.where(*_BY_KEY_AND_SCOPE))
_ADD_CRL = Statement(insert(schema.crl))
_FORGET_CRLS = Statement(
    delete(schema.crl).where(
        _l.authority == bindparam("authority"),
        _l.generation == bindparam("generation"),
        _l.scope == bindparam("scope"),
        _l.number < bindparam("number"),
    )
)

_b = schema.crl_base.c
_BASES = Statement(
    select(_b.number, _b.this_update, _b["count"])
    .where(_b.authority == bindparam("authority"), _b.generation == bindparam("generation"))
    .order_by(_b.number)
)
_ADD_BASE = Statement(insert(schema.crl_base))
_FORGET_BASES = Statement(
    delete(schema.crl_base).where(
        _b.authority == bindparam("authority"),
        _b.generation == bindparam("generation"),
        _b.this_update < bindparam("bases_from"),
    )
)
_h = schema.revocation_change.c
_ADD_CHANGE = Statement(insert(schema.revocation_change))
_CHANGES = Statement(
    select(_h["count"], _c.serial, _c.revoked_at, _c.reason, _c.invalidity_date)
    .where(_h.authority == bindparam("authority"), _h["count"] > bindparam("after"), _h.serial == _c.serial)
    .order_by(_h["count"])
    .limit(bindparam("limit"))
)
_FORGET_CHANGES = Statement(
    delete(schema.revocation_change).where(
        _h.authority == bindparam("authority"),
        _h["count"] <= select(func.min(_b["count"])).where(_b.authority == bindparam("authority")).scalar_subquery(),
    )
)


class Certificates:
    """The issuance part of the store."""

    _database: Database
    _recent: Recent

    @operation
    def generations(self, authority: str) -> Sequence[Generation]:
        """All generations of a CA, oldest first."""
        return [
            Generation(
                authority=row[0],
                number=row[1],
                role=GenerationRole(row[2]),
                key=row[3],
                certificate=row[4],
                new_with_old=row[5],
                old_with_new=row[6],
                created=to_datetime(row[7]),
                version=row[8],
            )
            for row in self._database.all(_GENERATIONS, of=authority)
        ]

    @operation
    def save_generations(self, generations: Sequence[Generation]) -> None:
        """Insert or update all of them in one transaction."""
        with self._database.atomic():
            for generation in generations:
                values = {
                    "role": generation.role.value,
                    "key": generation.key,
                    "certificate": generation.certificate,
                    "new_with_old": generation.new_with_old,
                    "old_with_new": generation.old_with_new,
                    "version": generation.version + 1,
                }
                if generation.version == 0:
                    key = {"authority": generation.authority, "number": generation.number}
                    self._database.change(_ADD_GENERATION, values | key | {"created": to_seconds(generation.created)})
                else:
                    key = {"of": generation.authority, "at": generation.number, "read": generation.version}
                    if self._database.change(_CHANGE_GENERATION, values | key) != 1:
                        raise Conflict(f"generation {generation.number} of {generation.authority} was changed meanwhile")

    @operation
    def add_certificate(self, certificate: Certificate, *, spends: str = "", approval: str = "") -> None:
        """Record a prepared certificate, and in the same transaction spend a passcode, or hold that its request is approved."""
        if not spends and not approval:
            self._database.change(_ADD, _certificate_values(certificate))  # one statement is a transaction of its own
            return
        with self._database.atomic():
            # First, so that a request that was answered already says so, and not that its passcode is spent.
            self._database.change(_ADD, _certificate_values(certificate))
            if spends:
                spend(self._database, spends, certificate.profile_id, certificate.request_id, certificate.recorded)
            if approval:
                check_approved(self._database, approval)

    @operation
    def update_certificate(self, certificate: Certificate) -> None:
        """Replace what may change of a record."""
        values = _changing_values(certificate) | {"of": certificate.serial, "read": certificate.version}
        if certificate.version == 1 and certificate.status is CertificateStatus.ISSUED:
            # From prepared to issued, the hot path: one statement is a transaction of its own.
            self._change_certificate(values)
        else:
            with self._database.atomic():
                self._change_certificate(values)
                # Whatever changes after the certificate was issued is a change of revocation.
                if self._database.change(_COUNT_UP, {"of": certificate.authority}) == 0:
                    self._database.change(_COUNT_FIRST, {"authority": certificate.authority, "count": 1})
                row = self._database.one(_COUNT, authority=certificate.authority)
                assert row is not None
                change = {"authority": certificate.authority, "count": row[0], "serial": certificate.serial}
                self._database.change(_ADD_CHANGE, change)
        # Its client downloads it next.
        self._recent.keep(replace(certificate, version=certificate.version + 1), certificate.serial.hex())

    def _change_certificate(self, values: dict[str, Any]) -> None:
        if self._database.change(_CHANGE, values) != 1:
            raise Conflict(f"certificate {values['of'].hex()} was changed meanwhile")

    @operation
    def certificate_by_serial(self, serial: bytes) -> Certificate | None:
        """The record of a serial number."""
        known = self._recent.find(Certificate, serial.hex())
        if known is not None:
            return known
        row = self._database.one(_BY_SERIAL, serial=serial)
        return None if row is None else _certificate(row)

    @operation
    def certificate_state(self, serial: bytes) -> CertificateState | None:
        """The state of the record of a serial number."""
        row = self._database.one(_STATE, serial=serial)
        if row is None:
            return None
        authority, generation, status, not_after, revoked_at, reason, invalidity_date, version = row
        return CertificateState(
            authority,
            generation,
            CertificateStatus(status),
            to_datetime(not_after),
            to_optional_datetime(revoked_at),
            None if reason is None else RevocationReason(reason),
            to_optional_datetime(invalidity_date),
            version,
        )

    @operation
    def certificate_by_request(self, profile_id: str, request_id: str) -> Certificate | None:
        """The record of a request."""
        row = self._database.one(_BY_REQUEST, profile_id=profile_id, request_id=request_id)
        return None if row is None else _certificate(row)

    @operation
    def certificates_by_key(self, spki_sha256: bytes, limit: int = 16) -> Sequence[Certificate]:
        """Records by key, the newest first."""
        return [_certificate(row) for row in self._database.all(_BY_KEY, key=spki_sha256, limit=limit)]

    @operation
    def delegates(self, authority: str, purpose: str) -> Sequence[DelegateRecord]:
        """The delegates of all keys of a CA for a purpose."""
        return [DelegateRecord(*row) for row in self._database.all(_DELEGATES, authority=authority, purpose=purpose)]

    @operation
    def add_delegate(self, record: DelegateRecord, certificate: Certificate) -> None:
        """Record a delegate and its prepared certificate."""
        with self._database.atomic():
            self._database.change(_ADD_DELEGATE, msgspec.structs.asdict(record))
            self._database.change(_ADD, _certificate_values(certificate))

    @operation
    def certificates(
        self, *, profile_id: str | None = None, after: bytes | None = None, limit: int = 100
    ) -> Sequence[Certificate]:
        """Records in order of recording, after the one with serial ``after``."""
        start = 0
        if after is not None:
            row = self._database.one(_SEQUENCE, serial=after)
            if row is None:
                return []
            start = row[0]
        if profile_id is None:
            rows = self._database.all(_PAGE, after=start, limit=limit)
        else:
            rows = self._database.all(_PAGE_OF_PROFILE, after=start, limit=limit, profile_id=profile_id)
        return [_certificate(row) for row in rows]

    @operation
    def revoked(self, authority: str, at: datetime, after: tuple[int, int] | None = None, limit: int = 1000) -> RevokedPage:
        """Revoked and held certificates of a CA that have not expired at ``at``, ``limit`` at a time."""
        one = {"authority": authority}
        if after is None:
            rows = self._database.all(_REVOKED_LATER_END, **one, not_after=to_seconds(at) - 1, limit=limit)
        else:
            rows = self._database.all(_REVOKED_SAME_END, **one, not_after=after[0], after=after[1], limit=limit)
            if len(rows) < limit:
                later = self._database.all(_REVOKED_LATER_END, **one, not_after=after[0], limit=limit - len(rows))
                rows = [*rows, *later]
        entries = [
            RevokedEntry(serial, to_datetime(revoked_at), RevocationReason(reason), to_optional_datetime(invalidity_date))
            for serial, revoked_at, reason, invalidity_date, _, _ in rows
        ]
        return RevokedPage(entries, (rows[-1][4], rows[-1][5]) if len(rows) == limit else None)

    @operation
    def revocation_count(self, authority: str) -> int:
        """A number that changes with every change of revocation of this CA."""
        row = self._database.one(_COUNT, authority=authority)
        return 0 if row is None else int(row[0])

    @operation
    def revocation_changes(self, authority: str, after: int, limit: int) -> Sequence[RevocationChange]:
        """Changes of revocation behind the ``after``-th one, in their order."""
        return [
            RevocationChange(
                count,
                serial,
                to_optional_datetime(revoked_at),
                None if reason is None else RevocationReason(reason),
                to_optional_datetime(invalidity_date),
            )
            for count, serial, revoked_at, reason, invalidity_date in self._database.all(
                _CHANGES, authority=authority, after=after, limit=limit
            )
        ]

    @operation
    def crl_bases(self, authority: str, generation: int) -> Sequence[CrlBase]:
        """The CRLs by one key that delta CRLs may count from, oldest first."""
        rows = self._database.all(_BASES, authority=authority, generation=generation)
        return [CrlBase(number, to_datetime(this_update), count) for number, this_update, count in rows]

    @operation
    def newest_crl(self, authority: str, generation: int, scope: str = "") -> CrlRecord | None:
        """The CRL with the highest number by one key of a CA and of one scope."""
        row = self._database.one(_NEWEST_CRL, authority=authority, generation=generation, scope=scope)
        if row is None:
            return None
        return CrlRecord(authority, row[0], row[1], to_datetime(row[2]), to_datetime(row[3]), *row[4:])

    @operation
    def newest_crl_mark(self, authority: str, generation: int | None = None, scope: str = "") -> CrlMark | None:
        """The mark of the newest CRL by one key and of one scope; without a key, by any and of any."""
        if generation is None:
            row = self._database.one(_NEWEST_MARK, authority=authority)
        else:
            row = self._database.one(_NEWEST_MARK_BY_KEY, authority=authority, generation=generation, scope=scope)
        return None if row is None else CrlMark(row[0], to_datetime(row[1]), to_datetime(row[2]), row[3])

    @operation
    def add_crl(self, record: CrlRecord, *, bases_from: datetime | None = None) -> None:
        """Record a signed CRL, and forget those before it by the same key and of the same scope."""
        key = {"authority": record.authority, "generation": record.generation, "number": record.number}
        with self._database.atomic():
            # Those before it are gone, so that no unique key tells any longer which numbers were given.
            newest = self._database.one(_NEWEST_MARK, authority=record.authority)
            if newest is not None and newest[0] >= record.number:
                raise Conflict(f"CRL number {record.number} of {record.authority} was given already")
            self._database.change(
                _ADD_CRL,
                {
                    **key,
                    "this_update": to_seconds(record.this_update),
                    "next_update": to_seconds(record.next_update),
                    "der": record.der,
                    "scope": record.scope,
                    "count": record.count,
                },
            )
            self._database.change(_FORGET_CRLS, key | {"scope": record.scope})
            if bases_from is not None:
                base = {"this_update": to_seconds(record.this_update), "count": record.count}
                self._database.change(_ADD_BASE, key | base)
                place = {"authority": record.authority, "generation": record.generation}
                self._database.change(_FORGET_BASES, place | {"bases_from": to_seconds(bases_from)})
                self._database.change(_FORGET_CHANGES, {"authority": record.authority})


def _changing_values(certificate: Certificate) -> dict[str, Any]:
    return {
        "der": certificate.der,
        "status": certificate.status.value,
        "revoked_at": to_optional_seconds(certificate.revoked_at),
        "reason": None if certificate.reason is None else certificate.reason.value,
        "revoked_by": certificate.revoked_by,
        "invalidity_date": to_optional_seconds(certificate.invalidity_date),
        "version": certificate.version + 1,
    }


def _certificate_values(certificate: Certificate) -> dict[str, Any]:
    return _changing_values(certificate) | {
        "serial": certificate.serial,
        "authority": certificate.authority,
        "generation": certificate.generation,
        "profile_id": certificate.profile_id,
        "profile_revision": certificate.profile_revision,
        "protocol": certificate.protocol,
        "request_id": certificate.request_id,
        "identity": certificate.identity,
        "subject": certificate.subject,
        "names": names_to_json(certificate.names),
        "spki_sha256": certificate.spki_sha256,
        "not_before": to_seconds(certificate.not_before),
        "not_after": to_seconds(certificate.not_after),
        "tbs": certificate.tbs,
        "recorded": to_seconds(certificate.recorded),
    }


def _certificate(row: Row) -> Certificate:
    return Certificate(
        serial=row[0],
        authority=row[1],
        generation=row[2],
        profile_id=row[3],
        profile_revision=row[4],
        protocol=row[5],
        request_id=row[6],
        identity=row[7],
        subject=row[8],
        names=names_from_json(row[9]),
        spki_sha256=row[10],
        not_before=to_datetime(row[11]),
        not_after=to_datetime(row[12]),
        tbs=row[13],
        der=row[14],
        status=CertificateStatus(row[15]),
        recorded=to_datetime(row[16]),
        revoked_at=to_optional_datetime(row[17]),
        reason=None if row[18] is None else RevocationReason(row[18]),
        revoked_by=row[19],
        invalidity_date=to_optional_datetime(row[20]),
        version=row[21],
    )
