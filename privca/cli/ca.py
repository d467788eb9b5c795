"""``privca ca``: the certification authorities and their keys."""

from __future__ import annotations

from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from privca.base.clock import rfc3339
from privca.cli.output import Failed, as_json, located, print_facts, print_json, print_table
from privca.composition import Parts, opened, run, write_trust_anchor
from privca.issuance.ports import Generation, GenerationRole
from privca.issuance.publication import PublicUrls


@click.group
def command() -> None:
    """List and show CAs, and give them new keys."""


@command.command("list")
@as_json
@located
def list_(as_json: bool, config_path: Path) -> None:
    """All CAs with their current keys."""
    with opened(config_path) as parts:
        found = [_facts(parts, name) for name in parts.config.ca]
    if as_json:
        print_json(found)
    else:
        rows = [[str(ca[key]) for key in ("name", "parent", "key", "generation", "not_after", "subject")] for ca in found]
        print_table(("name", "parent", "key", "generation", "until", "subject"), rows, "no CA yet; write a table [ca.NAME]")


@command.command
@click.argument("name")
@as_json
@located
def show(name: str, as_json: bool, config_path: Path) -> None:
    """One CA with all its keys and its certificate."""
    with opened(config_path) as parts:
        facts = _facts(parts, _known(parts, name))
        generations = run(parts.store.generations(name))
    urls = PublicUrls(parts.config.server.http_url)
    keys = [_generation(one, name, urls) for one in generations]
    current = next((one.certificate for one in generations if one.role is GenerationRole.CURRENT), None)
    pem = x509.load_der_x509_certificate(current).public_bytes(Encoding.PEM).decode() if current else ""
    if as_json:
        print_json(facts | {"generations": keys, "certificate": pem})
    else:
        print_facts({key: str(value) for key, value in facts.items()})
        click.echo()
        columns = ("generation", "role", "not_before", "not_after", "sha256")
        print_table(columns, [[str(one[column]) for column in columns] for one in keys], "no key yet")
        if keys:
            click.echo()
            places = ("generation", "crl", "ca_certificate")
            print_table(places, [[str(one[column]) for column in places] for one in keys], "")
        click.echo(f"\n{pem}", nl=False)


@command.command
@click.argument("name")
@click.option("--prepare", is_flag=True, help="Make and announce the next key, but do not issue with it yet.")
@located
def rollover(name: str, prepare: bool, config_path: Path) -> None:
    """Give a CA a new key, or all CAs their first ones.

    From now on NAME issues with the new key, the one that was prepared if there is one. If NAME has no key yet, the keys of all CAs that
    have none are made instead. The old key goes on to answer for what it has certified.
    """
    with opened(config_path, create=True) as parts:
        if prepare:
            coming = run(parts.authorities.prepare_next(_known(parts, name)))
            click.echo(
                f"{name}: generation {coming.generation.number} is made, until {rfc3339(coming.not_after)}; it issues nothing yet"
            )
            return
        if run(parts.authorities.generations(_known(parts, name))):
            run(parts.authorities.rollover(name))
            made = [name]
        else:
            made = run(parts.authorities.create_missing())
        if parts.config.lab is not None:
            write_trust_anchor(parts)
        facts = [_facts(parts, one) for one in made]
    for one in facts:
        click.echo(f"{one['name']}: generation {one['generation']} is current, until {one['not_after']}")


def _known(parts: Parts, name: str) -> str:
    if name not in parts.config.ca:
        raise Failed(f"there is no CA {name!r}; the CAs are {', '.join(parts.config.ca)}")
    return name


def _facts(parts: Parts, name: str) -> dict[str, object]:
    authority = parts.config.ca[name]
    current = next((one for one in run(parts.store.generations(name)) if one.role is GenerationRole.CURRENT), None)
    certificate = x509.load_der_x509_certificate(current.certificate) if current else None
    return {
        "name": name,
        "parent": authority.parent,
        "key": authority.key,
        "generation": current.number if current else 0,
        "subject": certificate.subject.rfc4514_string() if certificate else "",
        "not_after": rfc3339(certificate.not_valid_after_utc) if certificate else "no key yet",
        "crl": PublicUrls(parts.config.server.http_url).crl(name, current.number) if current else "",
    }


def _generation(one: Generation, name: str, urls: PublicUrls) -> dict[str, object]:
    certificate = x509.load_der_x509_certificate(one.certificate)
    return {
        "generation": one.number,
        "role": one.role.value,
        "not_before": rfc3339(certificate.not_valid_before_utc),
        "not_after": rfc3339(certificate.not_valid_after_utc),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "crl": urls.crl(name, one.number),
        "ca_certificate": urls.certificate(name, one.number),
        "cross_certificates": [
            label for label, there in (("new with old", one.new_with_old), ("old with new", one.old_with_new)) if there
        ],
    }
