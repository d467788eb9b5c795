"""RFC 8555 section 6.6: rate limits, in windows that slide."""

from __future__ import annotations

from datetime import timedelta

import pytest

SECTION = "RFC 8555 section 6.6"


def limited(reply, seconds):
    assert (reply.status, reply.type) == (429, "rateLimited")
    assert reply.header("retry-after") == str(seconds)
    assert SECTION in reply.json["detail"]
    return True


def test_new_orders_of_an_account(world):
    client = world.client(world.profile(orders_limit="2/1h"))
    assert client.order("a.example.test").status == 201
    world.clock.advance(timedelta(minutes=20))
    assert client.order("b.example.test").status == 201
    assert limited(client.order("c.example.test"), 40 * 60)
    assert world.scalar("SELECT count(*) FROM acme_order") == 2
    assert world.client(client.profile).order("c.example.test").status == 201, "the limit is the account's"
    world.clock.advance(timedelta(minutes=40, seconds=-1))
    assert limited(client.order("c.example.test"), 1)
    world.clock.advance(timedelta(seconds=1))
    assert client.order("c.example.test").status == 201, "exactly when Retry-After said"
    assert limited(client.order("d.example.test"), 20 * 60), "the window slides: the second order counts on"


def test_new_accounts_of_a_profile(world):
    profile = world.profile(accounts_limit="1/1d")
    known = world.client(profile)
    stranger = world.client(profile, register=False)
    assert limited(stranger.register(), 86400)
    assert known.register().status == 200, "an account is found, none is made"
    assert stranger.register(onlyReturnExisting=True).type == "accountDoesNotExist"
    assert world.client(world.profile("other", accounts_limit="1/1d")).kid
    world.clock.advance(timedelta(days=1))
    assert stranger.register().status == 201


@pytest.fixture
def failing(world):
    """A client, one of whose names failed once."""
    client = world.client(world.profile(failures_limit="1/1h", orders_limit="9/1d", validation_attempts=1))
    order = client.order("bad.example.test")
    url = order.json["authorizations"][0]
    client.post(client.challenge(url)["url"], {})
    world.background.run()
    assert client.post(url).json["status"] == "invalid"
    return client


def test_failed_validations_of_a_name(world, failing):
    world.clock.advance(timedelta(minutes=1))
    reply = failing.order("good.example.test", "bad.example.test")
    assert limited(reply, 59 * 60)
    assert [p["identifier"]["value"] for p in reply.json["subproblems"]] == ["bad.example.test"]
    assert limited(failing.order("*.bad.example.test"), 59 * 60)
    identifier = {"identifier": {"type": "dns", "value": "bad.example.test"}}
    assert limited(failing.post("new-authz", identifier), 59 * 60)
    for _ in range(2):
        assert failing.order("good.example.test").status == 201, "what has not failed does not count"
    assert world.client(failing.profile).order("bad.example.test").status == 201, "the limit is the account's"
    world.clock.advance(timedelta(minutes=59))
    assert failing.order("bad.example.test").status == 201


def test_a_name_that_is_proven_already_is_not_limited(world, failing):
    world.clock.advance(timedelta(hours=1))
    ready = failing.ready("bad.example.test")
    world.drive(world.store.commit(*spoiled(world, ready)))
    assert failing.order("bad.example.test").status == 201, "no validation would be needed"


def spoiled(world, order):
    """A failed authorization of the same name beside the valid one."""
    from msgspec.structs import replace

    from privca.acme.ports import AuthorizationState

    valid = world.stored(order.json["authorizations"][0])
    return [replace(valid, id="spoiled", state=AuthorizationState.INVALID, version=0)]


def test_retry_after_is_when_all_limits_let_it_pass(world, failing):
    for n in range(8):
        assert failing.order(f"n{n}.example.test").status == 201
    assert limited(failing.order("good.example.test"), 86400)
    assert limited(failing.order("bad.example.test"), 86400), "the hour of the failure is over before"


def test_the_documentation_is_linked(world):
    client = world.client(world.profile(orders_limit="1/1h", website="https://ca.example.test/limits"))
    client.order("a.example.test")
    assert client.order("b.example.test").links("help") == ["https://ca.example.test/limits"]
    other = world.client(world.profile("plain", orders_limit="1/1h"))
    other.order("a.example.test")
    assert other.order("b.example.test").links("help") == []


def test_a_limit_walks_an_index(world):
    plans = {
        "SELECT created FROM acme_order WHERE account_id = 'a' ORDER BY sequence DESC LIMIT 1 OFFSET 299": "acme_order_account",
        "SELECT created FROM acme_account WHERE profile_id = 'a' ORDER BY created DESC LIMIT 1 OFFSET 299": "acme_account_newest",
    }
    for sql, index in plans.items():
        rows = world.store._database._connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
        assert len(rows) == 1, rows
        assert index in rows[0][3], rows
