from __future__ import annotations

import hashlib
import ipaddress
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from privca.base.names import Name, NameKind
from privca.base.refused import Reason, Refused
from privca.pkix import rfc5280, signatures
from privca.pkix.rfc5280 import crl as crl_module

NOW = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)

# Names


def test_a_distinguished_name_has_the_attributes_in_order() -> None:
    attributes = {
        "C": "DE",
        "ST": "Land",
        "L": "Ort",
        "O": "Example",
        "OU": "Lab",
        "CN": "Wurzel \u00c4",
        "serialNumber": "a-1",
        "emailAddress": "a@example.test",
        "DC": "test",
        "UID": "u1",
    }
    name = rfc5280.distinguished_name(attributes)
    assert rfc5280.attributes_of(name) == list(attributes.items())
    assert [len(rdn) for rdn in name.rdns] == [1] * len(attributes)
    encoded = name.public_bytes()
    # RFC 5280 section A.1: countryName and serialNumber are PrintableString, emailAddress and domainComponent IA5String.
    for value in (b"\x13\x02DE", b"\x13\x03a-1", b"\x16\x0ea@example.test", b"\x16\x04test", b"\x0c\x09Wurzel "):
        assert value in encoded


def test_what_has_no_short_name_is_shown_by_its_oid() -> None:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.TITLE, "Dr"),
            x509.NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x01\xff", x509.name._ASN1Type.BitString),
        ]
    )
    assert rfc5280.attributes_of(name) == [("2.5.4.12", "Dr"), ("2.5.4.45", "01ff")]


@pytest.mark.parametrize(
    ("short", "value"),
    [
        *(("CN", "a" * 64), ("CN", "\u00e9" * 32), ("O", "a" * 64), ("OU", "a" * 64), ("ST", "a" * 128), ("L", "a" * 128)),
        *(("UID", "a" * 256), ("serialNumber", "a" * 64), ("DC", "a" * 63), ("emailAddress", "a" * 255), ("C", "XX")),
    ],
)
def test_an_attribute_may_be_as_long_as_its_bound(short: str, value: str) -> None:
    assert rfc5280.attribute(short, value).value == value


@pytest.mark.parametrize(
    ("short", "value"),
    [
        *(
            ("CN", ""),
            ("CN", "a" * 65),
            ("CN", "\u00e9" * 33),
            ("O", "a" * 65),
            ("OU", "a" * 65),
            ("ST", "a" * 129),
            ("L", "a" * 129),
        ),
        *(("UID", "a" * 257), ("serialNumber", "a" * 65), ("DC", "a" * 64), ("emailAddress", "a" * 256)),
        *(("C", "D"), ("C", "DEU"), ("C", "de"), ("C", "1E"), ("C", "\u00c4\u00c4")),
        *(("CN", "a\nb"), ("CN", "a\x00"), ("CN", "\x7f"), ("CN", "\x9f"), ("CN", "\ud800")),
        *(("serialNumber", "a_b"), ("serialNumber", "\u00e9"), ("emailAddress", "\u00e9@a.test"), ("DC", "\u00e9")),
        *(("cn", "a"), ("2.5.4.3", "a"), ("", "a")),
    ],
)
def test_an_attribute_that_no_certificate_may_have(short: str, value: str) -> None:
    with pytest.raises(Refused) as refusal:
        rfc5280.attribute(short, value)
    assert refusal.value.reason is Reason.MALFORMED
    assert refusal.value.clause.startswith("RFC 5280")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["CN", "C", "serialNumber", "emailAddress", "DC", "UID"]), st.text(max_size=70))
def test_an_attribute_is_encoded_or_refused(short: str, value: str) -> None:
    try:
        name = rfc5280.distinguished_name({short: value})
    except Refused:
        return
    assert rfc5280.attributes_of(name) == [(short, value)]
    assert name.public_bytes()


NAMES = (
    Name(NameKind.DNS, "a.example.test"),
    Name(NameKind.DNS, "*.example.test"),
    Name(NameKind.IP, "192.0.2.1"),
    Name(NameKind.IP, "2001:db8::1"),
    Name(NameKind.EMAIL, "A.b@example.test"),
    Name(NameKind.URI, "https://example.test/x"),
)


def test_names_become_general_names_and_come_back() -> None:
    extension = rfc5280.subject_alternative_name(NAMES)
    assert rfc5280.names_of(list(extension)) == NAMES
    assert extension.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("192.0.2.1"),
        ipaddress.ip_address("2001:db8::1"),
    ]
    assert extension.get_values_for_type(x509.RFC822Name) == ["A.b@example.test"]
    assert extension.get_values_for_type(x509.UniformResourceIdentifier) == ["https://example.test/x"]
    assert extension.get_values_for_type(x509.DNSName) == ["a.example.test", "*.example.test"]


def test_names_of_keeps_each_once() -> None:
    assert rfc5280.names_of([x509.DNSName("A.test"), x509.DNSName("b.test"), x509.DNSName("a.test")]) == (
        Name(NameKind.DNS, "a.test"),
        Name(NameKind.DNS, "b.test"),
    )


