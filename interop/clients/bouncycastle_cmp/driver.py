"""BouncyCastle: ir and certConf under a shared secret."""

from __future__ import annotations

from pathlib import Path

from interop.clients.bouncycastle import BouncyCastle
from interop.clients.driving import main


class BouncyCastleCmp(BouncyCastle):
    """``Cmp.java``."""

    def do_issue(self) -> None:
        """Ask for a certificate and confirm it; the program makes its own key."""
        credential = self.job["credential"]
        files = [self.home / name for name in ("issue.key.pem", "issue.pem", "issue.chain.pem")]
        words = [self.job["url"], credential["reference"], self.job["names"][0], *map(str, files)]
        self.java(Path(__file__).with_name("Cmp.java"), *words, secret=credential["code"])
        self.keep("issue.key", files[0])
        self.keep("issue.certificate", files[1])
        self.keep("issue.chain", files[2])


if __name__ == "__main__":
    main(BouncyCastleCmp)
