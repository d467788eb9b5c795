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
    assert {"acme.sh", "certbot", "certbot-pypi", "lego"} <= set(clients)
    for client in clients.values():
        assert importlib.util.find_spec(client.driver[2]) is not None, client.driver
        unknown = {mark.scenario for mark in client.expected} - set(SCENARIOS)
        assert not unknown, f"{client.name} marks scenarios that do not exist"
        assert all(mark.why for mark in client.expected)


def test_a_probe_is_never_marked_as_expected_to_fail():
    assert not {mark.scenario for client in declaration.clients().values() for mark in client.expected} & set(PROBES)


def test_a_good_one(written):
    assert declaration.load(written(GOOD)).expects("http-01", TODAY) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "colour = 1\n", "colour"),
        (GOOD.replace('"acme"', '"acne"'), "protocols"),
        (GOOD.partition("[debian]")[0], "comes from somewhere"),
        ("name = ", "client.toml"),
        (GOOD + '[[expected]]\nscenario = "a"\nverdict = "pass"\nwhy = "w"\n', "verdict"),
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
    assert client.expects("a", TODAY) == client.expected[0]
    assert client.expects("a", TODAY + datetime.timedelta(days=1)) is None
    assert client.expects("b", TODAY) is None


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
