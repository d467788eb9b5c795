"""The ACME service of a CA."""

from __future__ import annotations

from privca.acme.service import AcmeService
from privca.composition import Parts
from privca.services import Surroundings, door


def service(parts: Parts, surroundings: Surroundings) -> AcmeService:
    """Answers every ACME profile."""
    server = parts.config.server
    return AcmeService(
        parts.store,
        door(parts),
        surroundings.prober,
        surroundings.background,
        parts.clock,
        parts.entropy,
        # Workers have to know each other's nonces.
        None if server.workers == 1 else parts.secrets.derive("acme nonce"),
        server.https_url,
    )
