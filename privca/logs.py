"""The log: one line an event on standard error or in a file, for people on a terminal and as ``key=value`` for programs."""

from __future__ import annotations

import atexit
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO, cast

import structlog

from privca.base.exchange import Exchange
from privca.config import Config
from privca.web.resource import ExchangeLog

GATHERED = 0.1
"""Seconds that the lines of exchanges wait for each other before they are written."""


class Lines:
    """Where lines go: at once, or, if they may wait, all that came within :data:`GATHERED` seconds in one write.

    Whatever is written at once is written behind what waits, so the order is that of the events. What waits is lost when the process is
    killed: about exchanges the log is for people, as the transcript is, and the store is the memory. A write for each line took 1 % of
    an ACME issuance.

    :param later: ``reactor.callLater``; None: nothing waits.
    """

    def __init__(self, out: TextIO, later: Callable[[float, Callable[[], None]], object] | None) -> None:
        self._out = out
        self._later = later
        self._waiting: list[str] = []

    def write(self, text: str) -> None:
        """Write at once."""
        if self._waiting:
            self.flush()
        self._out.write(text)

    def gather(self, line: str) -> None:
        """Write soon."""
        if self._later is None:
            self._out.write(line)
            return
        if not self._waiting:
            self._later(GATHERED, self.flush)
        self._waiting.append(line)

    def flush(self) -> None:
        """Write what waits."""
        lines, self._waiting = self._waiting, []
        if lines:
            self._out.write("".join(lines))
            self._out.flush()


def configure(config: Config, later: Callable[[float, Callable[[], None]], object] | None = None) -> ExchangeLog:
    """Send the log of this process where the configuration says. Secrets never get this far: nothing that is logged contains one.

    :param later: ``reactor.callLater``, with which the lines of exchanges are gathered unless somebody watches them on a terminal.
    :returns: what writes the line of an exchange, past structlog: every request has one, and structlog took 5 % of each.
    """
    out = _open(config)
    terminal = out.isatty()
    lines = Lines(out, None if terminal else later)
    atexit.register(lines.flush)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if terminal else "iso", utc=not terminal),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(pad_event_to=0, pad_level=False, sort_keys=False)
            if terminal
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", lines)),
        cache_logger_on_first_use=True,
    )
    line = line_for_people if terminal else line_for_programs

    def write(exchange: Exchange, method: str, path: str, status: int, seconds: float) -> None:
        # Needs no flush: standard error and the file are line-buffered.
        lines.gather(line(datetime.now(UTC), exchange, method, path, status, seconds))

    return write


_NEEDS_QUOTES = re.compile(r"[^!#-<>-\[\]-~]")  # anything but visible ASCII without quote, equals sign and backslash

_COLOURS = {2: "\x1b[32m", 3: "\x1b[32m", 4: "\x1b[33m", 5: "\x1b[31m"}


def line_for_people(at: datetime, exchange: Exchange, method: str, path: str, status: int, seconds: float) -> str:
    """An exchange on a terminal: read from left to right, in local time."""
    decision, dim, plain, colour = exchange.decision, "\x1b[2m", "\x1b[0m", _COLOURS.get(status // 100, "")
    said = f"{dim}{at.astimezone():%H:%M:%S}{plain} {colour}{status}{plain} {method:<4} {path}"
    return f"{said}  {decision.outcome}{dim}  {decision.clause}  {seconds * 1000:.1f} ms{plain}\n"


def line_for_programs(at: datetime, exchange: Exchange, method: str, path: str, status: int, seconds: float) -> str:
    """An exchange as ``key=value`` (logfmt), ``at`` being UTC."""
    decision = exchange.decision
    return (
        f"timestamp={at.isoformat()[:-6]}Z level=info event=exchange method={_known(method)} "
        f"path={_quoted(path)} status={status} decision={_known(decision.outcome)} "
        f"clause={_known(decision.clause)} ms={seconds * 1000:.1f} exchange={exchange.id}\n"
    )


def _quoted(text: str) -> str:
    """A value as logfmt writes it: in quotes if anything in it could end it, control characters escaped."""
    if text and not _NEEDS_QUOTES.search(text):
        return text
    return json.dumps(text)


_known = lru_cache(maxsize=1024)(_quoted)  # methods, decisions and clauses are always the same few; paths are not


def _open(config: Config) -> TextIO:
    if not config.server.log:
        return sys.stderr
    descriptor = os.open(config.file(config.server.log), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "a", buffering=1, encoding="utf-8")
