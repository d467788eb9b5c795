"""RFC 8555 sections 7.1.3 and 7.4: orders and their finalization."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from privca.base.clock import rfc3339
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Names


def test_the_whole_way(world, client):
    order = client.order("www.example.test", "example.test")
    assert order.status == 201
    assert order.json == {
        "status": "pending",
        "expires": rfc3339(world.clock.now() + timedelta(days=7)),
        "identifiers": [{"type": "dns", "value": "www.example.test"}, {"type": "dns", "value": "example.test"}],
        "authorizations": order.json["authorizations"],
        "finalize": order.header("location") + "/finalize",
    }
    for url in order.json["authorizations"]:
        assert client.prove(url).status == 200
    assert client.post(order.header("location")).json == order.json | {"status": "ready"}
    done = client.finalize(order, "example.test", "www.example.test")
    assert done.status == 200
    assert done.header("location") == order.header("location")
    assert done.json == order.json | {"status": "valid", "certificate": done.json["certificate"]}
    assert client.post(order.header("location")).json == done.json
    certificate = x509.load_der_x509_certificate(client.certificate(done))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert sorted(names) == ["example.test", "www.example.test"]
    assert certificate.public_key() == client.certificate_key.public_key()


def test_duplicates_collapse_and_names_are_lower_case(client):
    reply = client.order("A.example.test", "a.example.test", "a.EXAMPLE.test")
    assert reply.json["identifiers"] == [{"type": "dns", "value": "a.example.test"}]
    assert len(reply.json["authorizations"]) == 1


def test_unknown_members_are_ignored(client):
    assert client.order("a.example.test", replaced="x", profile="y", status="valid").json["status"] == "pending"


@pytest.mark.parametrize(
    ("identifiers", "type"),
    [
        ([], "malformed"),
        ([{"type": "dns"}], "malformed"),
        ([{"type": "dns", "value": 7}], "malformed"),
        ([{"type": "dns", "value": ""}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "192.0.2.1"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "a.example.test."}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "a_b.example.test"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "-bad-.example.test"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "a" * 64 + ".test"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "bücher.example.test"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "xn--a.example.test"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "a.*.example.test"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "*.*.example.test"}], "rejectedIdentifier"),
        ([{"type": "dns", "value": "*"}], "rejectedIdentifier"),
        ([{"type": "ip", "value": "2001:DB8::1"}], "malformed"),
        ([{"type": "ip", "value": "a.example.test"}], "malformed"),
        ([{"type": "DNS", "value": "a.example.test"}], "unsupportedIdentifier"),
        ([{"type": "email", "value": "a@example.test"}], "unsupportedIdentifier"),
    ],
)
def test_identifiers_that_are_refused(client, identifiers, type):
    assert client.post("new-order", {"identifiers": identifiers}).type == type


def test_the_name_policy_of_the_profile(world):
    client = world.client(world.profile(names=Names(permitted_dns=("example.test",), maximum=2)))
    reply = client.order("a.example.test", "a.forbidden.test")
    assert (reply.status, reply.type) == (403, "rejectedIdentifier")
    assert [p["identifier"]["value"] for p in reply.json["subproblems"]] == ["a.forbidden.test"]
    assert client.order("a.example.test", "b.example.test", "c.example.test").type == "rejectedIdentifier"


def test_too_many_identifiers_are_refused_unread(client):
    reply = client.order(*["_"] * 101)
    assert reply.type == "rejectedIdentifier"
    assert "subproblems" not in reply.json


def test_7_1_3_a_wildcard(client):
    order = client.order("*.example.test", "example.test")
    wild, plain = (client.post(url).json for url in order.json["authorizations"])
    assert wild["identifier"] == plain["identifier"] == {"type": "dns", "value": "example.test"}
    assert wild["wildcard"] is True
    assert "wildcard" not in plain
    assert [c["type"] for c in wild["challenges"]] == ["dns-01"]
    assert {c["type"] for c in plain["challenges"]} == {"http-01", "dns-01", "tls-alpn-01"}
    client.prove(order.json["authorizations"][0], "dns-01")
    client.prove(order.json["authorizations"][1])
    done = client.finalize(order, "*.example.test", "example.test")
    assert done.json["status"] == "valid", done.json


def test_rfc8738_an_ip_address(client):
    reply = client.post(
        "new-order", {"identifiers": [{"type": "ip", "value": "2001:db8::1"}, {"type": "ip", "value": "192.0.2.1"}]}
    )
    assert reply.status == 201
    for url in reply.json["authorizations"]:
        authorization = client.post(url).json
        assert authorization["identifier"]["type"] == "ip"
        assert {c["type"] for c in authorization["challenges"]} == {"http-01", "tls-alpn-01"}


def test_a_name_that_no_challenge_can_prove_is_refused_at_once(world):
    client = world.client(world.profile(challenges=("http-01",)))
    reply = client.order("*.example.test", "example.test")
    assert (reply.status, reply.type) == (403, "rejectedIdentifier")
    assert [p["identifier"]["value"] for p in reply.json["subproblems"]] == ["*.example.test"]


def test_tokens_are_unique_and_have_128_bits(client):
    order = client.order("a.example.test", "b.example.test")
    tokens = [c["token"] for url in order.json["authorizations"] for c in client.post(url).json["challenges"]]
    assert len(set(tokens)) == 6
    assert all(len(token) >= 22 for token in tokens)


@pytest.mark.parametrize(
    "value",
    [
        "2026",
        "2026-02-01",
        "tomorrow",
        "2026-02-01T00:00:00",
        7,
        "2026-02-30T00:00:00Z",
        "2026-02-01T00:00:00.5Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_dates_that_are_none(client, value):
    for member in ("notBefore", "notAfter"):
        assert client.order("a.example.test", **{member: value}).type == "malformed"


def test_dates_are_honoured_in_the_certificate(world, client):
    start, end = world.clock.now(), world.clock.now() + timedelta(days=3)
    order = client.ready("a.example.test", notBefore=start.strftime("%Y-%m-%dT%H:%M:%S+00:00"), notAfter=rfc3339(end))
    assert (order.json["notBefore"], order.json["notAfter"]) == (rfc3339(start), rfc3339(end))
    world.clock.advance(timedelta(days=1))  # what was no backdating when it was asked for is none now
    done = client.finalize(order, "a.example.test")
    assert done.json["status"] == "valid", done.json
    certificate = x509.load_der_x509_certificate(client.certificate(done))
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (start, end)


def test_an_end_may_be_the_whole_validity_away(world, client):
    """What clients ask for that know the validity in days: notAfter is that from now, and nothing is said of notBefore."""
    end = world.clock.now() + timedelta(days=90)
    done = client.finalize(client.ready("a.example.test", notAfter=rfc3339(end)), "a.example.test")
    certificate = x509.load_der_x509_certificate(client.certificate(done))
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (end - timedelta(days=90), end)
    assert client.order("a.example.test", notAfter=rfc3339(world.clock.now() + timedelta(days=90, seconds=1))).type == "malformed"


@pytest.mark.parametrize(
    ("before", "after"), [(None, -1), (-1, None), (2, 1), (1, 1), (None, 91), (1, 92), (400, None), (None, 0)]
)
def test_dates_that_are_out_of_bounds(world, client, before, after):
    at = lambda days: {} if days is None else rfc3339(world.clock.now() + timedelta(days=days))  # noqa: E731
    dates = {name: at(days) for name, days in (("notBefore", before), ("notAfter", after)) if days is not None}
    assert client.order("a.example.test", **dates).type == "malformed"


def test_dates_are_refused_where_the_profile_chooses(world):
    client = world.client(world.profile(validity_request=False))
    assert client.order("a.example.test").status == 201
    assert client.order("a.example.test", notAfter=rfc3339(world.clock.now() + timedelta(days=1))).type == "malformed"


def test_a_valid_authorization_is_reused_and_a_failed_one_never(world, client):
    first = client.ready("a.example.test")
    again = client.order("a.example.test")
    assert again.json["status"] == "ready"
    assert again.json["authorizations"] == first.json["authorizations"]
    failing = client.order("b.example.test")
    client.post(client.challenge(failing.json["authorizations"][0])["url"], {})
    world.background.run()
    assert client.post(failing.header("location")).json["status"] == "invalid"
    fresh = client.order("b.example.test")
    assert fresh.json["status"] == "pending"
    assert fresh.json["authorizations"] != failing.json["authorizations"]


def test_what_is_not_reused(world, client):
    order = client.ready("example.test")
    url = order.json["authorizations"][0]
    assert client.order("*.example.test").json["status"] == "pending"  # the base name proves no wildcard
    assert world.client(client.profile).order("example.test").json["status"] == "pending"  # nor another account
    world.clock.advance(timedelta(days=30) - timedelta(minutes=9))
    assert client.order("example.test").json["status"] == "pending"  # nor one that is about to end
    other = client.ready("c.example.test").json["authorizations"][0]
    client.post(other, {"status": "deactivated"})
    assert client.order("c.example.test").json["status"] == "pending"
    assert url not in client.order("example.test").json["authorizations"]


def test_no_reuse_where_the_profile_says_so(world):
    client = world.client(world.profile(authorization_reuse=False))
    client.ready("a.example.test")
    assert client.order("a.example.test").json["status"] == "pending"


def test_an_order_ends_no_later_than_its_authorizations(world, client):
    order = client.ready("a.example.test")
    expires = client.post(order.json["authorizations"][0]).json["expires"]
    world.clock.advance(timedelta(days=29))
    again = client.order("a.example.test")
    assert again.json["status"] == "ready"
    assert again.json["expires"] == expires


def test_an_expired_order_is_invalid_and_says_why(world, client):
    order = client.ready("a.example.test")
    world.clock.advance(timedelta(days=7))
    shown = client.post(order.header("location")).json
    assert shown["status"] == "invalid"
    assert "expired" in shown["error"]["detail"]
    assert client.finalize(order, "a.example.test").type == "orderNotReady"


def test_an_order_of_another_account(world, client):
    order = client.ready("a.example.test")
    other = world.client(client.profile)
    for url, payload in ((order.header("location"), None), (order.json["finalize"], {"csr": client.csr("a.example.test")})):
        reply = other.post(url, payload)
        assert (reply.status, reply.type) == (403, "unauthorized")


def test_an_order_of_another_profile_does_not_exist(world, client):
    order = client.ready("a.example.test")
    other = world.client(world.profile("other"))
    assert other.post(order.header("location").replace("/web/", "/other/")).status == 404


# --- finalize ---


def test_finalize_before_it_is_ready(client):
    order = client.order("a.example.test")
    reply = client.finalize(order, "a.example.test")
    assert (reply.status, reply.type) == (403, "orderNotReady")
    assert client.post(order.header("location")).json["status"] == "pending"


def test_finalize_twice(world, client):
    order = client.issue("a.example.test")
    reply = client.finalize(order, "a.example.test")
    assert (reply.status, reply.type) == (403, "orderNotReady")
    assert len(world.door.submissions) == 1


BAD = {
    "garbage": lambda c: "AAAA",
    "padding": lambda c: c.csr("a.example.test", "b.example.test") + "=",
    "not base64url": lambda c: "+/+/",
    "empty": lambda c: "",
    "a name less": lambda c: c.csr("a.example.test"),
    "a name more": lambda c: c.csr("a.example.test", "b.example.test", "c.example.test"),
    "a common name more": lambda c: c.csr("a.example.test", "b.example.test", common_name="c.example.test"),
    "no names": lambda c: c.csr(),
    "wildcard for name": lambda c: c.csr("*.example.test", "a.example.test", "b.example.test"),
    "the account key": lambda c: c.csr("a.example.test", "b.example.test", key=c.key.private),
    "a weak key": lambda c: c.csr("a.example.test", "b.example.test", key=rsa.generate_private_key(65537, 1024)),
    "a kind of key that is not certified": lambda c: c.csr(
        "a.example.test", "b.example.test", key=ec.generate_private_key(ec.SECP256K1())
    ),
    "a spoiled signature": lambda c: c.csr("a.example.test", "b.example.test")[:-4] + "AAAA",
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_csr_leaves_the_order_ready(world, client, case):
    order = client.ready("a.example.test", "b.example.test")
    reply = client.post(order.json["finalize"], {"csr": BAD[case](client)})
    assert (reply.status, reply.type) == (400, "badCSR"), reply.json
    assert client.post(order.header("location")).json["status"] == "ready"
    assert world.scalar("SELECT count(*) FROM certificate WHERE protocol = 'acme'") == 0
    assert client.finalize(order, "a.example.test", "b.example.test").json["status"] == "valid"


def test_11_1_no_account_key_is_certified(world, client):
    """Any known account's: of another account, of another profile, and of one that is deactivated."""
    elsewhere = world.client(world.profile("elsewhere"))
    gone = world.client(client.profile)
    assert gone.post(gone.kid, {"status": "deactivated"}).status == 200
    order = client.ready("a.example.test")
    for other in (world.client(client.profile), elsewhere, gone):
        reply = client.finalize(order, "a.example.test", key=other.key.private)
        assert (reply.status, reply.type) == (400, "badCSR")
        assert "section 11.1" in reply.json["detail"]
    assert client.finalize(order, "a.example.test").json["status"] == "valid"


