"""``privca check``: what is wrong with a server before it runs, and how to mend it. It changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.base.clock import SystemClock, rfc3339
from privca.base.refused import Refused
from privca.cli.lab import running
from privca.cli.output import as_json, located, print_json
from privca.composition import STORE_KEY, Parts, compose, directly, run
from privca.config import Config, ConfigurationError, load
from privca.issuance.ports import GenerationRole
from privca.server_certificate import UnusableCertificateError, read_server_certificate
from privca.sockets import PortError, bind
from privca.store import StoreError

_SOON = timedelta(days=14)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``level`` is good, warn or wrong; ``said`` names the cure unless it is good."""

    subject: str
    level: str
    said: str

    @property
    def wrong(self) -> bool:
        """Whether a server must not start like this."""
        return self.level == "wrong"


@click.command
@as_json
@located
def command(as_json: bool, config_path: Path) -> None:
    """Say what is wrong with a server and how to mend it.

    It looks at configuration, keys, clock, database, certificates and ports, and changes nothing. Exit status: 1 if something is wrong.
    """
    try:
        config = load(config_path)
    except ConfigurationError as error:
        found = [Finding("configuration", "wrong", str(error))]
    else:
        found = [Finding("configuration", "good", str(config.path)), *findings(config), *_ports(config)]
    if as_json:
        print_json([{"subject": one.subject, "level": one.level, "said": one.said} for one in found])
    else:
        width = max(len(one.subject) for one in found) + 2
        marks = {
            "good": click.style("ok   ", fg="green"),
            "warn": click.style("warn ", fg="yellow"),
            "wrong": click.style("wrong", fg="red"),
        }
        for one in found:
            click.echo(f"{marks[one.level]}  {one.subject:<{width}}{one.said}")
    sys.exit(any(one.wrong for one in found))


def findings(config: Config) -> list[Finding]:
    """Everything but the ports, which :func:`~privca.sockets.bind` tells as well."""
    return [*_files(config), *_store(config), *_server_certificate(config)]


def _files(config: Config) -> Iterator[Finding]:
    keys = config.file(config.store.keys)
    if not keys.is_dir():
        yield Finding(
            "keys", "wrong", f"there is no directory {keys}; 'privca ca rollover NAME' makes it with the first key of a CA"
        )
        return
    bad = [path for path in (keys, *sorted(keys.iterdir())) if path.stat().st_mode & 0o077]
    for path in bad:
        mode = "0700" if path.is_dir() else "0600"
        yield Finding("keys", "wrong", f"{path} is open to others; mend it with: chmod {mode} {path}")
    if not (keys / STORE_KEY).is_file():
        yield Finding(
            "keys",
            "wrong",
            f"{keys / STORE_KEY} is missing; put it back from the backup, the secrets in the store open with it alone",
        )
    elif not bad:
        yield Finding("keys", "good", str(keys))
    database = config.file(config.store.database)
    if database.exists() and database.stat().st_mode & 0o077:
        yield Finding("database", "wrong", f"{database} is open to others; mend it with: chmod 0600 {database}")


def _store(config: Config) -> Iterator[Finding]:
    database = config.file(config.store.database)
    if not database.exists():
        yield Finding(
            "database", "wrong", f"there is no {database}; 'privca ca rollover NAME' makes it with the first key of a CA"
        )
        return
    try:
        parts = compose(config, directly)
    except (Refused, StoreError) as error:
        yield Finding("database", "wrong", str(error))
        return
    try:
        yield Finding("database", "good", str(database))
        now = parts.clock.now()
        for name in config.ca:
            yield _authority(parts, name, now)
        yield from _profiles(parts)
        yield from _credentials(parts, now)
    finally:
        parts.store.close()


