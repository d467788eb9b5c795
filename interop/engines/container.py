"""Clients in containers, by docker or podman: an image for each root directory, and the network of the worker whose clients they are."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from interop import images, namespaces, system
from interop.declaration import Client
from interop.engines.engine import Engine, Unavailable
from interop.engines.place import LABEL, ContainerPlace, Place, number_in
from interop.engines.rootfs import packages_of
from interop.namespaces import Network

REPOSITORY = "localhost/privca-interop"
CONTAINERFILE = Path(__file__).with_name("Containerfile")
SHOWS = ("/bin/true", "/bin/sleep")
"""All that there is in the image that shows that an engine works: it starts a container if these run in one."""


class Container(Engine):
    """What docker and podman have in common: their command line."""

    def __init__(self, *, install: bool, given: Mapping[str, str] | None = None) -> None:
        super().__init__(install=install, given=given)
        self._environment: dict[str, str] | None = None

    def ready(self) -> None:
        """A container is started: the command alone may be there with no engine behind it."""
        if self._environment is not None:
            return
        if os.geteuid() != 0:
            raise Unavailable("to share a network with a container needs root")
        if reason := namespaces.why_not():
            raise Unavailable(reason)
        if not shutil.which("nsenter"):
            raise Unavailable("there is no nsenter command (util-linux)")
        self.need()
        reasons = []
        for environment in self.environments():
            try:
                self._start(environment)
            except Unavailable as unavailable:
                reasons.append(str(unavailable))
            else:
                self._environment = environment
                return
        raise Unavailable("it starts no container: " + "; then ".join(reasons))

    def need(self) -> None:
        """See to it that the command is there. :raises Unavailable:"""
        if not shutil.which(self.name):
            raise Unavailable(f"there is no {self.name} command")

    def environments(self) -> Iterator[dict[str, str]]:
        """Ways to call it, the first that starts a container is taken."""
        yield {}

    def _start(self, environment: dict[str, str]) -> None:
        image = self._shows(environment)
        self._call(["run", "--rm", "--network=none", f"--label={LABEL}", image, SHOWS[0]], environment)

    def _shows(self, environment: Mapping[str, str]) -> str:
        """The image of :data:`SHOWS`, made of this machine's own files."""
        name = f"{REPOSITORY}:shows-{os.uname().machine}"
        if self._has(name, environment):
            return name
        with tempfile.TemporaryDirectory() as temporary:
            told = subprocess.run(["ldd", *SHOWS], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607
            for file in {*SHOWS, *re.findall(r"(/\S+)(?=\s\()", told)}:
                copy = Path(temporary) / file.lstrip("/")
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)
            self._import(Path(temporary), name, environment)
        return name

    def _has(self, image: str, environment: Mapping[str, str]) -> bool:
        argv = [self.name, "image", "inspect", image]
        return subprocess.run(argv, capture_output=True, env={**os.environ, **environment}, check=False).returncode == 0  # noqa: S603

    def _call(self, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
        """What a command prints. :raises Unavailable: with its last words if it fails."""
        argv, every = [self.name, *arguments], {**os.environ, **environment}
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=every, check=False)  # noqa: S603
        if done.returncode != 0:
            raise Unavailable(f"{self.name} {arguments[0]}: {done.stderr.strip()[-300:]}")
        return done.stdout.strip()

    def _import(self, root: Path, name: str, environment: Mapping[str, str]) -> None:
        """An image of a directory. :raises Unavailable:"""
        every = {**os.environ, **environment}
        with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as packed:  # noqa: S603, S607
            argv = [self.name, "import", "-", name]
            done = subprocess.run(argv, stdin=packed.stdout, capture_output=True, text=True, env=every, check=False)  # noqa: S603
        if done.returncode != 0:
            raise Unavailable(f"{self.name} import: {done.stderr.strip()[-300:]}")

    def place(self, client: Client) -> Place:
        """The image that the user names, or that with the packages of all clients that share it, made if need be."""
        if image := self.given.get(client.name):
            self.ready()
            return ContainerPlace(self.name, image, self._environment or {})
        if client.debian is None:
            raise Unavailable("this client is not a Debian package")
        self.ready()
        environment = self._environment or {}
        suite, packages = client.debian.suite, packages_of(client.debian)
        name = f"{REPOSITORY}:{images.key(suite, packages)}"
        if not self._has(name, environment):
            try:
                system.need("mmdebstrap", install=self.install)
                root = images.root(suite, packages, install=self.install)
            except system.MissingError as missing:
                self._build(name, suite, packages, environment, str(missing))
            else:
                self._import(root, name, environment)
        return ContainerPlace(self.name, name, environment)

    def _build(self, name: str, suite: str, packages: set[str], environment: Mapping[str, str], why: str) -> None:
        """The image by its recipe, on what a registry has of the suite. ``why``: what stood against making it here."""
        words = [f"--build-arg=BASE=debian:{suite}-slim", f"--build-arg=PACKAGES={' '.join(sorted(packages))}"]
        try:
            with tempfile.TemporaryDirectory() as nothing:
                self._call(["build", "--network=host", "--tag", name, f"--file={CONTAINERFILE}", *words, nothing], environment)
        except Unavailable as unavailable:
            raise Unavailable(f"{why}; {unavailable}") from None

    def version(self, client: Client, place: Place) -> str:
        """What the client of a named image says, else the version of the client's package."""
        if client.name in self.given and isinstance(place, ContainerPlace):
            argv = [self.name, "run", "--rm", "--network=none", f"--label={LABEL}", place.image, *client.version]
            every = {**os.environ, **place.environment_of_program}
            done = subprocess.run(argv, capture_output=True, text=True, env=every, check=False)  # noqa: S603
            return number_in(done.stdout + done.stderr)
        if client.debian is None or not isinstance(place, ContainerPlace):
            raise Unavailable("not a place of this engine")
        ask = ["dpkg-query", "--show", "--showformat=${Version}", client.debian.packages[0]]
        told = self._call(["run", "--rm", "--network=none", f"--label={LABEL}", place.image, *ask], place.environment_of_program)
        return told.partition(":")[2] or told

    @contextlib.contextmanager
    def networks(self) -> Iterator[Network]:
        """A container that does nothing but own a network with ``lo`` alone, for a worker and all containers of its clients.

        At its end all containers that joined it end, too.
        """
        environment, run = self._environment or {}, f"{LABEL}={secrets.token_hex(8)}"
        image = self._shows(environment)
        owner = self._call(["run", "--detach", "--network=none", f"--label={run}", image, SHOWS[1], "infinity"], environment)
        try:
            pid = self._call(["inspect", "--format={{.State.Pid}}", owner], environment)
            yield Network(("nsenter", f"--net=/proc/{pid}/ns/net", "--"), owner, run)
        finally:
            self._end(run, environment)

    def _end(self, run: str, environment: Mapping[str, str]) -> None:
        """End all containers of a label. The first process of one ignores what would end it gently."""
        left = self._call(["ps", "--all", "--quiet", f"--filter=label={run}"], environment).split()
        with contextlib.suppress(Unavailable):  # one that has ended cannot be killed
            self._call(["kill", *left], environment)
        self._call(["rm", "--force", *left], environment)


class Docker(Container):
    """docker, or whatever answers to that name."""

    name = "docker"


class Podman(Container):
    """podman, which is tried as installed and then as it works where limits and control groups are not its own to set."""

    name = "podman"

    def need(self) -> None:
        """It may be installed."""
        try:
            system.need("podman", install=self.install)
        except system.MissingError as missing:
            raise Unavailable(str(missing)) from None

    def environments(self) -> Iterator[dict[str, str]]:
        """As installed, and with a configuration that asks for less."""
        yield {}
        if shutil.which("runc") or self.install:
            with contextlib.suppress(system.MissingError):
                system.need("runc", install=self.install)
                config = system.cache() / "containers.conf"
                config.write_text(MODEST, encoding="utf-8")
                yield {"CONTAINERS_CONF": str(config)}


MODEST = """[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""
