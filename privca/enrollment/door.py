"""What protocols hand over to the CA, and what they get back: facts, never templates.

The implementation of :class:`Door` is ``enrollment.service``; protocols depend on this module alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from privca.base.exchange import Exchange
from privca.base.names import Name
from privca.issuance.ports import Certificate, Requested, RevocationReason
from privca.issuance.profile import Revisioned


class Identity(msgspec.Struct, frozen=True):
    """Who asks, after authentication: ``method`` is the profile's authentication method, ``id`` is stable, as ``acme:ACCOUNT``,
    ``code:REFERENCE``, ``otp:NAME``, ``certificate:SERIAL`` or ``vendor:SHA-256``.

    ``passcode`` is the passcode (its ID) that the request spends, in the transaction that records it as issued or pending.
    ``certificate`` is the certificate of ours that it authenticated with, ``vendor`` that of another CA (DER). ``ra`` tells that it is a
    registration authority: it speaks for others.
    """

    method: str
    id: str
    passcode: str = ""
    certificate: Certificate | None = None
    vendor: bytes = b""
    ra: bool = False


class Submission(msgspec.Struct, frozen=True):
    """A request for a certificate, as facts.

    ``request_id`` is stable for this request (an ACME order ID, an EST identity + CSR digest): submitting it twice finds the same
    certificate. ``csr`` is the request, PKCS #10 or CRMF. ``proven`` are the names that the protocol itself proved (empty where the
    identity vouches for names). ``renews`` is the certificate that this request renews, if the protocol says that it is a renewal: it is
    good, inside the profile's renewal window, and has the same subject and names unless the profile allows others.
    ``not_before`` and ``not_after`` are wishes; ``asked`` is when they were accepted, if the protocol accepts them before the CSR comes
    (an ACME order): a notBefore that was no backdating then is none now.
    """

    request_id: str
    identity: Identity
    csr: Requested
    proven: frozenset[Name] = frozenset()
    renews: Certificate | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    asked: datetime | None = None


class Issued(msgspec.Struct, frozen=True):
    """The answer to a submission that was granted: the record of the certificate, signed and stored."""

    certificate: Certificate


class Pending(msgspec.Struct, frozen=True):
    """The answer to a submission that waits (for a person): ask again after ``retry_after`` seconds, by submitting the same request
    or by :meth:`Door.resume`."""

    retry_after: int


class Chain(msgspec.Struct, frozen=True):
    """One way from an issuing CA to a trust anchor: certificates as DER, issuing CA first, the self-signed root included last."""

    certificates: tuple[bytes, ...]


class Door(Protocol):
    """The one door into the CA."""

    async def submit(self, exchange: Exchange, profile: Revisioned, submission: Submission) -> Issued | Pending:
        """Judge and answer a request; :class:`~privca.base.refused.Refused` leaves nothing behind."""

    async def check(self, exchange: Exchange, profile: Revisioned, submission: Submission) -> None:
        """Judge a request without answering it, for who tells its client now and submits later. :raises Refused: as submit does."""

    async def resume(self, exchange: Exchange, profile: Revisioned, request_id: str) -> Issued | Pending:
        """Ask again for a request that was submitted: its certificate, once it is approved, which is issued now if it is not yet.

        :raises Refused: ``NOT_FOUND`` for a request that nobody made, ``UNAUTHORIZED`` for one that was rejected, and as submit does.
        """

    async def find(self, profile_id: str, request_id: str) -> Certificate | None:
        """The certificate that answered a request, whatever its status now."""

    async def certificate(self, serial: bytes) -> Certificate | None:
        """The record of a certificate."""

    async def certificates_by_key(self, spki_sha256: bytes) -> Sequence[Certificate]:
        """The records of all certificates for a key, the newest first, as few as one may have to look at."""

    async def revoke(
        self,
        exchange: Exchange,
        certificate: Certificate,
        reason: RevocationReason,
        by: Identity,
        invalidity_date: datetime | None = None,
    ) -> Certificate:
        """Revoke, or put on hold, for who has the right to by the profile (``revocation``) or has proven it by ACME's own rules.

        :raises Refused: ``ALREADY_REVOKED``, ``BAD_REVOCATION_REASON``, ``UNAUTHORIZED``.
        """

    async def release(self, exchange: Exchange, certificate: Certificate, by: Identity) -> Certificate:
        """Release from hold (CRLReason removeFromCRL). :raises Refused: ``WRONG_STATE`` if it is not on hold, ``UNAUTHORIZED``."""

    async def withdraw(self, exchange: Exchange, certificate: Certificate, reason: RevocationReason) -> Certificate:
        """Revoke what its protocol takes back: a certificate that was rejected or never confirmed by its client, whoever may revoke.

        :raises Refused: ``ALREADY_REVOKED``.
        """

    async def chains(self, certificate: Certificate) -> Sequence[Chain]:
        """The default chain first, then alternates (cross certificates of a rollover)."""

    def check_names(self, profile: Revisioned, names: Sequence[Name]) -> None:
        """Apply the profile's name policy before any work is done. :raises Refused: with one part per name that fails."""

    async def check_validity(
        self, exchange: Exchange, profile: Revisioned, not_before: datetime | None, not_after: datetime | None
    ) -> None:
        """Judge wishes for the validity before any work is done. :raises Refused: ``BAD_VALIDITY``, ``UNAVAILABLE``."""
