"""What is written down, what never is, and how the file behaves."""

from __future__ import annotations

import base64
import json
import os
import stat
from datetime import UTC, datetime

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from privca.base.entropy import SystemEntropy
from privca.base.exchange import Exchange
from privca.base.http import Peer
from privca.web.transcript import Record, Transcript, as_json

HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\nAuthorization: Basic bGFiOnNlY3JldA==\r\ncookie: k=v\r\nX: y"


def exchange(id="e1"):
    made = Exchange(id, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), SystemEntropy(), "lab-acme")
    made.decided("refused", "RFC 8555 section 6.5", "bad nonce", account="a1")
    return made


def record(id="e1", request=b'{"a":1}', reply=b"\x00\xff", made=None):
    return Record(
        made or exchange(id), "acme", Peer("192.0.2.1", True), HEAD, request, b"HTTP/1.1 400 Bad Request\r\n\r\n", reply
    )


def direct(work):
    return succeed(work())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "transcripts" / "worker-0.jsonl"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def close(transcript):
    closed = Deferred.fromCoroutine(transcript.close())
    assert closed.called
    closed.addErrback(lambda failure: failure.raiseException())


def test_a_record_has_everything(path):
    clock = Clock()
    transcript = Transcript(path, clock, direct)
    transcript.write(record())
    assert path.read_text() == ""  # not on the request's time
    clock.advance(1)
    (line,) = lines(path)
    assert line["id"] == "e1"
    assert line["time"] == "2026-01-02T03:04:05Z"
    assert (line["profile"], line["protocol"], line["peer"], line["tls"]) == ("lab-acme", "acme", "192.0.2.1", True)
    assert (line["outcome"], line["clause"], line["detail"]) == ("refused", "RFC 8555 section 6.5", "bad nonce")
    assert line["facts"] == {"account": "a1"}
    assert line["request"]["body"] == {"text": '{"a":1}'}
    assert base64.b64decode(line["reply"]["body"]["base64"]) == b"\x00\xff"
    assert line["reply"]["head"] == {"text": "HTTP/1.1 400 Bad Request\r\n\r\n"}
    close(transcript)


def test_authorization_and_cookies_are_named_and_measured_only():
    said = json.dumps(as_json(record()))
    assert "bGFiOnNlY3JldA" not in said
    assert "k=v" not in said
    head = as_json(record())["request"]["head"]["text"]
    assert "Authorization: [redacted authorization, 22 octets]\r\n" in head
    assert "cookie: [redacted cookie, 3 octets]\r\nX: y" in head


@pytest.mark.parametrize(
    "field",
    [
        b"Authorization : Basic c2VjcmV0",
        b" Authorization: Basic c2VjcmV0",
        b"Authorization:\r\n Basic c2VjcmV0\r\n\tc2VjcmV0",
        b"X: y\rAuthorization: Basic c2VjcmV0\rX: y",
        b"Proxy-Authorization: Basic c2VjcmV0",
        b"Set-Cookie: c2VjcmV0",
    ],
)
def test_no_spelling_of_a_request_that_is_refused_shows_a_secret(field):
    for head in (b"GET / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\nY: z", field):
        refused = Record(exchange(), "", Peer("192.0.2.1"), head, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"")
        assert "c2VjcmV0" not in json.dumps(as_json(refused))


def test_what_a_protocol_conceals_is_redacted_in_every_part():
    made = exchange()
    made.conceal("private key", b"\x30\x01SECRET")
    said = as_json(record(request=b"a\x30\x01SECRETb", reply=b"\x30\x01SECRET", made=made))
    assert said["request"]["body"] == {"text": "a[redacted private key, 8 octets]b"}
    assert said["reply"]["body"] == {"text": "[redacted private key, 8 octets]"}
    assert "SECRET" not in repr(made)


def test_files_are_for_the_owner_alone(path):
    close(Transcript(path, Clock(), direct))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_closing_writes_what_waits(path):
    transcript = Transcript(path, Clock(), direct)
    for n in range(5):
        transcript.write(record(f"e{n}"))
    close(transcript)
    assert [line["id"] for line in lines(path)] == ["e0", "e1", "e2", "e3", "e4"]


