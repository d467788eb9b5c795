"""The log: one line an event on standard error or in a file, for people on a terminal and as ``key=value`` for programs."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any, ClassVar, TextIO

import structlog
from structlog.typing import EventDict, Processor

from privca.config import Config


def configure(config: Config) -> None:
    """Send the log of this process where the configuration says. Secrets never get this far: nothing that is logged contains one."""
    out = _open(config)
    terminal = out.isatty()
    stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S" if terminal else "iso", utc=not terminal)
    before: list[Processor] = [structlog.processors.add_log_level, stamp, structlog.processors.format_exc_info]
    structlog.configure(
        processors=[*before, _ForPeople() if terminal else _ForPrograms()],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )


_NEEDS_QUOTES = re.compile(r"[^!#-<>-\[\]-~]")  # anything but visible ASCII without quote, equals sign and backslash


class _ForPeople:
    """Renders for a terminal: an exchange as a line that is read from left to right, anything else as structlog does."""

    _COLOURS: ClassVar[dict[int, str]] = {2: "\x1b[32m", 3: "\x1b[32m", 4: "\x1b[33m", 5: "\x1b[31m"}

    def __init__(self) -> None:
        self._other = structlog.dev.ConsoleRenderer(pad_event_to=0, pad_level=False, sort_keys=False)

    def __call__(self, logger: Any, name: str, event: EventDict) -> str:
        """One line."""
        if event["event"] != "exchange":
            return self._other(logger, name, event)
        dim, plain, colour = "\x1b[2m", "\x1b[0m", self._COLOURS.get(event["status"] // 100, "")
        said = f"{dim}{event['timestamp']}{plain} {colour}{event['status']}{plain} {event['method']:<4} {event['path']}"
        return f"{said}  {event['decision']}{dim}  {event['clause']}  {event['ms']} ms{plain}"


class _ForPrograms:
    """Renders ``key=value`` (logfmt). An exchange, which every request writes one of, is put together here: structlog takes thrice as long."""

    def __init__(self) -> None:
        self._other = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])

    def __call__(self, logger: Any, name: str, event: EventDict) -> str:
        """One line."""
        if event["event"] != "exchange":
            return self._other(logger, name, event)
        return (
            f"timestamp={event['timestamp']} level={event['level']} event=exchange method={_quoted(event['method'])} "
            f"path={_quoted(event['path'])} status={event['status']} decision={_quoted(event['decision'])} "
            f"clause={_quoted(event['clause'])} ms={event['ms']} exchange={event['exchange']}"
        )


def _quoted(text: str) -> str:
    """A value as logfmt writes it: in quotes if anything in it could end it, control characters escaped."""
    if text and not _NEEDS_QUOTES.search(text):
        return text
    return json.dumps(text)


def _open(config: Config) -> TextIO:
    if not config.server.log:
        return sys.stderr
    descriptor = os.open(config.file(config.server.log), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "a", buffering=1, encoding="utf-8")
