"""The first schema: profiles, CAs, certificates, CRLs, ACME."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "profile",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", "revision"),
    )
    op.create_table(
        "generation",
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("new_with_old", sa.LargeBinary),
        sa.Column("old_with_new", sa.LargeBinary),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("authority", "number"),
    )
    op.create_table(
        "certificate",
        sa.Column("sequence", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("serial", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.Column("profile_revision", sa.BigInteger, nullable=False),
        sa.Column("protocol", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("spki_sha256", sa.LargeBinary, nullable=False),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("tbs", sa.LargeBinary, nullable=False),
        sa.Column("der", sa.LargeBinary),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("recorded", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("reason", sa.Integer),
        sa.Column("revoked_by", sa.Text, nullable=False),
        sa.Column("invalidity_date", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("profile_id", "request_id"),
    )
    revoked = sa.text("revoked_at IS NOT NULL")
    op.create_index(
        "certificate_revoked",
        "certificate",
        ["authority", "not_after"],
        sqlite_where=revoked,
        postgresql_where=revoked,
    )
    op.create_table(
        "revocation_count",
        sa.Column("authority", sa.Text, primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "crl",
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("this_update", sa.BigInteger, nullable=False),
        sa.Column("next_update", sa.BigInteger, nullable=False),
        sa.Column("der", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("authority", "number"),
    )
    op.create_table(
        "acme_account",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("thumbprint", sa.Text, nullable=False),
        sa.Column("jwk", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("terms", sa.Text),
        sa.Column("external_account", sa.Text),
        sa.Column("external_key_id", sa.Text),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("thumbprint", "profile_id"),
    )
    op.create_index("acme_account_newest", "acme_account", ["profile_id", "created"])
    due = sa.text("next_attempt IS NOT NULL")
    op.create_table(
        "acme_authorization",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("wildcard", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("challenges", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("next_attempt", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("acme_authorization_name", "acme_authorization", ["account_id", "name", "kind", "wildcard"])
    op.create_index("acme_authorization_due", "acme_authorization", ["next_attempt"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "acme_order",
        sa.Column("sequence", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("authorization_ids", sa.Text, nullable=False),
        sa.Column("not_before", sa.BigInteger),
        sa.Column("not_after", sa.BigInteger),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("csr", sa.LargeBinary),
        sa.Column("certificate_id", sa.Text, unique=True),
        sa.Column("serial", sa.LargeBinary),
        sa.Column("error", sa.Text),
        sa.Column("next_attempt", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("acme_order_account", "acme_order", ["account_id", "sequence"])
    op.create_index("acme_order_due", "acme_order", ["next_attempt"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "external_key",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger),
        sa.Column("account_id", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "spent_nonce",
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("profile_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("expires", "nonce", "profile_id"),
        sqlite_with_rowid=False,
    )
