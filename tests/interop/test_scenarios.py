"""Scenarios hold together with drivers, servers and variants."""

from __future__ import annotations

import importlib
import threading
import tomllib

import pytest

from interop import declaration
from interop.scenarios import SCENARIOS
from interop.servers import SERVERS
from interop.servers.privca import VARIANTS, with_fault
from interop.servers.server import ServerError
from interop.worker import USUAL, Approver, presented


def test_what_a_client_is_told_to_authenticate_with():
    credential = {"username": "lab", "code": "Abc", "kid": "k", "hmac_key": "Bcd"}
    assert presented(credential, "right") == credential
    assert presented(credential, "wrong") == {**credential, "code": "Bbc", "hmac_key": "Acd"}
    assert presented({"reference": "lab", "code": "Abc"}, "unknown") == {"reference": "nobody", "code": "Abc"}


class Waiting:
    """A server at which requests wait."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def approve(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_approver_counts_and_tells_of_trouble():
    approver = Approver(Waiting(0, 2, ServerError("no")), True)
    for _ in range(3):
        approver.look()
    assert (approver.approved, approver.trouble) == (2, "no")


def test_a_person_thinks_from_when_the_client_was_told():
    told = threading.Event()

    class Patient(Waiting):
        def approve(self):
            assert told.is_set()
            return super().approve() if self.answers else 0

    with Approver(Patient(1), True, 0.1, told.is_set) as approver:
        told.set()
        while not approver.approved:
            pass
    assert (approver.approved, approver.trouble) == (1, "")


def test_a_fault_is_put_into_the_labs_own_profile():
    config = '[profile.lab-est]\nprotocol = "est"\n\n# S\n[profile.lab-scep]\nprotocol = "scep"\n# more\nscep.x = 1\n\n[profile.z]\na = 1\n'
    found = tomllib.loads(with_fault(config, "scep.reply.in-the-clear"))
    assert found == {"profile": {"lab-scep": {"faults": ["scep.reply.in-the-clear"], "protocol": "scep", "scep": {"x": 1}}}}


def test_nobody_approves_where_nothing_waits():
    with Approver(Waiting(), False) as approver:
        pass
    assert approver.approved == 0


def test_variants_are_files_of_the_protocols_own_profile():
    for path in VARIANTS.glob("*.toml"):
        profiles = tomllib.loads(path.read_text())["profile"]
        assert {profile["protocol"] for profile in profiles.values()} == {path.stem.partition("-")[0]}
        assert any(scenario.variant == path.stem for scenario in SCENARIOS.values())


def test_every_variant_is_there():
    assert {scenario.variant for scenario in SCENARIOS.values() if scenario.variant} == {
        path.stem for path in VARIANTS.glob("*.toml")
    }


def test_what_a_server_does_not_have_is_not_asked_of_it():
    assert not SERVERS["estserver"].offers("scep", "")
    assert SERVERS["estserver"].offers("est", "est-digest")
    assert not SERVERS["scepserver"].offers("scep", "scep-approval")
    assert not SERVERS["pebble"].offers("est", "")
    assert SERVERS["privca"].offers("est", "est-approval")
    assert not SERVERS["privca"].offers("est", "est-never")


def test_probes_break_what_usually_succeeds():
    assert all(SCENARIOS[id].protocol == protocol and SCENARIOS[id].outcome == "issued" for protocol, id in USUAL.items())


@pytest.mark.parametrize("name", sorted(name for name, one in declaration.clients().items() if "acme" not in one.protocols))
def test_driver_has_the_actions_of_every_scenario_that_is_for_it(name):
    client = declaration.clients()[name]
    module = importlib.import_module(client.driver[2])
    driver = next(value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__)
    wanted = {
        action
        for scenario in SCENARIOS.values()
        if scenario.protocol in client.protocols and client.takes(scenario.id)
        for action in scenario.actions
    }
    assert wanted
    assert not {action for action in wanted if not hasattr(driver, f"do_{action}".replace("-", "_"))}


def test_patterns_of_every_client_match_something():
    for client in declaration.clients().values():
        for pattern in client.scenarios:
            limited = declaration.Client(**{**{f: getattr(client, f) for f in client.__struct_fields__}, "scenarios": (pattern,)})
            assert any(limited.takes(id) for id, one in SCENARIOS.items() if one.protocol in client.protocols), pattern
