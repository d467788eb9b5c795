"""Takes a recorded HTTP/1.x message apart (RFC 9112): just enough for a recording, not a parser for the network."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP message. ``fields`` are its header lines in order, names as sent; ``rest`` is what follows the end of the body."""

    start: str
    fields: tuple[tuple[str, str], ...]
    body: bytes
    rest: bytes

    @property
    def method(self) -> str:
        """The method of a request."""
        return self.start.split(" ")[0]

    @property
    def target(self) -> str:
        """Path and query of a request, as sent."""
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        """The status code of a reply."""
        return int(self.start.split(" ")[1])

    def field(self, name: str) -> str | None:
        """The first value of a header field, whatever its case."""
        return next((value for field, value in self.fields if field.lower() == name.lower()), None)


def parse(octets: bytes) -> Message:
    """The message; a chunked body is put together (RFC 9112 section 7.1), and a reply without a length goes to the end."""
    head, _, after = octets.partition(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    fields = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    known = {name.lower(): value for name, value in fields}
    if known.get("transfer-encoding", "").lower() == "chunked":
        body, rest = _dechunked(after)
    else:
        length = int(known.get("content-length", len(after) if start.startswith("HTTP/") else 0))
        body, rest = after[:length], after[length:]
    return Message(start, fields, body, rest)


def scep_message(message: Message) -> bytes:
    """The DER of a PKIOperation: the body, or the base64 of the query of a GET (RFC 8894 section 4.1; the URL-safe alphabet too)."""
    if message.method != "GET":
        return message.body
    query = message.target.partition("?")[2]
    # Not parse_qs: it takes + for a space.
    value = next(part.partition("=")[2] for part in query.split("&") if part.startswith("message="))
    text = unquote_to_bytes(value).translate(bytes.maketrans(b"-_", b"+/"))
    return b64decode(b"".join(text.split()), validate=True)


def _dechunked(octets: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, _, octets = octets.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        body += octets[:length]
        octets = octets[length + 2 :]
        if not length:
            return body, octets
