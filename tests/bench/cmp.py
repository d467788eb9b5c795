"""What one CMP enrollment costs the server, by CPU time: ``PYTHONPATH=. python tests/bench/cmp.py [--protection pbm|signature]``.

One operation is ir, ip, certConf and pkiConf for a P-256 key on one kept connection, the CA's key P-256 too: with a password-based MAC as
``openssl cmp`` makes it by itself (500 iterations of SHA-256), or signed with a P-256 certificate. Each has a fresh transaction and subject.
The mock server of ``openssl cmp`` is measured beside it: it issues one fixed certificate and stores nothing, and takes one client at a
time (``--clients 1``).
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import subprocess
import sys
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.bench.measuring import TIMEOUT, Bench, Server, Stalled, await_start, free_port, main, program, start_peer, start_privca
from tests.support import cmp

_NUMBER = itertools.count(1)
_KEY = ec.generate_private_key(ec.SECP256R1())
_PROFILE = """
[template.bench]
subject = { CN = {} }
names = []
names_required = false
extended_key_usage = ["clientAuth"]

[profile.bench]
protocol = "cmp"
issuer = "lab-ec"
template = "bench"
authentication = ["code", "certificate"]
rename = true
"""


class Session:
    """One device after another on one connection."""

    def __init__(self, server: Server, protection: str) -> None:
        parts = urllib.parse.urlsplit(server.url)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
        self._path = parts.path
        bench = server.endpoints["bench"]
        pbm = cmp.Pbm(secret=bench["secret"], reference=bench["reference"], mac="sha1")
        self._client = cmp.Client(self._ask, pbm, lambda: datetime.now(UTC))
        if protection == "signature":
            self._client.protection = bench.get("signer") or cmp.Signer(self._enroll(), _KEY)

    def _enroll(self) -> x509.Certificate:
        client = self._client
        answer = client.enroll(cmp.Request(_KEY, f"device-{next(_NUMBER)}"))
        if answer.kind != cmp.IP or answer.status()[0] != 0:
            raise Stalled(str(answer.status()))
        certificate: x509.Certificate = answer.certificate()
        if client.confirm(cmp.cert_status(certificate)).kind != cmp.PKICONF:
            raise Stalled("not confirmed")
        return certificate

    def operate(self) -> int:
        """One enrollment, confirmed."""
        self._enroll()
        return 1

    def _ask(self, message: bytes) -> bytes:
        headers = {"Content-Type": "application/pkixcmp", "Connection": "keep-alive"}
        try:
            self._connection.request("POST", self._path, message, headers)
            response = self._connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            # The mock server ends its connection with each transaction.
            self._connection.close()
            self._connection.request("POST", self._path, message, headers)
            response = self._connection.getresponse()
        octets = response.read()
        if response.status != 200:
            raise Stalled(f"HTTP {response.status}: {octets[:200]!r}")
        return octets

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


def ours(directory: Path, root: Path, arguments: argparse.Namespace) -> Server:
    """``privca up`` with a profile that takes a code."""
    server = start_privca(directory, _PROFILE, root=root, workers=arguments.workers)
    command = [sys.executable, "-m", "privca", "code", "set", "bench", "--reference", "bench", "--generate"]
    done = subprocess.run(
        [*command, "--dir", str(directory / "lab")],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        check=True,
        capture_output=True,
        text=True,
    )
    server.endpoints["bench"] = {"reference": "bench", "secret": done.stdout.split()[-1].encode()}
    http_port = urllib.parse.urlsplit(next(p["url"] for p in server.endpoints["profiles"] if p["id"] == "lab-cmp")).port
    server.url = f"http://127.0.0.1:{http_port}/.well-known/cmp/p/bench"
    return server


_MAKE = """
set -eu
openssl ecparam -genkey -name prime256v1 -noout -out ca.key
openssl req -x509 -new -key ca.key -subj /CN=bench -days 30 -out ca.pem -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,digitalSignature,keyCertSign
openssl ecparam -genkey -name prime256v1 -noout -out ee.key
openssl req -new -key ee.key -subj /CN=device -out ee.csr
openssl x509 -req -in ee.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out ee.pem -extfile ee.ext
"""


def openssl(directory: Path, arguments: argparse.Namespace) -> Server | None:
    """The mock server of ``openssl cmp``."""
    found = program(None, "openssl")
    if found is None:
        print("# openssl is not on PATH")
        return None
    (directory / "ee.ext").write_text("keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\n")
    subprocess.run(["sh", "-c", _MAKE], cwd=directory, check=True, capture_output=True)
    port = free_port()
    command = [str(found), "cmp", "-port", str(port), "-srv_ref", "bench", "-srv_secret", "pass:secret"]
    command += ["-srv_cert", "ca.pem", "-srv_key", "ca.key", "-srv_trusted", "ca.pem", "-rsp_cert", "ee.pem"]
    server = start_peer("openssl", [*command, "-verbosity", "0"], directory)
    certificate = x509.load_pem_x509_certificate((directory / "ee.pem").read_bytes())
    key = load_pem_private_key((directory / "ee.key").read_bytes(), None)
    server.endpoints["bench"] = {"reference": "bench", "secret": b"secret", "signer": cmp.Signer(certificate, key)}
    server.url = f"http://127.0.0.1:{port}/"
    await_start(partial(_listens, port), server.process, directory / "openssl.log")
    return server


def _listens(port: int) -> bool:
    """Whether somebody does; asked of the kernel, since the mock server takes each connection for its one client."""
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return any(line[1].endswith(f":{port:04X}") and line[3] == "0A" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--protection", choices=["pbm", "signature"], default="pbm", help="of the client's messages (default: pbm)"
    )
    chosen: str = parser.parse_known_args()[0].protection
    connect: Callable[[Server], Any] = partial(Session, protection=chosen)
    sys.exit(main(Bench(f"enrollment ({chosen})", connect, ours, {"openssl cmp": openssl}), parser))
