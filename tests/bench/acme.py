"""What a full ACME issuance costs: server CPU time, throughput and latency, beside Pebble in one interleaved run.

    python tests/bench/acme.py [--pebble PATH] [--clients 1,8,32] [--seconds 10] [--rounds 2]
    python tests/bench/acme.py --minutes 10 --clients 32          endurance: this server alone

An issuance is newOrder, authorization, challenge, finalize, poll, download over a kept TLS connection, P-256 throughout, the CA's key too,
challenges counted as met: a lab profile with ``open`` authentication here, PEBBLE_VA_ALWAYS_VALID there. Transcripts are on, authorizations
are not reused.

How it is measured, and the other options: ``tests/bench/measuring.py``.
"""

from __future__ import annotations

import argparse
import base64
import functools
import itertools
import json
import socket
import ssl
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conformance.acme import csr as requests
from conformance.acme.client import Client, Problem, dns
from conformance.acme.keys import Key, b64
from conformance.transport import SocketTransport, Unreachable
from tests.bench import measuring
from tests.bench.measuring import TIMEOUT, Bench, Server, Stalled, await_start, free_port, start_peer, start_privca

CSRS = 4096
"""Names with a CSR each; an account meets a name again only after that many, since an authorization that is reused costs less."""
_ES256 = ec.ECDSA(hashes.SHA256())


# -- the lean client -------------------------------------------------------------------------------------------------------------------


