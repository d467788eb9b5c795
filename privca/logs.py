"""The log: one line an event on standard error or in a file, for people on a terminal and as ``key=value`` for programs."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

from privca.config import Config


def configure(config: Config) -> None:
    """Send the log of this process where the configuration says. Secrets never get this far: nothing that is logged contains one."""
    out = _open(config)
    terminal = out.isatty()
    stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S" if terminal else "iso", utc=not terminal)
    before: list[Processor] = [structlog.processors.add_log_level, stamp, structlog.processors.format_exc_info]
    for_programs = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    for_people: list[Processor] = [_in_words, structlog.dev.ConsoleRenderer(pad_event_to=0, pad_level=False, sort_keys=False)]
    structlog.configure(
        processors=[*before, *for_people] if terminal else [*before, for_programs],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )


def _in_words(_: object, __: str, event: EventDict) -> EventDict:
    """An exchange as a line that is read from left to right."""
    if event["event"] != "exchange":
        return event
    said = f"{event['method']:<4} {event['status']} {event['path']}  {event['decision']}"
    return {
        "timestamp": event["timestamp"],
        "level": event["level"],
        "event": f"{said} ({event['clause']}) {event['ms']} ms" if event["clause"] else f"{said} {event['ms']} ms",
    }


def _open(config: Config) -> TextIO:
    if not config.server.log:
        return sys.stderr
    descriptor = os.open(config.file(config.server.log), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "a", buffering=1, encoding="utf-8")
