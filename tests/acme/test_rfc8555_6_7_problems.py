"""RFC 8555 section 6.7: problem documents."""

from __future__ import annotations

import json

import pytest

from privca.acme.rfc8555 import problem
from privca.base.names import Name, NameKind
from privca.base.refused import Reason, Refused

# The table of section 6.7, which section 9.7.4 makes the initial registry.
REGISTERED = set(
    "accountDoesNotExist alreadyRevoked badCSR badNonce badPublicKey badRevocationReason badSignatureAlgorithm caa compound connection "
    "dns externalAccountRequired incorrectResponse invalidContact malformed orderNotReady rateLimited rejectedIdentifier "
    "serverInternal tls unauthorized unsupportedContact unsupportedIdentifier userActionRequired "
    # RFC 9773 section 7.4.
    "alreadyReplaced".split()
)


def test_the_table_is_total_and_speaks_of_registered_types_only():
    assert set(problem.TABLE) == set(Reason)
    assert {type for type, _ in problem.TABLE.values()} == REGISTERED
    assert all(400 <= status < 600 for _, status in problem.TABLE.values())


@pytest.mark.parametrize(
    ("reason", "type", "status"),
    [
        (Reason.BAD_NONCE, "badNonce", 400),  # section 6.5
        (Reason.BAD_SIGNATURE_ALGORITHM, "badSignatureAlgorithm", 400),  # section 6.2
        (Reason.BAD_PUBLIC_KEY, "badPublicKey", 400),  # section 6.2
        (Reason.UNSUPPORTED_MEDIA_TYPE, "malformed", 415),  # section 6.2
        (Reason.METHOD_NOT_ALLOWED, "malformed", 405),  # section 6.3
        (Reason.UNKNOWN_ACCOUNT, "accountDoesNotExist", 400),  # section 7.3.1
        (Reason.TERMS_NOT_AGREED, "userActionRequired", 403),  # section 7.3.3
        (Reason.KEY_IN_USE, "malformed", 409),  # section 7.3.5
        (Reason.UNAUTHENTICATED, "unauthorized", 401),  # section 7.3.6
        (Reason.ORDER_NOT_READY, "orderNotReady", 403),  # section 7.4
        (Reason.REJECTED_IDENTIFIER, "rejectedIdentifier", 403),  # section 7.4.1
        (Reason.UNAUTHORIZED, "unauthorized", 403),  # section 7.6
        (Reason.ALREADY_REVOKED, "alreadyRevoked", 400),  # section 7.6
    ],
)
def test_where_the_text_fixes_type_or_status(reason, type, status):
    assert problem.TABLE[reason] == (type, status)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_a_whole_problem_document(reason):
    response = problem.response(Refused(reason, "RFC 8555 section 0", "it is so", expected="that", got="this"))
    document = json.loads(response.body)
    assert response.header("content-type") == "application/problem+json"
    assert document["status"] == response.status
    assert document["type"].startswith("urn:ietf:params:acme:error:")
    assert document["detail"] == "it is so; expected that, got this (RFC 8555 section 0)"
    assert "identifier" not in document
    assert ("algorithms" in document) == (reason is Reason.BAD_SIGNATURE_ALGORITHM)


def test_identifiers_stand_in_subproblems_alone():
    name = Name(NameKind.DNS, "a.example.test")
    one = problem.problem(Refused(Reason.CAA, "c", "d", name=name))
    assert one.identifier is None
    assert one.subproblems[0].identifier == problem.Identifier("dns", "a.example.test")
    nested = Refused(
        Reason.COMPOUND, "c", "d", parts=[Refused(Reason.CAA, "c", "d", name=name, parts=[Refused(Reason.DNS, "c", "d")])]
    )
    assert problem.problem(nested).subproblems[0].subproblems is None


def test_retry_after_location_and_terms_become_headers():
    in_use = problem.response(Refused(Reason.KEY_IN_USE, "c", "d", location="https://ca.example.test/x"))
    assert in_use.header("location") == "https://ca.example.test/x"
    limited = problem.response(Refused(Reason.RATE_LIMITED, "c", "d", retry_after=7, location="https://ca.example.test/x"))
    assert limited.header("retry-after") == "7"
    assert limited.header("link") == '<https://ca.example.test/x>;rel="help"'
    assert limited.header("location") is None
    terms = problem.response(Refused(Reason.TERMS_NOT_AGREED, "c", "d", location="https://ca.example.test/terms"))
    assert terms.header("link") == '<https://ca.example.test/terms>;rel="terms-of-service"'
    assert terms.header("location") is None
    assert json.loads(terms.body)["instance"] == "https://ca.example.test/terms"


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "nothing",
        "order",
        "order/",
        "order/x/y",
        "order/a/finalize/b",
        "acct/a/b",
        "chall/x",
        "Directory",
        "cert/a/b/c",
        "../directory",
    ],
)
def test_404_is_a_problem_too(client, tail):
    for reply in (client.get(tail), client.post(tail, {})):
        assert (reply.status, reply.type) == (404, "malformed")
        assert "RFC 8555" in reply.json["detail"]


@pytest.mark.parametrize("tail", ["order/x", "order/x/finalize", "authz/x", "chall/x/http-01", "cert/x", "cert/x/1"])
def test_unknown_identifiers_are_404(client, tail):
    payload = {"csr": "AAAA"} if tail.endswith("finalize") else None
    reply = client.post(tail, payload)
    assert (reply.status, reply.type) == (404, "malformed")


def test_6_7_1_one_subproblem_for_each_identifier(world):
    client = world.client(world.profile())
    wanted = [
        {"type": "dns", "value": "good.example.test"},
        {"type": "dns", "value": "_bad.example.test"},
        {"type": "email", "value": "a@example.test"},
        {"type": "telephone", "value": "1"},
        {"type": "ip", "value": "192.0.2.010"},
    ]
    reply = client.post("new-order", {"identifiers": wanted})
    assert (reply.status, reply.type) == (403, "compound")
    found = [(p["type"].rpartition(":")[2], p.get("identifier", {}).get("value")) for p in reply.json["subproblems"]]
    assert found == [
        ("rejectedIdentifier", "_bad.example.test"),
        ("unsupportedIdentifier", "a@example.test"),
        ("unsupportedIdentifier", None),
        ("malformed", "192.0.2.010"),
    ]


def test_a_conflict_that_does_not_end_is_503(world, client, monkeypatch):
    from privca.issuance.ports import Conflict

    async def commit(*records):
        raise Conflict("always")

    monkeypatch.setattr(world.store, "commit", commit)
    reply = client.order("a.example.test")
    assert (reply.status, reply.type) == (503, "serverInternal")
    assert reply.header("retry-after") == "1"
