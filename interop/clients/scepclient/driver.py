"""scepclient: it makes its own key, and renews when it finds a certificate beside it."""

from __future__ import annotations

from pathlib import Path

from interop.clients.driving import ClientFailedError, Driver, main
from interop.clients.scep import ca_certificates


class Scepclient(Driver):
    """scepclient, as a user calls it."""

    def call(self) -> Path:
        """Run it once; the certificate that is there afterwards."""
        certificate, credential = self.home / "client.pem", self.job["credential"]
        name = self.job["names"][0]
        files = ["-private-key", str(self.home / "client.key.pem"), "-certificate", str(certificate)]
        subject = ["-cn", name, "-dnsname", name]
        server = ["-server-url", self.job["url"], f"-challenge={credential['code']}"]
        # Without the last it encrypts to every certificate of the CA's chain, and a root may have no RSA key.
        self.run(["scepclient", *files, *server, *subject, "-key-encipherment-selector"])
        return certificate

    def collect(self, label: str) -> None:
        """Keep what it left."""
        self.keep(f"{label}.certificate", self.home / "client.pem")
        self.keep(f"{label}.key", self.home / "client.key.pem")
        self.keep(f"{label}.chain", ca_certificates(self.job["url"], self.home / "chain.pem"))

    def do_issue(self) -> None:
        """Enroll; it does not poll, so it is run again where it has to wait."""
        if self.job["options"].get("poll"):
            self.until(self.issued, 100, 2)
        else:
            self.call()
        self.collect("issue")

    def issued(self) -> bool:
        """Whether a call gave a certificate; a pending one is an error to it."""
        try:
            return self.call().is_file()
        except ClientFailedError:
            if "PENDING" not in (self.folder / "log.txt").read_text().upper():
                raise
            return False

    def do_renew(self) -> None:
        """Renew with the certificate that is there."""
        self.call()
        self.collect("renew")


if __name__ == "__main__":
    main(Scepclient)
