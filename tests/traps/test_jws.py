"""Every way in which a JWS or the HTTP request around it can be wrong, each between two controls (RFC 8555 sections 6.1 to 6.5).

The requests that are spoilt: newOrder, signed by an account (``kid``), and newAccount, signed by a key (``jwk``).
"""

import itertools

import pytest

from conformance.acme import mutations
from conformance.acme.client import Account, dns
from conformance.acme.draft import Draft, Mutation
from conformance.acme.keys import Key, b64, unb64
from conformance.acme.mutations import MUTATIONS
from tests.support.control import paired

# What each mutation must be refused with. 403 unauthorized is what RFC 8555 section 6.4 asks for a url that does not match, 415 and 405 are from
# sections 6.2 and 6.3; a message that is not what section 6.2 describes is malformed.
MALFORMED = (400, "malformed")
EXPECTED = {
    "http.Content-Type=application/json": (415, "malformed"),
    "http.Content-Type=None": (415, "malformed"),
    "protected.jwk+kid": MALFORMED,
    "protected.jwk+kid.absent": MALFORMED,
    "protected.crit.unknown": MALFORMED,
    "protected.crit=[]": MALFORMED,
    "protected.b64=false": MALFORMED,
    "protected.alg.absent": MALFORMED,
    "protected.alg='none'": (400, "badSignatureAlgorithm"),
    "protected.alg='HS256'": (400, "badSignatureAlgorithm"),
    "protected.alg='PS256'": (400, "badSignatureAlgorithm"),
    "protected.alg.other-curve": (400, "badPublicKey"),
    "envelope.header.empty": MALFORMED,
    "envelope.header.present": MALFORMED,
    "envelope.signatures.too": MALFORMED,
    "http.general-serialization": MALFORMED,
    "http.compact-serialization": MALFORMED,
    "http.payload-detached": MALFORMED,
    "http.array": MALFORMED,
    "http.empty": MALFORMED,
    "http.cut": MALFORMED,
    "http.member-twice": MALFORMED,
    "http.not-utf8": MALFORMED,
    "protected.member-twice": MALFORMED,
    "envelope.signature.flipped": MALFORMED,
    "envelope.signature.empty": MALFORMED,
    "envelope.signature.der": MALFORMED,
    "envelope.signature.too-long": MALFORMED,
    "envelope.signature.absent": MALFORMED,
    "envelope.payload.changed": MALFORMED,
    "envelope.protected.padded": MALFORMED,
    "envelope.signature.padded": MALFORMED,
    "envelope.signature.loose-bits": MALFORMED,
    "envelope.signature.white-space": MALFORMED,
    "envelope.signature.base64": MALFORMED,
    "protected.url.absent": (403, "unauthorized"),
    "protected.url.other": (403, "unauthorized"),
    "protected.url=1": (403, "unauthorized"),
    "protected.nonce.absent": (400, "badNonce"),
    "protected.nonce.never-issued": (400, "badNonce"),
    "protected.nonce.not-base64url": MALFORMED,
    "protected.nonce=7": MALFORMED,
    "protected.nonce.empty": MALFORMED,
    "http.method=GET": (405, "malformed"),
    "http.method=PUT": (405, "malformed"),
    "http.method=DELETE": (405, "malformed"),
}


def test_every_mutation_has_an_expectation():
    assert set(EXPECTED) == set(MUTATIONS)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_spoilt_request_of_an_account_is_refused(lab, name):
    client = lab.client()
    account = client.register()
    # Of a key that has an account, not the key but the algorithm is what is wrong.
    status, error = (400, "badSignatureAlgorithm") if name == "protected.alg.other-curve" else EXPECTED[name]
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), MUTATIONS[name], status, {error})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_spoilt_registration_is_refused(lab, name):
    client = lab.client()
    status, error = EXPECTED[name]
    outcome = paired(client, lambda: client.new_account(Key.make()), MUTATIONS[name], status, {error})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "RS256", "EdDSA"])
def test_an_account_key_of_each_algorithm_registers_and_orders(lab, alg):
    client = lab.client()
    account = client.register(Key.make(alg))
    client.order(account, dns(lab.name()))


def test_numbers_of_a_key_and_a_signature_keep_their_leading_zeros(lab):
    """RFC 7518 sections 3.4 and 6.2.1.2: fixed width. One coordinate, and one number of a signature, in 256 begins with a zero octet."""
    client = lab.client()
    key = next(k for k in (Key.make() for _ in itertools.count()) if unb64(k.jwk()["x"])[0] == 0 or unb64(k.jwk()["y"])[0] == 0)
    account = client.register(key)
    draft = client.new_order(account, dns(lab.name()))
    draft.protected["nonce"] = client.nonce()
    for _ in itertools.count():
        signature = unb64(draft.envelope()["signature"])
        if signature[0] == 0 or signature[32] == 0:
            break
    # The signature that was found is sent, not another one: ECDSA signatures differ each time.
    found = b64(signature)
    draft.spoil_envelope.append(lambda jws: jws.update(signature=found))
    assert client.send(draft).status == 201


