"""One run of one driver in its place."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interop.clients.driving import TIMED_OUT
from interop.declaration import Client
from interop.engines.place import ContainerPlace, Place, show
from interop.launching import Launch, Launched, launch
from interop.results import Step
from interop.servers.server import Service


@dataclass(frozen=True, slots=True)
class Done:
    """What is left of a driver's run. ``status`` is its exit status."""

    status: int
    detail: str
    steps: tuple[Step, ...]
    artefacts: dict[str, str]


SECRETS = ("hmac_key", "code")
"""What is secret in a credential, whatever the protocol."""


def run(
    client: Client,
    place: Place,
    service: Service,
    order: Mapping[str, Any],
    folder: Path,
    patience: float = 120,
    grace: float = 30,
    outside: Callable[[Launch], Launched] = launch,
) -> Done:
    """Run the driver; ``order`` is what to do: actions, names, key, challenge, reason, protocol. ``outside`` starts what is not for the
    worker to start.

    A command of the client may take ``patience`` seconds; the driver ends them, and is ended itself ``grace`` seconds later.
    """
    folder.mkdir(parents=True)
    (folder / "home").mkdir()
    shutil.copyfile(service.trust, folder / "trust.pem")
    credential = None
    if service.credential is not None:
        credential = {
            **service.credential,
            "secrets": [service.credential[name] for name in SECRETS if name in service.credential],
        }
    seconds = patience * max(1, len(order["actions"])) + grace
    job = {
        **order,
        "patience": patience,
        "url": service.url,
        "tls_url": service.tls_url,
        "trust": place.trust(folder),
        "dns_api": service.dns_api,
        "resolver": service.resolver,
        "credential": credential,
    }
    (folder / "job.json").write_text(json.dumps(job))
    argv = place.argv(client, folder)
    left = place.left(folder) if isinstance(place, ContainerPlace) else ()
    # A container is started from where the engine is.
    start = outside if left else launch
    status = start(Launch(tuple(argv), place.environment(client, folder), str(folder / "driver.txt"), seconds, left)).status
    said = (folder / "driver.txt").read_text(errors="replace").strip()
    try:
        result = json.loads((folder / "result.json").read_text())
        steps = tuple(Step(step["command"], step["exit"], step["seconds"]) for step in result["steps"])
        return Done(status, result["detail"], steps, dict(result["artefacts"]))
    except (OSError, ValueError, KeyError, TypeError):
        detail = (
            f"no answer in {seconds:.0f} s" if status == TIMED_OUT else f"the driver left no result: {said[-300:]} ({show(argv)})"
        )
        return Done(status if status == TIMED_OUT else -1, detail, (), {})


def label(client: Client) -> str:
    """A DNS label that no other job has."""
    return "".join(letter for letter in client.name if letter.isalnum()) + "-" + secrets.token_hex(4)


def publish(folder: Path, out: Path, artefacts: Mapping[str, str]) -> None:
    """Copy what may be shown to the results: log, transcript and certificates, never a key, never the job with its credential."""
    out.mkdir(parents=True, exist_ok=True)
    kept = [name for name in artefacts.values() if ".key." not in Path(name).name + "."]
    for name in ["log.txt", "driver.txt", "transcript.txt", "transcript.jsonl", *kept]:
        if (source := folder / name).is_file() and source.stat().st_size:
            shutil.copyfile(source, out / source.name)
