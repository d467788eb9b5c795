"""Programs of others that some cases ask for a second opinion, each in an environment of its own: they need other versions of libraries.

They are taken from the user's PATH, or from the user's cache directory, into which ``run --install-tools`` puts them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 600.0
"""Seconds that an installation may take."""


class ToolError(Exception):
    """A tool could not be installed: what pip said."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: its package, the versions whose output we read, the program, and what it is for."""

    package: str
    versions: str
    program: str
    purpose: str

    @property
    def directory(self) -> Path:
        """Where its environment is."""
        return _cache() / f"{self.package}-{self.versions.removeprefix('==').removesuffix('.*')}"

    @property
    def whole(self) -> Path:
        """A file that is there once its environment is whole: one that was broken off is none."""
        return self.directory / "whole"

    @property
    def missing(self) -> str:
        """What to say where it is not there."""
        return f"{self.package} is not installed, which {self.purpose}: 'run --install-tools' puts it into {self.directory}"


SSLYZE = Tool("sslyze", "==6.3.*", "sslyze", "scans TLS listeners")
PKILINT = Tool("pkilint", "==0.13.*", "lint_pkix_cert", "gives a second opinion of certificates")
TOOLS = {one.package: one for one in (SSLYZE, PKILINT)}


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "privca-conformance"


def find(package: str) -> Path | None:
    """The program of a tool: the one that was installed for this kit, else one on PATH; None if there is none."""
    tool = TOOLS[package]
    if tool.whole.exists():
        return tool.directory / "bin" / tool.program
    other = shutil.which(tool.program)
    return Path(other) if other else None


def install(package: str) -> Path:
    """The program of a tool, installed if it is not there yet. :raises ToolError:"""
    tool = TOOLS[package]
    try:
        tool.directory.parent.mkdir(parents=True, exist_ok=True)
        with open(tool.directory.with_suffix(".lock"), "w") as lock:
            # Two runs may begin at once.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (found := find(package)) is not None:
                return found
            venv.create(tool.directory, with_pip=True, symlinks=True, clear=True)
            pip = [str(tool.directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            run([*pip, f"{tool.package}{tool.versions}"], PATIENCE).check_returncode()
            tool.whole.touch()
    except subprocess.CalledProcessError as failure:
        raise ToolError(
            f"{tool.package} cannot be installed: {(failure.stderr or failure.stdout or '')[-300:].strip()}"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise ToolError(f"{tool.package} cannot be installed: {failure}") from None
    return tool.directory / "bin" / tool.program


def run(call: list[str], patience: float) -> subprocess.CompletedProcess[str]:
    """Run a tool, without what would put our own packages into its environment. :param patience: seconds."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return subprocess.run(  # noqa: S603 - programs that we look up or install ourselves
        call, capture_output=True, text=True, timeout=patience, check=False, stdin=subprocess.DEVNULL, env=environment
    )
