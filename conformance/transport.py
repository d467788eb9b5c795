"""How the examiner's messages travel. A transport is an object, so that one case runs by URL and in process alike."""

from __future__ import annotations

import base64
import binascii
import contextlib
import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urljoin, urlsplit

_LINK = re.compile(r"<([^>]*)>([^,]*(?:\"[^\"]*\"[^,]*)*)")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")
_REL = re.compile(r";\s*rel=\"?([^\";]+)\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, exactly as it is to be sent; Host and Content-Length are the transport's unless they are given here."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One reply, as received, with the request that it answers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    request: HttpRequest

    def header(self, name: str) -> str | None:
        """The first header of that name; names are compared without case (RFC 9110 section 5.1)."""
        return next(iter(self.values(name)), None)

    def values(self, name: str) -> list[str]:
        """Every header of that name."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def links(self, relation: str) -> list[str]:
        """Targets of the Link headers with this relation type, made absolute (RFC 8288 section 3.2)."""
        return [urljoin(self.request.url, target) for target, relations in self._links() if relation in relations]

    def raw_links(self, relation: str) -> list[str]:
        """Targets as written, to see a relative one."""
        return [target for target, relations in self._links() if relation in relations]

    def _links(self) -> Iterator[tuple[str, list[str]]]:
        for value in self.values("Link"):
            for target, parameters in _LINK.findall(value):
                relation = _REL.search(parameters)
                if relation:
                    yield target, relation[1].split()

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, in lower case; empty if there is none."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON. :raises ValueError: if it is none."""
        return json.loads(self.body)

    @property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object. :raises ValueError: if it is none."""
        value = self.json()
        if not isinstance(value, dict):
            raise ValueError(f"expected a JSON object, got {type(value).__name__}")
        return value

    @property
    def error(self) -> str:
        """The problem type without the ACME prefix, the whole type if it is another, empty if the body is no problem document."""
        if self.media_type != "application/problem+json":
            return ""
        try:
            return str(self.object.get("type", "")).removeprefix("urn:ietf:params:acme:error:")
        except ValueError:
            return ""


def pem_certificates(text: bytes) -> list[bytes]:
    """The octets of each certificate in PEM, whatever they are; what is no base64 is left out."""
    found = []
    for body in _PEM.findall(text):
        with contextlib.suppress(binascii.Error):
            found.append(base64.b64decode(b"".join(body.split()), validate=True))
    return found


RESTART = 3.0
"""Seconds that a server which has ended has to be there again."""


class Unreachable(Exception):
    """The other side did not answer with an HTTP message: nothing can be concluded."""


class Transport(Protocol):
    """Carries one request and brings its reply."""

    def exchange(self, request: HttpRequest) -> HttpResponse:
        """Send and receive. :raises Unreachable: if no HTTP reply came."""


class SocketTransport:
    """HTTP/1.1 over TCP or TLS with one kept connection per origin.

    :param trust: PEM file of the trust anchors; None for the system's (``SSL_CERT_FILE`` is honoured).
    :param timeout: seconds for connecting, and for each read.
    """

    def __init__(self, trust: Path | None = None, timeout: float = 30.0, user_agent: str = "privca-conformance") -> None:
        self._tls = ssl.create_default_context(cafile=str(trust) if trust else None)
        self._timeout = timeout
        self._user_agent = user_agent
        self._connections: dict[tuple[str, str], http.client.HTTPConnection] = {}
        self._answered: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def exchange(self, request: HttpRequest) -> HttpResponse:
        """Send and receive; a kept connection that the server has closed meanwhile is opened anew, once.

        A server that answered before and refuses connections now may have ended, and be started again by whoever looks after it: that is
        waited for, once for each end.
        """
        parts = urlsplit(request.url)
        origin = (parts.scheme, parts.netloc)
        kept = self._connections.pop(origin, None)
        if kept is not None:
            with contextlib.suppress(ConnectionError, ssl.SSLError, http.client.BadStatusLine):
                return self._tried(kept, origin, request)
        patience = time.monotonic() + (RESTART if origin in self._answered else 0.0)
        while True:
            try:
                reply = self._tried(self._connect(*origin), origin, request)
            except (OSError, http.client.HTTPException) as failure:
                if isinstance(failure, ConnectionRefusedError):
                    if time.monotonic() < patience:
                        time.sleep(RESTART / 100)
                        continue
                    self._answered.discard(origin)
                raise Unreachable(f"{request.method} {request.url}: {type(failure).__name__}: {failure}") from failure
            self._answered.add(origin)
            return reply

    def _tried(self, connection: http.client.HTTPConnection, origin: tuple[str, str], request: HttpRequest) -> HttpResponse:
        try:
            return self._on(connection, origin, request)
        except BaseException:
            connection.close()
            raise

    def _connect(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(netloc, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(netloc, timeout=self._timeout)

    def _on(self, connection: http.client.HTTPConnection, origin: tuple[str, str], request: HttpRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        given = {name.lower() for name, _ in request.headers}
        connection.putrequest(
            request.method,
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            skip_host="host" in given,
            skip_accept_encoding=True,
        )
        for name, value in request.headers:
            connection.putheader(name, value)
        if "user-agent" not in given:
            connection.putheader("User-Agent", self._user_agent)
        if "content-length" not in given and (request.body or request.method in {"POST", "PUT"}):
            connection.putheader("Content-Length", str(len(request.body)))
        # A server may answer and close before it has read a body that it does not want: its answer counts (RFC 9112 section 9.5).
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            connection.endheaders(request.body or None)
        reply = connection.getresponse()
        response = HttpResponse(reply.status, tuple(reply.getheaders()), reply.read(), request)
        if reply.will_close:
            connection.close()
        else:
            self._connections[origin] = connection
        return response
