"""From what a client did and left to a verdict. The driver's word is one check among others, and never enough."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import msgspec

from interop.clients.driving import DONE, FAILED, UNSUPPORTED
from interop.evidence import account
from interop.evidence.certificate import Held, examine
from interop.evidence.files import look
from interop.evidence.revocation import in_crl
from interop.results import Check, Row, Verdict
from interop.scenarios.scenario import Scenario
from interop.servers.server import Exchange, Server, ServerError, Service

YIELD = ("issue", "renew", "serverkeygen")
"""Actions that yield a certificate."""


PURPOSE = {"acme": "sslserver", "est": "sslclient", "scep": "sslclient", "cmp": "sslclient"}
"""What a certificate is for, in OpenSSL's words: ACME serves servers, the others devices."""


class Artefacts:
    """What a driver left in a job's folder, by label."""

    def __init__(self, folder: Path, listed: dict[str, str]) -> None:
        self._folder = folder.resolve()
        self._listed = listed

    def file(self, label: str) -> Path | None:
        """The file of a label, if it was left, and lies within the job's folder."""
        path = (self._folder / self._listed[label]).resolve() if label in self._listed else None
        return path if path is not None and path.is_file() and path.is_relative_to(self._folder) else None

    def log(self) -> str:
        """All that the client printed."""
        path = self._folder / "log.txt"
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def held(self, action: str) -> Held | None:
        """The certificate that an action yielded."""
        certificate = self.file(f"{action}.certificate")
        return Held(certificate, self.file(f"{action}.chain"), self.file(f"{action}.key")) if certificate else None


def gather(
    scenario: Scenario,
    names: Sequence[str],
    artefacts: Artefacts,
    server: Server,
    service: Service,
    exits: Sequence[int] = (),
) -> list[Check]:
    """All evidence that a scenario's outcome asks for. ``exits`` are the exit statuses of the client's commands, in order."""
    checks = _outcome(scenario, names, artefacts, server, service, exits)
    if scenario.outcome != "refused":
        checks += [
            look(kind, label, artefacts.file(label), server.anchors, artefacts.held("issue"))
            for label, kind in scenario.holds.items()
        ]
    return checks


def _outcome(
    scenario: Scenario,
    names: Sequence[str],
    artefacts: Artefacts,
    server: Server,
    service: Service,
    exits: Sequence[int],
) -> list[Check]:
    match scenario.outcome:
        case "registered" | "deactivated":
            return [_account(scenario.outcome, artefacts, service)]
        case "refused":
            return _refused(scenario, names, artefacts, server, exits)
        case "issued":
            # What is asked after a certificate is no certificate.
            yielded = [action for action in scenario.actions if action in YIELD]
            return _issued(yielded[-1], scenario, names, artefacts, server)
        case "fetched":
            return []
        case "answered":
            return [Check("the client did all of it", bool(exits) and not any(exits), f"exit statuses {list(exits)}")]
        case "renewed":
            before, after = artefacts.held("issue"), artefacts.held("renew")
            checks = _issued("issue", scenario, names, artefacts, server) + _issued("renew", scenario, names, artefacts, server)
            if before and after:
                checks.append(
                    Check("renewal is another certificate", before.parsed()[0].serial_number != after.parsed()[0].serial_number)
                )
            return checks
        case "limited":
            return _limited(scenario, names, artefacts, server)
        case "noticed":
            return [Check("the client holds no certificate", artefacts.held(scenario.actions[-1]) is None)]
        case "revoked" | "restored":
            return _issued("issue", scenario, names, artefacts, server)


def said(scenario: Scenario, exchanges: Sequence[Exchange]) -> list[Check]:
    """Whether the server's transcript of a job has what the scenario is about."""
    lines = [str(exchange) for exchange in exchanges]
    found = [(pattern, [line for line in lines if re.search(pattern, line)]) for pattern in scenario.transcript]
    return [
        Check(f"the transcript has {pattern}", bool(matching), matching[-1][:200] if matching else "")
        for pattern, matching in found
    ]


def judge(status: int, checks: Sequence[Check], scenario: Scenario) -> Verdict:
    """The verdict on a job whose driver exited with ``status``: every check must hold, and the client must have noticed what happened."""
    if status == UNSUPPORTED:
        return "unsupported"
    if status not in (DONE, FAILED):
        return "error"
    noticed = status == (FAILED if scenario.outcome in ("refused", "noticed") else DONE)
    if scenario.outcome == "limited":
        noticed = True  # it may wait, and it may give up; the checks know which
    return "pass" if noticed and checks and all(check.ok for check in checks) else "fail"


