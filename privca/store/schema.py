"""The tables, one definition for SQLite and PostgreSQL.

Times are whole seconds since 1970 (BIGINT), lists and documents are JSON text, octets are BLOB / BYTEA. Tables that are listed in order
of recording have a ``sequence``. Every record that changes has a ``version``: an update names the version that it read.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    column,
)

HEAD = "0008"
"""The revision of ``migrations/versions`` that these tables stand for."""

metadata = MetaData()
# SQLite makes a BIGINT key a second index; only INTEGER PRIMARY KEY is the row's own number.
_Sequence = BigInteger().with_variant(Integer, "sqlite")

profile = Table(
    "profile",
    metadata,
    Column("id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    PrimaryKeyConstraint("id", "revision"),
)

generation = Table(
    "generation",
    metadata,
    Column("authority", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("new_with_old", LargeBinary),
    Column("old_with_new", LargeBinary),
    Column("created", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("authority", "number"),
)

certificate = Table(
    "certificate",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("serial", LargeBinary, nullable=False, unique=True),
    Column("authority", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("profile_id", Text, nullable=False),
    Column("profile_revision", BigInteger, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("names", Text, nullable=False),
    Column("spki_sha256", LargeBinary, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("tbs", LargeBinary, nullable=False),
    Column("der", LargeBinary),
    Column("status", Text, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("reason", Integer),
    Column("revoked_by", Text, nullable=False),
    Column("invalidity_date", BigInteger),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("profile_id", "request_id"),
    Index("certificate_key", "spki_sha256"),
)
# Few certificates are revoked: the CRL reads these rows alone, however many certificates there are.
Index(
    "certificate_revoked",
    certificate.c.authority,
    certificate.c.not_after,
    sqlite_where=column("revoked_at").is_not(None),
    postgresql_where=column("revoked_at").is_not(None),
)

delegate = Table(
    "delegate",
    metadata,
    Column("authority", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("serial", LargeBinary, nullable=False),
    PrimaryKeyConstraint("authority", "purpose", "generation", "number"),
)

revocation_count = Table(
    "revocation_count",
    metadata,
    Column("authority", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

crl = Table(
    "crl",
    metadata,
    Column("authority", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("this_update", BigInteger, nullable=False),
    Column("next_update", BigInteger, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("scope", Text, nullable=False, server_default=""),
    Column("count", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("authority", "number"),
)

crl_base = Table(
    "crl_base",
    metadata,
    Column("authority", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("this_update", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("authority", "generation", "number"),
)

revocation_change = Table(
    "revocation_change",
    metadata,
    Column("authority", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("serial", LargeBinary, nullable=False),
    PrimaryKeyConstraint("authority", "count"),
)

acme_account = Table(
    "acme_account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("profile_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("thumbprint", Text, nullable=False),
    Column("jwk", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("terms", Text),
    Column("external_account", Text),
    Column("external_key_id", Text),
    Column("created", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("thumbprint", "profile_id"),
    Index("acme_account_newest", "profile_id", "created"),
)

acme_authorization = Table(
    "acme_authorization",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("profile_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("wildcard", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("challenges", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("next_attempt", BigInteger),
    Column("version", BigInteger, nullable=False),
    Index("acme_authorization_name", "account_id", "name", "kind", "wildcard"),
)
Index(
    "acme_authorization_due",
    acme_authorization.c.next_attempt,
    sqlite_where=column("next_attempt").is_not(None),
    postgresql_where=column("next_attempt").is_not(None),
)

acme_order = Table(
    "acme_order",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("profile_id", Text, nullable=False),
    Column("names", Text, nullable=False),
    Column("authorization_ids", Text, nullable=False),
    Column("not_before", BigInteger),
    Column("not_after", BigInteger),
    Column("expires", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("csr", LargeBinary),
    Column("certificate_id", Text, unique=True),
    Column("serial", LargeBinary),
    Column("error", Text),
    Column("next_attempt", BigInteger),
    Column("replaces", Text),
    Column("version", BigInteger, nullable=False),
    Index("acme_order_account", "account_id", "sequence"),
)
Index(
    "acme_order_due",
    acme_order.c.next_attempt,
    sqlite_where=column("next_attempt").is_not(None),
    postgresql_where=column("next_attempt").is_not(None),
)

acme_replacement = Table(
    "acme_replacement",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
)

acme_renewal_window = Table(
    "acme_renewal_window",
    metadata,
    Column("id", Text, primary_key=True),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("explanation", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
)

external_key = Table(
    "external_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("profile_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("account_id", Text),
    Column("version", BigInteger, nullable=False),
)

# Keyed by the second in which they expire first, so that rows are appended and forgotten at the ends of the tree, however many there are.
spent_nonce = Table(
    "spent_nonce",
    metadata,
    Column("expires", BigInteger, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("profile_id", Text, nullable=False),
    PrimaryKeyConstraint("expires", "nonce", "profile_id"),
    sqlite_with_rowid=False,
)

code = Table(
    "code",
    metadata,
    Column("profile_id", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("mark", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("lab", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("profile_id", "reference"),
    Index("code_mark", "profile_id", "mark"),
)

passcode = Table(
    "passcode",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("profile_id", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("mark", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("spent", BigInteger),
    Column("request_id", Text, nullable=False),
    Column("revoked", BigInteger),
    UniqueConstraint("profile_id", "mark"),
    Index("passcode_reference", "profile_id", "reference", "sequence"),
)

waiting_request = Table(
    "waiting_request",
    metadata,
    Column("sequence", _Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("profile_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("ra", Integer, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("vendor", LargeBinary, nullable=False),
    Column("renews", LargeBinary, nullable=False),
    Column("info", LargeBinary, nullable=False),
    Column("subject", Text, nullable=False),
    Column("names", Text, nullable=False),
    Column("proven", Text, nullable=False),
    Column("spki_sha256", LargeBinary, nullable=False),
    Column("not_before", BigInteger),
    Column("not_after", BigInteger),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided", BigInteger),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("profile_id", "request_id"),
)

cmp_transaction = Table(
    "cmp_transaction",
    metadata,
    Column("profile_id", Text, nullable=False),
    Column("id", LargeBinary, nullable=False),
    Column("method", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("credential", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    Column("signer", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("body", Integer, nullable=False),
    Column("implicit", Integer, nullable=False),
    Column("parts", LargeBinary, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("ready", BigInteger),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    PrimaryKeyConstraint("profile_id", "id"),
    Index("cmp_transaction_expires", "expires"),
)

archived_key = Table(
    "archived_key",
    metadata,
    Column("serial", LargeBinary, primary_key=True),
    Column("profile_id", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("spki_sha256", LargeBinary, nullable=False),
    Column("subject", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("archived", BigInteger, nullable=False),
    Index("archived_key_identity", "profile_id", "identity"),
    Index("archived_key_spki", "profile_id", "spki_sha256"),
    Index("archived_key_subject", "profile_id", "subject"),
)