@pytest.mark.parametrize("payload", [{}, {"csr": 7}, {"csr": None}, {"CSR": "x"}])
def test_finalize_without_csr_is_malformed(client, payload):
    order = client.ready("a.example.test")
    assert client.post(order.json["finalize"], payload).type == "malformed"
    assert client.post(order.header("location")).json["status"] == "ready"


def test_a_name_may_stand_in_the_common_name_alone(client):
    order = client.ready("a.example.test", "b.example.test")
    assert client.finalize(order, "b.example.test", common_name="a.example.test").json["status"] == "valid"


def test_a_policy_of_the_ca_is_bad_csr_and_leaves_the_order_ready(world):
    client = world.client(world.profile())
    order = client.ready("a.example.test")
    world.door.refusal = Refused(Reason.BAD_PUBLIC_KEY, "profile: keys", "not this key")
    assert client.finalize(order, "a.example.test").type == "badCSR"
    world.door.refusal = None
    assert client.finalize(order, "a.example.test").json["status"] == "valid"


def test_of_two_finalizations_at_once_one_wins(world, client):
    order = client.ready("a.example.test")
    replies = []

    def meanwhile():
        world.door.before = lambda: None
        replies.append(client.finalize(order, "a.example.test"))

    world.door.before = meanwhile
    csr = client.csr("a.example.test")
    assert client.post(order.json["finalize"], {"csr": csr}).json["status"] == "valid"
    assert replies[0].type == "orderNotReady"
    assert len(world.door.submissions) == 1


