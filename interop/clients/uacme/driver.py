"""uacme: a hook for http-01 and dns-01, its own responder ualpn for tls-alpn-01."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from interop.clients.driving import Driver, main
from interop.clients.responders import webroot

KEYS = {
    "ec256": ["-t", "EC", "-b", "256"],
    "ec384": ["-t", "EC", "-b", "384"],
    **{f"rsa{size}": ["-t", "RSA", "-b", str(size)] for size in (2048, 3072, 4096)},
}
REASONS = {"unspecified": "0", "keyCompromise": "1", "affiliationChanged": "3", "superseded": "4", "cessationOfOperation": "5"}
# uacme's own hook protocol: METHOD TYPE IDENT TOKEN AUTH; what is not answered with 0 is skipped for another challenge.
HOOK = """#!/bin/sh
[ "$2" = {challenge} ] || exit 1
case "$1.$2" in
    begin.http-01) printf %s "$5" > {www}/"$4" ;;
    *.http-01) rm -f {www}/"$4" ;;
    begin.dns-01) {hook} set {api} "_acme-challenge.$3" "$5" ;;
    *.dns-01) {hook} clear {api} "_acme-challenge.$3" "$5" ;;
    *.tls-alpn-01) exec sh /usr/share/uacme/ualpn.sh "$@" ;;
esac
"""


SOCKET = Path("/run/ualpn.sock")
# It is a proxy, and wants to know whose: nobody's. Told no address to listen on, it takes all.
UALPN = ["ualpn", "-v", "-c", "127.0.0.1@9"]


class Uacme(Driver):
    """uacme, as a user calls it."""

    def call(self, *arguments: str) -> str:
        """Run it once."""
        www, hook = self.home / "www", self.home / "hook.sh"
        www.mkdir(exist_ok=True)
        api = shlex.quote(self.job["dns_api"] or "")
        text = HOOK.format(challenge=self.job["challenge"], www=www, hook=self.dns01_hook(), api=api)
        hook.write_text(text, encoding="utf-8")
        hook.chmod(0o700)
        credential = self.job["credential"]
        external = ["-e", f"{credential['kid']}:{credential['hmac_key']}"] if credential else []
        key = self.need(KEYS, self.job["key"])
        return self.run(
            ["uacme", "-v", "-y", "-a", self.job["url"], "-c", str(self.home), "-h", str(hook), *key, *external, *arguments]
        )

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """While somebody answers the job's challenges."""
        ways = {
            "http-01": lambda: webroot(self.home / "www"),
            "tls-alpn-01": lambda: self.beside(UALPN, SOCKET.is_socket),
            "dns-01": contextlib.nullcontext,
        }
        with self.need(ways, self.job["challenge"])():
            yield

    def do_register(self) -> None:
        """An account and nothing else; it keeps no URL, and tells it."""
        said = self.call("new", "lab@example.test")
        if found := re.search(r"account created at (https://\S+)", said):
            self.note("account.url", found[1])
            self.keep("account.key", self.home / "private" / "key.pem")

    def sign(self, label: str, *more: str) -> None:
        """Ask for the certificate of all names; it goes by the first."""
        first, folder = self.job["names"][0], self.home / self.job["names"][0]
        with self.answering():
            self.call(*more, "issue", *self.job["names"])
        self.keep(f"{label}.certificate", folder / "cert.pem")
        self.keep(f"{label}.key", self.home / "private" / first / "key.pem")

    def do_issue(self) -> None:
        """An account, then a certificate."""
        self.do_register()
        self.sign("issue")

    def do_renew(self) -> None:
        """The same certificate again, whatever its age."""
        self.sign("renew", "-f")

    def revoke(self, *key: str) -> None:
        """Revoke, signing with the account key or the key given."""
        certificate = self.home / self.job["names"][0] / "cert.pem"
        self.call("-r", self.need(REASONS, self.job["reason"]), "revoke", str(certificate), *key)

    def do_revoke(self) -> None:
        """Revoke, signed with the account key."""
        self.revoke()

    def do_revoke_by_key(self) -> None:
        """Revoke, signed with the certificate's own key."""
        self.revoke(str(self.home / "private" / self.job["names"][0] / "key.pem"))

    def do_deactivate(self) -> None:
        """Close the account."""
        self.call("deactivate")


if __name__ == "__main__":
    main(Uacme)
