"""Key rollover (RFC 8555 section 7.3.5): what servers advertise and get wrong most."""

import pytest

from conformance.acme import mutations
from conformance.acme.client import Account, dns
from conformance.acme.draft import Draft, Mutation, inner
from conformance.acme.keys import Key
from tests.support.control import paired


class Rolling:
    """A control that can be sent again and again: each time, the account's key becomes a new one once the server has said yes."""

    def __init__(self, client, account):
        self.client = client
        self.account = account
        self.next = Key.make()

    def draft(self):
        held = self.client.send(self.client.new_account(self.next, existing=True)).status == 200
        if held:
            self.account = Account(self.account.url, self.next)
            self.next = Key.make()
        return self.client.change_key(self.account, self.next)


def test_a_key_is_changed_and_the_account_keeps_its_things(lab):
    client = lab.client()
    account = client.register()
    order_url, _ = lab.ready(client, account)
    new = Account(account.url, Key.make())
    changed = client.send(client.change_key(account, new.key))
    assert changed.status == 200
    assert client.read(new, order_url)["status"] == "ready"
    refused = client.send(client.fetch(account, order_url))
    assert (refused.status, refused.error) == (400, "malformed")
    assert client.send(client.new_account(account.key, existing=True)).error == "accountDoesNotExist"
    assert client.send(client.new_account(new.key, existing=True)).header("Location") == account.url


INNER = [
    (mutations.protected("nonce", "A" * 43, "RFC 8555 section 7.3.5", "nonce.present"), "malformed"),
    (mutations.protected("url", "https://ca.example.test/other", "RFC 8555 section 7.3.5", "url.other"), "malformed"),
    (mutations.without("url", "RFC 8555 section 7.3.5"), "malformed"),
    (mutations.without("jwk", "RFC 8555 section 7.3.5"), "malformed"),
    (mutations.protected("kid", "https://ca.example.test/acct/1", "RFC 8555 section 6.2", "kid.too"), "malformed"),
    (mutations.protected("alg", "HS256", "RFC 8555 section 6.2", "alg=HS256"), "badSignatureAlgorithm"),
    (mutations.MUTATIONS["envelope.signature.flipped"], "malformed"),
    (mutations.MUTATIONS["envelope.header.present"], "malformed"),
    (mutations.MUTATIONS["protected.crit.unknown"], "malformed"),
    (mutations.MUTATIONS["envelope.protected.padded"], "malformed"),
    (mutations.signer(Key.make(), "RFC 8555 section 7.3.5", "other-key"), "malformed"),
    (mutations.without_member("account", "RFC 8555 section 7.3.5"), "malformed"),
    (mutations.without_member("oldKey", "RFC 8555 section 7.3.5"), "malformed"),
    (mutations.member("account", "https://ca.example.test/acct/1", "RFC 8555 section 7.3.5", "account.other"), "malformed"),
    (mutations.member("oldKey", Key.make().jwk(), "RFC 8555 section 7.3.5", "oldKey.other"), "malformed"),
    (mutations.key(Key.make("RS256", rsa_bits=1024), "RFC 8555 section 6.2", "rsa-1024"), "badPublicKey"),
]


@pytest.mark.parametrize(("mutation", "error"), INNER, ids=lambda v: getattr(v, "name", ""))
def test_a_spoilt_inner_jws_is_refused(lab, mutation, error):
    client = lab.client()
    rolling = Rolling(client, client.register())
    outcome = paired(client, rolling.draft, inner(mutation), 400, {error})
    assert outcome.verdict == "pass", outcome.detail


def test_the_account_in_the_inner_jws_must_be_the_one_that_signs(lab):
    client = lab.client()
    rolling, other = Rolling(client, client.register()), client.register()
    mutation = inner(mutations.member("account", other.url, "RFC 8555 section 7.3.5", "account.of-another"))
    outcome = paired(client, rolling.draft, mutation, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize(
    "payload", [{}, None, {"protected": "", "payload": "", "signature": ""}], ids=["empty", "none", "hollow"]
)
def test_a_payload_that_is_no_jws_is_refused(lab, payload):
    client = lab.client()
    rolling = Rolling(client, client.register())
    outcome = paired(client, rolling.draft, mutations.payload(payload, "RFC 8555 section 7.3.5", "no-jws"), 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_a_key_that_has_an_account_is_a_conflict(lab):
    """409 with the Location of the account that has it; nothing is changed on either side."""
    client = lab.client()
    account, other = client.register(), client.register()
    rolling = Rolling(client, account)

    def conflict(draft: Draft) -> None:
        mutations.key(other.key, "RFC 8555 section 7.3.5", "in-use").change(draft.payload)

    outcome = paired(client, rolling.draft, Mutation("inner.key.in-use", "RFC 8555 section 7.3.5", conflict), 409, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail
    assert outcome.refused.header("Location") == other.url
    assert client.read(other, other.url)["status"] == "valid"
    assert client.order(other, dns(lab.name()))


def test_a_key_cannot_be_changed_to_itself(lab):
    client = lab.client()
    account = client.register()
    refused = client.send(client.change_key(account, account.key))
    assert refused.status == 409
    assert refused.header("Location") == account.url
    assert client.read(account, account.url)["status"] == "valid"
