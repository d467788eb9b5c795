"""HTTP messages as values: what a protocol core gets and gives. The adapter in ``web`` makes the first and sends the second."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec


class ChannelBinding(enum.StrEnum):
    """Octets that both ends of one TLS connection know and no other connection has."""

    TLS_UNIQUE = "tls-unique"
    """RFC 5929 section 3; TLS 1.2 alone, and there only with the extended master secret (RFC 7627)."""
    TLS_EXPORTER = "tls-exporter"
    """RFC 9266; here for TLS 1.3 alone."""


class TlsSession(Protocol):
    """What can be asked about the TLS connection that a request came by. Nothing is computed before it is asked for."""

    @property
    def version(self) -> str:
        """``TLSv1.2`` or ``TLSv1.3``."""

    def chain(self) -> tuple[bytes, ...]:
        """The certificates that the client sent behind its own, DER, in its order."""

    def channel_binding(self, kind: ChannelBinding) -> bytes | None:
        """The octets of a channel binding; None where this connection has none of that kind that could be trusted."""


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end of the connection.

    ``address`` is the remote IP address as text; ``tls`` tells whether the connection is TLS; ``certificate`` is the
    client's end-entity certificate as DER, if it presented one (it proves possession of the key; trusting it is the profile's matter).
    ``session`` is None without TLS.
    """

    address: str
    tls: bool = False
    certificate: bytes | None = None
    session: TlsSession | None = None


class Request(msgspec.Struct, frozen=True):
    """One request, body complete.

    ``path`` is the path as received (percent-encoding kept, no query); ``tail`` is what follows the profile ID in it,
    without a leading slash. Header names are lower case; a header that came more than once is joined with ``, ``.
    ``origin`` is scheme, host and port under which the client reached us, as ``https://localhost:8443``, without a slash:
    every URL that a reply contains begins with it. It is always one of the names that the server was given.
    """

    method: str
    path: str
    tail: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: Peer
    origin: str


class Response(msgspec.Struct, frozen=True):
    """One reply. Header names are sent exactly as spelled here; Content-Length, Date and Server are the adapter's.

    The reply to HEAD has the body that GET would get: the adapter tells its length and leaves it out (RFC 9110 sections 8.6 and 9.3.2).
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(slots=True)
class Decision:
    """What was decided about an exchange, and on what clause: the reader's line of the transcript."""

    outcome: str = ""
    clause: str = ""
    detail: str = ""
    facts: dict[str, str] = field(default_factory=dict)
