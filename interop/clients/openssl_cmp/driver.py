"""openssl cmp: each action is the next call of the scenario's table."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from interop.clients.driving import Driver, UnsupportedError, main

YIELD = ("issue", "renew", "signer")
"""Actions that leave a certificate."""
EXTENSIONS = """
[cmp]
[wanted]
subjectAltName = DNS:{name}
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
"""


class OpensslCmp(Driver):
    """openssl cmp, as a user calls it."""

    calls = 0

    def call(self, action: str) -> None:
        """The next call of the table; what it leaves is evidence."""
        (self.home / "extensions.cnf").write_text(EXTENSIONS.format(name=self.job["names"][0]))
        words = [part for word in self.job["commands"][self.calls] for part in self.expand(word, action)]
        self.calls += 1
        self.check_supported(words)
        self.run(["openssl", "cmp", *words])
        if "-newkeyout" in words:
            self.keep(f"{action}.key", self.home / f"{action}.key.pem")
        if action in YIELD:
            self.keep(f"{action}.certificate", self.home / f"{action}.pem")
            if (self.home / f"{action}.chain.pem").is_file():
                self.keep(f"{action}.chain", self.home / f"{action}.chain.pem")
        for name, label in (
            ("cacerts.pem", "cacerts.certificates"),
            ("template.der", "template.template"),
            ("crl.der", "crl.crl"),
        ):
            if (self.home / name).is_file() and action == "ask":
                self.keep(label, self.home / name)

    def check_supported(self, words: list[str]) -> None:
        """:raises UnsupportedError: for an option that this openssl does not have."""
        known = self.options_of("cmp")
        if missing := [word for word in words if word.startswith("-") and word not in known and not word[1:].isdigit()]:
            raise UnsupportedError(f"this openssl cmp has no {missing[0]}")

    def expand(self, word: str, action: str) -> list[str]:
        """What a word of the table stands for; a key is made when it is needed."""
        url, usual = urlsplit(self.job["url"]), ["-no_proxy", "127.0.0.1,::1", "-batch", "-total_timeout", "100"]
        match word:
            case "{server}":
                return ["-server", f"{url.netloc}{url.path}", *usual]
            case "{server6}":
                return ["-server", f"[::1]:{url.port}{url.path}", *usual]
            case "{path}":
                return ["-server", url.netloc, "-path", url.path, *usual]
            case "{tls}":
                tls = urlsplit(self.job["tls_url"])
                return ["-server", f"{tls.netloc}{tls.path}", "-tls_used", "-tls_trusted", self.job["trust"], *usual]
            case "{pbm}":
                credential = self.job["credential"]
                # A refusal of a wrong secret cannot be under that secret: it is signed.
                return ["-ref", credential["reference"], "-secret", f"pass:{credential['code']}", "-trusted", self.job["trust"]]
            case "{sig}":
                return self.signer(self.last("certificate"), self.last("key"))
            case "{stranger}":
                return self.signer(*self.stranger())
            case "{foreign}":
                return ["-oldcert", str(self.stranger()[0])]
            case "{key}":
                return ["-newkey", str(self.make_key(action))]
            case "{csr}":
                return ["-csr", str(self.make_request(action, self.make_key(action)))]
            case "{subject}":
                return ["-subject", f"/CN={self.job['names'][0]}"]
            case "{sans}":
                return ["-sans", " ".join(self.job["names"])]
            case "{old}":
                return ["-oldcert", str(self.home / "issue.pem")]
            case "{out}":
                chain = str(self.home / f"{action}.chain.pem")
                return ["-certout", str(self.home / f"{action}.pem"), "-chainout", chain]
        return [self.fill(word)] if "{" in word else [word]

    def fill(self, word: str) -> str:
        """A word with values of the certificate that came first in it."""
        values = {"home": str(self.home), "trust": self.job["trust"]}
        if "{serial}" in word or "{issuer}" in word:
            known = [self.home / f"{action}.pem" for action in YIELD]
            first = ["openssl", "x509", "-in", str(next(path for path in known if path.is_file())), "-noout"]
            values["serial"] = self.run([*first, "-serial"]).partition("=")[2].strip()
            values["issuer"] = self.run([*first, "-issuer", "-nameopt", "compat"]).partition("=")[2].strip()
        return word.format(**values)

    def last(self, kind: str) -> Path:
        """The certificate or key that came last."""
        found = [self.artefacts[f"{action}.{kind}"] for action in self.job["actions"] if f"{action}.{kind}" in self.artefacts]
        if f"{self.job['actions'][self.calls]}.{kind}" in self.artefacts:
            found = found[:-1]  # the key of this very call
        return self.folder / found[-1]

    def signer(self, certificate: Path, key: Path) -> list[str]:
        """How a client that has a certificate protects what it sends."""
        chain = self.home / "issue.chain.pem"
        extra = ["-extracerts", str(chain)] if chain.is_file() else []
        return ["-cert", str(certificate), "-key", str(key), "-trusted", self.job["trust"], *extra]

    def stranger(self) -> tuple[Path, Path]:
        """A certificate that nobody here knows, and its key."""
        key, certificate = self.home / "stranger.key.pem", self.home / "stranger.pem"
        if not certificate.is_file():
            made = [
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-keyout",
                str(key),
                "-out",
                str(certificate),
            ]
            self.run(["openssl", "req", "-x509", *made, "-subj", "/CN=stranger", "-days", "10"])
        return certificate, key

    def do_issue(self) -> None:
        """Ask for a certificate."""
        self.call("issue")

    def do_signer(self) -> None:
        """Ask for a certificate to sign with."""
        self.call("signer")

    def do_renew(self) -> None:
        """Ask for another."""
        self.call("renew")

    def do_revoke(self) -> None:
        """Revoke."""
        self.call("revoke")

    def do_hold(self) -> None:
        """Put on hold."""
        self.call("hold")

    def do_release(self) -> None:
        """Release from hold."""
        self.call("release")

    def do_again(self) -> None:
        """Do once more what was done."""
        self.call("again")

    def do_ask(self) -> None:
        """Ask something."""
        self.call("ask")


if __name__ == "__main__":
    main(OpensslCmp)
