"""``conformance curl``: a case as commands that a person can repeat by hand."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import click

from conformance import expected, results
from conformance.commands.server import described, server
from conformance.protocols import Sessions, load
from conformance.reports.curl import script
from conformance.target import BARE, TargetError
from conformance.transport import Unreachable
from conformance.verdict import UNREACHABLE, USAGE


@click.command()
@click.argument("case_id", metavar="CASE")
@click.option(
    "--results",
    "found",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Show what a run has sent: results.json.",
)
@click.option("--all", "whole", is_flag=True, help="Show also what is sent before the control, and requests for nonces.")
@server
def curl(case_id: str, found: Path | None, whole: bool, file: Path | None, ca: str | None, **given: Any) -> None:
    """Print a shell script that repeats CASE with curl.

    With a server (--target or its URL) the case is run against it, and the script has the same requests signed anew, with nonces that
    nobody has used: it can be run, once. With --results it has what was sent then.
    """
    if found is not None:
        if file is not None or any(given[name] for name in BARE):
            raise click.UsageError("--results and a server exclude each other")
        cases = {one["id"]: one for one in json.loads(found.read_text("utf-8"))["cases"]}
        if case_id not in cases:
            raise click.UsageError(f"{found} has no case {case_id}")
        case = cases[case_id]
        click.echo(script(case, case["exchanges"], trust=ca or "", once=False, whole=whole), nl=False)
        return
    known = load().get(case_id)
    if known is None:
        raise click.UsageError(f"there is no case {case_id}; 'conformance list' shows them all")
    try:
        target = described(file, {**given, "ca": ca})
        if known.protocol not in target.protocols:
            raise click.UsageError(f"the server has no endpoint for {known.protocol}")
        with Sessions(target) as sessions:
            result = sessions.examine(known)
            made = results.case(expected.judge([result], {}, dt.datetime.now(dt.UTC).date())[0])
            # Each request as it can be sent next, while the session is open that nonces are asked for in.
            again = [results.exchange(one, one.again() if one.again else None) for one in result.exchanges]
    except TargetError as error:
        click.echo(str(error), err=True)
        sys.exit(USAGE)
    except Unreachable as failure:
        click.echo(f"nothing can be concluded: {failure}", err=True)
        sys.exit(UNREACHABLE)
    click.echo(script(made, again, trust=target.trust_anchor, once=True, whole=whole), nl=False)
