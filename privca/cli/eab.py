"""``privca eab``: external account binding for ACME (RFC 8555 section 7.3.4)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from pathlib import Path

import click

from privca.base.clock import rfc3339
from privca.base.durations import duration
from privca.cli.output import Failed, as_json, located, print_facts, print_json
from privca.composition import issue_external_key, opened, run


@click.group
def command() -> None:
    """Issue external account binding keys for ACME."""


@command.command
@click.argument("profile")
@click.option("--ttl", default="30d", show_default=True, help="How long it can bind an account, as 12h or 30d.")
@as_json
@located
def issue(profile: str, ttl: str, as_json: bool, config_path: Path) -> None:
    """A key identifier and an HMAC key that bind one account to PROFILE. The key is shown once."""
    try:
        life = duration(ttl)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--ttl") from None
    with opened(config_path) as parts:
        known = run(parts.store.profile(profile))
        if known is None:
            raise Failed(f"there is no profile {profile!r}; 'privca profile list' shows them all")
        if "eab" not in known.profile.authentication:
            raise Failed(f'profile {profile!r} does not use external account binding; it needs authentication = ["eab"]')
        key = issue_external_key(parts, profile, life)
    hmac_key = urlsafe_b64encode(key.key).rstrip(b"=").decode()
    if as_json:
        assert key.expires is not None
        print_json({"profile": profile, "kid": key.id, "hmac_key": hmac_key, "expires": rfc3339(key.expires)})
    else:
        print_facts({"kid": key.id, "hmac key": hmac_key})
        click.echo(f"\ncertbot: --eab-kid {key.id} --eab-hmac-key {hmac_key}")
