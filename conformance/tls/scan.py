"""sslyze, called as a program in an environment of its own: what its scan of a listener found, read from its JSON."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance import tools
from conformance.examination import NotApplicable
from conformance.pkix.hosts import is_address
from conformance.tls.wire import Listener

LONGEST = 180.0
"""Seconds that a scan may take."""
_SCANS: tuple[str, ...] = (
    "sslv2",
    "sslv3",
    "tlsv1",
    "tlsv1_1",
    "tlsv1_2",
    "tlsv1_3",
    "compression",
    "early_data",
    "openssl_ccs",
    "fallback",
)
_SCANS += ("heartbleed", "robot", "reneg", "elliptic_curves", "ems")


class ScanFailed(Exception):
    """sslyze could not scan: what it said."""


class _Result(dict[str, Any]):
    """What one scan found. What another version of sslyze does not say is no outcome."""

    def __missing__(self, key: str) -> Any:
        raise ScanFailed(f"this sslyze says nothing of {key}")


@dataclass(frozen=True, slots=True)
class Scan:
    """The part ``scan_result`` of sslyze's JSON."""

    found: dict[str, Any]

    def of(self, name: str) -> dict[str, Any]:
        """The outcome of one scan. :raises ScanFailed: if it did not come to one."""
        one = self.found.get(name) or {}
        if one.get("status") != "COMPLETED" or not isinstance(one.get("result"), dict):
            raise ScanFailed(f"sslyze's scan {name} ended as {one.get('status')}: {one.get('error_reason')}")
        return _Result(one["result"])

    def suites(self, version: str) -> dict[str, dict[str, Any]]:
        """The cipher suites that were accepted in a version (``tls_1_2``), by name."""
        accepted = self.of(f"{version}_cipher_suites")["accepted_cipher_suites"]
        return {one["cipher_suite"]["name"]: one for one in accepted}


def read(document: str) -> Scan:
    """The one scan of a JSON document. :raises ScanFailed: if there is none."""
    try:
        server = json.loads(document)["server_scan_results"][0]
    except (ValueError, LookupError, TypeError) as error:
        raise ScanFailed(f"sslyze wrote no scan: {type(error).__name__} {error}") from None
    if server.get("scan_status") != "COMPLETED" or not isinstance(server.get("scan_result"), dict):
        raise ScanFailed(f"sslyze could not connect: {server.get('connectivity_status')}")
    return Scan(server["scan_result"])


@dataclass(slots=True)
class Scanner:
    """Scans each listener once. ``reachable`` is False for what is behind no socket."""

    reachable: bool = True
    _scans: dict[str, Scan | ScanFailed] = field(default_factory=dict)

    def scan(self, listener: Listener) -> Scan:
        """What sslyze finds there. :raises NotApplicable: without sslyze. :raises ScanFailed:"""
        program = tools.find("sslyze") if self.reachable else None
        if program is None:
            raise NotApplicable(tools.SSLYZE.missing)
        if listener.place not in self._scans:
            try:
                self._scans[listener.place] = _scan(program, listener)
            except ScanFailed as failure:
                self._scans[listener.place] = failure
        found = self._scans[listener.place]
        if isinstance(found, ScanFailed):
            raise found
        return found


def _scan(program: Path, listener: Listener) -> Scan:
    with tempfile.TemporaryDirectory(prefix="conformance-") as directory:
        out = Path(directory) / "scan.json"
        call = [str(program), "--quiet", f"--json_out={out}", "--mozilla_config=disable", *(f"--{one}" for one in _SCANS)]
        if not is_address(listener.host):
            call.append(f"--sni={listener.host}")
        try:
            done = tools.run([*call, listener.place], LONGEST)
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise ScanFailed(f"sslyze: {failure}") from None
        if not out.exists():
            raise ScanFailed(f"sslyze ended with {done.returncode}: {(done.stderr or done.stdout)[-300:]}")
        return read(out.read_text("utf-8"))
