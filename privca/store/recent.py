"""Records that this process has just read or written, so that the requests of one client do not read them again and again.

They are good until somebody else commits: SQLite tells (``PRAGMA data_version``) whether another connection did since the last look, and
then all are dropped. Where several processes serve, each record is looked for behind such a look, and is what a read at the same moment
would have found, at half its cost. Where one process serves alone, only commands write beside it: a look every twentieth of a second lets
them take effect long before the second that they have (see ``privca.profiles``), and a change is stored under the version that was
read in any case. An ACME issuance reads its account six times, its order and its authorization three times each: 6 % of what it costs.
"""

from __future__ import annotations

import time
from typing import TypeVar

from privca.store.database import Database

KEPT = 512
"""Records that are kept at most; an order with the largest CSR takes 64 KiB."""

ALONE = 0.05
"""Seconds between two looks in a process that serves alone."""

R = TypeVar("R")


class Recent:
    """The records of one database connection, by their class and a key.

    :param interval: seconds for which nobody else writes, or what they write may go unseen; 0: look every time.
    """

    def __init__(self, database: Database, interval: float) -> None:
        self._database = database
        self._interval = interval
        self._looked = float("-inf")
        self._version = -1
        self._records: dict[tuple[type, str], object] = {}

    def find(self, kind: type[R], key: str) -> R | None:
        """A record as it is stored now, if it is at hand."""
        now = time.monotonic()
        if now - self._looked >= self._interval:
            self._looked = now
            version = self._database.data_version()
            if version != self._version:
                self._records.clear()
                self._version = version
                return None
        found = self._records.get((kind, key))
        return found if isinstance(found, kind) else None

    def keep(self, record: R, key: str) -> R:
        """Remember a record that was just read, or whose transaction has just been committed; the record."""
        place = (type(record), key)
        # Behind all others, so that the one that goes first is the one that was read or written longest ago.
        self._records.pop(place, None)
        self._records[place] = record
        if len(self._records) > KEPT:
            del self._records[next(iter(self._records))]
        return record
