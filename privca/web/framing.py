"""Reading HTTP/1.1 and HTTP/1.0 requests from octets, strictly (RFC 9112), without I/O.

Why our own: framing was 45 % of the server's CPU per issuance with the framework's general parser, and what a CA needs of HTTP is
little: complete bodies within a limit, Content-Length replies. What is ambiguous is refused, never guessed, so that no proxy in front
can see other message boundaries than we do (RFC 9112 section 11.2): a bare CR or LF, a folded line, white space before a colon, two
Content-Length or Host fields, Transfer-Encoding beside Content-Length or in HTTP/1.0.

:class:`RequestReader` is fed octets and gives :class:`Message` objects; :class:`BadMessage` says with which status to refuse and close.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

# Everything that may stand in a head besides CR and LF: HTAB, SP, VCHAR and obs-text (RFC 9110 section 5.5).
_HEAD_OCTETS = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_DIGITS = re.compile(r"[0-9]{1,19}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_ABSOLUTE = re.compile(r"https?://([^/?#@]+)(/[^?#]*)?(\?[^#]*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
# Fields that must be there at most once, or two readers of the same octets could disagree about what they say.
_SINGLE = frozenset({"host", "content-length", "transfer-encoding", "content-type", "authorization", "expect"})


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one client may use. Sizes are octets, times are seconds.

    ``head_time`` runs from the connection, or from the first octet of a later request, until the head is complete (a TLS handshake included);
    ``body_time`` from there until the body is; ``idle_time`` between requests; ``write_time`` is how long a reply may wait for a client
    that does not read; ``close_time`` how long a closed connection may linger for the other side's end. When there are ``connections``,
    a new one takes the place of one that is only waited for, of the address that has the most.
    """

    line: int = 8192
    head: int = 16384
    fields: int = 64
    body: int = 131072
    connections: int = 1024
    head_time: float = 15.0
    body_time: float = 30.0
    idle_time: float = 60.0
    write_time: float = 30.0
    close_time: float = 3.0


class BadMessage(Exception):
    """What was received is refused with ``status``; the connection cannot be used any longer."""

    def __init__(self, status: int, clause: str, detail: str) -> None:
        super().__init__(status, clause, detail)
        self.status = status
        self.clause = clause
        self.detail = detail


class Message(msgspec.Struct):
    """One request as framed. ``head`` are its exact octets without the empty line; field names in ``headers`` are lower case.

    ``authority`` is the Host field, or that of an absolute-form target, which wins (RFC 9112 section 3.2.2); empty in HTTP/1.0 without one.
    """

    method: str
    path: str
    query: str
    minor: int
    headers: Mapping[str, str]
    head: bytes
    authority: str
    keep_alive: bool
    body: bytes = b""


# Field names as clients spell them, so that the usual ones are checked and lowered once. Bounded: a client can invent names for ever.
_names: dict[str, str] = {}
_NAMES_KEPT = 512


def _field_name(spelled: str) -> str:
    name = _names.get(spelled)
    if name is None:
        if not _TOKEN.fullmatch(spelled):
            raise BadMessage(
                400,
                "RFC 9112 section 5",
                "a header line is a field name, a colon without white space before it, and a value; lines are not folded",
            )
        name = spelled.lower()
        if len(_names) < _NAMES_KEPT and len(spelled) <= 32:
            _names[spelled] = name
    return name


def _request_line(line: str) -> tuple[str, str, int]:
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    if version != "HTTP/1.1" and version != "HTTP/1.0":
        if re.fullmatch(r"HTTP/[02-9]\.[0-9]", version):
            raise BadMessage(505, "RFC 9110 section 15.6.6", "this server speaks HTTP/1.1 and HTTP/1.0")
        if not re.fullmatch(r"HTTP/1\.[2-9]", version):
            raise BadMessage(
                400, "RFC 9112 section 3", "a request line is a method, one space, a target, one space, and HTTP/1.1"
            )
    if method not in _METHODS and not _TOKEN.fullmatch(method):
        raise BadMessage(400, "RFC 9110 section 9.1", "a method is a token")
    return method, target, 0 if version == "HTTP/1.0" else 1


def _check_method(method: str) -> None:
    if method not in _METHODS:
        raise BadMessage(501, "RFC 9110 section 15.6.2", "this method is not known here")


# The fields of a client's next request are nearly always those of one before, to the octet. Bounded, since a client can invent fields for
# ever; and nothing is kept that may be a secret.
_blocks: dict[str, Mapping[str, str]] = {}
_BLOCKS_KEPT = 256
_BLOCK_LONGEST = 512
_NOT_KEPT = frozenset({"authorization", "proxy-authorization", "cookie"})


