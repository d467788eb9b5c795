"""acme-tiny: a script that has a request signed; keys and requests are OpenSSL's."""

from __future__ import annotations

from interop.clients.driving import Driver, main
from interop.clients.responders import webroot


class AcmeTiny(Driver):
    """acme-tiny, as a user calls it."""

    def sign(self, label: str) -> None:
        """Have a request for a fresh key signed; it says nothing but the chain."""
        account = self.home / "account.key.pem"
        if not account.is_file():
            self.run(["openssl", "genrsa", "-out", str(account), "2048"])
        request, certificate = self.home / f"{label}.csr.pem", self.home / f"{label}.pem"
        der = self.make_request(label, self.make_key(label))
        self.run(["openssl", "req", "-inform", "DER", "-in", str(der), "-out", str(request)])
        with webroot(self.home / "www") as folder:
            files = ["--account-key", str(account), "--csr", str(request), "--acme-dir", str(folder)]
            # Its own look at the answer would ask a resolver that a lab does not have at the usual port.
            where = ["--directory-url", self.job["url"], "--disable-check", "--contact", "mailto:lab@example.test"]
            self.run(["acme-tiny", *files, *where], to=certificate)
        self.keep(f"{label}.certificate", certificate)

    def do_issue(self) -> None:
        """A certificate."""
        self.sign("issue")

    def do_renew(self) -> None:
        """The same again with the account that is there, for a new key."""
        self.sign("renew")


if __name__ == "__main__":
    main(AcmeTiny)
