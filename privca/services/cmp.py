"""The CMP service of a CA."""

from __future__ import annotations

from privca.cmp.rfc9810.call import Core
from privca.cmp.service import CmpService
from privca.composition import Parts
from privca.keys.made_for_others import KeysForOthers
from privca.services import Surroundings, door


def service(parts: Parts, surroundings: Surroundings) -> CmpService:
    """Answers every CMP profile."""
    core = Core(
        store=parts.store,
        certificates=parts.store,
        door=door(parts),
        credentials=parts.credentials,
        authorities=parts.authorities,
        delegates=parts.delegates,
        lists=parts.lists,
        keys=parts.keys,
        profiles=parts.store,
        maker=KeysForOthers(surroundings.offload),
    )
    return CmpService(core, parts.clock, parts.entropy)
