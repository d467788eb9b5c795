"""The records of ACME and what its core needs from the outside: a store, and somebody who probes the network.

Records are immutable; a change is ``dataclasses.replace`` and :meth:`AcmeStore.commit`. ``version`` is 0 for a record that was never
stored; a commit succeeds only if every version is still the stored one (optimistic), and adds 1 to each.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from privca.base.names import Name
from privca.issuance.ports import Conflict
from privca.issuance.profile import Revisioned

__all__ = ["Conflict"]


class AccountStatus(enum.StrEnum):
    """RFC 8555 section 7.1.6, third figure."""

    VALID = "valid"
    DEACTIVATED = "deactivated"
    REVOKED = "revoked"


class Account(msgspec.Struct, frozen=True):
    """RFC 8555 section 7.1.2. ``jwk`` is the account key as canonical JSON; ``external_account`` the JWS that bound it, as JSON text.
    ``terms`` is the URL of the terms of service that it agreed to: empty if the profile had none then, None if it did not agree."""

    id: str
    profile_id: str
    status: AccountStatus
    thumbprint: str
    jwk: str
    contact: tuple[str, ...]
    terms: str | None
    external_account: str | None
    external_key_id: str | None
    created: datetime
    version: int = 0


class ChallengeStatus(enum.StrEnum):
    """RFC 8555 section 7.1.6, first figure."""

    PENDING = "pending"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"


class Challenge(msgspec.Struct, frozen=True):
    """RFC 8555 section 8. ``errors`` are problem documents of failed attempts as JSON text, oldest first."""

    type: str
    token: str
    status: ChallengeStatus
    validated: datetime | None = None
    errors: tuple[str, ...] = ()
    attempts: int = 0


class AuthorizationState(enum.StrEnum):
    """What is stored of RFC 8555 section 7.1.6, second figure; ``expired`` is derived from the time."""

    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"
    REVOKED = "revoked"


class Authorization(msgspec.Struct, frozen=True):
    """RFC 8555 section 7.1.4. ``name`` is without ``*.``; ``wildcard`` says that it was there. ``next_attempt`` is set while a
    challenge is processing: the time from which anybody may (re)start its validation, so that a crash leaves nothing waiting for ever."""

    id: str
    account_id: str
    profile_id: str
    name: Name
    wildcard: bool
    state: AuthorizationState
    expires: datetime
    challenges: tuple[Challenge, ...]
    created: datetime
    next_attempt: datetime | None = None
    version: int = 0


class Order(msgspec.Struct, frozen=True):
    """RFC 8555 section 7.1.3. The status is derived (``acme.rfc8555.order.status``) from this, its authorizations and the time.

    ``csr`` is set by finalize; ``serial`` (hex) when the certificate is there; ``error`` (problem document as JSON) when the order
    failed for good. ``next_attempt`` is set while issuance is under way: the time from which anybody may resume it.
    """

    id: str
    account_id: str
    profile_id: str
    names: tuple[Name, ...]
    authorization_ids: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    expires: datetime
    created: datetime
    csr: bytes | None = None
    certificate_id: str | None = None
    serial: bytes | None = None
    error: str | None = None
    next_attempt: datetime | None = None
    replaces: str | None = None
    """The certificate that this order replaces, by its unique identifier as received (RFC 9773 section 5)."""
    version: int = 0


class Replacement(msgspec.Struct, frozen=True):
    """That an order replaces a certificate (RFC 9773 section 5). ``id`` is the certificate's serial number in hex; a later order may take
    the place of one that became invalid."""

    id: str
    order_id: str
    created: datetime
    version: int = 0


class RenewalWindow(msgspec.Struct, frozen=True):
    """When one certificate is best renewed (RFC 9773 section 4.2), as an administrator has set it. ``id`` is its serial number in hex;
    ``explanation`` a URL, or empty."""

    id: str
    start: datetime
    end: datetime
    explanation: str
    created: datetime
    version: int = 0


class ExternalKey(msgspec.Struct, frozen=True):
    """An external account binding key (RFC 8555 section 7.3.4): ``key`` is the HMAC key in clear, decrypted by the store."""

    id: str
    profile_id: str
    key: bytes
    created: datetime
    expires: datetime | None
    account_id: str | None
    """The account that it bound, once it did: a key binds one account."""
    version: int = 0


AcmeRecord = Account | Authorization | Order | ExternalKey | Replacement | RenewalWindow


class AcmeStore(Protocol):
    """ACME's memory. Each call is one transaction; what it has returned from survives a kill -9."""

    async def profile(self, id: str) -> Revisioned | None:
        """The newest revision of a profile: what background work, and the path without a profile ID, are judged by."""

    async def spend_nonce(self, profile_id: str, nonce: bytes, expires: datetime, /) -> bool:
        """Record that a nonce appeared in a request; False if it had appeared before, in any worker of this store.

        ``expires`` is when it would have stopped being accepted: until then the record must stay. It is part of the nonce, so
        that a profile whose nonce life changes never brings a spent one back.
        """

    async def forget_nonces(self, expired_before: datetime, /) -> None:
        """Drop spent nonces that expired before that time."""

    async def account(self, profile_id: str, id: str) -> Account | None: ...
    async def account_by_thumbprint(self, profile_id: str | None, thumbprint: str) -> Account | None:
        """The account of a key within a profile; ``profile_id`` None looks in all profiles (the path without an ID), oldest account first."""

    async def is_account_key(self, thumbprint: str) -> bool:
        """Whether a key is that of any account, whatever its profile and status."""

    async def order(self, profile_id: str, id: str) -> Order | None: ...
    async def order_by_certificate(self, profile_id: str, certificate_id: str) -> Order | None: ...
    async def orders(self, account_id: str, after: str | None, limit: int) -> Sequence[tuple[Order, tuple[Authorization, ...]]]:
        """Orders of an account with their authorizations, oldest first, that follow the order with ID ``after``."""

    async def authorization(self, profile_id: str, id: str) -> Authorization | None: ...
    async def authorizations(self, order: Order) -> tuple[Authorization, ...]:
        """The authorizations of an order, in the order of its ``authorization_ids``."""

    async def authorizations_of(
        self, account_id: str, names: Sequence[tuple[Name, bool]], at: datetime
    ) -> Sequence[Authorization]:
        """Valid or pending authorizations of the account for these (name, wildcard) pairs that have not expired at ``at``, newest first."""

    async def nth_newest_account(self, profile_id: str, n: int) -> datetime | None:
        """When the ``n``-th newest account of a profile was made (the newest is the first); None if there are fewer."""

    async def nth_newest_order(self, account_id: str, n: int) -> datetime | None:
        """The same for the orders of an account."""

    async def nth_newest_failure(self, account_id: str, name: Name, n: int) -> datetime | None:
        """The same for the account's authorizations of a name (wildcard or not) that are invalid."""

    async def replacement(self, serial: str) -> Replacement | None:
        """The order that replaces a certificate; ``serial`` in hex."""

    async def renewal_window(self, serial: str) -> RenewalWindow | None:
        """The window that was set for a certificate; ``serial`` in hex."""

    async def forget_renewal_window(self, serial: str) -> None:
        """Let the profile's rule hold again for a certificate."""

    async def external_key(self, profile_id: str | None, id: str) -> ExternalKey | None:
        """A key by its identifier; ``profile_id`` None looks in all profiles (the path without an ID)."""

    async def commit(self, *records: AcmeRecord) -> None:
        """Store all records in one transaction: new ones (version 0) are added, others replace the stored one if its version is
        the same. :raises Conflict: if any version differs or a unique key (thumbprint within profile) is taken; then nothing is stored."""

    async def due_authorizations(self, at: datetime, limit: int) -> Sequence[Authorization]:
        """Authorizations whose ``next_attempt`` has passed."""

    async def due_orders(self, at: datetime, limit: int) -> Sequence[Order]:
        """Orders whose ``next_attempt`` has passed."""


