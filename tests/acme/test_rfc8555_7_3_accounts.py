"""RFC 8555 sections 7.1.1, 7.1.2 and 7.3 (without 7.3.4 and 7.3.5): directory and accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest


def test_7_1_1_directory(world):
    profile = world.profile(
        terms_of_service="https://ca.example.test/terms", website="https://ca.example.test/", caa_identities=("ca.example.test",)
    )
    client = world.client(profile, register=False)
    reply = client.get("directory")
    assert reply.status == 200
    assert reply.header("content-type") == "application/json"
    members = {
        "newNonce": "new-nonce",
        "newAccount": "new-account",
        "newOrder": "new-order",
        "newAuthz": "new-authz",
        "revokeCert": "revoke-cert",
        "keyChange": "key-change",
        "renewalInfo": "renewal-info",
    }
    meta = {
        "termsOfService": "https://ca.example.test/terms",
        "website": "https://ca.example.test/",
        "caaIdentities": ["ca.example.test"],
    }
    assert reply.json == {name: client.url(tail) for name, tail in members.items()} | {"meta": meta}


def test_7_1_1_external_account_required(world):
    meta = lambda *methods: world.client(world.profile("p" + methods[0], methods), register=False).get("directory").json["meta"]  # noqa: E731
    assert meta("eab") == {"externalAccountRequired": True}
    assert meta("account", "eab") == {}


@pytest.mark.parametrize("options", [{"pre_authorization": False}, {"authorization_reuse": False}])
def test_7_1_1_no_new_authz_without_pre_authorization(world, options):
    client = world.client(world.profile(**options))
    assert "newAuthz" not in client.get("directory").json
    assert client.post("new-authz", {"identifier": {"type": "dns", "value": "a.example.test"}}).status == 404


def test_7_3_a_new_account(world):
    client = world.client(world.profile(), register=False)
    reply = client.register(
        contact=["mailto:admin@example.test"], orders="https://elsewhere.test/", onlyReturnExisting=False, unheard="of"
    )
    assert reply.status == 201
    assert reply.header("location") == client.kid
    assert reply.json == {
        "status": "valid",
        "contact": ["mailto:admin@example.test"],
        "termsOfServiceAgreed": True,
        "orders": client.kid + "/orders",
    }
    assert client.post(client.kid).json == reply.json


def test_7_3_terms_must_be_agreed_to(world):
    client = world.client(world.profile(terms_of_service="https://ca.example.test/terms"), register=False)
    for payload in ({}, {"termsOfServiceAgreed": False}):
        reply = client.post("new-account", payload, jwk=True)
        assert (reply.status, reply.type) == (403, "userActionRequired")
        assert reply.links("terms-of-service") == ["https://ca.example.test/terms"]
        assert reply.json["instance"] == "https://ca.example.test/terms"
    assert client.register(onlyReturnExisting=True).type == "accountDoesNotExist"
    assert client.register().status == 201


@pytest.mark.parametrize(
    ("contact", "type"),
    [
        ("mailto:a@example.test?subject=x", "invalidContact"),
        ("mailto:a@example.test,b@example.test", "invalidContact"),
        ("mailto:a@example.test%2Cb@example.test", "invalidContact"),
        ("mailto:", "invalidContact"),
        ("mailto:nobody", "invalidContact"),
        ("mailto:a@", "invalidContact"),
        ("mailto:a@192.0.2.1", "invalidContact"),
        ("mailto:a@example.test#x", "invalidContact"),
        ("mailto:a?b@example.test", "invalidContact"),
        ("mailto:a#b@example.test", "invalidContact"),
        ("mailto:ä@example.test", "invalidContact"),
        ("a@example.test", "invalidContact"),
        ("", "invalidContact"),
        ("tel:+12025551212", "unsupportedContact"),
        ("https://example.test/", "unsupportedContact"),
    ],
)
def test_7_3_contacts(world, client, contact, type):
    stranger = world.client(client.profile, register=False)
    reply = stranger.register(contact=["mailto:fine@example.test", contact])
    assert (reply.status, reply.type) == (400, type)
    assert stranger.register(onlyReturnExisting=True).type == "accountDoesNotExist"
    assert client.post(client.kid, {"contact": [contact]}).type == type


def test_7_3_too_many_contacts(world):
    client = world.client(world.profile(contacts_maximum=2), register=False)
    assert client.register(contact=[f"mailto:a{n}@example.test" for n in range(3)]).type == "invalidContact"


def test_7_3_mailto_in_other_spellings(client):
    for contact in ("MAILTO:a@example.test", "mailto:a%2Bb@example.test"):
        assert client.post(client.kid, {"contact": [contact]}).json["contact"] == [contact]


def test_7_3_1_a_known_key_finds_its_account(world, client):
    client.post(client.kid, {"contact": ["mailto:a@example.test"]})
    before = client.post(client.kid).json
    for payload in ({}, {"onlyReturnExisting": True}, {"contact": ["mailto:ignored@example.test", "tel:1"]}):
        reply = client.post("new-account", payload, jwk=True)
        assert reply.status == 200
        assert reply.header("location") == client.kid
        assert reply.json == before


@pytest.mark.parametrize(
    "payload",
    [
        {"contact": "x"},
        {"contact": ["tel:1"]},
        {"termsOfServiceAgreed": 1},
        {"onlyReturnExisting": "no"},
        {"externalAccountBinding": 7},
    ],
)
def test_7_3_1_for_a_known_key_any_member_is_ignored(client, payload):
    before = client.post(client.kid).json
    reply = client.post("new-account", payload, jwk=True)
    assert (reply.status, reply.header("location"), reply.json) == (200, client.kid, before)
    assert client.post("new-account", [], jwk=True).type == "malformed"


def test_7_3_1_only_return_existing(world, client):
    stranger = world.client(client.profile, register=False)
    reply = stranger.post("new-account", {"onlyReturnExisting": True}, jwk=True)
    assert (reply.status, reply.type) == (400, "accountDoesNotExist")


def test_7_3_2_update(client):
    reply = client.post(
        client.kid,
        {"contact": ["mailto:a@example.test"], "orders": "x", "termsOfServiceAgreed": False, "status": "valid", "x": 1},
    )
    assert reply.status == 200
    assert reply.json["contact"] == ["mailto:a@example.test"]
    assert reply.json["termsOfServiceAgreed"] is True
    assert reply.json["orders"] == client.kid + "/orders"
    assert client.post(client.kid, {}).json == reply.json
    assert "contact" not in client.post(client.kid, {"contact": []}).json


def test_7_3_2_no_other_account(world, client):
    other = world.client(client.profile)
    for payload in (None, {}, {"status": "deactivated"}):
        assert client.post(other.kid, payload).status == 403
    assert client.post(other.kid + "/orders").status == 403
    assert other.post(other.kid).json["status"] == "valid"


@pytest.mark.parametrize("status", ["revoked", "valid", "Deactivated", ""])
def test_7_3_2_every_other_status_is_ignored(client, status):
    assert client.post(client.kid, {"status": status}).json["status"] == "valid"


def test_7_3_6_deactivation(client):
    order = client.order("a.example.test")
    reply = client.post(client.kid, {"status": "deactivated"})
    assert reply.status == 200
    assert reply.json["status"] == "deactivated"
    for tail, payload in [
        (client.kid, None),
        (client.kid, {}),
        (order.header("location"), None),
        (order.json["authorizations"][0], None),
        ("new-order", {}),
    ]:
        refused = client.post(tail, payload)
        assert (refused.status, refused.type) == (401, "unauthorized")
    for payload in ({}, {"onlyReturnExisting": True}):
        refused = client.post("new-account", payload, jwk=True)
        assert (refused.status, refused.type) == (401, "unauthorized")


def test_7_3_6_only_the_holder_of_the_key_learns_of_a_deactivation(client, new_key):
    client.post(client.kid, {"status": "deactivated"})
    assert client.post(client.kid, None, key=new_key()).type == "malformed"


def test_7_1_2_1_orders_in_pages(world):
    client = world.client(world.profile(orders_per_page=2))
    made = [client.order(f"n{n}.example.test").header("location") for n in range(5)]
    url, found, pages = client.kid + "/orders", [], 0
    while url:
        page = client.post(url)
        assert page.status == 200
        found += page.json["orders"]
        pages += 1
        url = (page.links("next") or [""])[0]
    assert found == made
    assert pages == 3


def test_7_1_2_1_invalid_orders_are_left_out_and_pages_go_on(world):
    client = world.client(world.profile(orders_per_page=1, order_life="1h"))
    client.order("old.example.test")
    world.clock.advance(timedelta(hours=2))
    young = client.order("young.example.test").header("location")
    first = client.post(client.kid + "/orders")
    assert first.json == {"orders": []}
    assert client.post(first.links("next")[0]).json == {"orders": [young]}


@pytest.mark.parametrize("query", ["cursor", "cursor=", "page=1", "cursor=a&b=c"])
def test_7_1_2_1_other_queries_are_404(client, query):
    assert client.post(f"{client.kid}/orders?{query}").status == 404


def test_7_1_2_1_a_cursor_of_somebody_else_shows_nothing(world, client):
    other = world.client(client.profile)
    theirs = other.order("a.example.test").header("location").rpartition("/")[2]
    other.order("b.example.test")
    assert client.post(f"{client.kid}/orders?cursor={theirs}").json == {"orders": []}


def test_an_update_while_the_key_is_changed_is_decided_anew_and_refused(world, client, new_key, monkeypatch):
    """What the old key signed does not overwrite the new key, nor is it carried out for an account that it no longer speaks for."""
    new, url, commit, first = new_key(), client.url("key-change"), world.store.commit, [True]

    async def meanwhile(*records):
        if first:
            first.clear()
            header = {"alg": "ES256", "jwk": new.jwk, "url": url, "nonce": ...}
            change = {"account": client.kid, "oldKey": client.key.jwk}
            assert client.post("key-change", client.body(url, change, key=new, header=header)).status == 200
        await commit(*records)

    monkeypatch.setattr(world.store, "commit", meanwhile)
    reply = client.post(client.kid, {"contact": ["mailto:old@example.test"]})
    assert (reply.status, reply.type) == (401, "unauthorized")
    client.key = new
    assert "contact" not in client.post(client.kid).json


def test_an_update_while_the_account_is_deactivated_does_not_bring_it_back(world, client, monkeypatch):
    commit, first = world.store.commit, [True]

    async def meanwhile(*records):
        if first:
            first.clear()
            assert client.post(client.kid, {"status": "deactivated"}).status == 200
        await commit(*records)

    monkeypatch.setattr(world.store, "commit", meanwhile)
    assert client.post(client.kid, {"contact": []}).status in (200, 401)
    assert client.post(client.kid, {"contact": ["mailto:a@example.test"]}).status == 401


def test_two_addresses_in_one_contact_are_called_that(client):
    for contact in ("mailto:a@example.test,b@example.test", "mailto:a@example.test%2Cb@example.test"):
        assert "one address" in client.post(client.kid, {"contact": [contact]}).json["detail"]


def test_a_key_has_one_account_in_each_profile(world, client):
    other = world.client(world.profile("other"), register=False)
    other.key = client.key
    assert other.post("new-account", {"onlyReturnExisting": True}, jwk=True).type == "accountDoesNotExist"
    assert other.register().status == 201
    assert other.kid != client.kid
    assert client.post("new-account", {}, jwk=True).header("location") == client.kid
