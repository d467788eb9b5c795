"""Clients on the machine itself: from PyPI in an environment of their own, or installed by whoever owns the machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
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
        """An environment with the client from PyPI, or the machine as it is if the client is on PATH."""
        self.ready()
        if client.pypi is not None:
            return HostPlace(str(self._environment(client.pypi.requirement) / "bin"))
        if client.debian is not None and client.debian.only:
            raise Unavailable(f"the one of Debian {client.debian.suite} is meant and no other")
        if shutil.which(client.version[0]) is None:
            raise Unavailable(f"{client.version[0]} is not on PATH")
        return HostPlace("")

    def version(self, client: Client, place: Place) -> str:
        """What the client says."""
        if not isinstance(place, HostPlace):
            raise Unavailable("not a place of this engine")
        environment = {**os.environ, "PATH": os.pathsep.join(part for part in (place.path, os.environ.get("PATH", "")) if part)}
        program = shutil.which(client.version[0], path=environment["PATH"]) or client.version[0]
        done = subprocess.run([program, *client.version[1:]], capture_output=True, text=True, env=environment, check=False)  # noqa: S603
        return number_in(done.stdout + done.stderr)

    def _environment(self, requirement: str) -> Path:
        key = hashlib.sha256(f"{requirement}\n{sys.version}\n{sys.executable}".encode()).hexdigest()[:16]
        final = system.cache() / "environments" / f"{requirement.split('>')[0].split('=')[0]}-{key}"
        final.parent.mkdir(exist_ok=True)
        with (final.parent / f"{final.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            complete = final / "complete"  # an environment cannot be moved, so a mark says that it is whole
            if complete.exists():
                return final
            venv.create(final, clear=True, with_pip=True)
            argv = [
                str(final / "bin" / "python"),
                "-I",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                requirement,
            ]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode != 0:
                raise Unavailable(f"pip: {done.stderr.strip()[-300:]}")
            complete.touch()
        return final
