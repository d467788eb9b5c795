"""A worker: a server under test and one client after the other, inside network, mount and process namespaces of their own.

Started as ``python -m interop.worker`` by :mod:`interop.run`; lines of JSON in and out (:mod:`interop.tasks`). When its standard input
ends it stops the server and ends, and everything that it made ends with its namespaces.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec

from interop import job, probes, servers, verdict
from interop.clients.driving import DONE, FAILED
from interop.engines.place import ContainerPlace
from interop.grading import grade
from interop.launching import Launch, Launched, launch
from interop.namespaces import bring_lo_up
from interop.results import Check, Row, Verdict
from interop.scenarios import SCENARIOS
from interop.scenarios.scenario import Scenario
from interop.servers.server import Server, ServerError
from interop.tasks import Reply, Setup, Task

Outside = Callable[[Launch], Launched]
"""Starts what is for the harness to start."""
USUAL = {"acme": "http-01", "est": "est-enroll", "scep": "scep-enroll", "cmp": "cmp-ir"}
"""The scenario of each protocol that a probe breaks."""


def probe(task: Task, server: Server, folder: Path, outside: Outside) -> tuple[job.Done, Verdict, Sequence[Check], str]:
    """Run one probe of a driver; ``pass`` is the exit status that the protocol asks for, and no certificate."""
    wanted = probes.PROBES[task.scenario]
    usual = SCENARIOS[USUAL[task.protocol]]
    order: dict[str, Any] = {
        "protocol": task.protocol,
        "actions": wanted.actions or [f"x{secrets.token_hex(4)}"],
        "names": [f"{job.label(task.client)}.example.test"],
        "challenge": "http-01",
        "key": usual.key,
        "reason": "unspecified",
        "options": {},
        "commands": usual.commands,
    }
    with wanted.broken(server.service(task.protocol, with_credential=usual.credential != "none"), folder) as service:
        done = job.run(task.client, task.place, service, order, folder / "job", patience=15, outside=outside)
    checks = (
        Check(f"the driver exits with {wanted.status}", done.status == wanted.status, str(done.status)),
        Check("it holds no certificate", "issue.certificate" not in done.artefacts),
    )
    return done, "pass" if all(check.ok for check in checks) else "fail", checks, ""


def scenario(task: Task, server: Server, folder: Path, outside: Outside) -> tuple[job.Done, Verdict, Sequence[Check], str]:
    """Run one scenario and judge it; last is what the client did, of a scenario that grades it."""
    wanted = SCENARIOS[task.scenario]
    name = job.label(task.client)
    names = [pattern.format(label=name) for pattern in wanted.names]
    service = server.service(
        wanted.protocol, with_credential=wanted.credential != "none", variant=wanted.variant, fault=wanted.fault
    )
    if service.credential is not None:
        service = dataclasses.replace(service, credential=presented(service.credential, wanted.credential))
    order = {
        "protocol": wanted.protocol,
        "actions": wanted.actions,
        "names": names,
        "challenge": wanted.challenge,
        "key": wanted.key,
        "reason": wanted.reason,
        "options": dict(wanted.options),
        "commands": wanted.commands,
    }
    before = server.exchanges()

    def told() -> bool:
        return any(re.search(wanted.provoked, str(one)) for one in (server.exchanges() or [])[len(before or ()) :])

    with Approver(server, wanted.approved, wanted.thinking, told) as approver:
        done = job.run(task.client, task.place, service, order, folder / "job", outside=outside)
    checks: list[Check] = []
    did = ""
    if done.status in (DONE, FAILED):
        artefacts = verdict.Artefacts(folder / "job", done.artefacts)
        checks = verdict.gather(wanted, names, artefacts, server, service, [step.exit for step in done.steps])
        if before is not None:
            checks += transcript(wanted, server, len(before))
        if before is not None and wanted.provoked:
            found = grade(wanted, (server.exchanges() or [])[len(before) :])
            checks.append(found.check)
            did = found.did
        if wanted.approved:
            checks.append(Check("it waited, and a person approved it", approver.approved > 0, approver.trouble))
    write_down(server, len(before or ()), folder / "job")
    return done, verdict.judge(done.status, checks, wanted), checks, did


def write_down(server: Server, after: int, folder: Path) -> None:
    """The server's own transcript of a job, for machines and for people."""
    if (exchanges := server.exchanges()) is None:
        return
    lines = server.transcript(after)
    (folder / "transcript.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    shown = "".join(f"{datetime.fromtimestamp(one.time, UTC):%T} {one}\n" for one in exchanges[after : after + len(lines)])
    (folder / "transcript.txt").write_text(shown, encoding="utf-8")


def transcript(wanted: Scenario, server: Server, before: int) -> list[Check]:
    """What the server's transcript has of a job, from its line number ``before``; a line is written a moment after its reply."""
    deadline = time.monotonic() + 5
    while True:
        checks = verdict.said(wanted, (server.exchanges() or [])[before:])
        if all(check.ok for check in checks) or time.monotonic() > deadline:
            return checks
        time.sleep(0.2)


def presented(credential: Mapping[str, Any], how: str) -> dict[str, Any]:
    """What the client is told to authenticate with: the right secret, a wrong one, or a name that nobody has."""
    given = dict(credential)
    if how == "wrong":
        for name in job.SECRETS:
            if name in given:
                given[name] = ("A" if given[name][0] != "A" else "B") + given[name][1:]
    if how == "unknown":
        given |= {name: "nobody" for name in ("username", "reference") if name in given}
    return given


class Approver:
    """Approves whatever waits, while a client is at work: a person who looks every second, once ``thinking`` seconds have passed since
    the client was told, as ``told`` says, that it must wait.
    """

    def __init__(self, server: Server, needed: bool, thinking: float = 0, told: Callable[[], bool] = lambda: True) -> None:
        self.approved = 0
        self.trouble = ""
        self._server = server
        self._thinking = thinking
        self._told = told
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work) if needed else None

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while self._thinking and not self._told() and not self._ended.wait(0.5):
            pass
        self._ended.wait(self._thinking)
        while not self._ended.wait(1):
            self.look()

    def look(self) -> None:
        """Approve what waits now."""
        try:
            self.approved += self._server.approve()
        except ServerError as error:
            self.trouble = str(error)


