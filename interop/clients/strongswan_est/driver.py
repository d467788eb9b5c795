"""strongSwan's ``pki --estca`` and ``pki --est``, with the label that the URL has."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from interop.clients.driving import Driver, main


class StrongswanEst(Driver):
    """pki, as a user calls it."""

    def server(self) -> list[str]:
        """Where the service is; the label is the last part of the path."""
        url = urlsplit(self.job["url"])
        label = url.path.removeprefix("/.well-known/est").strip("/")
        labelled = ["--label", label] if label else []
        return ["--url", f"{url.scheme}://{url.netloc}", *labelled, "--cacert", self.job["trust"]]

    def certificates(self) -> Path:
        """The CA's certificates, PEM."""
        self.run(["pki", "--estca", *self.server(), "--caout", str(self.home / "ca.der"), "--force"])
        return self.as_pem(sorted(self.home.glob("ca*.der")), self.home / "cacerts.pem")

    def enroll(self, label: str, key: Path, *authentication: str) -> None:
        """Ask for a certificate; it says nothing but the certificate."""
        request = self.make_request(label, key)
        certificate = self.home / f"{label}.pem"
        patience = ["--interval", "2", "--maxpolltime", "100"]
        argv = ["pki", "--est", *self.server(), "--in", str(request), *authentication, *patience, "--outform", "pem"]
        self.run(argv, to=certificate)
        self.keep(f"{label}.certificate", certificate)
        self.keep(f"{label}.chain", self.home / "cacerts.pem")

    def do_cacerts(self) -> None:
        """Fetch the CA's certificates."""
        self.keep("cacerts.certificates", self.certificates())

    def do_issue(self) -> None:
        """Enroll with Basic; it repeats its request itself if it is told to come back."""
        self.certificates()
        credential = self.job["credential"]
        self.enroll("issue", self.make_key("issue"), "--userpass", f"{credential['username']}:{credential['code']}")

    def do_renew(self) -> None:
        """Enroll again with the certificate, for a new key."""
        old = [self.folder / self.artefacts[name] for name in ("issue.certificate", "issue.key")]
        self.enroll("renew", self.make_key("renew"), "--cert", str(old[0]), "--key", str(old[1]))


if __name__ == "__main__":
    main(StrongswanEst)