def _short_coordinate(draft: Draft) -> None:
    """A key whose x begins with a zero octet, written without it as some clients do."""
    key = next(k for k in (Key.make() for _ in itertools.count()) if unb64(k.jwk()["x"])[0] == 0)
    draft.signer = key
    draft.protected["jwk"] = {**key.jwk(), "x": b64(unb64(key.jwk()["x"])[1:])}


def _jwk_member(name: str, value: object):
    def change(draft: Draft) -> None:
        draft.protected["jwk"] = {**draft.protected["jwk"], name: value}

    return change


def _private_member(draft: Draft) -> None:
    key = Key.make()
    draft.signer = key
    draft.protected["jwk"] = {**key.jwk(), "d": b64(key.private.private_numbers().private_value.to_bytes(32, "big"))}


BAD_KEYS = [
    (mutations.key(Key.make("RS256", rsa_bits=1024), "RFC 8555 section 6.2", "rsa-1024"), "badPublicKey"),
    (Mutation("jwk.x.short", "RFC 7518 section 6.2.1.2", _short_coordinate), "badPublicKey"),
    (Mutation("jwk.y.off-curve", "RFC 7518 section 6.2.1", _jwk_member("y", b64(bytes(31) + b"\1"))), "badPublicKey"),
    (Mutation("jwk.crv.unknown", "RFC 7518 section 6.2.1.1", _jwk_member("crv", "secp256k1")), "badPublicKey"),
    (Mutation("jwk.kty.unknown", "RFC 7517 section 4.1", _jwk_member("kty", "AKP")), "badPublicKey"),
    (
        Mutation("jwk.kty.oct", "RFC 7518 section 6.4", lambda d: d.protected.update(jwk={"kty": "oct", "k": "AAAA"})),
        "badPublicKey",
    ),
    (Mutation("jwk.private", "RFC 7517 section 9.2", _private_member), "badPublicKey"),
    (mutations.protected("jwk", "https://example.test/key", "RFC 7515 section 4.1.3", "jwk.text"), "badPublicKey"),
]


@pytest.mark.parametrize(("mutation", "error"), BAD_KEYS, ids=lambda v: getattr(v, "name", ""))
def test_a_bad_account_key_is_refused(lab, mutation, error):
    client = lab.client()
    outcome = paired(client, lambda: client.new_account(Key.make()), mutation, 400, {error})
    assert outcome.verdict == "pass", outcome.detail


def _cube_forgery() -> tuple[dict[str, str], bytes]:
    """An RSA key with public exponent 1: every message is its own signature."""
    return {"kty": "RSA", "e": "AQ", "n": b64(b"\xff" * 256)}, b"\0" * 256


def test_an_rsa_key_with_exponent_one_is_refused(lab):
    client = lab.client()
    jwk, signature = _cube_forgery()

    def change(draft: Draft) -> None:
        draft.protected.update(alg="RS256", jwk=jwk)
        draft.spoil_envelope.append(lambda jws: jws.update(signature=b64(signature)))

    mutation = Mutation("jwk.e=1", "RFC 8017 section 3.1", change)
    outcome = paired(client, lambda: client.new_account(Key.make()), mutation, 400, {"badPublicKey"})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("tolerated", [mutations.pretty(), mutations.slashes_escaped()], ids=lambda m: m.name)
def test_another_spelling_of_the_same_json_is_accepted(lab, tolerated):
    client = lab.client()
    account = client.register()
    assert client.send(client.new_order(account, dns(lab.name())), tolerated).status == 201


def test_unknown_members_of_the_envelope_are_ignored(lab):
    """RFC 7515 section 7.2.1: additional members MUST be ignored."""
    client = lab.client()
    account = client.register()
    extra = mutations.envelope("extra", "RFC 7515 section 7.2.1", lambda jws: jws.update(resource="new-order"))
    assert client.send(client.new_order(account, dns(lab.name())), extra).status == 201


def test_content_type_is_compared_without_case_and_parameters(lab):
    client = lab.client()
    account = client.register()
    loud = mutations.header("Content-Type", "Application/JOSE+JSON; charset=utf-8", "RFC 9110 section 8.3.1")
    assert client.send(client.new_order(account, dns(lab.name())), loud).status == 201


