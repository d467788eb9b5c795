"""The kit's own rules: what a case may say, how it ends, what is expected, and that nothing passes where there is nothing to pass."""

import base64
import datetime as dt
import fnmatch
import json
import re
import socket
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from conformance import engine, expected, gauntlet, kill_matrix, results
from conformance.acme.responders import HttpResponder
from conformance.acme.session import AcmeSession
from conformance.case import Case, CaseError, case, register, selected
from conformance.command import main
from conformance.commands.run import report
from conformance.examination import Examination, Inconclusive, NotApplicable, Stop, Unsupported, examine
from conformance.protocols import PROTOCOLS, load
from conformance.reports.junit import junit
from conformance.reports.page import page
from conformance.reports.traceability import markdown, traceability, verdict_of
from conformance.target import AcmeTarget, EstTarget, Target, TargetError, given, read
from conformance.transport import HttpRequest, HttpResponse, Unreachable
from conformance.verdict import Level, Verdict, exit_status

MUST, SHOULD = "rfc8555:6.5#nonce-reject", "rfc8555:6.6#retry-after"


def made(body, *, covers=(MUST,), feature="", id="acme.test.case"):
    return Case(id, "A case.", covers, body, feature=feature)


def ended(body, *, claims=frozenset(), covers=(MUST,), feature=""):
    examination = Examination(made(body, covers=covers, feature=feature))
    return examine(examination, examination, claims)


def raising(error):
    def body(_):
        raise error

    return body


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        pytest.param(lambda e: e.check(True, "x"), Verdict.PASS, id="holds"),
        pytest.param(lambda e: e.check(False, "x"), Verdict.FAIL, id="a MUST is broken"),
        pytest.param(lambda e: e.check(False, "x", SHOULD), Verdict.WARN, id="a SHOULD is not followed"),
        pytest.param(lambda e: None, Verdict.ERROR, id="checked nothing"),
        pytest.param(raising(Inconclusive("x")), Verdict.INCONCLUSIVE, id="inconclusive"),
        pytest.param(raising(Unreachable("x")), Verdict.INCONCLUSIVE, id="unreachable"),
        pytest.param(raising(Unsupported("x")), Verdict.UNSUPPORTED, id="unsupported"),
        pytest.param(raising(NotApplicable("x")), Verdict.NOT_APPLICABLE, id="not applicable"),
        pytest.param(raising(ZeroDivisionError("x")), Verdict.ERROR, id="our own fault"),
        pytest.param(lambda e: e.require(False, "x"), Verdict.FAIL, id="cannot go on"),
        pytest.param(lambda e: e.check(True, "x", "rfc8555:6.1#https"), Verdict.ERROR, id="checks what it does not cover"),
    ],
)
def test_how_a_case_ends(body, verdict):
    covers = (MUST, SHOULD)
    assert ended(body, covers=covers).verdict is verdict


def test_a_claimed_feature_that_is_missing_is_inconsistent():
    body = raising(Unsupported("no renewalInfo"))
    assert ended(body, feature="renewal-info", claims=frozenset({"renewal-info"})).verdict is Verdict.INCONSISTENT
    assert ended(body, feature="renewal-info", claims=frozenset({"caa"})).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize(
    ("granted", "verdict"),
    [([True, True], Verdict.PASS), ([False, True], Verdict.INCONCLUSIVE), ([True, False], Verdict.FAIL)],
    ids=["both times", "not before", "not after"],
)
def test_a_spoilt_request_counts_only_between_two_that_are_granted(granted, verdict):
    request = HttpRequest("GET", "https://ca.example.test/")
    replies = iter([HttpResponse(200 if one else 400, (), b"", request) for one in granted])

    def body(e):
        e.paired(
            lambda: next(replies),
            lambda: HttpResponse(400, (), b"", request),
            denied=lambda reply: "" if reply.status == 200 else "refused",
            judge=lambda reply: e.check(reply.status == 400, "x"),
        )

    assert ended(body).verdict is verdict


def test_what_was_found_before_the_end_was_found():
    def body(e):
        e.check(False, "broken")
        raise Inconclusive("then it hung")

    done = ended(body)
    assert done.verdict is Verdict.FAIL
    assert "broken" in done.detail


