"""``privca serve``: the server for real use. Nothing is generated, nothing is guessed, and nothing of a lab is allowed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from privca.cli.check import findings
from privca.cli.lab import hold
from privca.cli.output import Failed, Misused
from privca.composition import add_profiles, compose, directly, run
from privca.config import ConfigurationError, load
from privca.sockets import bind


@click.command
@click.option(
    "--config", "path", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The server's privca.toml."
)
def command(path: Path) -> None:
    """Serve a configuration made by hand, until SIGINT or SIGTERM.

    It generates nothing: 'privca ca rollover NAME' makes the keys of a CA, 'privca check' says what is missing.
    """
    try:
        config = load(path)
    except ConfigurationError as error:
        raise Misused(str(error)) from None
    if config.lab is not None:
        raise Misused(f"{path}: [lab] is for 'privca up' alone; take that table out, and what hangs on it, for real use")
    wrong = [finding for finding in findings(config) if finding.wrong]
    if wrong:
        raise Failed("; ".join(f"{finding.subject}: {finding.said}" for finding in wrong))
    sockets = bind(config)
    try:
        held = hold(path)
    except BlockingIOError:
        raise Failed(f"{path}: another 'privca serve' runs on it; stop that one first") from None
    try:
        parts = compose(config, directly)
        try:
            opened_to_all = [
                one.id for one in run(parts.store.profiles()) if one.profile.enabled and "open" in one.profile.authentication
            ]
            if opened_to_all:
                raise Misused(
                    f"profile {opened_to_all[0]} in the store issues to anybody; disable it: privca profile disable {opened_to_all[0]}"
                )
            of_lab = next((code for code in run(parts.store.codes()) if code.lab), None)
            if of_lab is not None:
                raise Misused(
                    f"the code of {of_lab.profile_id} for {of_lab.reference} was made by a lab, which shows it to everybody; take it away: "
                    f"privca code remove {of_lab.profile_id} --reference {of_lab.reference}"
                )
            different = add_profiles(parts, {id: (p, config.template[p.template]) for id, p in config.profile.items()})
        finally:
            parts.store.close()
        from privca import server

        for id in different:
            click.echo(f"profile {id}: the store has another revision than {path.name}, and is followed", err=True)
        for warning in sockets.warnings:
            click.echo(warning, err=True)
        status = server.serve(config, sockets, ready=lambda: server.log.info("serving", url=config.server.https_url))
    finally:
        sockets.close()
        os.close(held)
    sys.exit(status)
