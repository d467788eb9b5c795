"""Declarations: the ones that are shipped, and what a wrong one is told."""

from __future__ import annotations

import datetime
import importlib.util
from pathlib import Path

import pytest

from interop import declaration
from interop.probes import PROBES
from interop.scenarios import SCENARIOS

TODAY = datetime.date(2026, 1, 2)
GOOD = """
name = "x"
title = "X"
protocols = ["acme"]
driver = ["{python}", "-m", "x"]
version = ["x", "--version"]
trust = "X_CA"
[debian]
suite = "trixie"
packages = ["x"]
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "client.toml"
        path.write_text(text)
        return path

    return write


def test_the_shipped_declarations():
    clients = declaration.clients()
    assert len(clients) >= 22
    for client in clients.values():
        last = client.command("python", declaration.CLIENTS.parent)[-1]
        assert Path(last).is_file() or importlib.util.find_spec(last) is not None, client.driver
        unknown = {mark.scenario for mark in client.expected} - set(SCENARIOS)
        assert not unknown, f"{client.name} marks scenarios that do not exist"
        assert all(mark.why for mark in client.expected)


def test_every_failure_that_is_known_says_where_that_is_written():
    marks = [(client.name, mark) for client in declaration.clients().values() for mark in client.expected]
    assert not [(name, mark.scenario) for name, mark in marks if mark.verdict == "fail" and not mark.link.startswith("https://")]


def test_a_probe_is_never_marked_as_expected_to_fail():
    assert not {mark.scenario for client in declaration.clients().values() for mark in client.expected} & set(PROBES)


def test_a_good_one(written):
    assert declaration.load(written(GOOD)).expects("http-01", "1.0", TODAY) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "colour = 1\n", "colour"),
        (GOOD.replace('"acme"', '"acne"'), "protocols"),
        (GOOD.partition("[debian]")[0], "comes from somewhere"),
        ("name = ", "client.toml"),
        (GOOD + '[[expected]]\nscenario = "a"\nverdict = "pass"\nwhy = "w"\n', "verdict"),
        (GOOD + '[[expected]]\nscenario = "a"\nverdict = "fail"\nwhy = "w"\nversions = "4.9"\n', "4.9: no bound"),
    ],
)
def test_a_wrong_one_is_told_what_is_wrong(written, text, said):
    with pytest.raises(declaration.DeclarationError, match=said):
        declaration.load(written(text))


def test_a_client_may_be_for_some_scenarios_alone(written):
    client = declaration.load(written(GOOD.replace("[debian]", 'scenarios = ["est-*"]\n[debian]')))
    assert client.takes("est-enroll")
    assert not client.takes("http-01")
    assert declaration.load(written(GOOD)).takes("http-01")


def test_an_expected_mark_ends_on_its_day(written):
    mark = '[[expected]]\nscenario = "a"\nverdict = "fail"\nwhy = "known"\nuntil = 2026-01-02\n'
    client = declaration.load(written(GOOD + mark))
    assert client.expects("a", "1.0", TODAY) == client.expected[0]
    assert client.expects("a", "1.0", TODAY + datetime.timedelta(days=1)) is None
    assert client.expects("b", "1.0", TODAY) is None


def test_an_expected_mark_is_of_some_versions(written):
    mark = '[[expected]]\nscenario = "a"\nverdict = "fail"\nwhy = "known"\nversions = ">=4.9,<4.11"\n'
    client = declaration.load(written(GOOD + mark))
    assert [version for version in ("4.8", "4.9.1-2", "4.10", "4.11.0", "5") if client.expects("a", version, TODAY)] == [
        "4.9.1-2",
        "4.10",
    ]
    assert client.expects("a", "", TODAY)


@pytest.mark.parametrize(
    ("version", "bounds", "holds"),
    [
        ("3.0.22-1~deb12u1", "<3.1", True),
        ("2.6.2-12+deb13u1", "<=2.6", True),
        ("2.7.0", "<=2.6", False),
        ("2.7.0", ">2.6", True),
        ("0.2.2", "=0.2", True),
        ("0.3", "=0.2", False),
        ("5.4.0", "", True),
    ],
)
def test_versions(version, bounds, holds):
    assert declaration.within(version, bounds) is holds


def test_every_control_is_a_scenario_that_differs_in_the_fault_alone():
    for scenario in SCENARIOS.values():
        if scenario.outcome == "refused":
            control = SCENARIOS[scenario.control]
            assert (control.protocol, control.names, control.challenge, control.key, control.variant) == (
                scenario.protocol,
                scenario.names,
                scenario.challenge,
                scenario.key,
                scenario.variant,
            )
            # Of CMP the fault is in the commands.
            assert control.actions == scenario.actions or scenario.commands
            assert control.outcome != "refused"
            assert scenario.refusal
