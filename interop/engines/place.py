"""A place where a client runs, in a form that can be handed to a worker."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from interop.declaration import Client
from interop.namespaces import unshare

PACKAGE = Path(__file__).parent.parent
# Paths inside a root directory; the first is where drivers find this package.
INSIDE_PACKAGE, INSIDE_JOB, BUNDLE = "/opt/lab/interop", "/opt/lab/job", "/etc/ssl/certs/ca-certificates.crt"

# Arguments: root directory, this package, job folder, file of trusted CAs, then the command. The overlay's upper layer is in memory, and
# every mount ends with the namespace.
ENTER = f"""
set -eu
root=$1 package=$2 job=$3 trust=$4; shift 4
here=$job.root
mkdir "$here"
mount -t tmpfs tmpfs "$here"
mkdir "$here/upper" "$here/work" "$here/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$here/upper,workdir=$here/work" "$here/root"
cd "$here/root"
mkdir -p .{INSIDE_PACKAGE} .{INSIDE_JOB} ./etc/ssl/certs
mount --bind "$package" .{INSIDE_PACKAGE}
mount -o remount,bind,ro .{INSIDE_PACKAGE}
mount --bind "$job" .{INSIDE_JOB}
cp "$trust" .{BUNDLE}
printf '127.0.0.1 localhost\\n::1 localhost\\n' > ./etc/hosts
printf 'nameserver 127.0.0.1\\n' > ./etc/resolv.conf
mount -t proc proc ./proc
for device in null zero full random urandom; do
    [ -c ./dev/$device ] || touch ./dev/$device
    mount --bind /dev/$device ./dev/$device
done
exec chroot . "$@"
"""


class RootfsPlace(msgspec.Struct, frozen=True, tag="rootfs"):
    """A root directory, never written to: each run has an overlay of its own."""

    root: str

    def argv(self, client: Client, job: Path) -> list[str]:
        """The command that runs the driver on a job."""
        environment = {
            "PYTHONPATH": str(Path(INSIDE_PACKAGE).parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            client.trust: self.trust(job),
        }
        driver = client.command("/usr/bin/python3", Path(INSIDE_PACKAGE))
        return self.enter(job, job / "trust.pem", [*driver, f"{INSIDE_JOB}/job.json"], environment)

    def enter(self, folder: Path, trust: Path, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """The command that runs ``command`` inside, with ``folder`` at ``INSIDE_JOB`` and ``trust`` as the file of trusted CAs."""
        usual = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        return [
            *unshare("--mount", "--pid", "--fork", "--kill-child", "--propagation=private"),
            *("sh", "-c", ENTER, "enter", self.root, str(PACKAGE), str(folder), str(trust)),
            *("/usr/bin/env", "-i", *(f"{name}={value}" for name, value in {**usual, **environment}.items())),
            *command,
        ]

    def trust(self, job: Path) -> str:
        """Where the client finds the CAs to trust."""
        return BUNDLE

    def environment(self, client: Client, job: Path) -> dict[str, str]:
        """The environment of the command that enters."""
        return {"PATH": os.environ["PATH"]}


class HostPlace(msgspec.Struct, frozen=True, tag="host"):
    """The machine itself; ``path`` is a folder of programs to find first, empty for none; ``modules`` the same of Node's modules."""

    path: str
    modules: str = ""

    def argv(self, client: Client, job: Path) -> list[str]:
        """The command that runs the driver on a job."""
        return [*client.command(sys.executable, PACKAGE), str(job / "job.json")]

    def trust(self, job: Path) -> str:
        """Where the client finds the CAs to trust."""
        return str(job / "trust.pem")

    def environment(self, client: Client, job: Path) -> dict[str, str]:
        """Nothing of the user's environment but PATH, and a home of its own."""
        path = os.pathsep.join(part for part in (self.path, os.environ.get("PATH", os.defpath)) if part)
        python = {"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        return {
            "PATH": path,
            "HOME": str(job / "home"),
            "LANG": "C.UTF-8",
            client.trust: self.trust(job),
            **python,
            **self.variables(),
        }

    def variables(self) -> dict[str, str]:
        """What programs of this place need to find what is theirs."""
        return {"NODE_PATH": self.modules} if self.modules else {}


LABEL = "privca-interop"
"""What every container of ours bears."""


class ContainerPlace(msgspec.Struct, frozen=True, tag="container"):
    """An image of an engine, ``program``, which is called with an ``environment`` besides. ``owner`` and ``run`` are those of the
    worker's :class:`~interop.namespaces.Network`: a container shares it, and is found by its label.
    """

    program: str
    image: str
    environment_of_program: dict[str, str]
    owner: str = ""
    run: str = ""

    def argv(self, client: Client, job: Path) -> list[str]:
        """The command that runs the driver on a job."""
        variables = {
            "PYTHONPATH": str(Path(INSIDE_PACKAGE).parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            client.trust: self.trust(job),
        }
        mounts = [f"{PACKAGE}:{INSIDE_PACKAGE}:ro", f"{job}:{INSIDE_JOB}", f"{job / 'trust.pem'}:{BUNDLE}:ro"]
        return [
            *(self.program, "run", f"--name={self._name(job)}", f"--label={self.run}"),
            f"--network=container:{self.owner}",
            *(f"--volume={mount}" for mount in mounts),
            *(f"--env={name}={value}" for name, value in variables.items()),
            self.image,
            *client.command("/usr/bin/python3", Path(INSIDE_PACKAGE)),
            f"{INSIDE_JOB}/job.json",
        ]

    def _name(self, job: Path) -> str:
        """What the container is called: no other job has its folder."""
        return f"{LABEL}-{hashlib.sha256(str(job).encode()).hexdigest()[:20]}"

    def left(self, job: Path) -> tuple[str, ...]:
        """The command that removes the container of a job, in which it may still be at work. That it removes itself is not asked:
        then an engine may have forgotten how it ended before it says so.
        """
        return (self.program, "rm", "--force", self._name(job))

    def trust(self, job: Path) -> str:
        """Where the client finds the CAs to trust."""
        return BUNDLE

    def environment(self, client: Client, job: Path) -> dict[str, str]:
        """The environment of the program: it is the user's, whose configuration of the engine counts."""
        return {**os.environ, **self.environment_of_program}


Place = RootfsPlace | HostPlace | ContainerPlace


def number_in(text: str) -> str:
    """The first dotted number in what a program says of its version."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return found[0] if found else ""


def show(argv: list[str]) -> str:
    """A command line for people, without the script that enters a root directory."""
    return shlex.join("enter" if part == ENTER else part for part in argv)
