"""``privca cert renewal``: the window in which one certificate is best renewed (RFC 9773 section 4.2)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from privca.base.names import dns_name
from privca.composition import opened, run
from privca.issuance.issue import Request
from tests.support.issuance_lab import csr
from tests.support.running import Running, quickly


@pytest.fixture(scope="module")
def serial(shared: Running) -> str:
    """A certificate as an ACME profile issues it."""
    names = (dns_name("www.example.test"),)
    with opened(shared.directory / "privca.toml") as parts:
        profile = run(parts.store.profile("lab-acme"))
        assert profile is not None
        issued = run(parts.issuer.issue(parts.exchange("lab-acme"), profile, Request("renewal", "acme:1", csr(names), names)))
    return issued.serial.hex()


def window(shared: Running, serial: str, *options: str) -> Any:
    done = quickly("cert", "renewal", serial, *options, "--json", "--dir", shared.directory)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_window_is_set_and_given_back(shared: Running, serial: str) -> None:
    usual = window(shared, serial)
    assert usual["start"] < usual["end"]
    span = ("--from", "2027-01-01T00:00:00", "--until", "2027-01-02T00:00:00Z")
    ordered = window(shared, serial, *span, "--explanation", "https://ca.example.test/why")
    assert ordered == {
        "serial": serial.upper(),
        "start": "2027-01-01T00:00:00Z",
        "end": "2027-01-02T00:00:00Z",
        "explanation": "https://ca.example.test/why",
    }
    at_once = window(shared, serial, "--now")
    assert datetime.fromisoformat(at_once["end"]) < datetime.now().astimezone()
    assert window(shared, serial) == at_once
    assert window(shared, serial, "--default") == usual
    assert usual["start"] in quickly("cert", "renewal", serial, "--dir", shared.directory).stdout


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("--from", "2027-01-01"), 2),
        (("--until", "2027-01-01"), 2),
        (("--now", "--default"), 2),
        (("--explanation", "https://ca.example.test/"), 2),
        (("--from", "tomorrow", "--until", "2027-01-01"), 2),
        (("--from", "2027-01-02", "--until", "2027-01-01"), 1),
    ],
    ids=["no-end", "no-start", "two-ways", "explains-nothing", "no-time", "ends-first"],
)
def test_what_makes_no_sense_is_refused(shared: Running, serial: str, options: tuple[str, ...], status: int) -> None:
    done = quickly("cert", "renewal", serial, *options, "--dir", shared.directory)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_a_certificate_that_nobody_asks_about(shared: Running) -> None:
    with opened(shared.directory / "privca.toml") as parts:
        own = next(one for one in run(parts.store.certificates()) if one.profile_id == "")
    assert quickly("cert", "renewal", own.serial.hex(), "--dir", shared.directory).returncode == 1
