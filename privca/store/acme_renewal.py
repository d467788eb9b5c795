"""When certificates are best renewed, and which orders replace them (RFC 9773; port: ``acme.ports.AcmeStore``). ``acme`` stores the records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, delete, select

from privca.acme.ports import RenewalWindow, Replacement
from privca.store import schema
from privca.store.database import Database, Statement, operation
from privca.store.rows import to_datetime, to_seconds

_r = schema.acme_replacement.c
_REPLACEMENT = Statement(select(*schema.acme_replacement.columns).where(_r.id == bindparam("id")))
_w = schema.acme_renewal_window.c
_WINDOW = Statement(select(*schema.acme_renewal_window.columns).where(_w.id == bindparam("id")))
_FORGET_WINDOW = Statement(delete(schema.acme_renewal_window).where(_w.id == bindparam("id")))


class AcmeRenewal:
    """The part of the store that ACME renewal information needs."""

    _database: Database

    @operation
    def replacement(self, serial: str) -> Replacement | None:
        """The order that replaces a certificate."""
        row = self._database.one(_REPLACEMENT, id=serial)
        return None if row is None else Replacement(row[0], row[1], to_datetime(row[2]), row[3])

    @operation
    def renewal_window(self, serial: str) -> RenewalWindow | None:
        """The window that was set for a certificate."""
        row = self._database.one(_WINDOW, id=serial)
        if row is None:
            return None
        return RenewalWindow(row[0], to_datetime(row[1]), to_datetime(row[2]), row[3], to_datetime(row[4]), row[5])

    @operation
    def forget_renewal_window(self, serial: str) -> None:
        """Let the profile's rule hold again for a certificate."""
        self._database.change(_FORGET_WINDOW, {"id": serial})


def replacement_values(record: Replacement) -> dict[str, Any]:
    """What may change of a replacement, by column."""
    return {"order_id": record.order_id}


def window_values(record: RenewalWindow) -> dict[str, Any]:
    """What may change of a window, by column."""
    return {"start": to_seconds(record.start), "end": to_seconds(record.end), "explanation": record.explanation}
