"""What a full ACME issuance costs: server CPU time, throughput and latency, beside Pebble in one interleaved run.

    python tests/bench/acme.py [--pebble PATH] [--clients 1,8,32] [--seconds 10] [--rounds 2]
    python tests/bench/acme.py --minutes 10 --clients 32          endurance: this server alone

An issuance is newOrder, authorization, challenge, finalize, poll, download over a kept TLS connection, P-256 throughout, the CA's key too,
challenges counted as met: a lab profile with ``open`` authentication here, PEBBLE_VA_ALWAYS_VALID there. Transcripts are on, authorizations
are not reused.

The figure that holds is CPU time: user and system time of all processes of the server from /proc, divided by the issuances that were
completed. Throughput is a lower bound, since client and server share the machine. Accounts, keys and CSRs are made, connections opened and
the server warmed before the clock starts.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import functools
import itertools
import json
import os
import platform
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
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

CSRS = 4096
"""Names with a CSR each; an account meets a name again only after that many, since an authorization that is reused costs less."""
TIMEOUT = 15.0
"""Seconds without a reply after which a request counts as failed and its client as stalled."""
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_ES256 = ec.ECDSA(hashes.SHA256())


class Stalled(Exception):
    """No reply in time, or no reply that HTTP allows."""


# -- the lean client -------------------------------------------------------------------------------------------------------------------


class Session:
    """One account on one kept TLS connection: as little Python as an HTTP request with a JWS in it can take."""

    def __init__(self, directory_url: str, trust: Path, csrs: Iterator[tuple[list[dict[str, str]], bytes]]) -> None:
        key = Key.make()
        assert isinstance(key.private, ec.EllipticCurvePrivateKey)
        self._key = key.private
        with SocketTransport(trust) as transport:
            client = Client(transport, directory_url)
            self._kid = client.register(key).url
            self._new_order: str = client.directory["newOrder"]
            self._nonce = client.nonce()
        self._csrs = csrs
        parts = urlsplit(directory_url)
        raw = socket.create_connection((parts.hostname or "", parts.port or 443), timeout=TIMEOUT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = ssl.create_default_context(cafile=str(trust)).wrap_socket(raw, server_hostname=parts.hostname)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.netloc
        self._left = b""

    def close(self) -> None:
        self._socket.close()

    def issue(self) -> int:
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


@dataclass
class Server:
    """A server under test: its processes and where they listen."""

    name: str
    directory_url: str
    trust: Path
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        """The process and its descendants."""
        found = [self.process.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def cpu(self) -> tuple[float, float]:
        """User and system time of all processes so far, in seconds."""
        user = system = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                user += int(fields[11])
                system += int(fields[12])
        return user / CLOCK_TICKS, system / CLOCK_TICKS

    def memory(self) -> float:
        """Memory of all processes that is their own, in MB; pages of the database file that are mapped are not."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/status").read_text()
                total += int(text.partition("RssAnon:")[2].split()[0])
        return total * 1024 / 1e6

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


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


def start_privca(directory: Path, workers: int, finalize: str) -> Server:
    """``privca up`` in a fresh directory, with a profile for which challenges count as met."""
    lab = directory / "lab"
    command = [sys.executable, "-m", "privca"]
    ports = [f"--{name}-port=0" for name in ("https", "http", "admin", "resolver")]
    root = Path(__file__).resolve().parents[2]
    with open(directory / "privca.log", "wb") as log:
        process = subprocess.Popen(
            [*command, "up", "--dir", str(lab), *ports, f"--workers={workers}"], cwd=root, stdout=log, stderr=subprocess.STDOUT
        )
    endpoints = lab / "endpoints.json"
    _await(endpoints.exists, process, directory / "privca.log")
    profile = directory / "bench.toml"
    profile.write_text(PROFILE.format(finalize=finalize))
    subprocess.run(
        [*command, "profile", "apply", str(profile), "--dir", str(lab)], cwd=root, check=True, stdout=subprocess.DEVNULL
    )
    known = json.loads(endpoints.read_text())
    base: str = known["profiles"][0]["url"].partition("/acme/")[0]
    server = Server("privca", f"{base}/acme/bench/directory", Path(known["trust_anchor"]), process)
    _await(lambda: _answers(server), process, directory / "privca.log")
    return server


