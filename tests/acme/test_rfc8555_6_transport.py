"""RFC 8555 sections 6.1 to 6.5 and 7.2: transport, request authentication, URL integrity, nonces."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from privca.base.durations import duration


def test_6_1_cors_headers_on_every_reply(world, client):
    for reply in (client.get("directory"), client.get("new-nonce"), client.get("nothing"), client.post(client.kid)):
        assert reply.header("access-control-allow-origin") == "*"
        assert "Replay-Nonce" in reply.header("access-control-expose-headers")
    preflight = client.get("new-order", "OPTIONS")
    assert preflight.status == 204
    assert preflight.header("access-control-allow-headers") == "Content-Type"
    assert preflight.header("replay-nonce") is None


def test_6_1_plain_http_is_refused(world, client):
    reply = world.send(client.profile, "GET", client.url("directory"), origin="http://ca.example.test:8080")
    assert (reply.status, reply.type) == (400, "malformed")


def test_6_1_padding_in_base64url_is_refused(client):
    body = client.body(client.kid, None)
    for member in ("protected", "signature"):
        reply = client.raw(client.kid, body | {member: body[member] + "="})
        assert (reply.status, reply.type) == (400, "malformed")


@pytest.mark.parametrize("media_type", ["", "application/json", "application/jose", "text/plain"])
def test_6_2_media_type(client, media_type):
    reply = client.raw(client.kid, client.body(client.kid, None), content_type=media_type)
    assert (reply.status, reply.type) == (415, "malformed")


@pytest.mark.parametrize("media_type", ["application/jose+json; charset=utf-8", "Application/JOSE+JSON"])
def test_6_2_media_type_in_other_spellings(client, media_type):
    assert client.raw(client.kid, client.body(client.kid, None), content_type=media_type).status == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"protected": 1}', b"[" * 100000])
def test_6_2_what_is_no_jws(client, body):
    reply = client.raw(client.kid, body)
    assert (reply.status, reply.type) in ((400, "malformed"), (413, "malformed"))


def test_6_2_jwk_and_kid_exclude_each_other(client):
    both = client.raw(client.kid, client.body(client.kid, None, jwk=True, kid=client.kid))
    assert (both.status, both.type) == (400, "malformed")


def test_6_2_neither_jwk_nor_kid(client):
    reply = client.raw(client.kid, client.body(client.kid, None, kid=...))
    assert (reply.status, reply.type) == (400, "malformed")


def test_6_2_new_account_wants_jwk_and_all_else_kid(client):
    assert client.post("new-account", {}).type == "malformed"
    for tail in ("new-order", "key-change"):
        assert client.post(tail, {}, jwk=True).type == "malformed"


@pytest.mark.parametrize(
    "kid", [7, "", "acct", "https://ca.example.test:8443/acme/web/order/x", "https://other.test/acme/web/acct/x"]
)
def test_6_2_kid_is_an_account_url_of_this_profile(client, kid):
    reply = client.raw(client.url("new-order"), client.body(client.url("new-order"), {}, kid=kid))
    assert (reply.status, reply.type) == (400, "accountDoesNotExist")


def test_6_2_an_account_of_another_profile_is_unknown(world, client):
    other = world.client(world.profile("other"))
    body = client.body(client.url("new-order"), {}, key=other.key, kid=other.kid)
    assert client.raw(client.url("new-order"), body).type == "accountDoesNotExist"
    body = client.body(client.url("new-order"), {}, key=other.key, kid=other.kid.replace("/other/", "/web/"))
    assert client.raw(client.url("new-order"), body).type == "accountDoesNotExist"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES257", "PS256", "RS1"])
def test_6_2_algorithms(client, algorithm):
    reply = client.raw(client.kid, client.body(client.kid, None, alg=algorithm))
    assert (reply.status, reply.type) == (400, "badSignatureAlgorithm")
    assert {"ES256", "RS256", "EdDSA"} <= set(reply.json["algorithms"])
    assert not {"none", "HS256"} & set(reply.json["algorithms"])


def test_6_2_a_weak_account_key_is_bad_public_key(client):
    from cryptography.hazmat.primitives.asymmetric import rsa

    from privca.jose import rfc4648

    small = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    jwk = {"kty": "RSA", "n": rfc4648.encode(small.n.to_bytes(128, "big")), "e": "AQAB"}
    url = client.url("new-account")
    reply = client.raw(url, client.body(url, {}, header={"jwk": jwk, "alg": "RS256"}))
    assert (reply.status, reply.type) == (400, "badPublicKey")


def test_6_2_a_wrong_signature_is_refused(client, new_key):
    assert client.post(client.kid, None, key=new_key()).type == "malformed"
    body = client.body(client.kid, None)
    other = client.body(client.kid, {"status": "deactivated"})
    assert client.raw(client.kid, body | {"payload": other["payload"]}).type == "malformed"
    assert client.post(client.kid).json["status"] == "valid"


def test_6_2_a_forged_jwk_registers_nothing(client, new_key):
    """The key that signs is the key that counts."""
    url = client.url("new-account")
    victim = new_key()
    reply = client.raw(url, client.body(url, {}, header={"jwk": victim.jwk}))
    assert reply.type == "malformed"


def test_6_3_get_is_for_directory_and_nonce_alone(world, client):
    order = client.order("a.example.test")
    for url in (
        client.kid,
        order.header("location"),
        order.json["authorizations"][0],
        order.json["finalize"],
        client.url("new-order"),
    ):
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            reply = world.send(client.profile, method, url)
            assert reply.status == 405
            assert reply.header("allow") == "POST"
            assert reply.type == "malformed"
    assert client.get("directory", "PUT").header("allow") == "GET, HEAD, POST"


def test_head_is_told_the_length_that_get_would_have(client):
    """RFC 9110 section 8.6: no other Content-Length than that of the reply to GET; the adapter leaves the body out."""
    assert client.get("directory", "HEAD").response.body == client.get("directory").response.body


def test_6_3_directory_and_new_nonce_by_post_as_get(client):
    assert client.post("directory").json == client.get("directory").json
    reply = client.post("new-nonce")
    assert reply.status == 204
    assert reply.header("cache-control") == "no-store"


def test_6_3_what_is_read_is_read_with_an_empty_payload_only(client):
    order = client.ready("a.example.test")
    for url in (order.header("location"), client.kid + "/orders"):
        for payload in ({}, b"null", b" "):
            reply = client.post(url, payload)
            assert (reply.status, reply.type) == (400, "malformed")


def test_6_3_what_is_written_needs_a_payload(client):
    order = client.order("a.example.test")
    for url in (client.url("new-order"), client.url("new-authz"), client.url("key-change"), order.json["finalize"]):
        assert client.post(url).type == "malformed"


@pytest.mark.parametrize(
    "url", [..., 7, "", "https://ca.example.test:8443/acme/web/new-order/", "http://ca.example.test:8443/acme/web/new-order"]
)
def test_6_4_the_url_is_the_url_of_the_request(client, url):
    where = client.url("new-order")
    reply = client.raw(where, client.body(where, {"identifiers": [{"type": "dns", "value": "a.example.test"}]}, url=url))
    assert (reply.status, reply.type) == (403, "unauthorized")


def test_6_4_a_request_for_one_resource_is_not_one_for_another(client):
    reply = client.raw(client.url("new-authz"), client.body(client.url("new-order"), {}))
    assert (reply.status, reply.type) == (403, "unauthorized")


def test_6_5_a_nonce_is_accepted_once(client):
    nonce = client.fresh()
    assert client.post(client.kid, None, nonce=nonce).status == 200
    again = client.post(client.kid, None, nonce=nonce)
    assert (again.status, again.type) == (400, "badNonce")
    assert client.post(client.kid, None, nonce=again.header("replay-nonce")).status == 200


@pytest.mark.parametrize(
    "refused",
    [
        {"url": "https://elsewhere.test/"},
        {"kid": "nobody"},
        {"alg": "none"},
        {"crit": ["exp"]},
        {"alg": "HS256"},
    ],
)
def test_6_5_a_nonce_is_spent_even_if_its_request_is_refused(client, refused):
    nonce = client.fresh()
    assert client.post(client.kid, None, nonce=nonce, **refused).type != "badNonce"
    assert client.post(client.kid, None, nonce=nonce).type == "badNonce"


def test_6_5_a_nonce_is_spent_by_a_wrong_signature(client, new_key):
    nonce = client.fresh()
    assert client.post(client.kid, None, nonce=nonce, key=new_key()).type == "malformed"
    assert client.post(client.kid, None, nonce=nonce).type == "badNonce"


@pytest.mark.parametrize("nonce", [..., None, "AAAA", "A" * 44])
def test_6_5_a_nonce_that_was_never_issued(client, nonce):
    reply = client.post(client.kid, None, nonce=nonce)
    assert (reply.status, reply.type) == (400, "badNonce")
    assert reply.header("replay-nonce")


@pytest.mark.parametrize("nonce", ["", "A=", "ä", "a b", "a+b/", 7, ["x"]])
def test_6_5_2_a_nonce_is_base64url(client, nonce):
    reply = client.post(client.kid, None, nonce=nonce)
    assert (reply.status, reply.type) == (400, "malformed")


def test_6_5_every_octet_of_a_nonce_is_authenticated(client):
    nonce = client.fresh()
    for at in range(0, len(nonce), 7):
        changed = nonce[:at] + ("A" if nonce[at] != "A" else "B") + nonce[at + 1 :]
        reply = client.post(client.kid, None, nonce=changed)
        assert reply.type == "badNonce"
        assert "never issued" in reply.json["detail"]
    assert client.post(client.kid, None, nonce=nonce).status == 200


def test_6_5_a_nonce_ends_when_the_profile_says(world):
    client = world.client(world.profile(nonce_life="90s"))
    old = client.fresh()
    world.clock.advance(timedelta(seconds=89))
    young = client.fresh()
    assert client.post(client.kid, None, nonce=old).status == 200
    world.clock.advance(duration("90s"))
    assert client.post(client.kid, None, nonce=young).type == "badNonce"


def test_6_5_one_of_so_many_nonces_is_refused_where_the_profile_says_so(world):
    client = world.client(world.profile(refused_nonces=3))
    nonces = [client.fresh() for _ in range(6)]
    first = [client.post(client.kid, None, nonce=nonce) for nonce in nonces]
    refused = [at for at, reply in enumerate(first) if reply.status != 200]
    assert (len(refused), refused[1] - refused[0]) == (2, 3)
    assert {(first[at].type, bool(first[at].header("replay-nonce"))) for at in refused} == {("badNonce", True)}
    # One that was refused is spent.
    assert {client.post(client.kid, None, nonce=nonce).type for nonce in nonces} == {"badNonce"}


def test_6_5_a_nonce_belongs_to_its_profile(world, client):
    other = world.client(world.profile("other"))
    assert client.post(client.kid, None, nonce=other.fresh()).type == "badNonce"


def test_6_5_spent_nonces_are_known_to_all_workers_and_after_a_cleaning(world, client):
    from privca.acme.service import AcmeService

    nonce = client.fresh()
    assert client.post(client.kid, None, nonce=nonce).status == 200
    world.service = AcmeService(
        world.store, world.door, world.network, world.background, world.clock, world.service._core.entropy, b"k" * 32
    )
    assert client.post(client.kid, None, nonce=nonce).type == "badNonce"
    world.resume()
    assert client.post(client.kid, None, nonce=nonce).type == "badNonce"


def test_6_5_spent_nonces_are_forgotten_when_they_would_have_ended(world, client):
    count = "SELECT count(*) FROM spent_nonce"
    client.post(client.kid)
    assert world.scalar(count) > 0
    world.clock.advance(duration("1h") + timedelta(seconds=2))
    world.resume()
    assert world.scalar(count) == 0


def test_6_5_a_process_that_serves_alone_remembers_and_forgets(world):
    from privca.acme.rfc8555.nonce import SpentHere

    here, now = SpentHere(), world.clock.now()
    numbers = [here.number() for _ in range(70_000)]
    assert len(set(numbers)) == len(numbers)
    late = now + timedelta(seconds=9)
    assert all(here.spend(number, now) for number in numbers)
    assert not any(here.spend(number, now) for number in numbers[:3] + numbers[-3:])
    assert not here.spend(numbers[-1], late)
    here.forget(late)
    # The block whose last nonce has expired is gone, the other is not.
    assert [here.spend(number, late) for number in (numbers[0], numbers[-1])] == [True, False]


def test_7_2_new_nonce(client):
    head, get = client.get("new-nonce", "HEAD"), client.get("new-nonce")
    assert (head.status, get.status) == (200, 204)
    nonces = set()
    for reply in (head, get):
        assert reply.header("cache-control") == "no-store"
        assert reply.response.body == b""
        assert reply.links("index") == [client.url("directory")]
        nonces.add(reply.header("replay-nonce"))
    assert len(nonces) == 2


def test_6_5_every_reply_to_a_post_has_a_nonce_and_every_one_but_the_directory_an_index(client):
    replies = [
        client.post(client.kid),
        client.order("a.example.test"),
        client.post("new-order", {}),
        client.post("nothing", {}),
        client.get("nothing"),
    ]
    for reply in replies:
        assert reply.header("replay-nonce")
        assert reply.links("index") == [client.url("directory")]
    assert client.get("directory").links("index") == []


def test_acmev1_resource_member_is_ignored(client):
    payload = {"resource": "new-order", "identifiers": [{"type": "dns", "value": "a.example.test"}]}
    assert client.post("new-order", payload).status == 201


def test_members_are_case_sensitive(client):
    payload = {"Identifiers": [{"type": "dns", "value": "a.example.test"}]}
    reply = client.post("new-order", payload)
    assert reply.type == "malformed"
    assert "identifiers" in reply.json["detail"]


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"\xff",
        b"[]",
        b"7",
        b'{"identifiers": {}}',
        json.dumps({"identifiers": [{"type": 1, "value": "x"}]}).encode(),
        b"[" * 5000,
    ],
)
def test_a_payload_that_does_not_fit_is_malformed(client, payload):
    assert client.post("new-order", payload).type == "malformed"
