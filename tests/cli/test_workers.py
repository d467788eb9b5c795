"""Several worker processes: they share the sockets and the store, are replaced when they die, and never outlive their parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from privca.config import Config
from privca.workers import DEATHS, Task, TooManyDeathsError, Workers
from tests.support.running import ENVIRONMENT, PATIENCE, Running, free_port


def until(happened: Callable[[], bool]) -> None:
    """Look ten times a second whether it happened."""
    pause = threading.Event()
    for _ in range(int(PATIENCE * 10)):
        if happened():
            return
        pause.wait(0.1)
    raise AssertionError("it never happened")


def gone(pid: int) -> bool:
    """Whether a process has ended; a child of nobody may remain as a zombie where nobody reaps it."""
    try:
        return ") Z" in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def test_workers_serve_one_store_and_stop_with_the_parent(up: Callable[..., Running]) -> None:
    port = free_port()
    running = up("--workers", "2", "--http01-port", str(port))
    assert running.endpoints()["pid"] == running.process.pid
    assert len(running.workers()) == 2
    assert running.process.pid not in running.workers()
    for _ in range(2):
        # A new connection for each request: they are spread over the workers, and nonces and accounts must be known to both.
        enrolled = subprocess.run(
            [
                sys.executable, "-m", "conformance", "issue", "--acme", running.profile()["url"], "--ca", str(running.directory / "ca.pem"),
                "--names", "www.example.test", "--http01-port", str(port),
            ],
            capture_output=True, text=True, env=ENVIRONMENT, timeout=PATIENCE,
        )  # fmt: skip
        assert enrolled.returncode == 0, enrolled.stdout + enrolled.stderr
    assert running.stop() == 0
    assert all(gone(pid) for pid in running.workers())
    assert "worker killed" not in running.log.read_text()
    assert "level=error" not in running.log.read_text()


def test_what_all_workers_count_is_added_up(up: Callable[..., Running]) -> None:
    running = up("--workers", "2")
    admin = running.endpoints()["admin"]
    counted = 'privca_requests_total{operation="directory",protocol="acme",status="200"}'

    def ask(count: int) -> None:
        with running.client() as client:
            for _ in range(count):
                assert client.get(running.profile()["url"], headers={"Connection": "close"}).status_code == 200

    ask(20)
    assert f"{counted} 20.0\n" in httpx.get(f"{admin}/metrics").text
    # What a worker that is gone has counted stays.
    os.kill(running.workers()[0], signal.SIGKILL)
    until(lambda: len(running.workers()) == 3)
    ask(5)
    text = httpx.get(f"{admin}/metrics").text
    assert f"{counted} 25.0\n" in text
    assert 'privca_request_seconds_count{operation="directory",protocol="acme"} 25.0\n' in text


def test_a_worker_that_dies_is_replaced(up: Callable[..., Running]) -> None:
    running = up("--workers", "2")
    # Both, so that who answers is one that took the place of another.
    for victim in running.workers():
        os.kill(victim, signal.SIGKILL)
    until(lambda: len(running.workers()) == 4)
    with running.client() as client:
        for _ in range(4):
            assert client.get(running.profile()["url"], headers={"Connection": "close"}).status_code == 200
    assert running.stop(signal.SIGINT) == 0
    assert all(gone(pid) for pid in running.workers())


def test_kill_9_of_the_parent_leaves_no_worker_and_no_port_behind(up: Callable[..., Running]) -> None:
    running = up("--workers", "2")
    port = int(running.origin().rpartition(":")[2])
    running.stop(signal.SIGKILL)
    until(lambda: all(gone(pid) for pid in running.workers()))
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
        again.listen()
    assert up("--workers", "2").profile()["url"]


def test_workers_that_die_at_once_stop_the_server(tmp_path: Path) -> None:
    said: list[str] = []
    # A descriptor that is no socket: every worker fails to start.
    with (tmp_path / "no-socket").open("w") as file:
        task = Task(config=Config(path=tmp_path / "privca.toml"), number=0, https=(file.fileno(),), http=())
        workers = Workers(1, task, lambda event, **_: said.append(event), {})
        try:
            with pytest.raises(TooManyDeathsError):
                until(lambda: workers.tend() is not None)
        finally:
            workers.stop()
    assert said.count("worker died") == DEATHS + 1
    assert said.count("worker started") == DEATHS + 1


def test_a_worker_runs_nothing_that_lies_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "click.py").write_text("open('planted', 'w')")
    monkeypatch.chdir(tmp_path)
    workers = Workers(
        1, Task(config=Config(path=tmp_path / "privca.toml"), number=0, https=(), http=()), lambda *_, **__: None, {}
    )
    try:
        until(lambda: bool(workers.missing()))  # there is no store to open
    finally:
        workers.stop()
    assert not (tmp_path / "planted").exists()


def test_a_task_survives_the_way_to_the_worker(tmp_path: Path) -> None:
    task = Task(config=Config(path=tmp_path / "privca.toml"), number=3, https=(5, 6), http=(7,))
    assert Task.decode(task.encode()) == task
