"""EST by hand: curl carries, openssl makes requests and reads replies."""

from __future__ import annotations

import email
import time
from base64 import b64decode, b64encode, encodebytes
from pathlib import Path

from interop.clients.driving import ClientFailedError, Driver, main

CERTS_ONLY = "application/pkcs7-mime"


class CurlEst(Driver):
    """curl and openssl, as a script would call them."""

    def fetch(self, operation: str, *arguments: str) -> tuple[int, dict[str, str], bytes]:
        """One request: status code, header fields in lower case, body. :raises ClientFailedError: for an HTTP error."""
        body, head = self.home / "body", self.home / "head"
        versions = {"1.2": ["--tlsv1.2", "--tls-max", "1.2"], "1.3": ["--tlsv1.3"]}
        tls = versions.get(self.job["options"].get("tls", ""), [])
        argv = ["curl", "--silent", "--show-error", "--fail-with-body", "--cacert", self.job["trust"], *tls, *arguments]
        argv += ["--dump-header", str(head), "--output", str(body), f"{self.job['url']}/{operation}"]
        body.unlink(missing_ok=True)
        self.run(argv)
        # After a challenge there are two header blocks; the last is the answer.
        last = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1]
        start, *lines = last.splitlines()
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(start.split()[1]), fields, body.read_bytes() if body.exists() else b""

    def certificates(self, fields: dict[str, str], body: bytes, to: Path) -> Path:
        """The certificates of a certs-only reply, PEM. :raises ClientFailedError: if it is none."""
        if not fields.get("content-type", "").startswith(CERTS_ONLY):
            raise ClientFailedError(f"the reply is {fields.get('content-type')}")
        der = to.with_suffix(".p7")
        der.write_bytes(b64decode(body))
        self.run(["openssl", "pkcs7", "-inform", "DER", "-in", str(der), "-print_certs", "-out", str(to)])
        return to

    def login(self) -> list[str]:
        """How it authenticates."""
        credential, way = self.job["credential"], self.job["options"].get("authentication", "basic")
        if way == "bearer":
            # The code in base64 is a token (RFC 6750 section 2.1) whatever its letters.
            return ["--header", f"Authorization: Bearer {b64encode(credential['code'].encode()).decode()}"]
        return [f"--{way}", "--user", f"{credential['username']}:{credential['code']}"]

    def post(self, operation: str, request: Path, *authentication: str) -> tuple[dict[str, str], bytes]:
        """Send a request until the answer is no 202."""
        text = request.with_suffix(".b64")
        text.write_bytes(encodebytes(request.read_bytes()))
        fields = ["--header", "Content-Type: application/pkcs10", "--header", "Content-Transfer-Encoding: base64"]
        got: list[tuple[int, dict[str, str], bytes]] = []

        def answered() -> bool:
            got.append(self.fetch(operation, *authentication, *fields, "--data-binary", f"@{text}"))
            if got[-1][0] == 202 and not got[-1][1].get("retry-after", "").isdigit():
                raise ClientFailedError("a 202 without Retry-After in seconds")
            if got[-1][0] == 202:
                time.sleep(int(got[-1][1]["retry-after"]))
            return got[-1][0] != 202

        self.until(answered, 100, 0)
        if self.job["options"].get("poll") and len(got) == 1:
            raise ClientFailedError("it did not have to wait")
        return got[-1][1:]

    def chain(self) -> Path:
        """The CA's certificates."""
        _, fields, body = self.fetch("cacerts")
        return self.certificates(fields, body, self.home / "cacerts.pem")

    def do_cacerts(self) -> None:
        """Fetch the CA's certificates."""
        self.keep("cacerts.certificates", self.chain())

    def do_csrattrs(self) -> None:
        """Fetch what a request should hold."""
        _, fields, body = self.fetch("csrattrs")
        if fields.get("content-type") != "application/csrattrs":
            raise ClientFailedError(f"the reply is {fields.get('content-type')}")
        attributes = self.home / "csrattrs.der"
        attributes.write_bytes(b64decode(body))
        self.keep("csrattrs.attributes", attributes)

    def do_issue(self) -> None:
        """Enroll."""
        chain = self.chain()
        request = self.make_request("issue", self.make_key("issue"))
        fields, body = self.post("simpleenroll", request, *self.login())
        self.keep("issue.certificate", self.certificates(fields, body, self.home / "issue.pem"))
        self.keep("issue.chain", chain)

    def do_renew(self) -> None:
        """Enroll again with the certificate, for a new key."""
        old = [self.folder / self.artefacts[name] for name in ("issue.certificate", "issue.key")]
        request = self.make_request("renew", self.make_key("renew"))
        fields, body = self.post("simplereenroll", request, "--cert", str(old[0]), "--key", str(old[1]))
        self.keep("renew.certificate", self.certificates(fields, body, self.home / "renew.pem"))
        self.keep("renew.chain", self.folder / self.artefacts["issue.chain"])

    def do_serverkeygen(self) -> None:
        """Ask for a key and a certificate: two parts of one reply (RFC 7030 section 4.4.2)."""
        chain = self.chain()
        own = self.home / "own.key.pem"
        self.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(own)])
        fields, body = self.post("serverkeygen", self.make_request("serverkeygen", own), *self.login())
        whole = email.message_from_bytes(b"Content-Type: " + fields["content-type"].encode() + b"\r\n\r\n" + body)
        texts = {part.get_content_type(): str(part.get_payload()) for part in whole.walk() if not part.is_multipart()}
        try:
            parts = {kind: b64decode(text) for kind, text in texts.items()}
        except ValueError as error:
            raise ClientFailedError(f"a part of the reply is no base64: {error}") from None
        if set(parts) != {"application/pkcs8", CERTS_ONLY}:
            raise ClientFailedError(f"the reply has the parts {sorted(parts)}")
        der, key = self.home / "made.key.der", self.home / "made.key.pem"
        der.write_bytes(parts["application/pkcs8"])
        self.run(["openssl", "pkcs8", "-inform", "DER", "-nocrypt", "-in", str(der), "-out", str(key)])
        certificate = self.home / "serverkeygen.p7"
        certificate.write_bytes(parts[CERTS_ONLY])
        pem = certificate.with_suffix(".pem")
        self.run(["openssl", "pkcs7", "-inform", "DER", "-in", str(certificate), "-print_certs", "-out", str(pem)])
        self.keep("serverkeygen.certificate", pem)
        self.keep("serverkeygen.key", key)
        self.keep("serverkeygen.chain", chain)


if __name__ == "__main__":
    main(CurlEst)
