"""What CMP needs from the outside: a store that remembers transactions. The adapter is ``store.cmp``."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from privca.enrollment.credentials import Secret
from privca.issuance.ports import Conflict
from privca.issuance.profile import Revisioned

__all__ = [
    "ArchivedKey",
    "CmpStore",
    "Conflict",
    "KeyArchive",
    "KeyMaker",
    "Part",
    "PartState",
    "Profiles",
    "Sought",
    "Transaction",
]


class PartState(enum.StrEnum):
    """How far one request of a transaction is."""

    CHALLENGED = "challenged"
    """A proof of possession was asked for (RFC 9810 section 5.2.8.3.3)."""
    WAITING = "waiting"
    """A person has to decide, or the answer is delayed (section 5.3.22)."""
    ISSUED = "issued"
    """The certificate was sent and has to be confirmed (section 5.3.18)."""
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    """Refused by us, or the certificate was rejected by the client, or never confirmed."""


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One request of a transaction.

    ``id`` is its certReqId, -1 for one that has none; ``request_id`` names it to the door, under ``profile_id``. ``octets`` is the request
    (CertReqMsg, DER) while it has to be judged again, ``challenge`` the number that a challenge asks for. ``encrypted`` tells that the
    certificate goes out encrypted, since confirming it proves possession of the key.
    """

    id: int
    profile_id: str
    request_id: str
    state: PartState
    octets: bytes = b""
    challenge: bytes = b""
    encrypted: bool = False


class Transaction(msgspec.Struct, frozen=True):
    """A transaction that goes on after its first answer (RFC 9810 section 5.1.1).

    ``method`` and ``identity`` are who began it. ``credential`` is a digest of what its messages must be protected with; ``secret`` is the
    shared secret and ``signer`` the certificate (DER) that belongs to it, since a passcode is spent, and extraCerts may be left out, after
    the first message. ``nonce`` is our last senderNonce. ``body`` is the number of the first request's body; ``request`` that message, where
    its answer is delayed. At ``expires`` what was not confirmed is revoked, and the transaction forgotten.
    """

    profile_id: str
    id: bytes
    method: str
    identity: str
    credential: bytes
    secret: Secret | None
    signer: bytes
    nonce: bytes
    body: int
    implicit: bool
    parts: tuple[Part, ...]
    request: bytes
    ready: datetime | None
    created: datetime
    expires: datetime
    version: int = 0

    @property
    def open(self) -> bool:
        """Whether anything is still to come."""
        return any(part.state in (PartState.CHALLENGED, PartState.WAITING, PartState.ISSUED) for part in self.parts)


class KeyMaker(Protocol):
    """Makes private keys for others; the adapter is ``keys.made_for_others``."""

    async def make(self, kind: str) -> bytes:
        """A new private key of a kind, as PrivateKeyInfo (DER); the maker does not keep it."""


class Profiles(Protocol):
    """Where profiles are found."""

    async def profile(self, id: str) -> Revisioned | None:
        """The newest revision of a profile, enabled or not."""


class ArchivedKey(msgspec.Struct, frozen=True):
    """A private key that can be recovered.

    ``serial`` is that of its certificate (20 octets), ``subject`` the certificate's (Name, DER), ``spki_sha256`` as in its record.
    ``identity`` obtained it, at the endpoint ``profile_id``: the same reference means somebody else at another one. ``private`` is
    PrivateKeyInfo (DER).
    """

    serial: bytes
    profile_id: str
    identity: str
    spki_sha256: bytes
    subject: bytes
    private: bytes
    archived: datetime

    def __repr__(self) -> str:
        return f"ArchivedKey({self.serial.hex()})"


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which archived keys are sought: those that are what each field says that is not None.

    ``identity`` None: whoever obtained them; else also that of the certificate ``own`` (serial number, or empty).
    """

    profile_id: str
    serial: bytes | None = None
    spki_sha256: bytes | None = None
    subject: bytes | None = None
    identity: str | None = None
    own: bytes = b""


class KeyArchive(Protocol):
    """Private keys that can be recovered. Each call is one transaction of the database."""

    async def archive_key(self, key: ArchivedKey) -> None:
        """Keep a key; one that is kept for this certificate already stays."""

    async def archived_keys(self, sought: Sought, limit: int) -> Sequence[ArchivedKey]:
        """The keys that are sought, the newest first."""

    async def spend_on_recovery(self, passcode_id: str, profile_id: str, request_id: str, at: datetime) -> None:
        """Spend a live passcode. :raises privca.issuance.ports.Spent: if it is not live."""


class CmpStore(KeyArchive, Protocol):
    """CMP's memory. Each call is one transaction of the database."""

    async def transaction(self, profile_id: str, id: bytes) -> Transaction | None:
        """A transaction by its transactionID."""

    async def save_transaction(self, transaction: Transaction) -> Transaction:
        """Insert (version 0) or update (by version); it is stored, and given back, with its version + 1. :raises Conflict:"""

    async def forget_transaction(self, transaction: Transaction) -> None:
        """Delete it, if its version is still the one that was read."""

    async def expired_transactions(self, at: datetime, limit: int) -> Sequence[Transaction]:
        """Those whose time is up, the oldest first."""
