"""What one SCEP enrollment costs the server, by CPU time: ``PYTHONPATH=. python tests/bench/scep.py``.

One operation is one PKCSReq with an RSA-2048 key and a challengePassword, by POST: SHA-256 and AES-128-CBC, answered with a certificate
that is opened and looked at. What clients compute is not measured; all have one key, and make their messages in advance. micromdm's
``scepserver`` (Debian package ``scep``) is measured beside it if it is on PATH, or named with ``--scepserver``; it signs with SHA-1 and
encrypts with single DES, remembers no transaction, and writes no transcript.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import os
import sys
import urllib.parse
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.bench.measuring import (
    TIMEOUT,
    Bench,
    Server,
    Stalled,
    await_start,
    free_port,
    main,
    program,
    start_peer,
    start_privca,
)
from tests.support.scep_client import PKCS_REQ, Client, certificates_of, read_reply, request, self_signed, today
from tests.support.scep_lab import rsa_key

_SERIAL = itertools.count(1)
_PREPARED = 100
"""Messages that a session has at hand; when they are used up, it makes as many again, which costs the client and not the server."""


class Session:
    """One device after another on one connection, as a gateway would have it."""

    def __init__(self, server: Server) -> None:
        parts = urllib.parse.urlsplit(server.url)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
        self._path = parts.path
        self._challenge = server.endpoints.get("challenge", "")
        shown = self._ask("GET", "operation=GetCACert", b"")
        try:
            self._answering = next(one for one in certificates_of(shown) if _is_rsa(one))
        except Exception:
            self._answering = shown
        self._key = rsa_key(0)
        self._certificate = self_signed(self._key, "bench", today())
        self._messages: list[tuple[Client, bytes]] = []
        self._prepare()

    def _prepare(self) -> None:
        for _ in range(_PREPARED):
            name = f"device-{next(_SERIAL)}.example.test"
            client = Client(self._key, self._certificate, self._answering, transaction_id=os.urandom(16).hex())
            csr = request(self._key, name, names=[name], challenge=self._challenge)
            self._messages.append((client, client.message(PKCS_REQ, csr)))

    def operate(self) -> int:
        """One enrollment."""
        if not self._messages:
            self._prepare()
        _, message = self._messages.pop()
        octets = self._ask("POST", "operation=PKIOperation", message)
        reply = read_reply(octets, self._answering, self._key)
        if reply.status != "0":
            raise Stalled(f"pkiStatus {reply.status}, failInfo {reply.fail_info}: {reply.text}")
        return 1

    def _ask(self, method: str, query: str, body: bytes) -> bytes:
        self._connection.request(
            method, f"{self._path}?{query}", body, {"Content-Type": "application/x-pki-message"} if body else {}
        )
        response = self._connection.getresponse()
        octets = response.read()
        if response.status != 200:
            raise Stalled(f"HTTP {response.status}: {octets[:200]!r}")
        return octets

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


def _is_rsa(certificate: bytes) -> bool:
    return isinstance(x509.load_der_x509_certificate(certificate).public_key(), rsa.RSAPublicKey)


def ours(directory: Path, root: Path, arguments: argparse.Namespace) -> Server:
    """``privca up``, and its profile of devices."""
    server = start_privca(directory, "", root=root, workers=arguments.workers)
    profile = next(one for one in server.endpoints["profiles"] if one["id"] == "lab-scep")
    server.url = profile["url"]
    server.endpoints["challenge"] = profile["code"]
    return server


def scepserver(directory: Path, arguments: argparse.Namespace) -> Server | None:
    """micromdm's server with a CA of its own, on the loopback."""
    found = program(arguments.scepserver, "scepserver")
    if found is None:
        print("# scepserver is not on PATH: install the Debian package scep, or name it with --scepserver")
        return None
    port = free_port()
    depot = directory / "depot"
    made = start_peer("scepserver-init", [str(found), "ca", "-init", "-depot", str(depot), "-keySize", "2048"], directory)
    made.process.wait(30)
    command = [str(found), "-depot", str(depot), "-http-addr", f"127.0.0.1:{port}", "-allowrenew", "0", "-challenge", "secret"]
    server = start_peer("scepserver", command, directory)
    server.url = f"http://127.0.0.1:{port}/scep"
    server.endpoints["challenge"] = "secret"
    await_start(partial(_answers, server.url), server.process, directory / "scepserver.log")
    return server


def _answers(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
    try:
        connection.request("GET", f"{parts.path}?operation=GetCACaps")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scepserver", type=Path, metavar="PATH", help="the program, if it is not on PATH")
    sys.exit(main(Bench("enrollment", Session, ours, {"scepserver": scepserver}), parser))
