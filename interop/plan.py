"""What there is to do: a task for each client and scenario, and for those that cannot run here a row that says why."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Callable, Sequence

import msgspec

from interop import engines
from interop.declaration import Client
from interop.engines import Engine, Unavailable
from interop.probes import PROBES
from interop.results import Row
from interop.scenarios import SCENARIOS
from interop.servers import SERVERS
from interop.tasks import Task


def plan(
    chosen: Sequence[Client], scenarios: Sequence[str], ladder: Sequence[Engine], target: str, say: Callable[[str], None]
) -> tuple[list[Task], list[Row]]:
    """Tasks, the probes of each driver among them; and a row, skipped with the reason, for each scenario that cannot run here."""
    today = datetime.datetime.now(datetime.UTC).date()
    tasks: list[Task] = []
    skipped = []
    for client in chosen:
        applying = [
            SCENARIOS[id]
            for id in scenarios
            if SCENARIOS[id].protocol in client.protocols
            and client.takes(id)
            and SERVERS[target].offers(SCENARIOS[id].protocol, SCENARIOS[id].variant)
            and (SERVERS[target].errs or not SCENARIOS[id].fault)
        ]
        if not applying:
            continue
        say(f"{client.name}: making a place for it")
        try:
            engine, place = engines.place(ladder, client)
            version = engine.version(client, place)
        except Unavailable as unavailable:
            for scenario in applying:
                row = Row(
                    client=client.name,
                    version="",
                    protocol=scenario.protocol,
                    scenario=scenario.id,
                    mode="",
                    verdict="skip",
                    expected=known.verdict if (known := client.expects(scenario.id, "", today)) else "pass",
                    detail=str(unavailable),
                )
                skipped.append(row)
            continue
        probe = Task(
            client=client,
            place=place,
            mode=engine.name,
            version=version,
            kind="probe",
            protocol=client.protocols[0],
            scenario="",
            known=None,
            again="",
        )
        tasks += [msgspec.structs.replace(probe, scenario=id) for id in PROBES if probe.protocol in PROBES[id].protocols]
        for scenario in applying:
            again = ["run", "--target", target, "--engine", engine.name, "--clients", client.name, "--scenarios", scenario.id]
            task = msgspec.structs.replace(
                probe,
                kind="scenario",
                protocol=scenario.protocol,
                scenario=scenario.id,
                known=client.expects(scenario.id, version, today),
                again=shlex.join(["privca-interop", *again]),
            )
            tasks.append(task)
    # Probes first: nothing rests on a driver that fails one, and the slowest of them do nothing but wait.
    # Then what needs the same profiles together, to change which takes a while; and last what needs another server.
    return sorted(tasks, key=_place), skipped


def _place(task: Task) -> tuple[str, bool, str]:
    wanted = SCENARIOS.get(task.scenario)
    return (task.kind, bool(wanted and wanted.fault), wanted.variant if wanted else "")