def test_the_worst_finding_counts():
    def body(e):
        e.check(False, "x", SHOULD)
        e.check(False, "x", MUST)

    assert ended(body, covers=(SHOULD, MUST)).verdict is Verdict.FAIL


def test_stop_is_no_verdict_of_its_own():
    assert ended(raising(Stop())).verdict is Verdict.ERROR  # nothing was checked


@pytest.mark.parametrize(
    "declared",
    [
        made(lambda e: None, id="acme.nonce.reused-rejected"),
        made(lambda e: None, id="nonsense"),
        made(lambda e: None, covers=()),
        made(lambda e: None, covers=("rfc8555:6.5#no-such",)),
        made(lambda e: None, covers=("rfc8555:10.2#several-points",)),
    ],
    ids=["taken", "malformed", "covers nothing", "unknown requirement", "untestable requirement"],
)
def test_a_case_that_is_declared_wrongly_is_refused(declared):
    load()
    with pytest.raises(CaseError):
        register(declared)


def test_a_case_has_a_title():
    with pytest.raises(CaseError):
        case("acme.test.untitled", covers=[MUST])(lambda lab: None)


def test_selection():
    every = load().values()
    assert selected(every, protocols=["smtp"]) == []
    assert [one.id for one in selected(every, protocols=["acme"], globs=["acme.nonce.reused-*"])] == [
        "acme.nonce.reused-rejected"
    ]
    assert all(one.level is Level.MUST for one in selected(every, protocols=["acme"], level=Level.MUST))


@pytest.mark.parametrize(
    ("verdicts", "unexpected", "status"),
    [
        ([], False, 5),
        ([], True, 1),
        ([Verdict.PASS], False, 0),
        ([Verdict.PASS, Verdict.WARN, Verdict.INFO, Verdict.UNSUPPORTED], False, 0),
        ([Verdict.PASS, Verdict.FAIL], False, 1),
        ([Verdict.PASS, Verdict.INCONSISTENT], False, 1),
        ([Verdict.PASS], True, 1),
        ([Verdict.FAIL, Verdict.ERROR], False, 3),
        ([Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE], False, 4),
    ],
)
def test_exit_status(verdicts, unexpected, status):
    assert exit_status(verdicts, unexpected=unexpected) == status


def test_expected_deviations(tmp_path):
    file = tmp_path / "expected.toml"
    file.write_text('["acme.test.*"]\nverdict = "fail"\nreason = "known"\nuntil = 2026-06-30\n')
    known = expected.read(file)
    failed, passed = ended(lambda e: e.check(False, "x")), ended(lambda e: e.check(True, "x"))
    early, late = dt.date(2026, 6, 30), dt.date(2026, 7, 1)
    assert not expected.judge([failed], known, early)[0].counts
    assert expected.judge([failed], known, late)[0].unexpected, "an entry that has expired"
    assert expected.judge([passed], known, early)[0].unexpected, "a pass that was not expected"
    absent = replace(passed, verdict=Verdict.NOT_APPLICABLE)
    assert expected.judge([absent], known, early)[0].unexpected, "a case that did not apply"
    without = replace(absent, case=replace(absent.case, needs=("sslyze",)))
    assert not expected.judge([without], known, early)[0].unexpected, "a case whose needs the run did not have"
    assert expected.unused([failed], {"acme.other.*": known["acme.test.*"]}) == ["acme.other.*"]
    file.write_text('["x"]\nverdict = "bad"\nreason = ""\n')
    with pytest.raises(expected.ExpectationError):
        expected.read(file)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_passes_on_a_stub_that_does_not_deserve_it(protocol):
    cases = [one for one in load().values() if one.protocol == protocol]
    found = gauntlet.run(PROTOCOLS[protocol], cases)
    wrong = [f"{result.case.id} on {stub.name}" for stub, result in found if gauntlet.vacuous(stub, result)]
    assert wrong == []


def test_the_gauntlet_notices_a_case_that_cannot_fail():
    careless = made(lambda lab: lab.check(True, "whatever"))
    assert all(gauntlet.vacuous(stub, result) for stub, result in gauntlet.run(PROTOCOLS["acme"], [careless]))


