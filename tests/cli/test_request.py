"""``privca request``: what a person sees of a request, and what becomes of it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import NameOID

from privca.base.clock import SystemClock
from privca.base.names import dns_name
from privca.cli import output
from privca.composition import directly, run
from privca.config import load
from privca.enrollment.door import Identity, Issued, Pending, Submission
from privca.services import door
from tests.cli.test_credentials import call, directory, of
from tests.support.issuance_lab import csr

__all__ = ["directory"]
A = dns_name("device.example.test")
FORGED = "device\u202etset.elpmaxe\u202c, CN=harmless"


class Operator:
    """A lab at rest, and requests that come in by its door."""

    def __init__(self, directory: Path) -> None:
        from privca.composition import compose

        self.directory = directory
        self.parts = compose(load(directory / "privca.toml"), directly)

    def ask(self, request_id: str, subject: str = "device", names: Any = (A,)) -> Pending | Issued:
        profile = run(self.parts.store.profile("lab-est-approval"))
        assert profile is not None
        request = csr(names, subject=[(NameOID.COMMON_NAME, subject)])
        submission = Submission(request_id, Identity("code", "code:lab"), request)
        return run(door(self.parts).submit(self.parts.exchange("lab-est-approval"), profile, submission))


@pytest.fixture
def operator(directory: Path) -> Any:
    made = Operator(directory)
    yield made
    made.parts.store.close()


def test_a_request_is_approved_and_answered(operator: Operator) -> None:
    answer = operator.ask("1")
    assert answer == Pending(5)
    (listed,) = of(operator.directory, "request", "list")
    assert listed["subject"] == "CN=device"
    assert (listed["names"], listed["identity"], listed["method"]) == (["dns:device.example.test"], "code:lab", "code")
    assert (listed["state"], listed["profile"], listed["protocol"], listed["key"]) == (
        "waiting",
        "lab-est-approval",
        "est",
        "P-256",
    )
    assert len(listed["key_sha256"]) == 64
    assert of(operator.directory, "request", "show", listed["id"])["id"] == listed["id"]
    text = call(operator.directory, "request", "list").stdout
    assert listed["id"] in text
    assert "CN=device" in text
    done = call(operator.directory, "request", "approve", listed["id"])
    assert done.stdout.startswith(f"{listed['id']} is approved"), done.stderr
    assert of(operator.directory, "request", "list") == []
    assert of(operator.directory, "request", "show", listed["id"])["state"] == "approved"
    issued = operator.ask("1")
    assert isinstance(issued, Issued)
    shown = of(operator.directory, "request", "show", listed["id"])
    assert shown["state"] == "issued"
    assert shown["serial"] == issued.certificate.serial.lstrip(b"\0").hex().upper()
    late = call(operator.directory, "request", "reject", listed["id"])
    assert late.exit_code == 1
    assert "was answered, or somebody else has decided" in late.stderr


def test_a_request_is_rejected_with_a_reason(operator: Operator) -> None:
    operator.ask("1")
    (listed,) = of(operator.directory, "request", "list")
    assert call(operator.directory, "request", "reject", listed["id"], "--reason", "not ours").exit_code == 0
    shown = of(operator.directory, "request", "show", listed["id"])
    assert (shown["state"], shown["reason"], shown["decided_by"]) == ("rejected", "not ours", output.operator())
    assert "not ours" in call(operator.directory, "request", "show", listed["id"]).stdout


def test_a_request_is_meant_by_its_subject_if_it_is_the_only_one(operator: Operator) -> None:
    operator.ask("1")
    operator.ask("2", "another")
    assert call(operator.directory, "request", "approve", "--subject", "CN=device").exit_code == 0
    assert [one["subject"] for one in of(operator.directory, "request", "list")] == ["CN=another"]
    assert call(operator.directory, "request", "reject", "--subject", "CN=another", "--reason", "no").exit_code == 0
    operator.ask("3", "twice")
    operator.ask("4", "twice")
    many = call(operator.directory, "request", "approve", "--subject", "CN=twice")
    assert (many.exit_code, "2 requests of the subject 'CN=twice' wait" in many.stderr) == (1, True)


def test_a_forged_subject_reaches_no_terminal(operator: Operator) -> None:
    operator.ask("1", FORGED)
    (listed,) = of(operator.directory, "request", "list")
    for command in (("list",), ("show", listed["id"])):
        text = call(operator.directory, "request", *command).stdout
        assert "device<U+202E>tset.elpmaxe<U+202C>\\, CN=harmless" in text
        assert "\u202e" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        pytest.param(["show", "x"], 1, "there is no request 'x'", id="show"),
        pytest.param(["approve", "x"], 1, "there is no request 'x'", id="approve"),
        pytest.param(["approve"], 2, "name the request", id="which"),
        pytest.param(["approve", "x", "--subject", "CN=x"], 2, "name the request", id="which of two"),
        pytest.param(["approve", "--subject", "CN=x"], 1, "0 requests of the subject 'CN=x' wait", id="no such subject"),
        pytest.param(["reject", "x", "--reason", "a\nb"], 2, "one line of 200 printable characters", id="reason"),
    ],
)
def test_what_cannot_be_decided(directory: Path, arguments: list[str], status: int, told: str) -> None:
    done = call(directory, "request", *arguments)
    assert done.exit_code == status
    assert told in done.stderr
    assert call(directory, "request", "list").stdout == "no request waits\n"
    assert json.loads(call(directory, "request", "list", "--json").stdout) == []


def test_a_request_whose_time_is_over_cannot_be_approved(operator: Operator) -> None:
    operator.ask("1")
    (listed,) = of(operator.directory, "request", "list")
    operator.parts.store._database._connection.execute(
        "UPDATE waiting_request SET expires = ?", (int((SystemClock().now() - timedelta(seconds=1)).timestamp()),)
    )
    assert of(operator.directory, "request", "list") == []
    assert of(operator.directory, "request", "list", "--all")[0]["state"] == "expired"
    late = call(operator.directory, "request", "approve", listed["id"])
    assert late.exit_code == 1
    assert "the time of this request is over" in late.stderr
