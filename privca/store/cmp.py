"""CMP's memory: transactions (port: ``cmp.ports.CmpStore``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import bindparam, delete, insert, select, update

from privca.cmp.ports import Part, Transaction
from privca.enrollment.credentials import Secret
from privca.issuance.ports import Conflict
from privca.store import schema
from privca.store.database import Database, Row, Statement, operation
from privca.store.rows import to_datetime, to_optional_datetime, to_optional_seconds, to_seconds
from privca.store.sealing import Sealing

_table = schema.cmp_transaction
_c = _table.c
_ONE = Statement(select(*_table.columns).where(_c.profile_id == bindparam("profile_id"), _c.id == bindparam("id")))
_EXPIRED = Statement(
    select(*_table.columns).where(_c.expires <= bindparam("at")).order_by(_c.expires, _c.id).limit(bindparam("limit"))
)
_ADD = Statement(insert(_table))
_CHANGE = Statement(
    update(_table)
    .where(_c.profile_id == bindparam("of_profile"), _c.id == bindparam("of"), _c.version == bindparam("read"))
    .values({column.name: bindparam(column.name) for column in _table.columns if column.name not in ("profile_id", "id")})
)
_FORGET = Statement(
    delete(_table).where(_c.profile_id == bindparam("profile_id"), _c.id == bindparam("id"), _c.version == bindparam("version"))
)

_encode = msgspec.msgpack.encode
_decode_parts = msgspec.msgpack.Decoder(tuple[Part, ...]).decode
_decode_secret = msgspec.msgpack.Decoder(Secret).decode


class CmpTransactions:
    """Implements :class:`privca.cmp.ports.CmpStore`."""

    _database: Database
    _secrets: Sealing

    @operation
    def transaction(self, profile_id: str, id: bytes) -> Transaction | None:
        """A transaction by its transactionID."""
        row = self._database.one(_ONE, profile_id=profile_id, id=id)
        return None if row is None else self._transaction(row)

    @operation
    def save_transaction(self, transaction: Transaction) -> Transaction:
        """Insert or update. :raises Conflict: if its ID is taken, or it was changed meanwhile."""
        secret, context = transaction.secret, _context(transaction.profile_id, transaction.id)
        values: dict[str, Any] = {
            "method": transaction.method,
            "identity": transaction.identity,
            "credential": transaction.credential,
            "sealed": None if secret is None else self._secrets.seal(_encode(secret), context),
            "signer": transaction.signer,
            "nonce": transaction.nonce,
            "body": transaction.body,
            "implicit": int(transaction.implicit),
            "parts": _encode(transaction.parts),
            "request": transaction.request,
            "ready": to_optional_seconds(transaction.ready),
            "created": to_seconds(transaction.created),
            "expires": to_seconds(transaction.expires),
            "version": transaction.version + 1,
        }
        if transaction.version == 0:
            self._database.change(_ADD, {**values, "profile_id": transaction.profile_id, "id": transaction.id})
        else:
            values |= {"of_profile": transaction.profile_id, "of": transaction.id, "read": transaction.version}
            if self._database.change(_CHANGE, values) != 1:
                raise Conflict(f"the transaction {transaction.id.hex()} was changed meanwhile")
        return replace(transaction, version=transaction.version + 1)

    @operation
    def forget_transaction(self, transaction: Transaction) -> None:
        """Delete it, if it has not changed."""
        self._database.change(
            _FORGET, {"profile_id": transaction.profile_id, "id": transaction.id, "version": transaction.version}
        )

    @operation
    def expired_transactions(self, at: datetime, limit: int) -> Sequence[Transaction]:
        """Those whose time is up, the oldest first."""
        return [self._transaction(row) for row in self._database.all(_EXPIRED, at=to_seconds(at), limit=limit)]

    def _transaction(self, row: Row) -> Transaction:
        secret = None if row[5] is None else _decode_secret(self._secrets.open(row[5], _context(row[0], row[1])))
        return Transaction(
            profile_id=row[0],
            id=row[1],
            method=row[2],
            identity=row[3],
            credential=row[4],
            secret=secret,
            signer=row[6],
            nonce=row[7],
            body=row[8],
            implicit=bool(row[9]),
            parts=_decode_parts(row[10]),
            request=row[11],
            ready=to_optional_datetime(row[12]),
            created=to_datetime(row[13]),
            expires=to_datetime(row[14]),
            version=row[15],
        )


def _context(profile_id: str, id: bytes) -> str:
    return f"cmp_transaction {profile_id} {id.hex()} secret"
