"""Root directories with Debian's clients, made by mmdebstrap from the machine's own package source and kept by what is in them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from interop import system

RECIPE = 1
"""Changes whenever the same packages would give another directory."""


def key(suite: str, packages: Iterable[str]) -> str:
    """A name for the root directory that these packages of a suite give."""
    content = "\n".join([str(RECIPE), suite, os.uname().machine, *sorted(set(packages))])
    return f"{suite}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def source(*, install: bool) -> str:
    """The package source of this machine that is Debian's; ``install`` lets it get package lists. :raises MissingError: if apt knows none."""
    if not shutil.which("apt-get"):
        raise system.MissingError("there is no apt on this machine to take packages from")
    query = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
        "Component: main",
        "Origin: Debian",
        "Label: Debian",
    ]
    done = subprocess.run(query, capture_output=True, text=True, check=False)  # noqa: S603
    if not (lines := done.stdout.split()) and install and os.geteuid() == 0:
        system.apt_get("update")
        lines = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603
    if not lines:
        raise system.MissingError("apt has no package source of Debian, or no package lists yet (apt-get update)")
    return lines[0]


def root(suite: str, packages: Iterable[str], *, install: bool) -> Path:
    """The root directory, made now if it is not there. :raises MissingError: with the last words of mmdebstrap if that fails."""
    packages = sorted(set(packages))
    final = system.cache() / "roots" / key(suite, packages)
    final.parent.mkdir(exist_ok=True)
    with (final.parent / f"{final.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once make it once
        if final.is_dir():
            return final
        unfinished = final.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ["--quiet", "--variant=apt", f"--include={','.join(packages)}"]
        options += ["--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"]
        # Java's packages link their manuals there, and fail if they cannot.
        options += ['--essential-hook=mkdir -p "$1/usr/share/man/man1"']
        wanted = [suite, str(unfinished), source(install=install)]
        done = _mmdebstrap(*options, *wanted)
        if done.returncode != 0 and "apt-get update" in done.stderr:
            shutil.rmtree(unfinished, ignore_errors=True)
            # Perhaps a source that is a snapshot: its signatures are good, and the day that they name is over.
            done = _mmdebstrap(*options, '--aptopt=Acquire::Check-Valid-Until "false"', *wanted)
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise system.MissingError(f"mmdebstrap: {done.stderr.strip()[-400:]}")
        unfinished.rename(final)
    return final


def _mmdebstrap(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mmdebstrap", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607


def version(root: Path, package: str) -> str:
    """The upstream version of a package in a root directory, by its dpkg database."""
    status = (root / "var/lib/dpkg/status").read_text(encoding="utf-8")
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" "))
        if fields.get("Package") == package:
            return fields["Version"].partition(":")[2] or fields["Version"]
    return ""
