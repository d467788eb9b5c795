"""What status costs: server CPU time per OCSP answer, and what enrollment feels of a CRL with 100,000 entries.

    python tests/bench/status.py [--revoked 100000] [--clients 8] [--seconds 10] [--workers 1]

OCSP over kept plain HTTP connections, 1,000 certificates, P-256 throughout: by GET without a nonce, where an answer is signed once and
given again, and by POST with a nonce of 32 octets, where each is signed. The responder's delegate is made before the clock starts.

CRL: certificates of the issuing CA are written to the store as revoked, then one more is revoked by the command line while a client asks
for nonces (HEAD newNonce over TLS, one after another), and the CRL is asked for: what is measured is how long a nonce takes beside the
building of the list, and when nothing else happens.

How it is measured: ``tests/bench/measuring.py``.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import os
import platform
import random
import socket
import sqlite3
import ssl
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.bench.measuring import TIMEOUT, Server, Stalled, head, measure, start_privca

CERTIFICATES = 1000
CA = "lab-ec"
# What is there of a certificate of that CA, with another serial number, and revoked or not; octets of the same form as real ones.
_COPY = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO certificate (serial, authority, generation, profile_id, profile_revision, protocol, request_id, identity, subject, names,
  spki_sha256, not_before, not_after, tbs, der, status, recorded, revoked_at, reason, revoked_by, version)
SELECT CAST(x'41' || randomblob(19) AS BLOB), :ca, 1, 'bench', 1, 'acme', :prefix || i, 'acme:bench', '', '[]', x'00', :now, :now + 7776000 + i % 997,
  x'00', x'00', :status, :now, :revoked_at, :reason, '', 2 FROM n
"""


class Connection:
    """A kept connection that sends octets and reads one reply with a Content-Length."""

    def __init__(self, url: str, trust: Path | None = None) -> None:
        parts = urlsplit(url)
        raw = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=TIMEOUT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context(cafile=str(trust)) if trust else None
        self._socket = context.wrap_socket(raw, server_hostname=parts.hostname) if context else raw
        self.host = parts.netloc

    def ask(self, request: bytes, *, body: bool = True) -> tuple[int, bytes]:
        """Status and body of the reply."""
        self._socket.sendall(request)
        octets = b""
        while b"\r\n\r\n" not in octets:
            octets += self._some()
        top, _, rest = octets.partition(b"\r\n\r\n")
        length = 0
        for line in top.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length" and body:
                length = int(value)
        parts = [rest]
        left = length - len(rest)
        while left > 0:
            parts.append(self._some())
            left -= len(parts[-1])
        return int(top.split(b" ", 2)[1]), b"".join(parts)

    def _some(self) -> bytes:
        found = self._socket.recv(1 << 16)
        if not found:
            raise Stalled("the connection was closed")
        return found

    def close(self) -> None:
        """Let it go."""
        self._socket.close()


class Asking:
    """An OCSP client that asks for one certificate after another."""

    def __init__(self, origin: str, requests: list[bytes], *, nonce: bool) -> None:
        self._connection = Connection(origin)
        self._requests = itertools.cycle(random.sample(requests, len(requests)))
        self._nonce = nonce

    def operate(self) -> int:
        octets = next(self._requests)
        host = self._connection.host.encode()
        if self._nonce:
            builder = ocsp.load_der_ocsp_request(octets)
            with_nonce = (
                ocsp.OCSPRequestBuilder()
                .add_certificate_by_hash(
                    builder.issuer_name_hash, builder.issuer_key_hash, builder.serial_number, builder.hash_algorithm
                )
                .add_extension(x509.OCSPNonce(os.urandom(32)), critical=False)
                .build()
                .public_bytes(Encoding.DER)
            )
            top = b"POST /ocsp/%b HTTP/1.1\r\nHost: %b\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n"
            request = top % (CA.encode(), host, len(with_nonce)) + with_nonce
        else:
            request = b"GET /ocsp/%b/%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (
                CA.encode(),
                quote(base64.b64encode(octets), safe="").encode(),
                host,
            )
        status, body = self._connection.ask(request)
        if status != 200 or body[:2] != b"\x30\x82":
            raise Stalled(f"{status}: no OCSP answer")
        return 1

    def close(self) -> None:
        self._connection.close()


