"""External account binding (RFC 8555 section 7.3.4): five checks, each between controls."""

from datetime import timedelta

import pytest

from conformance.acme import mutations
from conformance.acme.draft import inner
from conformance.acme.keys import Key, MacKey
from tests.support.control import paired


@pytest.fixture
def bound(lab):
    """A client of a profile that asks for a binding, and a control that registers with a fresh key each time."""
    profile = lab.profile(authentication=("eab",))
    client = lab.client(profile=profile)

    def control(alg="HS256"):
        kid, hmac_key = lab.external_key(profile)
        return client.new_account(Key.make(), binding=MacKey(kid, hmac_key, alg))

    return client, control


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_binding_of_each_algorithm_is_accepted_and_shown(bound, alg):
    client, control = bound
    assert client.directory["meta"]["externalAccountRequired"] is True
    draft = control(alg)
    response = client.send(draft)
    assert response.status == 201
    assert response.object["externalAccountBinding"] == draft.payload["externalAccountBinding"].envelope()


def test_a_missing_binding_is_refused(bound):
    client, control = bound
    spoil = mutations.without_member("externalAccountBinding", "RFC 8555 section 7.3.4")
    outcome = paired(client, control, spoil, 403, {"externalAccountRequired"})
    assert outcome.verdict == "pass", outcome.detail


UNAUTHORIZED = (403, "unauthorized")
MALFORMED = (400, "malformed")
INNER = [
    (mutations.protected("kid", "nobody", "RFC 8555 section 7.3.4", "kid.unknown"), UNAUTHORIZED),
    (mutations.without("kid", "RFC 8555 section 7.3.4"), MALFORMED),
    (mutations.protected("nonce", "A" * 43, "RFC 8555 section 7.3.4", "nonce.present"), MALFORMED),
    (mutations.protected("url", "https://ca.example.test/other", "RFC 8555 section 7.3.4", "url.other"), MALFORMED),
    (mutations.without("url", "RFC 8555 section 7.3.4"), MALFORMED),
    (mutations.protected("alg", "ES256", "RFC 8555 section 7.3.4", "alg=ES256"), MALFORMED),
    (mutations.protected("alg", "none", "RFC 8555 section 7.3.4", "alg=none"), MALFORMED),
    (mutations.MUTATIONS["envelope.signature.flipped"], UNAUTHORIZED),
    (mutations.signer(MacKey("any", "A" * 43), "RFC 8555 section 7.3.4", "other-mac-key"), UNAUTHORIZED),
    (mutations.payload(Key.make().jwk(), "RFC 8555 section 7.3.4", "other-account-key"), MALFORMED),
    (mutations.payload({}, "RFC 8555 section 7.3.4", "no-key"), (400, "badPublicKey")),
    (mutations.MUTATIONS["envelope.header.present"], MALFORMED),
    (mutations.MUTATIONS["protected.crit.unknown"], MALFORMED),
]


@pytest.mark.parametrize(("mutation", "expected"), INNER, ids=lambda v: getattr(v, "name", ""))
def test_a_spoilt_binding_is_refused(bound, mutation, expected):
    client, control = bound
    status, error = expected
    outcome = paired(client, control, inner(mutation), status, {error})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("value", ["x", [], 7, {}])
def test_a_binding_that_is_no_jws_is_refused(bound, value):
    client, control = bound
    spoil = mutations.member("externalAccountBinding", value, "RFC 8555 section 7.3.4")
    outcome = paired(client, control, spoil, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_a_key_binds_one_account(lab):
    profile = lab.profile(authentication=("eab",))
    client = lab.client(profile=profile)
    kid, hmac_key = lab.external_key(profile)
    assert client.send(client.new_account(Key.make(), binding=MacKey(kid, hmac_key))).status == 201
    again = client.send(client.new_account(Key.make(), binding=MacKey(kid, hmac_key)))
    assert (again.status, again.error) == (403, "unauthorized")


def test_a_key_of_another_profile_does_not_bind(lab):
    here, there = lab.profile(authentication=("eab",)), lab.profile(authentication=("eab",), acme={"retry_after": 4})
    client = lab.client(profile=here)
    kid, hmac_key = lab.external_key(there)
    refused = client.send(client.new_account(Key.make(), binding=MacKey(kid, hmac_key)))
    assert (refused.status, refused.error) == (403, "unauthorized")


def test_a_refused_registration_does_not_spend_the_key(lab):
    profile = lab.profile(authentication=("eab",))
    client = lab.client(profile=profile)
    kid, hmac_key = lab.external_key(profile)
    draft = client.new_account(Key.make(), binding=MacKey(kid, hmac_key))
    refused = client.send(draft, mutations.member("contact", ["tel:1"], "RFC 8555 section 7.3"))
    assert refused.error == "unsupportedContact"
    assert client.send(draft).status == 201


def test_a_binding_that_is_not_asked_for_is_not_shown(lab):
    """RFC 8555 section 7.3.4: a binding that is not verified MUST NOT be reflected."""
    client = lab.client()
    response = client.send(client.new_account(Key.make(), binding=MacKey("nobody", "A" * 43)))
    assert response.status == 201
    assert "externalAccountBinding" not in response.object


def test_an_expired_key_does_not_bind(own_lab):
    profile = own_lab.profile(authentication=("eab",))
    client = own_lab.client(profile=profile)
    kid, hmac_key = own_lab.external_key(profile, ttl=timedelta(days=1))
    own_lab.clock.advance(timedelta(days=2))
    client.forget_nonces()
    refused = client.send(client.new_account(Key.make(), binding=MacKey(kid, hmac_key)))
    assert (refused.status, refused.error) == (403, "unauthorized")
