"""Octets that nobody meant: every reply is a problem document with a 4xx status, and every parser refuses or accepts, never breaks."""

from __future__ import annotations

import json
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privca.acme.rfc8555 import contact
from privca.acme.rfc8555.certificate import OFFERED, negotiate
from privca.acme.rfc8555.urls import Urls
from privca.base.refused import Reason, Refused

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = "identifiers identifier notBefore notAfter contact status csr certificate reason account oldKey externalAccountBinding type value".split()
PAYLOADS = st.dictionaries(
    st.sampled_from(MEMBERS), VALUES | st.fixed_dictionaries({"type": VALUES, "value": VALUES}), max_size=4
)
TAILS = ["new-account", "new-order", "new-authz", "revoke-cert", "key-change"]


def is_a_refusal(reply):
    assert 400 <= reply.status < 500, reply.response.body
    problem = reply.json
    assert problem["status"] == reply.status
    assert re.search(r"\((RFC [0-9]+ |profile)", problem["detail"])


def outcome(action):
    """What it returns, or the reason of its refusal."""
    try:
        return action()
    except Refused as refused:
        return refused.reason


@QUICK
@given(body=st.binary(max_size=200) | VALUES.map(lambda v: json.dumps(v).encode()))
def test_bodies(client, body):
    is_a_refusal(client.raw(client.url("new-order"), body))


@QUICK
@given(tail=st.sampled_from(TAILS), payload=st.binary(max_size=60) | PAYLOADS)
def test_payloads(client, tail, payload):
    reply = client.post(tail, payload, jwk=tail == "new-account")
    if reply.status >= 300:
        is_a_refusal(reply)
    else:
        assert tail in ("new-account", "new-order", "new-authz")


@QUICK
@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "nonce", "url", "kid", "jwk", "crit", "b64", "x"]), VALUES, min_size=1, max_size=3
    )
)
def test_protected_headers(client, header):
    base = {"alg": "ES256", "nonce": client.fresh(), "url": client.kid, "kid": client.kid}
    reply = client.raw(client.kid, client.body(client.kid, None, header=base | header))
    if reply.status != 200:
        is_a_refusal(reply)
    else:
        assert set(header) == {"x"}


@QUICK
@given(tail=st.text(max_size=30), query=st.text(max_size=10))
def test_paths(world, client, tail, query):
    reply = world.send(client.profile, "GET", client.url(tail) + "?" + query)
    assert reply.status in (200, 204, 404, 405)


@QUICK
@given(
    accept=st.text(max_size=40)
    | st.lists(st.sampled_from([*OFFERED, "*/*", ";", "q=0.5", ",", "q=", "application/*"])).map("".join)
)
def test_accept(accept):
    assert outcome(lambda: negotiate(accept, tolerant=False)) in (*OFFERED, Reason.NOT_ACCEPTABLE)


@QUICK
@given(text=st.text(max_size=40) | st.text(max_size=40).map("mailto:".__add__))
def test_contacts(text):
    found = outcome(lambda: contact.check([text], 1))
    if found not in (Reason.INVALID_CONTACT, Reason.UNSUPPORTED_CONTACT):
        assert found == (text,)
        assert text.lower().startswith("mailto:")
        assert not set("?,#") & set(text)


@QUICK
@given(kid=st.text(max_size=60) | st.lists(st.sampled_from(["https://h/acme/p", "/", "acct", "x", ".."])).map("".join))
def test_account_urls(kid):
    own = Urls("https://h/acme/p", "https://h/acme/p").account_of(kid)
    assert own is None or kid == f"https://h/acme/p/acct/{own[1]}"
    found = Urls("https://h/front", "https://h/acme/p").account_of(kid)
    assert found is None or kid == f"https://h/acme/{found[0]}/acct/{found[1]}"
