"""Namespaces from util-linux's ``unshare``: everything made in one ends with the process that asked for it.

A worker has its own network with nothing in it but ``lo``, so the ports 80, 443 and 53 are free and nothing leaves the machine;
its own mounts, so none is left behind; and its own process tree, so that no client outlives it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
from dataclasses import dataclass

ALONE = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation=private")
WORKER = ("--net", *ALONE)
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


@dataclass(frozen=True, slots=True)
class Network:
    """The network of a worker and its clients. By default it is the worker's own, and clients are inside it as they start; else
    ``join`` is the start of a command that enters it, ``owner`` the container whose it is, and ``run`` the label of those that share it.
    """

    join: tuple[str, ...] = ()
    owner: str = ""
    run: str = ""

    def worker(self) -> list[str]:
        """The command that runs what follows as a worker."""
        return [*self.join, *unshare(*(ALONE if self.join else WORKER))]


def unshare(*options: str) -> list[str]:
    """The command that runs what follows in new namespaces; an ordinary user is root in a user namespace of their own."""
    return ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), *options, "--"]


def why_not() -> str:
    """Why this machine cannot give a worker its namespaces; empty if it can. It is tried, not guessed."""
    if shutil.which("unshare") is None:
        return "there is no unshare command (util-linux)"
    done = subprocess.run([*unshare(*WORKER), "true"], capture_output=True, text=True, check=False)  # noqa: S603
    return "" if done.returncode == 0 else f"unshare: {done.stderr.strip() or done.returncode}"


def bring_lo_up() -> None:
    """Turn on the loopback interface of this network namespace, which is born down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
