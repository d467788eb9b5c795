"""Orders (RFC 8555 sections 7.1.3 and 7.4): what may be asked for, and what becomes of an order."""

from datetime import UTC, datetime, timedelta

import pytest

from conformance.acme import mutations
from conformance.acme.client import dns, ip
from tests.support.control import paired

MALFORMED = (400, "malformed")
REJECTED = (403, "rejectedIdentifier")

IDENTIFIERS = {
    "none": ([], MALFORMED),
    "type unknown": ([{"type": "email", "value": "a@example.test"}], (403, "unsupportedIdentifier")),
    "type absent": ([{"value": "a.example.test"}], MALFORMED),
    "value absent": ([{"type": "dns"}], MALFORMED),
    "value no text": ([{"type": "dns", "value": 7}], MALFORMED),
    "not an object": (["a.example.test"], MALFORMED),
    "empty": (dns(""), REJECTED),
    "hyphens at the ends": (dns("-bad-.example.test"), REJECTED),
    "label of 70 octets": (dns("a" * 70 + ".example.test"), REJECTED),
    "name of 260 octets": (dns(".".join(["a" * 50] * 5) + ".example.test"), REJECTED),
    "underscore": (dns("_x.example.test"), REJECTED),
    "final dot": (dns("a.example.test."), REJECTED),
    "empty label": (dns("a..example.test"), REJECTED),
    "white space": (dns("a.example.test "), REJECTED),
    "NUL": (dns("a\x00.example.test"), REJECTED),
    "not ASCII": (dns("b\u00fccher.example.test"), REJECTED),
    "A-label that is none": (dns("xn--a-\u00e4.example.test"), REJECTED),
    "wildcard inside": (dns("a.*.example.test"), REJECTED),
    "wildcard twice": (dns("*.*.example.test"), REJECTED),
    "wildcard in a label": (dns("a*.example.test"), REJECTED),
    "wildcard alone": (dns("*"), REJECTED),
    "dns that is an IPv4 address": (dns("192.0.2.1"), REJECTED),
    "dns that is an IPv6 address": (dns("2001:db8::1"), REJECTED),
    "ip that is a name": (ip("a.example.test"), MALFORMED),
    "ip with leading zeros": (ip("192.000.002.001"), MALFORMED),
    "ip not shortest": (ip("2001:db8:0:0::1"), MALFORMED),
    "ip in capitals": (ip("2001:DB8::1"), MALFORMED),
    "ip with a zone": (ip("fe80::1%eth0"), MALFORMED),
    "ip with a prefix": (ip("192.0.2.0/24"), MALFORMED),
    "ip with a wildcard": (ip("*.0.2.1"), MALFORMED),
}


@pytest.mark.parametrize("case", IDENTIFIERS)
def test_an_identifier_that_cannot_be_certified_is_refused(lab, case):
    client = lab.client()
    account = client.register()
    identifiers, (status, error) = IDENTIFIERS[case]
    spoil = mutations.member("identifiers", identifiers, "RFC 8555 section 7.4", case)
    outcome = paired(client, lambda: client.new_order(account, dns(lab.name())), spoil, status, {error})
    assert outcome.verdict == "pass", outcome.detail


@pytest.mark.parametrize(
    "rejected", [("_x.example.test", "-y.example.test"), ("a.forbidden.test", "b.forbidden.test")], ids=["form", "policy"]
)
def test_each_identifier_that_is_rejected_is_named(lab, rejected):
    """RFC 8555 section 6.7.1: one subproblem for each, with the identifier in it, and never at the top."""
    client = lab.client(profile=lab.profile(names={"excluded_dns": ("forbidden.test",)}))
    account = client.register()
    good = lab.name()
    spoil = mutations.member("identifiers", dns(good, *rejected), "RFC 8555 section 6.7.1", "two-of-three")
    outcome = paired(client, lambda: client.new_order(account, dns(good)), spoil, 403, {"rejectedIdentifier"})
    assert outcome.verdict == "pass", outcome.detail
    named = [part["identifier"]["value"] for part in outcome.refused.object["subproblems"]]
    assert sorted(named) == sorted(rejected)


