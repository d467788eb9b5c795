"""Transactions of SCEP (port: ``scep.ports.ScepStore``): found in what certificates and waiting requests are recorded under."""

from __future__ import annotations

from sqlalchemy import bindparam, select, union_all

from privca.store import schema
from privca.store.database import Database, Statement, operation

_c, _w = schema.certificate.c, schema.waiting_request.c
# Behind everything that begins with a prefix: request IDs are ASCII. A range, so that the unique index of both tables finds it.
_END = "\x7f"
_BOTH = union_all(
    select(_c.request_id, _c.recorded.label("at")).where(
        _c.profile_id == bindparam("profile_id"), _c.request_id >= bindparam("first"), _c.request_id < bindparam("end")
    ),
    select(_w.request_id, _w.created.label("at")).where(
        _w.profile_id == bindparam("profile_id"), _w.request_id >= bindparam("first"), _w.request_id < bindparam("end")
    ),
).subquery()
_NEWEST = Statement(select(_BOTH.c.request_id).order_by(_BOTH.c.at.desc(), _BOTH.c.request_id).limit(1))


class ScepTransactions:
    """The part of the store that knows which requests belong to a transaction."""

    _database: Database

    @operation
    def newest_request(self, profile_id: str, prefix: str) -> str | None:
        """The ID of the request that was recorded last among those whose ID begins with ``prefix`` (ASCII)."""
        row = self._database.one(_NEWEST, profile_id=profile_id, first=prefix, end=prefix + _END)
        return None if row is None else str(row[0])
