"""dehydrated: files for http-01, certificates that it makes for tls-alpn-01, a hook for dns-01."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from interop.clients.certbot.driver import is_address
from interop.clients.driving import Driver, UnsupportedError, main
from interop.clients.responders import alpn, webroot

KEYS = {
    "ec256": ["KEY_ALGO=prime256v1"],
    "ec384": ["KEY_ALGO=secp384r1"],
    **{f"rsa{size}": ["KEY_ALGO=rsa", f"KEYSIZE={size}"] for size in (2048, 3072, 4096)},
}
# dehydrated's own hook protocol: STAGE DOMAIN TOKEN VALUE ...; stages that a hook does not know are none of its business.
HOOK = """#!/bin/sh
case "$1" in
    deploy_challenge) action=set ;;
    clean_challenge) action=clear ;;
    *) exit 0 ;;
esac
[ {challenge} = dns-01 ] || exit 0
exec {hook} "$action" {api} "_acme-challenge.$2" "$4"
"""


class Dehydrated(Driver):
    """dehydrated, as a user calls it: everything is in its configuration."""

    def configure(self) -> Path:
        """The configuration of this job."""
        credential, challenge = self.job["credential"], self.job["challenge"]
        hook = self.home / "hook.sh"
        api = shlex.quote(self.job["dns_api"] or "")
        hook.write_text(HOOK.format(hook=self.dns01_hook(), api=api, challenge=challenge), encoding="utf-8")
        hook.chmod(0o700)
        lines = [
            f"CA={self.job['url']}",
            f"BASEDIR={self.home}",
            f"WELLKNOWN={self.home / 'www'}",
            f"ALPNCERTDIR={self.home / 'alpn'}",
            f"CHALLENGETYPE={challenge}",
            f"HOOK={hook}",
            "CONTACT_EMAIL=lab@example.test",
            *self.need(KEYS, self.job["key"]),
            *([f"EAB_KID={credential['kid']}", f"EAB_HMAC_KEY={credential['hmac_key']}"] if credential else []),
        ]
        config = self.home / "config"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        config.chmod(0o600)
        for folder in ("www", "alpn"):
            (self.home / folder).mkdir(exist_ok=True)
        return config

    def call(self, *arguments: str) -> None:
        """Run it once."""
        self.run(["dehydrated", *arguments, "--config", str(self.configure())])

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """While somebody answers the job's challenges."""
        ways = {
            "http-01": lambda: webroot(self.home / "www"),
            "tls-alpn-01": lambda: alpn(self.home / "alpn"),
            "dns-01": contextlib.nullcontext,
        }
        with self.need(ways, self.job["challenge"])():
            yield

    def certificate(self) -> Path:
        """The certificate that it holds."""
        return self.home / "certs" / "lab" / "cert.pem"

    def collect(self, label: str) -> None:
        """Keep the certificate and the account as evidence."""
        folder = self.certificate().parent
        self.keep(f"{label}.certificate", folder / "cert.pem")
        self.keep(f"{label}.chain", folder / "chain.pem")
        self.keep(f"{label}.key", folder / "privkey.pem")

    def do_register(self) -> None:
        """An account and nothing else."""
        self.call("--register", "--accept-terms")
        for account in (self.home / "accounts").glob("*/account_id.json"):
            self.note("account.url", json.loads(account.read_text())["url"])
            self.keep("account.key", account.with_name("account_key.pem"))

    def sign(self, label: str, *more: str) -> None:
        """Ask for the certificate of all names."""
        names = [f"ip:{name}" if is_address(name) else name for name in self.job["names"]]
        with self.answering():
            self.call("--cron", *(part for name in names for part in ("--domain", name)), "--alias", "lab", *more)
        self.collect(label)

    def do_issue(self) -> None:
        """An account, then a certificate."""
        self.do_register()
        self.sign("issue")

    def do_renew(self) -> None:
        """The same certificate again, whatever its age."""
        self.sign("renew", "--force")

    def revoke(self, *key: str) -> None:
        """Revoke, signing with the account key or the key given."""
        if self.job["reason"] != "unspecified":
            raise UnsupportedError("dehydrated gives no reason")
        self.call("--revoke", str(self.certificate()), *key)

    def do_revoke(self) -> None:
        """Revoke, signed with the account key."""
        self.revoke()

    def do_revoke_by_key(self) -> None:
        """Revoke, signed with the certificate's own key."""
        self.revoke("--privkey", str(self.certificate().with_name("privkey.pem")))

    def do_deactivate(self) -> None:
        """Close the account."""
        self.call("--deactivate")


if __name__ == "__main__":
    main(Dehydrated)
