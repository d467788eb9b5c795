"""EST enrollments: ``/simpleenroll`` with HTTP Basic and a P-256 key, each on a new TLS connection, as devices come.

Usage: ``python tests/bench/est.py [--clients 1,8] [--seconds 10] [--rounds 2] [--only NAME] [--tls 1.2] [--libest-root DIR]``

Beside this server stands libest's ``estserver``, with a CA and a TLS certificate of P-256 keys too, from a root directory of Debian trixie with
the package libest-utils. It listens on all addresses, so it is started only where there is no network but the loopback::

    unshare --net sh -c 'ip link set lo up; exec python tests/bench/est.py --libest-root DIR'

It speaks TLS 1.2 alone; that is the default for both sides.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import socket
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measuring import TIMEOUT, Bench, Server, Stalled, await_start, free_port, main, start_peer, start_privca

CSRS = 4096
"""CSRs of different names; a server meets one again only after that many."""
PROFILE = """
[template.bench]
subject = { CN = {} }
names_required = false
key_usage = ["digitalSignature"]
extended_key_usage = ["clientAuth"]

[profile.bench]
protocol = "est"
issuer = "lab-ec"
template = "bench"
authentication = ["code"]
est = { repeat = "0s" }
"""


class Session:
    """One device after the other: a connection, a request, a certificate."""

    version = ssl.TLSVersion.TLSv1_2

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.url)
        self._address = (parts.hostname or "", parts.port or 443)
        self._context = ssl.create_default_context(cafile=str(server.trust))
        self._context.minimum_version = self._context.maximum_version = self.version
        self._head = f"POST {parts.path}/simpleenroll HTTP/1.1\r\nHost: {parts.netloc}\r\n{_login(server)}Content-Type: application/pkcs10\r\n"
        self._bodies = prepared()

    def operate(self) -> int:
        """One enrollment."""
        body = next(self._bodies)
        raw = socket.create_connection(self._address, timeout=TIMEOUT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._context.wrap_socket(raw, server_hostname=self._address[0]) as tls:
            tls.sendall(f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            got = b""
            while b"\r\n\r\n" not in got:
                got += self._more(tls)
            head, _, rest = got.partition(b"\r\n\r\n")
            if b" 200 " not in head.partition(b"\r\n")[0]:
                raise Stalled(repr(head[:80] + rest[:200]))
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            while len(rest) < length:
                rest += self._more(tls)
        return 1

    @staticmethod
    def _more(tls: ssl.SSLSocket) -> bytes:
        try:
            octets = tls.recv(65536)
        except TimeoutError:
            raise Stalled(f"no reply within {TIMEOUT:.0f} s") from None
        if not octets:
            raise Stalled("the connection was closed")
        return octets

    def close(self) -> None:
        """There is nothing to close."""


def _login(server: Server) -> str:
    user, code = server.endpoints["bench"]
    return f"Authorization: Basic {b64encode(f'{user}:{code}'.encode()).decode()}\r\n"


@functools.cache
def prepared() -> Iterator[bytes]:
    """Bodies, one after the other for all clients; what they cost is no part of what is measured."""
    key = ec.generate_private_key(ec.SECP256R1())
    bodies = []
    for number in range(CSRS):
        name = f"b{number}.example.test"
        builder = x509.CertificateSigningRequestBuilder(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        text = b64encode(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
        bodies.append(b"".join(text[at : at + 64] + b"\n" for at in range(0, len(text), 64)))
    return itertools.cycle(bodies)


def start_ours(directory: Path, root: Path, arguments: argparse.Namespace) -> Server:
    """``privca up`` with a profile that takes a code."""
    server = start_privca(directory, PROFILE, root=root, workers=arguments.workers)
    command = [
        sys.executable,
        "-m",
        "privca",
        "code",
        "set",
        "bench",
        "--reference",
        "bench",
        "--generate",
        "--dir",
        str(directory / "lab"),
    ]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True, capture_output=True, text=True
    )
    server.endpoints["bench"] = ("bench", done.stdout.split()[-1])
    server.url = f"{server.base}/.well-known/est/bench"
    return server


CA_CONFIG = """
[ca]
default_ca = bench
[bench]
dir = .
new_certs_dir = ./certs
database = ./index.txt
serial = ./serial
certificate = ./ca.pem
private_key = ./ca.key
default_days = 90
default_md = sha256
policy = policy
unique_subject = no
copy_extensions = copy
x509_extensions = leaf
[policy]
commonName = supplied
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
"""
_MAKE = """
set -eu
mkdir certs; : > index.txt; echo 1000 > serial
openssl ecparam -genkey -name prime256v1 -noout -out ca.key
openssl req -x509 -new -key ca.key -subj /CN=bench -days 30 -out ca.pem -addext basicConstraints=critical,CA:TRUE
openssl ecparam -genkey -name prime256v1 -noout -out tls.key
openssl req -x509 -new -key tls.key -subj /CN=localhost -days 30 -out tls.pem \
    -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:TRUE
"""


def start_libest(directory: Path, arguments: argparse.Namespace) -> Server | None:
    """libest's estserver by the loader of its own root directory, in a network of its own."""
    root: Path | None = arguments.libest_root
    if root is None or not (root / "usr/bin/estserver").exists():
        print("# libest is not measured: --libest-root names no root directory with usr/bin/estserver")
        return None
    if [name for _, name in socket.if_nameindex()] != ["lo"]:
        print("# libest is not measured: it listens on all addresses; run this by unshare --net, see --help")
        return None
    (directory / "ca.cnf").write_text(CA_CONFIG)
    subprocess.run(["sh", "-c", _MAKE], cwd=directory, check=True, capture_output=True)
    port = free_port()
    loader = next(root.glob("lib*/ld-linux-*.so.*"), None) or next(root.glob("usr/lib*/ld-linux-*.so.*"))
    libraries = ":".join(str(path) for path in (*root.glob("usr/lib/*-linux-gnu"), root / "usr/lib"))
    program = [str(loader), "--library-path", libraries, str(root / "usr/bin/estserver")]
    options = ["-c", "tls.pem", "-k", "tls.key", "-r", "estrealm", "-p", str(port), "-o"]
    paths = {"EST_TRUSTED_CERTS": "ca.pem", "EST_CACERTS_RESP": "ca.pem", "EST_OPENSSL_CACONFIG": "ca.cnf"}
    server = start_peer("libest", [*program, *options], directory, **paths)
    server.url, server.trust = f"https://127.0.0.1:{port}/.well-known/est", directory / "tls.pem"
    server.endpoints["bench"] = ("estuser", "estpwd")
    await_start(lambda: _listens(port), server.process, directory / "libest.log")
    return server


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class _Tls(argparse.Action):
    def __call__(self, parser, namespace, value, option_string=None):  # type: ignore[no-untyped-def]
        Session.version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[value]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tls", choices=["1.2", "1.3"], action=_Tls, help="TLS version (default: 1.2)")
    parser.add_argument("--libest-root", type=Path, help="root directory with libest's estserver")
    sys.exit(main(Bench("enrollment", Session, start_ours, {"libest": start_libest}), parser))
