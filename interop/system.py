"""What the harness needs of the machine: a cache directory, programs, and Debian packages for programs that are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
    "openssl": "openssl",
    "node": "nodejs",
    "npm": "npm",
    "podman": "podman",
    "runc": "runc",
}


class MissingError(Exception):
    """Something that is needed is not there; the text says what and why it could not be had."""


def cache() -> Path:
    """Where root directories and environments are kept, by the XDG base directory specification."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    folder = (Path(base) if base.startswith("/") else Path.home() / ".cache") / "privca-interop"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def need(program: str, *, install: bool) -> None:
    """See to it that a program is there. :raises MissingError: if it is not, and may or can not be installed."""
    if shutil.which(program):
        return
    if not install:
        raise MissingError(f"{program} is not installed (--install lets this install it)")
    if os.geteuid() != 0:
        raise MissingError(f"{program} is not installed, and only root can install it")
    if not shutil.which("apt-get"):
        raise MissingError(f"{program} is not installed, and there is no apt-get to install it with")
    apt_get("update")
    apt_get("install", "-y", "--no-install-recommends", PACKAGES[program])


def apt_get(*arguments: str) -> None:
    """Run apt-get, asking nothing. :raises MissingError: with its last words if it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(["apt-get", "-qq", *arguments], capture_output=True, text=True, env=environment, check=False)  # noqa: S603, S607
    if done.returncode != 0:
        raise MissingError(f"apt-get {arguments[0]}: {done.stderr.strip()[-300:]}")
