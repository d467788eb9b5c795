"""What the harness asks of a server under test, and what starting any of them has in common."""

from __future__ import annotations

import abc
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class ServerError(Exception):
    """The server under test did not start, or does not answer."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a driver may know of a service: its URL, the CAs to trust for TLS, how to answer dns-01, what to authenticate with."""

    url: str
    trust: Path
    dns_api: str
    resolver: str
    credential: Mapping[str, Any] | None
    tls_url: str = ""
    """The same over TLS, of a protocol that is usually not."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the server has recorded of a certificate: ``good`` or ``revoked``, and the reason by its RFC 5280 name, empty if it does not say;
    the protocol over which it was issued, if it says."""

    status: str
    reason: str = ""
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as the server wrote them down.

    :ivar time: when the request came, in whole seconds of POSIX time.
    :ivar retry_after: seconds of Retry-After in the answer, None without.
    """

    time: int
    request: str
    reply: str
    decision: str
    retry_after: int | None = None

    def __str__(self) -> str:
        """Request line, status line, what was decided, and when to come back."""
        told = "" if self.retry_after is None else f" -> Retry-After {self.retry_after}"
        return f"{self.request} -> {self.reply} -> {self.decision}{told}"


class Server(abc.ABC):
    """A server under test. The constructor starts it and returns when it serves."""

    publishes_crl: bool
    errs: bool = False
    """Whether it can be had with named faults."""
    keeps_records: bool = True
    """Whether it can be asked what it has issued."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._processes: list[subprocess.Popen[bytes]] = []

    @classmethod
    @abc.abstractmethod
    def offers(cls, protocol: str, variant: str) -> bool:
        """Whether it has this service at all: what it does not have is not asked of it."""

    @staticmethod
    @abc.abstractmethod
    def version() -> str:
        """Its version. :raises ServerError: if it is not there."""

    @abc.abstractmethod
    def service(self, protocol: str, *, with_credential: bool, variant: str = "", fault: str = "") -> Service:
        """A service of a protocol; ``with_credential``: the one that asks for a credential, with a fresh one; ``variant`` and ``fault``: what
        is different about it, see :class:`interop.scenarios.scenario.Scenario`. The last call says how the server is."""

    def approve(self) -> int:
        """Approve all requests that wait; how many there were."""
        return 0

    @property
    @abc.abstractmethod
    def anchors(self) -> Path:
        """File with the trust anchors of what the server issues (PEM)."""

    @abc.abstractmethod
    def record(self, serial: int) -> Record | None:
        """What is recorded of the certificate with this serial number; None if nothing is. :raises ServerError: if it cannot be asked."""

    @abc.abstractmethod
    def names_issued(self) -> set[str] | None:
        """All names that were ever certified; None if the server cannot be asked."""

    def exchanges(self) -> list[Exchange] | None:
        """All that was said so far, in order; None if it does not tell."""
        return None

    def transcript(self, after: int) -> list[str]:
        """What it wrote down itself of the exchanges after so many, a line for each."""
        return []

    def run(self, argv: Sequence[str], **options: Any) -> None:
        """Start a program of the server; its output goes to a log in the folder."""
        with (self.folder / f"{Path(argv[0]).name}.log").open("ab") as log:
            self._processes.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options))  # noqa: S603

    def wait(self, ready: Callable[[], T | None], seconds: float = 60) -> T:
        """Wait until ``ready`` gives something. :raises ServerError: when a program ends first, or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            if (found := ready()) is not None:
                return found
            ended = [process for process in self._processes if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in self.logs())
                raise ServerError(f"{'ended' if ended else 'not ready in time'}: {type(self).__name__}\n{logs}")
            time.sleep(0.05)

    def logs(self) -> list[Path]:
        """What is worth keeping of it after the run."""
        return sorted(self.folder.glob("*.log"))

    def stop(self) -> None:
        """End all its programs."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
