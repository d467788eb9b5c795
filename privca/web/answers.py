"""Reading an HTTP/1.1 answer that the prober gets: tolerant of what real servers send, bounded in everything. No I/O.

Each octet is looked at once, so that a server that sends its answer in crumbs costs no more than one that sends it whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from privca.acme.ports import ProbeFailure
from privca.web.framing import BadMessage, ChunkedBody
from privca.web.outgoing import ProbeFailed

_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})(?: [^\r\n]*)?")
_HEAD_LIMIT = 16384


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, the Location field (empty if there is none) and the body."""

    status: int
    location: str
    body: bytes


def _malformed(detail: str) -> ProbeFailed:
    return ProbeFailed(ProbeFailure.CONNECTION, f"the answer is not HTTP: {detail}")


class AnswerReader:
    """:meth:`feed` it until it has enough or the other side closes, then take :meth:`answer`. A body over ``limit`` octets is ``LIMIT``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self._heads = 0
        self._status = 0
        self._location = ""
        self._length: int | None = None
        self._chunks: ChunkedBody | None = None
        self._body: bytes | None = None

    def feed(self, octets: bytes) -> bool:
        """Take what has come; whether nothing more need be read. :raises ProbeFailed: LIMIT, or CONNECTION for what is not HTTP."""
        self._buffer += octets
        if not self._status and not self._read_head():
            return False
        if self._body is None:
            self._read_body()
        return self._body is not None

    def answer(self) -> Answer:
        """The answer, after :meth:`feed` had enough or the other side has closed."""
        if self._body is None:
            if not self._status or self._chunks is not None or self._length is not None:
                raise _malformed("it ended too soon")
            self._body = bytes(self._buffer)
        return Answer(self._status, self._location, self._body)

    def _read_head(self) -> bool:
        """Read the final head; interim ones (1xx) are dropped. ``_heads`` counts the octets of all of them."""
        while True:
            end = self._buffer.find(b"\r\n\r\n", self._searched)
            if self._heads + (end if end >= 0 else len(self._buffer)) > _HEAD_LIMIT:
                raise ProbeFailed(ProbeFailure.LIMIT, f"the head of the answer is longer than {_HEAD_LIMIT} octets")
            if end < 0:
                self._searched = max(0, len(self._buffer) - 3)
                return False
            lines = bytes(self._buffer[:end]).split(b"\r\n")
            del self._buffer[: end + 4]
            self._searched = 0
            self._heads += end + 4
            found = _STATUS_LINE.fullmatch(lines[0])
            if found is None:
                raise _malformed("no status line")
            if int(found[1]) >= 200:
                self._status = int(found[1])
                self._understand(lines[1:])
                return True

    def _understand(self, lines: list[bytes]) -> None:
        fields: dict[bytes, bytes] = {}
        for line in lines:
            name, _, value = line.partition(b":")
            fields.setdefault(name.strip().lower(), value.strip())
        self._location = fields.get(b"location", b"").decode("latin-1")
        if (300 <= self._status < 400 and self._location) or self._status in (204, 304):
            self._body = b""  # that of a redirect is not looked at
        elif b"transfer-encoding" in fields:
            if fields[b"transfer-encoding"].lower() != b"chunked":
                raise _malformed("an unknown transfer coding")
            self._chunks = ChunkedBody(self._limit, _HEAD_LIMIT)
        elif b"content-length" in fields:
            if not re.fullmatch(rb"[0-9]{1,15}", fields[b"content-length"]):
                raise _malformed("a wrong Content-Length")
            self._length = int(fields[b"content-length"])

    def _read_body(self) -> None:
        too_long = ProbeFailed(ProbeFailure.LIMIT, f"the body of the answer is longer than {self._limit} octets")
        if self._chunks is not None:
            try:
                self._body = self._chunks.read(self._buffer)
            except BadMessage as bad:
                raise too_long if bad.status == 413 else _malformed(bad.detail) from None
        elif max(self._length or 0, len(self._buffer) if self._length is None else 0) > self._limit:
            raise too_long
        elif self._length is not None and len(self._buffer) >= self._length:
            self._body = bytes(self._buffer[: self._length])
