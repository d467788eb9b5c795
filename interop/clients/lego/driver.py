"""lego: its own listeners for http-01 and tls-alpn-01, the exec provider for dns-01."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from interop.clients.driving import Driver, main

KEYS = {key: key for key in ("ec256", "ec384", "rsa2048", "rsa4096")}
REASONS = {"unspecified": "0", "keyCompromise": "1", "affiliationChanged": "3", "superseded": "4", "cessationOfOperation": "5"}
# lego's own hook protocol: ACTION FQDN VALUE.
HOOK = """#!/bin/sh
[ "$1" = present ] && action=set || action=clear
exec {hook} "$action" {api} "$2" "$3"
"""


class Lego(Driver):
    """lego, as a user calls it."""

    def base(self) -> list[str]:
        """What every call has in common; lego wants the names and the challenge again at each."""
        credential = self.job["credential"]
        external = ["--eab", "--kid", credential["kid"], "--hmac", credential["hmac_key"]] if credential else []
        return [
            *("lego", "--server", self.job["url"], "--path", str(self.home), "--accept-tos", "--email", "lab@example.test"),
            *external,
            *("--key-type", self.need(KEYS, self.job["key"])),
            *(part for name in self.job["names"] for part in ("--domains", name)),
            *self.authenticator(),
        ]

    def authenticator(self) -> list[str]:
        """How the challenge is answered."""
        ways = {
            "http-01": ["--http"],
            "tls-alpn-01": ["--tls"],
            # Its own look at the authoritative servers would climb to a root zone that a lab does not have.
            "dns-01": ["--dns", "exec", "--dns.disable-cp", "--dns.resolvers", self.job["resolver"]],
        }
        return list(self.need(ways, self.job["challenge"]))

    def call(self, *command: str) -> None:
        """Run lego with the hook at hand."""
        hook = self.folder / "hook"
        hook.write_text(HOOK.format(hook=self.dns01_hook(), api=shlex.quote(self.job["dns_api"] or "")))
        hook.chmod(0o700)
        self.run([*self.base(), *command], EXEC_PATH=str(hook), EXEC_SEQUENCE_INTERVAL="1")

    def collect(self, label: str) -> None:
        """Keep the certificate and the account as evidence."""
        found = [path for path in (self.home / "certificates").glob("*.crt") if not path.name.endswith(".issuer.crt")]
        certificate = found[0] if found else Path("certificate")
        self.keep(f"{label}.certificate", certificate)
        self.keep(f"{label}.chain", certificate.with_suffix(".issuer.crt"))
        self.keep(f"{label}.key", certificate.with_suffix(".key"))
        for account in (self.home / "accounts").rglob("account.json"):
            self.note("account.url", json.loads(account.read_text())["registration"]["uri"])
            self.keep("account.key", next((account.parent / "keys").iterdir()))

    def do_issue(self) -> None:
        """An account, if there is none yet, and a certificate."""
        self.call("run")
        self.collect("issue")

    def do_renew(self) -> None:
        """The same certificate again, whatever its age."""
        self.call("renew", "--days", "36500", "--no-random-sleep")
        self.collect("renew")

    def do_revoke(self) -> None:
        """Revoke, signed with the account key."""
        self.call("revoke", "--keep", "--reason", self.need(REASONS, self.job["reason"]))


if __name__ == "__main__":
    main(Lego)
