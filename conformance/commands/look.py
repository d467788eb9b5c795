"""Commands that look at what there is: cases, requirements, mutations, the catalogue against a text, two results side by side."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from conformance.acme.mutations import MUTATIONS
from conformance.catalogue import Requirement
from conformance.catalogue import catalogue as entries
from conformance.catalogue.audit import forgotten, sentences, unfounded
from conformance.protocols import load
from conformance.verdict import NONCONFORMANT, NOTHING


@click.command("list")
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
def list_cases(globs: tuple[str, ...]) -> None:
    """List the cases, or those that match a GLOB."""
    from conformance.case import selected

    found = selected(load().values(), protocols={one.protocol for one in load().values()}, globs=globs)
    if not found:
        sys.exit(NOTHING)
    width = max(len(one.id) for one in found)
    for one in found:
        click.echo(f"{one.id:<{width}}  {one.level.value:<6}  {one.title}")


@click.command()
@click.argument("case_id", metavar="CASE")
def show(case_id: str) -> None:
    """What a case does, what it examines, and which faults it must notice."""
    one = load().get(case_id)
    if one is None:
        raise click.UsageError(f"there is no case {case_id}; 'conformance list' shows them all")
    click.echo(f"{one.id}\n{one.title}\n")
    for id in one.covers:
        _explain(entries()[id])
    for label, values in (("notices", one.kills), ("needs", one.needs)):
        if values:
            click.echo(f"{label}: {', '.join(values)}")
    if one.negative:
        click.echo(f"the spoilt request: {one.mutation}")


@click.command()
@click.argument("requirement")
def explain(requirement: str) -> None:
    """What a requirement says, how it is examined, and by which cases. REQUIREMENT is an ID, or a clause as rfc8555:6.5."""
    found = [one for one in entries().values() if one.id == requirement or one.id.partition("#")[0] == requirement]
    if not found:
        raise click.UsageError(f"the catalogue has no {requirement}")
    for one in found:
        _explain(one)
        for case in load().values():
            if one.id in case.covers:
                click.echo(f"    {case.id}: {case.title}")


def _explain(one: Requirement) -> None:
    click.echo(f"{one.id}  ({one.clause}, {one.keyword}, binds {one.role})")
    click.echo(f'  "{one.quote}"')
    if one.why:
        click.echo(f"  {one.status.value}: {one.why}")


@click.group()
def catalogue() -> None:
    """The requirements of the RFCs."""


@catalogue.command()
@click.option(
    "--text",
    "texts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    required=True,
    help="The RFC as plain text (rfc8555.txt); may be repeated.",
)
def audit(texts: tuple[Path, ...]) -> None:
    """List every sentence with a keyword of BCP 14 that no entry of the catalogue stands for, and every entry that quotes nothing."""
    missing = 0
    for path in texts:
        number = re.search(r"rfc(\d+)", path.name)
        if number is None:
            raise click.UsageError(f"{path}: its name does not say which RFC it is, as rfc8555.txt would")
        text = path.read_text("utf-8", "replace")
        lost = forgotten(number[1], text, entries().values())
        wrong = unfounded(number[1], text, entries().values())
        for sentence in lost:
            click.echo(f"missing  RFC {number[1]} section {sentence.section}  {sentence.text}")
        for entry in wrong:
            click.echo(f"unfound  {entry.id}  {entry.quote}")
        total = len(list(sentences(text)))
        click.echo(f"RFC {number[1]}: {total} sentences, {len(lost)} missing, {len(wrong)} quotes not found", err=True)
        missing += len(lost) + len(wrong)
    sys.exit(NONCONFORMANT if missing else 0)


@click.command()
def mutations() -> None:
    """List the named ways in which an ACME request can be spoilt, each with the clause that it offends."""
    width = max(map(len, MUTATIONS))
    for mutation in MUTATIONS.values():
        click.echo(f"{mutation.name:<{width}}  {mutation.clause}")


@click.command()
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def diff(old: Path, new: Path) -> None:
    """Cases whose verdict differs between two results.json. Exit status 1 if a verdict became worse."""
    before, after = (
        {case["id"]: case["verdict"] for case in json.loads(path.read_text("utf-8"))["cases"]} for path in (old, new)
    )
    worse = False
    for id in sorted(before.keys() | after.keys()):
        was, now = before.get(id, "not run"), after.get(id, "not run")
        if was != now:
            worse |= now in ("fail", "error", "inconsistent", "inconclusive")
            click.echo(f"{id}: {was} -> {now}")
    sys.exit(NONCONFORMANT if worse else 0)
