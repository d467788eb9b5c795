"""A mutation changes one thing, leaves the draft that it is made from alone, and is signed correctly unless the signature is the thing."""

import json

import josepy
import pytest

from conformance.acme.draft import Draft, inner
from conformance.acme.keys import Key, MacKey, unb64
from conformance.acme.mutations import MUTATIONS, pretty, protected, slashes_escaped
from conformance.transport import HttpRequest

URL = "https://ca.example.test/acme/new-order"
UNSIGNED = {
    "envelope.signature.flipped",
    "envelope.signature.empty",
    "envelope.signature.der",
    "envelope.signature.too-long",
    "envelope.signature.absent",
    "envelope.signature.padded",
    "envelope.signature.loose-bits",
    "envelope.signature.white-space",
    "envelope.signature.base64",
    "envelope.payload.changed",
    "envelope.protected.padded",
}


def draft():
    key = Key.make()
    return Draft(
        URL, key, {"alg": key.alg, "nonce": "A" * 43, "kid": "https://ca.example.test/acct/1", "url": URL}, {"identifiers": []}
    )


@pytest.mark.parametrize("name", MUTATIONS)
def test_it_changes_its_own_copy(name):
    original = draft()
    before = (original.protected.copy(), original.payload.copy(), original.headers.copy(), original.method)
    spoilt = MUTATIONS[name].of(original).request()
    assert isinstance(spoilt, HttpRequest)
    assert (original.protected, original.payload, original.headers, original.method) == before
    assert not original.spoil_envelope
    assert not original.spoil_request


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_sent_differs_from_the_control_in_one_part(name):
    original = draft()
    control, spoilt = original.request(), MUTATIONS[name].of(original).request()
    http = (control.method != spoilt.method or control.headers != spoilt.headers) and name.startswith("http.")
    if http or name.startswith("http."):
        return
    sent, meant = json.loads(spoilt.body), json.loads(control.body)
    changed = {member for member in {*sent, *meant} if sent.get(member) != meant.get(member)} - {"signature"}
    assert len(changed) <= 1 or name == "protected.b64=false"


@pytest.mark.parametrize("name", sorted(set(MUTATIONS) - UNSIGNED))
def test_the_signature_is_right_where_it_is_not_the_point(name):
    original = draft()
    body = MUTATIONS[name].of(original).request().body
    try:
        jws = json.loads(body)
    except ValueError:
        return
    if not isinstance(jws, dict) or not {"protected", "payload", "signature"} <= set(jws) or name == "http.member-twice":
        return
    message = f"{jws['protected']}.{jws['payload']}".encode()
    assert josepy.ES256.verify(original.signer.private.public_key(), message, unb64(jws["signature"]))


def test_the_long_signature_has_the_same_numbers():
    original = draft()
    jws = json.loads(MUTATIONS["envelope.signature.too-long"].of(original).request().body)
    octets = unb64(jws["signature"])
    assert len(octets) == 65
    message = f"{jws['protected']}.{jws['payload']}".encode()
    assert josepy.ES256.verify(original.signer.private.public_key(), message, octets[:32] + octets[33:])


@pytest.mark.parametrize("tolerated", [pretty(), slashes_escaped()])
def test_another_spelling_says_the_same(tolerated):
    original = draft()
    jws = json.loads(tolerated.of(original).request().body)
    assert json.loads(unb64(jws["protected"])) == original.protected
    message = f"{jws['protected']}.{jws['payload']}".encode()
    assert josepy.ES256.verify(original.signer.private.public_key(), message, unb64(jws["signature"]))


def test_an_inner_jws_is_signed_after_it_is_spoilt():
    new = Key.make()
    change = Draft(URL, new, {"alg": new.alg, "jwk": new.jwk(), "url": URL}, {"account": "x", "oldKey": {}})
    outer = draft()
    outer.payload = change
    jws = inner(protected("nonce", "x", "c")).of(outer).envelope()
    within = json.loads(unb64(jws["payload"]))
    assert json.loads(unb64(within["protected"]))["nonce"] == "x"
    message = f"{within['protected']}.{within['payload']}".encode()
    assert josepy.ES256.verify(new.private.public_key(), message, unb64(within["signature"]))
    assert "nonce" not in change.protected


def test_a_binding_is_found_as_the_inner_jws():
    mac = MacKey("kid-1", "A" * 43)
    outer = draft()
    outer.payload = {"externalAccountBinding": Draft(URL, mac, {"alg": "HS256", "kid": "kid-1", "url": URL}, {})}
    jws = inner(protected("url", "y", "c")).of(outer).envelope()
    within = json.loads(unb64(jws["payload"]))["externalAccountBinding"]
    assert json.loads(unb64(within["protected"]))["url"] == "y"