def _authority(parts: Parts, name: str, now: datetime) -> Finding:
    subject = f"CA {name}"
    current = next((one for one in run(parts.store.generations(name)) if one.role is GenerationRole.CURRENT), None)
    if current is None:
        return Finding(subject, "wrong", f"has no key yet; make its first one with: privca ca rollover {name}")
    certificate = x509.load_der_x509_certificate(current.certificate)
    try:
        spki = run(parts.keys.public_key(current.key))
    except Refused as refused:
        return Finding(subject, "wrong", str(refused))
    if certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        return Finding(
            subject, "wrong", f"key {current.key} is not that of its certificate; put the right one back from the backup"
        )
    if now < certificate.not_valid_before_utc:
        begins = rfc3339(certificate.not_valid_before_utc)
        return Finding(subject, "wrong", f"begins at {begins}, and this machine says {rfc3339(now)}; set the clock")
    return _expiry(subject, now, certificate.not_valid_after_utc, f"make the next key with: privca ca rollover {name}")


def _profiles(parts: Parts) -> Iterator[Finding]:
    stored = {known.id: known for known in run(parts.store.profiles())}
    for id, profile in parts.config.profile.items():
        known = stored.pop(id, None)
        if known is not None and (known.profile, known.template) != (profile, parts.config.template[profile.template]):
            yield Finding(
                f"profile {id}",
                "warn",
                f"the store's revision {known.revision} is in force; load the file's with: privca profile apply",
            )
        else:
            yield Finding(f"profile {id}", "good", f"{profile.protocol}, revision {known.revision if known else 1}")
    for id, known in stored.items():
        if known.profile.issuer not in parts.config.ca and known.profile.enabled:
            cure = f"configure it, or: privca profile disable {id}"
            yield Finding(f"profile {id}", "wrong", f"its issuer {known.profile.issuer} is no CA of the configuration; {cure}")
        else:
            yield Finding(f"profile {id}", "good", f"{known.profile.protocol}, revision {known.revision}")


def _credentials(parts: Parts, now: datetime) -> Iterator[Finding]:
    """What profiles admit by, as far as it is in the store."""
    profiles = parts.config.profile | {known.id: known.profile for known in run(parts.store.profiles())}
    enabled = {id: profile for id, profile in profiles.items() if profile.enabled}
    codes = run(parts.store.codes())
    for id, profile in enabled.items():
        subject = f"profile {id}"
        if "code" in profile.authentication and not any(code.profile_id == id for code in codes):
            yield Finding(subject, "warn", f"admits by a code, and none is set; set it with: privca code set {id}")
        for other in profile.certificate_profiles:
            if other not in enabled:
                yield Finding(subject, "warn", f"certificate_profiles names {other}, which is no profile that is enabled")
        for number, text in enumerate(profile.vendor_anchors):
            for anchor in x509.load_pem_x509_certificates(text.encode()):
                if anchor.not_valid_after_utc <= now:
                    ended = rfc3339(anchor.not_valid_after_utc)
                    yield Finding(subject, "warn", f"vendor_anchors[{number}] ended at {ended}; nothing below it authenticates")
    for code in codes:
        if code.lab and parts.config.lab is None:
            cure = f"privca code remove {code.profile_id} --reference {code.reference}"
            yield Finding(
                f"profile {code.profile_id}", "wrong", f"its code for {code.reference} was made by a lab; take it away: {cure}"
            )


def _server_certificate(config: Config) -> Iterator[Finding]:
    try:
        chain, _ = read_server_certificate(config)
    except UnusableCertificateError as error:
        yield Finding("server certificate", "wrong", str(error))
        return
    yield _expiry("server certificate", SystemClock().now(), chain[0].not_valid_after_utc, "renew it")


def _expiry(subject: str, now: datetime, end: datetime, cure: str) -> Finding:
    if end <= now:
        return Finding(subject, "wrong", f"ended at {rfc3339(end)}, and this machine says {rfc3339(now)}; {cure}")
    if end - now < _SOON:
        return Finding(subject, "warn", f"ends soon, at {rfc3339(end)}; {cure}")
    return Finding(subject, "good", f"until {rfc3339(end)}")


def _ports(config: Config) -> Iterator[Finding]:
    if running(config.path):
        yield Finding("ports", "good", "in use by this server, which is running")
        return
    try:
        bind(config).close()
    except PortError as error:
        yield Finding("ports", "wrong", str(error))
    else:
        yield Finding(
            "ports", "good", f"{config.server.https_port}, {config.server.http_port} and {config.server.admin_port} are free"
        )
