"""The path without a profile ID: one directory for all profiles, where the external account key or the account chooses."""

from __future__ import annotations

import pytest

ORIGIN = "https://ca.example.test:8443"
FRONT = ORIGIN + "/certificate-authority/api/v1/acme"


@pytest.fixture
def default(world):
    return world.profile("default")


@pytest.fixture
def bound(world, default):
    """A client that registered with a key of another profile than the default one."""
    world.profile("devices", ("eab",), order_life="1d")
    key = world.external_key("kid-1", "devices")
    client = world.client(default, register=False, shared=True)
    reply = client.register(externalAccountBinding=client.bind("kid-1", key))
    assert reply.status == 201, reply.json
    return client


def test_the_directory_lists_resources_beside_it(world, default):
    client = world.client(default, register=False, shared=True)
    listed = client.get("directory").json
    assert {url.rpartition("/")[0] for name, url in listed.items() if name != "meta"} == {FRONT}
    assert client.get("new-nonce").links("index") == [FRONT + "/directory"]


def test_without_a_key_it_is_the_default_profile(world, default):
    client = world.client(default, shared=True)
    assert client.kid.startswith(f"{ORIGIN}/acme/default/acct/")
    assert client.issue("a.example.test").json["certificate"].startswith(f"{ORIGIN}/acme/default/cert/")


def test_the_key_chooses_the_profile(world, bound):
    assert bound.kid.startswith(f"{ORIGIN}/acme/devices/acct/")
    order = bound.order("a.example.test")
    assert order.header("location").startswith(f"{ORIGIN}/acme/devices/order/")
    assert order.json["expires"] == "2026-01-03T03:04:05Z"  # the order life of the account's profile
    done = bound.issue("b.example.test")
    assert done.json["certificate"].startswith(f"{ORIGIN}/acme/devices/cert/")
    assert world.scalar("SELECT profile_id FROM certificate WHERE protocol = 'acme'") == "devices"


def test_nonces_go_both_ways(bound):
    there = bound.post(bound.kid).header("replay-nonce")
    back = bound.post("new-order", {"identifiers": [{"type": "dns", "value": "a.example.test"}]}, nonce=there)
    assert back.status == 201
    again = bound.post(bound.kid, None, nonce=back.header("replay-nonce"))
    assert again.status == 200
    assert bound.post(bound.kid, None, nonce=back.header("replay-nonce")).type == "badNonce"


def test_a_shared_nonce_is_spent_once_over_all_profiles(world, default, bound):
    other = world.client(default, shared=True)
    nonce = bound.fresh()
    assert bound.post(bound.kid, None, nonce=nonce).status == 200
    assert other.post(other.kid, None, nonce=nonce).type == "badNonce"


def test_the_account_is_found_by_its_key_alone(bound):
    reply = bound.post("new-account", {"onlyReturnExisting": True}, jwk=True)
    assert (reply.status, reply.header("location")) == (200, bound.kid)


def test_the_terms_of_the_chosen_profile_count(world, default):
    world.profile("strict", ("eab",), terms_of_service="https://ca.example.test/terms")
    key = world.external_key("kid-2", "strict")
    client = world.client(default, register=False, shared=True)
    binding = client.bind("kid-2", key)
    assert client.post("new-account", {"externalAccountBinding": binding}, jwk=True).type == "userActionRequired"
    assert client.register(externalAccountBinding=binding).status == 201


def test_a_key_of_a_disabled_profile_binds_nothing(world, default):
    world.profile("gone", ("eab",), enabled=False)
    key = world.external_key("kid-3", "gone")
    client = world.client(default, register=False, shared=True)
    reply = client.register(externalAccountBinding=client.bind("kid-3", key))
    assert (reply.status, reply.type) == (403, "unauthorized")


def test_an_account_of_a_disabled_profile_is_unknown(world, bound):
    world.profile("devices", ("eab",), enabled=False)
    assert bound.order("a.example.test").type == "accountDoesNotExist"
    assert bound.post("new-account", {"onlyReturnExisting": True}, jwk=True).type == "accountDoesNotExist"


def test_key_change_and_revocation(world, bound, new_key):
    done = bound.issue("a.example.test")
    new = new_key()
    url = bound.url("key-change")
    header = {"alg": "ES256", "jwk": new.jwk, "url": url, "nonce": ...}
    reply = bound.post("key-change", bound.body(url, {"account": bound.kid, "oldKey": bound.key.jwk}, key=new, header=header))
    assert (reply.status, reply.header("location")) == (200, bound.kid)
    bound.key = new
    from base64 import urlsafe_b64encode

    der = urlsafe_b64encode(bound.certificate(done)).rstrip(b"=").decode()
    assert bound.post("revoke-cert", {"certificate": der}).status == 200


@pytest.mark.parametrize(
    "kid", ["/acme/nowhere/acct/x", "/acme//acct/x", "/acme/devices/acct/", "/acme/devices/acct/x/y", "/acme/devices/order/x"]
)
def test_account_urls_that_are_none(bound, kid):
    url = bound.url("new-order")
    assert bound.raw(url, bound.body(url, {}, kid=ORIGIN + kid)).type == "accountDoesNotExist"


def test_one_account_does_not_become_another_by_its_profile(world, default, bound):
    """The account ID in the kid is looked up in the profile of the kid."""
    url = bound.url("new-order")
    assert bound.raw(url, bound.body(url, {}, kid=bound.kid.replace("/devices/", "/default/"))).type == "accountDoesNotExist"


def test_below_a_profile_an_account_of_another_is_unknown(world, default, bound):
    direct = world.client(default)
    url = direct.url("new-order")
    assert direct.raw(url, direct.body(url, {}, key=bound.key, kid=bound.kid)).type == "accountDoesNotExist"
