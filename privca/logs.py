"""The log: one line an event on standard error or in a file, for people on a terminal and as ``key=value`` for programs."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import structlog

from privca.config import Config


def configure(config: Config) -> None:
    """Send the log of this process where the configuration says. Secrets never get this far: nothing that is logged contains one."""
    out = _open(config)
    terminal = out.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if terminal else "iso", utc=not terminal),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(pad_event_to=0, sort_keys=False)
            if terminal
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )


def _open(config: Config) -> TextIO:
    if not config.server.log:
        return sys.stderr
    descriptor = os.open(config.file(config.server.log), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "a", buffering=1, encoding="utf-8")
