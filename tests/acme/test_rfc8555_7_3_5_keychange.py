"""RFC 8555 section 7.3.5: account key rollover."""

from __future__ import annotations

import pytest


@pytest.fixture
def roll(client, new_key):
    """A keyChange to ``key``; the keyword arguments spoil it."""

    def send(key=None, *, inner=(), payload=None, outer_key=None, signer=None):
        key = key or new_key()
        url = client.url("key-change")
        header = {"alg": "ES256", "jwk": key.jwk, "url": url, "nonce": ...} | dict(inner)
        change = {"account": client.kid, "oldKey": client.key.jwk} if payload is None else payload
        body = client.body(url, change, key=signer or key, header=header)
        return client.post("key-change", body, key=outer_key)

    return send


def test_the_key_is_replaced_and_nothing_else(client, roll, new_key):
    order = client.ready("a.example.test")
    before, old, new = client.post(client.kid).json, client.key, new_key()
    reply = roll(new)
    assert reply.status == 200, reply.json
    assert reply.json == before
    assert client.post(client.kid).type == "malformed"  # the old key no longer signs
    client.key = new
    assert client.post(client.kid).json == before
    assert client.post("new-account", {"onlyReturnExisting": True}, jwk=True).header("location") == client.kid
    assert client.finalize(order, "a.example.test").json["status"] == "valid"
    client.key = old
    assert client.post("new-account", {"onlyReturnExisting": True}, jwk=True).type == "accountDoesNotExist"


def test_a_key_that_has_an_account_is_409_with_its_url(world, client, roll):
    other = world.client(client.profile)
    reply = roll(other.key)
    assert reply.status == 409
    assert reply.header("location") == other.kid
    assert client.post(client.kid).status == 200
    assert roll(client.key).header("location") == client.kid


def test_a_key_that_gets_an_account_meanwhile_is_409(world, client, roll, monkeypatch):
    other = world.client(client.profile, register=False)
    commit, first = world.store.commit, [True]

    async def meanwhile(*records):
        if first:
            first.clear()
            assert other.register().status == 201
        await commit(*records)

    monkeypatch.setattr(world.store, "commit", meanwhile)
    reply = roll(other.key)
    assert reply.status == 409
    assert reply.header("location") == other.kid


def test_a_deactivated_account_keeps_its_key(world, client, roll):
    other = world.client(client.profile)
    other.post(other.kid, {"status": "deactivated"})
    assert roll(other.key).status == 409


@pytest.mark.parametrize(
    "inner",
    [{"nonce": "AAAA"}, {"jwk": ...}, {"kid": "x"}, {"url": "https://elsewhere.test/"}, {"url": ...}, {"alg": ...}, {"crit": []}],
)
def test_the_inner_header(client, roll, inner):
    reply = roll(inner=inner)
    assert (reply.status, reply.type) == (400, "malformed")
    assert client.post(client.kid).status == 200


@pytest.mark.parametrize(
    "payload", [{}, {"account": "x"}, [], b"x", {"account": 7, "oldKey": {}}, {"account": "x", "oldKey": "y"}]
)
def test_the_inner_payload(client, roll, payload):
    assert roll(payload=payload).status == 400


def test_the_inner_signature(client, roll, new_key):
    """The new key's holder must agree."""
    assert roll(signer=client.key).type == "malformed"
    assert roll(signer=new_key()).type == "malformed"
    assert client.post(client.kid).status == 200


def test_the_outer_signature(client, roll, new_key):
    key = new_key()
    assert roll(key, outer_key=key).type == "malformed"


def test_the_account_is_the_one_that_signs(world, client, roll):
    other = world.client(client.profile)
    reply = roll(payload={"account": other.kid, "oldKey": client.key.jwk})
    assert (reply.status, reply.type) == (400, "malformed")


def test_old_key_is_the_key_of_the_account(client, roll, new_key):
    reply = roll(payload={"account": client.kid, "oldKey": new_key().jwk})
    assert (reply.status, reply.type) == (400, "malformed")
    assert client.post(client.kid).status == 200


@pytest.mark.parametrize("payload", [b"x", {}, []])
def test_the_outer_payload_is_a_jws(client, payload):
    assert client.post("key-change", payload).type == "malformed"


def test_validation_goes_on_with_the_new_key(world, client, roll, new_key):
    order = client.order("a.example.test")
    challenge = client.challenge(order.json["authorizations"][0])
    new = new_key()
    assert roll(new).status == 200
    client.key = new
    client.serve(challenge, "a.example.test")
    client.post(challenge["url"], {})
    world.background.run()
    assert client.post(order.header("location")).json["status"] == "ready"
