"""Pebble with pebble-challtestsrv, from PATH: a second target, which tells whether a failure is the client's or ours."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from interop.certificates import make_server_certificate
from interop.servers.server import Record, Server, ServerError, Service

DNS_API = "http://127.0.0.1:8055"
RESOLVER = "127.0.0.1:8053"
# RFC 8555 section 7.3.4: the MAC key of external account binding, base64url.
EAB = {"kid": "lab", "hmac_key": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}
REASONS = {0: "unspecified", 1: "keyCompromise", 3: "affiliationChanged", 4: "superseded", 5: "cessationOfOperation"}


class Pebble(Server):
    """Two Pebbles in one namespace, one of which asks for external account binding."""

    publishes_crl = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._trust = folder / "tls.pem"
        make_server_certificate(self._trust, folder / "tls.key")
        off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-defaultIPv6", ""]
        self.run(["pebble-challtestsrv", *off, "-dnsserver", RESOLVER, "-management", DNS_API.removeprefix("http://")])
        for external, port in ((False, 14000), (True, 14001)):
            config = {
                "listenAddress": f"127.0.0.1:{port}",
                "managementListenAddress": f"127.0.0.1:{port + 1000}",
                "certificate": str(self._trust),
                "privateKey": str(folder / "tls.key"),
                "httpPort": 80,
                "tlsPort": 443,
                "ocspResponderURL": "",
                "externalAccountBindingRequired": external,
                "externalAccountMACKeys": {EAB["kid"]: EAB["hmac_key"]},
            }
            path = folder / f"pebble-{port}.json"
            path.write_text(json.dumps({"pebble": config}))
            self.run(
                ["pebble", "-config", str(path), "-dnsserver", RESOLVER],
                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
            )
        self._anchors = folder / "roots.pem"
        roots = [self.wait(functools.partial(self._get, port, "/roots/0")) for port in (15000, 15001)]
        self._anchors.write_bytes(b"".join(roots))

    @classmethod
    def offers(cls, protocol: str, variant: str) -> bool:
        """ACME."""
        return protocol == "acme" and not variant

    @staticmethod
    def version() -> str:
        """Pebble's own word for it."""
        if not (found := shutil.which("pebble")) or not shutil.which("pebble-challtestsrv"):
            raise ServerError("pebble and pebble-challtestsrv are not on PATH")
        text = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        return text.rpartition(" ")[2].strip()

    def _get(self, port: int, path: str) -> bytes | None:
        context = ssl.create_default_context(cafile=str(self._trust))
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{port}{path}", timeout=5, context=context) as reply:
                return bytes(reply.read())
        except (urllib.error.URLError, OSError):
            return None

    def service(self, protocol: str, *, with_credential: bool, variant: str = "", fault: str = "") -> Service:
        """One of the two directories."""
        if protocol != "acme" or variant:
            raise ServerError(f"Pebble has no {variant or protocol}")
        port = 14001 if with_credential else 14000
        return Service(f"https://127.0.0.1:{port}/dir", self._trust, DNS_API, RESOLVER, EAB if with_credential else None)

    @property
    def anchors(self) -> Path:
        """The roots of both."""
        return self._anchors

    def record(self, serial: int) -> Record | None:
        """By the management interface."""
        text = f"{serial:x}"
        for port in (15000, 15001):
            if answer := self._get(port, f"/cert-status-by-serial/{text.zfill(len(text) + len(text) % 2)}"):
                known = json.loads(answer)
                status = {"Valid": "good", "Revoked": "revoked"}.get(known["Status"], known["Status"])
                return Record(
                    status,
                    REASONS.get(int(re.sub(r"\D", "", str(known.get("Reason", ""))) or 0), "") if status == "revoked" else "",
                )
        return None

    def names_issued(self) -> set[str] | None:
        """Pebble does not list certificates."""
        return None
