"""Schema migrations by Alembic: one revision a file in ``versions``, applied by :func:`upgrade` in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from privca.store.database import StoreError


class UnknownSchema(StoreError):
    """The database was written by a newer version of this program."""


def scripts() -> ScriptDirectory:
    """The migration scripts of this package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def upgrade(connection: Connection) -> None:
    """Apply what is missing. ``connection`` has a transaction open; it is committed at the end.

    :raises UnknownSchema: if the database is at a revision that these scripts do not know.
    """
    directory = scripts()

    def steps(revision: object, _: object) -> list[object]:
        return directory._upgrade_revs("head", revision)  # type: ignore[arg-type,return-value]

    context = MigrationContext.configure(connection, opts={"fn": steps, "transactional_ddl": True})
    try:
        with Operations.context(context):
            context.run_migrations()
    except CommandError as error:
        raise UnknownSchema(f"the database has a schema that this version does not know: {error}") from None
    connection.commit()
