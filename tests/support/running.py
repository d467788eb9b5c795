"""A server as a real process in a directory of its own, and commands on it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner

from privca.cli.main import main

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60.0
ANY_PORTS = ("--https-port", "0", "--http-port", "0", "--admin-port", "0", "--resolver-port", "0")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}


def privca(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "privca", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT,
        timeout=PATIENCE,
    )


def quickly(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same without a process of its own: for commands that start nothing."""
    done = CliRunner().invoke(main, [*map(str, arguments)], prog_name="privca")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess([*map(str, arguments)], done.exit_code, done.stdout, done.stderr)


@dataclass
class Running:
    """A server that was started."""

    directory: Path
    process: subprocess.Popen[str]
    log: Path
    said: list[str] = field(default_factory=list)

    def endpoints(self) -> dict[str, Any]:
        return json.loads((self.directory / "endpoints.json").read_text())

    def profile(self, id: str = "lab-acme") -> dict[str, Any]:
        return next(p for p in self.endpoints()["profiles"] if p["id"] == id)

    def client(self) -> httpx.Client:
        return httpx.Client(verify=ssl.create_default_context(cafile=str(self.directory / "ca.pem")), timeout=PATIENCE)

    def origin(self) -> str:
        return str(self.profile()["url"]).partition("/acme/")[0]

    def workers(self) -> list[int]:
        """Process IDs of all workers that it ever started."""
        return [int(pid) for pid in re.findall(r'event="worker started" .*?worker=(\d+)', self.log.read_text())]

    def kill(self) -> None:
        """``kill -9`` for the server and its workers, who would else finish in peace what they have begun."""
        self.stop(signal.SIGKILL)
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def start(directory: Path, *arguments: str, command: str = "up", until: str = "Ctrl-C") -> Running:
    """Start a server; it is ready when it has said ``until``."""
    log = directory.parent / f"{directory.name}.log"
    with log.open("a") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "privca", command, *arguments],
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            env=ENVIRONMENT,
            cwd=directory.parent,
        )
    running = Running(directory, process, log)
    # What hangs fails instead.
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    assert process.stdout is not None
    try:
        for line in process.stdout:
            running.said.append(line)
            if until in line:
                return running
    finally:
        guard.cancel()
    raise AssertionError(f"not ready: {''.join(running.said)}\n{log.read_text()}")


@contextlib.contextmanager
def lab(directory: Path, *arguments: str) -> Iterator[Running]:
    running = start(directory, "--dir", str(directory), *ANY_PORTS, *arguments)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait(PATIENCE)
        assert running.process.stdout is not None
        running.process.stdout.close()


def free_port() -> int:
    """A port that nobody listens on now, below those that connections are given by the system: none of them takes it meanwhile."""
    while True:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", random.randrange(20000, 32768)))
            return int(one.getsockname()[1])
