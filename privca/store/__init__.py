"""The store: what was answered survives. SQLAlchemy Core for the schema and the statements, Alembic for migrations, SQLite (WAL) underneath."""

from privca.store.database import StoreError
from privca.store.store import Store

__all__ = ["Store", "StoreError"]
