"""Answers ``/faults/ID/ocsp/CA`` and ``/faults/ID/crl/CA.crl`` from a copy of the status services that has the fault of this ID."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

from msgspec.structs import replace

from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.faults import faults
from privca.faults.copies import copy
from privca.issuance.ports import Conflict, CrlBase, CrlMark, CrlRecord, IssuanceStore

PREFIX = "faults/"


class Status(Protocol):
    """The status service (:class:`privca.web.resource.Status`)."""

    async def handle(self, exchange: Exchange, request: Request) -> Response:
        """Answer one request."""


class FaultyStatus:
    """The status service, honest or not.

    :param build: makes the service from a copy of :mod:`privca.services.status`.
    """

    def __init__(self, honest: Status, build: Callable[[ModuleType], Status]) -> None:
        self._honest = honest
        self._build = build
        self._made: dict[str, Status] = {}
        self._edits = {fault.profile_id: fault.edits for fault in faults().values() if fault.protocol == "status"}

    async def handle(self, exchange: Exchange, request: Request) -> Response:
        """Answer one request; a path with a fault that is none leads nowhere, as with the honest service."""
        id, _, tail = request.tail.removeprefix(PREFIX).partition("/")
        if not request.tail.startswith(PREFIX) or id not in self._edits:
            return await self._honest.handle(exchange, request)
        known = self._made.get(id)
        if known is None:
            known = self._made[id] = self._build(copy("privca.services.status", self._edits[id]))
        return await known.handle(exchange, replace(request, tail=tail))


class OwnLists:
    """The store of a CA, but for its CRLs: those of a copy are kept here, where nobody else finds them, and are numbered by themselves."""

    def __init__(self, store: IssuanceStore) -> None:
        self._store = store
        self._records: list[CrlRecord] = []
        self._bases: dict[tuple[str, int], list[CrlBase]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _newest(self, authority: str, generation: int | None, scope: str) -> CrlRecord | None:
        found = [one for one in self._records if one.authority == authority]
        if generation is not None:
            found = [one for one in found if (one.generation, one.scope) == (generation, scope)]
        return max(found, key=lambda one: one.number, default=None)

    async def newest_crl(self, authority: str, generation: int, scope: str = "") -> CrlRecord | None:
        """The newest CRL by one key and of one scope."""
        return self._newest(authority, generation, scope)

    async def newest_crl_mark(self, authority: str, generation: int | None = None, scope: str = "") -> CrlMark | None:
        """What it says of itself; without a key, by any and of any."""
        found = self._newest(authority, generation, scope)
        return None if found is None else CrlMark(found.number, found.this_update, found.next_update, found.count)

    async def crl_bases(self, authority: str, generation: int) -> list[CrlBase]:
        """The complete CRLs that delta CRLs may count from, oldest first."""
        return list(self._bases.get((authority, generation), ()))

    async def add_crl(self, record: CrlRecord, *, bases_from: Any = None) -> None:
        """Record a signed CRL in place of those before it. :raises Conflict: if its number was given already."""
        newest = self._newest(record.authority, None, "")
        if newest is not None and newest.number >= record.number:
            raise Conflict(f"CRL number {record.number} of {record.authority} was given already")
        place = (record.authority, record.generation, record.scope)
        self._records = [one for one in self._records if (one.authority, one.generation, one.scope) != place]
        self._records.append(record)
        if bases_from is not None:
            base = CrlBase(record.number, record.this_update, record.count)
            kept = [one for one in self._bases.get(place[:2], ()) if one.this_update >= bases_from]
            self._bases[place[:2]] = [*kept, base]