def test_an_order_is_processing_as_long_as_the_profile_says(world):
    client = world.client(world.profile(finalize="processing", processing_time="8s", retry_after=3))
    order = client.ready("a.example.test")
    began = world.clock.now()
    assert client.finalize(order, "a.example.test").header("retry-after") == "3"
    seen = []
    world.background.between = lambda: seen.append(client.post(order.header("location")).json["status"])
    world.background.run()
    assert (world.clock.now() - began).total_seconds() == 8
    assert [*seen, client.post(order.header("location")).json["status"]] == ["processing", "valid"]


def test_finalize_in_the_background(world):
    client = world.client(world.profile(finalize="processing", retry_after=5))
    order = client.ready("a.example.test")
    reply = client.finalize(order, "a.example.test")
    assert reply.status == 200
    assert reply.json["status"] == "processing"
    assert reply.header("retry-after") == "5"
    assert "certificate" not in reply.json
    shown = client.post(order.header("location"))
    assert (shown.json["status"], shown.header("retry-after")) == ("processing", "5")
    assert client.finalize(order, "a.example.test").type == "orderNotReady"
    world.background.run()
    shown = client.post(order.header("location"))
    assert shown.json["status"] == "valid"
    assert shown.header("retry-after") is None
    assert client.certificate(shown)


