"""Tools of others: where they are looked for, how they are installed, and what is said where they are not."""

import json
import subprocess
import sys

import pytest

from conformance import tools
from conformance.case import REGISTRY
from conformance.examination import Examination, Issued, Kind, examine
from conformance.pkix.cases import load
from conformance.pkix.lab import Library, PkixLab
from conformance.pkix.pkilint import MOST_ASKED, OpinionError, chosen, opinion
from conformance.pkix.seen import Seen
from conformance.verdict import Verdict
from tests.support.raw_certificate import ca, certificate, crl

load()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def put(directory, name, text):
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / name
    program.write_text(f"#!{sys.executable}\n{text}")
    program.chmod(0o755)
    return program


def test_a_tool_is_found_in_the_cache_before_the_path(cache):
    assert tools.find("sslyze") is None
    on_path = put(cache / "bin", "sslyze", "")
    assert tools.find("sslyze") == on_path
    own = put(tools.SSLYZE.directory / "bin", "sslyze", "")
    assert tools.find("sslyze") == on_path  # not whole yet
    tools.SSLYZE.whole.touch()
    assert tools.find("sslyze") == own


def test_what_is_missing_is_said_with_its_cure(cache):
    assert "run --install-tools" in tools.SSLYZE.missing
    assert str(cache / "cache" / "privca-conformance" / "sslyze-6.3") in tools.SSLYZE.missing


def test_a_tool_is_installed_once(cache, monkeypatch):
    calls = []
    monkeypatch.setattr(tools.venv, "create", lambda directory, **_: calls.append(directory))
    monkeypatch.setattr(tools, "run", lambda call, patience: calls.append(call) or subprocess.CompletedProcess(call, 0, "", ""))
    tools.SSLYZE.directory.mkdir(parents=True)
    program = tools.install("sslyze")
    assert program == tools.SSLYZE.directory / "bin" / "sslyze"
    assert calls[1][-1] == "sslyze==6.3.*"
    assert tools.install("sslyze") == program
    assert len(calls) == 2


def test_an_installation_that_fails_says_why_and_leaves_nothing_that_counts(cache, monkeypatch):
    monkeypatch.setattr(tools.venv, "create", lambda directory, **_: None)
    monkeypatch.setattr(tools, "run", lambda call, patience: subprocess.CompletedProcess(call, 1, "", "no such version"))
    with pytest.raises(tools.ToolError, match="no such version"):
        tools.install("pkilint")
    assert tools.find("pkilint") is None


def test_a_tool_does_not_see_our_packages(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    said = tools.run([sys.executable, "-c", "import os; print(os.environ.get('PYTHONPATH'))"], 60).stdout
    assert said.strip() == "None"


# -- pkilint ---------------------------------------------------------------------------------------------------------------

FINDING = {
    "node_path": "certificate.tbsCertificate",
    "validator": "V",
    "finding_descriptions": [{"severity": "NOTICE", "code": "pkix.something", "message": "said"}],
}


def pkilint(cache, results, *, name="lint_pkix_cert"):
    """A program that says that of every certificate."""
    return put(cache / "pkilint", name, f"print({json.dumps(json.dumps({'results': results}))})")


def examined(program, *issued, id="pkix.pkilint.certificates"):
    examination = Examination(REGISTRY[id])
    lab = PkixLab(Library([*issued], None), examination, program)
    return examine(examination, lab, frozenset())


def seen(octets, kind=Kind.CERTIFICATE):
    return Issued(kind, octets)


def test_what_pkilint_finds_is_information(cache):
    result = examined(pkilint(cache, [FINDING]), seen(certificate()))
    assert result.verdict is Verdict.INFO
    assert "NOTICE pkix.something at certificate.tbsCertificate: said" in result.detail


def test_where_it_finds_nothing_its_case_passes(cache):
    assert examined(pkilint(cache, []), seen(certificate())).verdict is Verdict.PASS


def test_without_pkilint_its_cases_say_what_to_do(cache):
    result = examined(None, seen(certificate()))
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "run --install-tools" in result.detail


def test_a_crl_has_a_program_of_its_own(cache):
    pkilint(cache, [], name="lint_crl")
    program = pkilint(cache, [FINDING])
    assert examined(program, seen(crl(), Kind.CRL), id="pkix.pkilint.crls").verdict is Verdict.PASS
    assert examined(program, id="pkix.pkilint.ocsp-responses").verdict is Verdict.NOT_APPLICABLE


def test_an_opinion_that_is_none_concludes_nothing(cache):
    broken = put(cache / "pkilint", "lint_pkix_cert", "import sys\nsys.exit('Traceback: nothing works')")
    with pytest.raises(OpinionError, match="nothing works"):
        opinion(broken, seen(certificate()))
    assert examined(broken, seen(certificate())).verdict is Verdict.INCONCLUSIVE
    assert examined(cache / "nowhere", seen(certificate())).verdict is Verdict.INCONCLUSIVE


def test_pkilint_is_asked_about_one_of_each_sort():
    alike = [seen(certificate(serial=bytes((n,)))) for n in range(1, 9)]
    others = [seen(certificate(ski=None)), seen(ca())]
    assert chosen(Seen([*alike, *others]), Kind.CERTIFICATE) == [alike[0], *others]
    many = [seen(crl() + bytes((n,)), Kind.CRL) for n in range(40)]
    assert len(chosen(Seen(many), Kind.CRL)) == MOST_ASKED
