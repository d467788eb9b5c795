"""``privca request``: requests that wait for a person.

What a client wrote into its request is shown to whom it tries to persuade: nothing of it reaches the terminal but printable characters.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from privca.base.clock import rfc3339
from privca.cli.output import Failed, as_json, located, operator, print_facts, print_json, print_table
from privca.composition import Parts, opened, run
from privca.enrollment import remembered
from privca.enrollment.approval import decide
from privca.enrollment.ports import Decision, WaitingRequest
from privca.issuance.profile import Waiting
from privca.pkix import weak


@click.group
def command() -> None:
    """List, show, approve and reject requests that wait for a person."""


@command.command("list")
@click.option("--profile", "profile_id", metavar="ID", help="Only those of one profile.")
@click.option("--all", "everything", is_flag=True, help="Those that are decided, answered or too old as well.")
@as_json
@located
def list_(profile_id: str | None, everything: bool, as_json: bool, config_path: Path) -> None:
    """The requests that wait, oldest first."""
    with opened(config_path) as parts:
        facts = [_facts(parts, one) for one in run(parts.store.waiting_requests(profile_id))]
    facts = [one for one in facts if everything or one["state"] == Decision.WAITING]
    if as_json:
        print_json(facts)
    else:
        columns = ("id", "state", "age", "profile", "identity", "subject", "names")
        print_table(columns, [[_shown(one[column]) for column in columns] for one in facts], "no request waits")


@command.command
@click.argument("id")
@as_json
@located
def show(id: str, as_json: bool, config_path: Path) -> None:
    """One request with all that a person needs to decide."""
    with opened(config_path) as parts:
        facts = _facts(parts, _known(parts, id))
    if as_json:
        print_json(facts)
    else:
        print_facts({key: _shown(value) for key, value in facts.items() if value})


_by_subject = click.option(
    "--subject", metavar="DN", default="", help="In place of ID: the one request of this subject that waits."
)


@command.command
@click.argument("id", required=False, default="")
@_by_subject
@located
def approve(id: str, subject: str, config_path: Path) -> None:
    """Let a request be answered: its certificate is issued when the client asks again."""
    id = _decide(id, subject, config_path, Decision.APPROVED, "")
    click.echo(f"{id} is approved; its client gets the certificate when it asks again")


@command.command
@click.argument("id", required=False, default="")
@_by_subject
@click.option("--reason", default="", help="What the client is told, one line.")
@located
def reject(id: str, subject: str, reason: str, config_path: Path) -> None:
    """Refuse a request for good; its client is told so when it asks again."""
    if len(reason) > 200 or not reason.isprintable():
        raise click.BadParameter("a reason is one line of 200 printable characters at most", param_hint="--reason")
    id = _decide(id, subject, config_path, Decision.REJECTED, reason)
    click.echo(f"{id} is rejected")


def _decide(id: str, subject: str, config_path: Path, decision: Decision, reason: str) -> str:
    """Decide about the request that is meant; its ID."""
    if bool(id) == bool(subject):
        raise click.UsageError("name the request, by its ID or by --subject")
    with opened(config_path) as parts:
        record = _known(parts, id) if id else _waiting(parts, subject)
        profile = run(parts.store.profile(record.profile_id))
        life = (Waiting() if profile is None else profile.profile.waiting).life
        run(decide(parts.store, record, decision, operator(), parts.clock.now(), life, reason))
        return record.id


def _waiting(parts: Parts, subject: str) -> WaitingRequest:
    found = [
        one for one in run(parts.store.waiting_requests(None)) if one.subject == subject and one.decision is Decision.WAITING
    ]
    if len(found) != 1:
        raise Failed(f"{len(found)} requests of the subject {subject!r} wait; 'privca request list' shows their IDs")
    return found[0]


def _known(parts: Parts, id: str) -> WaitingRequest:
    record = run(parts.store.waiting_request_by_id(id))
    if record is None:
        raise Failed(f"there is no request {id!r}; 'privca request list --all' shows them all")
    return record


def _facts(parts: Parts, record: WaitingRequest) -> dict[str, object]:
    now = parts.clock.now()
    profile = run(parts.store.profile(record.profile_id))
    certificate = run(parts.store.certificate_by_request(record.profile_id, record.request_id))
    public_key = remembered.read(record.info).public_key
    kind = weak.kind(public_key)
    return {
        "id": record.id,
        "state": _state(record, now, issued=certificate is not None),
        "age": _age(now - record.created),
        "profile": record.profile_id,
        "protocol": profile.profile.protocol if profile is not None else "",
        "method": record.method,
        "identity": record.identity,
        "ra": record.ra,
        "subject": record.subject,
        "names": [str(name) for name in record.names],
        "key": f"{kind} {weak.bits(public_key)}" if kind == "RSA" else kind,
        "key_sha256": record.spki_sha256.hex(),
        "renews": record.renews.hex().upper(),
        "received": rfc3339(record.created),
        "expires": rfc3339(record.expires),
        "decided": rfc3339(record.decided) if record.decided is not None else "",
        "decided_by": record.decided_by,
        "reason": record.reason,
        "serial": certificate.serial.lstrip(b"\0").hex().upper() if certificate is not None else "",
    }


def _state(record: WaitingRequest, now: datetime, *, issued: bool) -> str:
    if issued:
        return "issued"
    return "expired" if now >= record.expires else record.decision.value


def _age(age: timedelta) -> str:
    """In the largest unit that fits, as ``3h``."""
    seconds = max(0, int(age.total_seconds()))
    unit, length = next((u, n) for u, n in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)) if seconds >= n or n == 1)
    return f"{seconds // length}{unit}"


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
