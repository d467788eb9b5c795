"""The command ``privca-interop``.

Exit status: 0 everything as expected, 1 something not, 2 usage, 3 the harness failed, 77 something could not be run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from interop import declaration, engines, page, plan, results, run, system
from interop.engines import Engine
from interop.probes import PROBES
from interop.results import Results, Row
from interop.scenarios import SCENARIOS
from interop.servers import SERVERS
from interop.tasks import Task

STYLES = {
    "pass": "green",
    "fail": "bold red",
    "error": "bold red",
    "unsupported": "dim",
    "skip": "yellow",
    "inconclusive": "yellow",
}


ABREAST = 6
"""How many clients a table has side by side."""


def chosen(known: dict[str, object]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Reads a list with commas; empty: everything known."""

    def read(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
        names = [name for name in value.split(",") if name] or list(known)
        if unknown := [name for name in names if name not in known]:
            raise click.BadParameter(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return names

    return read


CLIENTS = declaration.clients()


def images_given(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Reads ``CLIENT=IMAGE`` each."""
    found = {}
    for value in values:
        client, _, image = value.partition("=")
        if client not in CLIENTS or not image:
            raise click.BadParameter(f"{value}: not CLIENT=IMAGE with one of {', '.join(CLIENTS)}")
        found[client] = image
    return found


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Real clients against a certificate server, judged by what they hold afterwards."""


@main.command("list")
def list_() -> None:
    """Clients, scenarios, and the engines of this machine."""
    console = Console()
    for name, client in CLIENTS.items():
        console.print(f"[bold]{name:14}[/] {escape(client.title)}")
    console.print()
    for id, scenario in SCENARIOS.items():
        console.print(f"[bold]{id:14}[/] {escape(scenario.title)}")
    console.print()
    for report in run.reports(engines.ladder((), install=False)):
        console.print(f"[bold]{report.name:14}[/] {escape(report.reason) or 'works'}")


@main.command("run")
@click.option(
    "--engine",
    "engine_names",
    callback=chosen({"auto": None, **engines.ENGINES}),
    default="auto",
    show_default=True,
    metavar="A,B",
    help=f"Where clients run: {', '.join(engines.ENGINES)}, or auto: the first of these that works, for each client.",
)
@click.option(
    "--clients", "names", callback=chosen(dict(CLIENTS)), default="", metavar="A,B", help="Which clients (default: all)."
)
@click.option(
    "--scenarios", "ids", callback=chosen(dict(SCENARIOS)), default="", metavar="X,Y", help="Which scenarios (default: all)."
)
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    type=click.Choice(["acme", "est", "scep", "cmp"]),
    help="Of these protocols alone; may be given again.",
)
@click.option(
    "--image",
    "given",
    multiple=True,
    metavar="CLIENT=IMAGE",
    callback=images_given,
    help="An image of your own to run a client in, with python3 in it; may be given again.",
)
@click.option("--target", type=click.Choice(list(SERVERS)), default="privca", show_default=True, help="The server under test.")
@click.option(
    "--workers",
    type=click.IntRange(1, 32),
    default=min(8, 2 * (os.cpu_count() or 1)),
    show_default=True,
    help="How many at once; clients mostly wait.",
)
@click.option("--install", is_flag=True, help="Install Debian packages that are missing, if this is root.")
@click.option(
    "--compare",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of the results to compare with (default: those that --out holds).",
)
@click.option("--skip-ok", is_flag=True, help="Exit with 0 even if something could not be run here.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="interop-out",
    show_default=True,
    help="Folder of the results.",
)
def run_(
    engine_names: list[str],
    names: list[str],
    ids: list[str],
    protocols: tuple[str, ...],
    given: dict[str, str],
    target: str,
    workers: int,
    install: bool,
    compare: Path | None,
    skip_ok: bool,
    out: Path,
) -> None:
    """Run the matrix; write results.json and index.html.

    Exit status: 0 everything as expected, 1 something not, 2 usage, 3 the harness failed, 77 something could not be run here.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 130)
    started = datetime.now(UTC)
    out.mkdir(parents=True, exist_ok=True)
    out = out.resolve()
    before = results.last(compare or out)
    ids = [id for id in ids if not protocols or SCENARIOS[id].protocol in protocols]
    # A control belongs to what it controls.
    ids = list(dict.fromkeys([control for id in ids if (control := SCENARIOS[id].control)] + ids))
    order = [id for id in SCENARIOS if id in ids]
    ladder = engines.ladder([] if "auto" in engine_names else engine_names, install=install, given=given)
    try:
        system.need("openssl", install=install)
        with console.status("") as status:
            status.update("looking at the engines of this machine")
            found_engines = run.reports(ladder)
            tasks, rows = plan.plan([CLIENTS[name] for name in names], order, ladder, target, status.update)
        version = run.server_version(target) if tasks else ""
        rows += watch(console, tasks, ladder, target, workers, out)
    except (run.HarnessError, system.MissingError) as error:
        if isinstance(error, system.MissingError) and skip_ok:
            console.print(f"[yellow]SKIP[/] everything: {escape(str(error))}", soft_wrap=True)
            sys.exit(0)
        console.print(f"[bold red]the harness failed:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(3)
    whole = run.conclude(
        rows,
        order,
        started=f"{started:%FT%TZ}",
        finished=f"{datetime.now(UTC):%FT%TZ}",
        target=target,
        target_version=version,
        engines=found_engines,
    )
    whole = results.compared(whole, before)
    results.save(whole, out)
    page.write(whole, out)
    sys.exit(report(console, whole, out, skip_ok=skip_ok))


def watch(console: Console, tasks: list[Task], ladder: list[Engine], target: str, workers: int, out: Path) -> list[Row]:
    """Carry the tasks out, with a line for each row and a bar where there is a terminal."""
    rows = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("clients at work", total=len(tasks))
        for row in run.carry_out(tasks, ladder, target, workers, out):
            rows.append(row)
            progress.advance(bar)
            console.print(line(row), soft_wrap=True)
    return rows


def line(row: Row) -> str:
    """One row for a terminal; what is not in order says why."""
    mark = "" if row.in_order else f"  [bold red]expected {row.expected}[/]"
    failed = "; ".join(f"{check.name}: {check.detail}" for check in row.checks if not check.ok)
    why = "" if row.verdict == "pass" else f"  {escape(' | '.join(text for text in (row.detail, failed) if text))}"
    did = f"  {row.did}" if row.did else ""
    return f"[{STYLES[row.verdict]}]{row.verdict:12}[/] {row.client:14} {row.scenario:18} {row.seconds:6.1f} s{did}{mark}{why}"


def matrix(rows: Sequence[Row]) -> Table:
    """Clients and scenarios of one protocol."""
    clients = list(dict.fromkeys(row.client for row in rows))
    cells = {(row.client, row.scenario): row for row in rows}
    table = Table("", *(f"{name}\n{next((row.version for row in rows if row.client == name), '')}" for name in clients))
    for id in [id for id in [*PROBES, *SCENARIOS] if any(row.scenario == id for row in rows)]:
        shown = [cells.get((name, id)) for name in clients]
        table.add_row(
            id,
            *(
                f"[{STYLES[row.verdict]}]{row.verdict}{'' if row.in_order else ' !'}[/]{f' ({row.did})' if row.did else ''}"
                if row
                else ""
                for row in shown
            ),
        )
    return table


def report(console: Console, whole: Results, out: Path, *, skip_ok: bool) -> int:
    """The closing table, and the exit status."""
    for protocol in dict.fromkeys(row.protocol for row in whole.rows):
        clients = list(dict.fromkeys(row.client for row in whole.rows if row.protocol == protocol))
        for first in range(0, len(clients), ABREAST):
            some = clients[first : first + ABREAST]
            console.print(matrix([row for row in whole.rows if row.protocol == protocol and row.client in some]))
    for client, reason in dict.fromkeys((row.client, row.detail) for row in whole.rows if row.verdict == "skip"):
        console.print(f"[yellow]SKIP[/] {client}: {escape(reason)}", soft_wrap=True)
    for change in whole.changes:
        console.print(f"[bold]since {whole.since}:[/] {change.client} {change.scenario}: {change.before} -> {change.after}")
    counts, off = whole.counts(), sum(not row.in_order for row in whole.rows)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "nothing to do"
    console.print(f"{summary}; {f'{off} not as expected' if off else 'nothing unexpected'}; {out / 'index.html'}", soft_wrap=True)
    if off:
        return 1
    return 77 if counts.get("skip") and not skip_ok else 0
