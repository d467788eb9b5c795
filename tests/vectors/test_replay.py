"""Every vector is as its schema and its neighbours have it, is answered as it says, and, where it is generated, comes out the same again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from click.testing import CliRunner

import vectors
from vectors import cli, generator, harness, linting, loader, reading, replaying

CONSUMERS = loader.HERE / "consumers"


def run(*arguments: str):
    return CliRunner().invoke(cli.main, arguments)


@pytest.fixture(scope="module")
def server():
    with harness.Harness() as running:
        yield running


def test_every_vector_holds_together() -> None:
    assert [f"{path.name}: {fault}" for path in linting.everything() for fault in linting.faults(path)] == []


@pytest.mark.parametrize("kind", replaying.KINDS)
def test_every_request_is_answered_as_its_vector_says(server, kind) -> None:
    chosen = replaying.chosen((), (kind,))
    assert len(chosen) > 40
    found = {one.vector.id: one.fault or one.unsupported for one in replaying.replay(server, chosen)}
    assert {id: fault for id, fault in found.items() if fault} == {}


def test_every_recorded_request_says_what_is_answered() -> None:
    silent = [one.id for kind in replaying.KINDS for one in vectors.requests(kind) if one.answer is None]
    assert silent == []


def test_generated_vectors_come_out_the_same_again(server) -> None:
    files = generator.generated(server)
    assert len(files) > 100
    assert generator.differences(files) == {}


def test_a_generated_vector_that_was_changed_or_is_too_many_is_noticed(tmp_path, monkeypatch) -> None:
    for kind in ("acme", "est", "scep", "cmp"):
        (tmp_path / kind).mkdir()
    same = {"id": "est.generated.x", "octets": "AA==", "match": "octets"}
    varying = {"id": "est.generated.y.reply", "octets": "AA==", "match": "answer"}
    for one in (same, varying, {"id": "cmp.generated.gone"}):
        (tmp_path / one["id"].partition(".")[0] / f"{one['id']}.json").write_text(json.dumps(one))
    monkeypatch.setattr(loader, "HERE", tmp_path)
    files = {
        "est/est.generated.x.json": json.dumps(same | {"octets": "AQ=="}),
        "est/est.generated.y.reply.json": json.dumps(varying | {"octets": "AQ=="}),
        "est/est.generated.new.json": "{}",
    }
    found = generator.differences(files)
    assert {Path(name).stem: fault for name, fault in found.items()} == {
        "est.generated.x": "differs",
        "est.generated.new": "is missing",
        "cmp.generated.gone": "is generated no more",
    }
    generator.write(files)
    assert generator.differences(files) == {}


ANSWERING = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "begin" in asked:
        print(json.dumps({begin}), flush=True)
    else:
        print(json.dumps({{"reply": {{"status": 500, "fields": [], "body": ""}}}}), flush=True)
"""


@pytest.mark.parametrize(
    ("begin", "status", "said"),
    [
        ('{"ready": True}', 1, "expected granted (HTTP 200), got refused (HTTP 500)"),
        ('{"unsupported": "no SCEP here"}', 0, "1 unsupported"),
        ('"no object"', 3, "the harness failed"),
    ],
    ids=["answers wrongly", "says that it cannot", "does not speak the protocol"],
)
def test_another_harness_is_judged_by_what_it_answers(tmp_path, begin, status, said) -> None:
    script = tmp_path / "harness.py"
    script.write_text(ANSWERING.format(begin=begin))
    done = run("replay", "-k", "scep.sscep.pkcsreq-get", "--harness", f"{sys.executable} {script}")
    assert done.exit_code == status, done.output
    assert said in " ".join(done.output.split())


def test_a_harness_that_is_not_there_or_ends_is_its_own_failure() -> None:
    assert run("replay", "-k", "scep.*", "--harness", "/no/such/program").exit_code == 3
    assert run("replay", "-k", "scep.sscep.getcacaps", "--harness", "true").exit_code == 3
    assert run("replay", "-k", "nothing.like.this").exit_code == 5


def test_a_reply_that_is_the_same_each_time_is_compared_octet_for_octet(server) -> None:
    vector = loader.find("cmp.generated.ir-bad-version")
    reply = replaying.answers(server, vector)
    assert replaying.fault_of(vector, reply) == ""
    other = harness.Reply(reply.status, reply.fields, reply.body[:-1] + bytes([reply.body[-1] ^ 1]))
    assert "octets" in replaying.fault_of(vector, other)


def test_our_harness_says_which_protocols_it_has(server) -> None:
    with pytest.raises(harness.Unsupported, match="acme, est, scep, cmp"):
        server.begin({"protocol": "xmpp", "now": "2026-01-02T03:04:05Z", "seed": "00", "ca": {"key": "", "certificate": ""}})


def test_what_a_reply_says_is_read_from_its_octets_alone() -> None:
    assert reading.read("est", "/.well-known/est/simpleenroll", 202, b"") == reading.Answer("waits", 202)
    assert (
        reading.read("acme", "/x/new-order", 403, b'{"type":"urn:ietf:params:acme:error:unauthorized"}').error == "unauthorized"
    )
    denied = loader.find("cmp.openssl.ir-wrong-secret.reply")
    assert reading.read("cmp", "", 200, denied.octets).outcome == "refused"
    with pytest.raises(ValueError, match="ends"):
        reading.read("cmp", "", 200, b"\x30")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": "scep.other.id"}, "named otherwise"),
        ({"kind": "est"}, "differ"),
        ({"needs": ["no-such.key"]}, "no-such.key"),
        ({"situation": "nowhere"}, "no situation nowhere"),
        ({"after": "scep.no.such"}, "no vector scep.no.such"),
        ({"mutation": {"offset": 0, "from": "00", "to": "01"}}, "is not scep.generated.pkcsreq"),
        ({"verdict": "splendid"}, "splendid"),
    ],
    ids=["ID", "kind", "key", "situation", "predecessor", "mutation", "schema"],
)
def test_lint_finds_what_does_not_hold_together(tmp_path, change, fault) -> None:
    source = loader.HERE / "scep" / "scep.generated.pkcsreq-bad-signature.json"
    (tmp_path / "scep").mkdir()
    shutil.copy(loader.HERE / "scep" / "scep.generated.pkcsreq.json", tmp_path / "scep")
    path = tmp_path / "scep" / source.name
    path.write_text(json.dumps(json.loads(source.read_text()) | change))
    done = run("lint", str(path))
    assert done.exit_code == 1
    assert fault in done.output


