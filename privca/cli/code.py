"""``privca code``: the global codes that EST, SCEP and CMP clients enroll with."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from privca.base.clock import rfc3339
from privca.cli.output import Failed, as_json, located, print_facts, print_json, print_table
from privca.cli.profile import known_profile
from privca.cli.terminal import typed_twice
from privca.composition import opened, run, set_code
from privca.enrollment.secrets import code_fault, generated

REFERENCE = click.option(
    "--reference", metavar="NAME", help="The name that goes with it: user name, CMP reference (default: the profile's ID)."
)


@click.group
def command() -> None:
    """Set, show, list and remove the codes that many devices enroll with."""


@command.command("set")
@click.argument("profile")
@REFERENCE
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the code from the first line of standard input.")
@click.option("--generate", is_flag=True, help="Make one, and print it.")
@located
def set_(profile: str, reference: str | None, from_stdin: bool, generate: bool, config_path: Path) -> None:
    """Set the code of PROFILE, in place of the one that is there.

    It is typed, read with --stdin, or made with --generate. Who knows the former code cannot enroll with it from now on.
    """
    if from_stdin and generate:
        raise click.UsageError("--stdin and --generate exclude each other")
    with opened(config_path) as parts:
        known = known_profile(parts, profile, "code")
        name = profile if reference is None else reference
        if fault := reference_fault(name):
            raise click.BadParameter(fault, param_hint="--reference")
        if generate:
            value = generated(parts.entropy)
        else:
            text = sys.stdin.readline().rstrip("\r\n") if from_stdin else typed_twice(f"code of {known.id} for {name}")
            if fault := code_fault(text):
                raise Failed(f"{fault}; nothing was changed")
            value = text.encode()
        set_code(parts, profile, name, value)
    if generate:
        print_facts({"reference": name, "code": value.decode()})
    else:
        click.echo(f"the code of {profile} for {name} is set")


@command.command
@click.argument("profile")
@REFERENCE
@as_json
@located
def show(profile: str, reference: str | None, as_json: bool, config_path: Path) -> None:
    """The code of PROFILE in clear."""
    with opened(config_path) as parts:
        known_profile(parts, profile, "code")
        codes = [one for one in run(parts.store.codes(profile)) if reference in (None, one.reference)]
    if not codes:
        raise Failed(f"there is no such code; set it with: privca code set {profile}")
    if as_json:
        print_json([{"profile": one.profile_id, "reference": one.reference, "code": one.value.decode()} for one in codes])
    else:
        print_table(("reference", "code"), [(one.reference, one.value.decode()) for one in codes], "")


@command.command("list")
@as_json
@located
def list_(as_json: bool, config_path: Path) -> None:
    """All codes by profile and reference, not their values."""
    with opened(config_path) as parts:
        codes = run(parts.store.codes())
    facts = [{"profile": one.profile_id, "reference": one.reference, "set": rfc3339(one.created)} for one in codes]
    if as_json:
        print_json(facts)
    else:
        columns = ("profile", "reference", "set")
        print_table(columns, [[one[column] for column in columns] for one in facts], "no code is set")


@command.command
@click.argument("profile")
@REFERENCE
@located
def remove(profile: str, reference: str | None, config_path: Path) -> None:
    """Take a code of PROFILE away; nobody can enroll with it any longer."""
    name = profile if reference is None else reference
    with opened(config_path) as parts:
        if not run(parts.store.remove_code(profile, name)):
            raise Failed(f"there is no code of {profile} for {name}; 'privca code list' shows them all")
    click.echo(f"the code of {profile} for {name} is removed")


def reference_fault(name: str) -> str:
    """What is wrong with a reference; empty: nothing. RFC 7617 section 2: a user name has no colon."""
    if not 0 < len(name) <= 64 or not name.isascii() or not name.isprintable() or ":" in name or name != name.strip():
        return "a reference is 1 to 64 printable ASCII characters, none of them a colon, no space at either end"
    return ""
