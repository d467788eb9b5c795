"""Clients on the machine itself: from PyPI or npm in an environment of their own, or installed by whoever owns the machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from interop import namespaces, system
from interop.declaration import Client
from interop.engines.engine import Engine, Unavailable
from interop.engines.place import HostPlace, Place, number_in


class Host(Engine):
    """No walls but the worker's network namespace."""

    name = "host"

    def ready(self) -> None:
        """Namespaces."""
        if reason := namespaces.why_not():
            raise Unavailable(reason)

    def place(self, client: Client) -> Place:
        """An environment with the client from PyPI or npm, or the machine as it is if the client is on PATH."""
        self.ready()
        if client.pypi is not None:
            return HostPlace(str(self._environment(client.pypi.requirement) / "bin"))
        if client.npm is not None:
            modules = self._modules(client.npm.requirement)
            return HostPlace(str(modules / ".bin"), str(modules))
        if client.debian is not None and client.debian.only:
            raise Unavailable(f"the one of Debian {client.debian.suite} is meant and no other")
        if shutil.which(client.version[0]) is None:
            raise Unavailable(f"{client.version[0]} is not on PATH")
        return HostPlace("")

    def version(self, client: Client, place: Place) -> str:
        """What the client says."""
        if not isinstance(place, HostPlace):
            raise Unavailable("not a place of this engine")
        environment = {
            **os.environ,
            **place.variables(),
            "PATH": os.pathsep.join(part for part in (place.path, os.environ.get("PATH", "")) if part),
        }
        program = shutil.which(client.version[0], path=environment["PATH"]) or client.version[0]
        done = subprocess.run([program, *client.version[1:]], capture_output=True, text=True, env=environment, check=False)  # noqa: S603
        return number_in(done.stdout + done.stderr)

    def _environment(self, requirement: str) -> Path:
        """An environment of Python's with what pip makes of a requirement."""

        def make(final: Path) -> list[str]:
            venv.create(final, clear=True, with_pip=True)
            pip = [str(final / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            return [*pip, requirement]

        return _once(f"{requirement}\n{sys.version}\n{sys.executable}", requirement, make)

    def _modules(self, requirement: str) -> Path:
        """Node's modules that npm makes of a requirement."""
        try:
            system.need("node", install=self.install)
            system.need("npm", install=self.install)
        except system.MissingError as missing:
            raise Unavailable(str(missing)) from None

        def make(final: Path) -> list[str]:
            shutil.rmtree(final, ignore_errors=True)
            final.mkdir()
            return ["npm", "install", "--prefix", str(final), "--no-audit", "--no-fund", "--loglevel=error", requirement]

        return _once(f"{requirement}\nnpm", requirement, make) / "node_modules"


def _once(content: str, requirement: str, make: Callable[[Path], list[str]]) -> Path:
    """A folder that is kept under a name that tells its content; ``make`` prepares it, and gives the command that fills it.

    :raises Unavailable: with the last words of that command, if it fails.
    """
    name = re.split(r"[<>=@^]", requirement)[0]
    final = system.cache() / "environments" / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    final.parent.mkdir(exist_ok=True)
    with (final.parent / f"{final.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = final / "complete"  # an environment cannot be moved, so a mark says that it is whole
        if complete.exists():
            return final
        argv = make(final)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise Unavailable(f"{Path(argv[0]).name} install {requirement}: {done.stderr.strip()[-300:]}")
        complete.touch()
    return final
