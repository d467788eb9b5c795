"""The schema: migrations lead to exactly the tables that the statements are written for."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from stat import S_IMODE

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from privca.store import Store, schema
from privca.store.database import Database
from privca.store.migrations import UnknownSchema, scripts


def test_migrations_and_tables_agree(store: Store, path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    finally:
        engine.dispose()


def test_head_is_the_newest_revision() -> None:
    assert scripts().get_heads() == [schema.HEAD]


def test_wal_and_integrity(store: Store, path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_durable_waits_for_the_disk(path: Path, durable: bool, level: int) -> None:
    database = Database(path, durable=durable)
    try:
        assert database._connection.execute("PRAGMA synchronous").fetchone() == (level,)
    finally:
        database.close()


def test_files_are_for_the_owner_alone(store: Store, path: Path) -> None:
    for file in path.parent.glob("privca.db*"):
        assert S_IMODE(file.stat().st_mode) == 0o600, file


def test_newer_schema_is_refused_and_left_alone(store: Store, path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    database = Database(path, durable=False)
    try:
        with pytest.raises(UnknownSchema):
            database.migrate()
    finally:
        database.close()
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    connection.close()


def test_failed_migration_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    made = []
    create = op.create_table

    def create_three(name: str, *columns: object, **options: object) -> object:
        if len(made) == 3:
            raise sqlite3.OperationalError("disk full")
        made.append(name)
        return create(name, *columns, **options)

    monkeypatch.setattr(op, "create_table", create_three)
    database = Database(path, durable=False)
    try:
        with pytest.raises(sqlite3.OperationalError):
            database.migrate()
    finally:
        database.close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
