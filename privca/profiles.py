"""The profiles of a running server: answered from memory, and never older than half a second, so that commands take effect at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from privca.issuance.profile import Revisioned

AGE = 0.5
"""Seconds for which an answer is good: well below the second within which a change by a command has to be seen."""


class AllProfiles(Protocol):
    """Where they come from: the store."""

    async def profiles(self) -> Sequence[Revisioned]:
        """The newest revision of every profile, by ID."""


class FreshProfiles:
    """Implements :class:`privca.web.resource.Profiles`. A revision stays the same object for as long as it is the newest one."""

    def __init__(self, store: AllProfiles, monotonic: Callable[[], float] = time.monotonic, *, faults: bool = False) -> None:
        """:param faults: whether profiles that chose faults are among them, as only a lab that serves faults has them."""
        self._store = store
        self._faults = faults
        self._monotonic = monotonic
        self._read = float("-inf")
        self._profiles: dict[str, Revisioned] = {}
        self._defaults: dict[str, str] = {}

    async def profile(self, id: str) -> Revisioned | None:
        """The newest revision of a profile, enabled or not."""
        await self._refresh()
        return self._profiles.get(id)

    async def default_profile(self, protocol: str) -> str | None:
        """The enabled profile that answers paths without an ID; the first by ID if several say that they do."""
        await self._refresh()
        return self._defaults.get(protocol)

    async def _refresh(self) -> None:
        now = self._monotonic()
        if now - self._read < AGE:
            return
        profiles: dict[str, Revisioned] = {}
        defaults: dict[str, str] = {}
        for new in await self._store.profiles():
            if new.profile.faults and not self._faults:
                continue
            known = self._profiles.get(new.id)
            profiles[new.id] = known if known is not None and known.revision == new.revision else new
            if new.profile.default and new.profile.enabled:
                defaults.setdefault(new.profile.protocol, new.id)
        # Only now, at once: a read that fails or waits takes nothing from anybody.
        self._profiles, self._defaults, self._read = profiles, defaults, now
