"""BouncyCastle: cacerts and simpleenroll."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from interop.clients.bouncycastle import BouncyCastle
from interop.clients.driving import main


class BouncyCastleEst(BouncyCastle):
    """``Est.java``."""

    def service(self) -> list[str]:
        """Where the service is, whom to trust, and where the CA's certificates go."""
        url = urlsplit(self.job["url"])
        label = url.path.removeprefix("/.well-known/est").strip("/")
        return [url.netloc, label, self.job["trust"], str(self.home / "cacerts.pem")]

    def do_cacerts(self) -> None:
        """Fetch the CA's certificates."""
        self.java(Path(__file__).with_name("Est.java"), *self.service())
        self.keep("cacerts.certificates", self.home / "cacerts.pem")

    def do_issue(self) -> None:
        """Enroll; the program makes its own key."""
        credential, key, certificate = self.job["credential"], self.home / "issue.key.pem", self.home / "issue.pem"
        words = [*self.service(), credential["username"], self.job["names"][0], str(key), str(certificate)]
        self.java(Path(__file__).with_name("Est.java"), *words, secret=credential["code"])
        self.keep("issue.key", key)
        self.keep("issue.certificate", certificate)
        self.keep("issue.chain", self.home / "cacerts.pem")


if __name__ == "__main__":
    main(BouncyCastleEst)
