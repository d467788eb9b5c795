"""ACME records come back as they went in, and change only under the version that was read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from privca.acme.ports import (
    Account,
    AccountStatus,
    Authorization,
    AuthorizationState,
    Challenge,
    ChallengeStatus,
    Conflict,
    ExternalKey,
    Order,
)
from privca.base.names import Name, NameKind
from privca.store import Store
from privca.store.acme import FORGET_AT_ONCE

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
A = Name(NameKind.DNS, "a.test")
B = Name(NameKind.IP, "192.0.2.1")
Run = Callable[[Any], Any]

ACCOUNT = Account(
    "acct", "p", AccountStatus.VALID, "thumb", '{"kty":"EC"}', ("mailto:x@a.test",), "https://a.test/terms", None, None, NOW
)


def authorization(id: str, name: Name = A, **changes: Any) -> Authorization:
    challenge = Challenge("http-01", "token", ChallengeStatus.INVALID, NOW, ('{"type":"dns"}',), 2)
    made = Authorization(id, "acct", "p", name, False, AuthorizationState.PENDING, NOW + timedelta(days=1), (challenge,), NOW)
    return replace(made, **changes)


def order(id: str, *authorizations: str) -> Order:
    return Order(id, "acct", "p", (A, B), authorizations, None, NOW, NOW + timedelta(days=1), NOW)


def test_records_come_back_as_they_went_in(store: Store, run: Run) -> None:
    z1, z2 = authorization("z1"), authorization("z2", B, wildcard=True, next_attempt=NOW)
    o = replace(order("o", "z2", "z1"), csr=b"csr", certificate_id="c", serial=b"\x01", error="{}", next_attempt=NOW)
    run(store.commit(ACCOUNT, z1, z2, o))
    assert run(store.account("p", "acct")) == replace(ACCOUNT, version=1)
    assert run(store.account_by_thumbprint("p", "thumb")) == replace(ACCOUNT, version=1)
    assert run(store.authorization("p", "z1")) == replace(z1, version=1)
    expected = replace(o, version=1)
    assert run(store.order("p", "o")) == expected
    assert run(store.authorizations(expected)) == (replace(z2, version=1), replace(z1, version=1))
    assert run(store.order_by_certificate("p", "c")) == expected
    assert run(store.due_orders(NOW, 10)) == [expected]
    assert run(store.due_authorizations(NOW, 10)) == [replace(z2, version=1)]
    assert run(store.due_orders(NOW - timedelta(seconds=1), 10)) == []


def test_records_belong_to_their_profile(store: Store, run: Run) -> None:
    run(store.commit(ACCOUNT, authorization("z"), replace(order("o", "z"), certificate_id="c")))
    assert run(store.account("q", "acct")) is None
    assert run(store.account_by_thumbprint("q", "thumb")) is None
    assert run(store.authorization("q", "z")) is None
    assert run(store.order("q", "o")) is None
    assert run(store.order_by_certificate("q", "c")) is None


def test_change_under_an_old_version_changes_nothing(store: Store, run: Run) -> None:
    run(store.commit(ACCOUNT, authorization("z")))
    read = run(store.authorization("p", "z"))
    run(store.commit(replace(read, state=AuthorizationState.VALID)))
    account = run(store.account("p", "acct"))
    with pytest.raises(Conflict):
        run(store.commit(replace(account, contact=()), replace(read, state=AuthorizationState.INVALID)))
    assert run(store.account("p", "acct")).contact == ACCOUNT.contact
    assert run(store.authorization("p", "z")).state is AuthorizationState.VALID


def test_one_account_for_a_key_within_a_profile(store: Store, run: Run) -> None:
    run(store.commit(ACCOUNT))
    with pytest.raises(Conflict):
        run(store.commit(replace(ACCOUNT, id="other")))
    run(store.commit(replace(ACCOUNT, id="other", profile_id="q", created=NOW - timedelta(days=1))))
    assert run(store.account_by_thumbprint(None, "thumb")).id == "other"
    assert run(store.account_by_thumbprint(None, "else")) is None
    assert run(store.is_account_key("thumb"))
    assert not run(store.is_account_key("else"))


def test_orders_are_listed_oldest_first_in_pages(store: Store, run: Run) -> None:
    run(store.commit(authorization("z")))
    for n in range(5):
        run(store.commit(order(f"o{n}", "z")))
    page = run(store.orders("acct", None, 2))
    assert [o.id for o, _ in page] == ["o0", "o1"]
    assert [o.id for o, _ in run(store.orders("acct", "o1", 10))] == ["o2", "o3", "o4"]
    assert run(store.orders("acct", "unknown", 10)) == []
    assert run(store.orders("other", "o1", 10)) == []


def test_authorizations_that_can_be_reused(store: Store, run: Run) -> None:
    run(
        store.commit(
            authorization("old", state=AuthorizationState.VALID),
            authorization("new", created=NOW + timedelta(seconds=1)),
            authorization("failed", state=AuthorizationState.INVALID),
            authorization("expired", expires=NOW),
            authorization("wild", wildcard=True),
            authorization("foreign", account_id="x"),
        )
    )
    assert [z.id for z in run(store.authorizations_of("acct", [(A, False)], NOW))] == ["new", "old"]
    assert [z.id for z in run(store.authorizations_of("acct", [(A, True)], NOW))] == ["wild"]
    assert run(store.authorizations_of("acct", [(Name(NameKind.IP, "a.test"), False)], NOW)) == []


def test_nonce_is_spent_once_by_all_connections(open_store: Callable[[], Store], run: Run) -> None:
    one, other = open_store(), open_store()
    assert run(one.spend_nonce("p", b"n", NOW))
    assert not run(one.spend_nonce("p", b"n", NOW))
    assert not run(other.spend_nonce("p", b"n", NOW))


def test_spent_nonces_are_forgotten_in_bounded_steps(store: Store, run: Run) -> None:
    for n in range(FORGET_AT_ONCE + 10):
        run(store.spend_nonce("p", n.to_bytes(4, "big"), NOW))
    run(store.spend_nonce("p", b"late", NOW + timedelta(seconds=1)))
    later = NOW + timedelta(seconds=1)
    run(store.forget_nonces(later))
    count = "SELECT count(*) FROM spent_nonce"
    assert store._database._connection.execute(count).fetchone() == (11,)
    run(store.forget_nonces(later))
    assert not run(store.spend_nonce("p", b"late", later))
    assert run(store.spend_nonce("p", b"\0\0\0\0", NOW))


def test_an_order_of_more_names_than_sqlite_takes_alternatives(store: Store, run: Run) -> None:
    authorizations = [authorization(f"z{n}", Name(NameKind.DNS, f"n{n}.test")) for n in range(1200)]
    made = order("o", *(z.id for z in authorizations))
    run(store.commit(*authorizations, made))
    found = run(store.authorizations(made))
    assert [z.id for z in found] == [z.id for z in authorizations]


def test_a_full_disk_takes_nothing_and_wedges_nothing(store: Store, run: Run) -> None:
    connection = store._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages + 2}")
    records = [authorization(f"z{n}", Name(NameKind.DNS, f"{n}." + "a" * 60 + ".test")) for n in range(500)]
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="full"):
            run(store.commit(*records))
    assert run(store.authorization("p", "z0")) is None
    connection.execute("PRAGMA max_page_count=1000000")
    run(store.commit(*records))
    assert run(store.authorization("p", "z499")) is not None


def test_external_key_is_sealed_and_bound_to_its_identifier(store: Store, run: Run, path: Path) -> None:
    key = ExternalKey("kid", "p", b"a very secret HMAC key", NOW, NOW + timedelta(days=30), None)
    run(store.commit(key))
    stored = run(store.external_key("p", "kid"))
    assert stored == replace(key, version=1)
    assert run(store.external_key(None, "kid")) == stored
    assert run(store.external_key("q", "kid")) is None
    run(store.commit(replace(stored, account_id="acct")))
    assert run(store.external_key("p", "kid")) == replace(stored, account_id="acct", version=2)
    octets = b"".join(file.read_bytes() for file in path.parent.glob("privca.db*"))
    assert b"kid" in octets
    assert b"very secret" not in octets
    store._database._connection.execute("UPDATE external_key SET id = 'else'")
    with pytest.raises(ValueError, match="another context"):
        run(store.external_key("p", "else"))
