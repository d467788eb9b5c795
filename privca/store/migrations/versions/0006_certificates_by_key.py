"""Certificates are found by their key: a CMP client may revoke by it."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("certificate_key", "certificate", ["spki_sha256"])
