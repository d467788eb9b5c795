"""The driver protocol, for drivers in Python: a job comes in as JSON, a result and artefacts go out.

A driver is started with the path of ``job.json``, whose folder is its own. It writes ``result.json`` there and exits with
0 (the client did all actions), 1 (the client failed) or 77 (this client cannot do that). What it says is never the verdict:
that comes from the artefacts it leaves and from the server's own record.

Standard library only: this runs where the client runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

DONE, FAILED, UNSUPPORTED = 0, 1, 77
TIMED_OUT = 124
"""The status of a command that was stopped, as timeout(1) has it."""


SEED = ("-provparam", "ml-dsa.output_formats=seed-only")
KEYS = {
    **{f"rsa{size}": ("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{size}") for size in (2048, 3072, 4096)},
    **{f"ec{size}": ("-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:P-{size}") for size in (256, 384, 521)},
    "ed25519": ("-algorithm", "ED25519"),
    "ed448": ("-algorithm", "ED448"),
    # A seed is what every implementation of RFC 9881 reads.
    **{f"mldsa{size}": ("-algorithm", f"ML-DSA-{size}", *SEED) for size in (44, 65, 87)},
    **{f"mlkem{size}": ("-algorithm", f"ML-KEM-{size}") for size in (512, 768, 1024)},
}
"""Kinds of keys, in the words of ``openssl genpkey``."""


class ClientFailedError(Exception):
    """The client did not do what it was told."""


class UnsupportedError(Exception):
    """The client has no way to do that."""


class Driver:
    """One job of one client. A subclass has a method for each action that its client can do: ``register``, ``issue``, ``renew`` ...

    ``job`` holds: ``actions`` (in order), ``protocol``, ``url`` of the service, ``trust`` (file of trusted CA certificates), ``names``,
    ``key`` (``ec256``, ``ec384``, ``rsa2048`` ...), ``challenge``, ``dns_api`` and ``resolver`` (to answer dns-01 challenges),
    ``credential`` (what this protocol authenticates with, or null), ``reason`` (of a revocation), ``options`` (what a scenario asks for
    besides, in the words of the protocol), and ``patience``: how many seconds one command of the client may take.
    """

    def __init__(self, job: Mapping[str, Any], folder: Path) -> None:
        self.job = job
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self.steps: list[dict[str, Any]] = []
        self.artefacts: dict[str, str] = {}

    def redact(self, text: str) -> str:
        """``text`` without the job's secrets."""
        for secret in (self.job.get("credential") or {}).get("secrets", []):
            text = text.replace(secret, "[redacted]")
        return text

    def run(self, argv: Sequence[str], to: Path | None = None, **environment: str) -> str:
        """Run the client once, log it, and return what it printed. With ``to``, its standard output goes there instead, and is not text.

        :raises ClientFailedError: if its exit status is not 0, or it takes too long.
        """
        started = time.monotonic()
        printed = self.folder / "printed.txt"
        with contextlib.ExitStack() as files:
            output = files.enter_context(printed.open("wb"))
            process = self._start(argv, output if to is None else files.enter_context(to.open("wb")), output, environment)
            try:
                status = process.wait(self.job["patience"])
            except subprocess.TimeoutExpired:
                status = TIMED_OUT
            finally:
                _end(process)
        text = printed.read_text(encoding="utf-8", errors="replace")
        self._log(argv, text, status, started)
        self._judge(argv, text, status)
        return text

    def serve(self, argv: Sequence[str], done: Callable[[str], bool], **environment: str) -> None:
        """Run a client that is a service until ``done``, which is told what it has printed, says yes; then end it.

        :raises ClientFailedError: if it ends by itself, or takes too long; ``done`` may raise it, too.
        """
        started, printed = time.monotonic(), self.folder / "printed.txt"
        with printed.open("wb") as output:
            process = self._start(argv, output, output, environment)
            status = FAILED
            try:
                status = self._wait_until(done, process, printed, started)
            finally:
                _end(process, gently=True)
                text = printed.read_text(encoding="utf-8", errors="replace")
                self._log(argv, text, status, started)
        self._judge(argv, text, status)

    def _wait_until(self, done: Callable[[str], bool], process: subprocess.Popen[bytes], printed: Path, started: float) -> int:
        """The status of a service: 0 once it has done it."""
        while not done(printed.read_text(encoding="utf-8", errors="replace")):
            if (ended := process.poll()) is not None:
                return ended or FAILED  # a service that ends, however contented, has not done it
            if time.monotonic() - started > self.job["patience"]:
                return TIMED_OUT
            time.sleep(0.2)
        return DONE

    @contextlib.contextmanager
    def beside(self, argv: Sequence[str], ready: Callable[[], bool], **environment: str) -> Iterator[None]:
        """Have a program of the client run beside what else it does, from when it is ``ready``; it ends with the block."""
        printed = self.folder / "beside.txt"
        with printed.open("wb") as output:
            process = self._start(argv, output, output, environment)
            try:
                self.until(ready, 10, 0.05)
                yield
            finally:
                _end(process, gently=True)
                with (self.folder / "log.txt").open("a", encoding="utf-8") as log:
                    log.write(
                        f"{self.redact(shlex.join(argv))} said meanwhile:\n{self.redact(printed.read_text(errors='replace'))}\n"
                    )

    def _start(
        self, argv: Sequence[str], output: BinaryIO, errors: BinaryIO, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - the argv is the driver's own
            argv,
            # Where drivers find this package, clients must not look for theirs.
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )

    def _log(self, argv: Sequence[str], text: str, status: int, started: float) -> None:
        """Write down one command."""
        command, shown = self.redact(shlex.join(argv)), self.redact(text)
        self.steps.append(
            {"command": command.replace(str(self.folder), "JOB"), "exit": status, "seconds": round(time.monotonic() - started, 2)}
        )
        with (self.folder / "log.txt").open("a", encoding="utf-8") as log:
            log.write(f"$ {command}\n{shown}[exit {status}]\n\n")

    def _judge(self, argv: Sequence[str], text: str, status: int) -> None:
        """:raises ClientFailedError: with its last words, if the status of a command is not 0."""
        shown = self.redact(text)
        if status != 0:
            last = " / ".join([line.strip() for line in shown.splitlines() if line.strip()][-3:])
            raise ClientFailedError(f"{argv[0]} exited with {status}: {last[-500:]}")

    def make_key(self, label: str) -> Path:
        """A fresh private key of the kind that the job asks for (PKCS #8, PEM), kept as ``label.key``."""
        path = self.home / f"{label}.key.pem"
        words = self.need(KEYS, self.job["key"])
        if SEED[0] in words and SEED[0] not in self.options_of("genpkey"):
            raise UnsupportedError(f"this openssl makes no {self.job['key']} key")
        self.run(["openssl", "genpkey", *words, "-out", str(path)])
        path.chmod(0o600)
        self.keep(f"{label}.key", path)
        return path

    def options_of(self, command: str) -> set[str]:
        """The options of a command of this openssl."""
        told = subprocess.run(["openssl", command, "-help"], capture_output=True, text=True, check=False)  # noqa: S603, S607
        return set((told.stdout + told.stderr).split())

    def make_request(self, label: str, key: Path, *options: str) -> Path:
        """A certification request for the job's names (PKCS #10, DER), made by OpenSSL."""
        path = self.home / f"{label}.csr.der"
        names = ",".join(f"DNS:{name}" for name in self.job["names"])
        subject = ["-subj", f"/CN={self.job['names'][0]}", "-addext", f"subjectAltName={names}"]
        self.run(["openssl", "req", "-new", "-key", str(key), *subject, *options, "-outform", "DER", "-out", str(path)])
        return path

    def as_pem(self, certificates: Sequence[Path], to: Path) -> Path:
        """One file of PEM from files of one certificate each, PEM or DER."""
        pem = [self.run(["openssl", "x509", "-in", str(path)]) for path in certificates]
        to.write_text("".join(pem), encoding="utf-8")
        return to

    def dns01_hook(self) -> str:
        """The start of a shell command that changes TXT records; ``set`` or ``clear`` and the arguments of :mod:`interop.clients.dns01` follow."""
        return shlex.join([sys.executable, str(Path(__file__).with_name("dns01.py"))])

    def keep(self, label: str, source: Path) -> None:
        """Keep a file as evidence under a label: ``issue.certificate``, ``issue.chain``, ``issue.key``, ``account.key`` ..."""
        if not source.is_file():
            raise ClientFailedError(f"the client left no {label}: {source.name} is missing")
        kept = self.folder / "artefacts" / f"{label}{source.suffix}"
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(source.read_bytes())
        self.artefacts[label] = str(kept.relative_to(self.folder))

    def note(self, label: str, value: str) -> None:
        """Keep a word as evidence, such as ``account.url``."""
        kept = self.folder / "artefacts" / f"{label}.txt"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(value, encoding="utf-8")
        self.artefacts[label] = str(kept.relative_to(self.folder))

    def until(self, done: Callable[[], bool], seconds: float, pause: float) -> None:
        """Ask ``done`` again and again, ``pause`` seconds apart, until it says yes. :raises ClientFailedError: if it never does."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise ClientFailedError(f"not done in {seconds:.0f} s")
            time.sleep(pause)

    def need(self, table: Mapping[str, Any], wanted: str) -> Any:
        """What this client calls ``wanted``. :raises UnsupportedError: if it has no word for it."""
        if wanted not in table:
            raise UnsupportedError(f"this client has no {wanted}")
        return table[wanted]


def _end(process: subprocess.Popen[bytes], *, gently: bool = False) -> None:
    """End a program and all that it started: clients leave listeners behind when they fail, and the next one needs their ports."""
    with contextlib.suppress(ProcessLookupError):
        if gently and process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main(driver: type[Driver]) -> None:
    """Run the job named on the command line, and exit as the protocol says."""
    path = Path(sys.argv[1])
    one = driver(json.loads(path.read_text(encoding="utf-8")), path.parent)
    status, detail = DONE, ""
    try:
        methods = {action: f"do_{action}".replace("-", "_") for action in one.job["actions"]}
        if missing := [action for action, method in methods.items() if not hasattr(one, method)]:
            raise UnsupportedError(f"this client has no action {', '.join(missing)}")
        for method in methods.values():
            getattr(one, method)()
    except UnsupportedError as error:
        status, detail = UNSUPPORTED, str(error)
    except ClientFailedError as error:
        status, detail = FAILED, one.redact(str(error))
    result = {"detail": detail, "steps": one.steps, "artefacts": one.artefacts}
    (path.parent / "result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    sys.exit(status)
