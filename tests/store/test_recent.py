"""Records that are at hand are what a read would find: nothing that anybody else has written is ever missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
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
from privca.issuance.ports import Certificate, CertificateStatus
from privca.store import Store, recent

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAME = Name(NameKind.DNS, "a.test")
CERTIFICATE = Certificate(
    serial=b"\1",
    authority="ca",
    generation=1,
    profile_id="p",
    profile_revision=3,
    protocol="acme",
    request_id="o",
    identity="acme:a",
    subject="CN=a.test",
    names=(NAME,),
    spki_sha256=b"h" * 32,
    not_before=NOW,
    not_after=NOW + timedelta(days=90),
    tbs=b"tbs",
    der=None,
    status=CertificateStatus.PREPARED,
    recorded=NOW,
)
Run = Callable[[Any], Any]


def account(id: str) -> Account:
    return Account(id, "p", AccountStatus.VALID, f"thumbprint of {id}", "{}", ("mailto:x@a.test",), None, None, None, NOW)


def authorization(id: str) -> Authorization:
    challenge = Challenge("http-01", "token", ChallengeStatus.INVALID, NOW, ('{"type":"dns"}',), 2)
    return Authorization(id, "a", "p", NAME, False, AuthorizationState.PENDING, NOW + timedelta(days=1), (challenge,), NOW)


def order(id: str, *authorizations: str) -> Order:
    return Order(id, "a", "p", (NAME,), authorizations, None, NOW, NOW + timedelta(days=1), NOW)


@pytest.fixture
def stores(open_store: Callable[[], Store]) -> tuple[Store, Store]:
    """Two processes' stores over one database."""
    return open_store(), open_store()


def test_what_was_committed_is_at_hand_as_it_is_stored(stores: tuple[Store, Store], run: Run) -> None:
    ours, theirs = stores
    asked = order("o", "z", "y")
    run(ours.commit(account("a"), authorization("z"), authorization("y"), asked))
    run(ours.account("p", "a"))  # the first look, behind which what is kept counts
    run(ours.commit(replace(asked, version=1, csr=b"csr", next_attempt=NOW)))
    run(ours.commit(replace(asked, version=2, csr=b"csr", certificate_id="c", serial=b"\1")))
    run(ours.commit(replace(authorization("z"), version=1, state=AuthorizationState.VALID)))
    for name, id in (("order", "o"), ("authorization", "z"), ("account", "a")):
        assert run(getattr(ours, name)("p", id)) == run(getattr(theirs, name)("p", id)) is not None
        assert run(getattr(ours, name)("other", id)) is None
    stored = run(theirs.order("p", "o"))
    assert run(ours.order_by_certificate("p", "c")) == run(theirs.order_by_certificate("p", "c")) == stored
    assert run(ours.order_by_certificate("other", "c")) is None
    assert stored is not None
    assert run(ours.authorizations(stored)) == run(theirs.authorizations(stored))


def test_a_certificate_is_at_hand_as_it_is_stored(stores: tuple[Store, Store], run: Run) -> None:
    ours, theirs = stores
    assert run(ours.certificate_by_serial(b"\1")) is None
    run(ours.add_certificate(CERTIFICATE))
    record = run(ours.certificate_by_serial(b"\1"))
    assert record is not None
    for n, status in enumerate((CertificateStatus.ISSUED, CertificateStatus.REVOKED)):
        run(ours.update_certificate(replace(record, version=n + 1, der=b"der", status=status)))
        stored = run(theirs.certificate_by_serial(b"\1"))
        assert run(ours.certificate_by_serial(b"\1")) == stored
        assert stored is not None
        assert stored.status is status


def test_what_another_connection_commits_is_seen_at_once(stores: tuple[Store, Store], run: Run) -> None:
    ours, theirs = stores
    run(ours.commit(account("a")))
    for n, status in enumerate((AccountStatus.DEACTIVATED, AccountStatus.REVOKED)):
        read = run(ours.account("p", "a"))
        assert run(ours.account("p", "a")) is read is not None
        run(theirs.commit(replace(account("a"), version=n + 1, status=status)))
        again = run(ours.account("p", "a"))
        assert again is not None
        assert again.status is status


def test_what_was_rolled_back_is_not_kept(store: Store, run: Run) -> None:
    run(store.commit(account("a")))
    known = run(store.account("p", "a"))
    with pytest.raises(Conflict):
        run(store.commit(order("o"), replace(account("a"), version=7, status=AccountStatus.REVOKED)))
    assert run(store.order("p", "o")) is None
    assert run(store.account("p", "a")) == known


def test_keys_that_are_secret_are_not_kept(store: Store, run: Run) -> None:
    key = ExternalKey("k", "p", b"secret", NOW, NOW + timedelta(days=1), None)
    run(store.commit(key))
    assert all(kind in (Account, Order) for kind, _ in store._recent._records)


def test_so_many_are_kept_and_no_more(store: Store, run: Run) -> None:
    for n in range(recent.KEPT + 10):
        run(store.commit(account(f"a{n}")))
    assert len(store._recent._records) == recent.KEPT
    assert run(store.account("p", "a0")) is not None