def test_a_request_cannot_be_sent_to_another_url_than_it_was_signed_for(lab):
    """RFC 8555 section 6.4: what a middlebox could do."""
    client = lab.client()
    account = client.register()
    elsewhere = mutations.sent_to(client.directory["newAuthz"])
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), elsewhere, 403, {"unauthorized"})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("suffix", ["?x=1", "/", "#f"])
def test_the_url_is_compared_as_a_string(lab, suffix):
    client = lab.client()
    account = client.register()
    url = client.directory["newOrder"] + suffix
    mutation = mutations.protected("url", url, "RFC 8555 section 6.4", f"protected.url{suffix}")
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), mutation, 403, {"unauthorized"})
    assert outcome.verdict == "pass", outcome.detail


def test_kid_of_another_account_does_not_verify(lab):
    client = lab.client()
    account, other = client.register(), client.register()
    stolen = mutations.protected("kid", other.url, "RFC 8555 section 6.2", "protected.kid.other-account")
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), stolen, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize("kid", ["1", "https://elsewhere.example.test/acme/acct/1", "never-made"])
def test_kid_that_names_no_account(lab, kid):
    client = lab.client()
    account = client.register()
    if kid == "never-made":
        kid = account.url[:-4] + "AAAA"
    mutation = mutations.protected("kid", kid, "RFC 8555 section 6.2", "protected.kid.unknown")
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), mutation, 400, {"accountDoesNotExist"})
    assert outcome.verdict == "pass", outcome.detail


def test_kid_that_is_not_signed_is_refused(lab):
    """RFC 8555 section 6.2: nothing is believed that stands in an unprotected header."""
    client = lab.client()
    account = client.register()
    mutation = mutations.unsigned_member("kid", account.url, "RFC 8555 section 6.2")
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), mutation, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_jwk_where_an_account_must_sign_is_refused(lab):
    """RFC 8555 section 6.2: all requests but newAccount and revokeCert have kid, even if the key has an account."""
    client = lab.client()
    account = client.register()

    def change(draft: Draft) -> None:
        del draft.protected["kid"]
        draft.protected["jwk"] = account.key.jwk()

    mutation = Mutation("protected.jwk-for-kid", "RFC 8555 section 6.2", change)
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), mutation, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_kid_where_a_key_must_sign_is_refused(lab):
    client = lab.client()
    account = client.register()

    def change(draft: Draft) -> None:
        del draft.protected["jwk"]
        draft.protected["kid"] = account.url

    mutation = Mutation("protected.kid-for-jwk", "RFC 8555 section 6.2", change)
    outcome = paired(client, lambda: client.new_account(account.key), mutation, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_post_as_get_with_an_empty_object_is_refused(lab):
    """RFC 8555 section 6.3: the payload of POST-as-GET is empty, not ``{}``. Servers that took one for the other deactivated accounts."""
    client = lab.client()
    account = client.register()
    order_url, _ = client.order(account, dns(lab.name()))
    mutation = mutations.payload({}, "RFC 8555 section 6.3", "{}")
    outcome = paired(client, lambda: client.fetch(account, order_url), mutation, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize(
    ("octets", "label"),
    [
        (b"[]", "array"),
        (b"null", "null"),
        (b'"x"', "text"),
        (b"{", "cut"),
        (b"", "empty"),
    ],
)
def test_a_payload_that_is_no_json_object_is_refused(lab, octets, label):
    client = lab.client()
    account = client.register()
    mutation = mutations.payload(octets, "RFC 8555 section 7.4", label)
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), mutation, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_json_members_are_compared_with_their_case(lab):
    """RFC 8259 section 8.3: a server that takes ``Identifiers`` hides a client's mistake."""
    client = lab.client()
    account = client.register()
    mutation = mutations.payload({"Identifiers": dns(lab.name())}, "RFC 8555 section 7.4", "Identifiers")
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), mutation, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_an_account_of_another_key_cannot_be_impersonated_by_its_key_in_jwk(lab):
    """A forged ``jwk`` beside a signature of one's own must not pass for the key's owner (RFC 8555 section 6.2)."""
    client = lab.client()
    victim, attacker = client.register(), Key.make()
    mutation = mutations.signer(attacker, "RFC 8555 section 6.2", "other-key")
    outcome = paired(client, lambda: client.new_account(victim.key), mutation, 400, {"malformed"})
    assert outcome.verdict == "pass", outcome.detail


def test_an_account_object_is_not_disclosed_to_a_wrong_signature(lab):
    client = lab.client()
    victim = client.register(contact=["mailto:admin@example.test"])
    draft = client.fetch(Account(victim.url, Key.make()), victim.url)
    refused = client.send(draft)
    assert (refused.status, refused.error) == (400, "malformed")
    assert b"admin@example.test" not in refused.body