def test_much_at_once_is_written_at_once(path):
    transcript = Transcript(path, Clock(), direct, buffered=10_000)
    for n in range(20):
        transcript.write(record(f"e{n}"))
    assert len(lines(path)) >= 9
    close(transcript)
    assert len(lines(path)) == 20


def test_rotation_by_size_keeps_a_number_of_files(path):
    clock = Clock()
    transcript = Transcript(path, clock, direct, rotate_at=2000, kept=2)
    for n in range(10):
        transcript.write(record(f"e{n}", request=b"x" * 900))
        clock.advance(1)
    close(transcript)
    assert sorted(p.name for p in path.parent.iterdir()) == ["worker-0.jsonl", "worker-0.jsonl.1", "worker-0.jsonl.2"]
    kept = [line["id"] for name in (".2", ".1", "") for line in lines(path.with_name(path.name + name))]
    assert kept == [f"e{n}" for n in range(10 - len(kept), 10)]
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in path.parent.iterdir())


def test_a_restart_appends(path):
    for n in range(2):
        transcript = Transcript(path, Clock(), direct)
        transcript.write(record(f"e{n}"))
        close(transcript)
    assert [line["id"] for line in lines(path)] == ["e0", "e1"]


def test_order_and_completeness_with_a_real_thread(path, loop):
    transcript = loop.run(lambda: Transcript(path, loop.reactor, deferToThread, interval=0.001, buffered=20_000))

    async def busy():
        for n in range(500):
            transcript.write(record(f"e{n}"))
            if n % 50 == 0:
                await loop.pause(0.002)

    loop.run(busy)
    loop.run(transcript.close)
    assert [line["id"] for line in lines(path)] == [f"e{n}" for n in range(500)]


def test_what_comes_while_a_thread_writes_is_written_after_it(path):
    clock, threads = Clock(), []

    def slow(work):
        threads.append((Deferred(), work))
        return threads[-1][0]

    transcript = Transcript(path, clock, slow)
    transcript.write(record("e0"))
    clock.advance(1)
    transcript.write(record("e1"))
    clock.advance(1)
    assert len(threads) == 1
    done, work = threads[0]
    done.callback(work())
    clock.advance(1)
    done, work = threads[1]
    done.callback(work())
    assert [line["id"] for line in lines(path)] == ["e0", "e1"]
    close(transcript)


def test_a_full_disk_stops_nobody(path, capsys):
    transcript = Transcript(path, Clock(), direct)
    os.close(transcript._file)
    transcript._file = os.open("/dev/full", os.O_WRONLY)
    transcript.write(record())
    close(transcript)
    assert "cannot be written" in "".join(capsys.readouterr())


def test_a_client_that_is_faster_than_the_disk_fills_no_memory(path, capsys):
    clock, threads = Clock(), []

    def slow(work):
        threads.append((Deferred(), work))
        return threads[-1][0]

    transcript = Transcript(path, clock, slow, buffered=10_000)
    for n in range(1000):
        transcript.write(record(f"e{n}"))
    assert len(transcript._records) < 100
    done, work = threads[0]
    done.callback(work())
    # What waited is written at once, and what was lost is told.
    assert len(threads) == 2
    assert "lost=9" in "".join(capsys.readouterr())
    done, work = threads[1]
    done.callback(work())
    transcript.write(record("last"))
    close(transcript)
    assert [line["id"] for line in lines(path)][-1] == "last"


def test_a_rotation_that_fails_writes_into_nobody_elses_file(path, tmp_path, monkeypatch):
    """Without descriptors left, the number of the old file would be the next connection's."""
    transcript = Transcript(path, Clock(), direct, rotate_at=100)
    transcript.write(record())
    transcript._flush()

    def none_left(path):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("privca.web.transcript._open", none_left)
    transcript.write(record())
    transcript._flush()
    theirs = os.open(tmp_path / "theirs", os.O_RDWR | os.O_CREAT)
    transcript.write(record())
    close(transcript)
    assert (tmp_path / "theirs").read_bytes() == b""
    assert os.fstat(theirs)
    os.close(theirs)
