"""Engines: where a client runs. Each says why it cannot be used; what cannot run is a skip, never a pass.

The ladder is tried from the top: containers, then a root directory of Debian's, then the machine itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interop.declaration import Client
from interop.engines.container import Container, Docker, Podman
from interop.engines.engine import Engine, Unavailable
from interop.engines.host import Host
from interop.engines.place import Place
from interop.engines.rootfs import Rootfs

ENGINES: dict[str, type[Engine]] = {"docker": Docker, "podman": Podman, "rootfs": Rootfs, "host": Host}


def ladder(choice: Sequence[str], *, install: bool, given: Mapping[str, str] | None = None) -> list[Engine]:
    """The engines to try, in order; none chosen is all of them, of which those of containers are taken as they are found, never installed."""
    names = [name for name in ENGINES if name in choice] or list(ENGINES)
    return [
        ENGINES[name](install=install and (name in choice or not issubclass(ENGINES[name], Container)), given=given)
        for name in names
    ]


def place(engines: Sequence[Engine], client: Client) -> tuple[Engine, Place]:
    """The first engine that has a place for a client, and the place. :raises Unavailable: with the reason of every engine."""
    reasons = []
    for engine in engines:
        try:
            return engine, engine.place(client)
        except Unavailable as unavailable:
            reasons.append(f"{engine.name}: {unavailable}")
    raise Unavailable("; ".join(reasons))


__all__ = ["ENGINES", "Engine", "Place", "Unavailable", "ladder", "place"]
