"""``privca otp``: one-time passcodes for EST, SCEP and CMP."""

from __future__ import annotations

from pathlib import Path

import click

from privca.base.clock import rfc3339
from privca.base.durations import duration
from privca.cli.code import reference_fault
from privca.cli.output import Failed, as_json, located, print_facts, print_json, print_table
from privca.cli.profile import known_profile
from privca.composition import issue_passcode, opened, run


@click.group
def command() -> None:
    """Issue, list and revoke passcodes, each good for one request."""


@command.command
@click.argument("profile")
@click.option(
    "--for", "reference", metavar="NAME", help="The name that goes with it: user name, CMP reference (default: made up)."
)
@click.option("--ttl", default="1h", show_default=True, help="How long it can be used, as 30m or 7d.")
@as_json
@located
def issue(profile: str, reference: str | None, ttl: str, as_json: bool, config_path: Path) -> None:
    """A passcode for one request to PROFILE. It is shown once.

    One that was issued for the same NAME and not used yet is revoked.
    """
    try:
        life = duration(ttl)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--ttl") from None
    if not life:
        raise click.BadParameter("a passcode lives for a second at least", param_hint="--ttl")
    with opened(config_path) as parts:
        known_profile(parts, profile, "otp")
        name = parts.entropy.octets(4).hex() if reference is None else reference
        if fault := reference_fault(name):
            raise click.BadParameter(fault, param_hint="--for")
        made = issue_passcode(parts, profile, name, life)
    facts = {
        "profile": profile,
        "id": made.id,
        "reference": made.reference,
        "passcode": made.value.decode(),
        "expires": rfc3339(made.expires),
    }
    if as_json:
        print_json(facts)
    else:
        print_facts({key: facts[key] for key in ("reference", "passcode", "expires")})


@command.command("list")
@click.option("--profile", "profile_id", metavar="ID", help="Only those of one profile.")
@as_json
@located
def list_(profile_id: str | None, as_json: bool, config_path: Path) -> None:
    """All passcodes with their state, not their values."""
    with opened(config_path) as parts:
        now = parts.clock.now()
        facts = [
            {
                "id": one.id,
                "profile": one.profile_id,
                "reference": one.reference,
                "state": one.state(now),
                "expires": rfc3339(one.expires),
                "failures": one.failures,
            }
            for one in run(parts.store.passcodes(profile_id))
        ]
    if as_json:
        print_json(facts)
    else:
        columns = ("id", "profile", "reference", "state", "expires", "failures")
        print_table(columns, [[str(one[column]) for column in columns] for one in facts], "no passcode was issued")


@command.command
@click.argument("id")
@located
def revoke(id: str, config_path: Path) -> None:
    """Revoke a passcode; ID as 'otp list' shows it. A certificate that was issued for it stays."""
    with opened(config_path) as parts:
        if not run(parts.store.revoke_passcode(id, parts.clock.now())):
            raise Failed(f"no passcode {id} can be revoked; 'privca otp list' shows them all")
    click.echo(f"{id} is revoked")
