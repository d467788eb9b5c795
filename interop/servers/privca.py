"""``privca up`` in a lab directory of its own: everything it is asked goes through its commands and files, as for any user."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from interop.servers.server import Exchange, Record, Server, ServerError, Service

VARIANTS = Path(__file__).parent / "variants"
"""Profiles that differ from the lab's own, a TOML file for each."""
CREDENTIAL = ("username", "reference", "code")
"""What a client of EST, SCEP or CMP authenticates with, by its names in ``endpoints.json``."""
FOLLOWS = 1.0
"""Seconds within which a running server follows a change of its profiles."""


def command(*arguments: str) -> list[str]:
    """The command line of the server that is installed beside the harness."""
    return [sys.executable, "-m", "privca", *arguments]


def answer(*arguments: str) -> str:
    """What a command prints. :raises ServerError: if it does not exit with 0."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    if done.returncode != 0:
        raise ServerError(f"privca {' '.join(arguments[:2])} exited with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def with_fault(config: str, fault: str) -> str:
    """The lab's own profile of a protocol, out of its configuration, with a fault. The profile that a protocol's faults are made of by ``up``
    is a strict one, whom not every client can talk to.
    """
    header = f"[profile.lab-{fault.partition('.')[0]}]\n"
    profile = config.partition(header)[2].partition("\n[")[0]
    return f'{header}faults = ["{fault}"]\n{profile}\n'


def exchange(line: dict[str, Any]) -> Exchange:
    """A line of a transcript. A head with secrets in it is not text."""
    (request, _), (reply, fields) = (
        [*line[side]["head"].get("text", "").split("\r\n", 1), ""][:2] for side in ("request", "reply")
    )
    told = re.search(r"(?im)^retry-after: *(\d+)\r?$", fields)
    decision = " ".join(word for word in (line["outcome"], line["facts"].get("reason", "")) if word)
    moment = int(datetime.fromisoformat(line["time"]).timestamp())
    return Exchange(moment, request, reply, decision, int(told[1]) if told else None)


class Privca(Server):
    """The server of this project."""

    publishes_crl = True
    errs = True

    def __init__(self, folder: Path, *, faults: bool = False) -> None:
        super().__init__(folder)
        self._lab = folder / "lab"
        self._now = ("", "")
        # In a namespace of its own the challenge ports are the real ones, which is what clients answer on by default.
        ports = ["--http01-port", "80", "--tlsalpn01-port", "443"]
        # Beside one without faults.
        ports += [word for name in ("https", "http", "admin", "resolver") for word in (f"--{name}-port", "0")] if faults else []
        argv = command("up", "--dir", str(self._lab), *ports, *(["--faults"] if faults else []))
        self.run(argv, env={**os.environ, "HOME": str(folder)})
        self._endpoints: dict[str, Any] = self.wait(self._read_endpoints, 180 if faults else 60)

    @classmethod
    def offers(cls, protocol: str, variant: str) -> bool:
        """All there is."""
        return not variant or (VARIANTS / f"{variant}.toml").is_file()

    @staticmethod
    def version() -> str:
        """What ``privca --version`` says."""
        return answer("--version").split()[-1]

    def _read_endpoints(self) -> dict[str, Any] | None:
        try:
            return dict(json.loads((self._lab / "endpoints.json").read_text()))
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def service(self, protocol: str, *, with_credential: bool, variant: str = "", fault: str = "") -> Service:
        """The lab's profile of the protocol; with a credential of its own for each call where one binds one account."""
        wanted = "lab-acme-eab" if with_credential and protocol == "acme" else f"lab-{protocol}"
        profile = next((entry for entry in self._endpoints["profiles"] if entry["id"] == wanted), None)
        if profile is None:
            raise ServerError(f"this server has no profile {wanted}")
        self._become(variant, fault)
        credential = None
        if with_credential and protocol == "acme":
            issued = json.loads(answer("eab", "issue", wanted, "--dir", str(self._lab), "--json"))
            credential = {"kid": issued["kid"], "hmac_key": issued["hmac_key"]}
        elif with_credential:
            credential = {name: profile[name] for name in CREDENTIAL if name in profile}
        tls = next(urlsplit(entry["url"]).netloc for entry in self._endpoints["profiles"] if entry["url"].startswith("https:"))
        tls_url = urlsplit(profile["url"])._replace(scheme="https", netloc=tls).geturl()
        return Service(profile["url"], self.anchors, self._endpoints["admin"], self._endpoints["resolver"], credential, tls_url)

    def _become(self, variant: str, fault: str) -> None:
        """Apply the profiles of a variant, or the lab's own with a fault, or those of the lab again: the URLs stay as they are, which matters to
        clients that know no label.
        """
        if (variant, fault) == self._now:
            return
        # Everything that another variant has changed goes back first.
        own = self._lab / "privca.toml"
        answer("profile", "apply", str(own), "--dir", str(self._lab))
        if variant:
            answer("profile", "apply", str(VARIANTS / f"{variant}.toml"), "--dir", str(self._lab))
        if fault:
            changed = self.folder / "fault.toml"
            changed.write_text(with_fault(own.read_text(encoding="utf-8"), fault), encoding="utf-8")
            answer("profile", "apply", str(changed), "--dir", str(self._lab))
        self._now = (variant, fault)
        time.sleep(FOLLOWS)

    def approve(self) -> int:
        """By ``privca request approve``."""
        listed = json.loads(answer("request", "list", "--dir", str(self._lab), "--json"))
        waiting = [str(request["id"]) for request in listed if request["state"] == "waiting"]
        for id in waiting:
            answer("request", "approve", id, "--dir", str(self._lab))
        return len(waiting)

    @property
    def anchors(self) -> Path:
        """The lab's trust anchor."""
        return Path(self._endpoints["trust_anchor"])

    def record(self, serial: int) -> Record:
        """By ``privca cert show``."""
        text = f"{serial:X}"
        known = json.loads(answer("cert", "show", text.zfill(len(text) + len(text) % 2), "--dir", str(self._lab), "--json"))
        return Record(known["status"], known.get("reason") or "", known["protocol"])

    def exchanges(self) -> list[Exchange]:
        """By its transcripts."""
        return [exchange(json.loads(line)) for line in self.transcript(0)]

    def transcript(self, after: int) -> list[str]:
        """JSON, secrets redacted."""
        files = sorted((self._lab / "transcripts").glob("*.jsonl"))
        return [line for path in files for line in path.read_text(encoding="utf-8").splitlines()][after:]

    def logs(self) -> list[Path]:
        """The log, and the transcript of every exchange."""
        return [*super().logs(), *sorted((self._lab / "transcripts").glob("*.jsonl"))]

    def names_issued(self) -> set[str] | None:
        """By ``privca cert list``."""
        listed = json.loads(answer("cert", "list", "--dir", str(self._lab), "--json"))
        return {name for entry in listed for name in entry["names"]}
