from __future__ import annotations

from typing import Any

import pytest

from privca.logs import _ForPeople, _ForPrograms

EXCHANGE: dict[str, Any] = {
    "event": "exchange",
    "timestamp": "2026-01-01T00:00:00Z",
    "level": "info",
    "method": "POST",
    "path": "/acme/lab/new-order",
    "status": 201,
    "decision": "order created",
    "clause": "RFC 8555 section 7.4",
    "ms": 1.5,
    "exchange": "ab-1",
}


def test_an_exchange_for_programs() -> None:
    assert _ForPrograms()(None, "info", dict(EXCHANGE)) == (
        "timestamp=2026-01-01T00:00:00Z level=info event=exchange method=POST path=/acme/lab/new-order status=201 "
        'decision="order created" clause="RFC 8555 section 7.4" ms=1.5 exchange=ab-1'
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
def test_what_a_client_sends_cannot_forge_a_line(path: str, written: str) -> None:
    line = _ForPrograms()(None, "info", {**EXCHANGE, "path": path})
    assert f" path={written} status=201 " in line
    assert "\n" not in line


def test_anything_else_is_rendered_too() -> None:
    event = {"event": "the store is slow", "timestamp": "t", "level": "warning", "seconds": 3}
    assert _ForPrograms()(None, "warning", dict(event)) == 'timestamp=t level=warning event="the store is slow" seconds=3'
    assert "the store is slow" in _ForPeople()(None, "warning", dict(event))


def test_an_exchange_for_people_reads_from_left_to_right() -> None:
    line = _ForPeople()(None, "info", dict(EXCHANGE))
    assert line.index("201") < line.index("POST") < line.index("order created") < line.index("RFC 8555")
