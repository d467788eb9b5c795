from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import Annotated

import cryptography
import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder as ber_decoder
from pyasn1.codec.der import encoder as der_encoder
from pyasn1.type import namedtype, univ

from privca.base.refused import Reason, Refused
from privca.pkix import der


@der.sequence
class Sample:
    number: int
    octets: bytes
    members: der.SetOf[int]
    flag: Annotated[bool, der.Default(False)]


class SampleSpecification(univ.Sequence):  # type: ignore[misc]
    """The same type for the other codec."""

    componentType = namedtype.NamedTypes(
        namedtype.NamedType("number", univ.Integer()),
        namedtype.NamedType("octets", univ.OctetString()),
        namedtype.NamedType("members", univ.SetOf(componentType=univ.Integer())),
        namedtype.DefaultedNamedType("flag", univ.Boolean(False)),
    )


def test_the_unstable_module_is_the_one_that_was_examined() -> None:
    """Its authors may change it in any release. When this fails: read what changed, adapt ``pkix/der.py``, then this test."""
    assert int(cryptography.__version__.split(".")[0]) == 50
    assert set(asn1.__all__) == {
        *("TLV", "BitString", "Default", "Explicit", "GeneralizedTime", "IA5String", "Implicit", "Null", "PrintableString"),
        *("SetOf", "Size", "UTCTime", "Variant", "decode_der", "encode_der", "sequence", "set", "value_set"),
    }
    value = Sample(number=-129, octets=b"ab", members=der.SetOf([1, 2]), flag=True)
    assert der.encode(value).hex() == "3013" + "0202ff7f" + "04026162" + "3106020101020102" + "0101ff"
    tlv = asn1.decode_der(asn1.TLV, b"\x30\x03\x02\x01\x05")
    assert (tlv.tag_bytes, bytes(tlv.data), der.encode(tlv)) == (b"\x30", b"\x02\x01\x05", b"\x30\x03\x02\x01\x05")
    bits = asn1.BitString(b"\xf0", 4)
    assert (bits.as_bytes(), bits.padding_bits()) == (b"\xf0", 4)


GOOD = "300e" + "020105" + "0401aa" + "3106020101020102"


def test_what_is_der_is_decoded() -> None:
    value = der.decode(Sample, bytes.fromhex(GOOD), clause="test")
    assert (value.number, value.octets, value.members.as_list(), value.flag) == (5, b"\xaa", [1, 2], False)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("", id="nothing"),
        pytest.param(GOOD + "00", id="trailing octet"),
        pytest.param(GOOD[:-2], id="cut short"),
        pytest.param("3080" + GOOD[4:] + "0000", id="indefinite length"),
        pytest.param("30810e" + GOOD[4:], id="length longer than needed"),
        pytest.param("300f" + "02020005" + "0401aa" + "3106020101020102", id="integer longer than needed"),
        pytest.param("300e" + "020105" + "0401aa" + "3106020102020101", id="set out of order"),
        pytest.param("3010" + "020105" + "24030401aa" + "3106020101020102", id="constructed octet string"),
        pytest.param("3011" + "020105" + "0401aa" + "3106020101020102" + "010101", id="true that is not ff"),
        pytest.param("3011" + "020105" + "0401aa" + "3106020101020102" + "010100", id="default that is written"),
    ],
)
def test_what_is_not_der_is_refused(octets: str) -> None:
    with pytest.raises(Refused) as refusal:
        der.decode(Sample, bytes.fromhex(octets), clause="RFC 0 section 1")
    assert (refusal.value.reason, refusal.value.clause) == (Reason.MALFORMED, "RFC 0 section 1")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**70), st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5), st.booleans())
