"""Replay protection (RFC 8555 sections 6.5 and 7.2), and what clients were caught by."""

from datetime import timedelta

from conformance.acme import mutations
from conformance.acme.client import dns
from conformance.acme.keys import Key
from tests.support.control import paired


def test_a_nonce_is_good_once(lab):
    client = lab.client()
    account = client.register()
    spent = client.nonce()
    draft = client.new_order(account, dns(lab.name()))
    draft.protected["nonce"] = spent
    assert client.send(draft).status == 201
    mutation = mutations.protected("nonce", spent, "RFC 8555 section 6.5", "protected.nonce.reused")
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), mutation, 400, {"badNonce"})
    assert outcome.verdict == "pass", outcome.detail


def test_the_very_same_request_is_refused_the_second_time(lab):
    client = lab.client()
    account = client.register()
    draft = client.new_order(account, dns(lab.name()))
    draft.protected["nonce"] = client.nonce()
    request = draft.request()
    assert client.transport.exchange(request).status == 201
    replayed = client.transport.exchange(request)
    assert (replayed.status, replayed.error) == (400, "badNonce")


def test_a_nonce_is_spent_by_a_request_that_fails(lab):
    """RFC 8555 section 6.5: once a nonce has appeared in a request it is invalid, whatever became of the request."""
    client = lab.client()
    account = client.register()
    nonce = client.nonce()
    draft = client.new_order(account, [])
    draft.protected["nonce"] = nonce
    assert client.send(draft).error == "malformed"
    again = client.new_order(account, dns(lab.name()))
    again.protected["nonce"] = nonce
    assert client.send(again).error == "badNonce"


def test_the_nonce_of_a_bad_nonce_error_is_accepted_in_the_retry(lab):
    client = lab.client()
    account = client.register()
    client.nonce()
    client.forget_nonces()
    draft = client.new_order(account, dns(lab.name()))
    draft.protected["nonce"] = "A" * 43
    refused = client.send(draft)
    assert (refused.status, refused.error) == (400, "badNonce")
    draft.protected["nonce"] = refused.header("Replay-Nonce")
    assert client.send(draft).status == 201


def test_the_nonce_of_any_error_is_accepted(lab):
    client = lab.client()
    account = client.register()
    for spoil in ("http.Content-Type=application/json", "envelope.signature.flipped", "protected.url.other"):
        refused = client.send(client.new_order(account, dns(lab.name())), mutations.MUTATIONS[spoil])
        draft = client.new_order(account, dns(lab.name()))
        draft.protected["nonce"] = refused.header("Replay-Nonce")
        assert client.send(draft).status == 201, spoil


def test_a_nonce_is_not_bound_to_an_account_or_a_resource(lab):
    """RFC 8555 section 6.5: clients MAY assume that nonces have broad scope."""
    client = lab.client()
    one, two = client.register(), client.register()
    response = client.send(client.fetch(one, one.url))
    draft = client.new_order(two, dns(lab.name()))
    draft.protected["nonce"] = response.header("Replay-Nonce")
    assert client.send(draft).status == 201


def test_a_nonce_gets_old(own_lab):
    client = own_lab.client()
    account = client.register()
    nonce = client.nonce()
    own_lab.clock.advance(timedelta(days=1))
    draft = client.new_order(account, dns(own_lab.name()))
    draft.protected["nonce"] = nonce
    refused = client.send(draft)
    assert (refused.status, refused.error) == (400, "badNonce")
    client.forget_nonces()
    assert client.send(client.new_order(account, dns(own_lab.name()))).status == 201


def test_a_nonce_cannot_be_made_by_changing_one(lab):
    client = lab.client()
    account = client.register()
    nonce = client.nonce()
    for position in range(0, len(nonce), 5):
        letter = "A" if nonce[position] != "A" else "B"
        draft = client.new_order(account, dns(lab.name()))
        draft.protected["nonce"] = nonce[:position] + letter + nonce[position + 1 :]
        assert client.send(draft).error in {"badNonce", "malformed"}


def test_new_nonce_by_head_and_get(lab):
    """RFC 8555 section 7.2: 200 for HEAD, 204 without a body for GET, never cached, a fresh nonce each time."""
    client = lab.client()
    url = client.directory["newNonce"]
    head, get = client.get(url, "HEAD"), client.get(url)
    assert (head.status, get.status, get.body) == (200, 204, b"")
    assert all("no-store" in (r.header("Cache-Control") or "") for r in (head, get))
    assert head.header("Replay-Nonce") != get.header("Replay-Nonce")


def test_new_nonce_by_post_as_get(lab):
    """RFC 8555 section 6.3: POST-as-GET is allowed where GET is."""
    client = lab.client()
    account = client.register()
    response = client.send(client.fetch(account, client.directory["newNonce"]))
    assert response.status in {200, 204}
    assert response.header("Replay-Nonce")


def test_a_thousand_nonces_differ(lab):
    client = lab.client()
    url = client.directory["newNonce"]
    nonces = {client.get(url, "HEAD").header("Replay-Nonce") for _ in range(1000)}
    assert len(nonces) == 1000


def test_registration_spends_its_nonce(lab):
    client = lab.client()
    draft = client.new_account(Key.make())
    draft.protected["nonce"] = client.nonce()
    assert client.send(draft).status == 201
    other = client.new_account(Key.make())
    other.protected["nonce"] = draft.protected["nonce"]
    assert client.send(other).error == "badNonce"


def test_a_nonce_is_good_once_in_a_process_that_serves_alone(lab):
    with lab.serving_alone():
        test_a_nonce_is_good_once(lab)
        test_the_very_same_request_is_refused_the_second_time(lab)
        test_a_nonce_is_spent_by_a_request_that_fails(lab)
        test_a_nonce_cannot_be_made_by_changing_one(lab)


def test_a_nonce_of_a_process_that_serves_alone_is_good_in_no_other(lab):
    """Nobody else knows which of its nonces are spent: a client whose nonce is from before a restart retries (RFC 8555 section 6.5)."""
    client = lab.client()
    account = client.register()
    shared = client.nonce()

    def refused_with(nonce):
        draft = client.new_order(account, dns(lab.name()))
        draft.protected["nonce"] = nonce
        reply = client.send(draft)
        assert reply.error == "badNonce", reply.body
        draft.protected["nonce"] = reply.header("Replay-Nonce")
        assert client.send(draft).status == 201

    with lab.serving_alone():
        client.forget_nonces()
        spent = client.nonce()
        refused_with(shared)
        draft = client.new_order(account, dns(lab.name()))
        draft.protected["nonce"] = spent
        assert client.send(draft).status == 201
        with lab.serving_alone():
            refused_with(spent)
    refused_with(spent)