def test_a_name_is_taken_in_lower_case_and_once(lab):
    client = lab.client()
    account = client.register()
    name = lab.name()
    _, order = client.order(account, dns(name.upper(), name))
    assert order["identifiers"] == dns(name)
    assert len(order["authorizations"]) == 1


def test_a_wildcard_order_has_a_wildcard_authorization(lab):
    """RFC 8555 section 7.1.4: the name without ``*.``, ``wildcard`` true; http-01 and tls-alpn-01 prove no wildcard."""
    client = lab.client()
    account = client.register()
    name = lab.name()
    _, order = client.order(account, dns(f"*.{name}", name))
    assert sorted(i["value"] for i in order["identifiers"]) == sorted([f"*.{name}", name])
    authorizations = [client.read(account, url) for url in order["authorizations"]]
    assert [a["identifier"] for a in authorizations] == dns(name, name)
    wild, plain = sorted(authorizations, key=lambda a: not a.get("wildcard"))
    assert wild["wildcard"] is True
    assert [c["type"] for c in wild["challenges"]] == ["dns-01"]
    assert plain.get("wildcard", False) is False
    assert {c["type"] for c in plain["challenges"]} == {"http-01", "dns-01", "tls-alpn-01"}


def rfc3339(lab, **offset):
    return (lab.clock.now() + timedelta(**offset)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lab: {"notBefore": "tomorrow"},
        lambda lab: {"notBefore": ""},
        lambda lab: {"notBefore": 7},
        lambda lab: {"notAfter": "2030-02-30T00:00:00Z"},
        lambda lab: {"notAfter": "2030-01-01"},
        lambda lab: {"notAfter": rfc3339(lab, days=10)[:-1]},
        lambda lab: {"notBefore": rfc3339(lab, days=2), "notAfter": rfc3339(lab, days=1)},
        lambda lab: {"notBefore": rfc3339(lab, days=2), "notAfter": rfc3339(lab, days=2)},
        lambda lab: {"notAfter": rfc3339(lab, days=-1)},
        lambda lab: {"notAfter": rfc3339(lab, days=4000)},
        lambda lab: {"notBefore": rfc3339(lab, days=4000)},
        lambda lab: {"notBefore": rfc3339(lab, days=-400)},
    ],
)
def test_a_validity_that_cannot_be_is_refused_at_the_order(lab, spoil):
    """RFC 8555 section 7.4: an error now, not an order that waits for ever or a certificate that ends before it begins."""
    client = lab.client()
    account = client.register()
    fields = spoil(lab)
    name = lab.name()
    refused = client.send(client.new_order(account, dns(name), **fields))
    assert (refused.status, refused.error) == MALFORMED, fields
    good = {"notBefore": rfc3339(lab, hours=1), "notAfter": rfc3339(lab, days=10)}
    assert client.send(client.new_order(account, dns(name), **good)).status == 201


def test_a_validity_that_is_asked_for_is_in_order_and_certificate(lab):
    client = lab.client()
    account = client.register()
    wanted = {"notBefore": rfc3339(lab, hours=1), "notAfter": rfc3339(lab, days=10)}
    url, order = lab.ready(client, account, **wanted)
    assert {name: order[name] for name in wanted} == wanted
    leaf = lab.finalized(client, account, url).certificates[0]
    assert leaf.not_valid_before_utc == datetime.fromisoformat(wanted["notBefore"])
    assert leaf.not_valid_after_utc == datetime.fromisoformat(wanted["notAfter"])


def test_an_order_shows_what_the_text_asks_for(lab):
    client = lab.client()
    account = client.register()
    url, order = client.order(account, dns(lab.name()))
    assert order["status"] == "pending"
    assert datetime.fromisoformat(order["expires"]) > lab.clock.now()
    assert client.read(account, url) == order
    for link in (url, order["finalize"], *order["authorizations"]):
        assert link.startswith(client.directory_url.removesuffix("directory"))
    assert "certificate" not in order
    assert "error" not in order


