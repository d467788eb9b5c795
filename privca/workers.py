"""Worker processes that serve the parent's listening sockets.

Each inherits the descriptors and gets its task as one line of JSON on standard input, which stays open for as long as the parent
lives: the end of it tells a worker to stop, so that not even a ``kill -9`` of the parent leaves workers behind.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec

from privca.config import Config

DEATHS = 5
"""So many deaths of workers ..."""
PERIOD = 60.0
"""... within so many seconds stop the server: restarting does not mend what is wrong."""
GRACE = 10.0
"""Seconds that a worker has to finish what it does before it is killed."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told: the configuration file, what the command line changed in it, and descriptors by purpose."""

    config: Config
    """The configuration in force: the file's, with what the command line changed and the ports that were really bound."""
    number: int
    """Which of the workers it is; a replacement has the number of the one that died."""
    https: tuple[int, ...]
    http: tuple[int, ...]

    def encode(self) -> bytes:
        """As one line of JSON."""
        return msgspec.json.encode(self, enc_hook=str) + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Task:
        """The reverse of :meth:`encode`."""
        return msgspec.json.decode(line, type=cls, dec_hook=lambda kind, value: kind(value))


class TooManyDeathsError(Exception):
    """Workers die as fast as they are started."""


class Workers:
    """``count`` processes that are kept alive. The owner calls :meth:`tend` a few times a second.

    :param said: called with one sentence and its facts for the log.
    :param environment: what is added to their environment.
    """

    def __init__(self, count: int, task: Task, said: Callable[..., object], environment: Mapping[str, str]) -> None:
        self._task = task
        # They import from where we do. By itself, -m would begin with the current directory, and whoever can write there.
        path = os.pathsep.join(filter(None, sys.path))
        self._environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": path, **environment}
        self._descriptors: Sequence[int] = (*task.https, *task.http)
        self._said = said
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._alive = [self._start(number) for number in range(count)]

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, "-m", "privca", "worker"],
            stdin=subprocess.PIPE,
            pass_fds=self._descriptors,
            env=self._environment,
        )
        assert worker.stdin is not None
        # A worker that is dead already is found by tend().
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.write(msgspec.structs.replace(self._task, number=number).encode())
            worker.stdin.flush()
        self._said("worker started", worker=worker.pid)
        return worker

    def missing(self) -> list[str]:
        """What keeps them from serving, one sentence each."""
        return [f"worker {number} is not there" for number, worker in enumerate(self._alive) if worker.poll() is not None]

    def tend(self) -> None:
        """Replace workers that died. :raises TooManyDeathsError: if that has become pointless."""
        for place, worker in enumerate(self._alive):
            status = worker.poll()
            if status is None:
                continue
            now = time.monotonic()
            self._said("worker died", worker=worker.pid, status=status)
            _hang_up(worker)
            if len(self._deaths) == DEATHS and now - self._deaths[0] < PERIOD:
                raise TooManyDeathsError(f"{DEATHS + 1} workers died within {PERIOD:.0f} s; the log says why")
            self._deaths.append(now)
            self._alive[place] = self._start(place)

    def stop(self) -> None:
        """Ask all to finish, wait at most :data:`GRACE` seconds, and kill what is left."""
        for worker in self._alive:
            _hang_up(worker)
        deadline = time.monotonic() + GRACE
        for worker in self._alive:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._said("worker killed", worker=worker.pid)
                worker.kill()
                worker.wait()


def _hang_up(worker: subprocess.Popen[bytes]) -> None:
    assert worker.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        worker.stdin.close()
