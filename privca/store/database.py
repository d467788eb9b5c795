"""One connection to a database, statements that are compiled once, and transactions.

Statements are written with SQLAlchemy Core and compiled to SQL a single time; after that they go straight to the driver,
because Core's own execution costs about as much again as SQLite does. SQLite is called in the thread that asks: a statement takes some
ten microseconds, a thread switch more than that.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import ClauseElement, Connection, create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool

from privca.issuance.ports import Conflict
from privca.store import schema

Row = tuple[Any, ...]
Values = Mapping[str, Any]


class Statement:
    """A Core statement as SQL text with named parameters; ``fixed`` are the values that stand in the statement itself."""

    __slots__ = ("fixed", "sql")

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        self.sql = str(compiled)
        self.fixed = {name: value for name, value in (compiled.params or {}).items() if value is not None}

    def values(self, given: Values) -> Values:
        """All values that the statement needs."""
        return {**self.fixed, **given} if self.fixed else given


class StoreError(Exception):
    """The database cannot be used: it is no database, is damaged or locked, or a newer version wrote it. One sentence."""


class Database:
    """A SQLite database file in WAL mode.

    ``durable`` decides what a power cut may take: with True every commit waits for the disk (``synchronous=FULL``); with False the newest
    commits can be lost by a power cut, never by a crash or kill of the process (``NORMAL``). In both the file stays consistent.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        # The file must never have been readable for others, not even between its creation and a chmod; WAL and SHM inherit its mode.
        # O_EXCL: a file that exists is not opened here, because closing it would give up the locks of every connection that this process
        # has to it (fcntl(2)); another process would then take itself for the last one, and delete the WAL.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._connection = sqlite3.connect(
            path, isolation_level=None, timeout=10.0, check_same_thread=False, cached_statements=256
        )
        try:
            for pragma in (
                "journal_mode=WAL",
                f"synchronous={'FULL' if durable else 'NORMAL'}",
                "foreign_keys=ON",
                "temp_store=MEMORY",
                "cache_size=-65536",
                "mmap_size=268435456",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            self._connection.close()
            raise

    def migrate(self) -> None:
        """Bring the schema to :data:`schema.HEAD`. A newer schema than this program knows is an error, never touched."""
        known = self._connection.execute("SELECT name FROM sqlite_master WHERE name='alembic_version'").fetchone()
        revision = self._connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
        if revision is not None and revision[0] == schema.HEAD:
            return
        # Imported only when there is something to migrate: it costs a third of a second of every command otherwise.
        from privca.store import migrations

        engine = create_engine("sqlite://", creator=lambda: self._connection, poolclass=StaticPool)
        with engine.connect() as connection:
            _begin_by_hand(connection)
            migrations.upgrade(connection)

    def close(self) -> None:
        """Close the connection; the last one to close folds the WAL into the file."""
        self._connection.close()

    def atomic(self) -> _Transaction:
        """All statements inside ``with`` are one transaction: all or none are kept, and nobody else writes in between."""
        return _Transaction(self._connection)

    def data_version(self) -> int:
        """A number that changes when another connection, in whichever process, has committed; our own commits do not change it."""
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def one(self, statement: Statement, **values: Any) -> Row | None:
        """The first row, if there is one."""
        row: Row | None = self._connection.execute(statement.sql, statement.values(values)).fetchone()
        return row

    def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """All rows."""
        return self._connection.execute(statement.sql, statement.values(values)).fetchall()

    def change(self, statement: Statement, values: Values) -> int:
        """Insert, update or delete; the number of rows that it touched. :raises Conflict: if a unique key is taken."""
        try:
            return self._connection.execute(statement.sql, statement.values(values)).rowcount
        except sqlite3.IntegrityError as error:
            raise Conflict(str(error)) from None


class _Transaction:
    """A transaction as a context; a generator with ``contextmanager`` takes longer than its statements."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        # SQLite itself refuses a transaction within a transaction.
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:
                self._connection.execute("COMMIT")
        finally:
            # Undone here if the body failed, or the commit did. When the disk is full, SQLite has rolled back already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def _begin_by_hand(connection: Connection) -> None:
    """A migration is one transaction, the version row included: SQLite can roll back DDL, the driver must just not commit in between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


P = ParamSpec("P")
R = TypeVar("R")


class HasDatabase(Protocol):
    """A part of the store: it has the database under it."""

    _database: Database


S = TypeVar("S", bound=HasDatabase)


def operation(
    method: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Make a method that talks to the database at once into the awaitable call that the ports declare.

    The one place that decides in which thread a store call runs: for SQLite, the caller's.
    """

    @wraps(method)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(self, *args, **kwargs)

    return call
