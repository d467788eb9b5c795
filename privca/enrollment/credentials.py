"""Credentials that clients of EST, SCEP and CMP present, and the identities that they prove, per profile.

The implementation of :class:`Credentials` is ``enrollment.authentication``; protocols depend on this module alone. (ACME proves
accounts by signatures of its own, and has no part in this.)

A wrong credential is ``UNAUTHENTICATED`` with one text for every cause: unknown name, wrong, spent, expired, locked. The cause goes to
the local log alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from privca.base.exchange import Exchange
from privca.enrollment.door import Identity
from privca.issuance.profile import Revisioned


class Secret(msgspec.Struct, frozen=True):
    """A code or passcode in clear, for protocols that compute with it (Digest, CMP MAC, CMC identity proof, password recipients).

    ``method`` is ``code`` or ``otp``. ``reference`` is the name that the client sends beside it: user name, CMP reference, identification.
    """

    id: str
    method: str
    reference: str
    value: bytes

    def __repr__(self) -> str:
        return f"Secret({self.method} {self.reference!r})"


class Credentials(Protocol):
    """Who is it? Answered from what a client presents, by the methods that the profile accepts."""

    async def password(self, exchange: Exchange, profile: Revisioned, reference: str | None, value: bytes) -> Identity:
        """The identity of a code or passcode that came in clear.

        :param reference: the name that came with it; None where the protocol has none (SCEP's challengePassword): then a passcode is
            found by a keyed hash of its value, never by trying all.
        :raises Refused: ``UNAUTHENTICATED``; the failure is counted for the passcodes of that reference, which lock.
        """

    async def secrets(self, exchange: Exchange, profile: Revisioned, reference: str) -> Sequence[Secret]:
        """The secrets that belong to a reference, to verify a MAC or digest with: few (a code and at most one passcode), none if the
        reference is unknown. Expired, revoked and locked passcodes are not among them.

        One that was spent is, for as long as it lives or its request may wait: the rest of that request's transaction (polling,
        confirmation) comes under it too. The door grants it no other request.
        """

    async def proven(self, exchange: Exchange, profile: Revisioned, secret: Secret) -> Identity:
        """The identity of a client whose MAC or digest verified with ``secret``."""

    async def failed(self, exchange: Exchange, profile: Revisioned, reference: str) -> None:
        """Count that no secret of this reference verified what a client sent."""

    async def certificate(
        self, exchange: Exchange, profile: Revisioned, certificate: bytes, others: Sequence[bytes] = ()
    ) -> Identity:
        """The identity of a client that proved possession of the key of ``certificate`` (DER), with the certificates that came with it.

        It is one of ours (``Identity.certificate`` is its record) from the profile itself, one of its ``certificate_profiles``, or a
        registration authority of its CA (extended key usage cmcRA, ``Identity.ra``); or one that leads to ``vendor_anchors``.

        :raises Refused: ``UNAUTHENTICATED`` for one that is not accepted here, not yet valid, expired, revoked or on hold, with a text
            that says which: a certificate is no secret.
        """

    async def anonymous(self, exchange: Exchange, profile: Revisioned) -> Identity:
        """The identity of a client that presented nothing, where ``approval`` admits it. :raises Refused: ``UNAUTHENTICATED``."""
