"""The rollover of CA keys as one story, which every protocol tells in its own words (RFC 4210 section 4.4, RFC 9810 section 4.4).

SCEP shows the next CA certificate, EST the certificates of old and new keys with the cross certificates between them, CMP a root CA
key update; status goes on for every key. What they say comes from here, so that no two of them can tell it differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from privca.base.refused import Reason, Refused
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import CaKey
from privca.issuance.ports import GenerationRole


@dataclass(frozen=True, slots=True)
class KeyUpdate:
    """One step from a CA key to the one that follows it. The certificates are DER; the cross certificates are those of a root alone, and
    missing if the old one had expired when the new one was made.

    ``new_with_old`` is the new key certified by the old one, for who trusts the old; ``old_with_new`` the reverse.
    """

    old: CaKey
    new: CaKey

    @property
    def old_with_old(self) -> bytes:
        """The old key's own certificate."""
        return self.old.generation.certificate

    @property
    def new_with_new(self) -> bytes:
        """The new key's own certificate."""
        return self.new.generation.certificate

    @property
    def new_with_old(self) -> bytes | None:
        """The new key certified by the old."""
        return self.new.generation.new_with_old

    @property
    def old_with_new(self) -> bytes | None:
        """The old key certified by the new."""
        return self.new.generation.old_with_new


@dataclass(frozen=True, slots=True)
class Succession:
    """The keys of one CA: ``past`` ones, oldest first, the ``current`` one that issues, and the ``coming`` one that is made but does not
    issue yet."""

    past: tuple[CaKey, ...]
    current: CaKey
    coming: CaKey | None

    @property
    def updates(self) -> tuple[KeyUpdate, ...]:
        """Every step, oldest first, the one to the coming key included."""
        keys = [*self.past, self.current, *([self.coming] if self.coming else [])]
        return tuple(KeyUpdate(old, new) for old, new in pairwise(keys))

    def update_of(self, certificate: bytes | None = None) -> KeyUpdate | None:
        """The step that leads away from the key of this certificate (DER, its own one), if there is one; without it the newest step.

        :raises Refused: ``NOT_FOUND`` for a certificate that is none of this CA's.
        """
        steps = self.updates
        if certificate is None:
            return steps[-1] if steps else None
        if certificate == (self.coming or self.current).generation.certificate:
            return None
        for step in steps:
            if step.old_with_old == certificate:
                return step
        raise Refused(Reason.NOT_FOUND, "RFC 9810 section 5.3.19.15", "this is no certificate of this CA")

    def certificates(self, now: datetime) -> tuple[bytes, ...]:
        """All certificates by which who trusts any of the keys finds a way to any other at ``now``, the current key's own first: own
        certificates and cross certificates of the current key, the coming one, and past ones that have not expired."""
        keys = [self.current, *([self.coming] if self.coming else []), *reversed(self.past)]
        found: dict[bytes, None] = {}
        for key in keys:
            if key is not self.current and key.not_after <= now:
                continue
            one = key.generation
            found |= dict.fromkeys(der for der in (one.certificate, one.new_with_old, one.old_with_new) if der is not None)
        return tuple(found)


async def succession(authorities: Authorities, name: str) -> Succession:
    """The keys of a CA. :raises Refused: ``NOT_FOUND`` for a CA that is not there or has no key yet."""
    current = await authorities.current(name)
    keys = await authorities.generations(name)
    past = tuple(key for key in keys if key.generation.role in (GenerationRole.RETIRED, GenerationRole.PREVIOUS))
    coming = next((key for key in keys if key.generation.role is GenerationRole.NEXT), None)
    return Succession(past, current, coming)


async def line(authorities: Authorities, name: str) -> Sequence[Succession]:
    """The keys of a CA and of every CA above it, the root last. :raises Refused: as :func:`succession` does."""
    found, above = [], name
    while above:
        found.append(await succession(authorities, above))
        above = authorities.configured(above).parent
    return found
