"""What passed: one JSON line for every exchange, with the exact octets of both sides, the decision and its clause.

This is what a developer of a client reads. On the request path a record is only put on a list; a thread makes and writes the lines
some tenths of a second later. A process that is killed loses what it had not written, never anything that it had answered for: the
transcript is evidence for people, the store is the memory.

Never in it: values of Authorization and cookies, and what a protocol core named with :meth:`Exchange.conceal`. They are replaced by the
name of the field and the number of octets; not even a hash of a secret is kept.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog
from twisted.internet.defer import Deferred

from privca.base.clock import rfc3339
from privca.base.exchange import Exchange
from privca.base.http import Peer
from privca.web.reactor import Reactor

log = structlog.get_logger("privca.web")

# What is refused as a request is written down too: a field may be spelled with white space around its name, be folded over several
# lines, or follow a bare CR.
_SECRET_FIELDS = re.compile(
    rb"(?i)(?:^|(?<=[\r\n]))[ \t]*((?:proxy-)?authorization|(?:set-)?cookie|authentication-info)[ \t]*:[ \t]*"
    rb"([^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*)"
)
_PRINTABLE = bytes([9, 10, 13, *range(0x20, 0x7F)])


class Record(msgspec.Struct, frozen=True):
    """One exchange: what came in and what went out (empty if the client had gone). ``protocol`` is empty where no route was found."""

    exchange: Exchange
    protocol: str
    peer: Peer
    request_head: bytes
    request_body: bytes
    reply_head: bytes
    reply_body: bytes


class Transcript:
    """An append-only file of one process, mode 0600, rotated by size: ``NAME.1`` is the youngest of ``kept`` older ones.

    :param run_in_thread: ``deferToThread``; a test gives something simpler. Calls never overlap.
    :param interval: seconds between writes; ``buffered`` octets waiting cause one at once.
    """

    def __init__(
        self,
        path: Path,
        reactor: Reactor,
        run_in_thread: Callable[[Callable[[], None]], Awaitable[None]],
        *,
        rotate_at: int = 64 << 20,
        kept: int = 8,
        interval: float = 0.25,
        buffered: int = 4 << 20,
    ) -> None:
        self._path = path
        self._reactor = reactor
        self._run_in_thread = run_in_thread
        self._rotate_at = rotate_at
        self._kept = kept
        self._interval = interval
        self._buffered = buffered
        self._records: list[Record] = []
        self._octets = 0
        self._lost = 0
        self._writing: Deferred[None] | None = None
        self._scheduled = False
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = _open(path)

    def write(self, record: Record) -> None:
        """Take a record; drop it while eight times ``buffered`` are waiting, since a client that is faster than the disk would fill our
        memory. What is dropped is counted in the log."""
        if self._octets > 8 * self._buffered:
            self._lost += 1
            return
        self._records.append(record)
        self._octets += len(record.request_head) + len(record.request_body) + len(record.reply_body) + 1024
        if self._octets > self._buffered:
            self._flush()
        else:
            self._schedule()

    async def close(self) -> None:
        """Write what is waiting, and close the file."""
        while self._writing is not None:
            await self._writing
        self._write(self._take())
        os.close(self._file)
        self._file = -1

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._reactor.callLater(self._interval, self._timed)

    def _timed(self) -> None:
        self._scheduled = False
        self._flush()

    def _flush(self) -> None:
        if self._records and self._writing is None and self._file >= 0:
            batch = self._take()
            self._writing = Deferred.fromCoroutine(self._write_in_thread(batch))
            if self._writing.called:
                self._writing = None

    async def _write_in_thread(self, batch: list[Record]) -> None:
        try:
            await self._run_in_thread(lambda: self._write(batch))
        finally:
            self._writing = None
            if self._lost:
                log.error("the transcript cannot be written fast enough", path=str(self._path), lost=self._lost)
                self._lost = 0
            if self._octets > self._buffered:  # they came meanwhile, and found the thread busy
                self._flush()
            elif self._records:
                self._schedule()

    def _take(self) -> list[Record]:
        batch, self._records = self._records, []
        self._octets = 0
        return batch

    def _write(self, batch: list[Record]) -> None:
        lines = _encoder.encode_lines([as_json(record) for record in batch])
        try:
            if lines and os.fstat(self._file).st_size + len(lines) > self._rotate_at and os.fstat(self._file).st_size:
                self._rotate()
            view = memoryview(lines)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            log.error("the transcript cannot be written", path=str(self._path), lost=len(batch), reason=str(error))

    def _rotate(self) -> None:
        older = [self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._kept + 1)]
        for younger, elder in zip(reversed(older[:-1]), reversed(older[1:]), strict=True):
            if younger.exists():
                younger.replace(elder)
        self._path.replace(older[0])
        full, self._file = self._file, _open(self._path)
        # Only now: should the opening fail, this number must not become that of somebody's connection.
        os.close(full)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def as_json(record: Record) -> dict[str, Any]:
    """The record as a JSON object. Octets are ``text`` if they are printable ASCII, else ``base64``."""
    exchange, decision = record.exchange, record.exchange.decision
    request_head = record.request_head
    lower = request_head.lower()
    # The expression alone would cost thirty times as much, and a generator over three names as much as all the rest of this.
    if b"authorization" in lower or b"cookie" in lower or b"authentication-info" in lower:
        request_head = _SECRET_FIELDS.sub(_redact_field, request_head)
    secrets = exchange.concealed
    return {
        "id": exchange.id,
        "time": rfc3339(exchange.now),
        "profile": exchange.profile_id,
        "protocol": record.protocol,
        "peer": record.peer.address,
        "tls": record.peer.tls,
        "request": {"head": _octets(request_head, secrets), "body": _octets(record.request_body, secrets)},
        "reply": {"head": _octets(record.reply_head, secrets), "body": _octets(record.reply_body, secrets)},
        "outcome": decision.outcome,
        "clause": decision.clause,
        "detail": decision.detail,
        "facts": decision.facts,
    }


def _redact_field(found: re.Match[bytes]) -> bytes:
    return found[1] + b": [redacted %s, %d octets]" % (found[1].lower(), len(found[2]))


def _octets(octets: bytes, secrets: list[tuple[str, bytes]]) -> dict[str, str]:
    for field, secret in secrets:
        if secret:
            octets = octets.replace(secret, b"[redacted %s, %d octets]" % (field.encode(), len(secret)))
    if octets.translate(None, _PRINTABLE):
        return {"base64": base64.b64encode(octets).decode("ascii")}
    return {"text": octets.decode("ascii")}


_encoder = msgspec.json.Encoder()
