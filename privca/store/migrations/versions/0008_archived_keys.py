"""Private keys that can be recovered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archived_key",
        sa.Column("serial", sa.LargeBinary, primary_key=True),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("spki_sha256", sa.LargeBinary, nullable=False),
        sa.Column("subject", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("archived", sa.BigInteger, nullable=False),
    )
    op.create_index("archived_key_identity", "archived_key", ["profile_id", "identity"])
    op.create_index("archived_key_spki", "archived_key", ["profile_id", "spki_sha256"])
    op.create_index("archived_key_subject", "archived_key", ["profile_id", "subject"])
