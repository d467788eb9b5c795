"""Two pages that say why the kit is to be believed: which case noticed which fault, and what every case said of servers that do nothing."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance.examination import Result
from conformance.kill_matrix import NOTICED, Row


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("conformance.reports", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def kill_page(rows: Sequence[Row]) -> str:
    """A line for each fault, with the cases that noticed it and those that should have."""
    lines = [
        (
            row.fault,
            "noticed" if row.killed_by else "survives",
            [(one.case.id, one.verdict.value, one.verdict in NOTICED) for one in row.results],
        )
        for row in rows
    ]
    survivors = sum(1 for row in rows if not row.killed_by)
    lead = (
        f"{len(rows)} faults of the server, one wrong behaviour each; {len(rows) - survivors} are noticed, {survivors} survive."
    )
    return _environment().get_template("proof.html.j2").render(title="Kill matrix", lead=lead, lines=lines)


def gauntlet_page(rows: Sequence[tuple[str, Result, bool]]) -> str:
    """A line for each stub, with how often each verdict was given and the cases that passed."""
    lines = []
    for stub in dict.fromkeys(name for name, _, _ in rows):
        mine = [(result, vacuous) for name, result, vacuous in rows if name == stub]
        passed = [
            (result.case.id, result.verdict.value, not vacuous) for result, vacuous in mine if vacuous or result.verdict == "pass"
        ]
        lines.append((stub, "vacuous" if any(vacuous for _, vacuous in mine) else "nothing passes that should not", passed))
    wrong = sum(1 for _, _, vacuous in rows if vacuous)
    lead = f"{len(rows)} runs of cases on servers that do nothing of what they should; {wrong} passed where there is nothing to pass."
    return _environment().get_template("proof.html.j2").render(title="Gauntlet", lead=lead, lines=lines)
