"""Delegates: certificates that a CA issues to itself for a purpose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delegate",
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("serial", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("authority", "purpose", "generation", "number"),
    )
