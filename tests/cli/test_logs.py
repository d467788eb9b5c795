from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from privca.base.entropy import SystemEntropy
from privca.base.exchange import Exchange
from privca.config import Config
from privca.logs import GATHERED, Lines, configure, line_for_people, line_for_programs

AT = datetime(2026, 1, 1, 0, 0, 0, 250000, tzinfo=UTC)


@pytest.fixture
def exchange() -> Exchange:
    made = Exchange("ab-1", AT, SystemEntropy(), "lab")
    made.decided("order created", "RFC 8555 section 7.4", "not in the log")
    return made


def test_an_exchange_for_programs(exchange: Exchange) -> None:
    assert line_for_programs(AT, exchange, "POST", "/acme/lab/new-order", 201, 0.00151) == (
        "timestamp=2026-01-01T00:00:00.250000Z level=info event=exchange method=POST path=/acme/lab/new-order status=201 "
        'decision="order created" clause="RFC 8555 section 7.4" ms=1.5 exchange=ab-1\n'
    )


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/a", "/a"),
        ("", '""'),
        ("/a=b", '"/a=b"'),
        ('/"x', '"/\\"x"'),
        ("/\\", '"/\\\\"'),
        ("/a\nlevel=error", '"/a\\nlevel=error"'),
        ("/\x1b[31m", '"/\\u001b[31m"'),
    ],
)
def test_what_a_client_sends_cannot_forge_a_line(exchange: Exchange, path: str, written: str) -> None:
    line = line_for_programs(AT, exchange, "GET", path, 404, 0.001)
    assert f" path={written} status=404 " in line
    assert line.index("\n") == len(line) - 1


def test_an_exchange_for_people_reads_from_left_to_right(exchange: Exchange) -> None:
    line = line_for_people(AT, exchange, "POST", "/acme/lab/new-order", 201, 0.00151)
    assert (
        line.index("201")
        < line.index("POST")
        < line.index("order created")
        < line.index("RFC 8555")
        < line.index("1.5 ms\x1b[0m\n")
    )


@pytest.mark.parametrize("terminal", [False, True])
def test_exchanges_and_all_other_events_go_to_one_place(
    exchange: Exchange, terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", out)
    before = structlog.get_config()
    try:
        exchange_log = configure(Config(path=Path("privca.toml")))
        exchange_log(exchange, "GET", "/crl", 200, 0.001)
        structlog.get_logger().warning("the store is slow", seconds=3)
    finally:
        structlog.configure(**before)
    said = out.getvalue().split("\n")
    assert "/crl" in said[0]
    assert "the store is slow" in said[1]
    assert terminal or said[1].endswith('Z level=warning event="the store is slow" seconds=3')
    assert said[2:] == [""]


def test_lines_of_exchanges_wait_for_each_other_and_nothing_overtakes_them() -> None:
    out, later = io.StringIO(), []
    lines = Lines(out, lambda seconds, call: later.append((seconds, call)))
    lines.gather("one\n")
    lines.gather("two\n")
    assert out.getvalue() == ""
    assert [seconds for seconds, _ in later] == [GATHERED]
    lines.write("an error\n")
    assert out.getvalue() == "one\ntwo\nan error\n"
    lines.gather("three\n")
    for _, call in later:
        call()
    assert out.getvalue() == "one\ntwo\nan error\nthree\n"
    lines.flush()


def test_lines_that_may_not_wait_do_not() -> None:
    out = io.StringIO()
    Lines(out, None).gather("one\n")
    assert out.getvalue() == "one\n"
