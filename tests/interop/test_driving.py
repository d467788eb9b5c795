"""The driver protocol, run with small programs in place of clients."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DRIVER = """
import sys
from pathlib import Path
from interop.clients.driving import ClientFailedError, Driver, main

class One(Driver):
    def noticed(self, printed):
        if "refused" in printed:
            raise ClientFailedError("it was refused")
        return "ready" in printed

    def do_issue(self):
        argv = [sys.executable, "-c", self.job["program"]]
        certificate = Path(self.folder / "home" / "cert.pem")
        match self.job.get("way"):
            case "serve":
                self.serve(argv, lambda printed: self.noticed(printed) and certificate.is_file())
            case "beside":
                with self.beside(argv, certificate.is_file):
                    self.run([sys.executable, "-c", "print('meanwhile')"])
            case _:
                print(self.run(argv, EXTRA="1"))
        self.keep("issue.certificate", Path(self.folder / "home" / "cert.pem"))
        self.note("account.url", "https://ca.test/1")

main(One)
"""
LEAVES = "open('home/cert.pem', 'w').write('C')"


@pytest.fixture
def drive(tmp_path: Path):
    def run(program: str = LEAVES, actions: tuple[str, ...] = ("issue",), **more: object):
        job = {"actions": actions, "program": program, "patience": 20, "credential": None, **more}
        (tmp_path / "job.json").write_text(json.dumps(job))
        argv = [sys.executable, "-c", DRIVER, str(tmp_path / "job.json")]
        done = subprocess.run(argv, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, timeout=60, check=False)
        return done.returncode, json.loads((tmp_path / "result.json").read_text())

    return run


def test_done(drive, tmp_path):
    status, result = drive()
    assert status == 0
    assert (tmp_path / result["artefacts"]["issue.certificate"]).read_text() == "C"
    assert (tmp_path / result["artefacts"]["account.url"]).read_text() == "https://ca.test/1"
    assert [step["exit"] for step in result["steps"]] == [0]


def test_a_client_that_exits_with_an_error(drive):
    status, result = drive("print('first'); print('no way'); raise SystemExit(3)")
    assert (status, result["artefacts"]) == (1, {})
    assert "exited with 3: first / no way" in result["detail"]


def test_a_client_that_says_done_and_leaves_nothing(drive):
    status, result = drive("pass")
    assert status == 1
    assert "left no issue.certificate" in result["detail"]


def test_an_action_that_the_client_lacks_is_known_before_anything_is_done(drive):
    status, result = drive(actions=("issue", "fly"))
    assert (status, result["steps"]) == (77, [])
    assert "fly" in result["detail"]


def test_a_client_that_takes_too_long_is_stopped(drive):
    status, result = drive("import threading; print('waiting', flush=True); threading.Event().wait()", patience=1.5)
    assert status == 1
    assert result["steps"][0]["exit"] == 124


LINGERS = """
import subprocess, sys
lingering = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
open("pid", "w").write(str(lingering.pid))
"""


def test_what_a_client_leaves_running_is_ended(drive, tmp_path):
    assert drive(LINGERS + LEAVES)[0] == 0
    with contextlib.suppress(ProcessLookupError):
        lingering = os.pidfd_open(int((tmp_path / "pid").read_text()))
        assert select.select([lingering], [], [], 20)[0], "it still runs"


STAYS = "import threading; print('ready', flush=True); threading.Event().wait()"


def test_a_service_is_ended_once_it_has_done_it(drive, tmp_path):
    status, result = drive(f"{LEAVES}; {STAYS}", way="serve")
    assert (status, [step["exit"] for step in result["steps"]]) == (0, [0])
    assert "ready" in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize(
    ("program", "patience", "status"), [("print('bye')", 20, 1), ("raise SystemExit(3)", 20, 3), (STAYS, 1.5, 124)]
)
def test_a_service_that_does_not_do_it(drive, program, patience, status):
    exited, result = drive(program, way="serve", patience=patience)
    assert (exited, [step["exit"] for step in result["steps"]]) == (1, [status])


def test_a_service_that_would_go_on_trying_is_ended_when_that_is_noticed(drive):
    status, result = drive(STAYS.replace("ready", "refused"), way="serve")
    assert (status, result["detail"], [step["exit"] for step in result["steps"]]) == (1, "it was refused", [1])


def test_a_program_beside(drive, tmp_path):
    status, result = drive(f"{LEAVES}; {STAYS}", way="beside")
    assert (status, len(result["steps"])) == (0, 1)
    assert "said meanwhile:\nready" in (tmp_path / "log.txt").read_text()


def test_secrets_are_not_in_log_or_result(drive, tmp_path):
    secret = "hunter2hunter2"
    status, _ = drive(f"print('key {secret}'); raise SystemExit(1)", credential={"secrets": [secret]})
    assert status == 1
    for file in ("log.txt", "result.json"):
        assert secret not in (tmp_path / file).read_text()
        assert "[redacted]" in (tmp_path / file).read_text()
