"""Revocation (RFC 8555 section 7.6): by whom, of what, why, and once."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.acme import mutations
from conformance.acme.draft import Draft, Mutation
from conformance.acme.keys import Key, b64

UNAUTHORIZED = (403, "unauthorized")


@pytest.fixture
def issued(lab):
    client = lab.client()
    account = client.register()
    return client, account, lab.enroll(client, account)


def der(enrolled):
    return enrolled.certificates[0].public_bytes(Encoding.DER)


def said(response):
    return response.status, response.error


def test_by_the_account_that_ordered(issued):
    client, account, enrolled = issued
    assert client.send(client.revoke(account, der(enrolled), 4)).status == 200
    assert said(client.send(client.revoke(account, der(enrolled)))) == (400, "alreadyRevoked")


def test_by_the_key_of_the_certificate(issued):
    client, _, enrolled = issued
    assert client.send(client.revoke(enrolled.key, der(enrolled), 1)).status == 200
    assert said(client.send(client.revoke(enrolled.key, der(enrolled)))) == (400, "alreadyRevoked")


@pytest.mark.parametrize("alg", ["ES384", "RS256", "EdDSA"])
def test_by_the_key_of_the_certificate_whatever_its_kind(lab, alg):
    client = lab.client()
    enrolled = lab.enroll(client, client.register(), key=lab.key(alg))
    assert client.send(client.revoke(enrolled.key, der(enrolled))).status == 200


def test_by_an_account_that_is_authorized_for_all_names(lab, issued):
    """RFC 8555 section 7.6; and by one that is authorized for some of them, or was, it is refused."""
    client, account, _ = issued
    first, second = lab.name(), lab.name()
    enrolled = lab.enroll(client, account, [{"type": "dns", "value": first}, {"type": "dns", "value": second}])
    other = client.register()
    assert said(client.send(client.revoke(other, der(enrolled)))) == UNAUTHORIZED
    lab.ready(client, other, names=[first])
    assert said(client.send(client.revoke(other, der(enrolled)))) == UNAUTHORIZED
    _, order = lab.ready(client, other, names=[second])
    client.perform(client.deactivate_authorization(other, order["authorizations"][0]))
    assert said(client.send(client.revoke(other, der(enrolled)))) == UNAUTHORIZED
    lab.ready(client, other, names=[second])
    assert client.send(client.revoke(other, der(enrolled))).status == 200


def test_a_wildcard_is_not_revoked_by_who_is_authorized_for_the_name_alone(lab):
    client = lab.client()
    owner, other = client.register(), client.register()
    name = lab.name()
    enrolled = lab.enroll(client, owner, [{"type": "dns", "value": f"*.{name}"}])
    lab.ready(client, other, names=[name])
    assert said(client.send(client.revoke(other, der(enrolled)))) == UNAUTHORIZED
    lab.ready(client, other, names=[f"*.{name}"])
    assert client.send(client.revoke(other, der(enrolled))).status == 200


def test_an_account_key_in_jwk_is_no_account(issued):
    """Who signs with ``jwk`` claims to hold the certificate's key; an account key there proves nothing (RFC 8555 section 6.2)."""
    client, account, enrolled = issued
    assert said(client.send(client.revoke(account.key, der(enrolled)))) == UNAUTHORIZED
    assert client.send(client.revoke(account, der(enrolled))).status == 200


def test_another_key_is_refused(issued):
    client, account, enrolled = issued
    assert said(client.send(client.revoke(Key.make(), der(enrolled)))) == UNAUTHORIZED
    assert client.send(client.revoke(account, der(enrolled))).status == 200


def test_a_forged_jwk_is_refused(issued):
    """The certificate's public key in ``jwk``, the signature by another key: a server that never verified it was in use."""
    client, account, enrolled = issued
    forged = mutations.signer(Key.make(), "RFC 8555 section 7.6", "not-the-key-in-jwk")
    assert said(client.send(client.revoke(enrolled.key, der(enrolled)), forged)) == (400, "malformed")
    assert client.send(client.revoke(account, der(enrolled))).status == 200


