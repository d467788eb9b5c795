"""CRLs: a full CRL version 2 by each CA key (RFC 5280 section 5), made when it is asked for and stale, else from memory.

A CA is its name, not its key (section 5): the list by each key has what was revoked under all of them, and all lists share one sequence
of numbers. Who verifies a certificate by the old key could otherwise be shown a list by the new one that does not know it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from cryptography import x509

from privca.base.durations import duration
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import CaKey
from privca.issuance.ports import Conflict, CrlRecord, IssuanceStore, Keys, RevokedEntry
from privca.pkix.rfc5280.crl import crl_tbs
from privca.pkix.rfc5280.tbs import assemble

Offload = Callable[[Callable[[], bytes]], Awaitable[bytes]]
"""Runs a slow call where it stops nobody else (a thread), and gives its result."""

PAGE = 1000
"""Entries that are read at once, in a few milliseconds; a longer list is built through ``offload``, and others get a turn in between."""
_EVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class _Made:
    """A CRL with the count of revocations that it was made from."""

    record: CrlRecord
    count: int

    def fresh(self, count: int, now: datetime) -> bool:
        """Whether nothing was revoked since, and half of its life is still to come."""
        record = self.record
        return (
            self.count == count and record.this_update <= now < record.this_update + (record.next_update - record.this_update) / 2
        )


class RevocationLists:
    """Makes and keeps the CRLs of all CA keys. A CRL number is recorded before anybody sees it, and never given twice."""

    def __init__(self, store: IssuanceStore, keys: Keys, authorities: Authorities, offload: Offload) -> None:
        self._store = store
        self._keys = keys
        self._authorities = authorities
        self._offload = offload
        self._made: dict[tuple[str, int], _Made] = {}
        self._building: set[tuple[str, int]] = set()

    async def current(self, authority: str, number: int, now: datetime) -> CrlRecord:
        """The CRL of one CA key as it is now.

        While a list is being built anew, others get the one before as long as it is valid: building never makes a queue. That holds
        from the start: what another process made is in the store.

        :raises Refused: ``NOT_FOUND`` for a CA key that is not there.
        """
        ca_key = await self._authorities.generation(authority, number)
        # Before the entries are read: what is revoked in between makes the next call build again.
        count = await self._store.revocation_count(authority)
        known = self._made.get((authority, number))
        if known is not None and known.fresh(count, now):
            return known.record
        if (authority, number) in self._building:
            before = known.record if known is not None else await self._store.newest_crl(authority, number)
            if before is not None and before.this_update <= now < before.next_update:
                return before
        self._building.add((authority, number))
        try:
            record = await self._build(ca_key, now)
        finally:
            self._building.discard((authority, number))
        self._made[authority, number] = _Made(record, count)
        return record

    async def _build(self, ca_key: CaKey, now: datetime) -> CrlRecord:
        signer = ca_key.signer
        life = duration(self._authorities.configured(signer.authority).crl_life)
        while True:
            newest = await self._store.newest_crl(signer.authority)
            number = 1 if newest is None else newest.number + 1
            # Section 3.3: an entry stays until it was on one list, here of each key, that was issued after the certificate's end.
            before = await self._store.newest_crl(signer.authority, signer.number)
            revoked = await self._revoked(signer.authority, _EVER if before is None else min(now, before.this_update))
            build = partial(
                crl_tbs,
                issuer=signer.subject,
                algorithm=signer.algorithm,
                number=number,
                this_update=now,
                next_update=now + life,
                revoked=revoked,
                authority_key_identifier=x509.AuthorityKeyIdentifier(signer.facts.key_identifier, None, None),
            )
            tbs = build() if len(revoked) <= PAGE else await self._offload(build)
            signature = await self._keys.sign(signer.reference, tbs, signer.hash_name)
            der = assemble(tbs, signer.algorithm, signature)
            record = CrlRecord(signer.authority, signer.number, number, now, now + life, der)
            try:
                await self._store.add_crl(record)
            except Conflict:
                continue  # Another worker took the number; its list may not know what ours does.
            return record

    async def _revoked(self, authority: str, at: datetime) -> list[RevokedEntry]:
        """The entries of certificates that had not expired at ``at``, page by page.

        What is revoked meanwhile may be missing: it has changed the count, so the next list has it.
        """
        page = await self._store.revoked(authority, at, None, PAGE)
        found = list(page.entries)
        while page.next is not None:
            await self._offload(bytes)
            page = await self._store.revoked(authority, at, page.next, PAGE)
            found += page.entries
        return found
