"""Rates as people write them in a configuration: ``300/3h`` is at most 300 in any three hours."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from privca.base.durations import duration


class Rate(NamedTuple):
    """At most ``most`` in any window of this length."""

    most: int
    window: timedelta


@lru_cache(maxsize=256)
def rate(text: str) -> Rate:
    """``text`` as a rate; :class:`ValueError` says what would be right."""
    count, _, window = text.partition("/")
    if not (count.isascii() and count.isdigit() and len(count) <= 9 and int(count)):
        raise ValueError(f"{text!r} is not a rate: write a number from 1 on, '/' and a duration, as in '300/3h'")
    length = duration(window)
    if not length:
        raise ValueError(f"{text!r} is not a rate: its window is empty")
    return Rate(int(count), length)
