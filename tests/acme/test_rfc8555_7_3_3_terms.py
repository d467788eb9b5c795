"""RFC 8555 section 7.3.3: changes of the terms of service."""

from __future__ import annotations

import pytest

OLD, NEW = "https://ca.example.test/terms/1", "https://ca.example.test/terms/2"
AGREED = {"termsOfServiceAgreed": True}
PRE_AUTHORIZATION = {"identifier": {"type": "dns", "value": "a.example.test"}}


@pytest.fixture
def client(world):
    """A client that agreed to the old terms, under the new ones."""
    client = world.client(world.profile(terms_of_service=OLD))
    assert client.order("a.example.test").status == 201
    client.profile = world.profile(terms_of_service=NEW)
    return client


def refused(client):
    replies = [client.order("a.example.test"), client.post("new-authz", PRE_AUTHORIZATION)]
    for reply in replies:
        if reply.status in (200, 201):
            continue
        assert (reply.status, reply.type) == (403, "userActionRequired")
        assert reply.links("terms-of-service") == [NEW]
        assert reply.json["instance"] == NEW
        assert "RFC 8555 section 7.3.3" in reply.json["detail"]
    decisions = {reply.status == 403 for reply in replies}
    assert len(decisions) == 1
    return decisions.pop()


def test_new_terms_have_to_be_agreed_to(client):
    assert refused(client)
    reply = client.post(client.kid, AGREED)
    assert reply.status == 200
    assert reply.json["termsOfServiceAgreed"] is True
    assert reply.exchange.decision.clause == "RFC 8555 section 7.3.3"
    assert not refused(client)


def test_what_else_the_account_does_goes_on(client):
    assert client.post(client.kid, {"contact": ["mailto:a@example.test"]}).status == 200
    assert client.post(f"{client.kid}/orders").status == 200
    assert client.register().status == 200
    assert client.post(client.kid, {"status": "deactivated"}).status == 200


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"termsOfServiceAgreed": False},
        {"termsOfServiceAgreed": "true"},
        {"termsOfServiceAgreed": 1},
        {"termsOfServiceAgreed": None},
        {"termsofserviceagreed": True},
        AGREED | {"contact": ["mailto:a@example.test"]},
        AGREED | {"status": "valid"},
    ],
    ids=str,
)
def test_7_3_2_nothing_but_agreement_is_agreement(client, update):
    """Some clients send back the whole object with other contacts: that is no agreement to what it never spoke of."""
    assert client.post(client.kid, update).status == 200
    assert refused(client)


def test_7_3_1_a_new_account_for_a_known_key_agrees_to_nothing(client):
    before = client.post(client.kid).json
    reply = client.post("new-account", AGREED, jwk=True)
    assert (reply.status, reply.json) == (200, before)
    assert refused(client)


def test_terms_that_came_later(world):
    client = world.client(world.profile(), register=False)
    client.register(termsOfServiceAgreed=False)
    assert "termsOfServiceAgreed" not in client.post(client.kid, AGREED).json, "there was nothing to agree to"
    client.profile = world.profile(terms_of_service=NEW)
    assert refused(client)
    assert client.post(client.kid, AGREED).json["termsOfServiceAgreed"] is True
    assert not refused(client)


def test_an_agreement_when_there_were_no_terms_is_none_to_these(world):
    client = world.client(world.profile())
    client.profile = world.profile(terms_of_service=NEW)
    assert refused(client)


def test_terms_that_went_away_bind_nobody(world, client):
    client.profile = world.profile()
    assert client.order("a.example.test").status == 201
    assert client.post(client.kid).json["termsOfServiceAgreed"] is True
