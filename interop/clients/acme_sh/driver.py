"""acme.sh: standalone for http-01 (socat) and tls-alpn-01 (openssl), a dnsapi hook for dns-01."""

from __future__ import annotations

import re
import shlex

from interop.clients.driving import Driver, main

KEYS = {"ec256": "ec-256", "ec384": "ec-384", "rsa2048": "2048", "rsa3072": "3072", "rsa4096": "4096"}
REASONS = {"unspecified": "0", "keyCompromise": "1", "affiliationChanged": "3", "superseded": "4", "cessationOfOperation": "5"}
# A hook of acme.sh is a shell file with two functions, called with the full name and the value.
HOOK = """dns_lab_add() {{ {hook} set {api} "$1" "$2"; }}
dns_lab_rm() {{ {hook} clear {api} "$1" "$2"; }}
"""


class AcmeSh(Driver):
    """acme.sh, as a user calls it."""

    def call(self, command: str, *arguments: str) -> None:
        """Run acme.sh in its own home, trusting the lab's CA."""
        common = ["--home", str(self.home), "--server", self.job["url"], "--ca-bundle", self.job["trust"], "--no-color"]
        self.run(["acme.sh", command, *common, *arguments])

    def keep_account(self) -> None:
        """Keep the account as evidence."""
        for conf in (self.home / "ca").rglob("ca.conf"):
            if found := re.search(r"ACCOUNT_URL='([^']+)'", conf.read_text()):
                self.note("account.url", found[1])
                self.keep("account.key", conf.with_name("account.key"))

    def do_register(self) -> None:
        """An account and nothing else."""
        credential = self.job["credential"]
        external = ["--eab-kid", credential["kid"], "--eab-hmac-key", credential["hmac_key"]] if credential else []
        self.call("--register-account", "-m", "lab@example.test", *external)
        self.keep_account()

    def authenticator(self) -> list[str]:
        """How the challenge is answered."""
        if self.job["challenge"] == "dns-01":
            folder = self.home / "dnsapi"
            folder.mkdir(exist_ok=True)
            (folder / "dns_lab.sh").write_text(HOOK.format(hook=self.dns01_hook(), api=shlex.quote(self.job["dns_api"])))
        # With --dnssleep it does not ask a public resolver whether the record is there.
        # Its listener takes one family.
        family = ["--listen-v6"] if ":" in self.job["names"][0] else []
        ways = {
            "http-01": ["--standalone", *family],
            "tls-alpn-01": ["--alpn"],
            "dns-01": ["--dns", "dns_lab", "--dnssleep", "1"],
        }
        return list(self.need(ways, self.job["challenge"]))

    def collect(self, label: str) -> None:
        """Keep the certificate as evidence."""
        name = self.job["names"][0]
        folder = self.home / (f"{name}_ecc" if self.job["key"].startswith("ec") else name)
        self.keep(f"{label}.certificate", folder / f"{name}.cer")
        self.keep(f"{label}.chain", folder / "ca.cer")
        self.keep(f"{label}.key", folder / f"{name}.key")
        self.keep_account()

    def do_issue(self) -> None:
        """An account, then a certificate."""
        how = self.authenticator()
        key = self.need(KEYS, self.job["key"])
        self.do_register()
        self.call("--issue", *how, "-k", key, *(part for name in self.job["names"] for part in ("-d", name)))
        self.collect("issue")

    def which(self) -> list[str]:
        """Which certificate is meant."""
        return ["-d", self.job["names"][0], *(["--ecc"] if self.job["key"].startswith("ec") else [])]

    def do_renew(self) -> None:
        """The same certificate again, whatever its age."""
        self.call("--renew", *self.which(), "--force")
        self.collect("renew")

    def do_revoke(self) -> None:
        """Revoke, signed with the account key."""
        self.call("--revoke", *self.which(), "--revoke-reason", self.need(REASONS, self.job["reason"]))

    def do_deactivate(self) -> None:
        """Close the account."""
        self.call("--deactivate-account")


if __name__ == "__main__":
    main(AcmeSh)