@pytest.mark.parametrize(
    "general",
    [
        x509.DirectoryName(x509.Name([])),
        x509.RegisteredID(NameOID.COMMON_NAME),
        x509.OtherName(NameOID.COMMON_NAME, b"\x05\x00"),
    ],
)
def test_kinds_that_are_not_certified(general: x509.GeneralName) -> None:
    with pytest.raises(Refused) as refusal:
        rfc5280.name_of(general)
    assert refusal.value.reason is Reason.UNSUPPORTED_IDENTIFIER


def test_a_range_of_addresses_is_no_name() -> None:
    with pytest.raises(Refused, match="mask"):
        rfc5280.name_of(x509.IPAddress(ipaddress.ip_network("192.0.2.0/24")))


# Key identifiers


def test_key_identifier_is_method_1_of_rfc_7093(kind_and_key: tuple[str, Any]) -> None:
    _, key = kind_and_key
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # cryptography's method of RFC 5280 gives SHA-1 of the same octets: use it to find them.
    identifier = rfc5280.key_identifier(spki)
    starts = range(1, len(spki))
    bits = next(
        spki[at:]
        for at in starts
        if hashlib.sha1(spki[at:]).digest() == x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    )
    assert identifier == hashlib.sha256(bits).digest()[:20]
    assert rfc5280.subject_key_identifier(spki).digest == identifier


def test_key_identifier_of_something_else_is_refused() -> None:
    with pytest.raises(Refused):
        rfc5280.key_identifier(b"\x30\x00")


# TBS


def builder_for(key: Any, *, ca: bool = True) -> x509.CertificateBuilder:
    name = rfc5280.distinguished_name({"CN": "Lab Root"})
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(b"\x40" + bytes(18) + b"\x01", "big"))
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(rfc5280.subject_key_identifier(spki), critical=False)
    )


def self_signed(key: Any, sign: Callable[[object, bytes], bytes]) -> x509.Certificate:
    tbs = rfc5280.certificate_tbs(builder_for(key), key.public_key(), "sha256")
    algorithm = signatures.algorithm(key.public_key(), "sha256")
    assert algorithm in tbs
    return x509.load_der_x509_certificate(rfc5280.assemble(tbs, algorithm, sign(key, tbs)))


def test_a_certificate_is_what_the_builder_itself_would_make(
    kind_and_key: tuple[str, Any], sign: Callable[[object, bytes], bytes]
) -> None:
    kind, key = kind_and_key
    certificate = self_signed(key, sign)
    certificate.verify_directly_issued_by(certificate)
    itself = builder_for(key).sign(key, hashes.SHA256() if kind.startswith("P-") or kind == "RSA" else None)
    assert certificate.tbs_certificate_bytes == itself.tbs_certificate_bytes
    assert certificate.signature_algorithm_oid == itself.signature_algorithm_oid


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
def test_the_hash_is_the_one_asked_for(hash_name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    tbs = rfc5280.certificate_tbs(builder_for(key), key.public_key(), hash_name)
    algorithm = signatures.algorithm(key.public_key(), hash_name)
    signature = key.sign(tbs, ec.ECDSA(signatures.HASHES[hash_name]))
    certificate = x509.load_der_x509_certificate(rfc5280.assemble(tbs, algorithm, signature))
    certificate.verify_directly_issued_by(certificate)
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == hash_name


def test_an_unknown_hash_is_an_error() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(KeyError):
        signatures.algorithm(key.public_key(), "sha1")
    with pytest.raises(KeyError):
        rfc5280.certificate_tbs(builder_for(key), key.public_key(), "sha1")


def test_a_builder_that_lacks_a_field_is_an_error() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(ValueError, match="must have"):
        rfc5280.certificate_tbs(x509.CertificateBuilder(), key.public_key(), "sha256")


# CRL


@dataclass(frozen=True)
class Entry:
    serial: bytes
    revoked_at: datetime
    reason: int = 0
    invalidity_date: datetime | None = None


@pytest.fixture(scope="module")
def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = builder_for(key).add_extension(
        x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
    )
    return key, builder.sign(key, hashes.SHA256())


def crl(
    authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate], *entries: Entry, **options: Any
) -> x509.CertificateRevocationList:
    key, certificate = authority
    algorithm = signatures.algorithm(key.public_key(), "sha256")
    arguments: dict[str, Any] = {"number": 7, "this_update": NOW, "next_update": NOW + timedelta(days=7), **options}
    tbs = rfc5280.crl_tbs(
        issuer=certificate.subject,
        algorithm=algorithm,
        entries=[rfc5280.crl_entries(entries)],
        authority_key_identifier=rfc5280.authority_key_identifier(certificate),
        **arguments,
    )
    return x509.load_der_x509_crl(rfc5280.assemble(tbs, algorithm, key.sign(tbs, ec.ECDSA(hashes.SHA256()))))


