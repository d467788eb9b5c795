"""tls-alpn-01: which certificate proves control, and which does not."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.acme import rfc8737
from privca.acme.ports import Observation
from privca.base.names import Name, dns_name, ip_name
from privca.base.refused import Reason, Refused

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
DIGEST = hashlib.sha256(f"{TOKEN}.{THUMBPRINT}".encode()).digest()
RIGHT = b"\x04\x20" + DIGEST
NAME = dns_name("www.example.test")
KEY = ec.generate_private_key(ec.SECP256R1())
OID = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")


def certificate(
    names: Sequence[x509.GeneralName] | None = (x509.DNSName("www.example.test"),),
    value: bytes | None = RIGHT,
    *,
    critical: bool = True,
    oid: x509.ObjectIdentifier = OID,
    year: int = 2020,
    issuer: str = "x",
    also: tuple[x509.ObjectIdentifier, bytes] | None = None,
) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.test")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(year, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(year, 1, 2, tzinfo=datetime.UTC))
    )
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if value is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=critical)
    if also is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(*also), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def judge(der: bytes | None, name: Name = NAME, alpn: str = "acme-tls/1") -> None:
    rfc8737.judge(Observation(certificate=der, alpn=alpn, address="192.0.2.1"), name, TOKEN, THUMBPRINT)


def refusal(der: bytes | None, name: Name = NAME, alpn: str = "acme-tls/1") -> Refused:
    with pytest.raises(Refused) as caught:
        judge(der, name, alpn)
    assert caught.value.reason is Reason.INCORRECT_RESPONSE
    assert caught.value.name == name
    return caught.value


def test_the_certificate_of_the_challenge_is_accepted() -> None:
    judge(certificate())
    judge(certificate([x509.DNSName("WWW.Example.TEST")]))


def test_validity_issuer_and_signature_do_not_matter() -> None:
    judge(certificate(year=1999))
    judge(certificate(year=2049, issuer="somebody else"))
    der = bytearray(certificate())
    der[-1] ^= 1
    judge(bytes(der))


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_an_address_is_in_the_certificate_as_an_address(address: str) -> None:
    name = ip_name(address)
    judge(certificate([x509.IPAddress(ipaddress.ip_address(address))]), name)
    for names in (
        [x509.DNSName(address)],
        [x509.DNSName(ipaddress.ip_address(address).reverse_pointer)],
        [x509.IPAddress(ipaddress.ip_address("192.0.2.2"))],
        [x509.IPAddress(ipaddress.ip_address("::ffff:192.0.2.1"))],
        [x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName("www.example.test")],
        [x509.IPAddress(ipaddress.ip_address(address))] * 2,
    ):
        assert refusal(certificate(names), name).clause == "RFC 8738 section 6"


@pytest.mark.parametrize("alpn", ["", "http/1.1", "h2", "ACME-TLS/1", "acme-tls/1 ", "acme-tls/2"])
def test_the_protocol_must_be_negotiated(alpn: str) -> None:
    assert "protocol" in refusal(certificate(), alpn=alpn).detail


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(None, id="no subjectAltName, the name in the subject only"),
        pytest.param([x509.DNSName("example.test")], id="the parent"),
        pytest.param([x509.DNSName("a.www.example.test")], id="a child"),
        pytest.param([x509.DNSName("*.example.test")], id="a wildcard"),
        pytest.param([x509.DNSName("www.example.test.")], id="final dot"),
        pytest.param([x509.DNSName("www.example.test")] * 2, id="the name twice"),
        pytest.param([x509.DNSName("www.example.test"), x509.DNSName("other.example.test")], id="another name too"),
        pytest.param([x509.DNSName("www.example.test"), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], id="an address too"),
        pytest.param([x509.RFC822Name("www.example.test")], id="as an e-mail address"),
        pytest.param([x509.UniformResourceIdentifier("www.example.test")], id="as a URI"),
    ],
)
def test_the_name_stands_alone_in_the_subject_alternative_name(names: Sequence[x509.GeneralName] | None) -> None:
    assert "subjectAltName" in refusal(certificate(names)).detail


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="no extension"),
        pytest.param(DIGEST, id="the digest without its OCTET STRING"),
        pytest.param(b"\x04\x20" + bytes(32), id="another digest"),
        pytest.param(b"\x04\x1f" + DIGEST[:31], id="cut off"),
        pytest.param(RIGHT + b"\x00", id="an octet behind"),
        pytest.param(b"\x04\x81\x20" + DIGEST, id="not DER"),
        pytest.param(b"\x24\x22\x04\x20" + DIGEST, id="constructed"),
        pytest.param(b"\x03\x21\x00" + DIGEST, id="BIT STRING"),
        pytest.param(b"\x04\x22" + RIGHT, id="wrapped twice"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\x04\x20" + hashlib.sha256(TOKEN.encode()).digest(), id="digest of the token"),
    ],
)
def test_the_digest_is_in_the_extension_as_it_should_be(value: bytes | None) -> None:
    assert "acmeIdentifier" in refusal(certificate(value=value)).detail


def test_the_extension_must_be_critical() -> None:
    assert "critical" in refusal(certificate(critical=False)).detail


def test_the_extension_of_an_early_draft_is_another_one() -> None:
    draft = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.30.1")
    assert "acmeIdentifier" in refusal(certificate(oid=draft)).detail


@pytest.mark.parametrize("der", [None, b"", b"\x30\x00", b"-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(der: bytes | None) -> None:
    assert "certificate" in refusal(der).detail


def test_a_certificate_that_the_parser_objects_to_is_refused() -> None:
    """Each of these makes it raise an exception of its own."""
    der = certificate()
    version_3 = b"\xa0\x03\x02\x01\x02"
    assert der.count(version_3) == 1
    assert "read" in refusal(der.replace(version_3, b"\xa0\x03\x02\x01\x07")).detail
    identifier, subject_alternative_name = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x1f", b"\x06\x03\x55\x1d\x11"
    assert identifier in der
    twice = certificate(value=RIGHT, names=None, also=(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.30"), RIGHT))
    assert "read" in refusal(twice.replace(identifier[:-1] + b"\x1e", identifier)).detail
    x400_address = certificate(names=None, also=(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x02\xa3\x00"))
    assert subject_alternative_name in x400_address
    assert "read" in refusal(x400_address).detail
    unknown_tls_feature = certificate(also=(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), b"\x30\x03\x02\x01\x07"))
    assert "read" in refusal(unknown_tls_feature).detail


# cryptography warns of some malformed certificates before it accepts them; that is its matter.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.data())
@settings(max_examples=400)
def test_a_spoiled_certificate_is_judged_not_choked_on(data: st.DataObject) -> None:
    der = bytearray(_DER)
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        der = der[: data.draw(st.integers(0, len(der)))]
    try:
        judge(bytes(der))
    except Refused:
        return
    assert DIGEST in der


_DER = certificate()
