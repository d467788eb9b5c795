"""Authorizations and challenges (RFC 8555 sections 7.1.4, 7.4.1, 7.5 and 8)."""

import re

import pytest

from conformance.acme import mutations
from conformance.acme.client import dns, ip
from conformance.acme.keys import unb64
from tests.support.control import paired

TOKEN = re.compile(r"[A-Za-z0-9_-]{22,}")


def test_an_authorization_has_every_member_that_clients_rely_on(lab):
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    authorization = client.read(account, order["authorizations"][0])
    assert authorization["status"] == "pending"
    assert authorization["identifier"] == order["identifiers"][0]
    assert "expires" in authorization
    assert authorization["challenges"]
    for challenge in authorization["challenges"]:
        assert challenge["status"] == "pending"
        assert TOKEN.fullmatch(challenge["token"])
        assert len(unb64(challenge["token"])) >= 16
        shown = client.send(client.fetch(account, challenge["url"]))
        assert shown.object == challenge
        assert shown.links("up") == [order["authorizations"][0]]
    urls = [c["url"] for c in authorization["challenges"]]
    assert len(set(urls)) == len(urls)


def test_reading_a_challenge_does_not_start_it(lab):
    """POST-as-GET against ``{}`` (RFC 8555 sections 6.3 and 7.5.1): the first only reads."""
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    challenge = client.read(account, order["authorizations"][0])["challenges"][0]
    for _ in range(2):
        assert client.read(account, challenge["url"])["status"] == "pending"
        lab.settle()
    assert client.read(account, order["authorizations"][0])["status"] == "pending"


def test_fields_of_a_response_that_mean_nothing_are_ignored(lab):
    """RFC 8555 section 7.5.1: older clients send keyAuthorization; it is not looked at."""
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    authorization = client.read(account, order["authorizations"][0])
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    draft = client.respond(account, challenge["url"])
    draft.payload = {"keyAuthorization": "wrong", "resource": "challenge", "type": "http-01"}
    lab.responder.provision(authorization["identifier"], challenge["token"], account.key.key_authorization(challenge["token"]))
    answered = client.send(draft)
    assert answered.status == 200
    assert answered.links("up") == [order["authorizations"][0]]
    lab.settle()
    assert client.read(account, order["authorizations"][0])["status"] == "valid"


@pytest.mark.parametrize("payload", [b"[]", b'""', b"{", b"null"])
def test_a_response_that_is_no_object_is_refused(lab, payload):
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    challenge = client.read(account, order["authorizations"][0])["challenges"][0]
    refused = client.send(client.respond(account, challenge["url"]), mutations.payload(payload, "RFC 8555 section 7.5.1", "x"))
    assert (refused.status, refused.error) == (400, "malformed")
    lab.settle()
    assert client.read(account, challenge["url"])["status"] == "pending"


def test_a_challenge_that_is_met_makes_everything_valid(lab):
    client = lab.client()
    account = client.register()
    url, order = client.order(account, dns(lab.name()))
    lab.prove(client, account, order["authorizations"][0])
    authorization = client.read(account, order["authorizations"][0])
    assert authorization["status"] == "valid"
    assert "expires" in authorization
    met = [c for c in authorization["challenges"] if c["status"] == "valid"]
    assert len(met) == 1
    assert met[0]["validated"]
    assert "error" not in met[0]
    assert client.read(account, url)["status"] == "ready"


def test_a_response_to_a_challenge_that_is_valid_changes_nothing(lab):
    """Clients that lost a reply send it again: 200 or an error, but the authorization stays valid."""
    client = lab.client()
    account = client.register()
    url, order = client.order(account, dns(lab.name()))
    lab.prove(client, account, order["authorizations"][0])
    met = next(c for c in client.read(account, order["authorizations"][0])["challenges"] if c["status"] == "valid")
    again = client.send(client.respond(account, met["url"]))
    assert (again.status, again.object["status"]) == (200, "valid")
    lab.settle()
    assert client.read(account, url)["status"] == "ready"


def test_a_challenge_that_fails_is_final_and_says_why(lab):
    """Challenge, authorization and order become invalid (RFC 8555 section 7.1.6); step-ca leaves them pending for ever."""
    client = lab.client()
    account = client.register()
    url, order = client.order(account, dns(lab.name()))
    lab.fail(client, account, order["authorizations"][0])
    authorization = client.read(account, order["authorizations"][0])
    assert authorization["status"] == "invalid"
    failed = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    assert failed["status"] == "invalid"
    assert failed["error"]["type"] == "urn:ietf:params:acme:error:incorrectResponse"
    assert client.read(account, url)["status"] == "invalid"
    lab.responder.provision(authorization["identifier"], failed["token"], account.key.key_authorization(failed["token"]))
    client.send(client.respond(account, failed["url"]))
    lab.settle()
    assert client.read(account, order["authorizations"][0])["status"] == "invalid"


