"""What goes to a worker and comes back: one JSON object a line."""

from __future__ import annotations

from typing import Literal

import msgspec

from interop.declaration import Client, Expected
from interop.engines.place import Place
from interop.launching import Launch
from interop.results import Row


class Setup(msgspec.Struct, frozen=True):
    """The first line: which server to start, where to work, and the folder of the results."""

    server: str
    folder: str
    out: str
    owner: str = ""
    run: str = ""
    """Of the worker's :class:`~interop.namespaces.Network`."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One row to find out. ``kind`` says whether ``scenario`` names a scenario or a probe of the driver."""

    client: Client
    place: Place
    mode: str
    version: str
    kind: Literal["scenario", "probe"]
    protocol: str
    scenario: str
    known: Expected | None
    again: str


class Reply(msgspec.Struct, frozen=True):
    """The answer to a line: a row, or nothing once the server serves, or what went wrong with the server.

    ``launch`` is a question: run this on the machine itself, and answer with how it ended.
    """

    row: Row | None = None
    launch: Launch | None = None
    error: str = ""
