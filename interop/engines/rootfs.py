"""Debian's clients in a root directory of their own: unshare, an overlay and chroot, nothing but util-linux."""

from __future__ import annotations

import os
from pathlib import Path

from interop import declaration, images, namespaces, system
from interop.declaration import Client, Debian
from interop.engines.engine import Engine, Unavailable
from interop.engines.place import Place, RootfsPlace


def packages_of(debian: Debian) -> set[str]:
    """The packages of all clients that share a root directory."""
    others = [client.debian for client in declaration.clients().values() if client.debian is not None]
    return {package for other in others if (other.suite, other.root) == (debian.suite, debian.root) for package in other.packages}


def shared_root(debian: Debian, *, install: bool) -> Path:
    """The root directory with the packages of all clients that share it, made if need be. :raises MissingError: if it cannot be made."""
    return images.root(debian.suite, packages_of(debian), install=install)


class Rootfs(Engine):
    """One root directory for each suite, with the packages of all clients that come from it."""

    name = "rootfs"

    def ready(self) -> None:
        """Root, namespaces and mmdebstrap."""
        if os.geteuid() != 0:
            raise Unavailable("making a root directory of Debian's needs root")
        try:
            system.need("unshare", install=self.install)
            system.need("mmdebstrap", install=self.install)
        except system.MissingError as missing:
            raise Unavailable(str(missing)) from None
        if reason := namespaces.why_not():
            raise Unavailable(reason)

    def place(self, client: Client) -> Place:
        """The root directory of the client's suite."""
        if client.debian is None:
            raise Unavailable("this client is not a Debian package")
        self.ready()
        try:
            return RootfsPlace(str(shared_root(client.debian, install=self.install)))
        except system.MissingError as missing:
            raise Unavailable(str(missing)) from None

    def version(self, client: Client, place: Place) -> str:
        """The version of the client's package."""
        if client.debian is None or not isinstance(place, RootfsPlace):
            raise Unavailable("not a place of this engine")
        return images.version(Path(place.root), client.debian.packages[0])
