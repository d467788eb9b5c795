"""One run of a driver: whatever it does, the harness says what it was, and shows nothing that is secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from interop import job, namespaces
from interop.declaration import Client, Pypi
from interop.engines.place import HostPlace
from interop.servers.server import Service

ROOT = Path(__file__).parents[2]
ORDER = {
    "protocol": "acme",
    "actions": ["issue"],
    "names": ["a.test"],
    "challenge": "http-01",
    "key": "ec256",
    "reason": "unspecified",
}
SECRET = "hunter2hunter2"


@pytest.fixture
def drive(tmp_path: Path):
    """Run a driver that is one Python expression or statement; ``folder`` is its job's folder."""

    def run(program: str, seconds: float = 30) -> job.Done:
        (tmp_path / "ca.pem").write_text("CA")
        client = Client(
            name="x",
            title="X",
            protocols=("acme",),
            driver=("{python}", "-c", f"import json, sys; folder = sys.argv[1].removesuffix('/job.json'); {program}"),
            version=("x",),
            trust="X_CA",
            pypi=Pypi(requirement="x"),
        )
        service = Service("https://ca.test", tmp_path / "ca.pem", "", "", {"kid": "k", "hmac_key": SECRET})
        return job.run(client, HostPlace(""), service, ORDER, tmp_path / "job", patience=seconds, grace=0)

    return run


RESULT = "json.dump({'detail': 'd', 'steps': [], 'artefacts': {'issue.certificate': 'artefacts/c.pem'}}, open(folder + '/result.json', 'w'))"


def test_a_driver_that_answers(drive):
    done = drive(f"{RESULT}; sys.exit(1)")
    assert (done.status, done.detail, done.artefacts) == (1, "d", {"issue.certificate": "artefacts/c.pem"})


@pytest.mark.parametrize("program", ["pass", "sys.exit(1)", "open(folder + '/result.json', 'w').write('{}')", "1/0"])
def test_a_driver_without_a_result_is_an_error_whatever_its_exit_status(drive, program):
    assert drive(program).status == -1


def test_a_driver_that_never_ends(drive):
    done = drive("import threading; threading.Event().wait()", seconds=1)
    assert done.status == 124
    assert "no answer" in done.detail


def test_only_what_may_be_shown_is_published(drive, tmp_path):
    done = drive(f"{RESULT}; print('hello')")
    artefacts = tmp_path / "job" / "artefacts"
    artefacts.mkdir()
    for name in ("issue.certificate.pem", "issue.key.pem", "account.key", "account.key.json", "account.url.txt"):
        (artefacts / name).write_text(SECRET if "key" in name else "shown")
    (tmp_path / "job" / "transcript.jsonl").write_text("{}")
    left = {path.stem: f"artefacts/{path.name}" for path in artefacts.iterdir()}
    job.publish(tmp_path / "job", tmp_path / "out", left)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "driver.txt",
        "transcript.jsonl",
        "issue.certificate.pem",
        "account.url.txt",
    }
    assert not [path for path in (tmp_path / "out").iterdir() if SECRET in path.read_text()]
    assert done.status == 0


def test_a_workers_network_has_nothing_but_lo():
    if reason := namespaces.why_not():
        pytest.skip(reason)
    program = (
        "import socket; from interop.namespaces import bring_lo_up; bring_lo_up(); "
        "one = socket.create_server(('127.0.0.1', 80)); socket.create_connection(('127.0.0.1', 80)).close(); "
        "print(*(name for _, name in socket.if_nameindex()))"
    )
    argv = [*namespaces.unshare(*namespaces.WORKER), sys.executable, "-c", program]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.split(), done.stderr) == (["lo"], "")
