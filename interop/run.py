"""A run: workers in namespaces, one row for each task, and the verdict on the whole."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from interop import servers
from interop.engines import Engine, Unavailable
from interop.launching import Launched, launch
from interop.namespaces import Network
from interop.probes import PROBES
from interop.results import EngineReport, Results, Row
from interop.scenarios import SCENARIOS
from interop.tasks import Reply, Setup, Task
from interop.verdict import apply_controls


class HarnessError(Exception):
    """The harness itself failed: no verdict on anything."""


class Worker:
    """A worker process. It ends when its input is closed, and everything in its namespaces with it."""

    def __init__(self, server: str, folder: Path, out: Path, network: Network) -> None:
        argv = [*network.worker(), sys.executable, "-m", "interop.worker"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self._send(Setup(server, str(folder), str(out), network.owner, network.run))

    def _send(self, what: Setup | Task | Launched) -> None:
        if self._process.stdin is None:
            raise HarnessError("a worker has no input")
        self._process.stdin.write(msgspec.json.encode(what) + b"\n")
        self._process.stdin.flush()

    def reply(self) -> Reply:
        """The next line. :raises HarnessError: if there is none, or it tells of an error."""
        if self._process.stdout is None or not (line := self._process.stdout.readline()):
            raise HarnessError("a worker ended without a word; see above")
        reply = msgspec.json.decode(line, type=Reply)
        if reply.error:
            raise HarnessError(reply.error)
        return reply

    def carry_out(self, task: Task) -> Row:
        """Have one task done; what belongs on the machine itself is run here meanwhile."""
        self._send(task)
        while True:
            reply = self.reply()
            if reply.launch is not None:
                self._send(launch(reply.launch))
            elif reply.row is None:
                raise HarnessError("a worker answered a task with no row")
            else:
                return reply.row

    def close(self) -> None:
        """Let it stop its server and end."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def carry_out(tasks: Sequence[Task], ladder: Sequence[Engine], target: str, workers: int, out: Path) -> Iterator[Row]:
    """Rows as they are found out, with places from the engines of a ladder. :raises HarnessError:"""
    if not tasks:
        return
    modes = {task.mode for task in tasks}
    # Who works in containers needs a network of theirs, and everybody else can be in there, too.
    networks = next(engine.networks for engine in ladder if engine.name in modes)
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    found: queue.SimpleQueue[Row | HarnessError | None] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)

    with tempfile.TemporaryDirectory(prefix="privca-interop-") as temporary:

        def work(number: int) -> None:
            try:
                with (
                    networks() as network,
                    contextlib.closing(Worker(target, Path(temporary) / str(number), out, network)) as worker,
                ):
                    worker.reply()
                    with contextlib.suppress(queue.Empty):
                        while True:
                            found.put(worker.carry_out(waiting.get_nowait()))
            except (HarnessError, Unavailable, BrokenPipeError, msgspec.DecodeError) as error:
                found.put(HarnessError(str(error)))
            finally:
                found.put(None)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(min(workers, len(tasks)))]
        for thread in threads:
            thread.start()
        failure, ended = None, 0
        try:
            while ended < len(threads):
                match found.get():
                    case None:
                        ended += 1
                    case HarnessError() as error:
                        failure = error
                        _empty(waiting)
                    case Row() as row:
                        yield row
        finally:
            # However this ends, workers finish what they have and no more.
            _empty(waiting)
            for thread in threads:
                thread.join()
        if failure is not None:
            raise failure


def _empty(waiting: queue.SimpleQueue[Task]) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            waiting.get_nowait()


def reports(ladder: Sequence[Engine]) -> tuple[EngineReport, ...]:
    """Which engines work here, and why others do not."""
    found = []
    for engine in ladder:
        try:
            engine.ready()
            found.append(EngineReport(engine.name, ""))
        except Unavailable as unavailable:
            found.append(EngineReport(engine.name, str(unavailable)))
    return tuple(found)


def conclude(rows: Sequence[Row], order: Sequence[str], **about: object) -> Results:
    """The whole, with rows in a steady order and controls applied."""
    place = {id: index for index, id in enumerate([*PROBES, *order])}
    ordered = sorted(apply_controls(rows, SCENARIOS, PROBES), key=lambda row: (row.client, place[row.scenario]))
    return msgspec.convert({"schema": 1, **about, "rows": ordered}, Results, from_attributes=True)


def server_version(target: str) -> str:
    """The version of the server under test. :raises HarnessError: if it is not there."""
    try:
        return servers.SERVERS[target].version()
    except servers.ServerError as error:
        raise HarnessError(str(error)) from None
