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
from privca.issuance.ports import Certificate, RevocationReason
from privca.issuance.profile import Revisioned
from privca.pkix.rfc2986 import CertificationRequest


class Identity(msgspec.Struct, frozen=True):
    """Who asks, after authentication: ``method`` is the profile's authentication method, ``id`` is stable, as ``acme:ACCOUNT``."""

    method: str
    id: str


class Submission(msgspec.Struct, frozen=True):
    """A request for a certificate, as facts.

    ``request_id`` is stable for this request (an ACME order ID, an EST identity + CSR digest): submitting it twice finds the same
    certificate. ``proven`` are the names that the protocol itself proved (empty where the identity vouches for names).
    ``not_before`` and ``not_after`` are wishes; ``asked`` is when they were accepted, if the protocol accepts them before the CSR comes
    (an ACME order): a notBefore that was no backdating then is none now.
    """

    request_id: str
    identity: Identity
    csr: CertificationRequest
    proven: frozenset[Name]
    not_before: datetime | None = None
    not_after: datetime | None = None
    asked: datetime | None = None


class Issued(msgspec.Struct, frozen=True):
    """The answer to a submission that was granted: the record of the certificate, signed and stored."""

    certificate: Certificate


class Pending(msgspec.Struct, frozen=True):
    """The answer to a submission that waits (for a person): ask again after ``retry_after`` seconds."""

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

    async def find(self, profile_id: str, request_id: str) -> Certificate | None:
        """The certificate that answered a request, whatever its status now."""

    async def certificate(self, serial: bytes) -> Certificate | None:
        """The record of a certificate."""

    async def revoke(self, exchange: Exchange, certificate: Certificate, reason: RevocationReason, by: Identity) -> Certificate:
        """Revoke. :raises Refused: ``ALREADY_REVOKED``, ``BAD_REVOCATION_REASON``."""

    async def chains(self, certificate: Certificate) -> Sequence[Chain]:
        """The default chain first, then alternates (cross certificates of a rollover)."""

    def check_names(self, profile: Revisioned, names: Sequence[Name]) -> None:
        """Apply the profile's name policy before any work is done. :raises Refused: with one part per name that fails."""

    async def check_validity(
        self, exchange: Exchange, profile: Revisioned, not_before: datetime | None, not_after: datetime | None
    ) -> None:
        """Judge wishes for the validity before any work is done. :raises Refused: ``BAD_VALIDITY``, ``UNAVAILABLE``."""
