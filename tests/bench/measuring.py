"""What the benches share: servers as processes, their CPU time from /proc, windows in turn (A B A B), and the tables of the README.

A bench says how its servers are started and what one client does, and gives both to :func:`main`::

    class Session:                                   # one client, with what it keeps: a connection, an account, CSRs made beforehand
        def __init__(self, server: Server) -> None: ...
        def operate(self) -> int: ...                # one whole operation; how many requests it took. Raises Stalled.
        def close(self) -> None: ...

    def ours(directory: Path, root: Path, arguments: argparse.Namespace) -> Server:
        server = start_privca(directory, PROFILE, root=root, workers=arguments.workers)
        server.url = f"{server.base}/.well-known/est/bench"     # where the sessions go: any text that they understand
        return server

    def peer(directory: Path, arguments: argparse.Namespace) -> Server | None:     # None, after a printed line, if it is not there
        ...
        return Server("libest", process, url, trust)

    if __name__ == "__main__":
        sys.exit(main(Bench("enrollment", Session, ours, {"libest": peer}), argparse.ArgumentParser(description=__doc__)))

Options of every bench: ``--clients 1,8,32 --seconds 10 --rounds 2 --only NAME --workers 1 --minutes M`` (endurance of this server alone)
and, measured in turn with this one, ``--tree PATH``: another work tree of this project, which shows what a change gave, and ``--python PATH``:
this server under another interpreter.

The figure that holds is CPU time: user and system time of all processes of the server, divided by the operations that were completed.
Throughput is a lower bound, since client and server share the machine. Whatever the client needs (keys, CSRs, accounts) is made, and
the server warmed, before the clock starts; a window without a completed operation has no figure.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 15.0
"""Seconds without a reply after which a request counts as failed and its client as stalled."""
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


_interpreter = ContextVar("interpreter", default=sys.executable)
"""The Python that our server runs under."""


class Stalled(Exception):
    """No reply in time, no reply that the protocol allows, or a refusal."""


# -- the servers -----------------------------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """A server under test: its processes and where they listen. ``trust`` is the file with the root of its TLS certificate, ``base``
    is ``https://host:port``, ``endpoints`` is what our ``endpoints.json`` says (empty for peers)."""

    name: str
    process: subprocess.Popen[bytes]
    url: str = ""
    trust: Path = Path()
    base: str = ""
    endpoints: dict[str, Any] = field(default_factory=dict)

    def pids(self) -> list[int]:
        """The process and its descendants."""
        found = [self.process.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def cpu(self) -> tuple[float, float]:
        """User and system time of all processes so far, in seconds."""
        user = system = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                user += int(fields[11])
                system += int(fields[12])
        return user / CLOCK_TICKS, system / CLOCK_TICKS

    def memory(self) -> float:
        """Memory of all processes that is their own, in MB; pages of the database file that are mapped are not."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/status").read_text()
                total += int(text.partition("RssAnon:")[2].split()[0])
        return total * 1024 / 1e6

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_privca(directory: Path, profiles: str, *, root: Path = ROOT, workers: int = 1) -> Server:
    """``privca up`` in a fresh directory, with profiles in TOML beside those of the lab (none if empty). Returns once it listens.

    :param root: the work tree whose code runs.
    """
    lab = directory / "lab"
    command = [_interpreter.get(), "-m", "privca"]
    ports = [f"--{name}-port=0" for name in ("https", "http", "admin", "resolver")]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with open(directory / "privca.log", "wb") as log:
        process = subprocess.Popen(
            [*command, "up", "--dir", str(lab), *ports, f"--workers={workers}"],
            cwd=root,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    endpoints = lab / "endpoints.json"
    await_start(endpoints.exists, process, directory / "privca.log")
    if profiles:
        (directory / "bench.toml").write_text(profiles)
        apply = [*command, "profile", "apply", str(directory / "bench.toml"), "--dir", str(lab)]
        subprocess.run(apply, cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)
    known = json.loads(endpoints.read_text())
    base = "/".join(known["profiles"][0]["url"].split("/")[:3])
    return Server("privca", process, base, Path(known["trust_anchor"]), base, known)


def start_peer(name: str, command: list[str], directory: Path, **variables: str) -> Server:
    """A peer's process, with more environment variables; its output goes to ``NAME.log``. Wait with :func:`await_start`."""
    with open(directory / f"{name}.log", "wb") as log:
        process = subprocess.Popen(command, cwd=directory, env={**os.environ, **variables}, stdout=log, stderr=subprocess.STDOUT)
    return Server(name, process)


def await_start(there: Callable[[], Any], process: subprocess.Popen[bytes], log: Path) -> None:
    """Ask again until it is there, for half a minute. :raises SystemExit: with the end of the log."""
    pause = threading.Event()
    for _ in range(150):
        if there():
            return
        if process.poll() is not None:
            break
        pause.wait(0.2)
    raise SystemExit(f"the server did not start:\n{log.read_text()[-2000:]}")


def free_port() -> int:
    """A TCP port of the loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


# -- measuring -------------------------------------------------------------------------------------------------------------------------


class Session(Protocol):
    """One client that does the same operation again and again."""

    def operate(self) -> int:
        """One whole operation; how many requests it took. :raises Stalled:"""

    def close(self) -> None:
        """Let the connection go."""


@dataclass
class Measured:
    """What one window showed; windows of one row are added up. Times in seconds."""

    done: int = 0
    requests: int = 0
    wall: float = 0.0
    user: float = 0.0
    system: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """User and system time together."""
        return self.user + self.system

    @property
    def cost(self) -> float:
        """CPU ms per operation."""
        return 1000 * self.cpu / max(self.done, 1)

    def add(self, other: Measured) -> None:
        """Take another window in."""
        self.done += other.done
        self.requests += other.requests
        self.wall += other.wall
        self.user += other.user
        self.system += other.system
        self.latencies += other.latencies
        self.errors += other.errors

    def row(self, clients: int, server: str) -> str:
        """A line of the README's table."""
        if not self.done:
            return f"| {clients} | {server} | - | - | - | - | - | {len(self.errors)} |"
        sorted_ = sorted(self.latencies)
        p50, p99 = (1000 * sorted_[min(len(sorted_) - 1, int(len(sorted_) * share))] for share in (0.5, 0.99))
        return (
            f"| {clients} | {server} | {self.cost:.2f} | {self.done / self.wall:.0f} | {p50:.1f} | {p99:.1f} "
            f"| {self.done} | {len(self.errors)} |"
        )


def head(operation: str) -> str:
    """The first lines of a table of :meth:`Measured.row`."""
    return (
        f"| clients | server | CPU ms per {operation} | {operation}s/s | p50 ms | p99 ms | {operation}s | errors |\n"
        f"|{' --- |' * 8}"
    )


def measure(server: Server, connect: Callable[[Server], Session], clients: int, seconds: float) -> Measured:
    """Drive a server with that many concurrent clients, a thread each, for that long."""
    sessions: list[Session] = []
    result = Measured()
    try:
        for _ in range(clients):
            sessions.append(connect(server))
        for session in sessions[:4]:
            session.operate()
    except (Stalled, OSError) as failure:
        result.errors.append(f"{type(failure).__name__}: {failure}")
        return result
    gate = threading.Barrier(clients + 1)
    lock = threading.Lock()
    until, last = 0.0, [0.0]

    def drive(session: Session) -> None:
        gate.wait()
        done, taken, ended, latencies, errors = 0, 0, 0.0, [], []
        while time.perf_counter() < until:
            began = time.perf_counter()
            try:
                taken += session.operate()
            except (Stalled, OSError, KeyError, ValueError) as failure:
                errors.append(f"{type(failure).__name__}: {failure}")
                break
            done += 1
            ended = time.perf_counter()
            latencies.append(ended - began)
        with lock:
            result.add(Measured(done, taken, latencies=latencies, errors=errors))
            # Not the time that a stalled client waited for nothing.
            last[0] = max(last[0], ended)

    threads = [threading.Thread(target=drive, args=(session,), daemon=True) for session in sessions]
    for thread in threads:
        thread.start()
    (user, system), started = server.cpu(), time.perf_counter()
    until = started + seconds
    gate.wait()
    for thread in threads:
        thread.join()
    result.wall = max(last[0] - started, 0.001)
    ended_user, ended_system = server.cpu()
    result.user, result.system = ended_user - user, ended_system - system
    for session in sessions:
        session.close()
    return result


@dataclass(frozen=True)
class Contender:
    """One of those that are compared: how it is started afresh, and how a client of it begins."""

    name: str
    start: Callable[[], Server]
    connect: Callable[[Server], Session]


def compare(operation: str, contenders: list[Contender], counts: list[int], seconds: float, rounds: int) -> None:
    """A B A B for each number of clients; a server that stalls is started again for its next window."""
    running: dict[str, Server] = {}
    rows: list[str] = []
    errors: list[str] = []
    try:
        for clients in counts:
            totals: dict[str, Measured] = {}
            per_round: dict[str, list[float]] = {}
            for _, contender in itertools.product(range(rounds), contenders):
                name = contender.name
                if name not in running:
                    running[name] = contender.start()
                window = measure(running[name], contender.connect, clients, seconds)
                totals.setdefault(name, Measured()).add(window)
                if window.done:
                    per_round.setdefault(name, []).append(window.cost)
                if window.errors:
                    errors += [f"{name}, {clients} clients: {text}" for text in window.errors[:3]]
                    running.pop(name).stop()
            for name, total in totals.items():
                rows.append(total.row(clients, name))
                figures = per_round.get(name, [])
                spread = f"{statistics.median(figures):.2f} ({min(figures):.2f}-{max(figures):.2f})" if figures else "-"
                print(
                    f"# {clients} clients, {name}: CPU ms per {operation}, median of rounds {spread}, "
                    f"{1000 * total.system / max(total.done, 1):.2f} of it in the kernel, "
                    f"{total.requests / max(total.done, 1):.2f} requests per {operation}",
                    flush=True,
                )
    finally:
        for server in running.values():
            server.stop()
    print(f"\n{head(operation)}")
    print("\n".join(rows))
    for text in dict.fromkeys(errors):
        print(f"error: {text}")


def endure(operation: str, server: Server, connect: Callable[[Server], Session], clients: int, minutes: float) -> int:
    """One server for minutes on end, a line a minute; how many errors there were."""
    total = Measured()
    print(f"| minute | {operation}s | CPU ms per {operation} | {operation}s/s | p99 ms | memory MB | errors |\n|{' --- |' * 7}")
    left = minutes * 60
    for minute in itertools.count(1):
        window = measure(server, connect, clients, min(60.0, left))
        total.add(window)
        p99 = 1000 * sorted(window.latencies)[int(len(window.latencies) * 0.99)] if window.latencies else 0
        print(
            f"| {minute} | {window.done} | {window.cost:.2f} | {window.done / max(window.wall, 1):.0f} "
            f"| {p99:.0f} | {server.memory():.0f} | {len(window.errors)} |",
            flush=True,
        )
        left -= 60
        if left <= 0 or server.process.poll() is not None:
            break
    print(f"\n{head(operation)}\n{total.row(clients, server.name)}")
    for text in dict.fromkeys(total.errors[:10]):
        print(f"error: {text}")
    return len(total.errors)


# -- the command line ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bench:
    """What a bench measures: the name of one operation, its client, our server, and peers by name; see the module's text."""

    operation: str
    session: Callable[[Server], Session]
    ours: Callable[[Path, Path, argparse.Namespace], Server]
    peers: Mapping[str, Callable[[Path, argparse.Namespace], Server | None]] = field(default_factory=dict)


def main(bench: Bench, parser: argparse.ArgumentParser) -> int:
    """Add the options of every bench to those of ``parser``, and measure. Returns the exit status."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", choices=["privca", *bench.peers], help="measure one alone")
    parser.add_argument("--clients", default="1,8,32", help="numbers of concurrent clients (default: 1,8,32)")
    parser.add_argument("--seconds", type=float, default=10, help="length of a window (default: 10)")
    parser.add_argument("--rounds", type=int, default=2, help="windows for each server and number of clients (default: 2)")
    parser.add_argument("--minutes", type=float, help="endurance: this server alone, that long")
    parser.add_argument("--workers", type=int, default=1, help="processes of this server (default: 1)")
    parser.add_argument("--tree", type=Path, action="append", default=[], help="another work tree, measured in turn (repeatable)")
    parser.add_argument("--python", action="append", default=[], help="another interpreter for this server (repeatable)")
    arguments = parser.parse_args()
    counts = [int(text) for text in arguments.clients.split(",")]
    print(f"# Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, {os.cpu_count()} CPUs, {_cpu_name()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as text:
        directory = Path(text)

        def ours(root: Path, python: str = sys.executable) -> Server:
            _interpreter.set(python)
            return bench.ours(Path(tempfile.mkdtemp(dir=directory)), root.resolve(), arguments)

        if arguments.minutes:
            server = ours(ROOT)
            try:
                return 1 if endure(bench.operation, server, bench.session, counts[-1], arguments.minutes) else 0
            finally:
                server.stop()
        contenders = []
        if arguments.only in (None, "privca"):
            contenders.append(Contender("privca", partial(ours, ROOT), bench.session))
            contenders += [Contender(f"privca of {tree}", partial(ours, tree), bench.session) for tree in arguments.tree]
            contenders += [
                Contender(f"privca, {python}", partial(ours, ROOT, python), bench.session) for python in arguments.python
            ]
        for name, start in bench.peers.items():
            if arguments.only in (None, name):
                first = start(Path(tempfile.mkdtemp(dir=directory)), arguments)
                if first is not None:
                    contenders.append(_peer(name, first, start, directory, arguments, bench.session))
        compare(bench.operation, contenders, counts, arguments.seconds, arguments.rounds)
    return 0


def _peer(
    name: str,
    first: Server,
    start: Callable[[Path, argparse.Namespace], Server | None],
    directory: Path,
    arguments: argparse.Namespace,
    connect: Callable[[Server], Session],
) -> Contender:
    """A peer that runs already, since only its start tells whether it is there."""
    waiting = [first]

    def again() -> Server:
        server = waiting.pop() if waiting else start(Path(tempfile.mkdtemp(dir=directory)), arguments)
        if server is None:
            raise SystemExit(f"{name} does not start again")
        return server

    return Contender(name, again, connect)


def program(given: Path | None, name: str) -> Path | None:
    """The path of a peer's program: what was given, or what PATH has."""
    found = given or shutil.which(name)
    return Path(found) if found else None


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown CPU"
