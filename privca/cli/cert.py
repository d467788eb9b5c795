"""``privca cert``: certificates that were issued."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, overload

import click
from msgspec.structs import replace

from privca.acme import rfc9773
from privca.acme.ports import RenewalWindow
from privca.base.clock import rfc3339
from privca.cli.output import Failed, as_json, located, operator, print_facts, print_json, print_table
from privca.composition import Parts, opened, run
from privca.issuance.ports import Certificate, CertificateStatus, RevocationReason

_REASONS = {
    "unspecified": RevocationReason.UNSPECIFIED,
    "keyCompromise": RevocationReason.KEY_COMPROMISE,
    "cACompromise": RevocationReason.CA_COMPROMISE,
    "affiliationChanged": RevocationReason.AFFILIATION_CHANGED,
    "superseded": RevocationReason.SUPERSEDED,
    "cessationOfOperation": RevocationReason.CESSATION_OF_OPERATION,
    "certificateHold": RevocationReason.CERTIFICATE_HOLD,
    "removeFromCRL": RevocationReason.REMOVE_FROM_CRL,
    "privilegeWithdrawn": RevocationReason.PRIVILEGE_WITHDRAWN,
    "aACompromise": RevocationReason.AA_COMPROMISE,
}
"""The names of RFC 5280 section 5.3.1."""
_PAGE = 500
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@click.group
def command() -> None:
    """List, show and revoke certificates."""


@command.command("list")
@click.option("--profile", "profile_id", metavar="ID", help="Only those of one profile.")
@as_json
@located
def list_(profile_id: str | None, as_json: bool, config_path: Path) -> None:
    """All certificates, in the order in which they were issued."""
    with opened(config_path) as parts:
        now, after = parts.clock.now(), None
        records: list[dict[str, Any]] = []
        while page := run(parts.store.certificates(profile_id=profile_id, after=after, limit=_PAGE)):
            records += [facts(record, parts, now) for record in page]
            after = page[-1].serial
    if as_json:
        print_json(records)
    else:
        rows = [
            (
                str(r["serial"]),
                str(r["status"]),
                str(r["profile"]),
                str(r["not_after"]),
                ", ".join(r["names"]) or str(r["subject"]),
            )
            for r in records
        ]
        print_table(("serial", "status", "profile", "until", "names"), rows, "no certificate yet")


@command.command
@click.argument("serial")
@as_json
@located
def show(serial: str, as_json: bool, config_path: Path) -> None:
    """One certificate; SERIAL in hex, as OpenSSL prints it."""
    with opened(config_path) as parts:
        found = facts(_record(parts, serial), parts, parts.clock.now())
    if as_json:
        print_json(found)
    else:
        print_facts(
            {
                key: ", ".join(value) if isinstance(value, list) else str(value)
                for key, value in found.items()
                if value is not None
            }
        )


@command.command
@click.argument("serial")
@click.option("--reason", type=click.Choice(list(_REASONS), case_sensitive=False), default="unspecified", show_default=True)
@click.option("--invalidity-date", type=_MOMENT, metavar="TIME", help="When the key became doubtful, if that is known (UTC).")
@located
def revoke(serial: str, reason: str, invalidity_date: datetime | None, config_path: Path) -> None:
    """Revoke a certificate; CRL, OCSP and renewal information tell at once.

    certificateHold can be undone with removeFromCRL.
    """
    with opened(config_path) as parts:
        record = _record(parts, serial)
        chosen = _REASONS[reason]
        if chosen is RevocationReason.REMOVE_FROM_CRL:
            run(parts.revocation.release(record.serial, operator()))
        else:
            now, doubtful = parts.clock.now(), _utc(invalidity_date)
            if doubtful is not None and doubtful > now:
                raise click.BadParameter("lies in the future", param_hint="--invalidity-date")
            run(parts.revocation.revoke(record.serial, chosen, operator(), now, invalidity_date=doubtful))
    done = {"removeFromCRL": "is released from hold", "certificateHold": "is on hold"}.get(reason, f"is revoked ({reason})")
    click.echo(f"{hex_of(record.serial)} {done}")


@command.command
@click.argument("serial")
@click.option("--from", "start", type=_MOMENT, metavar="TIME", help="When the window begins (UTC).")
@click.option("--until", "end", type=_MOMENT, metavar="TIME", help="When it ends.")
@click.option("--now", "at_once", is_flag=True, help="A window that is over: renew at once.")
@click.option("--default", "by_profile", is_flag=True, help="The profile's rule again.")
@click.option("--explanation", metavar="URL", default="", help="A page that tells why.")
@as_json
@located
def renewal(
    serial: str,
    start: datetime | None,
    end: datetime | None,
    at_once: bool,
    by_profile: bool,
    explanation: str,
    as_json: bool,
    config_path: Path,
) -> None:
    """When an ACME client should renew a certificate (RFC 9773): show it, or set it for this one.

    TIME is as in 2027-01-31T12:00:00.
    """
    ways = ((start is not None or end is not None), at_once, by_profile)
    if sum(ways) > 1 or (start is None) != (end is None) or (explanation and not (start or at_once)):
        raise click.UsageError("give --from and --until, or --now, or --default; --explanation goes with a window that is set")
    with opened(config_path) as parts:
        record = _record(parts, serial)
        profile = run(parts.store.profile(record.profile_id))
        if record.protocol != "acme" or profile is None:
            raise Failed("this certificate was not issued by ACME, and nobody asks for its renewal information")
        now = parts.clock.now()
        if at_once:
            start, end = now - timedelta(days=2), now - timedelta(days=1)
        if by_profile:
            run(parts.store.forget_renewal_window(record.serial.hex()))
        elif start is not None and end is not None:
            _set_window(parts, rfc9773.ordered_window(record.serial, _utc(start), _utc(end), explanation, now))
        begin, until, why = run(rfc9773.window(parts.store, record, profile.profile.acme))
    found = {"serial": hex_of(record.serial), "start": rfc3339(begin), "end": rfc3339(until), "explanation": why}
    if as_json:
        print_json(found)
    else:
        print_facts(found)


def _set_window(parts: Parts, window: RenewalWindow) -> None:
    known = run(parts.store.renewal_window(window.id))
    run(parts.store.commit(replace(window, version=known.version if known else 0)))


def facts(record: Certificate, parts: Parts, now: datetime) -> dict[str, Any]:
    """What ``cert show`` tells of a certificate."""
    return {
        "serial": hex_of(record.serial),
        "status": status(record, now),
        "reason": None if record.reason is None else next(name for name, value in _REASONS.items() if value is record.reason),
        "profile": record.profile_id,
        "profile_revision": record.profile_revision,
        "protocol": record.protocol,
        "subject": record.subject,
        "names": [str(name) for name in record.names],
        "not_before": rfc3339(record.not_before),
        "not_after": rfc3339(record.not_after),
        "issuer": record.authority,
        "identity": record.identity,
        "revoked_at": None if record.revoked_at is None else rfc3339(record.revoked_at),
        "revoked_by": record.revoked_by or None,
        "invalidity_date": None if record.invalidity_date is None else rfc3339(record.invalidity_date),
    }


@overload
def _utc(at: datetime) -> datetime: ...
@overload
def _utc(at: None) -> None: ...
def _utc(at: datetime | None) -> datetime | None:
    """A moment of an option, which has no zone."""
    return None if at is None else at.replace(tzinfo=UTC)


def status(record: Certificate, now: datetime) -> str:
    """good, revoked, held or expired; prepared: recorded but never signed."""
    if record.status is CertificateStatus.REVOKED:
        return "revoked"
    if record.not_after < now:
        return "expired"
    return {CertificateStatus.HELD: "held", CertificateStatus.PREPARED: "prepared"}.get(record.status, "good")


def hex_of(serial: bytes) -> str:
    """A serial number as OpenSSL prints it: upper-case hex, whole octets, no leading zero octet."""
    return serial.lstrip(b"\0").hex().upper() or "00"


def _record(parts: Parts, serial: str) -> Certificate:
    digits = serial.replace(":", "").removeprefix("0x").removeprefix("0X")
    try:
        octets = bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))
    except ValueError:
        raise click.BadParameter(f"{serial!r} is no serial number in hex", param_hint="SERIAL") from None
    record = run(parts.store.certificate_by_serial(octets.rjust(20, b"\0")))
    if record is None:
        raise Failed(f"no certificate has the serial number {serial}; 'privca cert list' shows them all")
    return record
