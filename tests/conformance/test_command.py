"""``python -m conformance``: it offers what there is, and its exit status tells what came of it."""

import pytest
from click.testing import CliRunner

from conformance.acme.mutations import MUTATIONS
from conformance.command import main
from conformance.commands.issue import identifier


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def test_help_names_the_commands():
    done = run("--help")
    assert done.exit_code == 0
    assert "issue" in done.output
    assert "mutations" in done.output


def test_every_mutation_is_listed_with_its_clause():
    done = run("mutations")
    assert done.exit_code == 0
    for mutation in MUTATIONS.values():
        assert any(line.startswith(mutation.name) and line.endswith(mutation.clause) for line in done.output.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ("issue",),
        ("issue", "--acme", "https://127.0.0.1:1/"),
        ("issue", "--acme", "https://127.0.0.1:1/", "--names", "a.test", "--eab-kid", "x"),
        ("issue", "--acme", "https://127.0.0.1:1/", "--names", "a.test", "--challenge", "dns-01"),
        ("issue", "--acme", "https://127.0.0.1:1/", "--names", "a.test", "--challenge", "nothing"),
        ("nothing",),
    ],
)
def test_a_wrong_call_is_usage(arguments):
    assert run(*arguments).exit_code == 2


def test_a_server_that_cannot_be_reached_is_inconclusive():
    done = run("issue", "--acme", "https://127.0.0.1:1/", "--names", "a.test", "--always-valid")
    assert done.exit_code == 4
    assert "inconclusive" in done.output


def test_names_and_addresses_are_told_apart():
    assert identifier("a.test") == {"type": "dns", "value": "a.test"}
    assert identifier("192.0.2.1") == {"type": "ip", "value": "192.0.2.1"}
    assert identifier("2001:DB8::1") == {"type": "ip", "value": "2001:db8::1"}
