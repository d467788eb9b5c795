"""sscep: one command for each operation, with requests that OpenSSL makes."""

from __future__ import annotations

from pathlib import Path

from interop.clients.driving import Driver, main

REQUEST = """
[req]
distinguished_name = name
attributes = attributes
req_extensions = extensions
prompt = no
[name]
CN = {name}
[attributes]
challengePassword = {code}
[extensions]
subjectAltName = DNS:{name}
"""
DIGESTS = {"sha1": "sha1", "sha256": "sha256", "sha512": "sha512"}
CIPHERS = {"des3": "3des", "aes": "aes128"}


class Sscep(Driver):
    """sscep, as a user calls it."""

    def call(self, operation: str, *arguments: str) -> str:
        """Run it once."""
        return self.run(["sscep", operation, "-u", self.job["url"], *arguments])

    def authority(self) -> Path:
        """The CA's certificates; it writes one file, or for a chain several with a number."""
        first = self.home / "ca.pem"
        if not list(self.home.glob("ca.pem*")):
            self.call("getca", "-c", str(first), "-F", "sha256")
        return first if first.is_file() else self.home / "ca.pem-0"

    def chain(self) -> Path:
        """All of them in one file."""
        self.authority()
        return self.as_pem(sorted(self.home.glob("ca.pem*")), self.home / "chain.pem")

    def enroll(self, label: str, *old: str) -> None:
        """Ask for a certificate."""
        key, certificate, options = self.make_key(label), self.home / f"{label}.pem", self.job["options"]
        config, request = self.home / "request.cnf", self.home / f"{label}.csr"
        config.write_text(REQUEST.format(name=self.job["names"][0], code=self.job["credential"]["code"]))
        config.chmod(0o600)
        self.run(["openssl", "req", "-new", "-key", str(key), "-config", str(config), "-out", str(request)])
        algorithms = ["-S", DIGESTS[options["digest"]]] if "digest" in options else []
        algorithms += ["-E", CIPHERS[options["cipher"]]] if "cipher" in options else []
        files = ["-c", str(self.authority()), "-k", str(key), "-r", str(request), "-l", str(certificate)]
        self.call("enroll", *files, *algorithms, *old, "-t", "2", "-n", "20")
        self.keep(f"{label}.certificate", certificate)
        self.keep(f"{label}.chain", self.chain())

    def held(self) -> list[str]:
        """The certificate and key that it has, as its options."""
        certificate, key = (str(self.folder / self.artefacts[name]) for name in ("issue.certificate", "issue.key"))
        return ["-c", str(self.authority()), "-k", key, "-l", certificate]

    def do_caps(self) -> None:
        """Ask what the CA can do."""
        self.note("caps.text", self.call("getcaps"))

    def do_cacert(self) -> None:
        """Fetch the CA's certificates."""
        self.keep("cacert.certificates", self.chain())

    def do_issue(self) -> None:
        """Enroll; it polls by itself."""
        self.enroll("issue")

    def do_renew(self) -> None:
        """Renew: PKCSReq, signed with the old certificate."""
        old = [str(self.folder / self.artefacts[name]) for name in ("issue.key", "issue.certificate")]
        self.enroll("renew", "-K", old[0], "-O", old[1])

    def do_getcert(self) -> None:
        """Ask for the certificate by its serial number."""
        found, own = self.home / "found.pem", self.folder / self.artefacts["issue.certificate"]
        serial = self.run(["openssl", "x509", "-in", str(own), "-noout", "-serial"]).partition("=")[2].strip()
        self.call("getcert", *self.held(), "-O", str(own), "-s", str(int(serial, 16)), "-w", str(found))
        self.keep("getcert.certificate", found)

    def do_getcrl(self) -> None:
        """Ask for the CRL."""
        crl, own = self.home / "crl.pem", self.folder / self.artefacts["issue.certificate"]
        self.call("getcrl", *self.held(), "-O", str(own), "-w", str(crl))
        self.keep("getcrl.crl", crl)


if __name__ == "__main__":
    main(Sscep)
