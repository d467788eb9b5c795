"""strongSwan's ``pki --scepca`` and ``pki --scep``."""

from __future__ import annotations

from pathlib import Path

from interop.clients.driving import Driver, main


class StrongswanScep(Driver):
    """pki, as a user calls it."""

    def certificates(self) -> Path:
        """The CA's certificates, PEM."""
        files = ["--caout", str(self.home / "ca.der"), "--raout", str(self.home / "ra.der")]
        self.run(["pki", "--scepca", "--url", self.job["url"], *files, "--force"])
        found = [*sorted(self.home.glob("ra*.der")), *sorted(self.home.glob("ca*.der"))]
        return self.as_pem(found, self.home / "cacerts.pem")

    def deciphers(self, certificate: Path) -> bool:
        """Whether a certificate is for enciphering keys to its owner."""
        told = self.run(["openssl", "x509", "-in", str(certificate), "-noout", "-ext", "keyUsage"])
        return "Key Encipherment" in told

    def enroll(self, label: str, *authentication: str) -> None:
        """Ask for a certificate; it says nothing but the certificate."""
        self.certificates()
        authorities, registration = sorted(self.home.glob("ca*.der")), sorted(self.home.glob("ra*.der"))
        # The registration authority, or the CA that issues: who deciphers has a certificate for it.
        encrypting = next((path for path in [*registration, *authorities] if self.deciphers(path)), authorities[0])
        signing = registration[0] if registration else encrypting
        options, name = self.job["options"], self.job["names"][0]
        algorithms = [f"--{word}={options[word]}" for word in ("digest", "cipher") if word in options]
        certificate = self.home / f"{label}.pem"
        argv = ["pki", "--scep", "--url", self.job["url"], "--in", str(self.make_key(label)), "--dn", f"CN={name}", "--san", name]
        argv += [*authentication, "--cacert-enc", str(encrypting), "--cacert-sig", str(signing), *algorithms]
        argv += [part for path in authorities for part in ("--cacert", str(path))]
        self.run([*argv, "--interval", "2", "--maxpolltime", "100", "--outform", "pem"], to=certificate)
        self.keep(f"{label}.certificate", certificate)
        self.keep(f"{label}.chain", self.home / "cacerts.pem")

    def do_cacert(self) -> None:
        """Fetch the CA's certificates."""
        self.keep("cacert.certificates", self.certificates())

    def do_issue(self) -> None:
        """Enroll with a challenge password."""
        self.enroll("issue", "--password", self.job["credential"]["code"])

    def do_renew(self) -> None:
        """Renew with the certificate, for a new key."""
        old = [self.folder / self.artefacts[name] for name in ("issue.certificate", "issue.key")]
        self.enroll("renew", "--cert", str(old[0]), "--key", str(old[1]))


if __name__ == "__main__":
    main(StrongswanScep)