class Probe(msgspec.Struct, frozen=True):
    """One look at the network that a challenge asks for; a pure plan, carried out by ``web.prober``."""

    profile_id: str
    name: Name


class HttpProbe(Probe, frozen=True):
    """GET ``http://NAME/PATH`` on port 80 (RFC 8555 section 8.3); the prober follows redirects within its limits."""

    path: str


class DnsProbe(Probe, frozen=True):
    """Query TXT records of ``query_name``, following CNAME (RFC 8555 section 8.4)."""

    query_name: str


class TlsAlpnProbe(Probe, frozen=True):
    """TLS to port 443 with ALPN ``acme-tls/1`` alone and this SNI (RFC 8737 section 3, RFC 8738 section 6)."""

    server_name: str


class CaaProbe(Probe, frozen=True):
    """Query CAA records of ``query_name`` (RFC 8659 section 3); the core climbs the tree."""

    query_name: str


class ProbeFailure(enum.Enum):
    """Why there is nothing to judge."""

    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    FORBIDDEN_ADDRESS = "forbidden address"
    LIMIT = "limit"


class Observation(msgspec.Struct, frozen=True):
    """What a probe saw. ``failure`` and ``detail`` are set when it saw nothing; then the other fields are empty.

    HTTP: ``status``, ``body`` (up to the prober's limit), ``url`` (the last one). DNS: ``texts`` (each TXT record, its
    strings joined). TLS: ``certificate`` (DER) and ``alpn``. CAA: ``caa`` as (flags, tag, value). ``address`` is the IP address that was asked.
    """

    failure: ProbeFailure | None = None
    detail: str = ""
    address: str = ""
    url: str = ""
    status: int = 0
    body: bytes = b""
    texts: tuple[bytes, ...] = ()
    certificate: bytes | None = None
    alpn: str = ""
    caa: tuple[tuple[int, str, str], ...] = ()


class Prober(Protocol):
    """Looks at the network, within its address, port, size, redirect and time limits, and never raises for what it meets there."""

    async def observe(self, probe: Probe, asker: str = "") -> Observation:
        """Carry out one probe. Nobody waits for more than one probe of each other ``asker``, who is who the probe is made for."""


class Background(Protocol):
    """Runs work that outlives the exchange."""

    def start(self, work: object) -> None:
        """Start a coroutine; its failure is logged, never lost."""

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
