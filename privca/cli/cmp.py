"""``privca cmp``: announcements that the administrator has a CA push (RFC 9810 sections 5.3.13 to 5.3.16, RFC 9811 section 3.5)."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import click

from privca.base.refused import Reason, Refused
from privca.cli.output import Failed, located
from privca.cmp.rfc9810 import announce as announcements
from privca.cmp.rfc9810.message import Body
from privca.cmp.rfc9811 import MEDIA_TYPE
from privca.composition import Parts, opened, run
from privca.issuance.ports import Certificate
from privca.issuance.profile import Revisioned

_TIMEOUT = 10.0
_ACKNOWLEDGED = (200, 201, 202)
"""201 and 202 are RFC 9811's (section 3.5); 200 is what recipients of before send."""


@click.group
def command() -> None:
    """Push CMP announcements to the recipients that a profile names."""


@command.command
@click.argument("kind", type=click.Choice(["ckuann", "cann", "rann", "crlann"]))
@click.argument("profile")
@click.option("--serial", metavar="SERIAL", help="The certificate that cann and rann are about, in hex.")
@located
def announce(kind: str, profile: str, serial: str | None, config_path: Path) -> None:
    """Push one announcement of the CA of PROFILE to its recipients (cmp.announce_to).

    ckuann: the root CA has a new key; cann: a certificate was issued; rann: one was revoked; crlann: the newest CRLs.
    """
    with opened(config_path) as parts:
        found = run(parts.store.profile(profile))
        if found is None or found.profile.protocol != "cmp":
            raise Failed(f"there is no CMP profile {profile!r}")
        targets = found.profile.cmp.announce_to
        if not targets:
            raise Failed(f"profile {profile!r} names no recipients: set cmp.announce_to in it")
        exchange = parts.exchange(profile)
        body, content = _content(parts, found, kind, serial)
        message = run(announcements.message(exchange, found, parts.delegates, parts.authorities, parts.keys, body, content))
    failed = [fault for target in targets if (fault := _push(target, message))]
    for target in targets:
        click.echo(f"{kind} to {target}")
    if failed:
        raise Failed("; ".join(failed))


def _content(parts: Parts, profile: Revisioned, kind: str, serial: str | None) -> tuple[Body, bytes]:
    now = parts.clock.now()
    if kind == "ckuann":
        return run(announcements.ca_key_update(parts.authorities, profile))
    if kind == "crlann":
        return run(announcements.crls(parts.lists, parts.authorities, profile, now))
    record = _record(parts, serial)
    return announcements.certificate(record) if kind == "cann" else announcements.revocation(record, now)


def _record(parts: Parts, serial: str | None) -> Certificate:
    if serial is None:
        raise click.UsageError("this announcement is about a certificate: name it with --serial")
    try:
        octets = bytes.fromhex(serial.replace(":", "").zfill(40))
    except ValueError:
        raise click.BadParameter("a serial number is hexadecimal", param_hint="--serial") from None
    record = run(parts.store.certificate_by_serial(octets))
    if record is None:
        raise Refused(
            Reason.NOT_FOUND, "RFC 9810 section 5.3.14", "no certificate of this CA has this serial number", got=serial[:64]
        )
    return record


def _push(target: str, message: bytes) -> str:
    """POST it; what went wrong, or nothing."""
    parts = urlsplit(target)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection = (
        http.client.HTTPSConnection(parts.hostname or "", port, timeout=_TIMEOUT, context=ssl.create_default_context())
        if secure
        else http.client.HTTPConnection(parts.hostname or "", port, timeout=_TIMEOUT)
    )
    try:
        connection.request("POST", parts.path or "/", message, {"Content-Type": MEDIA_TYPE})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{target}: not delivered: {error}"
    finally:
        connection.close()
    return "" if status in _ACKNOWLEDGED else f"{target}: not acknowledged: HTTP {status}"