def test_every_fault_has_a_case_and_every_negative_case_a_fault():
    from privca.faults import faults

    assert kill_matrix.loose_ends(faults(), load().values()) == []


def test_loose_ends_are_found():
    cases = [made(lambda e: None, id="acme.test.one")]
    negative = Case("acme.test.two", "Two.", (MUST,), lambda e: None, kills=("acme.no.fault",), negative=True)
    found = kill_matrix.loose_ends(["acme.some.fault"], [*cases, negative])
    assert len(found) == 3


class Answering:
    """A transport that gives the same reply to everything."""

    def exchange(self, request):
        return HttpResponse(404, (("Content-Type", "application/problem+json"),), b'{"type":"about:blank"}', request)


@pytest.fixture
def document():
    """The results of two cases against a server that knows nothing."""
    target = Target(name="nothing", acme=AcmeTarget(directory="https://ca.example.test/d", validates=False), claims={"caa": True})
    cases = [load()["acme.directory.resources"], load()["acme.nonce.reused-rejected"]]
    with AcmeSession(target, transport=Answering()) as session:
        heard = []
        found = engine.run(cases, session.examine, heard.append)
    assert heard == found
    now = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    return results.document(results.Run(target, now, now, 1, {}), expected.judge(found, {}, now.date()))


def test_results_have_the_shape_of_their_schema(document):
    jsonschema.Draft202012Validator.check_schema(results.schema())
    jsonschema.validate(json.loads(json.dumps(document)), results.schema())
    assert [case["verdict"] for case in document["cases"]] == ["fail", "inconclusive"]


def test_reports_say_what_was_found(document):
    suite = ET.fromstring(junit(document))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "1")
    assert "| `acme.directory.resources` | fail |" in markdown(document)
    lines = traceability(document).splitlines()
    assert any(line.startswith("rfc8555:7.1#directory-and-nonce,") and ",fail," in line for line in lines)
    assert verdict_of("rfc8555:7.1#directory-and-nonce", document) == "fail"
    assert verdict_of("rfc8555:6.6#rate-limited", document) == "not examined"
    shown = page([document, document])
    assert "acme.directory.resources" in shown
    assert "src=" not in shown
    assert 'href="http' not in shown


def test_what_a_server_says_is_no_markup_of_ours(document):
    document["cases"][0]["detail"] = "<script>alert(1)</script>"
    assert "<script>alert(1)" not in page([document])


def test_messages_stand_in_the_page_and_are_no_markup_of_it(document):
    reply = {"status": 200, "headers": [], "text": "</div><script>alert(2)</script>"}
    request = {"method": "GET", "url": "https://ca.example.test/", "headers": [], "text": ""}
    document["cases"][0]["exchanges"] = [{"stage": "check", "note": "", "request": request, "reply": reply}]
    shown = page([document])
    assert "alert(2)" not in shown
    held = [json.loads(zlib.decompress(base64.b64decode(text))) for text in re.findall(r'data-messages="([^"]*)"', shown)]
    assert len(held) == len(document["cases"])
    assert any("</div><script>alert(2)</script>" in step["reply"] for one in held for step in one["steps"])


