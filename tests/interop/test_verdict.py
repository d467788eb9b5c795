"""From evidence to a verdict, with a server that is asked nothing but what it recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from interop import verdict
from interop.clients.driving import DONE, FAILED, TIMED_OUT, UNSUPPORTED
from interop.probes import PROBES
from interop.results import Check, Row
from interop.scenarios import SCENARIOS
from interop.servers.server import Exchange, Record, ServerError, Service

GOOD, BAD = Check("a", True), Check("b", False)
ISSUED, REFUSED, REVOKED, RENEWED = (SCENARIOS[id] for id in ("http-01", "eab-wrong-key", "revoke-reason", "renew"))
LIMITED = SCENARIOS["rate-limit"]


@pytest.mark.parametrize(
    ("status", "checks", "scenario", "found"),
    [
        (DONE, [GOOD], ISSUED, "pass"),
        (DONE, [], ISSUED, "fail"),  # nothing was looked at: the exit status alone proves nothing
        (DONE, [GOOD, BAD], ISSUED, "fail"),
        (FAILED, [GOOD], ISSUED, "fail"),
        (UNSUPPORTED, [], ISSUED, "unsupported"),
        (UNSUPPORTED, [GOOD], ISSUED, "unsupported"),
        (FAILED, [GOOD], REFUSED, "pass"),
        (DONE, [GOOD], REFUSED, "fail"),  # the client did not notice that it was refused
        (FAILED, [BAD], REFUSED, "fail"),
        (-1, [GOOD], ISSUED, "error"),
        (TIMED_OUT, [GOOD], ISSUED, "error"),
        (2, [GOOD], REFUSED, "error"),
        (DONE, [GOOD], LIMITED, "pass"),
        (FAILED, [GOOD], LIMITED, "pass"),
        (FAILED, [BAD], LIMITED, "fail"),
    ],
)
def test_judge(status, checks, scenario, found):
    assert verdict.judge(status, checks, scenario) == found


def test_transcript():
    lines = [
        Exchange(1, "POST /x/simpleenroll HTTP/1.1", "HTTP/1.1 401 Unauthorized", "refused"),
        Exchange(2, "GET / HTTP/1.1", "HTTP/1.1 200 OK", "shown"),
    ]
    wanted = SCENARIOS["est-wrong-password"]
    assert [check.ok for check in verdict.said(wanted, lines)] == [True]
    assert [check.ok for check in verdict.said(wanted, lines[1:])] == [False]
    assert verdict.said(SCENARIOS["http-01"], lines) == []


@dataclass
class Recorded:
    """A server of which only the records matter."""

    anchors: Path
    records: dict[int, Record] = field(default_factory=dict)
    names: set[str] | None = None
    publishes_crl: bool = False
    keeps_records: bool = True
    broken: bool = False

    def record(self, serial):
        if self.broken:
            raise ServerError("the database is gone")
        return self.records.get(serial)

    def names_issued(self):
        return self.names


SERVICE = Service("https://ca.test/directory", Path("ca.pem"), "", "", None)


def gathered(scenario, ca, server, *labels):
    files = {}
    for label in labels:
        held = ca.held("a.test", label=label)
        files |= {f"{label}.certificate": held.certificate.name, f"{label}.key": held.key.name}
        if server.records is not None and not server.broken:
            server.records.setdefault(held.parsed()[0].serial_number, Record("good"))
    artefacts = verdict.Artefacts(ca.folder, files)
    return [check.name for check in verdict.gather(scenario, ["a.test"], artefacts, server, SERVICE) if not check.ok]


def test_issued_and_recorded(ca):
    assert gathered(ISSUED, ca, Recorded(ca.anchors), "issue") == []


def test_a_certificate_that_the_server_does_not_know(ca):
    server = Recorded(ca.anchors)
    held = ca.held("a.test")
    artefacts = verdict.Artefacts(ca.folder, {"issue.certificate": held.certificate.name, "issue.key": held.key.name})
    checks = verdict.gather(ISSUED, ["a.test"], artefacts, server, SERVICE)
    assert [check.name for check in checks if not check.ok] == ["issue: server's record says good"]


def test_a_server_that_cannot_be_asked(ca):
    assert gathered(ISSUED, ca, Recorded(ca.anchors, broken=True), "issue") == ["issue: server's record says good"]


def test_no_certificate(ca):
    assert gathered(ISSUED, ca, Recorded(ca.anchors)) == ["issue: the client holds a certificate"]


def test_revoked_in_name_only(ca):
    wrong = gathered(REVOKED, ca, Recorded(ca.anchors), "issue")
    assert wrong == ["issue: server's record says revoked", "issue: server's record has the reason"]


def test_revoked_with_a_crl_that_is_not_there(ca):
    server = Recorded(ca.anchors, publishes_crl=True)
    held = ca.held("a.test")
    server.records[held.parsed()[0].serial_number] = Record("revoked", "keyCompromise")
    artefacts = verdict.Artefacts(ca.folder, {"issue.certificate": held.certificate.name, "issue.key": held.key.name})
    checks = verdict.gather(REVOKED, ["a.test"], artefacts, server, SERVICE)
    assert [check.name for check in checks if not check.ok] == ["issue: certificate points to a CRL"]


def test_renewed(ca):
    assert gathered(RENEWED, ca, Recorded(ca.anchors), "issue", "renew") == []


def test_a_renewal_that_is_the_old_certificate(ca):
    server = Recorded(ca.anchors)
    held = ca.held("a.test")
    server.records[held.parsed()[0].serial_number] = Record("good")
    files = {
        f"{action}.{part}": file.name
        for action in ("issue", "renew")
        for part, file in (("certificate", held.certificate), ("key", held.key))
    }
    checks = verdict.gather(RENEWED, ["a.test"], verdict.Artefacts(ca.folder, files), server, SERVICE)
    assert [check.name for check in checks if not check.ok] == ["renewal is another certificate"]


def test_refused(ca):
    (ca.folder / "log.txt").write_text("the external account binding does not verify")
    assert gathered(REFUSED, ca, Recorded(ca.anchors, names=set())) == []
    assert gathered(REFUSED, ca, Recorded(ca.anchors, names=None)) == []
    assert gathered(REFUSED, ca, Recorded(ca.anchors, names={"a.test"})) == ["the server certified none of the names"]
    assert gathered(REFUSED, ca, Recorded(ca.anchors), "issue") == ["the client holds no certificate"]


def test_a_refusal_for_another_reason(ca):
    (ca.folder / "log.txt").write_text("connection refused")
    assert gathered(REFUSED, ca, Recorded(ca.anchors, names=set())) == ["the client was told why"]


def test_who_is_limited_waits_or_says_why_not(ca):
    assert gathered(LIMITED, ca, Recorded(ca.anchors), "issue") == ["the client was told why"]
    assert gathered(LIMITED, ca, Recorded(ca.anchors), "issue", "renew") == []
    (ca.folder / "log.txt").write_text("urn:ietf:params:acme:error:rateLimited")
    assert gathered(LIMITED, ca, Recorded(ca.anchors), "issue") == []
    assert gathered(LIMITED, ca, Recorded(ca.anchors)) == ["issue: the client holds a certificate"]


def test_an_artefact_outside_the_job_is_not_taken(ca, tmp_path):
    (tmp_path / "stranger.pem").write_text("x")
    assert verdict.Artefacts(ca.folder, {"issue.certificate": "../stranger.pem"}).file("issue.certificate") is None


def row(client, scenario, found):
    return Row(client=client, version="1", protocol="acme", scenario=scenario, mode="host", verdict=found, expected="pass")


@pytest.mark.parametrize(
    ("control", "found"),
    [
        ("pass", "pass"),
        ("fail", "inconclusive"),
        ("skip", "inconclusive"),
        ("unsupported", "inconclusive"),
        (None, "inconclusive"),
    ],
)
def test_a_refusal_proves_nothing_without_its_control(control, found):
    rows = [row("a", "eab-wrong-key", "pass"), row("b", "eab", "pass")]  # another client's control is not this one's
    if control is not None:
        rows.append(row("a", "eab", control))
    judged = verdict.apply_controls(rows, SCENARIOS, PROBES)
    assert next(one.verdict for one in judged if one.scenario == "eab-wrong-key") == found


def test_a_failed_refusal_stays_failed():
    assert verdict.apply_controls([row("a", "eab-wrong-key", "fail")], SCENARIOS, PROBES)[0].verdict == "fail"


def test_nothing_that_passes_counts_where_the_driver_failed_a_probe():
    rows = [
        row("a", "probe-garbage", "fail"),
        row("a", "http-01", "pass"),
        row("a", "dns-01", "fail"),
        row("b", "http-01", "pass"),
    ]
    judged = verdict.apply_controls(rows, SCENARIOS, PROBES)
    assert [one.verdict for one in judged] == ["fail", "inconclusive", "fail", "pass"]
