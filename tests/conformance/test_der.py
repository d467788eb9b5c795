"""DER as a tree: what is changed is one place, and every length around it is right again."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from conformance import der
from conformance.reports.decoded import beside, lines

SMALL = bytes.fromhex("300c0201010c036162630402dead")


def request():
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.example.test")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def test_a_value_is_the_same_after_both_ways():
    octets = request()
    assert der.encode(der.decode(octets)) == octets


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (der.deleted(SMALL, (1,)), "30070201010402dead"),
        (der.replaced(SMALL, (0,), b"\x05\x00"), "300b05000c036162630402dead"),
        (der.inserted(SMALL, (0,), b"\x05\x00"), "300e05000201010c036162630402dead"),
        (der.appended(SMALL, (), b"\x05\x00"), "300e0201010c036162630402dead0500"),
        (der.retagged(SMALL, (2,), 0x80), "300c0201010c036162638002dead"),
        (der.content(SMALL, (0,), b"\x00\x80"), "300d020200800c036162630402dead"),
        (der.content(SMALL, (-1,), lambda old: old[::-1]), "300c0201010c036162630402adde"),
    ],
    ids=["deleted", "replaced", "inserted", "appended", "retagged", "content", "changed content"],
)
def test_a_change_is_one_place(made, expected):
    assert made.hex() == expected


def test_lengths_grow_over_the_short_form():
    assert der.decode(der.content(SMALL, (1,), b"a" * 300)).parts[1].octets == b"a" * 300


def test_what_a_string_holds_can_be_changed():
    held = b"\x30\x06\x04\x04\x30\x02\x05\x00"
    assert der.inside(held, (0,), lambda inner: der.deleted(inner, (0,))).hex() == "300404023000"
    bits = b"\x30\x07\x03\x05\x00\x30\x02\x05\x00"
    assert der.inside(bits, (0,), lambda inner: der.deleted(inner, (0,))).hex() == "30050303003000"


@pytest.mark.parametrize(
    "octets",
    ["", "30", "3005", "300102", "30800000", "020101ff", "1f"],
    ids=["none", "no length", "short", "part", "BER", "more", "tag"],
)
def test_what_is_no_der_is_an_error(octets):
    with pytest.raises(der.DerError):
        der.decode(bytes.fromhex(octets))


def test_a_path_that_leads_nowhere_is_an_error():
    with pytest.raises(der.DerError, match=r"1\.0"):
        der.deleted(SMALL, (1, 0))


@given(st.binary(max_size=200))
def test_no_octets_upset_the_reader(octets):
    try:
        value = der.decode(octets)
    except der.DerError:
        return
    der.dump(octets)
    assert der.decode(der.encode(value)) == value


def test_a_reader_sees_names_and_what_strings_hold():
    shown = der.dump(request())
    assert any("id-at-commonName (2.5.4.3)" in line for line in shown)
    assert any("UTF8String a.example.test" in line for line in shown)


@pytest.mark.parametrize("wrap", [lambda octets: octets, base64.encodebytes], ids=["DER", "base64"])
def test_a_message_in_der_is_shown_in_lines(wrap):
    message = {"method": "POST", "url": "http://a.test/", "headers": [], "base64": base64.b64encode(wrap(request())).decode()}
    assert any("id-ecPublicKey" in line for line in lines(message))


def test_what_is_random_is_marked_only_where_nothing_else_differs():
    nonce, other = f"  OCTET STRING {'ab' * 16}", f"  OCTET STRING {'cd' * 16}"
    left, right = beside(["SEQUENCE", nonce, "  INTEGER 2"], ["SEQUENCE", other, "  INTEGER 3"])
    assert [mark for _, mark in left] == [mark for _, mark in right] == [False, False, True]
    left, right = beside(["SEQUENCE", nonce], ["SEQUENCE", other])
    assert [mark for _, mark in left] == [mark for _, mark in right] == [False, True]
    left, right = beside(["SEQUENCE", nonce, "  NULL"], ["SEQUENCE", nonce[:-2], "  NULL"])
    assert [mark for _, mark in right] == [False, True, False]
