"""Accounts (RFC 8555 sections 7.1.2 and 7.3): found by key, updated, deactivated, and seen by nobody else."""

import itertools

import pytest

from conformance.acme import mutations
from conformance.acme.client import Account, dns
from conformance.acme.keys import Key
from tests.support.control import paired

CONTACT = "mailto:admin@example.test"


def test_a_key_finds_its_account_and_the_fields_of_the_request_are_ignored(lab):
    """RFC 8555 section 7.3.1."""
    client = lab.client()
    created = client.send(client.new_account(Key.make(), contact=[CONTACT]))
    assert created.status == 201
    key = lab.key("ES256")
    account = client.register(key, contact=[CONTACT])
    found = client.send(client.new_account(key, contact=["mailto:other@example.test"]))
    assert (found.status, found.header("Location")) == (200, account.url)
    assert found.object["contact"] == [CONTACT]
    assert client.read(account, account.url)["contact"] == [CONTACT]


def test_only_return_existing(lab):
    client = lab.client()
    account = client.register()
    known = client.send(client.new_account(account.key, existing=True))
    assert (known.status, known.header("Location")) == (200, account.url)
    assert "onlyReturnExisting" not in known.object
    stranger = Key.make()
    for contact in ([], [CONTACT]):
        refused = client.send(client.new_account(stranger, existing=True, contact=contact))
        assert (refused.status, refused.error) == (400, "accountDoesNotExist")
    assert client.send(client.new_account(stranger)).status == 201


def test_unknown_members_and_orders_are_not_taken_over(lab):
    """RFC 8555 section 7.3: ``orders``, ``status`` and unknown fields of a client's account object are ignored, and not reflected."""
    client = lab.client()
    draft = client.new_account(Key.make())
    draft.payload.update(orders="https://example.test/mine", status="deactivated", nickname="x", onlyReturnExisting=False)
    response = client.send(draft)
    assert response.status == 201
    assert response.object["status"] == "valid"
    assert response.object["orders"].startswith(client.directory_url.removesuffix("directory"))
    assert not {"nickname", "onlyReturnExisting"} & set(response.object)


@pytest.mark.parametrize(
    ("contact", "error"),
    [
        ("tel:+12025551212", "unsupportedContact"),
        ("https://example.test/", "unsupportedContact"),
        ("mailto:admin@example.test?subject=x", "invalidContact"),
        ("mailto:admin@example.test,other@example.test", "invalidContact"),
        ("mailto:", "invalidContact"),
        ("mailto:nobody", "invalidContact"),
        ("mailto:a@b@example.test", "invalidContact"),
    ],
)
def test_a_contact_that_cannot_be_used_is_refused(lab, contact, error):
    """RFC 8555 section 7.3; RFC 6068 hfields and more than one address are invalid."""
    client = lab.client()
    account = client.register()
    spoil = mutations.member("contact", [contact], "RFC 8555 section 7.3")
    for control in (
        lambda: client.new_account(Key.make(), contact=[CONTACT]),
        lambda: client.update_account(account, contact=[CONTACT]),
    ):
        outcome = paired(client, control, spoil, 400, {error})
        assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("contact", [CONTACT, 7, {"mailto": "x"}, [7]])