def _fields(block: str) -> Mapping[str, str]:
    """The header fields in the lines behind the request line, names in lower case. :raises BadMessage: 400."""
    headers: dict[str, str] = {}
    for line in block.split("\r\n"):
        spelled, colon, value = line.partition(":")
        name = _names.get(spelled) or _field_name(spelled)
        if not colon:
            raise BadMessage(400, "RFC 9112 section 5", "a header line has a colon")
        value = value.strip(" \t")
        if name in headers:
            if name in _SINGLE:
                raise BadMessage(400, "RFC 9110 section 5.3", f"the field {name} comes at most once")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    if "host" in headers and not _AUTHORITY.fullmatch(headers["host"]):
        raise BadMessage(400, "RFC 9112 section 3.2", "Host is a host name or address, and perhaps a port")
    if len(block) <= _BLOCK_LONGEST and _NOT_KEPT.isdisjoint(headers):
        if len(_blocks) >= _BLOCKS_KEPT:
            _blocks.clear()
        _blocks[block] = headers
    return headers


def read_head(head: bytes, limits: HttpLimits) -> Message:
    """The message that ``head`` (no empty line at its end) begins; its body is still empty.

    :raises BadMessage: 400, 414, 431, 501, 505, 417.
    """
    text = head.decode("latin-1")
    line, _, block = text.partition("\r\n")
    ends = text.count("\r\n")
    if len(head.translate(None, _HEAD_OCTETS)) != 2 * ends:
        # What is left are control characters; unless they are just the line ends that were split, there is a bare CR, LF or NUL.
        raise BadMessage(400, "RFC 9112 section 2.2", "a head has no control characters, and its lines end with CR LF")
    if len(line) > limits.line:
        raise BadMessage(414, "RFC 9112 section 3", f"a request line has at most {limits.line} octets here")
    if ends > limits.fields:
        raise BadMessage(431, "RFC 6585 section 5", f"a request has at most {limits.fields} header fields here")
    method, target, minor = _request_line(line)
    headers = _blocks.get(block)
    if headers is None:
        headers = _fields(block) if ends else {}
    authority = headers.get("host")
    if authority is None:
        if minor:
            raise BadMessage(400, "RFC 9112 section 3.2", "an HTTP/1.1 request has a Host field")
        authority = ""
    if target[:1] == "/":
        path, _, query = target.partition("?")
        if "#" in target:
            raise BadMessage(400, "RFC 9112 section 3.2.1", "a request target has no fragment")
    elif target == "*" and method == "OPTIONS":
        path, query = target, ""
    else:
        _check_method(method)  # the target of a CONNECT is none of these
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None or not _AUTHORITY.fullmatch(absolute[1]):
            raise BadMessage(
                400,
                "RFC 9112 section 3.2",
                "a request target is an absolute path or an http or https URL without user information",
            )
        authority, path, query = absolute[1], absolute[2] or "/", (absolute[3] or "?")[1:]
    if not target.isascii() or "\t" in target or " " in target:
        raise BadMessage(400, "RFC 9112 section 3.2", "a request target is visible ASCII")
    connection = headers.get("connection", "")
    if connection:
        options = {option.strip().lower() for option in connection.split(",")}
        keep_alive = "close" not in options and (minor == 1 or "keep-alive" in options)
    else:
        keep_alive = minor == 1
    return Message(method, path, query, minor, headers, head, authority, keep_alive)


def body_length(message: Message, limits: HttpLimits) -> int | None:
    """How many octets of body follow a head; None if they come in chunks.

    :raises BadMessage: 400 for framing that two readers could read in two ways, 413 over the limit, 501 for other codings.
    """
    coding = message.headers.get("transfer-encoding")
    length = message.headers.get("content-length")
    if coding is not None:
        if length is not None:
            raise BadMessage(400, "RFC 9112 section 6.1", "Transfer-Encoding and Content-Length do not come together")
        if not message.minor:
            raise BadMessage(400, "RFC 9112 section 6.1", "HTTP/1.0 has no Transfer-Encoding")
        if coding.lower() != "chunked":
            raise BadMessage(501, "RFC 9112 section 6.1", "the only transfer coding here is chunked")
        return None
    if length is None:
        return 0
    if not _DIGITS.fullmatch(length):
        raise BadMessage(400, "RFC 9110 section 8.6", "Content-Length is one decimal number")
    if int(length) > limits.body:
        raise too_large(limits)
    return int(length)


def too_large(limits: HttpLimits) -> BadMessage:
    """The refusal of a body over the limit."""
    return BadMessage(413, "RFC 9110 section 15.5.14", f"a request body has at most {limits.body} octets here")


