from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.base.names import Name, NameKind, dns_name, email_name, ip_name, profile_id, uri_name
from privca.base.refused import Reason, Refused


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.test", "a.test"),
        ("A.Test", "a.test"),
        ("localhost", "localhost"),
        ("*.example.test", "*.example.test"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("1.a.test", "1.a.test"),
        ("-".join(["a"] * 32) + ".test", "-".join(["a"] * 32) + ".test"),
        (".".join(["a" * 63] * 3 + ["b" * 61]), ".".join(["a" * 63] * 3 + ["b" * 61])),
    ],
)
def test_dns_name(text: str, value: str) -> None:
    assert dns_name(text) == Name(NameKind.DNS, value)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("", "RFC 1035 section 2.3.4"),
        ("*.", "RFC 1035 section 2.3.4"),
        (".".join(["a" * 63] * 3 + ["b" * 62]), "RFC 1035 section 2.3.4"),
        ("a.test.", "RFC 5280 section 4.2.1.6"),
        (".a.test", "RFC 1035 section 2.3.1"),
        ("a..test", "RFC 1035 section 2.3.1"),
        ("-bad-.test", "RFC 1035 section 2.3.1"),
        ("a" * 64 + ".test", "RFC 1035 section 2.3.1"),
        ("a_b.test", "RFC 1035 section 2.3.1"),
        ("a b.test", "RFC 1035 section 2.3.1"),
        ("a.test\n", "RFC 1035 section 2.3.1"),
        ("a.test\0", "RFC 1035 section 2.3.1"),
        ("b\u00fccher.test", "RFC 8555 section 7.1.3"),
        ("\u212a.test", "RFC 8555 section 7.1.3"),
        ("a.*.test", "RFC 8555 section 7.1.3"),
        ("a*.test", "RFC 8555 section 7.1.3"),
        ("*.*.test", "RFC 8555 section 7.1.3"),
        ("*.test", "RFC 8555 section 7.1.3"),
        ("*", "RFC 8555 section 7.1.3"),
        ("ab--c.test", "RFC 5890 section 2.3.1"),
        ("xn--.test", "RFC 1035 section 2.3.1"),
        ("xn--a.test", "RFC 5890 section 2.3.1"),
        ("xn--zzzzzzzzz999999999.test", "RFC 5890 section 2.3.1"),
        ("192.0.2.1", "RFC 8738 section 3"),
        ("*.192.0.2.1", "RFC 8738 section 3"),
        ("2001:db8::1", "RFC 8738 section 3"),
        ("a.test:443", "RFC 1035 section 2.3.1"),
        ("https://a.test", "RFC 1035 section 2.3.1"),
    ],
)
def test_not_a_dns_name(text: str, clause: str) -> None:
    with pytest.raises(Refused) as refused:
        dns_name(text)
    # "\u212a" (KELVIN SIGN) is "k" in lower case: what is not ASCII must not become so.
    assert (refused.value.reason, refused.value.clause) == (Reason.REJECTED_IDENTIFIER, clause)


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1", "::1"])
def test_ip_name(text: str) -> None:
    assert ip_name(text) == Name(NameKind.IP, text)


@pytest.mark.parametrize(
    "text",
    ["", "192.0.2", "192.0.2.01", "192.0.2.256", "2001:DB8::1", "2001:db8:0::1", "fe80::1%eth0", "[::1]", "1", "192.0.2.1/32"],
)
def test_not_an_ip_address(text: str) -> None:
    with pytest.raises(Refused) as refused:
        ip_name(text)
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("text", ["::ffff:192.0.2.1", "::ffff:c000:201"])
def test_ipv4_mapped_address_has_no_way_around_an_ipv4_policy(text: str) -> None:
    with pytest.raises(Refused) as refused:
        ip_name(text)
    assert refused.value.reason is Reason.REJECTED_IDENTIFIER


@pytest.mark.parametrize(("text", "value"), [("x@a.test", "x@a.test"), ("X.y+z@A.Test", "X.y+z@a.test")])
def test_email_name(text: str, value: str) -> None:
    assert email_name(text) == Name(NameKind.EMAIL, value)


@pytest.mark.parametrize(
    "text", ["", "a.test", "@a.test", "x@", "x@y@a.test", ".x@a.test", "x.@a.test", "x..y@a.test", "x y@a.test", "x@*.a.test"]
)
def test_not_an_email_address(text: str) -> None:
    with pytest.raises(Refused):
        email_name(text)


@pytest.mark.parametrize("text", ["https://a.test/x?y", "urn:uuid:0", "spiffe://a.test/w"])
def test_uri_name(text: str) -> None:
    assert uri_name(text) == Name(NameKind.URI, text)


@pytest.mark.parametrize(
    "text", ["", "a.test", "/x", "https:", "https://", "https:///x", "https://a b", "http://[::1", "http://a.test:x"]
)
def test_not_an_absolute_uri(text: str) -> None:
    with pytest.raises(Refused):
        uri_name(text)


@pytest.mark.parametrize("text", ["", "A", "a_b", "-a", "a" * 64, "cacerts", "p", "nested", "a/b", "a\n"])
def test_not_a_profile_id(text: str) -> None:
    with pytest.raises(Refused):
        profile_id(text)


def test_profile_id() -> None:
    assert profile_id("lab-acme") == "lab-acme"


@given(st.text(max_size=80))
@settings(max_examples=500, deadline=None)
def test_whatever_the_text_a_name_is_canonical_or_refused(text: str) -> None:
    for parse in (dns_name, ip_name, email_name, uri_name):
        try:
            name = parse(text)
        except Refused:
            continue
        assert name.value.isascii()
        assert parse(name.value) == name