ENTRIES = (
    Entry(b"\x40" + bytes(18) + b"\x01", NOW),
    Entry(b"\x7f" + bytes(19), NOW - timedelta(days=1), 1, NOW - timedelta(days=2)),
    Entry(b"\xff" * 20, datetime(2050, 1, 1, tzinfo=UTC), 6),
    Entry(bytes(19) + b"\x80", NOW, 0, datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    Entry(b"\x05", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), 10),
)


def test_a_crl_says_what_it_was_told(authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]) -> None:
    key, certificate = authority
    made = crl(authority, *ENTRIES)
    assert made.is_signature_valid(key.public_key())
    assert made.issuer == certificate.subject
    assert (made.last_update_utc, made.next_update_utc) == (NOW, NOW + timedelta(days=7))
    assert made.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    assert made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value == rfc5280.authority_key_identifier(
        certificate
    )
    assert not any(extension.critical for extension in made.extensions)
    for entry, line in zip(ENTRIES, made, strict=True):
        assert line.serial_number == int.from_bytes(entry.serial, "big")
        assert line.revocation_date_utc == entry.revoked_at
        said = {type(extension.value): extension.value for extension in line.extensions}
        assert (x509.CRLReason in said) == (entry.reason != 0)
        if entry.invalidity_date is not None:
            assert said.pop(x509.InvalidityDate).invalidity_date_utc == entry.invalidity_date
        assert x509.InvalidityDate not in said


def test_a_crl_is_what_the_builder_would_make(authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]) -> None:
    """Octet by octet, for each reason: the reasons of cryptography are those of RFC 5280 section 5.3.1 by name."""
    key, certificate = authority
    names = {1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded", 5: "cessationOfOperation"}
    names |= {6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise"}
    entries = [Entry(bytes([number]), NOW, number, NOW if number % 2 else None) for number in names]
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=7))
    )
    for entry in entries:
        line = x509.RevokedCertificateBuilder().serial_number(entry.serial[0]).revocation_date(NOW)
        line = line.add_extension(x509.CRLReason(x509.ReasonFlags(names[entry.reason])), critical=False)
        if entry.invalidity_date is not None:
            line = line.add_extension(x509.InvalidityDate(NOW.replace(tzinfo=None)), critical=False)
        builder = builder.add_revoked_certificate(line.build())
    scope = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier("http://example.test/crl")],
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    builder = builder.add_extension(rfc5280.authority_key_identifier(certificate), critical=False)
    builder = builder.add_extension(x509.CRLNumber(7), critical=False).add_extension(scope, critical=True)
    itself = builder.sign(key, hashes.SHA256())
    made = crl(authority, *entries, extensions=[x509.Extension(scope.oid, True, scope)])
    assert made.tbs_certlist_bytes == itself.tbs_certlist_bytes


def test_an_empty_crl_has_no_list(authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]) -> None:
    made = crl(authority)
    assert len(made) == 0
    key, certificate = authority
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=7))
    )
    builder = builder.add_extension(rfc5280.authority_key_identifier(certificate), critical=False)
    itself = builder.add_extension(x509.CRLNumber(7), critical=False).sign(key, hashes.SHA256())
    assert made.tbs_certlist_bytes == itself.tbs_certlist_bytes


def test_times_of_a_crl_are_in_utc(authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]) -> None:
    eastern = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    made = crl(authority, Entry(b"\x01", eastern, 1, eastern), this_update=eastern)
    assert made.last_update_utc == NOW
    assert made[0].revocation_date_utc == NOW
    assert made[0].extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc == NOW


@pytest.mark.parametrize("number", [-1, 1 << 159])
def test_a_crl_number_has_at_most_20_octets(authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate], number: int) -> None:
    with pytest.raises(ValueError, match="20 octets"):
        crl(authority, number=number)
    made = crl(authority, number=(1 << 159) - 1)
    assert made.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == (1 << 159) - 1


def test_a_long_crl_is_whole(authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate]) -> None:
    entries = [Entry(number.to_bytes(20, "big"), NOW + timedelta(seconds=number), number % 7) for number in range(1, 5001)]
    made = crl(authority, *entries)
    assert [line.serial_number for line in made] == list(range(1, 5001))
    assert len(crl_module._entry(b"\xff" * 20, datetime(2051, 1, 1, tzinfo=UTC), 1, NOW)) < 130


def test_openssl_reads_and_verifies_the_crl(
    authority: tuple[ec.EllipticCurvePrivateKey, x509.Certificate], tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(authority[1].public_bytes(Encoding.PEM))
    (tmp_path / "list.crl").write_bytes(crl(authority, *ENTRIES).public_bytes(Encoding.DER))
    command = ["openssl", "crl", "-inform", "DER", "-in", "list.crl", "-CAfile", "ca.pem", "-noout", "-text"]
    try:
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no openssl command on this machine")
    assert "verify OK" in result.stderr
    for text in ("Version 2", "Key Compromise", "Certificate Hold", "Invalidity Date", "X509v3 CRL Number"):
        assert text in result.stdout
