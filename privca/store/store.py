"""The store as one object: every port that the layers above declare, over one database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from privca.base.clock import Clock, SystemClock
from privca.store.acme import Acme
from privca.store.acme_newest import AcmeNewest
from privca.store.acme_renewal import AcmeRenewal
from privca.store.archive import ArchivedKeys
from privca.store.certificates import Certificates
from privca.store.cmp import CmpTransactions
from privca.store.credentials import CodesAndPasscodes
from privca.store.database import Database, StoreError
from privca.store.profiles import Profiles
from privca.store.recent import ALONE, Recent
from privca.store.scep import ScepTransactions
from privca.store.sealing import Sealing
from privca.store.waiting import WaitingRequests


class Store(
    Profiles,
    Certificates,
    CodesAndPasscodes,
    WaitingRequests,
    ScepTransactions,
    CmpTransactions,
    ArchivedKeys,
    Acme,
    AcmeNewest,
    AcmeRenewal,
):
    """Profiles, certificates, credentials, CMP transactions and ACME objects in one database file.

    :param secrets: seals what must be recoverable (external account keys, codes, passcodes, secrets of CMP transactions,
        archived private keys) before it is stored.
    """

    def __init__(self, database: Database, secrets: Sealing, clock: Clock, *, alone: bool = False) -> None:
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self._recent = Recent(database, ALONE if alone else 0.0)

    @classmethod
    def open(cls, path: Path, secrets: Sealing, *, durable: bool, clock: Clock | None = None, alone: bool = False) -> Store:
        """Open the database file at ``path`` (made with mode 0600 if absent) and bring its schema up to date.

        :param alone: whether only commands write beside this process; what they change is then seen within :data:`recent.ALONE` seconds.

        :raises StoreError: if it is no database, is damaged or locked, or a newer version wrote it.
        """
        try:
            database = Database(path, durable=durable)
            try:
                database.migrate()
            except BaseException:
                database.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path}: cannot be used as database: {error}") from None
        return cls(database, secrets, clock or SystemClock(), alone=alone)

    def close(self) -> None:
        """Close the database."""
        self._database.close()