@dataclass(slots=True)
class ChunkedBody:
    """Reads a chunked body (RFC 9112 section 7.1); extensions and trailer fields are read and dropped, within ``overhead`` octets in all."""

    limit: int
    overhead: int
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0
    _spent: int = 0
    _left: int = -1
    _trailer: bool = False

    def read(self, buffer: bytearray) -> bytes | None:
        """Take what can be taken from the front of ``buffer``; the body once it is complete, else None.

        :raises BadMessage: 400 for wrong framing, 413 over ``limit`` octets of content, 431 over ``overhead`` octets of the rest.
        """
        while True:
            if self._left > 0:
                part = bytes(buffer[: self._left])
                if not part:
                    return None
                del buffer[: len(part)]
                self._parts.append(part)
                self._left -= len(part)
                continue
            line = self._line(buffer)
            if line is None:
                return None
            if self._trailer:
                if not line:
                    return b"".join(self._parts)
                name, colon, _ = line.partition(b":")
                if not colon or not _TOKEN.fullmatch(name.decode("latin-1")):
                    raise BadMessage(400, "RFC 9112 section 7.1.2", "a trailer field is a name, a colon and a value")
            elif self._left == 0:
                if line:
                    raise BadMessage(400, "RFC 9112 section 7.1", "a chunk ends where its size says, with CR LF")
                self._left = -1
            else:
                self._start(line)

    def _start(self, line: bytes) -> None:
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            raise BadMessage(400, "RFC 9112 section 7.1", "a chunk begins with its size in 1 to 8 hexadecimal digits")
        self._left = int(size[1], 16)
        self._size += self._left
        if self._size > self.limit:
            raise BadMessage(413, "RFC 9110 section 15.5.14", f"a request body has at most {self.limit} octets here")
        if not self._left:
            self._trailer = True

    def _line(self, buffer: bytearray) -> bytes | None:
        end = buffer.find(b"\r\n")
        if (end if end >= 0 else len(buffer)) + self._spent > self.overhead:
            raise BadMessage(
                431, "RFC 6585 section 5", "chunk sizes, extensions and trailer fields are longer than a head may be"
            )
        if end < 0:
            if buffer.find(b"\n") >= 0:
                raise BadMessage(400, "RFC 9112 section 2.2", "lines end with CR LF")
            return None
        line = bytes(buffer[:end])
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise BadMessage(400, "RFC 9112 section 2.2", "lines end with CR LF")
        self._spent += end + 2
        del buffer[: end + 2]
        return line


class RequestReader:
    """Cuts a stream of octets into requests: :meth:`feed` it, then call :meth:`next` until it gives None.

    ``head`` is the message whose body is being read; ``waiting`` tells whether a request was begun and is not complete.
    """

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._searched = 0
        self._length: int | None = 0
        self._chunks: ChunkedBody | None = None
        self.head: Message | None = None

    @property
    def waiting(self) -> bool:
        """Whether part of a request is there."""
        return self.head is not None or bool(self._buffer)

    @property
    def held(self) -> bytes:
        """What was received and not yet given out: for the record of a refusal."""
        return (self.head.head + b"\r\n\r\n" if self.head is not None else b"") + bytes(self._buffer[: self._limits.head])

    @property
    def buffered(self) -> int:
        """Octets that are held."""
        return len(self._buffer)

    def feed(self, octets: bytes) -> None:
        """Append what was received."""
        self._buffer += octets

    def next(self) -> Message | None:
        """The next complete request, or None if octets are missing.

        :raises BadMessage: after which nothing more can be read.
        """
        if self.head is None and not self._read_head():
            return None
        message = self.head
        assert message is not None
        if self._chunks is not None:
            body = self._chunks.read(self._buffer)
            if body is None:
                return None
            message.body = body
        elif self._length:
            if len(self._buffer) < self._length:
                return None
            message.body = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
        self.head = self._chunks = None
        return message

    def _read_head(self) -> bool:
        buffer = self._buffer
        while buffer and buffer[0] in b"\r\n":
            # RFC 9112 section 2.2: an empty line before a request line is ignored.
            if buffer == b"\r":
                return False
            if buffer[:2] != b"\r\n":
                raise BadMessage(400, "RFC 9112 section 2.2", "lines end with CR LF")
            del buffer[:2]
            self._searched = 0
        end = buffer.find(b"\r\n\r\n", self._searched)
        if (end if end >= 0 else len(buffer)) > self._limits.head:
            first = buffer.find(b"\r\n", 0, self._limits.line + 2)
            if first < 0:
                raise BadMessage(414, "RFC 9112 section 3", f"a request line has at most {self._limits.line} octets here")
            raise BadMessage(431, "RFC 6585 section 5", f"a request head has at most {self._limits.head} octets here")
        if end < 0:
            self._refuse_early(buffer, self._searched)
            self._searched = max(0, len(buffer) - 3)
            return False
        message = read_head(bytes(buffer[:end]), self._limits)
        del buffer[: end + 4]
        self._searched = 0
        self.head = message  # first, so that whoever refuses the method or the body knows whose it is
        _check_method(message.method)
        self._length = body_length(message, self._limits)
        if self._length is None:
            self._chunks = ChunkedBody(self._limits.body, self._limits.head)
        return True

    @staticmethod
    def _refuse_early(buffer: bytearray, start: int) -> None:
        # Whoever speaks another protocol (TLS on a plain port) or ends lines with a bare LF would else wait for the time limit.
        wrong = bool(buffer) and not 0x21 <= buffer[0] <= 0x7E
        at = buffer.find(b"\n", start)
        while at >= 0 and not wrong:
            wrong = at == 0 or buffer[at - 1] != 0x0D
            at = buffer.find(b"\n", at + 1)
        if wrong:
            raise BadMessage(400, "RFC 9112 section 2.2", "this is not HTTP/1.1: a head is text whose lines end with CR LF")
