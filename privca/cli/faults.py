"""``privca faults``: the named faults of the server that a lab serves."""

from __future__ import annotations

import click

from privca.cli.output import as_json, print_json


@click.command
@click.argument("name", required=False)
@as_json
def command(name: str | None, as_json: bool) -> None:
    """List the faults that 'privca up --faults' serves, or those whose names begin with NAME."""
    from privca.faults import faults

    found = [fault for fault in faults().values() if fault.name.startswith(name or "")]
    if not found:
        raise click.UsageError(f"no fault's name begins with {name!r}")
    if as_json:
        print_json([{"name": f.name, "profile": f.profile_id, "title": f.title, "clause": f.clause} for f in found])
        return
    width = max(len(fault.name) for fault in found)
    for fault in found:
        click.echo(f"{fault.name:<{width}}  {fault.title} ({fault.clause})")
