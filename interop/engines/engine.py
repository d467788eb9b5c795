"""What an engine is."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Iterator, Mapping

from interop.declaration import Client
from interop.engines.place import Place
from interop.namespaces import Network


class Unavailable(Exception):
    """The engine cannot be used, or cannot run this client; the text says why."""


class Engine(abc.ABC):
    """Gives places to clients. ``install``: whether it may install packages on this machine. ``given``: images that the user names for
    clients, by the clients' names; only an engine of containers has a use for them.
    """

    name: str

    def __init__(self, *, install: bool, given: Mapping[str, str] | None = None) -> None:
        self.install = install
        self.given = given or {}

    @abc.abstractmethod
    def ready(self) -> None:
        """See to it that the engine works. :raises Unavailable: if it does not; it is tried, not guessed."""

    @abc.abstractmethod
    def place(self, client: Client) -> Place:
        """A place where this client can run, made if need be. :raises Unavailable:"""

    @abc.abstractmethod
    def version(self, client: Client, place: Place) -> str:
        """The version of the client in its place."""

    @contextlib.contextmanager
    def networks(self) -> Iterator[Network]:
        """A network for one worker and its clients."""
        yield Network()
