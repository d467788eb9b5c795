"""``python -m vectors``: check the vectors, replay them on a server, make new ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from vectors import generator, linting, recording, replaying
from vectors.harness import Harness, HarnessError

_HARNESS = click.option("--harness", metavar="COMMAND", help="What answers the requests. [privca replay]")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Test vectors of enrollment protocols: exact octets, recorded from real clients or generated."""


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE]...")
def lint(files: tuple[Path, ...]) -> None:
    """Check that every vector, or each FILE, satisfies the schema and holds together with what it names. Exit status 1 if not."""
    checked = files or tuple(linting.everything())
    wrong = [f"{path.name}: {fault}" for path in checked for fault in linting.faults(path)]
    for line in wrong:
        click.echo(line)
    click.echo(f"{len(checked)} vectors, {len(wrong)} faults", err=True)
    sys.exit(1 if wrong else 0)


@main.command()
@click.option("-k", "globs", multiple=True, metavar="GLOB", help="Only vectors whose ID matches; may be repeated.")
@_HARNESS
@click.option("-v", "--verbose", is_flag=True, help="Say what the server says to each.")
def replay(globs: tuple[str, ...], harness: str | None, verbose: bool) -> None:
    """Send every request to a server that is put into its situation, and compare the answers.

    Exit status 1 if one differs, 3 if the harness fails, 5 if nothing was selected.
    """
    console = Console(stderr=True)
    chosen = replaying.chosen(globs)
    if not chosen:
        console.print("no vector was selected")
        sys.exit(5)
    wrong = unsupported = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Harness(harness) as server, Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("replaying", total=len(chosen))
            for outcome in replaying.replay(server, chosen):
                progress.advance(task)
                wrong, unsupported = wrong + bool(outcome.fault), unsupported + bool(outcome.unsupported)
                if outcome.fault or outcome.unsupported or verbose:
                    said = outcome.fault or outcome.unsupported or outcome.why
                    progress.console.print(f"{outcome.vector.id}: {said}", markup=False, highlight=False, soft_wrap=True)
    except HarnessError as error:
        console.print(f"the harness failed: {error}", style="red", highlight=False)
        sys.exit(3)
    right = len(chosen) - wrong - unsupported
    console.print(f"{len(chosen)} vectors: {right} as they say, {wrong} differ, {unsupported} unsupported", highlight=False)
    sys.exit(1 if wrong else 0)


@main.command()
@click.option(
    "--check", is_flag=True, help="Compare with the files that are there, and write nothing. Exit status 1 if they differ."
)
@_HARNESS
def generate(check: bool, harness: str | None) -> None:
    """Write the generated vectors anew."""
    try:
        with Harness(harness) as server:
            files = generator.generated(server)
    except HarnessError as error:
        raise click.ClickException(f"the harness failed: {error}") from None
    found = generator.differences(files)
    for name, fault in found.items():
        click.echo(f"{name} {fault}")
    click.echo(f"{len(files)} files, {len(found)} differ", err=True)
    if check:
        sys.exit(1 if found else 0)
    generator.write(files)


@main.command()
@click.argument("transcript", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--client", required=True, help="Who sent the requests: 'certbot'.")
@click.option("--version", required=True, help="Its version.")
@click.option("--case", default="", metavar="WORDS", help="What the IDs end with, before a number: 'renew'.")
@click.option("--profile", default="", metavar="ID", help="Only exchanges with this profile.")
@click.option("--since", type=int, default=1, show_default=True, metavar="LINE", help="First line of the transcript that counts.")
@click.option("--once", is_flag=True, help="Only the first exchange of each operation.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where to write. [the folders of this package]")
def record(transcript: Path, **given: Any) -> None:
    """Make vectors of what a client sent: TRANSCRIPT is that of a lab (DIR/transcripts/server.jsonl).

    What the lab left out of its transcript (passwords in header fields) is not in the vectors.
    """
    made = recording.record(transcript, **given)
    for path in made:
        click.echo(str(path))
    sys.exit(0 if made else 1)


@main.command()
@click.argument("id")
@click.option(
    "--octets", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The message."
)
@click.option("--client", required=True, help="Who wrote it.")
@click.option("--version", required=True, help="Its version.")
@click.option("--operation", required=True, help="As the protocol names it: 'PKCSReq'.")
@click.option("--comment", required=True, help="What it is an example of.")
@click.option("--control", default="", metavar="ID", help="The valid vector that this one is, but for one change.")
@click.option("--clause", default="", help="The section that the change breaks.")
def new(id: str, file: Path, client: str, version: str, operation: str, comment: str, control: str, clause: str) -> None:
    """Write a vector of a request that is in a file: kind and name are in its ID, as 'scep.sscep.pkcsreq-get'."""
    try:
        path = recording.new(
            id,
            file.read_bytes(),
            client=client,
            version=version,
            operation=operation,
            comment=comment,
            control=control,
            clause=clause,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo(str(path))
