"""What a run found: the rows of ``results.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Verdict = Literal["pass", "fail", "unsupported", "inconclusive", "skip", "error"]
"""``unsupported``: the client has no way to do it. ``inconclusive``: nothing can be concluded, because a control failed.
``skip``: it could not be run here. ``error``: the harness's own failure. Only ``pass`` is a pass."""


class Check(msgspec.Struct, frozen=True):
    """One piece of evidence that was looked at."""

    name: str
    ok: bool
    detail: str = ""


class Step(msgspec.Struct, frozen=True):
    """One command of the client, secrets redacted."""

    command: str
    exit: int
    seconds: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One client in one scenario. ``mode`` is the engine that ran it; ``expected`` the verdict that is in order, ``why`` what is known about it,
    and ``link`` where that is written."""

    client: str
    version: str
    protocol: str
    scenario: str
    mode: str
    verdict: Verdict
    expected: Verdict
    why: str = ""
    link: str = ""
    detail: str = ""
    did: str = ""
    """What the client did when it was told to wait or to try again: see :class:`interop.grading.Grade`."""
    seconds: float = 0.0
    checks: tuple[Check, ...] = ()
    steps: tuple[Step, ...] = ()
    folder: str = ""
    """Where the log and the artefacts are, relative to the results; empty if there are none."""
    again: str = ""
    """The command that runs this row alone."""

    @property
    def outcome(self) -> str:
        """The verdict, with what the client did."""
        return f"{self.verdict} ({self.did})" if self.did else self.verdict

    @property
    def in_order(self) -> bool:
        """Whether nobody needs to look at this row: it is as expected, or was not run and says so."""
        return self.verdict in (self.expected, "skip")


class EngineReport(msgspec.Struct, frozen=True):
    """An engine, and why it could not be used; empty if it could."""

    name: str
    reason: str


class Change(msgspec.Struct, frozen=True):
    """A row that is not what it was: verdicts, and what the client did."""

    client: str
    scenario: str
    before: str
    after: str


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. Times are RFC 3339 in UTC."""

    schema: Literal[1] = 1
    started: str
    finished: str
    target: str
    target_version: str
    engines: tuple[EngineReport, ...]
    rows: tuple[Row, ...]
    since: str = ""
    """When the results were started that these were compared with; empty: there were none."""
    changes: tuple[Change, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many rows have each verdict; only verdicts that occur."""
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row.verdict] = counts.get(row.verdict, 0) + 1
        return counts


def save(results: Results, folder: Path) -> None:
    """Write ``results.json``."""
    (folder / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def read(folder: Path) -> Results:
    """Read ``results.json``."""
    return msgspec.json.decode((folder / "results.json").read_bytes(), type=Results)


def last(folder: Path) -> Results | None:
    """The results that are stored in a folder, if there are any that can be read."""
    try:
        return read(folder)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def compared(new: Results, old: Results | None) -> Results:
    """New results with what has changed. What was not run, this time or then, is not compared."""
    if old is None:
        return new
    was = {(row.client, row.scenario): row for row in old.rows if row.verdict != "skip"}
    pairs = [(was.get((row.client, row.scenario)), row) for row in new.rows if row.verdict != "skip"]
    changes = [
        Change(row.client, row.scenario, _seen(before, row), _seen(row, before))
        for before, row in pairs
        if before is not None and before.outcome != row.outcome
    ]
    return msgspec.structs.replace(new, since=old.started, changes=tuple(changes))


def _seen(row: Row, other: Row) -> str:
    """An outcome; of which version of the client, if that changed as well."""
    return row.outcome if row.version == other.version else f"{row.outcome} of {row.version}"
