"""The SCEP service of a CA."""

from __future__ import annotations

from privca.composition import Parts
from privca.scep.service import ScepService
from privca.services import Surroundings, door


def service(parts: Parts, surroundings: Surroundings) -> ScepService:
    """Answers every SCEP profile."""
    return ScepService(parts.store, door(parts), parts.credentials, parts.authorities, parts.delegates, parts.lists, parts.keys)