def populate(server: Server, revoked: int) -> list[bytes]:
    """Write certificates into the store of a running server; OCSP requests for those that are good."""
    directory = Path(server.trust).parent
    store = sqlite3.connect(directory / "privca.db")
    now = int(time.time())
    good = {"status": "issued", "revoked_at": None, "reason": None, "prefix": "good-", "count": CERTIFICATES}
    bad = {"status": "revoked", "revoked_at": now, "reason": 4, "prefix": "bad-", "count": revoked}
    with store:
        for one in (good, bad):
            store.execute(_COPY, {"ca": CA, "now": now, **one})
        # As if each had been revoked by its own transaction.
        store.execute("INSERT OR REPLACE INTO revocation_count (authority, count) VALUES (?, ?)", (CA, revoked))
    serials = [row[0] for row in store.execute("SELECT serial FROM certificate WHERE request_id LIKE 'good-%'")]
    issuer = x509.load_der_x509_certificate(
        store.execute("SELECT certificate FROM generation WHERE authority = ?", (CA,)).fetchone()[0]
    )
    store.close()
    name = hashes.Hash(hashes.SHA1())
    name.update(issuer.subject.public_bytes())
    name_hash, key_hash = name.finalize(), x509.SubjectKeyIdentifier.from_public_key(issuer.public_key()).digest
    return [
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(name_hash, key_hash, int.from_bytes(serial), hashes.SHA1())
        .build()
        .public_bytes(Encoding.DER)
        for serial in serials
    ]


def nonces(server: Server, stop: threading.Event) -> list[float]:
    """How long each nonce took, one after another, until told to stop."""
    directory = next(one["url"] for one in server.endpoints["profiles"] if one["id"] == "lab-acme")
    connection = Connection(server.base, server.trust)
    path = urlsplit(directory).path.replace("/directory", "/new-nonce")
    request = f"HEAD {path} HTTP/1.1\r\nHost: {connection.host}\r\n\r\n".encode()
    found = []
    while not stop.is_set():
        began = time.perf_counter()
        connection.ask(request, body=False)
        found.append(time.perf_counter() - began)
    connection.close()
    return found


def quantiles(latencies: list[float]) -> str:
    """Median, 99th percentile and maximum in ms."""
    ordered = sorted(latencies)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{1000 * statistics.median(ordered):.2f} | {1000 * p99:.2f} | {1000 * ordered[-1]:.1f} | {len(ordered)}"


def crl_beside_nonces(server: Server, origin: str, seconds: float) -> None:
    """Print how long nonces take with and without a CRL being built, and what a list costs."""
    directory = Path(server.trust).parent
    rows = []
    for label, builds in (("nothing else", False), ("CRLs built one after another", True)):
        stop, latencies = threading.Event(), []
        asking = threading.Thread(target=lambda found=latencies, end=stop: found.extend(nonces(server, end)))
        (user, system), began = server.cpu(), time.perf_counter()
        asking.start()
        built, size, slowest = 0, 0, 0.0
        while time.perf_counter() - began < seconds:
            if not builds:
                stop.wait(0.1)
                continue
            store = sqlite3.connect(directory / "privca.db")
            with store:
                # As a revocation does: the list that is there is stale.
                store.execute("UPDATE revocation_count SET count = count + 1 WHERE authority = ?", (CA,))
            store.close()
            connection = Connection(origin)
            at = time.perf_counter()
            status, body = connection.ask(f"GET /crl/{CA}.crl HTTP/1.1\r\nHost: {connection.host}\r\n\r\n".encode())
            slowest = max(slowest, time.perf_counter() - at)
            connection.close()
            if status != 200:
                raise SystemExit(f"no CRL: {status} {body[:200]!r}")
            built, size = built + 1, len(body)
        stop.set()
        asking.join()
        ended = server.cpu()
        rows.append(f"| {label} | {quantiles(latencies)} |")
        if builds:
            cpu = ended[0] - user + ended[1] - system
            print(
                f"# {built} CRLs of {size:,} octets, {cpu / built:.2f} s of CPU each with the nonces beside, slowest {slowest:.2f} s"
            )
    print("| newNonce beside | p50 ms | p99 ms | max ms | nonces |\n| --- | --- | --- | --- | --- |")
    print("\n".join(rows))


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revoked", type=int, default=100_000, help="entries of the CRL (default: 100000)")
    parser.add_argument("--clients", default="1,8", help="numbers of concurrent OCSP clients (default: 1,8)")
    parser.add_argument("--seconds", type=float, default=10, help="length of a window (default: 10)")
    parser.add_argument("--workers", type=int, default=1, help="processes of this server (default: 1)")
    arguments = parser.parse_args()
    print(
        f"# Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as text:
        server = start_privca(Path(text), "", workers=arguments.workers)
        try:
            origin = next(one["url"] for one in server.endpoints["profiles"] if one["url"].startswith("http:"))
            origin = "/".join(origin.split("/")[:3])
            requests = populate(server, arguments.revoked)
            print(head("answer"))
            for clients in (int(one) for one in arguments.clients.split(",")):
                for label, nonce in (("GET, given again", False), ("POST, nonce, signed", True)):
                    window = measure(
                        server, lambda _, nonce=nonce: Asking(origin, requests, nonce=nonce), clients, arguments.seconds
                    )
                    print(window.row(clients, label), flush=True)
                    for error in window.errors[:2]:
                        print(f"error: {error}")
            crl_beside_nonces(server, origin, arguments.seconds)
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