def test_a_transcript_becomes_vectors(tmp_path) -> None:
    head = "POST /acme/lab-acme/new-order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2"
    exchange = {
        "protocol": "acme",
        "profile": "lab-acme",
        "outcome": "order made",
        "facts": {},
        "request": {"head": {"text": head}, "body": {"base64": b64encode(b"{}").decode()}},
        "reply": {"head": {"text": "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"}, "body": {"text": ""}},
    }
    secret = {
        **exchange,
        "request": {"head": {"text": head + "\r\nAuthorization: [redacted authorization, 12 octets]"}, "body": {"text": "{}"}},
    }
    other = {**exchange, "profile": "lab-acme-eab"}
    transcript = tmp_path / "server.jsonl"
    transcript.write_text("".join(json.dumps(one) + "\n" for one in (exchange, secret, other)))
    done = run(
        "record", str(transcript), "--client", "lego", "--version", "4.35", "--profile", "lab-acme", "--out", str(tmp_path)
    )
    assert done.exit_code == 0, done.output
    made = sorted((tmp_path / "acme").glob("*.json"))
    assert [path.name for path in made] == [
        "acme.lego.01-new-order.json",
        "acme.lego.01-new-order.reply.json",
        "acme.lego.02-new-order.json",
        "acme.lego.02-new-order.reply.json",
    ]
    assert [fault for path in made for fault in linting.faults(path)] == []
    assert b64decode(json.loads(made[1].read_text())["octets"]) == b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
    assert [json.loads(path.read_text())["fidelity"] for path in made[::2]] == ["octets", "start line and body"]


def test_a_message_in_a_file_becomes_a_vector(tmp_path, monkeypatch) -> None:
    control = loader.find("cmp.openssl.rr").octets
    message = tmp_path / "message.der"
    message.write_bytes(control[:-1] + b"\0")
    for kind in ("cmp", "keys", "situations"):
        (tmp_path / kind).symlink_to(loader.HERE / kind) if kind != "cmp" else shutil.copytree(
            loader.HERE / kind, tmp_path / kind
        )
    shutil.copy(loader.HERE / "schema.json", tmp_path)
    monkeypatch.setattr(loader, "HERE", tmp_path)
    told = ("--client", "ours", "--version", "1", "--operation", "rr", "--comment", "The last octet is another one.")
    done = run(
        "new", "cmp.ours.rr", "--octets", str(message), *told, "--control", "cmp.openssl.rr", "--clause", "RFC 9810 section 5.1.3"
    )
    assert done.exit_code == 0, done.output
    assert list(linting.faults(tmp_path / "cmp" / "cmp.ours.rr.json")) == []
    assert run("new", "x.ours.rr", "--octets", str(message), *told).exit_code == 2
    assert run("new", "cmp.ours.rr", "--octets", str(message), *told, "--control", "cmp.no.such", "--clause", "x").exit_code == 2


def needs(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"no {' and no '.join(missing)} on this machine")


def test_jq_and_openssl_read_the_vectors() -> None:
    needs("jq", "openssl")
    done = subprocess.run(["sh", CONSUMERS / "check.sh"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert " 0 wrong" in done.stdout


def test_jq_and_openssl_notice_a_vector_that_is_not_what_it_says(tmp_path) -> None:
    needs("jq", "openssl")
    for kind in ("pkcs10", "scep"):
        (tmp_path / kind).mkdir()
    case = json.loads((loader.HERE / "pkcs10" / "pkcs10.generated.signature-last-bit.json").read_text())
    (tmp_path / "pkcs10" / "x.json").write_text(json.dumps(case | {"verdict": "valid"}))
    done = subprocess.run(["sh", CONSUMERS / "check.sh", tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "expected verified, got refused" in done.stdout


def test_node_answers_with_recorded_replies() -> None:
    needs("node")
    command = ["node", CONSUMERS / "replay-server.mjs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            url = node.stdout.readline().split()[0]
            by_id = urllib.request.urlopen(f"{url}est.estclient.cacerts/.well-known/est/cacerts", timeout=20)
            assert by_id.read() == vectors.http.parse(loader.find("est.estclient.cacerts.reply").octets).body
            message = vectors.http.parse(loader.find("scep.sscep.pkcsreq-post-default").octets)
            posted = urllib.request.Request(url.rstrip("/") + message.target, message.body, method="POST")
            with urllib.request.urlopen(posted, timeout=20) as reply:
                recorded = vectors.http.parse(loader.find("scep.sscep.pkcsreq-post-default.reply").octets)
                assert reply.read() == recorded.body
            request = urllib.request.Request(url + "pkix/", loader.find("cmp.openssl.rr").octets, method="POST")
            with urllib.request.urlopen(request, timeout=20) as reply:
                assert reply.read() == loader.find("cmp.openssl.rr.reply").octets
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{url}nothing", timeout=20)
        finally:
            node.terminate()