def test_a_bad_csr_is_refused_before_the_background(world):
    client = world.client(world.profile(finalize="processing"))
    order = client.ready("a.example.test")
    for bad in (
        client.csr("b.example.test"),
        client.csr("a.example.test", common_name="Not a host"),
        client.csr("a.example.test", key=ed448.Ed448PrivateKey.generate()),
        client.csr("a.example.test", extensions=[x509.BasicConstraints(ca=True, path_length=None)]),
    ):
        assert client.post(order.json["finalize"], {"csr": bad}).type == "badCSR"
        assert client.post(order.header("location")).json["status"] == "ready"
    assert client.finalize(order, "a.example.test").json["status"] == "processing"


def test_a_refusal_in_the_background_makes_the_order_invalid(world):
    client = world.client(world.profile(finalize="processing"))
    order = client.ready("a.example.test")
    client.finalize(order, "a.example.test")
    world.door.refusal = Refused(Reason.BAD_CSR, "profile: template", "no such subject")
    world.background.run()
    shown = client.post(order.header("location")).json
    assert shown["status"] == "invalid"
    assert shown["error"]["type"] == "urn:ietf:params:acme:error:badCSR"


def test_a_ca_that_waits_for_a_person(world, client):
    order = client.ready("a.example.test")
    world.door.waiting = True
    reply = client.finalize(order, "a.example.test")
    assert reply.json["status"] == "processing"
    assert reply.header("retry-after")
    world.resume()
    assert not world.background.work
    world.clock.advance(timedelta(seconds=600))
    world.door.waiting = False
    world.resume()
    world.background.run()
    assert client.post(order.header("location")).json["status"] == "valid"
