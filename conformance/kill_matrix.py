"""The kill matrix: every named fault of a server must be noticed by a case, and every negative case must notice a fault.

It is made with the lab of this project (``privca up --faults``), whose ``endpoints.json`` lists a profile for each fault; the cases that say
that they notice a fault are run against its profile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.case import Case
from conformance.examination import Result
from conformance.protocols import PROTOCOLS, Sessions
from conformance.target import Target
from conformance.verdict import Verdict

NOTICED = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.INFO})


@dataclass(frozen=True, slots=True)
class Faulty:
    """A profile with one fault: its name, and the profile's entry of ``endpoints.json``."""

    fault: str
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """What the cases found that say that they notice a fault."""

    fault: str
    results: tuple[Result, ...]

    @property
    def killed_by(self) -> tuple[str, ...]:
        """The cases that noticed it."""
        return tuple(one.case.id for one in self.results if one.verdict in NOTICED)


def profiles(endpoints: Path) -> list[Faulty]:
    """The profiles with a fault, by name. :raises OSError, ValueError: if the file cannot be read."""
    document = json.loads(endpoints.read_text("utf-8"))
    found = [Faulty(name, entry) for entry in document["profiles"] for name in entry.get("faults", ())]
    return sorted(found, key=lambda one: one.fault)


def run(target: Target, faulty: Iterable[Faulty], cases: Sequence[Case]) -> Iterator[Row]:
    """A row for each fault. :param target: the honest server; a profile differs from it by its URL and its credentials.

    Cases that look back are given something to look at first: two certificates that the profile issues.
    """
    source = {name: next((case for case in cases if case.id == one.source), None) for name, one in PROTOCOLS.items()}
    for one in faulty:
        noticing = [case for case in cases if one.fault in case.kills]
        protocol = one.entry["protocol"]
        with Sessions(target.at(protocol, one.entry)) as sessions:
            if any(case.looks_back for case in noticing) and (giving := source[protocol]) is not None:
                sessions.examine(giving)
                sessions.examine(giving)
            yield Row(one.fault, tuple(sessions.examine(case) for case in noticing))


def loose_ends(names: Iterable[str], cases: Iterable[Case]) -> list[str]:
    """What does not hang together: faults that no case says it notices, cases that name what is no fault, negative cases without one."""
    known, claimed, found = set(names), set[str](), []
    for case in cases:
        claimed |= set(case.kills)
        found += [f"{case.id} names {name}, which is no fault" for name in case.kills if name not in known]
        if case.negative and not known.intersection(case.kills):
            found.append(f"{case.id} is negative, and notices no fault")
    return [*found, *(f"no case says that it notices {name}" for name in sorted(known - claimed))]
