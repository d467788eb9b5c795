"""Servers under test: started as programs inside a worker's network namespace, described to drivers, and asked what they recorded."""

from __future__ import annotations

from pathlib import Path

from interop.servers.pebble import Pebble
from interop.servers.peers import Estserver, Scepserver
from interop.servers.privca import Privca
from interop.servers.server import Server, ServerError

SERVERS: dict[str, type[Server]] = {"privca": Privca, "pebble": Pebble, "estserver": Estserver, "scepserver": Scepserver}

__all__ = ["SERVERS", "Server", "ServerError", "start"]


def start(name: str, folder: Path, *, faults: bool = False) -> Server:
    """Start a server with ``folder`` for its files, if asked with its faults. :raises ServerError: if it does not get ready."""
    return Privca(folder, faults=True) if faults and SERVERS[name] is Privca else SERVERS[name](folder)
