"""Profiles of requirements: what they select, what they make of a server that does not have something, and what is wrong with one."""

import json

import jsonschema
import pytest
from click.testing import CliRunner

from conformance import profiles, results
from conformance.case import Case
from conformance.catalogue import catalogue
from conformance.command import main
from conformance.commands import run as command
from conformance.examination import Result, Unsupported
from conformance.profiles import Demand, ProfileError, parse
from conformance.target import Target
from conformance.verdict import Verdict

NONCE, CSR, SHOULD = "rfc8555:6.5#nonce-reject", "rfc8555:7.4#bad-csr", "rfc8555:6.1#cors"
TEXT = """
name = "plant-7"
title = "Ours"
mandatory = ["rfc8555:6.5#nonce-reject"]
recommended = ["rfc8555:6.1#*"]
optional = ["rfc8555:6.*", "rfc9773:4.2#*"]
"""


def result(*covers, verdict=Verdict.UNSUPPORTED):
    case = Case("acme.test.case", "A case", covers, lambda lab: None)
    return Result(case, verdict, "it has none", (), (), 0.0)


def test_the_strongest_demand_counts():
    profile = parse("x", TEXT)
    assert profile.requirements[NONCE] is Demand.MANDATORY
    assert profile.requirements[SHOULD] is Demand.RECOMMENDED
    assert profile.requirements["rfc8555:6.2#jws"] is Demand.OPTIONAL
    assert list(profile.requirements) == [id for id in catalogue() if id in profile.requirements]


def test_a_glob_leaves_out_what_binds_clients_and_what_cannot_be_tested():
    asked = parse("x", TEXT).requirements
    assert "rfc8555:6.1#user-agent" not in asked
    assert "rfc8555:6.1#early-data" not in asked


def test_what_is_named_by_its_id_counts_whatever_it_is():
    profile = parse("x", 'name = "x"\ntitle = "x"\nmandatory = ["rfc8555:6.1#early-data"]')
    assert list(profile.requirements) == ["rfc8555:6.1#early-data"]
    assert profile.not_examined([]) == {"rfc8555:6.1#early-data": "a permission whose use does no harm"}


def test_what_a_missing_feature_means():
    profile = parse("x", TEXT)
    assert profile.judged(result(NONCE)).verdict is Verdict.INCONSISTENT
    assert profile.judged(result(NONCE)).detail == "mandatory in profile plant-7: it has none"
    assert profile.judged(result(SHOULD)).verdict is Verdict.WARN
    assert profile.judged(result("rfc8555:6.2#jws")).verdict is Verdict.UNSUPPORTED
    # What else a case covers does not decide.
    assert profile.judged(result(CSR, NONCE)).verdict is Verdict.UNSUPPORTED
    assert profile.judged(result(NONCE, verdict=Verdict.PASS)).verdict is Verdict.PASS


def test_a_profile_adds_to_the_claims_of_a_target():
    profile = parse("x", TEXT + 'claims = ["caa"]')
    assert profile.claimed(Target(claims={"renewal-info": True})).claimed == {"caa", "renewal-info"}


def test_what_was_not_to_be_run_is_not_examined():
    profile = parse("x", TEXT)
    found = [result(NONCE, SHOULD, verdict=Verdict.NOT_APPLICABLE), result(SHOULD, verdict=Verdict.PASS)]
    missing = profile.not_examined(found)
    assert missing[NONCE] == "it has none"
    assert SHOULD not in missing
    assert missing["rfc8555:6.2#jws"] == "no selected case covers it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('mandatory = ["rfc8555:6.5#no-such"]', "no requirement rfc8555:6.5#no-such"),
        ('mandatory = ["rfc1:*"]', "no requirement rfc1:*"),
        ("mandatory = []", "asks for no requirement"),
        ('optional = "rfc8555:6.5#nonce-reject"', "array"),
        ('forbidden = ["rfc8555:6.*"]', "forbidden"),
        ("mandatory = [", "Invalid value"),
    ],
)
def test_a_profile_that_cannot_be_used_says_why(text, said):
    with pytest.raises(ProfileError, match=said.replace("*", r"\*")):
        parse("x", f'name = "x"\ntitle = "x"\n{text}')


@pytest.mark.parametrize("name", profiles.names())
def test_the_profiles_of_the_kit_are_whole(name):
    profile = profiles.find(name)
    assert profile.name == name
    assert profile.title
    assert not profile.not_examined(Result(case, Verdict.PASS, "", (), (), 0.0) for case in command.load().values())


def run(*arguments):
    return CliRunner().invoke(main, ("run", "--acme", "https://127.0.0.1:1/", *arguments))


def test_an_unknown_requirement_is_usage(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\ntitle = "x"\nmandatory = ["rfc8555:6.5#no-such"]')
    done = run("--profile", str(file))
    assert done.exit_code == 2
    assert "there is no requirement rfc8555:6.5#no-such" in done.output


@pytest.mark.parametrize("name", ["nothing", "nothing.toml"])
def test_an_unknown_profile_is_usage(name):
    done = run("--profile", name)
    assert done.exit_code == 2
    assert name in done.output


def test_a_profile_of_which_no_case_is_selected(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'name = "mine"\ntitle = "x"\nmandatory = ["{NONCE}"]')
    assert run("--profile", str(file), "-k", "acme.account.*").exit_code == 5


@pytest.fixture
def refusing(monkeypatch):
    """A run in which every case finds that the server has nothing."""

    class Nothing:
        def __init__(self, target):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def begin(self, protocol):
            pass

        def examine(self, case):
            return Result(case, Unsupported.verdict, "it has none", (), (), 0.0)

    monkeypatch.setattr(command, "Sessions", Nothing)
    monkeypatch.setattr(command, "_unreachable", lambda target: None)


def test_a_run_tells_what_was_asked_for(refusing, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(TEXT)
    done = run("--profile", str(file), "-k", "acme.nonce.reused-*", "--out", str(tmp_path / "out"))
    assert done.exit_code == 1, done.output
    assert "1 cases: 1 inconsistent" in done.output
    assert "profile plant-7: 2 of" in done.output
    assert f"not examined (no selected case covers it): rfc8555:6.1#https, {SHOULD}" in done.output
    document = json.loads((tmp_path / "out/results.json").read_text())
    jsonschema.validate(document, results.schema())
    told = document["selection"]["profile"]
    assert (told["name"], told["title"], told["mandatory"]) == ("plant-7", "Ours", [NONCE])
    assert NONCE not in told["not_examined"]
    assert SHOULD in told["not_examined"]
    assert "Asked for: Ours (`plant-7`)" in (tmp_path / "out/summary.md").read_text()


def test_without_a_profile_results_tell_of_none(refusing, tmp_path):
    run("-k", "acme.nonce.reused-*", "--out", str(tmp_path))
    assert json.loads((tmp_path / "results.json").read_text())["selection"] == {"globs": ["acme.nonce.reused-*"], "level": "may"}
