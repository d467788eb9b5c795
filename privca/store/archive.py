"""Archived private keys, sealed (port: ``cmp.ports.KeyArchive``)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import product

from sqlalchemy import bindparam, insert, or_, select

from privca.cmp.ports import ArchivedKey, Sought
from privca.issuance.ports import Conflict
from privca.store import schema
from privca.store.credentials import spend
from privca.store.database import Database, Row, Statement, operation
from privca.store.rows import to_datetime, to_seconds
from privca.store.sealing import Sealing

_c = schema.archived_key.c
_ADD = Statement(insert(schema.archived_key))
_CONDITIONS = {
    "serial": _c.serial == bindparam("serial"),
    "spki_sha256": _c.spki_sha256 == bindparam("spki_sha256"),
    "subject": _c.subject == bindparam("subject"),
    "identity": or_(_c.identity == bindparam("identity"), _c.serial == bindparam("own")),
}


def _find(*names: str) -> Statement:
    """Those of a profile that are what each of these says."""
    conditions = [_c.profile_id == bindparam("profile_id"), *(_CONDITIONS[name] for name in names)]
    columns = select(*schema.archived_key.columns).where(*conditions)
    return Statement(columns.order_by(_c.archived.desc(), _c.serial).limit(bindparam("limit")))


_FIND = {
    chosen: _find(*(n for n, c in zip(_CONDITIONS, chosen, strict=True) if c)) for chosen in product((False, True), repeat=4)
}


class ArchivedKeys:
    """Implements :class:`privca.cmp.ports.KeyArchive`."""

    _database: Database
    _secrets: Sealing

    @operation
    def archive_key(self, key: ArchivedKey) -> None:
        """Keep a key; one that is kept for this certificate already stays."""
        with suppress(Conflict):
            self._database.change(
                _ADD,
                {
                    "serial": key.serial,
                    "profile_id": key.profile_id,
                    "identity": key.identity,
                    "spki_sha256": key.spki_sha256,
                    "subject": key.subject,
                    "sealed": self._secrets.seal(key.private, _context(key.serial)),
                    "archived": to_seconds(key.archived),
                },
            )

    @operation
    def archived_keys(self, sought: Sought, limit: int) -> Sequence[ArchivedKey]:
        """The keys that are sought, the newest first."""
        given = {name: getattr(sought, name) for name in _CONDITIONS}
        statement = _FIND[tuple(value is not None for value in given.values())]
        values = {name: value for name, value in given.items() if value is not None}
        if sought.identity is not None:
            values["own"] = sought.own
        return [self._key(row) for row in self._database.all(statement, profile_id=sought.profile_id, limit=limit, **values)]

    @operation
    def spend_on_recovery(self, passcode_id: str, profile_id: str, request_id: str, at: datetime) -> None:
        """Spend a live passcode. :raises Spent: if it is not live."""
        spend(self._database, passcode_id, profile_id, request_id, at)

    def _key(self, row: Row) -> ArchivedKey:
        serial, profile_id, identity, spki_sha256, subject, sealed, archived = row
        private = self._secrets.open(sealed, _context(serial))
        return ArchivedKey(serial, profile_id, identity, spki_sha256, subject, private, to_datetime(archived))


def _context(serial: bytes) -> str:
    """What a sealed key is bound to: it opens for no other certificate."""
    return f"archived_key {serial.hex()}"
