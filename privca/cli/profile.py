"""``privca profile``: the profiles in the store; a running server follows a change within a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from privca.cli.output import Failed, as_json, located, print_json, print_table
from privca.composition import Parts, opened, run
from privca.config import load_profiles
from privca.issuance.profile import Revisioned


@click.group
def command() -> None:
    """Apply, list, show and disable issuance profiles."""


@command.command
@click.argument("file", type=click.Path(path_type=Path))
@located
def apply(file: Path, config_path: Path) -> None:
    """Store the profiles of FILE (TOML) as new revisions.

    Only where they differ from what is stored; a running server follows within a second.
    """
    with opened(config_path) as parts:
        wanted = load_profiles(file, parts.config)
        stored = {known.id: known for known in run(parts.store.profiles())}
        for id, (profile, _) in wanted.items():
            if id in stored and stored[id].profile.protocol != profile.protocol:
                raise Failed(
                    f"profile {id} is for {stored[id].profile.protocol} and stays so; choose another ID for {profile.protocol}"
                )
        for id, (profile, template) in wanted.items():
            before = stored[id].revision if id in stored else 0
            revision = run(parts.store.save_profile(id, profile, template))
            click.echo(f"{id}: revision {revision}{' (unchanged)' if revision == before else ''}")


@command.command("list")
@as_json
@located
def list_(as_json: bool, config_path: Path) -> None:
    """All profiles, newest revision of each."""
    with opened(config_path) as parts:
        profiles = run(parts.store.profiles())
    if as_json:
        print_json([_short(known) for known in profiles])
    else:
        columns = ("id", "protocol", "revision", "issuer", "authentication", "validity", "state")
        rows = [
            (
                p.id,
                p.profile.protocol,
                str(p.revision),
                p.profile.issuer,
                ", ".join(p.profile.authentication),
                p.profile.validity,
                _state(p),
            )
            for p in profiles
        ]
        print_table(columns, rows, "no profile yet; 'privca profile apply FILE' makes one")


@command.command
@click.argument("id")
@as_json
@located
def show(id: str, as_json: bool, config_path: Path) -> None:
    """One profile with its template and all its values."""
    with opened(config_path) as parts:
        known = known_profile(parts, id)
    document: dict[str, Any] = msgspec.to_builtins(known)
    if as_json:
        print_json(document)
    else:
        click.echo(f"# {known.id}, revision {known.revision}")
        for line in _lines(f"profile.{known.id}", document["profile"]) + _lines(
            f"template.{known.profile.template}", document["template"]
        ):
            click.echo(line)


@command.command
@click.argument("id")
@located
def disable(id: str, config_path: Path) -> None:
    """Close the endpoint of a profile; 'profile apply' opens it again."""
    with opened(config_path) as parts:
        known = known_profile(parts, id)
        revision = run(parts.store.save_profile(id, msgspec.structs.replace(known.profile, enabled=False), known.template))
    click.echo(f"{id}: disabled (revision {revision})")


def known_profile(parts: Parts, id: str, method: str = "") -> Revisioned:
    """A profile of the store, which admits by ``method``. :raises Failed: if there is none, or it does not."""
    known = run(parts.store.profile(id))
    if known is None and id in parts.config.profile:
        raise Failed(f"profile {id!r} is not in the store yet; store it with: privca profile apply {parts.config.path.name}")
    if known is None:
        raise Failed(f"there is no profile {id!r}; 'privca profile list' shows them all")
    if method and method not in known.profile.authentication:
        raise Failed(f"profile {id!r} does not admit by this method; it needs {method!r} in its authentication")
    return known


def _state(known: Revisioned) -> str:
    return ("default" if known.profile.default else "enabled") if known.profile.enabled else "disabled"


def _short(known: Revisioned) -> dict[str, object]:
    profile = known.profile
    return {
        "id": known.id,
        "revision": known.revision,
        "protocol": profile.protocol,
        "issuer": profile.issuer,
        "template": profile.template,
        "authentication": list(profile.authentication),
        "validity": profile.validity,
        "enabled": profile.enabled,
        "default": profile.default,
    }


def _lines(table: str, values: dict[str, Any]) -> list[str]:
    """A table as TOML, tables below it after its own keys. TOML has no null: what is None is the key that is not there."""
    own = [f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, dict) and value is not None]
    below = [
        line for key, value in values.items() if isinstance(value, dict) and value for line in _lines(f"{table}.{key}", value)
    ]
    return [f"[{table}]", *own, "", *below]


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(item)}' for key, item in value.items())} }}"
    return msgspec.json.encode(value).decode()