def test_a_kid_that_is_not_signed_is_refused(issued):
    client, account, enrolled = issued
    stranger = client.register()

    def change(draft: Draft) -> None:
        draft.spoil_envelope.append(lambda jws: jws.update(header={"kid": account.url}))

    for unprotected in (
        Mutation("unprotected.kid.too", "RFC 8555 section 6.2", change),
        mutations.unsigned_member("kid", account.url, "RFC 8555 section 6.2"),
    ):
        assert said(client.send(client.revoke(stranger, der(enrolled)), unprotected)) == (400, "malformed")
    assert client.send(client.revoke(account, der(enrolled))).status == 200


def test_both_kid_and_jwk_are_refused(issued):
    client, account, enrolled = issued
    assert said(client.send(client.revoke(account, der(enrolled)), mutations.MUTATIONS["protected.jwk+kid"])) == (
        400,
        "malformed",
    )
    assert client.send(client.revoke(account, der(enrolled))).status == 200


@pytest.mark.parametrize("reason", [-1, 7, 11, 99, 2, 8, 10])
def test_a_reason_that_a_subscriber_cannot_give_is_refused(issued, reason):
    """RFC 5280 section 5.3.1: 7 is not used, 8 is for delta CRLs, 2 and 10 are not a subscriber's to say; the detail lists what may be given."""
    client, account, enrolled = issued
    assert said(client.send(client.revoke(account, der(enrolled), reason))) == (400, "badRevocationReason")
    assert client.send(client.revoke(account, der(enrolled), 4)).status == 200


@pytest.mark.parametrize("reason", ["4", 4.5, True, [4]])
def test_a_reason_is_a_whole_number(issued, reason):
    client, account, enrolled = issued
    spoil = mutations.member("reason", reason, "RFC 8555 section 7.6")
    assert said(client.send(client.revoke(account, der(enrolled)), spoil)) == (400, "malformed")
    assert client.send(client.revoke(account, der(enrolled))).status == 200


def test_a_stranger_does_not_learn_that_it_is_revoked(issued):
    """Who may not revoke is told so, before anything about the certificate."""
    client, account, enrolled = issued
    stranger = client.register()
    assert client.send(client.revoke(account, der(enrolled))).status == 200
    assert said(client.send(client.revoke(stranger, der(enrolled)))) == UNAUTHORIZED
    assert said(client.send(client.revoke(Key.make(), der(enrolled)))) == UNAUTHORIZED


def test_a_certificate_of_another_ca_is_not_ours(issued, lab):
    """The same serial number and names do not make it ours: the very octets count."""
    client, account, enrolled = issued
    key, twin = lab.twin(enrolled.certificates[0])
    for by in (account, key):
        refused = client.send(client.revoke(by, twin))
        assert refused.status in {403, 404}
        assert refused.error in {"unauthorized", "malformed"}
    assert client.send(client.revoke(account, der(enrolled))).status == 200


@pytest.mark.parametrize("value", ["!!!", "", "AAAA", 7, None])
def test_what_is_no_certificate_is_malformed(issued, value):
    client, account, enrolled = issued
    spoil = mutations.member("certificate", value, "RFC 8555 section 7.6")
    assert said(client.send(client.revoke(account, der(enrolled)), spoil)) == (400, "malformed")
    assert client.send(client.revoke(account, der(enrolled))).status == 200


def test_a_padded_certificate_is_malformed(issued):
    client, account, enrolled = issued
    text = b64(der(enrolled))
    spoil = mutations.member("certificate", text + "=" * (-len(text) % 4 or 4), "RFC 8555 section 6.1")
    assert said(client.send(client.revoke(account, der(enrolled)), spoil)) == (400, "malformed")
    assert client.send(client.revoke(account, der(enrolled))).status == 200


def test_a_certificate_of_another_profile(lab, issued):
    """The URL's profile rules what is revoked there: an account of another profile is a stranger."""
    client, account, enrolled = issued
    elsewhere = lab.client(profile=lab.profile(acme={"retry_after": 9}))
    stranger = elsewhere.register()
    refused = elsewhere.send(elsewhere.revoke(stranger, der(enrolled)))
    assert refused.status in {403, 404}
    assert client.send(client.revoke(account, der(enrolled))).status == 200
