"""estclient: the client of libest. It exits with 0 whatever happens, so the files that it leaves are its word."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from urllib.parse import urlsplit

from interop.clients.driving import ClientFailedError, Driver, UnsupportedError, main


class Estclient(Driver):
    """estclient, as a user calls it."""

    def call(self, label: str, *arguments: str) -> Path:
        """Run it once, with a folder for what it writes."""
        url = urlsplit(self.job["url"])
        out = self.home / label
        out.mkdir(exist_ok=True)
        # Debian's build sends no path segment, whatever --path-seg says: it is served by the default profile.
        self.run(["estclient", *arguments, "-s", str(url.hostname), "-p", str(url.port), "-o", str(out), "--pem-output"])
        return out

    def written(self, out: Path, pattern: str) -> Path:
        """The one file that it should have written."""
        found = sorted(out.glob(pattern))
        if not found:
            raise ClientFailedError(f"estclient wrote no {pattern}")
        return found[0]

    def login(self) -> list[str]:
        """How it authenticates once it is asked to."""
        credential = self.job["credential"]
        if self.job["options"].get("authentication") == "bearer":
            return ["--auth-token", credential["code"]]
        return ["-u", credential["username"], "-h", credential["code"]]

    def do_cacerts(self) -> None:
        """Fetch the CA's certificates."""
        self.keep("cacerts.certificates", self.written(self.call("cacerts", "-g"), "cacert-*.pem"))

    def do_csrattrs(self) -> None:
        """Fetch what a request should hold."""
        found = self.written(self.call("csrattrs", "-a"), "csr-*.base64")
        attributes = self.home / "csrattrs.der"
        attributes.write_bytes(b64decode(found.read_bytes()))
        self.keep("csrattrs.attributes", attributes)

    def do_issue(self) -> None:
        """Enroll, again and again if it is told to come back."""
        if self.job["options"].get("tls") == "1.3":
            raise UnsupportedError("it speaks TLS 1.2 alone")
        key = self.make_key("issue")
        more = ["-z"] if self.job["options"].get("proof") == "tls-unique" else []
        arguments = ["-e", *self.login(), "-x", str(key), "--common-name", self.job["names"][0], *more]
        chain = self.written(self.call("cacerts", "-g"), "cacert-*.pem")
        out = self.call("issue", *arguments)
        if self.job["options"].get("poll"):
            if not list(out.glob("cert-*.pem")) and "retry" not in (self.folder / "log.txt").read_text().lower():
                raise ClientFailedError("it was not told to come back")
            self.until(lambda: bool(list(self.call("issue", *arguments).glob("cert-*.pem"))), 100, 2)
        self.keep("issue.certificate", self.written(out, "cert-*.pem"))
        self.keep("issue.chain", chain)

    def do_renew(self) -> None:
        """Enroll again with the certificate alone, for the same key."""
        certificate, key = self.folder / self.artefacts["issue.certificate"], self.folder / self.artefacts["issue.key"]
        out = self.call("renew", "-r", "-c", str(certificate), "-k", str(key))
        self.keep("renew.certificate", self.written(out, "cert-*.pem"))
        self.keep("renew.chain", self.folder / self.artefacts["issue.chain"])
        self.keep("renew.key", key)

    def do_serverkeygen(self) -> None:
        """Ask for a key and a certificate; the request is signed with a key of its own."""
        chain = self.written(self.call("cacerts", "-g"), "cacert-*.pem")
        own = self.home / "own.key.pem"
        self.run(["openssl", "genrsa", "-out", str(own), "2048"])
        out = self.call("serverkeygen", "-q", *self.login(), "-x", str(own), "--common-name", self.job["names"][0])
        self.keep("serverkeygen.certificate", self.written(out, "cert-*.pem"))
        made, key = self.home / "made.key.der", self.home / "made.key.pem"
        made.write_bytes(b64decode(self.written(out, "key-*.key").read_bytes()))
        self.run(["openssl", "pkcs8", "-inform", "DER", "-nocrypt", "-in", str(made), "-out", str(key)])
        self.keep("serverkeygen.key", key)
        self.keep("serverkeygen.chain", chain)


if __name__ == "__main__":
    main(Estclient)
