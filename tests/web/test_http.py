"""The server's HTTP against raw sockets: RFC 9110, RFC 9112, and nothing that two readers could read in two ways."""

from __future__ import annotations

import contextlib
import email.utils
import socket
import time

import pytest

from privca.web.framing import HttpLimits

HOST = b"Host: localhost\r\n"


def get(path: bytes = b"/", more: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"GET " + path + b" HTTP/" + version + b"\r\n" + HOST + more + b"\r\n"


def post(body: bytes, more: bytes = b"") -> bytes:
    return b"POST /p HTTP/1.1\r\n" + HOST + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_a_request_is_read_and_answered_whole(serve, client, echo):
    answer = (
        client(serve(echo).port)
        .send(b"POST /a/b%20c?x=1&y HTTP/1.1\r\nHost: LocalHost:8443\r\nAccept:  a \r\naccept: b\r\nContent-Length: 3\r\n\r\nabc")
        .read()
    )
    assert (answer.version, answer.status) == ("HTTP/1.1", 200)
    said = answer.json()
    assert said["method"] == "POST"
    assert said["path"] == "/a/b%20c"
    assert said["query"] == "x=1&y"
    assert said["body"] == "abc"
    assert said["authority"] == "LocalHost:8443"
    assert said["headers"]["accept"] == "a, b"
    assert answer.headers["X-CaSe"] == "kept"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert "Transfer-Encoding" not in answer.headers
    assert email.utils.parsedate_to_datetime(answer.headers["Date"])


def test_head_has_the_length_and_no_body(serve, client, echo):
    with client(serve(echo).port) as c:
        answer = c.send(b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n").read(head_only=True)
        assert int(answer.headers["Content-Length"]) > 0
        assert c.send(get(b"/next")).read().json()["path"] == "/next"


def test_204_has_neither_body_nor_length(serve, client, echo):
    answer = client(serve(echo).port).send(get(b"/none")).read()
    assert answer.status == 204
    assert "Content-Length" not in answer.headers
    assert answer.headers["Replay-Nonce"] == "n"


def test_304_has_neither_body_nor_length(serve, client, echo):
    """RFC 9110 sections 8.6 and 15.4.5: the length would be that of the reply which is not repeated."""
    with client(serve(echo).port) as c:
        answer = c.send(get(b"/kept")).read(head_only=True)
        assert (answer.status, answer.headers["ETag"]) == (304, '"n"')
        assert "Content-Length" not in answer.headers
        assert c.send(get(b"/next")).read().json()["path"] == "/next"


def test_head_and_body_are_recorded_as_sent(serve, client, echo, loop):
    answer = client(serve(echo).port).send(get()).read()
    loop.run(lambda: None)  # the reply is on its way before the record is made
    assert echo.sent == [(answer.head + b"\r\n\r\n", answer.body)]


def test_pipelined_requests_are_answered_in_order(serve, client, echo, loop):
    with client(serve(echo).port) as c:
        c.send(b"".join((get(b"/1"), get(b"/wait"), post(b"three"), get(b"/4"))))
        assert c.read().json()["path"] == "/1"
        while not echo.gates:
            loop.run(loop.pause, 0.01)
        assert [m.path for m in echo.seen] == ["/1", "/wait"]  # nothing overtakes
        loop.run(echo.gates[0].callback, None)
        assert [c.read().json()["path"] for _ in range(3)] == ["/wait", "/p", "/4"]


def test_a_request_may_come_octet_by_octet(serve, client, echo):
    with client(serve(echo).port) as c:
        c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in (
            post(b"abc")
            + b"POST / HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: v\r\n\r\n"
        ):
            c.send(bytes([octet]))
        assert [c.read().json()["body"] for _ in range(2)] == ["abc", "abc"]


def test_empty_lines_before_a_request_are_ignored(serve, client, echo):
    with client(serve(echo).port) as c:
        assert c.send(b"\r\n\r\n" + get(b"/1") + b"\r\n" + get(b"/2")).read().json()["path"] == "/1"
        assert c.read().json()["path"] == "/2"


def test_connection_close_is_obeyed_and_said(serve, client, echo):
    with client(serve(echo).port) as c:
        answer = c.send(get(more=b"Connection: Close, x\r\n") + get(b"/never")).read()
        assert answer.headers["Connection"] == "close"
        assert c.rest() == b""
    assert len(echo.seen) == 1


def test_http_1_0_is_answered_in_kind(serve, client, echo):
    with client(serve(echo).port) as c:
        answer = c.send(b"GET / HTTP/1.0\r\n\r\n").read()
        assert answer.version == "HTTP/1.0"
        assert answer.headers["Connection"] == "close"
        assert c.rest() == b""
    with client(serve(echo).port) as c:
        answer = c.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").read()
        assert answer.headers["Connection"] == "keep-alive"
        assert c.send(b"GET /2 HTTP/1.0\r\n\r\n").read().json()["path"] == "/2"


def test_100_continue_comes_before_the_body_and_only_if_asked(serve, client, echo):
    with client(serve(echo).port) as c:
        c.send(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
        assert c.read().status == 100
        assert c.send(b"ab").read().json()["body"] == "ab"
        c.send(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab")
        assert c.read().status == 200  # the body is there: nobody waits


def test_a_body_that_is_too_large_is_refused_before_continue(serve, client, echo):
    c = client(serve(echo, HttpLimits(body=10)).port)
    assert c.send(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 11\r\n\r\n").read().status == 413
    assert c.rest() == b""


def test_who_refuses_a_body_knows_whose_it_is(serve, client, echo):
    port = serve(echo, HttpLimits(body=10)).port
    for body in (b"Content-Length: 11\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nff\r\n"):
        assert client(port).send(b"POST /x HTTP/1.1\r\n" + HOST + body).read().status == 413
    assert client(port).send(b"POST\n").read().status == 400
    assert [head and head.path for head in echo.heads] == ["/x", "/x", None]


def test_a_refusal_may_wait(serve, client, echo, loop):
    c = client(serve(echo, HttpLimits(body=10)).port)
    c.send(b"POST /wait HTTP/1.1\r\n" + HOST + b"Content-Length: 11\r\n\r\n")
    for _ in range(1000):
        if echo.gates:
            break
        loop.run(loop.pause, 0.01)
    loop.run(echo.gates[0].callback, None)
    assert c.read().status == 413
    assert c.rest() == b""


def test_absolute_form_names_the_authority(serve, client, echo):
    said = client(serve(echo).port).send(b"GET http://other.test:80/x?y HTTP/1.1\r\nHost: localhost\r\n\r\n").read().json()
    assert (said["authority"], said["path"], said["query"]) == ("other.test:80", "/x", "y")


CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
BAD = {
    "two lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
    "two different lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    "a list of lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1, 1\r\n\r\na", 400),
    "a signed length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\na", 400),
    "a hexadecimal length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 0x1\r\n\r\na", 400),
    "an empty length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length:\r\n\r\n", 400),
    "length and coding": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "coding and length": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two codings": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        400,
    ),
    "another coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "coding with vertical tab": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "coding in 1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "bare LF": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "bare LF between fields": (b"GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", 400),
    "bare CR": (b"GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n", 400),
    "CR CR LF": (b"GET / HTTP/1.1\r\nHost: localhost\r\r\n\r\n", 400),
    "NUL": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 400),
    "a folded line": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", 400),
    "a folded first line": (b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400),
    "space before the colon": (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX\r\n\r\n", 400),
    "no name": (b"GET / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
    "an empty host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
    "a host that is none": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "two authorizations": (b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400),
    "two content types": (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a tab": (b"GET\t/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a space in the target": (b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "no ASCII": (b"GET /\xe4 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a relative target": (b"GET a HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "user information": (b"GET http://u@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "HTTP/1.1x": (b"GET / HTTP/1.1x\r\nHost: localhost\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/3": (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n", 505),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    "CONNECT": (b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    "a lower-case method": (b"get / HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
    "a method that is no token": (b"G@T / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "TLS on the plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
    "another expectation": (b"POST / HTTP/1.1\r\n" + HOST + b"Expect: more\r\nContent-Length: 1\r\n\r\n", 417),
    "a long line": (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "an endless line": (b"GET /" + b"a" * 20000, 414),
    "a long head": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
    "an endless head": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20000, 431),
    "many fields": (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 64 + b"\r\n", 431),
    "a large body": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 131073\r\n\r\n", 413),
    "a huge length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n", 413),
    "a longer length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 4400 + b"\r\n\r\n", 400),
    "a large chunk": (CHUNKED + b"20001\r\n", 413),
    "too many chunks": (CHUNKED + (b"8000\r\n" + b"a" * 0x8000 + b"\r\n") * 5, 413),
    "a chunk size with sign": (CHUNKED + b"+1\r\na\r\n0\r\n\r\n", 400),
    "a chunk size with 0x": (CHUNKED + b"0x1\r\na\r\n0\r\n\r\n", 400),
    "a chunk size with underscore": (CHUNKED + b"1_0\r\na\r\n0\r\n\r\n", 400),
    "a chunk size with nine digits": (CHUNKED + b"000000001\r\na\r\n0\r\n\r\n", 400),
    "an empty chunk size": (CHUNKED + b"\r\na\r\n0\r\n\r\n", 400),
    "a chunk without its end": (CHUNKED + b"1\r\naX\r\n0\r\n\r\n", 400),
    "a chunk line with LF": (CHUNKED + b"1\na\r\n0\r\n\r\n", 400),
    "an extension with LF": (CHUNKED + b"1;x\n=y\r\na\r\n0\r\n\r\n", 400),
    "an endless extension": (CHUNKED + b"1;" + b"x" * 20000, 431),
    "endless trailers": (CHUNKED + b"0\r\n" + b"X: y\r\n" * 4000, 431),
    "a trailer that is none": (CHUNKED + b"0\r\nGET / HTTP/1.1\r\n\r\n", 400),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_ambiguous_or_too_much_is_refused_and_the_connection_closed(case, serve, client, echo):
    octets, status = BAD[case]
    with client(serve(echo).port) as c:
        answer = c.send(octets).read()
        assert answer.status == status
        assert answer.headers["Connection"] == "close"
        assert answer.json()["status"] == status
        assert c.rest() == b""
    assert not echo.seen
    assert [refusal.status for refusal in echo.refused] == [status]


def test_a_refusal_reaches_a_client_that_goes_on_sending(serve, client, echo):
    # Were the socket closed with octets unread, TCP would reset it, and the client could lose the reply.
    with client(serve(echo, HttpLimits(body=1000)).port) as c:
        c.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 500000\r\n\r\n")
        c.fill()
        for _ in range(50):
            c.send(b"a" * 10000)
        assert c.read().status == 413


def test_a_client_that_goes_on_for_ever_is_cut_off(serve, client, echo):
    with client(serve(echo, HttpLimits(body=1000, close_time=60)).port) as c:
        c.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 500000\r\n\r\n")
        with pytest.raises(ConnectionError):
            c.send(b"a" * 100_000_000)


@pytest.mark.parametrize("line_end", [b"CR", b"LF", b"CRLF"])
def test_a_field_value_cannot_split_a_reply(line_end, serve, client, echo):
    answer = client(serve(echo).port).send(get(b"/split?" + line_end)).read()
    assert answer.status == 500
    assert b"Set-Cookie" not in answer.head + answer.body


QUICK = HttpLimits(head_time=0.3, body_time=0.3, idle_time=0.3, write_time=0.3, close_time=0.3, connections=5)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HT", 408),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nab", 408),
        (CHUNKED + b"5\r\na", 408),
        (b"", None),
        (b"\r\n", None),
    ],
)
def test_a_slow_client_is_cut_off(sent, status, serve, client, echo):
    with client(serve(echo, QUICK).port) as c:
        c.send(sent)
        if status is not None:
            assert c.read().status == status
        assert c.rest() == b""


def test_drops_of_octets_do_not_extend_the_time(serve, client, echo):
    with client(serve(echo, QUICK).port) as c:
        began = time.monotonic()
        c.socket.settimeout(0.05)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 5:
                c.send(b"X")
                with contextlib.suppress(TimeoutError):
                    if not c.socket.recv(1000):
                        break
        assert time.monotonic() - began < 3


def test_the_time_for_the_first_head_runs_from_the_connection(serve, client, echo, loop):
    with client(serve(echo, HttpLimits(head_time=0.8)).port) as c:
        began = time.monotonic()
        loop.run(loop.pause, 0.7)
        assert c.send(b"GET / HT").read().status == 408
        assert time.monotonic() - began < 1.4


def test_an_idle_connection_is_closed(serve, client, echo):
    with client(serve(echo, QUICK).port) as c:
        c.send(get()).read()
        assert c.rest() == b""


def test_slow_clients_hold_nobody_else(serve, client, echo):
    port = serve(echo).port
    for _ in range(20):
        client(port).send(b"GET / HT")
    assert client(port).send(get()).read().status == 200


def test_the_number_of_connections_is_bounded(serve, client, echo, loop):
    served = serve(echo, HttpLimits(connections=3))
    held = [client(served.port).send(get(b"/wait")) for _ in range(3)]
    while len(echo.gates) < 3:
        loop.run(loop.pause, 0.01)
    with contextlib.suppress(ConnectionResetError), client(served.port) as c:
        assert c.rest() in (b"", b"<reset>")
    assert served.factory.turned_away == 1
    loop.run(lambda: [gate.callback(None) for gate in echo.gates])
    assert [one.read().status for one in held] == [200, 200, 200]
    # Those that only wait now make room.
    assert client(served.port).send(get()).read().status == 200
    assert served.factory.connections == 3


def test_stalled_heads_make_room_before_who_has_just_come(serve, client, echo, loop):
    served = serve(echo, HttpLimits(connections=3))
    stalled = [client(served.port).send(b"GET / HT") for _ in range(3)]
    while sum(connection.busy for connection in served.factory._connections) < 3:
        loop.run(loop.pause, 0.01)
    fresh = [client(served.port) for _ in range(2)]
    assert [one.rest() for one in stalled[:2]] in ([b"", b""], [b"<reset>", b"<reset>"])
    assert [one.send(get()).read().status for one in fresh] == [200, 200]


def test_an_unknown_method_is_refused_by_who_knows_its_path(serve, client, echo):
    assert client(serve(echo).port).send(b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n").read().status == 501
    assert [head.path for head in echo.heads] == ["/pot"]


def test_one_client_cannot_keep_others_out(serve, client, echo):
    served = serve(echo, HttpLimits(connections=5))
    with client(served.port, source="127.0.0.2") as other:
        assert other.send(get()).read().status == 200
        for _ in range(20):
            with contextlib.suppress(OSError):
                client(served.port).send(b"GET / HT")
        assert other.send(get()).read().status == 200
        assert client(served.port, source="127.0.0.3").send(get()).read().status == 200
    assert served.factory.connections <= 5


def test_a_client_that_does_not_read_is_not_read_either_and_cut_off(serve, client, echo, loop):
    served = serve(echo, QUICK)
    c = client(served.port)
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c.socket.settimeout(0.5)
    with contextlib.suppress(OSError):
        for _ in range(100):
            c.send(get(b"/big") * 100)
    deadline = time.monotonic() + 5
    while served.factory.connections and time.monotonic() < deadline:
        loop.run(loop.pause, 0.02)
    assert not served.factory.connections
    assert len(echo.seen) < 20


def test_a_client_that_reads_slowly_gets_everything(serve, client, echo):
    with client(serve(echo).port) as c:
        c.send(get(b"/big") * 5 + get(b"/last"))
        assert [len(c.read().body) for _ in range(5)] == [1_000_000] * 5
        assert c.read().json()["path"] == "/last"


def test_shutdown_finishes_what_is_under_way(serve, client, echo, loop):
    served = serve(echo)
    idle, busy = client(served.port), client(served.port)
    idle.send(get()).read()
    busy.send(get(b"/wait"))
    while not echo.gates:
        loop.run(loop.pause, 0.01)
    loop.run(served.listeners.stop)
    drained = loop.start(served.factory.drain(5))
    assert idle.rest() == b""
    loop.run(echo.gates[0].callback, None)
    answer = busy.read()
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert busy.rest() == b""
    busy.socket.close()
    idle.socket.close()
    loop.run(lambda: drained)
    assert served.factory.connections == 0


def test_work_goes_on_when_its_client_has_gone(serve, client, echo, loop):
    served = serve(echo)
    c = client(served.port).send(get(b"/wait"))
    while not echo.gates:
        loop.run(loop.pause, 0.01)
    c.socket.close()
    while served.factory.connections:
        loop.run(loop.pause, 0.01)
    loop.run(echo.gates[0].callback, None)
    assert echo.sent == [(b"", b"")]
