"""certbot: standalone for http-01, manual hooks for dns-01."""

from __future__ import annotations

import ipaddress
import json
import shlex
import subprocess

from interop.clients.driving import Driver, UnsupportedError, main

KEYS = {
    "ec256": ["--key-type", "ecdsa", "--elliptic-curve", "secp256r1"],
    "ec384": ["--key-type", "ecdsa", "--elliptic-curve", "secp384r1"],
    "rsa2048": ["--key-type", "rsa", "--rsa-key-size", "2048"],
    "rsa3072": ["--key-type", "rsa", "--rsa-key-size", "3072"],
    "rsa4096": ["--key-type", "rsa", "--rsa-key-size", "4096"],
}
REASONS = {"unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation"}


def is_address(name: str) -> bool:
    """Whether ``name`` is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Certbot(Driver):
    """certbot, as a user calls it."""

    def base(self, command: str, *, server: bool = True) -> list[str]:
        """What every call has in common."""
        folders = [f"--{kind}-dir={self.home / kind}" for kind in ("config", "work", "logs")]
        return ["certbot", command, "-n", *folders, *(["--server", self.job["url"]] if server else [])]

    def registration(self) -> list[str]:
        """Terms, contact, and the external account if the job has one."""
        credential = self.job["credential"]
        external = ["--eab-kid", credential["kid"], "--eab-hmac-key", credential["hmac_key"]] if credential else []
        return ["--agree-tos", "-m", "lab@example.test", *external]

    def authenticator(self) -> list[str]:
        """How the challenge is answered."""
        if self.job["challenge"] == "http-01":
            return ["--standalone", "--preferred-challenges", "http"]
        if self.job["challenge"] != "dns-01":
            raise UnsupportedError(f"certbot has no {self.job['challenge']}")
        hook, api = self.dns01_hook(), shlex.quote(self.job["dns_api"])
        return [
            "--manual",
            "--preferred-challenges=dns",
            f"--manual-auth-hook={hook} set {api}",
            f"--manual-cleanup-hook={hook} clear {api}",
        ]

    def names(self) -> list[str]:
        """The names as certbot takes them."""
        if not any(is_address(name) for name in self.job["names"]):
            return [part for name in self.job["names"] for part in ("-d", name)]
        help_text = subprocess.run(["certbot", "--help", "all"], capture_output=True, text=True, check=False).stdout  # noqa: S607
        if "--ip-address" not in help_text:
            raise UnsupportedError("this certbot has no IP identifiers")
        return [part for name in self.job["names"] for part in ("--ip-address" if is_address(name) else "-d", name)]

    def collect(self, label: str) -> None:
        """Keep the newest certificate as evidence."""
        live = self.home / "config" / "live" / "lab"
        self.keep(f"{label}.certificate", live / "cert.pem")
        self.keep(f"{label}.chain", live / "chain.pem")
        self.keep(f"{label}.key", live / "privkey.pem")

    def do_register(self) -> None:
        """An account and nothing else."""
        self.run([*self.base("register"), *self.registration()])
        accounts = sorted((self.home / "config" / "accounts").rglob("regr.json"))
        if accounts:
            self.note("account.url", json.loads(accounts[0].read_text())["uri"])
            self.keep("account.key", accounts[0].with_name("private_key.json"))

    def do_issue(self) -> None:
        """A certificate."""
        names, how = self.names(), self.authenticator()
        self.run(
            [*self.base("certonly"), *self.registration(), *how, *self.need(KEYS, self.job["key"]), "--cert-name", "lab", *names]
        )
        self.collect("issue")

    def do_renew(self) -> None:
        """The same certificate again, by the configuration that the first run left."""
        self.run([*self.base("renew", server=False), "--force-renewal", "--no-random-sleep-on-renew", "--cert-name", "lab"])
        self.collect("renew")

    def revoke(self, *key: str) -> None:
        """Revoke, signing with the account key or the key given."""
        if self.job["reason"] not in REASONS:
            raise UnsupportedError(f"certbot has no reason {self.job['reason']}")
        live = self.home / "config" / "live" / "lab"
        reason = ["--reason", self.job["reason"].lower()]
        self.run([*self.base("revoke"), "--cert-path", str(live / "cert.pem"), *key, *reason, "--no-delete-after-revoke"])

    def do_revoke(self) -> None:
        """Revoke, signed with the account key."""
        self.revoke()

    def do_revoke_by_key(self) -> None:
        """Revoke, signed with the certificate's own key."""
        self.revoke("--key-path", str(self.home / "config" / "live" / "lab" / "privkey.pem"))

    def do_deactivate(self) -> None:
        """Close the account."""
        self.run(self.base("unregister"))


if __name__ == "__main__":
    main(Certbot)
