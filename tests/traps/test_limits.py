"""Rate limits and changes of the terms (RFC 8555 sections 6.6 and 7.3.3): refused with all that a client needs to go on."""

from datetime import timedelta

from conformance.acme.client import dns
from conformance.acme.deviations import deviations
from conformance.acme.keys import Key


def owed(client, response):
    return [str(d) for d in deviations(response, directory_url=client.directory_url, new_nonce_url=client.directory["newNonce"])]


def held_back(client, response):
    assert (response.status, response.error) == (429, "rateLimited")
    assert int(response.header("Retry-After")) >= 1
    assert owed(client, response) == []
    return int(response.header("Retry-After"))


def test_orders_are_limited_for_each_account_and_again_allowed(own_lab):
    profile = own_lab.profile(acme={"orders_limit": "3/1h"})
    client = own_lab.client(profile=profile)
    account, other = client.register(), client.register()
    for _ in range(3):
        client.order(account, dns(own_lab.name()))
    after = held_back(client, client.send(client.new_order(account, dns(own_lab.name()))))
    client.order(other, dns(own_lab.name()))
    own_lab.clock.advance(timedelta(seconds=after))
    client.forget_nonces()
    client.order(account, dns(own_lab.name()))


def test_accounts_are_limited(own_lab):
    profile = own_lab.profile(acme={"accounts_limit": "2/1h"})
    client = own_lab.client(profile=profile)
    known = [client.register() for _ in range(2)]
    after = held_back(client, client.send(client.new_account(Key.make())))
    assert client.send(client.new_account(known[0].key, existing=True)).status == 200
    own_lab.clock.advance(timedelta(seconds=after))
    client.forget_nonces()
    client.register()


def test_failures_of_a_name_are_limited(own_lab):
    profile = own_lab.profile(acme={"failures_limit": "2/1h"})
    client = own_lab.client(profile=profile)
    account, name = client.register(), own_lab.name()
    for _ in range(2):
        own_lab.fail(client, account, client.order(account, dns(name))[1]["authorizations"][0])
    held_back(client, client.send(client.new_order(account, dns(name))))
    held_back(client, client.send(client.new_authorization(account, *dns(name))))
    client.order(account, dns(own_lab.name()))


def test_new_terms_must_be_agreed_to(own_lab):
    """RFC 8555 section 7.3.3: 403 userActionRequired with ``instance`` and a Link to the terms, until the account has agreed."""
    before, after = (f"https://ca.example.test/terms/{own_lab.name()}" for _ in range(2))
    profile = own_lab.profile(acme={"terms_of_service": before})
    client = own_lab.client(profile=profile)
    account = client.register()
    client.order(account, dns(own_lab.name()))
    own_lab.amend(profile, terms_of_service=after)
    refused = client.send(client.new_order(account, dns(own_lab.name())))
    assert (refused.status, refused.error) == (403, "userActionRequired")
    assert refused.links("terms-of-service") == [after]
    assert refused.object["instance"]
    assert owed(client, refused) == []
    client.perform(client.update_account(account, termsOfServiceAgreed=True))
    client.order(account, dns(own_lab.name()))
