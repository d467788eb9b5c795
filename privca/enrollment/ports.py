"""What the door remembers: codes, passcodes, and requests that wait for a person. The adapter is in ``store``."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from privca.base.names import Name
from privca.issuance.ports import IssuanceStore
from privca.issuance.profile import Revisioned

MOST_FAILURES = 5
"""So many wrong values for its reference lock a passcode."""


class Code(msgspec.Struct, frozen=True):
    """A global code: one secret that all who know it enroll with, again and again, until it is replaced.

    ``reference`` is the name that goes with it (user name, CMP reference); ``value`` is in clear here, sealed in the database. ``lab``
    tells that a lab made it by itself, and shows it to everybody.
    """

    profile_id: str
    reference: str
    value: bytes
    created: datetime
    lab: bool = False
    version: int = 0

    def __repr__(self) -> str:
        return f"Code({self.profile_id} {self.reference!r})"


class Passcode(msgspec.Struct, frozen=True):
    """A secret for one request. ``request_id`` is the request that spent it, from ``spent`` on."""

    id: str
    profile_id: str
    reference: str
    value: bytes
    created: datetime
    expires: datetime
    failures: int = 0
    spent: datetime | None = None
    request_id: str = ""
    revoked: datetime | None = None

    def __repr__(self) -> str:
        return f"Passcode({self.profile_id} {self.reference!r} {self.id})"

    def state(self, now: datetime) -> str:
        """``live``, ``spent``, ``revoked``, ``locked`` or ``expired``. Only a live one can be spent."""
        if self.revoked is not None:
            return "revoked"
        if self.spent is not None:
            return "spent"
        if self.failures >= MOST_FAILURES:
            return "locked"
        return "live" if now < self.expires else "expired"


class Decision(enum.StrEnum):
    """What a person has said of a request. That it was answered is told by its certificate, that it is too old by its ``expires``."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class WaitingRequest(msgspec.Struct, frozen=True):
    """A request that a person decides about, as facts: what :class:`~privca.enrollment.door.Submission` had in it.

    ``info`` is what is asked for (:mod:`privca.enrollment.remembered`). ``subject`` is for people (RFC 4514). ``certificate`` is the
    serial number of the certificate of ours that the client authenticated with, ``vendor`` that of another CA (DER), ``renews`` the
    serial number of the one to be renewed; all empty where there is none.
    """

    id: str
    profile_id: str
    request_id: str
    method: str
    identity: str
    ra: bool
    certificate: bytes
    vendor: bytes
    renews: bytes
    info: bytes
    subject: str
    names: tuple[Name, ...]
    proven: tuple[Name, ...]
    spki_sha256: bytes
    not_before: datetime | None
    not_after: datetime | None
    created: datetime
    expires: datetime
    decision: Decision = Decision.WAITING
    decided: datetime | None = None
    decided_by: str = ""
    reason: str = ""
    version: int = 0


class Full(Exception):
    """So many requests of a profile wait that no further one is taken."""


class EnrollmentStore(IssuanceStore, Protocol):
    """The memory of the door. Each call is one transaction; what it has returned from survives a kill -9."""

    async def profile(self, id: str) -> Revisioned | None:
        """The newest revision of a profile, enabled or not."""

    async def code(self, profile_id: str, reference: str) -> Code | None:
        """The code of a reference."""

    async def code_by_value(self, profile_id: str, value: bytes) -> Code | None:
        """A code of the profile with this value, found by a keyed hash; the first by reference."""

    async def codes(self, profile_id: str | None = None) -> Sequence[Code]:
        """All codes, or those of a profile, by profile and reference."""

    async def save_code(self, code: Code) -> None:
        """Set the code of its reference, in place of the one of ``code.version``; 0: there is none yet.

        :raises privca.issuance.ports.Conflict: if somebody else set it meanwhile.
        """

    async def remove_code(self, profile_id: str, reference: str) -> bool:
        """Whether there was one."""

    async def passcode(self, id: str) -> Passcode | None:
        """A passcode by its ID."""

    async def newest_passcode(self, profile_id: str, reference: str) -> Passcode | None:
        """The passcode of a reference that was issued last; all others of it are spent or revoked."""

    async def passcode_by_value(self, profile_id: str, value: bytes) -> Passcode | None:
        """A passcode of the profile with this value, found by a keyed hash."""

    async def passcodes(self, profile_id: str | None = None) -> Sequence[Passcode]:
        """All passcodes, or those of a profile, oldest first."""

    async def add_passcode(self, passcode: Passcode) -> None:
        """Store a new passcode; one of the same reference that is not spent yet is revoked."""

    async def revoke_passcode(self, id: str, at: datetime) -> bool:
        """Whether there was one that could still be spent or still authenticated."""

    async def count_failure(self, profile_id: str, reference: str) -> None:
        """Count a wrong value for the passcode of a reference that is not spent yet."""

    async def waiting_request(self, profile_id: str, request_id: str) -> WaitingRequest | None:
        """The record of a request that waits or waited."""

    async def waiting_request_by_id(self, id: str) -> WaitingRequest | None:
        """The same by its own ID."""

    async def waiting_requests(self, profile_id: str | None = None) -> Sequence[WaitingRequest]:
        """All of them, or those of a profile, oldest first."""

    async def add_waiting_request(self, request: WaitingRequest, most: int, *, spends: str = "") -> None:
        """Record a request, and spend the passcode of that ID in the same transaction. Those of the profile that expired are dropped.

        :raises Full: if ``most`` of the profile wait already, of method ``approval`` or of all others.
        :raises privca.issuance.ports.Spent: if the passcode cannot be spent.
        :raises privca.issuance.ports.Conflict: if there is a request of that profile and request ID.
        """

    async def decide_request(self, request: WaitingRequest) -> None:
        """Record what was decided, if the record is still of that version and no certificate answers the request.

        :raises privca.issuance.ports.Conflict: otherwise.
        """
