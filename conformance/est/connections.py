"""Connections to an EST server: with or without a client certificate, and such that tell their ``tls-unique`` (RFC 5929 section 3).

They are objects, so that one case runs over sockets and in process alike.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, cast, runtime_checkable
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from conformance.est.csr import PrivateKey
from conformance.examination import NotApplicable
from conformance.target import TargetError
from conformance.transport import HttpRequest, HttpResponse, SocketTransport, Transport, Unreachable


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A private key with its certificate, and those that lead up from it."""

    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def pem(self) -> bytes:
        """Everything, the key unencrypted (PKCS #8)."""
        parts = [self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
        return b"".join(parts + [one.public_bytes(Encoding.PEM) for one in (self.certificate, *self.chain)])


@cache
def read(certificate: Path, key: Path) -> Enrolled:
    """What two PEM files hold. :raises TargetError: if that is no certificate with its private key."""
    try:
        own, *chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise TargetError(f"{certificate}, {key}: {error}") from None
    if not isinstance(private, PrivateKey) or private.public_key() != own.public_key():
        raise TargetError(f"{key} is not the key of {certificate}, or is of a kind that is not used here")
    return Enrolled(private, own, tuple(chain))


class Bound(Transport, Protocol):
    """A TLS 1.2 connection of its own, for one request."""

    @property
    def tls_unique(self) -> bytes:
        """The channel binding."""


@runtime_checkable
class Connections(Protocol):
    """Opens connections to one server."""

    def presenting(self, enrolled: Enrolled | None) -> Transport:
        """A connection with this client certificate, or without any."""

    def bound(self, url: str, enrolled: Enrolled | None) -> contextlib.AbstractContextManager[Bound]:
        """A connection whose ``tls-unique`` is known. :raises NotApplicable: where there is none."""


class OneTransport:
    """All connections are the same one: for a stub, to which a client certificate says nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def presenting(self, enrolled: Enrolled | None) -> Transport:
        """The one there is."""
        return self._transport

    def bound(self, url: str, enrolled: Enrolled | None) -> contextlib.AbstractContextManager[Bound]:
        """:raises NotApplicable: always."""
        raise NotApplicable("without TLS there is no channel binding")


class SocketConnections:
    """Connections over sockets; those of the same client certificate are kept and shared.

    :param trust: PEM file of the trust anchors, None for the system's.
    """

    def __init__(self, trust: Path | None) -> None:
        self._trust = trust
        self._stack = ExitStack()
        self._kept: dict[bytes, _TlsTransport] = {}
        self._directory = ""

    def __enter__(self) -> Self:
        # The ssl module takes keys from files alone; this directory is ours alone, and goes away with the run.
        self._directory = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="conformance-est-"))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def presenting(self, enrolled: Enrolled | None) -> Transport:
        """A kept connection with this client certificate."""
        key = b"" if enrolled is None else hashlib.sha256(enrolled.pem()).digest()
        if key not in self._kept:
            self._kept[key] = self._stack.enter_context(_TlsTransport(self._context(enrolled)))
        return self._kept[key]

    @contextlib.contextmanager
    def bound(self, url: str, enrolled: Enrolled | None) -> Iterator[Bound]:
        """A TLS 1.2 connection of its own. :raises Unreachable: if it cannot be made."""
        context = self._context(enrolled)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with _BoundTransport(context, url) as transport:
            yield transport

    def _context(self, enrolled: Enrolled | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self._trust) if self._trust else None)
        if enrolled is not None:
            file = Path(self._directory) / f"{hashlib.sha256(enrolled.pem()).hexdigest()}.pem"
            if not file.exists():
                file.touch(mode=0o600)
                file.write_bytes(enrolled.pem())
            context.load_cert_chain(file)
        return context


class _TlsTransport(SocketTransport):
    """A transport with its own TLS settings."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._tls = context


class _BoundTransport(_TlsTransport):
    """One connection for one request."""

    def __init__(self, context: ssl.SSLContext, url: str) -> None:
        super().__init__(context)
        parts = urlsplit(url)
        self._one = cast("http.client.HTTPSConnection", self._connect(parts.scheme, parts.netloc))
        try:
            self._one.connect()
        except OSError as failure:
            raise Unreachable(f"{url}: {type(failure).__name__}: {failure}") from failure

    @property
    def tls_unique(self) -> bytes:
        """The channel binding. :raises NotApplicable: if there is none."""
        sock = cast("Any", self._one.sock)
        found: bytes | None = sock.get_channel_binding("tls-unique") if sock.version() == "TLSv1.2" else None
        if not found:
            raise NotApplicable(f"this server speaks {sock.version()}, which has no tls-unique")
        return found

    def exchange(self, request: HttpRequest) -> HttpResponse:
        """The one request. :raises Unreachable: if no reply came."""
        try:
            return self._on(self._one, ("", ""), request)
        except (OSError, http.client.HTTPException) as failure:
            raise Unreachable(f"{request.method} {request.url}: {type(failure).__name__}: {failure}") from failure

    def close(self) -> None:
        """End the connection."""
        super().close()
        self._one.close()
