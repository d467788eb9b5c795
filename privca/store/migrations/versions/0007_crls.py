"""CRLs of several scopes, and what delta CRLs count from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("crl", sa.Column("scope", sa.Text, nullable=False, server_default=""))
    op.add_column("crl", sa.Column("count", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "crl_base",
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("this_update", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("authority", "generation", "number"),
    )
    op.create_table(
        "revocation_change",
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("serial", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("authority", "count"),
    )
