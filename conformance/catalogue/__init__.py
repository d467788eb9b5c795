"""What the RFCs demand: one TOML file for each, one entry for each requirement.

An entry's ID is ``rfc8555:6.5#nonce-reject`` and never changes. A quote of at most 25 words finds the sentence that it stands for;
:mod:`conformance.catalogue.audit` lists the sentences that no entry stands for. Whatever is not ``testable`` says why.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from conformance.verdict import Level

MAXIMUM_WORDS = 25
_KEY = re.compile(r"[A-Za-z0-9.]+#[a-z0-9]+(-[a-z0-9]+)*")
_LEVELS = {
    "MUST": Level.MUST,
    "MUST NOT": Level.MUST,
    "REQUIRED": Level.MUST,
    "SHALL": Level.MUST,
    "SHALL NOT": Level.MUST,
    "SHOULD": Level.SHOULD,
    "SHOULD NOT": Level.SHOULD,
    "RECOMMENDED": Level.SHOULD,
    "NOT RECOMMENDED": Level.SHOULD,
    "MAY": Level.MAY,
    "OPTIONAL": Level.MAY,
}


class Status(enum.StrEnum):
    """How a requirement can be examined."""

    TESTABLE = "testable"
    VIA_CLIENT = "via-client"
    """Only a client can be seen to follow it; a fault profile shows whether it does."""
    STATIC = "static"
    """By reading what was issued, on every certificate of a run."""
    UNTESTABLE = "untestable"
    OUT_OF_SCOPE = "out-of-scope"
    FUTURE = "future"
    SUPERSEDED = "superseded"


class CatalogueError(Exception):
    """An entry is not as it should be: which one, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand of one RFC. ``role`` is whom it binds: server, client or both. ``feature`` is empty for what every server has."""

    id: str
    keyword: str
    role: str
    quote: str
    status: Status
    feature: str = ""
    why: str = ""

    @property
    def level(self) -> Level:
        """MUST, SHOULD or MAY."""
        return _LEVELS[self.keyword]

    @property
    def rfc(self) -> str:
        """``8555``."""
        return self.id.partition(":")[0].removeprefix("rfc")

    @property
    def section(self) -> str:
        """``6.5``."""
        return self.id.partition(":")[2].partition("#")[0]

    @property
    def clause(self) -> str:
        """``RFC 8555 section 6.5``."""
        return f"RFC {self.rfc} section {self.section}"

    @property
    def to_be_covered(self) -> bool:
        """Whether a case has to examine it: it binds a server, at MUST level, and can be tested."""
        return self.role in ("server", "both") and self.level is Level.MUST and self.status in (Status.TESTABLE, Status.STATIC)


def parse(rfc: str, text: str) -> dict[str, Requirement]:
    """The entries of one file. :raises CatalogueError: for the first that is wrong."""
    found: dict[str, Requirement] = {}
    for key, entry in tomllib.loads(text).items():
        id = f"rfc{rfc}:{key}"
        if not _KEY.fullmatch(key):
            raise CatalogueError(f"{id}: an ID is SECTION#words-with-hyphens")
        unknown = set(entry) - {"level", "role", "quote", "status", "feature", "why"}
        missing = {"level", "quote"} - set(entry)
        if unknown or missing:
            raise CatalogueError(f"{id}: unknown {sorted(unknown)}, missing {sorted(missing)}")
        if entry["level"] not in _LEVELS:
            raise CatalogueError(f"{id}: {entry['level']!r} is no keyword of BCP 14")
        if len(entry["quote"].split()) > MAXIMUM_WORDS:
            raise CatalogueError(f"{id}: a quote has at most {MAXIMUM_WORDS} words")
        role = entry.get("role", "server")
        if role not in ("server", "client", "both"):
            raise CatalogueError(f"{id}: role is server, client or both")
        try:
            status = Status(entry.get("status", "testable" if role != "client" else "via-client"))
        except ValueError:
            raise CatalogueError(f"{id}: {entry['status']!r} is no status") from None
        if status is not Status.TESTABLE and role != "client" and not entry.get("why"):
            raise CatalogueError(f"{id}: what is {status.value} says why")
        found[id] = Requirement(id, entry["level"], role, entry["quote"], status, entry.get("feature", ""), entry.get("why", ""))
    return found


@cache
def catalogue() -> Mapping[str, Requirement]:
    """Every requirement by its ID, RFC by RFC."""
    found: dict[str, Requirement] = {}
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            found |= parse(file.name.removeprefix("rfc").removesuffix(".toml"), file.read_text("utf-8"))
    return found
