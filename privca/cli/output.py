"""How commands print: tables for people, JSON for programs; and the options that they share."""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from privca.cli.lab import CONFIG

DEFAULT_DIRECTORY = "privca-lab"

F = TypeVar("F", bound=Callable[..., Any])


class Failed(click.ClickException):
    """The command is refused or failed: one sentence, exit status 1."""

    def show(self, file: Any = None) -> None:
        """Print the sentence to standard error."""
        click.echo(f"{click.style('privca:', fg='red', bold=True)} {self.message}", err=True)


class Misused(Failed):
    """The command was asked for something that it never does here: exit status 2."""

    exit_code = 2


def located(command: F) -> F:
    """Give a command the options ``--dir`` and ``--config``; it gets the configuration file as ``config_path``."""

    def resolve(context: click.Context, parameter: click.Parameter, value: str | None) -> Path:
        directory = context.params.pop("directory", None)
        if value is not None and directory is not None:
            raise click.UsageError("--dir and --config name the same thing: give one of them")
        return Path(value) if value is not None else Path(directory or DEFAULT_DIRECTORY) / CONFIG

    command = click.option(
        "--config", "config_path", metavar="FILE", callback=resolve, help="The configuration of a server: its privca.toml."
    )(command)
    return click.option(
        "--dir", "directory", metavar="DIR", is_eager=True, help=f"The directory of a lab (default: ./{DEFAULT_DIRECTORY})."
    )(command)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: object) -> None:
    """Print ``value`` for a program."""
    click.echo(json.dumps(value, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Print rows for a person; whole cells and no frame when it goes into a pipe."""
    if not rows:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=not sys.stdout.isatty())
    for row in rows:
        table.add_row(*map(plain, row))
    out = console()
    with out.capture() as captured:
        out.print(table)
    # Columns are padded to their width; nobody wants that at the end of a line.
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and values for a person, one a line."""
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<{width}}{plain(value)}")


def plain(text: str) -> str:
    """``text`` that cannot do anything to a terminal or its reader: what is not printable (controls, line ends, marks that turn the
    direction of writing or have no width) is shown by its number, as ``<U+202E>``."""
    return "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in text)


def operator() -> str:
    """Who gives the command, as records name them: ``operator:NAME``, by the account of this machine that runs it."""
    try:
        return f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"operator:{os.getuid()}"


def console() -> Console:
    """Standard output: the terminal's width, or no limit when it goes into a pipe."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 400, markup=False)
