"""RFC 8555 section 7.3.4: external account binding."""

from __future__ import annotations

from datetime import timedelta

import pytest


@pytest.fixture
def profile(world):
    return world.profile(authentication=("eab",))


@pytest.fixture
def client(world, profile):
    return world.client(profile, register=False)


@pytest.fixture
def key(world, profile):
    return world.external_key()


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_an_account_is_bound(world, client, key, algorithm):
    binding = client.bind("kid-1", key, alg=algorithm)
    reply = client.register(externalAccountBinding=binding)
    assert reply.status == 201, reply.json
    assert reply.json["externalAccountBinding"] == binding
    assert client.post(client.kid).json["externalAccountBinding"] == binding
    order = client.issue("a.example.test")
    assert order.json["status"] == "valid"
    assert world.door.submissions[0].identity.method == "eab"


def test_it_is_required(client):
    reply = client.register()
    assert (reply.status, reply.type) == (403, "externalAccountRequired")
    assert client.register(onlyReturnExisting=True).type == "accountDoesNotExist"


def test_a_key_binds_one_account(world, client, key):
    assert client.register(externalAccountBinding=client.bind("kid-1", key)).status == 201
    other = world.client(client.profile, register=False)
    reply = other.register(externalAccountBinding=other.bind("kid-1", key))
    assert (reply.status, reply.type) == (403, "unauthorized")


def test_of_two_at_once_one_wins(world, client, key, monkeypatch):
    """The account and the use of the key are one transaction with versions."""
    other = world.client(client.profile, register=False)
    commit, first = world.store.commit, [True]

    async def meanwhile(*records):
        if first.pop() if first else False:
            assert other.register(externalAccountBinding=other.bind("kid-1", key)).status == 201
        await commit(*records)

    monkeypatch.setattr(world.store, "commit", meanwhile)
    reply = client.register(externalAccountBinding=client.bind("kid-1", key))
    assert (reply.status, reply.type) == (403, "unauthorized")


def test_a_refused_registration_leaves_the_key_free(client, key):
    assert client.register(externalAccountBinding=client.bind("kid-1", key), contact=["tel:1"]).type == "unsupportedContact"
    assert client.register(externalAccountBinding=client.bind("kid-1", key)).status == 201


def test_the_account_is_found_again_without_a_binding(client, key):
    client.register(externalAccountBinding=client.bind("kid-1", key))
    assert client.post("new-account", {}, jwk=True).status == 200


def test_an_expired_key(world, client):
    key = world.external_key("old", expires=world.clock.now() + timedelta(hours=1))
    world.clock.advance(timedelta(hours=1))
    assert client.register(externalAccountBinding=client.bind("old", key)).type == "unauthorized"


def test_a_key_of_another_profile(world, client):
    world.profile("other", ("eab",))
    key = world.external_key("theirs", "other")
    assert client.register(externalAccountBinding=client.bind("theirs", key)).type == "unauthorized"


def test_unknown_and_wrong_keys_look_the_same(client, key):
    unknown = client.register(externalAccountBinding=client.bind("nobody", key))
    wrong = client.register(externalAccountBinding=client.bind("kid-1", b"x" * 64))
    assert unknown.json == wrong.json
    assert unknown.type == "unauthorized"


@pytest.mark.parametrize(
    "header",
    [
        {"nonce": "AAAA"},
        {"jwk": {}},
        {"url": "https://elsewhere.test/"},
        {"url": ...},
        {"kid": ...},
        {"kid": 7},
        {"kid": "ä"},
        {"crit": ["x"]},
    ],
)
def test_the_criteria_of_the_protected_header(client, key, header):
    reply = client.register(externalAccountBinding=client.bind("kid-1", key, **header))
    assert (reply.status, reply.type) == (400, "malformed")


def test_another_key_than_the_one_that_signs(client, key, new_key):
    reply = client.register(externalAccountBinding=client.bind("kid-1", key, payload=new_key().jwk))
    assert (reply.status, reply.type) == (400, "malformed")


@pytest.mark.parametrize("payload", ["x", [], {"kty": "EC"}])
def test_a_payload_that_is_no_key(client, key, payload):
    assert client.register(externalAccountBinding=client.bind("kid-1", key, payload=payload)).status == 400


@pytest.mark.parametrize("binding", [7, {}, [], {"protected": "x"}])
def test_what_is_no_jws(client, key, binding):
    assert client.register(externalAccountBinding=binding).type == "malformed"


def test_null_is_none(world, client):
    """Clients that write members without a value as null, as the other members of newAccount may be."""
    assert client.register(externalAccountBinding=None).type == "externalAccountRequired"
    optional = world.client(world.profile("optional", ("account", "eab")), register=False)
    reply = optional.register(contact=None, onlyReturnExisting=None, externalAccountBinding=None)
    assert reply.status == 201
    assert "externalAccountBinding" not in reply.json


def test_a_binding_signed_with_the_account_key_is_none(client, key):
    """Confusing a MAC with a signature would let a public key bind."""
    url = client.url("new-account")
    reply = client.register(
        externalAccountBinding=client.body(url, client.key.jwk, header={"alg": "ES256", "kid": "kid-1", "url": url})
    )
    assert (reply.status, reply.type) == (400, "malformed")


def test_a_binding_that_is_not_verified_is_not_reflected(world):
    client = world.client(world.profile("plain"), register=False)
    reply = client.register(externalAccountBinding=client.bind("x", b"x" * 64))
    assert reply.status == 201
    assert "externalAccountBinding" not in reply.json


def test_no_octet_of_the_key_appears(client, key):
    reply = client.register(externalAccountBinding=client.bind("kid-1", key, url="x"))
    assert key.hex() not in str(reply.exchange)


def test_an_account_that_is_older_than_the_rule_is_told_at_new_order(world):
    client = world.client(world.profile("p"))
    client.profile = world.profile("p", ("eab",))
    reply = client.order("a.example.test")
    assert (reply.status, reply.type) == (403, "externalAccountRequired")


def test_a_bound_account_goes_on_when_binding_is_no_longer_asked_for(world, client, key):
    client.register(externalAccountBinding=client.bind("kid-1", key))
    client.profile = world.profile("web", ("account",))
    assert client.issue("a.example.test").json["status"] == "valid"
