"""Caddy: told to keep certificates for names, and nothing to serve with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from interop.clients.driving import ClientFailedError, Driver, main

KEYS = {"ec256": "p256", "ec384": "p384", "rsa2048": "rsa2048", "rsa4096": "rsa4096"}


class Caddy(Driver):
    """Caddy, as a user configures it."""

    def configure(self, **policy: Any) -> list[str]:
        """The command that starts it with the configuration of this job."""
        credential = self.job["credential"]
        other = self.need({"http-01": "tls-alpn", "tls-alpn-01": "http"}, self.job["challenge"])
        issuer = {
            "module": "acme",
            "ca": self.job["url"],
            "email": "lab@example.test",
            "trusted_roots_pem_files": [self.job["trust"]],
            "challenges": {other: {"disabled": True}},
        }
        if credential:
            issuer["external_account"] = {"key_id": credential["kid"], "mac_key": credential["hmac_key"]}
        automation = {"issuers": [issuer], "key_type": self.need(KEYS, self.job["key"]), **policy}
        config = {
            "admin": {"disabled": True},
            "storage": {"module": "file_system", "root": str(self.home / "storage")},
            "apps": {"tls": {"certificates": {"automate": self.job["names"]}, "automation": {"policies": [automation]}}},
        }
        path = self.home / "caddy.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        path.chmod(0o600)
        return ["caddy", "run", "--config", str(path)]

    def certificates(self) -> dict[Path, bytes]:
        """What it keeps."""
        return {path: path.read_bytes() for path in (self.home / "storage" / "certificates").rglob("*.crt")}

    def obtain(self, label: str, **policy: Any) -> None:
        """Run it until it has got a certificate that was not there before."""
        argv, before = self.configure(**policy), self.certificates()

        def done(printed: str) -> bool:
            if failed := re.search(r'.*"msg":"will retry".*', printed):
                raise ClientFailedError(f"it will try again: {json.loads(failed[0])['error']}")
            now = self.certificates()
            # It writes the key, the certificate, and then what else it knows of them.
            return bool(now) and now != before and all(path.with_suffix(".json").is_file() for path in now)

        self.serve(argv, done, HOME=str(self.home))
        certificate = next(iter(self.certificates()))
        self.keep(f"{label}.certificate", certificate)
        self.keep(f"{label}.key", certificate.with_suffix(".key"))

    def do_issue(self) -> None:
        """A certificate; an account is made on the way."""
        self.obtain("issue")

    def do_renew(self) -> None:
        """The same again, as it is to renew as soon as it can."""
        self.obtain("renew", renewal_window_ratio=1)


if __name__ == "__main__":
    main(Caddy)