class Servers:
    """The server under test, and beside it, once it is needed, the same with its faults."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.plain = servers.start(setup.server, Path(setup.folder) / "server")
        self._faulty: Server | None = None

    def with_faults(self) -> Server:
        """The one with faults. :raises ServerError: if it does not get ready."""
        if self._faulty is None:
            self._faulty = servers.start(self._setup.server, Path(self._setup.folder) / "faulty", faults=True)
        return self._faulty

    def stop(self) -> None:
        """End them, and keep their logs."""
        for server in filter(None, (self.plain, self._faulty)):
            server.stop()
            for log in server.logs():
                name = f"server-{Path(self._setup.folder).name}-{'faulty-' if server is self._faulty else ''}{log.name}"
                shutil.copyfile(log, Path(self._setup.out) / name)


def carry_out(task: Task, servers_: Servers, setup: Setup, outside: Outside = launch) -> Row:
    """Find out one row."""
    started = time.monotonic()
    if isinstance(task.place, ContainerPlace):
        task = msgspec.structs.replace(task, place=msgspec.structs.replace(task.place, owner=setup.owner, run=setup.run))
    place = f"{task.client.name}/{task.scenario}"
    folder = Path(setup.folder) / place
    folder.mkdir(parents=True)
    try:
        server = servers_.with_faults() if task.kind == "scenario" and SCENARIOS[task.scenario].fault else servers_.plain
        done, found, checks, did = (probe if task.kind == "probe" else scenario)(task, server, folder, outside)
    except (ServerError, OSError) as error:
        done, found, checks, did = job.Done(-1, f"{type(error).__name__}: {error}", (), {}), "error", (), ""
    known = task.known if task.known and re.search(task.known.says, done.detail) else None
    job.publish(folder / "job", Path(setup.out) / "cells" / place, done.artefacts)
    return Row(
        client=task.client.name,
        version=task.version,
        protocol=task.protocol,
        scenario=task.scenario,
        mode=task.mode,
        verdict=found,
        expected=known.verdict if known else "pass",
        why=known.why if known else "",
        link=known.link if known else "",
        detail=done.detail,
        did=did,
        seconds=round(time.monotonic() - started, 2),
        checks=tuple(checks),
        steps=done.steps,
        folder=f"cells/{place}",
        again=task.again,
    )


def serve(lines: BinaryIO, answers: BinaryIO) -> None:
    """Carry out tasks until the lines end."""

    def answer(reply: Reply) -> None:
        answers.write(msgspec.json.encode(reply) + b"\n")
        answers.flush()

    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # nobody out there can be reached from here, a proxy least of all
    bring_lo_up()
    setup = msgspec.json.decode(lines.readline(), type=Setup)
    try:
        both = Servers(setup)
    except ServerError as error:
        answer(Reply(error=str(error)))
        return
    try:
        answer(Reply())

        def outside(what: Launch) -> Launched:
            answer(Reply(launch=what))
            return msgspec.json.decode(lines.readline(), type=Launched)

        for line in iter(lines.readline, b""):
            answer(Reply(row=carry_out(msgspec.json.decode(line, type=Task), both, setup, outside)))
    finally:
        both.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # the whole run was stopped, and says so itself
        serve(sys.stdin.buffer, sys.stdout.buffer)
