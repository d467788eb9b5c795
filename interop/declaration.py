"""What is declared of a client: where it comes from, how it is driven, and what it is known not to do."""

from __future__ import annotations

import datetime
import fnmatch
import operator
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

CLIENTS = Path(__file__).parent / "clients"


class DeclarationError(Exception):
    """A declaration that cannot be used; the text says which and why."""


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a declaration: immutable, unknown keys refused."""


class Debian(Struct, frozen=True):
    """The client as Debian packages it; the first package is the client itself and gives the version."""

    suite: str
    packages: tuple[str, ...]
    only: bool = False
    """Whether this version alone is meant: one that the machine has instead would be another client."""
    root: str = ""
    """Clients of one suite share a root directory with those of the same word here: what is large, or may fail, keeps to itself."""


class Pypi(Struct, frozen=True):
    """The client as PyPI has it, in a virtual environment of its own."""

    requirement: str


class Npm(Struct, frozen=True):
    """The client as the npm registry has it, in a folder of its own."""

    requirement: str


class Expected(Struct, frozen=True):
    """A known deviation from ``pass``: why, where that is written, of which versions, and until when it may stand."""

    scenario: str
    verdict: Literal["fail", "unsupported"]
    why: str
    link: str = ""
    versions: str = ""
    """Which versions of the client it is known of, as ``>=4.9,<4.11``; none: all."""
    until: datetime.date | None = None
    says: str = ""
    """A pattern that the client's own words must match: what fails for another reason is not what is known."""


class Client(Struct, frozen=True):
    """One client. In ``driver``, ``{python}`` is the interpreter of the place where it runs, ``{folder}`` the folder of the declaration."""

    name: str
    title: str
    protocols: tuple[Literal["acme", "est", "scep", "cmp"], ...]
    driver: tuple[str, ...]
    version: tuple[str, ...]
    """Command that prints the version, the first dotted number in its output."""
    trust: str
    """The environment variable that names the file of trusted CAs; in a root directory the file is laid over the system's as well."""
    debian: Debian | None = None
    pypi: Pypi | None = None
    npm: Npm | None = None
    path: bool = False
    """Nobody packages it: whoever owns the machine puts it on PATH."""
    scenarios: tuple[str, ...] = ()
    """Patterns of the scenarios that it can be asked for at all, as ``est-*``; none: all of its protocols."""
    expected: tuple[Expected, ...] = ()

    folder: str = ""
    """The folder of the declaration, by its name; known once it is read."""

    def command(self, python: str, package: Path) -> list[str]:
        """The driver's command where ``python`` is the interpreter and this package is at ``package``."""
        folder = str(package / "clients" / self.folder)
        return [part.replace("{python}", python).replace("{folder}", folder) for part in self.driver]

    def takes(self, scenario: str) -> bool:
        """Whether a scenario of one of its protocols is for it."""
        return not self.scenarios or any(fnmatch.fnmatchcase(scenario, pattern) for pattern in self.scenarios)

    def expects(self, scenario: str, version: str, today: datetime.date) -> Expected | None:
        """What is known of this version of the client in a scenario; nothing: it is to pass. A mark past its day no longer counts."""
        marks = (
            mark
            for mark in self.expected
            if mark.scenario == scenario and within(version, mark.versions) and (mark.until is None or today <= mark.until)
        )
        return next(marks, None)


COMPARE: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}


def within(version: str, bounds: str) -> bool:
    """Whether a version lies within bounds such as ``>=4.9,<4.11``; what a packager appended does not count. No version at all does.

    :raises DeclarationError: for bounds that are none.
    """
    for bound in filter(None, bounds.split(",")):
        if not (found := re.fullmatch(r"(>=|<=|<|>|=)(\d+(?:\.\d+)*)", bound.strip())):
            raise DeclarationError(f"{bound}: no bound of versions, such as >=4.9")
        limit = _numbers(found[2])
        # As precisely as the bound: 4.9.1 is =4.9.
        if version and not COMPARE[found[1]](_numbers(version)[: len(limit)], limit):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def load(path: Path) -> Client:
    """The declaration in a file. :raises DeclarationError: naming the key that is wrong."""
    try:
        client = msgspec.toml.decode(path.read_bytes(), type=Client)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DeclarationError(f"{path}: {error}") from None
    if client.debian is None and client.pypi is None and client.npm is None and not client.path:
        raise DeclarationError(f"{path}: a client comes from somewhere: [debian], [pypi], [npm], or path = true")
    for mark in client.expected:
        try:
            within("", mark.versions)
        except DeclarationError as error:
            raise DeclarationError(f"{path}: {mark.scenario}: {error}") from None
    return msgspec.structs.replace(client, folder=path.parent.name)


def clients(folder: Path = CLIENTS) -> dict[str, Client]:
    """All clients by name, in order of name."""
    found = [load(path) for path in folder.glob("*/client.toml")]
    return {client.name: client for client in sorted(found, key=lambda client: client.name)}
