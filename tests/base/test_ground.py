from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta, timezone

import pytest

from privca.base.clock import SetClock, SystemClock, rfc3339
from privca.base.durations import duration
from privca.base.entropy import SeededEntropy, SystemEntropy, token
from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.base.states import StateTable


class Light(enum.Enum):
    RED = "red"
    GREEN = "green"


class Event(enum.Enum):
    GO = "go"
    BREAK = "break"


TABLE = StateTable("the light", "RFC 0 section 1", {(Light.RED, Event.GO): Light.GREEN})


def test_state_table_follows_what_it_lists() -> None:
    assert TABLE.after(Light.RED, Event.GO) is Light.GREEN
    assert TABLE.allows(Light.RED, Event.GO)
    assert not TABLE.allows(Light.GREEN, Event.GO)


def test_state_table_refuses_the_rest_and_says_what_would_do() -> None:
    with pytest.raises(Refused) as refused:
        TABLE.after(Light.GREEN, Event.GO)
    assert refused.value.reason is Reason.WRONG_STATE
    assert str(refused.value) == "the light cannot go now; expected red, got green (RFC 0 section 1)"
    with pytest.raises(Refused, match="no state"):
        TABLE.after(Light.RED, Event.BREAK)


def test_refusal_reads_as_a_sentence() -> None:
    assert str(Refused(Reason.MALFORMED, "RFC 1", "no")) == "no (RFC 1)"
    assert str(Refused(Reason.MALFORMED, "RFC 1", "no", got="x")) == "no; got x (RFC 1)"
    assert str(Refused(Reason.MALFORMED, "RFC 1", "no", expected="y")) == "no; expected y (RFC 1)"


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172800), ("1w", 604800), ("1y", 31536000)]
)
def test_duration(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "d", "-1d", "1.5h", "1 d", "1D", "9999999999s", "1d2h", "\u0661d"])
def test_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        duration(text)


def test_clocks_tell_whole_seconds_in_utc() -> None:
    now = SystemClock().now()
    assert (now.microsecond, now.tzinfo) == (0, UTC)
    clock = SetClock(datetime(2026, 1, 1, 1, 0, 0, 5, tzinfo=timezone(timedelta(hours=1))))
    assert rfc3339(clock.now()) == "2026-01-01T00:00:00Z"
    clock.advance(timedelta(seconds=1))
    assert rfc3339(clock.now()) == "2026-01-01T00:00:01Z"


def test_seeded_entropy_repeats_and_does_not_stall() -> None:
    one, other = SeededEntropy(b"seed"), SeededEntropy(b"seed")
    drawn = one.octets(100)
    assert len(drawn) == 100
    assert other.octets(100) == drawn
    assert one.octets(100) != drawn
    assert SeededEntropy(b"else").octets(100) != drawn


def test_token_has_the_entropy_that_was_asked_for() -> None:
    assert len(token(SystemEntropy())) == 22  # 16 octets in base64url without padding
    assert len({token(SystemEntropy()) for _ in range(100)}) == 100


def test_response_header_whatever_its_case() -> None:
    assert Response(200, (("Replay-Nonce", "x"),)).header("replay-nonce") == "x"
    assert Response(200).header("Location") is None
