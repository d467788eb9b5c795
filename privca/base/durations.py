"""Durations as people write them in a configuration: ``90s``, ``15m``, ``1h``, ``30d``, ``2w``, ``1y`` (365 days)."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}


@lru_cache(maxsize=256)
def duration(text: str) -> timedelta:
    """``text`` as a timedelta of whole seconds; :class:`ValueError` says what would be right."""
    match = re.fullmatch(r"([0-9]{1,9})([smhdwy])", text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write a number and one of s, m, h, d, w, y, as in '90d'")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
