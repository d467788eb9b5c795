"""When the Nth newest of ACME's things was made: all that a rate limit asks (port: ``acme.ports.AcmeStore``)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from privca.base.names import Name
from privca.store import schema
from privca.store.database import Database, Statement, operation
from privca.store.rows import to_datetime

# Each walks an index from its new end; a row is looked at only where the walk ends.
_a, _o, _z = schema.acme_account.c, schema.acme_order.c, schema.acme_authorization.c
_ACCOUNT = Statement(
    select(_a.created)
    .where(_a.profile_id == bindparam("profile_id"))
    .order_by(_a.created.desc())
    .limit(1)
    .offset(bindparam("newer"))
)
_ORDER = Statement(
    select(_o.created)
    .where(_o.account_id == bindparam("account_id"))
    .order_by(_o.sequence.desc())
    .limit(1)
    .offset(bindparam("newer"))
)
_FAILURE = Statement(
    select(_z.created)
    .where(
        _z.account_id == bindparam("account_id"),
        _z.name == bindparam("name"),
        _z.kind == bindparam("kind"),
        _z.state == "invalid",
    )
    .order_by(_z.created.desc())
    .limit(1)
    .offset(bindparam("newer"))
)


class AcmeNewest:
    """The part of the store that rate limits are decided from."""

    _database: Database

    @operation
    def nth_newest_account(self, profile_id: str, n: int) -> datetime | None:
        """When the ``n``-th newest account of a profile was made; None if there are fewer."""
        return self._created(_ACCOUNT, n, profile_id=profile_id)

    @operation
    def nth_newest_order(self, account_id: str, n: int) -> datetime | None:
        """The same for the orders of an account."""
        return self._created(_ORDER, n, account_id=account_id)

    @operation
    def nth_newest_failure(self, account_id: str, name: Name, n: int) -> datetime | None:
        """The same for the account's authorizations of a name (wildcard or not) that are invalid: few, so that they may be sorted."""
        return self._created(_FAILURE, n, account_id=account_id, name=name.value, kind=name.kind.value)

    def _created(self, statement: Statement, n: int, **values: Any) -> datetime | None:
        row = self._database.one(statement, newer=n - 1, **values)
        return None if row is None else to_datetime(row[0])
