"""``conformance evidence``: what an assessor takes away, in one signed archive."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from conformance.reports.evidence import EvidenceError, pack
from conformance.verdict import USAGE

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", type=_FILE, help="RSA or EC key that signs, PEM without a passphrase.")
@click.option("--cert", type=_FILE, help="Its certificate, PEM.")
def evidence(directory: Path, key: Path | None, cert: Path | None) -> None:
    """Pack the reports in DIRECTORY into evidence.zip, with their digests, signed if there is a key."""
    if (key is None) != (cert is None):
        raise click.UsageError("--key and --cert belong together")
    try:
        path = pack(directory, key=key, certificate=cert)
    except EvidenceError as error:
        click.echo(str(error), err=True)
        sys.exit(USAGE)
    click.echo(f"written: {path}{'' if key else ' (not signed: no --key)'}", err=True)