def test_several_servers_stand_side_by_side(document, tmp_path):
    other = json.loads(json.dumps(document))
    other["target"]["name"] = "another server"
    other["cases"] = [{**other["cases"][0], "id": "acme.other.case", "verdict": "pass"}]
    for number, one in enumerate((document, other)):
        (tmp_path / f"{number}.json").write_text(json.dumps(one))
    done = CliRunner().invoke(report, [str(tmp_path / "0.json"), str(tmp_path / "1.json"), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    shown = (tmp_path / "index.html").read_text()
    assert "acme.other.case" in shown
    assert "acme.directory.resources" in shown
    assert re.search(r"another server: <span class=\"mark \">not run</span>", shown)


def test_a_secret_is_not_in_the_results():
    request = HttpRequest("GET", "https://ca.example.test/", (("Authorization", "Basic c2VjcmV0"),))
    examination = Examination(made(lambda e: e.check(True, "x")))
    examination.record(HttpResponse(200, (), b"", request))
    done = examine(examination, examination, frozenset())
    now = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    run = results.Run(Target(name="x"), now, now, 0, {})
    assert "c2VjcmV0" not in json.dumps(results.document(run, expected.judge([done], {}, now.date())))


def test_another_profile_of_a_target_has_its_own_credentials():
    target = Target(
        acme=AcmeTarget(directory="https://a.test/d", http01_port=5002),
        est=EstTarget(url="https://a.test/e", username="lab", code="x"),
    )
    there = target.at("est", {"url": "https://a.test/f", "code": "y", "protocol": "est", "faults": ["est.x.y"]})
    assert (there.est.url, there.est.username, there.est.code) == ("https://a.test/f", "lab", "y")
    assert there.acme is target.acme
    assert target.at("acme", {"url": "https://a.test/g"}).acme.directory == "https://a.test/g"


def test_bare_urls_are_a_target(monkeypatch):
    monkeypatch.setenv("KIT_CODE", "secret")
    target = given(est="https://a.test/e", cmp="http://a.test/c", username="lab", reference="ref", code_env="KIT_CODE")
    assert (target.name, given(est="https://a.test/e", name="libest").name) == ("https://a.test/e", "libest")
    assert target.endpoints == {"est": "https://a.test/e", "cmp": "http://a.test/c"}
    assert (target.est.username, target.est.code) == ("lab", "secret")
    assert (target.cmp.reference, target.cmp.code) == ("ref", "secret")


def test_a_target_says_what_is_wrong_with_it(tmp_path, monkeypatch):
    file = tmp_path / "target.toml"
    file.write_text('[acme]\ndirectory = "https://a.test/"\nhttp02_port = 1\n')
    with pytest.raises(TargetError, match="http02_port"):
        read(file)
    file.write_text('[est]\nurl = "https://a.test/"\ncode_env = "KIT_CODE"\n')
    with pytest.raises(TargetError, match="KIT_CODE"):
        read(file)
    monkeypatch.setenv("KIT_CODE", "secret")
    assert read(file).est.code == "secret"


def test_the_engine_is_shut_off_from_what_a_user_tells_pytest(monkeypatch, tmp_path, capfd):
    """Neither options nor plugins of other tests bear on cases, and what is said while they run is heard at once."""
    (tmp_path / "theirs.py").write_text("raise RuntimeError('a plugin that breaks')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTEST_PLUGINS", "theirs")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option -x")
    cases = [made(lambda e: e.check(False, "x"), id=f"acme.test.{word}") for word in ("one", "two")]

    def examined(case):
        print(case.id)
        examination = Examination(case)
        return examine(examination, examination, frozenset())

    heard = []
    engine.run(cases, examined, lambda result: heard.append(capfd.readouterr().out))
    assert heard == ["acme.test.one\n", "acme.test.two\n"]


def test_the_script_that_repeats_the_kit_runs():
    from tests.repeat_kit import main

    assert main(1, "acme.nonce.*-rejected") == 0


def test_a_port_that_is_taken_is_said_and_is_no_finding():
    """The server is there; the examiner cannot do its part."""
    with socket.create_server(("127.0.0.1", 0)) as taken, HttpResponder() as server:
        port = taken.getsockname()[1]
        arguments = ["run", "--acme", f"http://127.0.0.1:{server.port}/", "--http01-port", str(port)]
        done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 3, done.output
    assert f"http-01: the examiner cannot listen at 127.0.0.1:{port}: Address already in use" in done.output


DEVIATIONS = sorted((Path(expected.__file__).parent / "deviations").glob("*.toml"))


@pytest.mark.parametrize("file", DEVIATIONS, ids=lambda file: file.stem)
def test_what_a_peer_does_otherwise_is_said_of_a_case_with_a_reason_and_a_link(file):
    for id, entry in expected.read(file).items():
        assert fnmatch.filter(load(), id), id
        assert entry.reason, id
        # What follows from another deviation may be said without one.
        assert entry.link.startswith("https://") or entry.verdict is Verdict.INCONCLUSIVE, id
        assert entry.verdict not in (Verdict.PASS, Verdict.ERROR), id
