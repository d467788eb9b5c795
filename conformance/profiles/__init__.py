"""Profiles of requirements: which of them somebody asks of a server, and how strongly (``run --profile NAME``, ``--profile FILE.toml``).

.. code-block:: toml

    name = "plant-7"
    title = "What we ask of the CA of plant 7"
    mandatory = ["rfc9483:3.*", "rfc9483:4.1.1#granted"]    # requirements by ID, or globs
    recommended = ["rfc9483:4.2#*"]
    optional = ["rfc9483:4.4#*"]
    claims = ["lightweight"]

A profile selects the cases that cover any of its requirements, and does not change what they check. It says what it means that a server
does not have something: of what is mandatory that is a failure, of what is recommended a warning. A glob stands for what binds a server
and can be tested; a requirement that is named by its ID counts even if nothing can examine it. ``claims`` are added to those of the target:
``lightweight`` lets the cases of RFC 9483 be run where the target names no endpoint of its own for them.
"""

from __future__ import annotations

import enum
import fnmatch
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from conformance.case import Case
from conformance.catalogue import Status, catalogue
from conformance.examination import Result
from conformance.target import Target
from conformance.verdict import Verdict


class ProfileError(Exception):
    """A profile cannot be used: which one, and what is wrong with it."""


class Demand(enum.StrEnum):
    """How strongly a profile asks for a requirement, strongest first."""

    MANDATORY = "mandatory"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


_ABSENT = {Demand.MANDATORY: Verdict.INCONSISTENT, Demand.RECOMMENDED: Verdict.WARN}
"""What it means that a server does not have what a profile asks for."""


_CONCLUDED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.INFO, Verdict.INCONSISTENT, Verdict.UNSUPPORTED})
"""What says something about a requirement."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    title: str
    mandatory: list[str] = []
    recommended: list[str] = []
    optional: list[str] = []
    claims: list[str] = []


@dataclass(frozen=True, slots=True)
class Profile:
    """A selection of requirements, each by its ID with how strongly it is asked for."""

    name: str
    title: str
    requirements: Mapping[str, Demand]
    claims: tuple[str, ...] = ()

    def claimed(self, target: Target) -> Target:
        """The target of a run with this profile."""
        return msgspec.structs.replace(target, claims=target.claims | dict.fromkeys(self.claims, True))

    def selects(self, case: Case) -> bool:
        """Whether a case examines any of them."""
        return any(id in self.requirements for id in case.covers)

    def judged(self, result: Result) -> Result:
        """A result as the profile sees it: what the verdict of a case rests on, the first that it covers, is there if it is asked for."""
        demand = self.requirements.get(result.case.covers[0])
        if result.verdict is not Verdict.UNSUPPORTED or demand not in _ABSENT:
            return result
        return replace(result, verdict=_ABSENT[demand], detail=f"{demand.value} in profile {self.name}: {result.detail}")

    def not_examined(self, results: Iterable[Result]) -> dict[str, str]:
        """Those of which these results say nothing, and why: no case covers them, or those that do were not to be run to their end."""
        told: dict[str, str] = {}
        concluded = set[str]()
        for result in results:
            for id in result.case.covers:
                if result.verdict in _CONCLUDED:
                    concluded.add(id)
                else:
                    told.setdefault(id, result.detail)
        nothing = "no selected case covers it"
        return {id: told.get(id) or catalogue()[id].why or nothing for id in self.requirements if id not in concluded}

    def document(self, results: Iterable[Result]) -> dict[str, Any]:
        """As it stands in ``results.json``."""
        lists = {one.value: [id for id, demand in self.requirements.items() if demand is one] for one in Demand}
        return {"name": self.name, "title": self.title, **lists, "not_examined": self.not_examined(results)}


def names() -> list[str]:
    """The profiles that the kit has."""
    files = resources.files(__package__).iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def find(wanted: str) -> Profile:
    """A profile by its name, or in a file. :raises ProfileError:"""
    if wanted in names():
        return parse(wanted, (resources.files(__package__) / f"{wanted}.toml").read_text("utf-8"))
    if not wanted.endswith(".toml"):
        raise ProfileError(f"there is no profile {wanted}: {', '.join(names())}, or a file whose name ends with .toml")
    try:
        return parse(wanted, Path(wanted).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{wanted}: {getattr(error, 'strerror', None) or error}") from None


def parse(source: str, text: str) -> Profile:
    """The profile of a file. :raises ProfileError: with the requirement that is none, or what else is wrong."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ProfileError(f"{source}: {error}") from None
    asked: dict[str, Demand] = {}
    for demand in Demand:
        for wanted in getattr(file, demand.value):
            for id in _requirements(source, wanted):
                asked.setdefault(id, demand)
    if not asked:
        raise ProfileError(f"{source}: asks for no requirement")
    return Profile(file.name, file.title, {id: asked[id] for id in catalogue() if id in asked}, tuple(file.claims))


def _requirements(source: str, wanted: str) -> list[str]:
    if wanted in catalogue():
        return [wanted]
    found = [one for one in catalogue().values() if fnmatch.fnmatchcase(one.id, wanted)]
    if not found:
        raise ProfileError(f"{source}: there is no requirement {wanted}")
    return [one.id for one in found if one.role != "client" and one.status in (Status.TESTABLE, Status.STATIC)]
