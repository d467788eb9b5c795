"""What a client did is read from what the server wrote down."""

from __future__ import annotations

import dataclasses

import pytest

from interop.grading import grade
from interop.scenarios import SCENARIOS
from interop.servers.privca import exchange
from interop.servers.server import Exchange

ORDER, POLL = "POST /new-order HTTP/1.1", "POST /order/1 HTTP/1.1"


def told(time: int, request: str = ORDER, status: str = "429", retry_after: int | None = 4) -> Exchange:
    return Exchange(time, request, f"HTTP/1.1 {status} x", "refused", retry_after)


def served(time: int, request: str = ORDER) -> Exchange:
    return Exchange(time, request, "HTTP/1.1 200 OK", "done")


@pytest.mark.parametrize(
    ("exchanges", "did"),
    [
        ([told(10), served(14)], "waited"),
        ([told(10), served(11, "GET /directory HTTP/1.1"), served(15)], "waited"),
        ([told(10), served(13)], "hurried"),
        ([told(10), told(14), served(16)], "hurried"),
        ([told(10), told(14)], "waited"),  # and then gave up: it came back when it was told to
        ([told(10)], "gave up"),
        ([told(10), served(12, POLL)], "gave up"),
        ([told(10, retry_after=None), served(10)], "retried"),
        ([served(10)], ""),
        ([], ""),
    ],
)
def test_grade(exchanges, did):
    found = grade(SCENARIOS["rate-limit"], exchanges)
    assert found.did == did
    assert found.check.ok == (did not in ("hurried", ""))


def test_who_may_hurry_has_not_failed():
    scenario = SCENARIOS["retry-after"]
    finalized = dataclasses.replace(told(10, "POST /order/1/finalize HTTP/1.1", "200", 3))
    found = grade(scenario, [finalized, served(11, POLL)])
    assert (found.did, found.check.ok) == ("hurried", True)


def test_a_pause_that_no_field_tells():
    scenario = dataclasses.replace(SCENARIOS["cmp-pending"], pause=2)
    waits = [Exchange(10, "POST /cmp HTTP/1.1", "HTTP/1.1 200 OK", "request waits"), served(11, "POST /cmp HTTP/1.1")]
    assert grade(dataclasses.replace(scenario, provoked="waits"), waits).did == "hurried"


def test_a_line_of_a_transcript():
    line = {
        "time": "2026-11-30T03:24:58Z",
        "request": {"head": {"text": "POST /x HTTP/1.1\r\nHost: a\r\nRetry-After: 9\r\n"}},
        "reply": {"head": {"text": "HTTP/1.1 202 Accepted\r\nretry-after: 5\r\nX: y"}},
        "outcome": "request waits",
        "facts": {"retry_after": "5"},
    }
    found = exchange(line)
    assert str(found) == "POST /x HTTP/1.1 -> HTTP/1.1 202 Accepted -> request waits -> Retry-After 5"
    assert exchange({**line, "time": "2026-11-30T03:25:00Z"}).time - found.time == 2
    bare = {**line, "request": {"head": {"base64": "AA=="}}, "reply": {"head": {"text": "HTTP/1.1 200 OK"}}}
    assert str(exchange(bare)) == " -> HTTP/1.1 200 OK -> request waits"


def test_every_scenario_that_grades_says_what_provokes():
    for scenario in SCENARIOS.values():
        assert scenario.provoked or not (scenario.pause or scenario.must_wait or scenario.back), scenario.id
