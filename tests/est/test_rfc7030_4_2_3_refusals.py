"""Refusals as HTTP: every reason has a status, and what a reply says beside it."""

import pytest

from privca.base.refused import Reason, Refused
from privca.est.rfc7030 import refusal
from privca.est.rfc7030.refusal import NothingPresented


def test_every_reason_has_a_status_of_an_error():
    assert set(refusal.STATUSES) == set(Reason)
    assert all(400 <= status < 600 for status in refusal.STATUSES.values())


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.name)
def test_rfc8951_5_1_a_text_that_names_the_clause(reason):
    refused = Refused(reason, "RFC 1 section 2", "something is wrong", expected="this", got="that")
    response = refusal.response(refused, ["Basic realm=x"])
    assert response.status == refusal.STATUSES[reason]
    assert response.header("Content-Type") == "text/plain; charset=utf-8"
    assert response.body == b"something is wrong; expected this, got that (RFC 1 section 2)\n"


def test_rfc9110_15_5_2_no_401_without_a_challenge():
    refused = Refused(Reason.UNAUTHENTICATED, "RFC 1", "who are you")
    assert refusal.response(refused).status == 403
    challenged = refusal.response(refused, ["Basic realm=x", "Digest realm=x"])
    assert challenged.status == 401
    assert [value for name, value in challenged.headers if name == "WWW-Authenticate"] == ["Basic realm=x", "Digest realm=x"]


def test_a_challenge_stands_in_a_401_alone():
    for reason in Reason:
        response = refusal.response(Refused(reason, "RFC 1", "no"), ["Basic realm=x"])
        assert (response.header("WWW-Authenticate") is not None) is (response.status == 401)


def test_who_presents_nothing_gets_no_body_only_if_there_is_a_challenge():
    assert refusal.response(NothingPresented(), ["Basic realm=x"]).body == b""
    assert b"RFC 7030 section 3.2.3" in refusal.response(NothingPresented()).body


def test_when_to_ask_again_and_how_to_ask():
    busy = refusal.response(Refused(Reason.UNAVAILABLE, "RFC 1", "later", retry_after=7))
    assert (busy.status, busy.header("Retry-After")) == (503, "7")
    wrong = refusal.response(Refused(Reason.METHOD_NOT_ALLOWED, "RFC 1", "no", expected="POST"))
    assert (wrong.status, wrong.header("Allow")) == (405, "POST")


def test_each_part_of_a_refusal_has_a_line():
    parts = [Refused(Reason.REJECTED_IDENTIFIER, "profile: names", f"name {n}") for n in (1, 2)]
    body = refusal.response(Refused(Reason.COMPOUND, "profile: names", "two names", parts=parts)).body
    assert body == b"two names (profile: names)\nname 1 (profile: names)\nname 2 (profile: names)\n"


def test_what_was_decided_outside_is_text_too():
    response = refusal.outside(413, "too much (RFC 9110 section 15.5.14)")
    assert (response.status, response.header("Content-Type")) == (413, "text/plain; charset=utf-8")