def apply_controls(rows: Sequence[Row], scenarios: Mapping[str, Scenario], probes: Container[str]) -> list[Row]:
    """A pass proves nothing where the client's driver failed a probe; a refusal, where the same without the fault is not served either."""
    verdicts = {(row.client, row.scenario): row.verdict for row in rows}
    unreliable = {row.client: row.scenario for row in rows if row.scenario in probes and row.verdict != "pass"}
    judged = []
    for row in rows:
        control = scenarios[row.scenario].control if row.scenario in scenarios else ""
        if row.verdict == "pass" and row.scenario in scenarios:
            if row.client in unreliable:
                row = msgspec.structs.replace(row, verdict="inconclusive", detail=f"its driver failed {unreliable[row.client]}")
            elif control and (found := verdicts.get((row.client, control), "not run")) != "pass":
                row = msgspec.structs.replace(row, verdict="inconclusive", detail=f"its control, {control}, is: {found}")
        judged.append(row)
    return judged


def _issued(action: str, scenario: Scenario, names: Sequence[str], artefacts: Artefacts, server: Server) -> list[Check]:
    held = artefacts.held(action)
    if held is None:
        return [Check(f"{action}: the client holds a certificate", False)]
    certificate, checks = examine(held, anchors=server.anchors, names=names, key=scenario.key, purpose=PURPOSE[scenario.protocol])
    if certificate is not None:
        checks += _recorded(certificate.serial_number, scenario, server)
        if scenario.outcome == "revoked" and server.publishes_crl:
            checks += in_crl(certificate, held.parsed()[1], scenario.reason)
    return [Check(f"{action}: {check.name}", check.ok, check.detail) for check in checks]


def _recorded(serial: int, scenario: Scenario, server: Server) -> list[Check]:
    if not server.keeps_records:
        return []
    wanted = "good"
    if scenario.outcome == "revoked":
        wanted = "held" if scenario.reason == "certificateHold" else "revoked"
    name = f"server's record says {wanted}"
    try:
        record = server.record(serial)
    except ServerError as error:
        return [Check(name, False, str(error))]
    if record is None:
        return [Check(name, False, "it knows no such certificate")]
    checks = [Check(name, record.status == wanted, record.status)]
    if record.protocol:
        checks.append(Check("server's record has the protocol", record.protocol == scenario.protocol, record.protocol))
    if scenario.outcome == "revoked":
        said = record.reason or "unspecified"
        checks.append(Check("server's record has the reason", said == scenario.reason, said))
    return checks


def _account(outcome: str, artefacts: Artefacts, service: Service) -> Check:
    name = "the server knows the account" if outcome == "registered" else "the server has closed the account"
    key, url = artefacts.file("account.key"), artefacts.file("account.url")
    if key is None or url is None:
        return Check(name, False, "the client left no account key")
    try:
        status, found = account.look_up(service.url, service.trust, account.load_key(key))
    except (OSError, ValueError, KeyError, json.JSONDecodeError) as error:
        return Check(name, False, f"{type(error).__name__}: {error}")
    if outcome == "registered":
        return Check(name, status == "valid" and found == url.read_text(), f"{status} {found}")
    # RFC 8555 section 7.3.6: requests of a deactivated account are refused as unauthorized.
    return Check(name, status in ("urn:ietf:params:acme:error:unauthorized", "deactivated"), status)


def _limited(scenario: Scenario, names: Sequence[str], artefacts: Artefacts, server: Server) -> list[Check]:
    """The first certificate is there; the second, too, or the client has said why not."""
    checks = _issued("issue", scenario, names, artefacts, server)
    if artefacts.held("renew") is not None:
        return checks + _issued("renew", scenario, names, artefacts, server)
    told = re.search(scenario.refusal, artefacts.log())
    return [*checks, Check("the client was told why", told is not None, told[0] if told else "")]


def _refused(scenario: Scenario, names: Sequence[str], artefacts: Artefacts, server: Server, exits: Sequence[int]) -> list[Check]:
    told = re.search(scenario.refusal, artefacts.log())
    checks = [
        Check("the client holds no certificate", artefacts.held(scenario.actions[-1]) is None),
        Check("the client was told why", told is not None, told[0] if told else ""),
    ]
    if len(scenario.actions) > 1:
        checks.append(Check("what came before it was done", not any(exits[:-1]), f"exit statuses {list(exits)}"))
    issued = server.names_issued()
    if issued is not None and len(scenario.actions) == 1:
        checks.append(Check("the server certified none of the names", not issued.intersection(names)))
    return checks
