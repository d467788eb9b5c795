"""mod_md: Apache with nothing but this module and TLS; what it got becomes valid when it is started again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from interop.clients.driving import ClientFailedError, Driver, main

KEYS = {"ec256": "secp256r1", "ec384": "secp384r1", **{f"rsa{size}": f"RSA {size}" for size in (2048, 3072, 4096)}}
MODULES = Path("/usr/lib/apache2/modules")
CONFIG = """
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule md_module {modules}/mod_md.so
User www-data
Group www-data
ServerRoot {home}
PidFile {home}/httpd.pid
ErrorLog /dev/stderr
LogLevel warn md:info
Listen 80
Listen 443
Protocols http/1.1 acme-tls/1
ServerName {names[0]}
MDStoreDir {home}/md
MDCertificateAuthority {url}
MDCACertificateFile {trust}
MDCertificateAgreement accepted
MDContactEmail lab@example.test
MDCAChallenges {challenge}
MDPrivateKeys {key}
MDRetryDelay 5s
MDRenewWindow {window}
{more}
MDomain {all}
<VirtualHost *:80>
    ServerName {names[0]}
</VirtualHost>
<VirtualHost *:443>
    ServerName {names[0]}
    {aliases}
    SSLEngine on
</VirtualHost>
"""
# mod_md's own hook protocol: setup DOMAIN VALUE, teardown DOMAIN VALUE.
HOOK = """#!/bin/sh
[ "$1" = setup ] && action=set || action=clear
exec {hook} "$action" {api} "_acme-challenge.$2" "$3"
"""


class ModMd(Driver):
    """Apache, as a user configures it."""

    def configure(self, window: str) -> list[str]:
        """The command that starts it with the configuration of this job; ``window`` is how long before its end it renews."""
        names = self.job["names"]
        credential, more = self.job["credential"], []
        if credential:
            more.append(f"MDExternalAccountBinding {credential['kid']} {credential['hmac_key']}")
        if self.job["challenge"] == "dns-01":
            hook = self.home / "hook.sh"
            hook.write_text(HOOK.format(hook=self.dns01_hook(), api=shlex.quote(self.job["dns_api"])), encoding="utf-8")
            hook.chmod(0o755)
            more += [f"MDChallengeDns01 {hook}", "MDChallengeDns01Version 2"]
        config = self.home / "httpd.conf"
        text = CONFIG.format(
            modules=MODULES,
            home=self.home,
            names=names,
            url=self.job["url"],
            trust=self.job["trust"],
            challenge=self.job["challenge"],
            key=self.need(KEYS, self.job["key"]),
            window=window,
            more="\n".join(more),
            all=" ".join(names),
            aliases=f"ServerAlias {' '.join(names[1:])}" if names[1:] else "",
        )
        config.write_text(text, encoding="utf-8")
        config.chmod(0o600)
        return ["apache2", "-f", str(config), "-DFOREGROUND"]

    def staged(self, printed: str) -> bool:
        """Whether it has got a certificate and waits to be started again. :raises ClientFailedError: once it was refused."""
        try:
            job = json.loads((self.home / "md" / "staging" / self.job["names"][0] / "job.json").read_text())
        except (OSError, ValueError):
            return False
        if job.get("errors"):
            raise ClientFailedError(
                f"it will try again: {job.get('last', {}).get('problem', '')} {job.get('last', {}).get('detail', '')}"
            )
        return bool(job.get("finished"))

    def obtain(self, label: str, window: str) -> None:
        """Run it until it has got a certificate, and again until that is in use."""
        argv, domain = self.configure(window), self.home / "md" / "domains" / self.job["names"][0]
        before = {path: path.read_bytes() for path in domain.glob("pubcert*.pem")}
        self.serve(argv, self.staged)
        self.configure("33%")
        self.serve(argv, lambda printed: any(before.get(path) != path.read_bytes() for path in domain.glob("pubcert*.pem")))
        chain = next(domain.glob("pubcert*.pem"))
        self.keep(f"{label}.certificate", chain)
        self.keep(f"{label}.key", chain.with_name(chain.name.replace("pubcert", "privkey")))

    def do_issue(self) -> None:
        """A certificate; an account is made on the way."""
        self.obtain("issue", "33%")

    def do_renew(self) -> None:
        """The same again, as it is to renew long before the end."""
        self.obtain("renew", "365d")


if __name__ == "__main__":
    main(ModMd)