def test_a_challenge_that_is_retried_says_processing_with_error_and_retry_after(lab):
    """RFC 8555 section 8.2 with EID 5732: an entry in ``error`` for each failed query, Retry-After while there is another to come."""
    client = lab.client(profile=lab.profile(acme={"validation_attempts": 3, "validation_interval": "5s"}))
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    authorization = client.read(account, order["authorizations"][0])
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    client.perform(client.respond(account, challenge["url"]))
    lab.step()
    shown = client.send(client.fetch(account, challenge["url"]))
    assert shown.object["status"] == "processing"
    assert shown.object["error"]["type"].startswith("urn:ietf:params:acme:error:")
    assert int(shown.header("Retry-After")) >= 1
    assert client.read(account, order["authorizations"][0])["status"] == "pending"
    lab.responder.provision(authorization["identifier"], challenge["token"], account.key.key_authorization(challenge["token"]))
    lab.settle()
    assert client.read(account, order["authorizations"][0])["status"] == "valid"


def test_a_client_may_ask_for_a_retry_at_once(lab):
    """RFC 8555 section 8.2: a response that is sent again while the challenge is processing."""
    client = lab.client(profile=lab.profile(acme={"validation_attempts": 3, "validation_interval": "5s"}))
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    authorization = client.read(account, order["authorizations"][0])
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    client.perform(client.respond(account, challenge["url"]))
    lab.step()
    lab.responder.provision(authorization["identifier"], challenge["token"], account.key.key_authorization(challenge["token"]))
    assert client.send(client.respond(account, challenge["url"])).status == 200
    lab.settle()
    assert client.read(account, order["authorizations"][0])["status"] == "valid"


def test_the_key_authorization_of_another_account_is_no_proof(lab):
    """RFC 8555 section 8.1: the response holds the account key's thumbprint."""
    client = lab.client()
    account, attacker = client.register(), client.register()
    _, order = client.order(account, dns(lab.name()))
    authorization = client.read(account, order["authorizations"][0])
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    lab.responder.provision(authorization["identifier"], challenge["token"], attacker.key.key_authorization(challenge["token"]))
    client.perform(client.respond(account, challenge["url"]))
    lab.settle()
    assert client.read(account, order["authorizations"][0])["status"] == "invalid"


def test_a_deactivated_authorization_takes_its_order_with_it(lab):
    """RFC 8555 sections 7.5.2 and 7.1.6: the order is invalid, and the name must be proven anew."""
    client = lab.client()
    account = client.register()
    name = lab.name()
    url, order = lab.ready(client, account, names=[name])
    authorization_url = order["authorizations"][0]
    deactivated = client.perform(client.deactivate_authorization(account, authorization_url))
    assert deactivated.object["status"] == "deactivated"
    assert client.read(account, url)["status"] == "invalid"
    refused = client.send(client.finalize(account, order["finalize"], lab.csr(order["identifiers"])))
    assert (refused.status, refused.error) == (403, "orderNotReady")
    assert client.order(account, dns(name))[1]["status"] == "pending"


@pytest.mark.parametrize("payload", [{"status": "valid"}, {"status": "invalid"}, {"status": 7}, {}])
def test_only_deactivation_can_be_asked_of_an_authorization(lab, payload):
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    url = order["authorizations"][0]
    refused = client.send(client.by_account(account, url, payload))
    assert (refused.status, refused.error) == (400, "malformed")
    assert client.read(account, url)["status"] == "pending"


def test_a_deactivated_authorization_stays_so(lab):
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    url = order["authorizations"][0]
    challenge = client.read(account, url)["challenges"][0]
    client.perform(client.deactivate_authorization(account, url))
    again = client.send(client.deactivate_authorization(account, url))
    assert again.status == 200 or again.error == "malformed"
    client.send(client.respond(account, challenge["url"]))
    lab.settle()
    assert client.read(account, url)["status"] == "deactivated"


