"""Engines: where a client runs. Each says why it cannot be used; what cannot run is a skip, never a pass.

The ladder is tried from the top: a root directory of Debian's first, then the machine itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from interop.declaration import Client
from interop.engines.engine import Engine, Unavailable
from interop.engines.host import Host
from interop.engines.place import Place
from interop.engines.rootfs import Rootfs

ENGINES: dict[str, type[Engine]] = {"rootfs": Rootfs, "host": Host}


def ladder(choice: str, *, install: bool) -> list[Engine]:
    """The engines to try, in order; ``auto`` is all of them."""
    names = list(ENGINES) if choice == "auto" else [choice]
    return [ENGINES[name](install=install) for name in names]


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
