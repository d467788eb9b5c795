"""``conformance run``: examine a server, say how it goes, and write every report."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance import engine, expected, profiles, results, target, tools
from conformance.case import Case, selected
from conformance.commands.server import described, server
from conformance.examination import Result
from conformance.protocols import Sessions, concerned, load
from conformance.reports.junit import junit
from conformance.reports.page import page
from conformance.reports.traceability import markdown, traceability
from conformance.transport import HttpRequest, SocketTransport, Unreachable
from conformance.verdict import HARNESS, NOTHING, UNREACHABLE, USAGE, Level, Verdict, exit_status

_STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold red",
    Verdict.INCONSISTENT: "red",
    Verdict.WARN: "yellow",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.INFO: "cyan",
}


@click.command()
@server
@click.option("-k", "globs", multiple=True, metavar="GLOB", help="Only cases that match; may be repeated.")
@click.option(
    "--level", type=click.Choice(["must", "should", "may"]), default="may", help="Only requirements at least that strong."
)
@click.option(
    "--expect", "expectations", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Known deviations (TOML)."
)
@click.option(
    "--profile", "asked", metavar="NAME|FILE", help=f"What is asked of the server: {', '.join(profiles.names())}, or a TOML file."
)
@click.option(
    "--install-tools",
    is_flag=True,
    help=f"Install {' and '.join(tools.TOOLS)}, which some cases ask, into the user's cache directory, if they are not there.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write results.json and all reports there.")
def run(
    file: Path | None,
    globs: tuple[str, ...],
    level: str,
    expectations: Path | None,
    asked: str | None,
    install_tools: bool,
    out: Path | None,
    **given: Any,
) -> None:
    """Examine a server by its URL, or as a target.toml describes it."""
    console = Console(stderr=True)
    try:
        examined = described(file, given)
        known = expected.read(expectations) if expectations else {}
        profile = profiles.find(asked) if asked else None
    except (target.TargetError, expected.ExpectationError, profiles.ProfileError) as error:
        console.print(f"{error}", style="red", highlight=False, soft_wrap=True)
        sys.exit(USAGE)
    chosen = selected(load().values(), protocols=concerned(examined), globs=globs, level=Level(level.upper()))
    if profile is not None:
        examined = profile.claimed(examined)
        chosen = [case for case in chosen if profile.selects(case)]
    if not chosen:
        console.print("no case was selected")
        sys.exit(NOTHING)
    if (why := _unreachable(examined)) is not None:
        console.print(f"nothing can be concluded: {why}", highlight=False)
        sys.exit(UNREACHABLE)
    _look_for_tools(console, chosen, install=install_tools)
    started = dt.datetime.now(dt.UTC)
    try:
        found = _examine(console, examined, chosen, profile)
    except (engine.EngineError, target.TargetError) as error:
        console.print(f"the harness failed: {error}", style="red", highlight=False, soft_wrap=True)
        sys.exit(HARNESS)
    judged = expected.judge(found, known, started.date())
    unused = expected.unused(found, known) if not globs and profile is None else []
    unexpected = any(one.expected and one.unexpected for one in judged) or bool(unused)
    status = exit_status([one.result.verdict for one in judged if one.counts], unexpected=unexpected)
    if status == NOTHING:
        status = 0  # everything that was found was expected
    for glob in unused:
        console.print(f"expected of no case: {glob}", style="yellow")
    _summary(console, judged)
    selection: dict[str, Any] = {"globs": list(globs), "level": level}
    if profile is not None:
        selection["profile"] = profile.document(found)
        _of_profile(console, selection["profile"])
    if out is not None:
        made = results.Run(examined, started, dt.datetime.now(dt.UTC), status, selection)
        out.mkdir(parents=True, exist_ok=True)
        write_reports(out, results.write(out / "results.json", made, judged))
        console.print(f"written: {out}/index.html, results.json, junit.xml, summary.md, traceability.csv", highlight=False)
    sys.exit(status)


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="RESULTS [RESULTS]..."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where to. [beside the first]")
def report(files: tuple[Path, ...], out: Path | None) -> None:
    """Make the reports of a results.json again; of several, one page that has the servers side by side."""
    directory = out or files[0].parent
    directory.mkdir(parents=True, exist_ok=True)
    runs = [json.loads(file.read_text("utf-8")) for file in files]
    if len(runs) == 1:
        write_reports(directory, runs[0])
    else:
        (directory / "index.html").write_text(page(runs), "utf-8")
    click.echo(f"written: {directory / 'index.html'}", err=True)


def write_reports(directory: Path, made: dict[str, Any]) -> None:
    """Every report that is made from results alone."""
    (directory / "index.html").write_text(page([made]), "utf-8")
    (directory / "junit.xml").write_bytes(junit(made))
    (directory / "summary.md").write_text(markdown(made), "utf-8")
    (directory / "traceability.csv").write_text(traceability(made), "utf-8")


def _look_for_tools(console: Console, chosen: list[Case], *, install: bool) -> None:
    """Say which tools are missing that selected cases would ask, or install them."""
    for name, tool in tools.TOOLS.items():
        asking = sum(1 for case in chosen if name in case.needs)
        if not asking or tools.find(name) is not None:
            continue
        if install:
            try:
                with console.status(f"installing {name} into {tool.directory}"):
                    tools.install(name)
                continue
            except tools.ToolError as failure:
                console.print(f"{failure}", style="red", highlight=False, soft_wrap=True)
        console.print(f"{asking} cases are left out: {tool.missing}", style="yellow", highlight=False, soft_wrap=True)


def _unreachable(examined: target.Target) -> str | None:
    """Why none of the target's endpoints answers; None if one does."""
    failures = []
    with SocketTransport(Path(examined.trust_anchor) if examined.trust_anchor else None, timeout=10.0) as transport:
        for url in examined.endpoints.values():
            try:
                transport.exchange(HttpRequest("GET", url))
            except Unreachable as failure:
                failures.append(str(failure))
            else:
                return None
    return "; ".join(failures)


