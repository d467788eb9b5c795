"""``privca worker``: one of several serving processes; started by the parent alone, with its task on standard input."""

from __future__ import annotations

import os
import sys

import click


@click.command(hidden=True)
def command() -> None:
    """Serve what the parent listens on, until standard input ends."""
    from privca import server
    from privca.workers import Task

    line = b""
    # Octet by octet: nothing behind the line may be taken from the descriptor, whose end tells that the parent is gone.
    while not line.endswith(b"\n"):
        octet = os.read(0, 1)
        if not octet:
            return
        line += octet
    sys.exit(server.work(Task.decode(line)))