def test_both_codecs_agree(number: int, octets: bytes, members: list[int], flag: bool) -> None:
    # No negative numbers: pyasn1 gives -128 an octet too many.
    other = SampleSpecification()
    other["number"], other["octets"], other["flag"] = number, octets, flag
    other["members"].extend(members)
    if not members:
        other["members"].clear()
    encoded = der_encoder.encode(other)
    assert der.encode(Sample(number=number, octets=octets, members=der.SetOf(members), flag=flag)) == encoded
    decoded = der.decode(Sample, encoded, clause="test")
    assert (decoded.number, decoded.octets, sorted(decoded.members.as_list()), decoded.flag) == (
        number,
        octets,
        sorted(members),
        flag,
    )
    again, rest = ber_decoder.decode(encoded, asn1Spec=SampleSpecification())
    assert not rest
    assert der_encoder.encode(again) == encoded


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_no_octets_make_another_exception(octets: bytes) -> None:
    for attempt in (
        lambda: der.decode(Sample, octets, clause="test"),
        lambda: der.decode_ber(octets, SampleSpecification, clause="test"),
        lambda: der.children(octets, clause="test"),
    ):
        with suppress(Refused):
            attempt()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 13), st.integers(0, 255), st.sampled_from([GOOD, "3080" + GOOD[4:] + "0000"]))
def test_no_change_of_a_good_message_makes_another_exception(place: int, octet: int, good: str) -> None:
    octets = bytearray(bytes.fromhex(good))
    octets[place] = octet
    with suppress(Refused):
        der.decode(Sample, der.decode_ber(bytes(octets), SampleSpecification, clause="test"), clause="test")


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("3080" + GOOD[4:] + "0000", id="indefinite length"),
        pytest.param("30840000000e" + GOOD[4:], id="long length"),
        pytest.param("3080" + "020105" + "24800401aa0000" + "3106020101020102" + "0000", id="constructed octet string"),
        pytest.param("300e" + "020105" + "0401aa" + "3106020102020101", id="set out of order"),
        pytest.param("3011" + "020105" + "0401aa" + "3106020101020102" + "010100", id="default that is written"),
    ],
)
def test_ber_becomes_der(octets: str) -> None:
    assert der.decode_ber(bytes.fromhex(octets), SampleSpecification, clause="test").hex() == GOOD


def refused(octets: bytes) -> Refused:
    with pytest.raises(Refused) as refusal:
        der.decode_ber(octets, SampleSpecification, clause="test")
    return refusal.value


def test_ber_is_bounded() -> None:
    assert refused(b"\x04\x83\x04\x00\x00" + bytes(1 << 18)).reason is Reason.TOO_LARGE
    assert "deep" in refused(b"\x30\x80" * 33 + b"\0\0" * 33).detail
    assert "deep" in refused(b"\x30\x80" * 100_000).detail
    assert "more than 4096" in refused(der.tlv(0x30, b"\x05\x00" * 4096)).detail
    with pytest.raises(Refused, match="more than 5 "):
        der.decode_ber(bytes.fromhex(GOOD), SampleSpecification, clause="test", elements=5)
    assert der.children(b"\x30\x80" * 31 + b"\x05\0" + b"\0\0" * 31, clause="test")


@pytest.mark.parametrize(
    ("octets", "detail"),
    [
        ("", "ends inside"),
        ("30", "ends inside"),
        ("3f", "ends inside"),
        ("3082", "inside a length"),
        ("3089000000000000000001", "inside a length"),
        ("3080", "ends inside"),
        ("30050203", "longer than what contains"),
        ("300502050101010101", "longer than what contains"),
        ("30800401", "longer than what contains"),
        ("3004308004000000", "longer than what contains"),
        ("048004000000", "no end"),
        ("3000" + "00", "follow"),
        ("3f8fffffff7f00", "tag number"),
    ],
)
def test_broken_ber_is_refused_before_it_is_read(octets: str, detail: str) -> None:
    assert detail in refused(bytes.fromhex(octets)).detail


def test_children_are_the_octets_that_were_received() -> None:
    octets = bytes.fromhex("3080" + "020105" + "3080020106" + "0000" + "0481" + "01aa" + "0000")
    assert [child.hex() for child in der.children(octets, clause="test")] == ["020105", "30800201060000", "048101aa"]
    assert der.children(b"\x04\x01\xaa", clause="test") == []


def test_elements_by_hand_have_the_shortest_length() -> None:
    for length, header in ((0, "0400"), (127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100")):
        assert der.tlv(0x04, bytes(length))[: len(header) // 2].hex() == header
    assert der.oid(x509.ObjectIdentifier("2.5.4.3")).hex() == "0603550403"


def test_the_slow_codec_is_not_loaded_until_ber_comes() -> None:
    program = "import sys, privca.pkix.rfc2986; assert not [name for name in sys.modules if name.startswith('pyasn1')]"
    subprocess.run([sys.executable, "-c", program], check=True)
