"""JSON with one meaning or none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.base.refused import Reason, Refused
from privca.jose import rfc8259

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
# Pieces that make almost-JSON far more often than random octets do.
PIECES = st.lists(
    st.sampled_from(
        [
            b"{",
            b"}",
            b"[",
            b"]",
            b'"a"',
            b'"',
            b":",
            b",",
            b"1",
            b"-",
            b"1e999",
            b"NaN",
            b"\\u0061",
            b"\\ud800",
            b"\xff",
            b" ",
            b"null",
        ]
    ),
    max_size=14,
).map(b"".join)


@given(VALUES)
@settings(max_examples=100)
def test_what_json_writes_is_read(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        assert rfc8259.loads(text.encode(), "it") == value


@given(PIECES | st.binary(max_size=40))
@settings(max_examples=500)
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    reason = Reason.MALFORMED
    try:
        rfc8259.loads(octets, "it")
    except Refused as refused:
        reason = refused.reason
    assert reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("octets", "clause"),
    [
        pytest.param(b'{"a":1,"a":1}', "RFC 7515 section 4", id="a member twice"),
        pytest.param(b'{"a":1,"\\u0061":2}', "RFC 7515 section 4", id="a member twice, once escaped"),
        pytest.param(b'{"b":[{"a":1, "c":2, "a" : null}]}', "RFC 7515 section 4", id="a member twice, deep inside"),
        pytest.param(b"\xef\xbb\xbf{}", "RFC 8259 section 2", id="byte order mark"),
        pytest.param('{"a":1}'.encode("utf-16"), "RFC 8259 section 8.1", id="UTF-16"),
        pytest.param(b'{"a":"\xff"}', "RFC 8259 section 8.1", id="not UTF-8"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', "RFC 8259 section 8.1", id="surrogate in UTF-8"),
        pytest.param(b'{"a":"\\ud800"}', "RFC 8259 section 2", id="lone surrogate"),
        pytest.param(b'{"a":"\\udc00\\ud800"}', "RFC 8259 section 2", id="surrogates in the wrong order"),
        pytest.param(b'{"a":"\n"}', "RFC 8259 section 2", id="control character in a string"),
        pytest.param(b'{"a":NaN}', "RFC 8259 section 2", id="NaN"),
        pytest.param(b'{"a":Infinity}', "RFC 8259 section 2", id="Infinity"),
        pytest.param(b'{"a":1e999}', "RFC 8259 section 2", id="number out of range"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", "RFC 8259 section 2", id="number of 5000 digits"),
        pytest.param(b'{"a":01}', "RFC 8259 section 2", id="number with a zero in front"),
        pytest.param(b'{"a":1,}', "RFC 8259 section 2", id="comma at the end"),
        pytest.param(b"{'a':1}", "RFC 8259 section 2", id="single quotes"),
        pytest.param(b'{"a":1}x', "RFC 8259 section 2", id="something behind"),
        pytest.param(b'{"a":1}{}', "RFC 8259 section 2", id="two texts"),
        pytest.param(b"", "RFC 8259 section 2", id="nothing"),
        pytest.param(b"[" * 17 + b"]" * 17, "RFC 8259 section 9", id="one level too deep"),
        pytest.param(b'{"a":' * 5000 + b"1" + b"}" * 5000, "RFC 8259 section 9", id="5000 levels"),
        pytest.param(b"[" * 200000, "RFC 8259 section 9", id="200000 brackets"),
    ],
)
def test_what_is_not_one_json_text_is_refused(octets: bytes, clause: str) -> None:
    with pytest.raises(Refused) as caught:
        rfc8259.loads(octets, "it")
    assert caught.value.reason is Reason.MALFORMED
    assert caught.value.clause == clause


def test_depth_is_counted_in_levels_not_in_brackets() -> None:
    assert rfc8259.loads(b"[" * 16 + b"]" * 16, "it")
    assert rfc8259.loads(b"[" + b",".join([b"{}"] * 1000) + b"]", "it")
    assert rfc8259.loads(b'{"a":"' + b"[{" * 100 + b'"}', "it")


def test_size_is_bounded() -> None:
    fits = b'"' + b"a" * (rfc8259.SIZE_MAXIMUM - 2) + b'"'
    assert rfc8259.loads(fits, "it")
    with pytest.raises(Refused) as caught:
        rfc8259.loads(fits + b" ", "it")
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("octets", [b"[]", b'"a"', b"1", b"null", b"true"])
def test_only_an_object_is_an_object(octets: bytes) -> None:
    with pytest.raises(Refused) as caught:
        rfc8259.load_object(octets, "it")
    assert caught.value.reason is Reason.MALFORMED


_MEMBER = st.tuples(
    st.sampled_from(['"a"', '"b"', '"\\u0061"', '""']), st.sampled_from(['""', '"x"', '"\\""', "1", "{}", '["x"]', '{"a":"x"}'])
)


@given(st.lists(_MEMBER, max_size=4), st.sampled_from([":", " : "]))
def test_a_member_that_comes_twice_is_found_however_short_the_way(members: list[tuple[str, str]], colon: str) -> None:
    """What is an object of plain strings is not scanned twice: no other way of spelling members may pass as such."""
    text = "{" + ",".join(name + colon + value for name, value in members) + "}"
    names = [json.loads(name) for name, _ in members]
    if len(set(names)) == len(names):
        assert rfc8259.loads(text.encode(), "it") == json.loads(text)
    else:
        with pytest.raises(Refused):
            rfc8259.loads(text.encode(), "it")