def test_pre_authorization(lab):
    """RFC 8555 section 7.4.1, and the order that uses it; EID 5861: asking again finds what is there."""
    client = lab.client()
    account = client.register()
    name = lab.name()
    made = client.send(client.new_authorization(account, *dns(name)))
    assert made.status == 201
    url = made.header("Location")
    assert client.read(account, url) == made.object
    assert made.object["status"] == "pending"
    again = client.send(client.new_authorization(account, *dns(name)))
    assert again.status in {200, 201}
    lab.prove(client, account, url)
    order = client.order(account, dns(name))[1]
    assert order["status"] == "ready"
    assert order["authorizations"] == [url]


REFUSED = {
    "wildcard": (dns("*.example.test")[0], (403, "rejectedIdentifier")),
    "type unknown": ({"type": "email", "value": "a@example.test"}, (403, "unsupportedIdentifier")),
    "dns that is an address": (dns("192.0.2.1")[0], (403, "rejectedIdentifier")),
    "ip not canonical": (ip("2001:DB8::1")[0], (400, "malformed")),
    "no identifier": (None, (400, "malformed")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_pre_authorization_that_cannot_be_is_refused(lab, case):
    """A wildcard above all, which RFC 8555 section 7.4.1 rules out; unwilling to issue for an identifier SHOULD be 403."""
    client = lab.client()
    account = client.register()
    value, (status, error) = REFUSED[case]
    spoil = mutations.member("identifier", value, "RFC 8555 section 7.4.1", case)
    outcome = paired(client, lambda: client.new_authorization(account, dns(lab.name())[0]), spoil, status, {error})
    assert outcome.verdict == "pass", outcome.detail


def test_pre_authorization_can_be_switched_off(lab):
    client = lab.client(profile=lab.profile(acme={"pre_authorization": False}))
    assert "newAuthz" not in client.directory


def test_an_address_is_proven_by_http_and_tls_alone(lab):
    """RFC 8738 section 4: dns-01 proves no address."""
    client = lab.client()
    account = client.register()
    _, order = client.order(account, ip("192.0.2.7", "2001:db8::7"))
    for url in order["authorizations"]:
        authorization = client.read(account, url)
        assert authorization["identifier"]["type"] == "ip"
        assert {c["type"] for c in authorization["challenges"]} == {"http-01", "tls-alpn-01"}


def test_a_challenge_that_is_not_offered_is_not_there(lab):
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(f"*.{lab.name()}"))
    challenge = client.read(account, order["authorizations"][0])["challenges"][0]
    for kind in ("http-01", "tls-alpn-01", "nothing-01", ""):
        for draft in (client.fetch, client.respond):
            refused = client.send(draft(account, challenge["url"].removesuffix("dns-01") + kind))
            assert (refused.status, refused.error) == (404, "malformed")
    assert client.read(account, challenge["url"])["status"] == "pending"


def test_an_identifier_that_no_challenge_can_prove_is_refused_at_once(lab):
    """An authorization without challenges is one that a client can only stare at."""
    client = lab.client(profile=lab.profile(acme={"challenges": ("http-01",)}))
    account = client.register()
    assert client.send(client.new_order(account, dns(lab.name()))).status == 201
    for draft in (
        client.new_order(account, dns(f"*.{lab.name()}")),
        client.new_order(account, dns(lab.name(), f"*.{lab.name()}")),
    ):
        refused = client.send(draft)
        assert (refused.status, refused.error) == (403, "rejectedIdentifier")


def test_one_challenge_at_a_time(lab):
    """While one is being validated another is refused, and the first goes on."""
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    authorization = client.read(account, order["authorizations"][0])
    first, second = (next(c for c in authorization["challenges"] if c["type"] == kind) for kind in ("http-01", "dns-01"))
    lab.responder.provision(authorization["identifier"], first["token"], account.key.key_authorization(first["token"]))
    client.perform(client.respond(account, first["url"]))
    refused = client.send(client.respond(account, second["url"]))
    assert (refused.status, refused.error) == (400, "malformed")
    lab.settle()
    assert client.read(account, order["authorizations"][0])["status"] == "valid"


def test_nothing_is_validated_for_an_account_that_is_gone(lab):
    """RFC 8555 section 7.3.6: pending operations are cancelled."""
    client = lab.client()
    account = client.register()
    _, order = client.order(account, dns(lab.name()))
    authorization = client.read(account, order["authorizations"][0])
    challenge = next(c for c in authorization["challenges"] if c["type"] == "http-01")
    lab.responder.provision(authorization["identifier"], challenge["token"], account.key.key_authorization(challenge["token"]))
    client.perform(client.respond(account, challenge["url"]))
    client.perform(client.update_account(account, status="deactivated"))
    lab.settle()
    assert lab.state_of(order["authorizations"][0]) != "valid"