def test_an_order_becomes_ready_when_the_last_authorization_is_valid(lab):
    """RFC 8555 section 7.1.6, and the race that clients ran into: ready as soon as the authorization says valid."""
    client = lab.client()
    account = client.register()
    url, order = client.order(account, dns(lab.name(), lab.name()))
    for authorization, status in zip(order["authorizations"], ("pending", "ready"), strict=True):
        lab.prove(client, account, authorization)
        assert client.read(account, authorization)["status"] == "valid"
        assert client.read(account, url)["status"] == status


def test_an_order_that_expires_is_invalid(own_lab):
    client = own_lab.client()
    account = client.register()
    pending_url, pending = client.order(account, dns(own_lab.name()))
    ready_url, ready = own_lab.ready(client, account)
    own_lab.clock.advance(timedelta(days=8))
    client.forget_nonces()
    assert client.read(account, pending_url)["status"] == "invalid"
    assert client.read(account, ready_url)["status"] == "invalid"
    for order in (pending, ready):
        refused = client.send(client.finalize(account, order["finalize"], own_lab.csr(order["identifiers"])))
        assert (refused.status, refused.error) == (403, "orderNotReady")
    assert client.read(account, pending["authorizations"][0])["status"] in {"expired", "invalid"}


def test_an_order_after_a_failed_one_gets_a_new_authorization(lab):
    """A failed authorization is never offered again, or the client could never succeed."""
    client = lab.client()
    account = client.register()
    name = lab.name()
    url, order = client.order(account, dns(name))
    lab.fail(client, account, order["authorizations"][0])
    assert client.read(account, url)["status"] == "invalid"
    _, second = client.order(account, dns(name))
    assert second["status"] == "pending"
    assert not set(second["authorizations"]) & set(order["authorizations"])
    assert client.read(account, second["authorizations"][0])["status"] == "pending"


def test_an_invalid_order_stays_invalid_and_says_why(lab):
    client = lab.client()
    account = client.register()
    url, order = client.order(account, dns(lab.name()))
    lab.fail(client, account, order["authorizations"][0])
    for _ in range(2):
        read = client.send(client.fetch(account, url))
        assert read.object["status"] == "invalid"
        assert read.header("Retry-After") is None
    refused = client.send(client.finalize(account, order["finalize"], lab.csr(order["identifiers"])))
    assert (refused.status, refused.error) == (403, "orderNotReady")


def test_a_valid_authorization_is_used_again_by_its_account_only(lab):
    client = lab.client()
    account, other = client.register(), client.register()
    name = lab.name()
    lab.ready(client, account, names=[name])
    assert client.order(account, dns(name))[1]["status"] == "ready"
    assert client.order(other, dns(name))[1]["status"] == "pending"


def test_a_wildcard_authorization_proves_no_other_name_nor_the_reverse(lab):
    client = lab.client()
    account = client.register()
    name = lab.name()
    lab.ready(client, account, names=[name])
    _, order = client.order(account, dns(f"*.{name}"))
    assert order["status"] == "pending"
    _, below = client.order(account, dns(f"a.{name}"))
    assert below["status"] == "pending"


def test_reuse_can_be_switched_off(lab):
    client = lab.client(profile=lab.profile(acme={"authorization_reuse": False}))
    account = client.register()
    name = lab.name()
    lab.ready(client, account, names=[name])
    assert client.order(account, dns(name))[1]["status"] == "pending"


def test_too_many_identifiers_are_refused(lab):
    client = lab.client(profile=lab.profile(names={"maximum": 3}))
    account = client.register()
    assert client.send(client.new_order(account, dns(*(lab.name() for _ in range(3))))).status == 201
    refused = client.send(client.new_order(account, dns(*(lab.name() for _ in range(4)))))
    assert (refused.status, refused.error) == REJECTED
