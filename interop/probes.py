"""Probes of a driver, before what it says is worth anything: told something that cannot succeed, it must say so.

A driver that reports success whatever happens would pass every scenario whose evidence is thin; these four find it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import secrets
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from interop.certificates import make_server_certificate
from interop.clients.driving import FAILED, UNSUPPORTED
from interop.servers.server import Service

Broken = Callable[[Service, Path], AbstractContextManager[Service]]


def _elsewhere(url: str, port: int) -> str:
    """The same path on another port of this machine."""
    return urlsplit(url)._replace(netloc=f"127.0.0.1:{port}").geturl()


@contextlib.contextmanager
def closed_port(service: Service, folder: Path) -> Iterator[Service]:
    """Nobody listens on the discard port of this namespace."""
    yield dataclasses.replace(service, url=_elsewhere(service.url, 9))


@contextlib.contextmanager
def untrusted(service: Service, folder: Path) -> Iterator[Service]:
    """The server is right, but the client trusts somebody else."""
    make_server_certificate(folder / "stranger.pem", folder / "stranger.key")
    yield dataclasses.replace(service, trust=folder / "stranger.pem")


class _Garbage(http.server.BaseHTTPRequestHandler):
    def _answer(self) -> None:
        body = secrets.token_bytes(512)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def garbage(service: Service, folder: Path) -> Iterator[Service]:
    """A server that the client trusts, and that answers everything with 200 and noise."""
    make_server_certificate(folder / "garbage.pem", folder / "garbage.key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "garbage.pem", folder / "garbage.key")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Garbage) as server:
        if service.url.startswith("https:"):
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield dataclasses.replace(service, url=_elsewhere(service.url, server.server_port), trust=folder / "garbage.pem")
        finally:
            server.shutdown()


@contextlib.contextmanager
def unchanged(service: Service, folder: Path) -> Iterator[Service]:
    """The server as it is: the order is what cannot be."""
    yield service


@dataclasses.dataclass(frozen=True, slots=True)
class Probe:
    """One probe: what is broken, what is ordered (empty: an action that does not exist), and the status that the driver must exit with."""

    broken: Broken
    actions: tuple[str, ...]
    status: int
    title: str
    protocols: tuple[str, ...] = ("acme", "est", "scep", "cmp")


PROBES = {
    "probe-closed-port": Probe(closed_port, ("issue",), FAILED, "nobody listens: the driver must say that the client failed"),
    # SCEP and CMP are not under TLS here; what a client trusts there it learns with the shared secret.
    "probe-untrusted": Probe(untrusted, ("issue",), FAILED, "a CA that the client does not trust: it must fail", ("acme", "est")),
    "probe-garbage": Probe(garbage, ("issue",), FAILED, "a server that answers noise: it must fail"),
    "probe-unknown": Probe(unchanged, (), UNSUPPORTED, "an action that does not exist: the driver must say unsupported"),
}
