"""Reading an HTTP/1.1 answer that the prober gets: tolerant of what real servers send, bounded in everything. No I/O."""

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
    """Decides when an answer is complete, and reads it. A body over ``limit`` octets is ``LIMIT``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._answer: Answer | None = None

    def enough(self, received: bytearray) -> bool:
        """Whether nothing more need be read."""
        self._answer = self._read(received, ended=False)
        return self._answer is not None

    def answer(self, received: bytearray) -> Answer:
        """The answer, after the other side has closed or :meth:`enough` said so."""
        answer = self._answer or self._read(received, ended=True)
        if answer is None:
            raise _malformed("it ended too soon")
        return answer

    def _read(self, received: bytearray, *, ended: bool) -> Answer | None:
        head, body = self._final_head(received)
        if head is None:
            return None
        lines = head.split(b"\r\n")
        status = _STATUS_LINE.fullmatch(lines[0])
        if status is None:
            raise _malformed("no status line")
        fields: dict[bytes, bytes] = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            fields.setdefault(name.strip().lower(), value.strip())
        location = fields.get(b"location", b"").decode("latin-1")
        code = int(status[1])
        if (300 <= code < 400 and location) or code in (204, 304):
            # The body of a redirect is not looked at.
            return Answer(code, location, b"")
        content = self._body(fields, body, ended=ended)
        return None if content is None else Answer(code, location, content)

    def _final_head(self, received: bytearray) -> tuple[bytes | None, bytearray]:
        start = 0
        while True:
            end = received.find(b"\r\n\r\n", start)
            if (end if end >= 0 else len(received)) > _HEAD_LIMIT:
                raise ProbeFailed(ProbeFailure.LIMIT, f"the head of the answer is longer than {_HEAD_LIMIT} octets")
            if end < 0:
                return None, received
            head = bytes(received[start:end])
            start = end + 4
            if not re.match(rb"HTTP/1\.[0-9] 1[0-9]{2}", head):
                return head, received[start:]

    def _body(self, fields: dict[bytes, bytes], body: bytearray, *, ended: bool) -> bytes | None:
        too_long = ProbeFailed(ProbeFailure.LIMIT, f"the body of the answer is longer than {self._limit} octets")
        if b"transfer-encoding" in fields:
            if fields[b"transfer-encoding"].lower() != b"chunked":
                raise _malformed("an unknown transfer coding")
            try:
                return ChunkedBody(self._limit, _HEAD_LIMIT).read(body)
            except BadMessage as bad:
                raise too_long if bad.status == 413 else _malformed(bad.detail) from None
        length = fields.get(b"content-length")
        if length is not None:
            if not re.fullmatch(rb"[0-9]{1,15}", length):
                raise _malformed("a wrong Content-Length")
            if int(length) > self._limit:
                raise too_long
            return bytes(body[: int(length)]) if len(body) >= int(length) else None
        if len(body) > self._limit:
            raise too_long
        return bytes(body) if ended else None
