"""acmetool: what is wanted is in its state directory, in files that are JSON here, and so YAML."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from interop.clients.driving import Driver, main

KEYS: dict[str, dict[str, Any]] = {
    "ec256": {"type": "ecdsa", "ecdsa-curve": "nistp256"},
    "ec384": {"type": "ecdsa", "ecdsa-curve": "nistp384"},
    **{f"rsa{size}": {"type": "rsa", "rsa-size": size} for size in (2048, 3072, 4096)},
}
# acmetool's own hook protocol: EVENT HOSTNAME TARGET-FILE VALUE; 42 is "not mine".
HOOK = """#!/bin/sh
case "$1" in
    challenge-dns-start) {hook} set {api} "_acme-challenge.$2" "$4" ;;
    challenge-dns-stop) {hook} clear {api} "_acme-challenge.$2" "$4" ;;
    *) exit 42 ;;
esac
"""


class Acmetool(Driver):
    """acmetool, as a user calls it."""

    def call(self, *arguments: str) -> str:
        """Run it once; terms and contact are answered beforehand."""
        responses = {"acme-agreement:" + self.terms(): True, "acme-enter-email": "lab@example.test"}
        answers = self.home / "responses.yaml"
        answers.write_text(json.dumps(responses), encoding="utf-8")
        hooks = self.home / "hooks"
        hooks.mkdir(exist_ok=True)
        if self.job["challenge"] == "dns-01":
            hook = hooks / "lab"
            api = shlex.quote(self.job["dns_api"])
            hook.write_text(HOOK.format(hook=self.dns01_hook(), api=api), encoding="utf-8")
            hook.chmod(0o700)
        common = ["--state", str(self.home / "state"), "--hooks", str(hooks), "--batch", "--response-file", str(answers)]
        return self.run(["acmetool", *common, "--xlog.severity=info", *arguments])

    def terms(self) -> str:
        """The URL of the terms of service, which the answer to it goes by."""
        return "https://example.test/terms"

    def configure(self) -> None:
        """What every target has in common."""
        conf = self.home / "state" / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        # Its own look at the answer would ask a resolver that a lab does not have at the usual port.
        challenge = {"http-ports": [80], "http-self-test": False}
        request = {"provider": self.job["url"], "key": self.need(KEYS, self.job["key"]), "challenge": challenge}
        (conf / "target").write_text(json.dumps({"request": request}), encoding="utf-8")

    def live(self) -> Path:
        """The certificate of the first name."""
        return self.home / "state" / "live" / str(self.job["names"][0])

    def collect(self, label: str) -> None:
        """Keep what it left."""
        self.keep(f"{label}.certificate", self.live() / "cert")
        self.keep(f"{label}.chain", self.live() / "chain")
        self.keep(f"{label}.key", self.live() / "privkey")

    def do_issue(self) -> None:
        """Want a certificate; an account is made on the way."""
        self.configure()
        self.call("want", *self.job["names"])
        self.collect("issue")

    def do_renew(self) -> None:
        """The same again: with the certificate put away, what is wanted is not there."""
        old = self.live().resolve()
        old.rename(old.with_name("old"))
        self.call("reconcile")
        self.collect("renew")

    def do_revoke(self) -> None:
        """Revoke, signed with the account key."""
        self.call("revoke", self.live().resolve().name)


if __name__ == "__main__":
    main(Acmetool)