def start_pebble(binary: Path, directory: Path, ca_key: str) -> Server:
    """Pebble in its always-valid mode, without sleeps, nonce chaos or reuse of authorizations."""
    port, management = _free_port(), _free_port()
    trust = _self_signed(directory)
    config = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(trust),
        "privateKey": str(directory / "pebble-key.pem"),
        "httpPort": 5002,
        "tlsPort": 5001,
        "keyAlgorithm": ca_key,
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
    with open(directory / "pebble.log", "wb") as log:
        process = subprocess.Popen(
            [str(binary), "-config", str(directory / "pebble.json")],
            env={**os.environ, **switches},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = Server("Pebble", f"https://127.0.0.1:{port}/dir", trust, process)
    _await(lambda: _answers(server), process, directory / "pebble.log")
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
            return "newOrder" in Client(transport, server.directory_url).directory
        except (Unreachable, Problem):
            return False


def _await(there: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    pause = threading.Event()
    for _ in range(150):
        if there():
            return
        if process.poll() is not None:
            break
        pause.wait(0.2)
    raise SystemExit(f"the server did not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


# -- measuring -------------------------------------------------------------------------------------------------------------------------


@dataclass
class Measured:
    """What one window showed; windows of one row are added up. Times in seconds."""

    issued: int = 0
    requests: int = 0
    wall: float = 0.0
    user: float = 0.0
    system: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """User and system time together."""
        return self.user + self.system

    def add(self, other: Measured) -> None:
        """Take another window in."""
        self.issued += other.issued
        self.requests += other.requests
        self.wall += other.wall
        self.user += other.user
        self.system += other.system
        self.latencies += other.latencies
        self.errors += other.errors

    def row(self, clients: int, server: str) -> str:
        """A line of the README's table."""
        if not self.issued:
            return f"| {clients} | {server} | - | - | - | - | - | {len(self.errors)} |"
        sorted_ = sorted(self.latencies)
        p50, p99 = (1000 * sorted_[min(len(sorted_) - 1, int(len(sorted_) * share))] for share in (0.5, 0.99))
        return (
            f"| {clients} | {server} | {1000 * self.cpu / self.issued:.2f} | {self.issued / self.wall:.0f} | {p50:.1f} | {p99:.1f} "
            f"| {self.issued} | {len(self.errors)} |"
        )


HEAD = """| clients | server | CPU ms per issuance | issuances/s | p50 ms | p99 ms | issuances | errors |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def measure(server: Server, clients: int, seconds: float) -> Measured:
    """Drive a server with that many concurrent clients for that long."""
    csrs = prepared()
    sessions: list[Session] = []
    result = Measured()
    try:
        for _ in range(clients):
            sessions.append(Session(server.directory_url, server.trust, csrs))
        for session in sessions[:4]:
            session.issue()
    except (Stalled, Unreachable, Problem, OSError) as failure:
        result.errors.append(f"{type(failure).__name__}: {failure}")
        return result
    gate = threading.Barrier(clients + 1)
    lock = threading.Lock()
    until, last = 0.0, [0.0]

    def drive(session: Session) -> None:
        gate.wait()
        issued, taken, ended, latencies, errors = 0, 0, 0.0, [], []
        while time.perf_counter() < until:
            began = time.perf_counter()
            try:
                taken += session.issue()
            except (Stalled, OSError, KeyError, ValueError) as failure:
                errors.append(f"{type(failure).__name__}: {failure}")
                break
            issued += 1
            ended = time.perf_counter()
            latencies.append(ended - began)
        with lock:
            result.add(Measured(issued, taken, latencies=latencies, errors=errors))
            # Not the time that a stalled client waited for nothing.
            last[0] = max(last[0], ended)

    threads = [threading.Thread(target=drive, args=(session,), daemon=True) for session in sessions]
    for thread in threads:
        thread.start()
    (user, system), started = server.cpu(), time.perf_counter()
    until = started + seconds
    gate.wait()
    for thread in threads:
        thread.join()
    result.wall = max(last[0] - started, 0.001)
    ended_user, ended_system = server.cpu()
    result.user, result.system = ended_user - user, ended_system - system
    for session in sessions:
        session.close()
    return result


@functools.cache
def prepared() -> Iterator[tuple[list[dict[str, str]], bytes]]:
    """Identifiers with a CSR for them, one after the other for all clients; what they cost is no part of what is measured."""
    key = Key.make()
    names = [dns(f"b{number}.example.test") for number in range(CSRS)]
    return itertools.cycle([([dict(i) for i in identifiers], requests.request(key, identifiers)) for identifiers in names])


def compare(servers: list[Any], counts: list[int], seconds: float, rounds: int) -> None:
    """A B A B for each number of clients; a server that stalls is started again for its next window."""
    running: dict[str, Server] = {}
    rows: list[str] = []
    errors: list[str] = []
    try:
        for clients in counts:
            totals: dict[str, Measured] = {}
            per_round: dict[str, list[float]] = {}
            for _, (name, start) in itertools.product(range(rounds), servers):
                if name not in running:
                    running[name] = start()
                window = measure(running[name], clients, seconds)
                totals.setdefault(name, Measured()).add(window)
                if window.issued:
                    per_round.setdefault(name, []).append(1000 * window.cpu / window.issued)
                if window.errors:
                    errors += [f"{name}, {clients} clients: {text}" for text in window.errors[:3]]
                    running.pop(name).stop()
            for name, total in totals.items():
                rows.append(total.row(clients, name))
                figures = per_round.get(name, [])
                spread = f"{statistics.mean(figures):.2f} ({min(figures):.2f}-{max(figures):.2f})" if figures else "-"
                print(
                    f"# {clients} clients, {name}: CPU ms per issuance over rounds {spread}, "
                    f"{1000 * total.system / max(total.issued, 1):.2f} of it in the kernel, "
                    f"{total.requests / max(total.issued, 1):.2f} requests per issuance",
                    flush=True,
                )
    finally:
        for server in running.values():
            server.stop()
    print(f"\n{HEAD}")
    print("\n".join(rows))
    for text in dict.fromkeys(errors):
        print(f"error: {text}")


def endure(server: Server, clients: int, minutes: float) -> int:
    """One server for minutes on end, a line a minute; how many errors there were."""
    total = Measured()
    print(
        "| minute | issuances | CPU ms per issuance | issuances/s | p99 ms | memory MB | errors |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    left = minutes * 60
    for minute in itertools.count(1):
        window = measure(server, clients, min(60.0, left))
        total.add(window)
        p99 = 1000 * sorted(window.latencies)[int(len(window.latencies) * 0.99)] if window.latencies else 0
        print(
            f"| {minute} | {window.issued} | {1000 * window.cpu / max(window.issued, 1):.2f} | {window.issued / max(window.wall, 1):.0f} "
            f"| {p99:.0f} | {server.memory():.0f} | {len(window.errors)} |",
            flush=True,
        )
        left -= 60
        if left <= 0 or server.process.poll() is not None:
            break
    print(f"\n{HEAD}\n{total.row(clients, server.name)}")
    for text in dict.fromkeys(total.errors[:10]):
        print(f"error: {text}")
    return len(total.errors)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pebble", type=Path, default=shutil.which("pebble"), help="path of Pebble (default: from PATH)")
    parser.add_argument(
        "--pebble-ca",
        choices=["ecdsa", "rsa"],
        default="ecdsa",
        help="key of Pebble's CA: ecdsa as here and in its sample configuration, or rsa, which it uses if told nothing (default: ecdsa)",
    )
    parser.add_argument("--only", choices=["privca", "pebble"], help="measure one of the two")
    parser.add_argument("--clients", default="1,8,32", help="numbers of concurrent clients (default: 1,8,32)")
    parser.add_argument("--seconds", type=float, default=10, help="length of a window (default: 10)")
    parser.add_argument("--rounds", type=int, default=2, help="windows for each server and number of clients (default: 2)")
    parser.add_argument("--minutes", type=float, help="endurance: this server alone, that long")
    parser.add_argument("--workers", type=int, default=1, help="processes of this server (default: 1)")
    parser.add_argument("--finalize", choices=["synchronous", "processing"], default="synchronous")
    arguments = parser.parse_args()
    counts = [int(text) for text in arguments.clients.split(",")]
    print(f"# Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, {os.cpu_count()} CPUs, {_cpu_name()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="acme-bench-") as text:
        directory = Path(text)

        def ours() -> Server:
            place = Path(tempfile.mkdtemp(dir=directory))
            return start_privca(place, arguments.workers, arguments.finalize)

        if arguments.minutes:
            server = ours()
            try:
                return 1 if endure(server, counts[-1], arguments.minutes) else 0
            finally:
                server.stop()
        servers: list[Any] = [("privca", ours)] if arguments.only != "pebble" else []
        if arguments.only != "privca":
            if arguments.pebble is None:
                print(
                    "# Pebble is not measured: no 'pebble' in PATH; Debian sid has it: apt-get download pebble, dpkg-deb -x, --pebble"
                )
            else:
                servers.append(
                    ("Pebble", lambda: start_pebble(arguments.pebble, Path(tempfile.mkdtemp(dir=directory)), arguments.pebble_ca))
                )
        compare(servers, counts, arguments.seconds, arguments.rounds)
    return 0


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown CPU"


if __name__ == "__main__":
    sys.exit(main())
