"""Whatever comes, and however it is cut: the same messages, or a refusal, and never anything else."""

from __future__ import annotations

import itertools

import dns.message
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.web.answers import AnswerReader
from privca.web.framing import BadMessage, HttpLimits, RequestReader
from privca.web.outgoing import ProbeFailed
from privca.web.resolver import _respond
from privca.web.zone import LabZone

LIMITS = HttpLimits(line=200, head=600, fields=10, body=300)
BOUNDED = settings(max_examples=150, deadline=None)

tokens = st.text("abcXYZ-019!~", min_size=1, max_size=12)
bodies = st.binary(max_size=100)


def cut_up(octets, cuts):
    edges = sorted({0, len(octets), *(cut % (len(octets) + 1) for cut in cuts)})
    return [octets[a:b] for a, b in itertools.pairwise(edges)]


def read_all(pieces):
    """Everything that a reader gives for ``pieces``: (method, path, body) each, and the status of the refusal that ended it."""
    reader, got = RequestReader(LIMITS), []
    for piece in pieces:
        reader.feed(piece)
        try:
            while (message := reader.next()) is not None:
                got.append((message.method, message.path, message.body))
        except BadMessage as bad:
            return got, bad.status
    return got, None


@st.composite
def requests(draw):
    """A valid request as octets, and what it says."""
    path = "/" + draw(tokens)
    body = draw(bodies)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
    for name in draw(st.lists(tokens, max_size=3)):
        head += f"X-{name}: {draw(tokens)}\r\n".encode()
    if draw(st.booleans()):
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body, ("POST", path, body)
    chunks = [body[i : i + 7] for i in range(0, len(body), 7)]
    coded = b"".join(b"%x\r\n" % len(chunk) + chunk + b"\r\n" for chunk in chunks) + b"0\r\n\r\n"
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + coded, ("POST", path, body)


@BOUNDED
@given(st.lists(requests(), min_size=1, max_size=4), st.lists(st.integers(0, 5000), max_size=12))
def test_valid_requests_however_they_are_cut(sent, cuts):
    octets = b"".join(octets for octets, _ in sent)
    assert read_all(cut_up(octets, cuts)) == ([said for _, said in sent], None)


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"GET / HTTP/1.1\r\n",
                b"POST /x HTTP/1.1\r\n",
                b"Host: a\r\n",
                b"Content-Length: 3\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"\r\n",
                b"\n",
                b"\r",
                b"3\r\nabc\r\n",
                b"0\r\n\r\n",
                b"abc",
                b"X:",
                b" ",
                b"\0",
                b"Expect: 100-continue\r\n",
            ]
        ),
        st.binary(max_size=8),
    ),
    max_size=20,
)


@BOUNDED
@given(PIECES, st.lists(st.integers(0, 500), max_size=6))
def test_anything_is_read_alike_however_it_is_cut(pieces, cuts):
    octets = b"".join(pieces)
    whole, status = read_all([octets])
    parts, other = read_all(cut_up(octets, cuts))
    # A refusal may come earlier when more is seen at once, or later; what was given out before it is never different.
    assert whole[: len(parts)] == parts[: len(whole)]
    assert (status is None) == (other is None)


@BOUNDED
@given(PIECES)
def test_what_is_held_is_bounded(pieces):
    reader = RequestReader(LIMITS)
    for piece in pieces * 20:
        reader.feed(piece)
        try:
            while reader.next() is not None:
                pass
        except BadMessage:
            return
        assert reader.buffered <= LIMITS.head + LIMITS.body + 4


@BOUNDED
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    b"HTTP/1.1 200 OK\r\n",
                    b"HTTP/1.1 100 \r\n\r\n",
                    b"HTTP/1.1 302 X\r\nLocation: /\r\n\r\n",
                    b"Content-Length: 3\r\n",
                    b"Transfer-Encoding: chunked\r\n",
                    b"\r\n",
                    b"3\r\nabc\r\n",
                    b"0\r\n\r\n",
                    b"abc",
                ]
            ),
            st.binary(max_size=8),
        ),
        max_size=12,
    )
)
def test_answers_of_servers_are_read_or_refused(pieces):
    reader = AnswerReader(20)
    try:
        for piece in pieces:
            if reader.feed(piece):
                break
        assert len(reader.answer().body) <= 20
    except ProbeFailed:
        pass


QUERY = dns.message.make_query("a.test", "TXT").to_wire()


@BOUNDED
@given(st.one_of(st.binary(max_size=60), st.tuples(st.integers(0, len(QUERY) - 1), st.integers(0, 255))))
def test_the_resolver_answers_or_is_silent(octets):
    if isinstance(octets, tuple):
        place, value = octets
        octets = QUERY[:place] + bytes([value]) + QUERY[place + 1 :]
    zone = LabZone(ipv6="::1")
    answer = _respond(zone, octets, None)
    assert answer is None or len(answer) >= 12
