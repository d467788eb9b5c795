"""base64url: one spelling for each octet string."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.base.refused import Reason, Refused
from privca.jose import rfc4648

LIKE_BASE64URL = st.text(st.sampled_from("AQgwz09-_=+/ \n\x00é"), max_size=12)


@given(st.binary(max_size=100))
@settings(max_examples=50)
def test_every_octet_string_comes_back(octets: bytes) -> None:
    text = rfc4648.encode(octets)
    assert text == base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
    assert rfc4648.decode(text, "the text") == octets


@given(st.one_of(LIKE_BASE64URL, st.text(max_size=12)))
@settings(max_examples=300)
def test_what_is_accepted_is_the_only_spelling(text: str) -> None:
    try:
        octets = rfc4648.decode(text, "the text")
    except Refused:
        return
    assert rfc4648.encode(octets) == text


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        pytest.param("QQ==", "RFC 7515 section 2", id="padding"),
        pytest.param("QUI=", "RFC 7515 section 2", id="one padding character"),
        pytest.param("QU I", "RFC 7515 section 2", id="space"),
        pytest.param("QUI\n", "RFC 7515 section 2", id="line break at the end"),
        pytest.param("\nQUI", "RFC 7515 section 2", id="line break in front"),
        pytest.param("+/AA", "RFC 7515 section 2", id="standard alphabet"),
        pytest.param("QUJ\u00e9", "RFC 7515 section 2", id="not ASCII"),
        pytest.param("QUJ\uff21", "RFC 7515 section 2", id="full-width letter"),
        pytest.param("QUJDQ", "RFC 4648 section 4", id="impossible length"),
        pytest.param("QR", "RFC 4648 section 3.5", id="four bits too many"),
        pytest.param("QUJ", "RFC 4648 section 3.5", id="two bits too many"),
    ],
)
def test_other_spellings_are_refused(text: str, clause: str) -> None:
    with pytest.raises(Refused) as caught:
        rfc4648.decode(text, "the text", Reason.BAD_PUBLIC_KEY)
    assert caught.value.reason is Reason.BAD_PUBLIC_KEY
    assert caught.value.clause == clause
