"""Cases: what is examined, which requirements it covers, and which faults it notices.

A case declares itself with :func:`case` (what a server does right) or a protocol's own ``negative`` (a correct request, spoilt in one
way). Its ID, as ``acme.nonce.reused-rejected``, never changes. Importing a module of cases registers them.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.catalogue import catalogue
from conformance.verdict import Level

_ID = re.compile(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*){2,}")

Body = Callable[[Any], None]
"""Examines: gets the lab of its protocol, and tells it what it finds."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    ``covers`` are the requirements that it examines, the first of which its verdict rests on unless a check names another one. ``kills``
    are the faults, by the names of ``privca up --faults``, that it must notice. ``needs`` are capabilities of the run (``http-01``), and
    ``feature`` is what the server may leave out. ``negative`` tells that a spoilt request is sent and must be refused.
    """

    id: str
    title: str
    covers: tuple[str, ...]
    body: Body
    kills: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    feature: str = ""
    negative: bool = False
    mutation: str = ""
    looks_back: bool = False
    """It examines what the other cases of a run were given, and comes after them."""

    @property
    def protocol(self) -> str:
        """The first part of the ID."""
        return self.id.partition(".")[0]

    @property
    def level(self) -> Level:
        """The strongest level of what it covers."""
        return min((catalogue()[id].level for id in self.covers), key=lambda level: level.rank)


REGISTRY: dict[str, Case] = {}


class CaseError(Exception):
    """A case is declared wrongly: which one, and what is wrong."""


def register(declared: Case) -> Case:
    """Take a case up. :raises CaseError: if its ID is taken or malformed, or it covers what is not in the catalogue."""
    if not _ID.fullmatch(declared.id):
        raise CaseError(f"{declared.id}: an ID is protocol.area.words-with-hyphens")
    if declared.id in REGISTRY:
        raise CaseError(f"{declared.id}: declared twice")
    unknown = [id for id in declared.covers if id not in catalogue()]
    if unknown or not declared.covers:
        raise CaseError(f"{declared.id}: covers {unknown or 'nothing'} of the catalogue")
    untestable = [id for id in declared.covers if catalogue()[id].status in ("untestable", "out-of-scope", "superseded")]
    if untestable:
        raise CaseError(f"{declared.id}: the catalogue says that {untestable} cannot be tested")
    REGISTRY[declared.id] = declared
    return declared


def case(
    id: str,
    *,
    covers: Sequence[str],
    kills: Sequence[str] = (),
    needs: Sequence[str] = (),
    feature: str = "",
    looks_back: bool = False,
) -> Callable[[Body], Body]:
    """Declare a function to be a case. Its docstring is the title."""

    def declare(body: Body) -> Body:
        title = " ".join((body.__doc__ or "").split())
        if not title:
            raise CaseError(f"{id}: a case has a docstring, which is its title")
        register(Case(id, title, tuple(covers), body, tuple(kills), tuple(needs), feature, looks_back=looks_back))
        return body

    return declare


def selected(
    cases: Iterable[Case], *, protocols: Iterable[str], globs: Sequence[str] = (), level: Level = Level.MAY
) -> list[Case]:
    """The cases of these protocols that match one of the globs (none: all) and are at least that strong, by ID; those that look back last."""
    wanted = frozenset(protocols)
    return sorted(
        (
            one
            for one in cases
            if one.protocol in wanted
            and one.level.rank <= level.rank
            and (not globs or any(fnmatch.fnmatchcase(one.id, glob) for glob in globs))
        ),
        key=lambda one: (one.looks_back, one.id),
    )