class Session:
    """One account on one kept TLS connection: as little Python as an HTTP request with a JWS in it can take."""

    def __init__(self, server: Server) -> None:
        directory_url, trust = server.url, server.trust
        key = Key.make()
        assert isinstance(key.private, ec.EllipticCurvePrivateKey)
        self._key = key.private
        with SocketTransport(trust) as transport:
            try:
                client = Client(transport, directory_url)
                self._kid = client.register(key).url
                self._new_order: str = client.directory["newOrder"]
                self._nonce = client.nonce()
            except (Unreachable, Problem) as failure:
                raise Stalled(f"{type(failure).__name__}: {failure}") from None
        self._csrs = prepared()
        parts = urlsplit(directory_url)
        raw = socket.create_connection((parts.hostname or "", parts.port or 443), timeout=TIMEOUT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = ssl.create_default_context(cafile=str(trust)).wrap_socket(raw, server_hostname=parts.hostname)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.netloc
        self._left = b""

    def close(self) -> None:
        self._socket.close()

    def operate(self) -> int:
        """One full issuance; how many requests it took."""
        identifiers, der = next(self._csrs)
        headers, order = self._post(self._new_order, {"identifiers": identifiers})
        url = headers[b"location"].decode()
        taken = 2
        for authorization_url in order["authorizations"]:
            _, authorization = self._post(authorization_url, None)
            # Any will do where all count as met; some servers offer challenges that cannot be answered with {}.
            challenge = next(c for c in authorization["challenges"] if c["type"] in ("http-01", "dns-01", "tls-alpn-01"))
            self._post(challenge["url"], {})
            taken += 2
        finalize, payload = order["finalize"], {"csr": b64(der)}
        _, order = self._post(finalize, payload, or_not_ready=True)
        while order.get("type"):
            # The server has not finished validating; a client reads the order until it is ready.
            _, order = self._post(url, None)
            taken += 1
            if order["status"] == "ready":
                _, order = self._post(finalize, payload, or_not_ready=True)
                taken += 1
            else:
                order = {"type": "pending"}
        while True:
            _, order = self._post(url, None)
            taken += 1
            if order["status"] == "valid":
                break
            if order["status"] != "processing":
                raise Stalled(f"order {order['status']}")
        _, chain = self._post(order["certificate"], None)
        if not chain.startswith(b"-----BEGIN CERTIFICATE-----"):
            raise Stalled("no certificate")
        return taken + 1

    def _post(self, url: str, payload: Any, *, or_not_ready: bool = False) -> tuple[dict[bytes, bytes], Any]:
        header = json.dumps({"alg": "ES256", "kid": self._kid, "nonce": self._nonce, "url": url}, separators=(",", ":")).encode()
        text = b"" if payload is None else json.dumps(payload, separators=(",", ":")).encode()
        protected, body = _b64(header), _b64(text)
        r, s = decode_dss_signature(self._key.sign(protected + b"." + body, _ES256))
        signature = _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        content = b'{"protected":"' + protected + b'","payload":"' + body + b'","signature":"' + signature + b'"}'
        head = (
            f"POST {url.removeprefix(self._origin)} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: bench\r\n"
            f"Content-Type: application/jose+json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + content)
        status, headers, reply = self._receive()
        self._nonce = headers[b"replay-nonce"].decode()
        if status >= 400 and not (or_not_ready and b"orderNotReady" in reply):
            raise Stalled(f"{status} {reply[:200]!r}")
        return headers, json.loads(reply) if b"json" in headers[b"content-type"] else reply

    def _receive(self) -> tuple[int, dict[bytes, bytes], bytes]:
        while b"\r\n\r\n" not in self._left:
            self._more()
        head, _, self._left = self._left.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        if b"content-length" in headers:
            return int(lines[0][9:12]), headers, self._take(int(headers[b"content-length"]))
        if headers.get(b"transfer-encoding") == b"chunked":
            return int(lines[0][9:12]), headers, b"".join(self._chunks())
        raise Stalled("a reply of unknown length")

    def _chunks(self) -> Iterator[bytes]:
        while True:
            while b"\r\n" not in self._left:
                self._more()
            size, _, self._left = self._left.partition(b"\r\n")
            yield self._take(int(size, 16))
            self._take(2)
            if int(size, 16) == 0:
                return

    def _take(self, count: int) -> bytes:
        while len(self._left) < count:
            self._more()
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def _more(self) -> None:
        try:
            octets = self._socket.recv(65536)
        except TimeoutError:
            raise Stalled(f"no reply within {TIMEOUT:.0f} s") from None
        if not octets:
            raise Stalled("the connection was closed")
        self._left += octets


def _b64(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


# -- the servers -----------------------------------------------------------------------------------------------------------------------


PROFILE = """
[template.bench]
subject = {{ CN = {{ source = "first-name" }} }}
key_usage = ["digitalSignature", "keyEncipherment"]
extended_key_usage = ["serverAuth"]

[profile.bench]
protocol = "acme"
issuer = "lab-ec"
template = "bench"
authentication = ["open"]
acme = {{ authorization_reuse = false, finalize = "{finalize}" }}
"""


def start_ours(directory: Path, root: Path, arguments: argparse.Namespace) -> Server:
    """``privca up`` with a profile for which challenges count as met."""
    server = start_privca(directory, PROFILE.format(finalize=arguments.finalize), root=root, workers=arguments.workers)
    server.url = f"{server.base}/acme/bench/directory"
    await_start(lambda: _answers(server), server.process, directory / "privca.log")
    return server


def start_pebble(directory: Path, arguments: argparse.Namespace) -> Server | None:
    """Pebble in its always-valid mode, without sleeps, nonce chaos or reuse of authorizations."""
    binary = measuring.program(arguments.pebble, "pebble")
    if binary is None:
        print("# Pebble is not measured: no 'pebble' in PATH; Debian sid has it: apt-get download pebble, dpkg-deb -x, --pebble")
        return None
    port, management = free_port(), free_port()
    trust = _self_signed(directory)
    config = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(trust),
        "privateKey": str(directory / "pebble-key.pem"),
        "httpPort": 5002,
        "tlsPort": 5001,
        "keyAlgorithm": arguments.pebble_ca,
        "retryAfter": {"authz": 1, "order": 1},
        "profiles": {"default": {"description": "bench", "validityPeriod": 7776000}},
    }
    (directory / "pebble.json").write_text(json.dumps({"pebble": config}))
    switches = {
        "PEBBLE_VA_ALWAYS_VALID": "1",
        "PEBBLE_VA_NOSLEEP": "1",
        "PEBBLE_WFE_NONCEREJECT": "0",
        "PEBBLE_AUTHZREUSE": "0",
    }
    server = start_peer("pebble", [str(binary.resolve()), "-config", str(directory / "pebble.json")], directory, **switches)
    server.url, server.trust = f"https://127.0.0.1:{port}/dir", trust
    await_start(lambda: _answers(server), server.process, directory / "pebble.log")
    return server


def _self_signed(directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    day = timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.SubjectAlternativeName([requests.general_name({"type": "ip", "value": "127.0.0.1"})]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "pebble-key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    trust = directory / "pebble-cert.pem"
    trust.write_bytes(certificate.public_bytes(Encoding.PEM))
    return trust


def _answers(server: Server) -> bool:
    with SocketTransport(server.trust, timeout=2) as transport:
        try:
            return "newOrder" in Client(transport, server.url).directory
        except (Unreachable, Problem):
            return False


@functools.cache
def prepared() -> Iterator[tuple[list[dict[str, str]], bytes]]:
    """Identifiers with a CSR for them, one after the other for all clients; what they cost is no part of what is measured."""
    key = Key.make()
    names = [dns(f"b{number}.example.test") for number in range(CSRS)]
    return itertools.cycle([([dict(i) for i in identifiers], requests.request(key, identifiers)) for identifiers in names])


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pebble", type=Path, help="path of Pebble (default: from PATH)")
    parser.add_argument(
        "--pebble-ca",
        choices=["ecdsa", "rsa"],
        default="ecdsa",
        help="key of Pebble's CA: ecdsa as here and in its sample configuration, or rsa, which it uses if told nothing (default: ecdsa)",
    )
    parser.add_argument("--finalize", choices=["synchronous", "processing"], default="synchronous")
    return measuring.main(Bench("issuance", Session, start_ours, {"Pebble": start_pebble}), parser)


if __name__ == "__main__":
    sys.exit(main())