def test_contact_is_an_array_of_strings(lab, contact):
    client = lab.client()
    spoil = mutations.member("contact", contact, "RFC 8555 section 7.1.2")
    outcome = paired(client, lambda: client.new_account(Key.make(), contact=[CONTACT]), spoil, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_terms_must_be_agreed_to(lab):
    """RFC 8555 section 7.3: with termsOfService in the directory, no account without termsOfServiceAgreed true."""
    client = lab.client(profile=lab.profile(acme={"terms_of_service": "https://ca.example.test/terms"}))
    assert client.directory["meta"]["termsOfService"] == "https://ca.example.test/terms"
    for spoil in (
        mutations.without_member("termsOfServiceAgreed", "RFC 8555 section 7.3"),
        mutations.member("termsOfServiceAgreed", False, "RFC 8555 section 7.3"),
    ):
        outcome = paired(client, lambda: client.new_account(Key.make()), spoil, 403, {"userActionRequired"})
        assert outcome.verdict == "pass", outcome.detail
        assert outcome.refused.links("terms-of-service") == ["https://ca.example.test/terms"]
    outcome = paired(
        client,
        lambda: client.new_account(Key.make()),
        mutations.member("termsOfServiceAgreed", "true", "RFC 8555 section 7.1.2"),
        400,
        {"malformed"},
    )
    assert outcome.verdict == "pass", outcome.detail


def test_an_account_is_read_by_post_as_get_and_not_changed_by_it(lab):
    """Some clients send POST-as-GET and servers have read it as an update, or as deactivation."""
    client = lab.client()
    account = client.register(contact=[CONTACT])
    for _ in range(2):
        assert client.read(account, account.url) == {
            "status": "valid",
            "contact": [CONTACT],
            "orders": client.read(account, account.url)["orders"],
            "termsOfServiceAgreed": True,
        }
    assert client.send(client.update_account(account)).status == 200
    assert client.read(account, account.url)["contact"] == [CONTACT]


def test_contacts_are_updated_and_removed(lab):
    client = lab.client()
    account = client.register(contact=[CONTACT])
    changed = client.perform(client.update_account(account, contact=["mailto:new@example.test"]))
    assert changed.object["contact"] == ["mailto:new@example.test"]
    emptied = client.perform(client.update_account(account, contact=[]))
    assert not emptied.object.get("contact")


@pytest.mark.parametrize(
    "field", [{"status": "revoked"}, {"status": "valid"}, {"termsOfServiceAgreed": False}, {"orders": "x"}, {"nickname": "x"}]
)
def test_fields_that_a_client_does_not_rule_are_left_alone(lab, field):
    """RFC 8555 section 7.3.2: updates to anything but contact and deactivation MUST be ignored."""
    client = lab.client()
    account = client.register(contact=[CONTACT])
    before = client.read(account, account.url)
    assert client.send(client.update_account(account, **field)).object == before
    assert client.read(account, account.url) == before


def test_a_deactivated_account_is_refused_everywhere(lab):
    """RFC 8555 section 7.3.6: 401, unauthorized, for every POST; its key included."""
    client = lab.client()
    account = client.register()
    order_url, _ = client.order(account, dns(lab.name()))
    deactivated = client.perform(client.update_account(account, status="deactivated"))
    assert deactivated.object["status"] == "deactivated"
    for draft in (
        client.fetch(account, account.url),
        client.fetch(account, order_url),
        client.new_order(account, dns(lab.name())),
        client.update_account(account, status="valid"),
        client.change_key(account, Key.make()),
        client.new_account(account.key),
        client.new_account(account.key, existing=True),
    ):
        refused = client.send(draft)
        assert (refused.status, refused.error) == (401, "unauthorized"), draft.url


def test_nobody_sees_or_touches_the_things_of_another_account(lab):
    """Order, authorization, challenge, certificate, account, list of orders: each is refused to a stranger and open to its owner."""
    client = lab.client()
    owner, stranger = client.register(), client.register()
    enrolled = lab.enroll(client, owner)
    order = client.read(owner, enrolled.order_url)
    authorization_url = order["authorizations"][0]
    challenge_url = client.read(owner, authorization_url)["challenges"][0]["url"]
    orders_url = client.read(owner, owner.url)["orders"]
    ready_url, ready = lab.ready(client, owner)
    for url in (owner.url, orders_url, enrolled.order_url, authorization_url, challenge_url, order["certificate"], ready_url):
        assert client.send(client.fetch(owner, url)).status == 200, url
        refused = client.send(client.fetch(stranger, url))
        assert (refused.status, refused.error) == (403, "unauthorized"), url
    changes = [
        client.update_account(Account(stranger.url, stranger.key), contact=[CONTACT]),
        client.deactivate_authorization(stranger, authorization_url),
        client.respond(stranger, challenge_url),
        client.finalize(stranger, ready["finalize"], lab.csr(ready["identifiers"])),
    ]
    changes[0].url = changes[0].protected["url"] = owner.url
    for draft in changes:
        refused = client.send(draft)
        assert (refused.status, refused.error) == (403, "unauthorized"), draft.url
    assert client.read(owner, authorization_url)["status"] == "valid"
    assert client.read(owner, ready_url)["status"] == "ready"


def test_the_list_of_orders_is_whole_and_paged(lab):
    """RFC 8555 section 7.1.2.1: every order once, next pages by Link."""
    client = lab.client(profile=lab.profile(acme={"orders_per_page": 3}))
    account = client.register()
    made = [client.order(account, dns(lab.name()))[0] for _ in range(7)]
    url = client.read(account, account.url)["orders"]
    pages = []
    while url:
        response = client.perform(client.fetch(account, url))
        pages.append(response.object["orders"])
        url = next(iter(response.links("next")), "")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(itertools.chain(*pages)) == sorted(made)


def test_too_many_contacts_are_refused(lab):
    client = lab.client(profile=lab.profile(acme={"contacts_maximum": 2}))
    contacts = [f"mailto:c{number}@example.test" for number in range(3)]
    assert client.send(client.new_account(Key.make(), contact=contacts[:2])).status == 201
    refused = client.send(client.new_account(Key.make(), contact=contacts))
    assert (refused.status, refused.error) == (400, "invalidContact")


@pytest.mark.parametrize("query", ["?cursor=nothing", "?cursor=", "?page=2", "?cursor=a&b"])
def test_a_page_of_orders_that_is_not_there(lab, query):
    client = lab.client()
    account = client.register()
    client.order(account, dns(lab.name()))
    url = client.read(account, account.url)["orders"]
    response = client.send(client.fetch(account, url + query))
    if query == "?cursor=nothing":
        # Wherever a cursor points, nothing of anybody else is there.
        assert response.error or set(response.object["orders"]) <= set(client.read(account, url)["orders"])
    else:
        assert (response.status, response.error) == (404, "malformed")
