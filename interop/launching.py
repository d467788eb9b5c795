"""One program from start to end: a driver in its place, started by the worker, or for it by the harness, whose machine the containers are on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import msgspec

from interop.clients.driving import TIMED_OUT


class Launch(msgspec.Struct, frozen=True):
    """What to run: its environment, the file for what it prints, and how many seconds it may take. ``left`` removes what it leaves."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    output: str
    seconds: float
    left: tuple[str, ...] = ()


class Launched(msgspec.Struct, frozen=True):
    """How it ended: its exit status, or :data:`TIMED_OUT`."""

    status: int


def launch(what: Launch) -> Launched:
    """Run it, and wait for its end."""
    with Path(what.output).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            what.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=what.environment,
            start_new_session=True,
        )
        try:
            status = process.wait(what.seconds)
        except subprocess.TimeoutExpired:
            status = TIMED_OUT
        finally:
            # The client may have left something running, and the next one needs its ports.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if what.left:
        subprocess.run(what.left, stdin=subprocess.DEVNULL, capture_output=True, env=what.environment, check=False)  # noqa: S603
    return Launched(status)