def _examine(console: Console, examined: target.Target, chosen: list[Case], profile: profiles.Profile | None) -> list[Result]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Sessions(examined) as sessions, Progress(*columns, console=console, transient=True) as progress:
        for protocol in sorted({case.protocol for case in chosen}):
            sessions.begin(protocol)
        task = progress.add_task("examining", total=len(chosen))

        def done(result: Result) -> None:
            progress.advance(task)
            if result.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED):
                progress.console.print(
                    f"[{_STYLES[result.verdict]}]{result.verdict.value:>12}[/]  {result.case.id}", highlight=False
                )
                for finding in result.findings:
                    progress.console.print(f"{'':14}{finding}", markup=False, highlight=False)
                if result.detail and not result.findings:
                    progress.console.print(f"{'':14}{result.detail}", markup=False, highlight=False)

        def examine(case: Case) -> Result:
            result = sessions.examine(case)
            return result if profile is None else profile.judged(result)

        return engine.run(chosen, examine, done)


def _summary(console: Console, judged: list[expected.Judged]) -> None:
    counts = Counter(one.result.verdict for one in judged)
    said = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    known = sum(1 for one in judged if one.expected and not one.unexpected)
    console.print(f"{len(judged)} cases: {said}" + (f"; {known} of them as expected" if known else ""), highlight=False)


def _of_profile(console: Console, profile: dict[str, Any]) -> None:
    """How much of a profile was examined, and what was not, by the reason."""
    count = sum(len(profile[demand.value]) for demand in profiles.Demand)
    missing: dict[str, str] = profile["not_examined"]
    console.print(f"profile {profile['name']}: {count - len(missing)} of {count} requirements examined", highlight=False)
    for why in dict.fromkeys(missing.values()):
        ids = ", ".join(id for id, reason in missing.items() if reason == why)
        console.print(f"{'':14}not examined ({why}): {ids}", style="yellow", markup=False, highlight=False, soft_wrap=True)
