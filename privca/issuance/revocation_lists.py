"""CRLs version 2 by each CA key (RFC 5280 section 5): complete, in parts, and delta; made when one is asked for and stale, else from memory.

A CA is its name, not its key (section 5): the list by each key has what was revoked under all of them, and all lists share one sequence
of numbers. Who verifies a certificate by the old key could otherwise be shown a list by the new one that does not know it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from cryptography import x509

from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import CaKey
from privca.issuance.crl_scope import COMPLETE, DELTA, Scope, delta_indicator, freshest, issuing_distribution_point
from privca.issuance.ports import Conflict, CrlBase, CrlMark, CrlRecord, IssuanceStore, Keys, RevocationReason, RevokedEntry
from privca.pkix.rfc5280.crl import crl_entries, crl_tbs
from privca.pkix.rfc5280.tbs import assemble

Offload = Callable[[Callable[[], bytes]], Awaitable[bytes]]
"""Runs a slow call where it stops nobody else (a thread), and gives its result."""

PAGE = 500
"""Entries that are read at once, in a few milliseconds; a longer list is built through ``offload``, and others get a turn in between."""
_EVER = datetime.fromtimestamp(0, UTC)
_log = structlog.get_logger("privca.issuance")


def _fresh(record: CrlRecord | CrlMark, count: int, now: datetime) -> bool:
    """Whether nothing was revoked since a CRL was made, and half of its life is still to come."""
    half = (record.next_update - record.this_update) / 2
    return record.count == count and record.this_update <= now < record.this_update + half


class RevocationLists:
    """Makes and keeps the CRLs of all CA keys. A CRL number is recorded before anybody sees it, and never given twice."""

    def __init__(self, store: IssuanceStore, keys: Keys, authorities: Authorities, offload: Offload) -> None:
        self._store = store
        self._keys = keys
        self._authorities = authorities
        self._offload = offload
        self._made: dict[tuple[str, int, Scope], CrlRecord] = {}
        self._building: set[tuple[str, int, Scope]] = set()

    def scopes(self, authority: str) -> list[Scope]:
        """Every list that a CA publishes by each of its keys, the complete one first."""
        options = self._authorities.configured(authority).crl
        found = [COMPLETE]
        for parts in dict.fromkeys((options.partitions, *options.former_partitions)):
            found += [Scope(part, parts) for part in range(1, parts + 1)] if parts > 1 else []
        return [*found, DELTA] if options.delta else found

    async def current(self, authority: str, number: int, now: datetime, scope: Scope = COMPLETE) -> CrlRecord:
        """The CRL of one CA key as it is now.

        While a list is being built anew, others get the one before as long as it is valid: building never makes a queue. That holds
        from the start: what another process made is in the store.

        :raises Refused: ``NOT_FOUND`` for a CA key that is not there, or a list that this CA does not publish.
        """
        ca_key = await self._authorities.generation(authority, number)
        if scope is not COMPLETE and scope not in self.scopes(authority):
            raise Refused(Reason.NOT_FOUND, "profile: ca.crl", "this CA publishes no such list", got=str(scope))
        # Before the entries are read: what is revoked in between makes the next call build again.
        count = await self._store.revocation_count(authority)
        place = (authority, number, scope)
        known = self._made.get(place)
        if known is not None and _fresh(known, count, now):
            return known
        mark = await self._store.newest_crl_mark(authority, number, str(scope))
        if mark is not None and _fresh(mark, count, now):
            stored = await self._store.newest_crl(authority, number, str(scope))
            if stored is not None and _fresh(stored, count, now):
                self._made[place] = stored
                return stored
        if place in self._building:
            before = known or await self._store.newest_crl(authority, number, str(scope))
            if before is not None and before.this_update <= now < before.next_update:
                return before
        self._building.add(place)
        try:
            record = await self._build(ca_key, now, scope, count)
        finally:
            self._building.discard(place)
        self._made[place] = record
        return record

    async def tend(self, now: datetime) -> None:
        """Make anew what is stale, so that who asks finds it made: regular work. One list that fails does not keep the others."""
        for authority in self._authorities.names:
            for ca_key in await self._authorities.generations(authority):
                for scope in self.scopes(authority) if ca_key.not_after > now else ():
                    try:
                        await self.current(authority, ca_key.generation.number, now, scope)
                    except Refused as refused:
                        _log.error("a CRL could not be made", authority=authority, scope=str(scope), reason=str(refused))

    async def _build(self, ca_key: CaKey, now: datetime, scope: Scope, count: int) -> CrlRecord:
        signer = ca_key.signer
        config = self._authorities.configured(signer.authority)
        life = duration(config.crl.delta_life if scope.delta else config.crl_life)
        while True:
            newest = await self._store.newest_crl_mark(signer.authority)
            number = 1 if newest is None else newest.number + 1
            carried: list[x509.Extension[x509.ExtensionType]] = []
            if scope.delta:
                base = await self._base(ca_key, now, count)
                number = max(number, base.number + 1)
                carried.append(delta_indicator(base.number))
                entries = [crl_entries(await self._changes(signer.authority, base.count, now))]
            else:
                # Section 3.3: an entry stays until it was on one list, here of each key, that was issued after the certificate's end.
                before = await self._store.newest_crl_mark(signer.authority, signer.number, str(scope))
                entries = await self._entries(signer.authority, _EVER if before is None else min(now, before.this_update), scope)
                if scope is not COMPLETE:
                    carried.append(issuing_distribution_point(self._authorities.urls.crl(signer.authority, signer.number, scope)))
                elif config.crl.delta:
                    carried.append(freshest(self._authorities.urls.crl(signer.authority, signer.number, DELTA)))
            build = partial(
                crl_tbs,
                issuer=signer.subject,
                algorithm=signer.algorithm,
                number=number,
                this_update=now,
                next_update=now + life,
                entries=entries,
                authority_key_identifier=x509.AuthorityKeyIdentifier(signer.facts.key_identifier, None, None),
                extensions=carried,
            )
            tbs = build() if len(entries) <= 1 else await self._offload(build)
            signature = await self._keys.sign(signer.reference, tbs, signer.hash_name)
            der = assemble(tbs, signer.algorithm, signature)
            record = CrlRecord(signer.authority, signer.number, number, now, now + life, der, str(scope), count)
            try:
                await self._store.add_crl(record, bases_from=await self._bases_from(ca_key, now, scope, life))
            except Conflict:
                # Another worker took the number. Its list may not know what ours does, or be the very one.
                other = await self._store.newest_crl(signer.authority, signer.number, str(scope))
                if other is not None and _fresh(other, count, now):
                    return other
                continue
            return record

    async def _base(self, ca_key: CaKey, now: datetime, count: int) -> CrlBase:
        """The oldest complete CRL that somebody may still have: what has changed since then is good for every later one, too."""
        signer = ca_key.signer
        bases = await self._store.crl_bases(signer.authority, signer.number)
        if not bases:
            self._made[signer.authority, signer.number, COMPLETE] = await self._build(ca_key, now, COMPLETE, count)
            bases = await self._store.crl_bases(signer.authority, signer.number)
        return bases[0]

    async def _bases_from(self, ca_key: CaKey, now: datetime, scope: Scope, life: timedelta) -> datetime | None:
        """Whether a new list becomes a base for delta CRLs: then the time from which bases stay, else None.

        A base begins every quarter of a list's life, and is kept for half as long again as that list holds, so that there is always one
        that is no newer than any list that still holds.
        """
        if scope is not COMPLETE or not self._authorities.configured(ca_key.signer.authority).crl.delta:
            return None
        bases = await self._store.crl_bases(ca_key.signer.authority, ca_key.signer.number)
        return now - life * 3 / 2 if not bases or now >= bases[-1].this_update + life / 4 else None

    async def _entries(self, authority: str, at: datetime, scope: Scope) -> list[bytes]:
        """The entries of certificates in the scope that had not expired at ``at``, read and encoded page by page.

        What is revoked meanwhile may be missing: it has changed the count, so the next list has it.
        """
        found: list[bytes] = []
        after: tuple[int, int] | None = None
        while True:
            page = await self._store.revoked(authority, at, after, PAGE)
            covered = page.entries if scope.parts == 1 else [one for one in page.entries if scope.covers(one.serial)]
            found.append(crl_entries(covered))
            if page.next is None:
                return found
            after = page.next
            await self._offload(bytes)

    async def _changes(self, authority: str, since: int, now: datetime) -> Sequence[RevokedEntry]:
        """What has changed since a count of revocations, one entry a certificate, as it is now: who was released from hold leaves the list
        (section 5.2.4 (b), which lets who was never on it be told so, too). The end of a certificate takes none off."""
        found: dict[bytes, RevokedEntry] = {}
        while page := await self._store.revocation_changes(authority, since, PAGE):
            for one in page:
                reason = RevocationReason.REMOVE_FROM_CRL if one.revoked_at is None else one.reason
                found[one.serial] = RevokedEntry(
                    one.serial, one.revoked_at or now, reason or RevocationReason.UNSPECIFIED, one.invalidity_date
                )
            since = page[-1].count
            if len(page) == PAGE:
                await self._offload(bytes)
        return list(found.values())
