"""What proves control of a name: an http-01 server, a tls-alpn-01 server, and a DNS server's management API."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import json
import socket
import ssl
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

from conformance.acme.client import Identifier
from conformance.acme.clienthello import ClientHello, Incomplete, parse
from conformance.acme.csr import general_name
from conformance.acme.keys import b64

ACME_IDENTIFIER = ObjectIdentifier("1.3.6.1.5.5.7.1.31")


class Responder(Protocol):
    """Makes one kind of challenge come true."""

    challenge: str

    def provision(self, identifier: Identifier, token: str, key_authorization: str) -> None:
        """Put in place what the server will look for."""

    def withdraw(self, identifier: Identifier, token: str) -> None:
        """Take it away again."""


class HttpResponder:
    """An http-01 server (RFC 8555 section 8.3). ``seen`` are the paths and Host headers that were asked for."""

    challenge = "http-01"

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.seen: list[tuple[str, str]] = []
        self._resources: dict[str, str] = {}
        self._moved: dict[str, str] = {}
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((self.path, self.headers.get("Host", "")))
                said = outer._resources.get(self.path)
                octets = (said or "").encode("ascii")
                moved = outer._moved.get(self.path)
                self.send_response(302 if moved else 404 if said is None else 200)
                if moved:
                    self.send_header("Location", f"http://{self.headers.get('Host', '')}{moved}")
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, format: str, *arguments: object) -> None:
                """What was asked for is in ``seen``, not on the terminal."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A server that has seen enough hangs up, which is no error of ours."""

        self._server = Server((address, port), Answer)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def provision(self, identifier: Identifier, token: str, key_authorization: str) -> None:
        """Serve the key authorization at its well-known path."""
        self._resources[f"/.well-known/acme-challenge/{token}"] = key_authorization

    def provision_elsewhere(self, identifier: Identifier, token: str, key_authorization: str) -> None:
        """Serve it at another path of the same server, to which the well-known one redirects."""
        self._moved[f"/.well-known/acme-challenge/{token}"] = f"/redirected/{token}"
        self._resources[f"/redirected/{token}"] = key_authorization

    def withdraw(self, identifier: Identifier, token: str) -> None:
        """Answer 404 again."""
        path = f"/.well-known/acme-challenge/{token}"
        self._resources.pop(path, None)
        self._resources.pop(self._moved.pop(path, ""), None)


def reverse_name(address: str) -> str:
    """The SNI value for an IP address (RFC 8738 section 6)."""
    return ipaddress.ip_address(address).reverse_pointer


