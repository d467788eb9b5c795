"""What a request costs in database statements: growth here is growth of every issuance."""

from __future__ import annotations

import pytest


@pytest.fixture
def statements(world):
    """Count the statements of an action."""

    def count(action):
        seen = []
        world.store._database._connection.set_trace_callback(seen.append)
        try:
            action()
        finally:
            world.store._database._connection.set_trace_callback(None)
        return len([one for one in seen if not one.startswith(("BEGIN", "COMMIT"))])

    return count


def test_statements_of_an_issuance(world, statements):
    client = world.client(world.profile("p", ("open",)))
    client.issue("first.example.test")  # caches are warm then
    replies = {}

    def keep(name, action):
        def run():
            replies[name] = action()

        return run

    # Each spends its nonce and reads its account; then:
    assert (
        statements(keep("order", lambda: client.order("a.example.test"))) <= 2 + 3
    )  # look for an authorization, add two records
    url = replies["order"].json["authorizations"][0]
    assert statements(keep("authorization", lambda: client.post(url))) <= 2 + 1
    challenge = replies["authorization"].json["challenges"][0]["url"]
    assert statements(lambda: client.post(challenge, {})) <= 2 + 2
    # Order and authorization, whose key it is, claim, certificate prepared and signed, outcome.
    assert statements(keep("done", lambda: client.finalize(replies["order"], "a.example.test"))) <= 2 + 7
    # An order that has its certificate no longer rests on its authorizations.
    assert statements(lambda: client.post(replies["order"].header("location"))) <= 2 + 1
    assert replies["done"].status == 200, replies["done"].json
    assert statements(lambda: client.post(replies["done"].json["certificate"])) <= 2 + 2


def test_a_limit_costs_one_statement_and_none_costs_nothing(world, statements):
    for id, options, more in (("free", {}, 0), ("limited", {"orders_limit": "300/3h", "accounts_limit": "10/1h"}, 1)):
        client = world.client(world.profile(id, ("open",), **options))
        client.issue("first.example.test")
        assert statements(lambda client=client: client.order("a.example.test")) == 2 + 3 + more


def test_junk_costs_no_more_than_its_nonce(client, statements):
    """Nothing is written or looked up for what is refused by its form."""
    assert statements(lambda: client.raw(client.kid, b"{}")) == 0
    assert statements(lambda: client.raw(client.kid, b"{}", content_type="text/plain")) == 0
    assert statements(lambda: client.get("nothing")) == 0
    assert statements(lambda: client.post(client.kid, None, nonce="AAAA")) == 0
    assert statements(lambda: client.post(client.kid, None, url="x")) == 1
    assert statements(lambda: client.post(client.kid, None, kid="x")) == 1
