"""Who answers challenges for clients that leave that to a server of their user's: files over HTTP, and certificates by ALPN.

Standard library only: this runs where the client runs.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

WELL_KNOWN = "/.well-known/acme-challenge/"
ACME_TLS = "acme-tls/1"


class _Dual(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A listener for IPv6 and IPv4 at once; its port is free again as soon as it ends."""

    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True

    def server_bind(self) -> None:
        """Both families."""
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Files(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        """The file of a token in the folder; anything else is nowhere."""
        token = path.removeprefix(WELL_KNOWN)
        return str(Path(self.directory) / (token if path.startswith(WELL_KNOWN) and "/" not in token else "nothing"))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def webroot(folder: Path, port: int = 80) -> Iterator[Path]:
    """Serve the files of a folder as http-01 answers (RFC 8555 section 8.3)."""
    folder.mkdir(parents=True, exist_ok=True)
    with _Dual(("::", port), functools.partial(_Files, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield folder
        finally:
            server.shutdown()


class _Handshake(socketserver.BaseRequestHandler):
    folder: Path

    def handle(self) -> None:
        """A handshake and no more; the certificate is that of the name that the caller wants."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols([ACME_TLS])
        context.sni_callback = self.choose
        with contextlib.suppress(OSError), context.wrap_socket(self.request, server_side=True):
            pass

    def choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> int | None:
        """Present the certificate of ``name``, if there is one."""
        certificate, key = (self.folder / f"{name}.{kind}.pem" for kind in ("crt", "key"))
        if not certificate.is_file():
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        chosen = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        chosen.set_alpn_protocols([ACME_TLS])
        chosen.load_cert_chain(certificate, key)
        connection.context = chosen
        return None


@contextlib.contextmanager
def alpn(folder: Path, port: int = 443) -> Iterator[Path]:
    """Present certificates ``NAME.crt.pem`` of a folder, with keys ``NAME.key.pem``, as tls-alpn-01 answers (RFC 8737 section 3)."""
    folder.mkdir(parents=True, exist_ok=True)
    with _Dual(("::", port), type("Handshake", (_Handshake,), {"folder": folder})) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield folder
        finally:
            server.shutdown()
