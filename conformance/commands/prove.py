"""``conformance gauntlet`` and ``conformance kill-matrix``: is the kit itself to be believed?"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance import gauntlet as stubs
from conformance import kill_matrix as matrix
from conformance import target as targets
from conformance.protocols import PROTOCOLS, load
from conformance.reports.proof import gauntlet_page, kill_page
from conformance.verdict import HARNESS, NONCONFORMANT, USAGE, Verdict

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
_OUT = click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write a page there.")


@click.command()
@_OUT
def gauntlet(out: Path | None) -> None:
    """Run every case against servers that do nothing right. Exit status 1 if one passes where there is nothing to pass."""
    console = Console(stderr=True)
    cases = {name: [one for one in load().values() if one.protocol == name] for name in PROTOCOLS}
    rows = []
    with Progress(*_COLUMNS, console=console, transient=True) as progress:
        task = progress.add_task("stubs", total=sum(len(cases[one.name]) * len(one.stubs) for one in PROTOCOLS.values()))
        for protocol in PROTOCOLS.values():
            for stub, result in stubs.run(protocol, cases[protocol.name]):
                rows.append((f"{protocol.name}: {stub.name}", result, stubs.vacuous(stub, result)))
                progress.advance(task)
    wrong = [(name, result) for name, result, vacuous in rows if vacuous]
    for name, result in wrong:
        console.print(f"{result.case.id}: {result.verdict.value} on {name}", highlight=False)
    passed = Counter(result.verdict for _, result, _ in rows)[Verdict.PASS] - sum(r.verdict is Verdict.PASS for _, r in wrong)
    console.print(
        f"{sum(map(len, cases.values()))} cases on {len({name for name, _, _ in rows})} stubs: {len(wrong)} vacuous; "
        f"{passed} passes for what a stub does right",
        highlight=False,
    )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "gauntlet.html").write_text(gauntlet_page(rows), "utf-8")
        console.print(f"written: {out / 'gauntlet.html'}", highlight=False)
    sys.exit(NONCONFORMANT if wrong else 0)


@click.command("kill-matrix")
@click.option(
    "--target",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="target.toml of a lab that was started with 'privca up --faults'; its endpoints.json is beside it.",
)
@_OUT
def kill_matrix(file: Path, out: Path | None) -> None:
    """Run the cases against every fault that they say they notice. Exit status 1 if a fault survives, or something hangs loose."""
    console = Console(stderr=True)
    try:
        honest = targets.read(file)
        faulty = matrix.profiles(file.with_name("endpoints.json"))
    except (targets.TargetError, OSError, ValueError, KeyError) as error:
        console.print(f"{error}", style="red", highlight=False)
        sys.exit(USAGE)
    if not faulty:
        console.print("the lab has no profiles with faults: start it with 'privca up --faults'", style="red")
        sys.exit(USAGE)
    cases = list(load().values())
    rows = []
    try:
        with Progress(*_COLUMNS, console=console, transient=True) as progress:
            task = progress.add_task("faults", total=len(faulty))
            for row in matrix.run(honest, faulty, cases):
                rows.append(row)
                progress.advance(task)
                if not row.killed_by:
                    progress.console.print(f"[bold red]survives[/]  {row.fault}", highlight=False)
                    for found in row.results:
                        said = f"{found.case.id}: {found.verdict.value} {found.detail}"
                        progress.console.print(f"{'':10}{said}", markup=False, highlight=False, soft_wrap=True)
    except targets.TargetError as error:
        console.print(f"the harness failed: {error}", style="red", highlight=False, soft_wrap=True)
        sys.exit(HARNESS)
    loose = matrix.loose_ends([one.fault for one in faulty], cases)
    for one in loose:
        console.print(one, style="yellow", highlight=False)
    survivors = [row for row in rows if not row.killed_by]
    console.print(f"{len(rows)} faults: {len(rows) - len(survivors)} noticed, {len(survivors)} survive", highlight=False)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "kill-matrix.html").write_text(kill_page(rows), "utf-8")
        console.print(f"written: {out / 'kill-matrix.html'}", highlight=False)
    sys.exit(NONCONFORMANT if survivors or loose else 0)