def validation_certificate(
    identifier: Identifier,
    key_authorization: str,
    *,
    critical: bool = True,
    digest: bool = True,
    names: Sequence[Identifier] | None = None,
) -> tuple[bytes, bytes]:
    """The certificate that RFC 8737 section 3 asks for and its key, both PEM.

    :param critical: whether the acmeIdentifier extension is. :param digest: whether it is there at all.
    :param names: what the subjectAltName has instead of the identifier; nothing: there is none.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme-tls/1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - timedelta(hours=1), now + timedelta(days=1)
    )
    written = [general_name(one) for one in ([identifier] if names is None else names)]
    if written:
        builder = builder.add_extension(x509.SubjectAlternativeName(written), critical=False)
    if digest:
        value = b"\x04\x20" + hashlib.sha256(key_authorization.encode("ascii")).digest()
        builder = builder.add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, value), critical=critical)
    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(Encoding.PEM), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(slots=True)
class Connection:
    """A connection to a tls-alpn-01 server: what the peer offered is known before it is answered, the rest when it has ``ended``."""

    hello: ClientHello
    chosen: str = ""
    """The protocol that was agreed upon; empty if there is no agreement."""
    data: bytes = b""
    """What the peer sent after the handshake."""
    closed: bool = False
    """Whether the peer closed the connection by itself."""
    ended: threading.Event = field(default_factory=threading.Event)


class TlsAlpnResponder:
    """A tls-alpn-01 server (RFC 8737, RFC 8738 section 6). ``seen`` are its connections, each from when its ClientHello has come.

    ``protocols`` are those that it speaks, the one that it likes best first: a peer that offers another one than ``acme-tls/1`` is found out.
    """

    challenge = "tls-alpn-01"

    def __init__(self, address: str = "127.0.0.1", port: int = 0, protocols: Sequence[str] = ("acme-tls/1",)) -> None:
        self._protocols = list(protocols)
        self.seen: list[Connection] = []
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._socket = socket.create_server((address, port))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._closing = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing = True
        # A connection of our own wakes accept(), so that no timeout is needed.
        socket.create_connection(self._socket.getsockname()[:2], timeout=5).close()
        self._thread.join()
        self._socket.close()

    def provision(self, identifier: Identifier, token: str, key_authorization: str) -> None:
        """Answer for this name with the validation certificate."""
        self.serve(identifier, validation_certificate(identifier, key_authorization))

    def serve(self, identifier: Identifier, pair: tuple[bytes, bytes]) -> None:
        """Answer for this name with another certificate and its key, both PEM."""
        self._contexts[self._server_name(identifier)] = self._context(*pair)

    def withdraw(self, identifier: Identifier, token: str) -> None:
        """Refuse handshakes for this name again."""
        self._contexts.pop(self._server_name(identifier), None)

    @staticmethod
    def _server_name(identifier: Identifier) -> str:
        return reverse_name(identifier["value"]) if identifier["type"] == "ip" else identifier["value"]

    def _context(self, certificate: bytes, key: bytes) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(self._protocols)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "validation.pem"
            path.write_bytes(certificate + key)
            context.load_cert_chain(path)
        return context

    def _serve(self) -> None:
        outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        outer.set_alpn_protocols(self._protocols)
        # A peer that closes with tickets unread resets the connection, and takes what it sent along.
        outer.num_tickets = 0

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            context = self._contexts.get(name or "")
            if context is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = context
            return None

        outer.sni_callback = choose
        while True:
            raw, _ = self._socket.accept()
            with raw:
                if self._closing:
                    return
                raw.settimeout(5)
                # A peer that is no TLS client, or has gone, is none that asks for a name.
                with contextlib.suppress(OSError, ValueError, EOFError):
                    self._converse(raw, outer)

    def _converse(self, raw: socket.socket, outer: ssl.SSLContext) -> None:
        """One connection from its ClientHello to its end, which is noted as it goes on: who asks for it may look at any time."""
        octets = b""
        while True:
            with contextlib.suppress(Incomplete):
                found = Connection(parse(octets))
                break
            octets += received(raw)
        self.seen.append(found)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(octets)
        connection = outer.wrap_bio(incoming, outgoing, server_side=True)

        def pumped(step: Callable[[], Any]) -> Any:
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(received(raw))
                finally:
                    found.chosen = connection.selected_alpn_protocol() or ""
                    raw.sendall(outgoing.read())

        try:
            pumped(connection.do_handshake)
            while data := pumped(lambda: connection.read(4096)):
                found.data += data
            found.closed = True
        except (ConnectionError, EOFError, ssl.SSLZeroReturnError):
            # Gone without a word, which is as good.
            found.closed = True
        finally:
            found.ended.set()


def received(raw: socket.socket) -> bytes:
    """The next octets. :raises EOFError: if there are none any more."""
    octets = raw.recv(65536)
    if not octets:
        raise EOFError("the peer has closed the connection")
    return octets


class DnsResponder:
    """dns-01 (RFC 8555 section 8.4) through an API like that of pebble-challtestsrv: POST /set-txt and /clear-txt."""

    challenge = "dns-01"

    def __init__(self, api: str) -> None:
        self._api = api.rstrip("/")

    def call(self, operation: str, **body: object) -> None:
        """One management call. :raises OSError: if it fails."""
        request = urllib.request.Request(  # noqa: S310 - the URL is the examiner's own argument
            f"{self._api}/{operation}", json.dumps(body).encode("utf-8"), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            reply.read()

    def provision(self, identifier: Identifier, token: str, key_authorization: str) -> None:
        """Publish the digest of the key authorization."""
        value = b64(hashlib.sha256(key_authorization.encode("ascii")).digest())
        self.call("set-txt", host=f"_acme-challenge.{identifier['value']}.", value=value)

    def withdraw(self, identifier: Identifier, token: str) -> None:
        """Take the record away."""
        self.call("clear-txt", host=f"_acme-challenge.{identifier['value']}.")


class NoResponder:
    """Nothing to put in place: for a server that counts every challenge as met (``open`` authentication, PEBBLE_VA_ALWAYS_VALID)."""

    challenge = ""

    def provision(self, identifier: Identifier, token: str, key_authorization: str) -> None:
        """Nothing."""

    def withdraw(self, identifier: Identifier, token: str) -> None:
        """Nothing."""
