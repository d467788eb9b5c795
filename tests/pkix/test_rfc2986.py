from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from privca.base.names import Name, NameKind
from privca.base.refused import Reason, Refused
from privca.pkix import rfc2986


def refused(octets: bytes, *, tolerant: bool = False, reason: Reason = Reason.BAD_CSR) -> Refused:
    with pytest.raises(Refused) as refusal:
        rfc2986.parse(octets, tolerant=tolerant)
    assert refusal.value.reason is reason
    assert refusal.value.clause.startswith("RFC ")
    return refusal.value


def der_of(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def test_each_kind_of_key_can_ask(kind_and_key: tuple[str, Any]) -> None:
    kind, key = kind_and_key
    hash_algorithm = hashes.SHA384() if kind.startswith("P-") or kind == "RSA" else None
    names = [x509.DNSName("WWW.example.test"), x509.DNSName("www.EXAMPLE.test")]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_attribute(x509.oid.AttributeOID.CHALLENGE_PASSWORD, b"secret")
    octets = builder.sign(key, hash_algorithm).public_bytes(Encoding.DER)
    csr = rfc2986.parse(octets)
    assert csr.der == octets
    assert csr.spki == der_of(key)
    assert csr.public_key == key.public_key()
    assert csr.subject.rfc4514_string() == "CN=a"
    assert csr.names == (Name(NameKind.DNS, "www.example.test"),)
    assert [extension.oid.dotted_string for extension in csr.extensions] == ["2.5.29.17"]
    assert csr.challenge_password == "secret"
    assert csr.signature_hash == ("sha384" if hash_algorithm else "")


def test_nothing_is_asked_but_a_certificate(wire: Any) -> None:
    csr = rfc2986.parse(wire.request())
    assert (csr.names, csr.extensions, csr.challenge_password, csr.signature_hash) == ((), (), None, "sha256")


def test_names_of_all_kinds_keep_their_order(wire: Any) -> None:
    names = [
        wire.tlv(0x86, b"https://example.test/a"),
        wire.tlv(0x87, bytes(15) + b"\x01"),
        wire.tlv(0x87, b"\xc0\x00\x02\x01"),
        wire.tlv(0x81, b"A.b@Example.test"),
        wire.dns("*.Example.test"),
    ]
    csr = rfc2986.parse(wire.request(wire.extension_request(wire.names(*names))))
    assert [str(name) for name in csr.names] == [
        *("uri:https://example.test/a", "ip:::1", "ip:192.0.2.1", "email:A.b@example.test", "dns:*.example.test"),
    ]


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ((0xA0, bytes.fromhex("060a2b060104018237140203a0030c0161")), "kind of subjectAltName"),
        ((0xA4, b"\x30\x00"), "kind of subjectAltName"),
        ((0x88, b"\x2a\x03\x04"), "kind of subjectAltName"),
        ((0xA3, b""), "malformed"),
        ((0x87, b"\xc0\x00\x02"), "malformed"),
        ((0x87, b"\xc0\x00\x02\x00\xff\xff\xff\x00"), "mask"),
        ((0x87, bytes(10) + b"\xff\xff\xc0\x00\x02\x01"), "IPv4-mapped"),
        ((0x82, b"a..test"), "label"),
        ((0x82, b"a.test\x00.b.test"), "label"),
        ((0x82, b"\xff.test"), "malformed"),
        ((0x82, b""), "1 to 253"),
        ((0x81, b"nobody"), "e-mail"),
        ((0x86, b"relative"), "URI"),
    ],
)
def test_a_name_that_cannot_be_certified(wire: Any, name: tuple[int, bytes], detail: str) -> None:
    octets = wire.request(wire.extension_request(wire.names(wire.dns("a.test"), wire.tlv(*name))))
    assert detail in refused(octets).detail


def test_the_number_of_names_is_bounded(wire: Any) -> None:
    names = [wire.dns(f"{number}.example.test") for number in range(1001)]
    assert len(rfc2986.parse(wire.request(wire.extension_request(wire.names(*names[:1000])))).names) == 1000
    assert "number of names" in refused(wire.request(wire.extension_request(wire.names(*names)))).detail
    assert "number of names" in refused(wire.request(wire.extension_request(wire.names()))).detail


@pytest.mark.parametrize("version", ["020101", "0201ff", "020102", "020900ffffffffffffffff"])
def test_another_version(wire: Any, version: str) -> None:
    assert "version" in refused(wire.request(version=bytes.fromhex(version))).detail


def test_a_signature_that_is_not_the_keys(wire: Any) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    info = wire.info()
    for signature in (
        other.sign(info, ec.ECDSA(hashes.SHA256())),
        b"",
        b"\x30\x06\x02\x01\x01\x02\x01\x01",
        b"\x30\x06\x02\x01\x00\x02\x01\x00",
    ):
        refusal = refused(wire.request(info=info, signature=signature))
        assert "does not verify" in refusal.detail


def test_a_signature_of_something_else(wire: Any) -> None:
    signature = wire.key.sign(wire.info(), ec.ECDSA(hashes.SHA256()))
    assert "does not verify" in refused(wire.request(wire.password(), signature=signature)).detail


def test_a_signature_that_is_no_whole_number_of_octets(wire: Any) -> None:
    info = wire.info()
    signature = b"\x01" + wire.key.sign(info, ec.ECDSA(hashes.SHA256()))[:-1] + b"\x00"
    octets = wire.tlv(0x30, info, bytes.fromhex("300a06082a8648ce3d040302"), wire.tlv(0x03, signature))
    assert "whole number of octets" in refused(octets).detail


@pytest.mark.parametrize(
    ("oid", "got"),
    [("2a8648ce3d0401", "SHA-1"), ("2a864886f70d010105", "SHA-1"), ("2a864886f70d010104", "MD5"), ("2b0e03021d", "SHA-1")],
)
def test_an_outdated_hash(wire: Any, oid: str, got: str) -> None:
    algorithm = wire.tlv(0x30, wire.tlv(0x06, bytes.fromhex(oid)), b"\x05\x00")
    refusal = refused(wire.request(algorithm=algorithm))
    assert ("no longer safe" in refusal.detail, refusal.got) == (True, got)


@pytest.mark.parametrize(
    ("name", "arc", "hash"), [("md5", "04", hashes.MD5()), ("sha1", "05", hashes.SHA1())], ids=["md5", "sha1"]
)
@pytest.mark.parametrize("parameters", [b"\x05\x00", b""], ids=["NULL", "absent"])
def test_an_outdated_hash_where_it_is_accepted(wire: Any, name: str, arc: str, hash: Any, parameters: bytes) -> None:
    key = rsa.generate_private_key(65537, 2048)
    info = wire.info(spki=der_of(key))
    algorithm = wire.tlv(0x30, wire.tlv(0x06, bytes.fromhex(f"2a864886f70d0101{arc}")), parameters)
    octets = wire.request(info=info, algorithm=algorithm, signature=key.sign(info, padding.PKCS1v15(), hash))
    assert rfc2986.parse(octets, old=("sha1", "md5")).signature_hash == name
    assert "no longer safe" in refused(octets).detail
    with pytest.raises(Refused):
        rfc2986.parse(octets, old=({"sha1", "md5"} - {name}))
    forged = wire.request(info=info, algorithm=algorithm, signature=key.sign(info + b"x", padding.PKCS1v15(), hash))
    with pytest.raises(Refused, match="does not verify"):
        rfc2986.parse(forged, old=("sha1", "md5"))


def test_ecdsa_with_an_outdated_hash_where_it_is_accepted(wire: Any) -> None:
    info = wire.info()
    algorithm = wire.tlv(0x30, wire.tlv(0x06, bytes.fromhex("2a8648ce3d0401")))
    octets = wire.request(info=info, algorithm=algorithm, signature=wire.key.sign(info, ec.ECDSA(hashes.SHA1())))
    assert rfc2986.parse(octets, old=("sha1",)).signature_hash == "sha1"
    assert "no longer safe" in refused(octets).detail


def test_octets_that_follow(wire: Any) -> None:
    for tolerant in (False, True):
        refused(wire.request() + b"\x00", tolerant=tolerant)


def test_a_request_that_is_too_large(wire: Any) -> None:
    filler = wire.attribute(bytes.fromhex("06032a0304"), wire.tlv(0x04, bytes(65000)))
    assert len(wire.request(filler)) < 1 << 16
    rfc2986.parse(wire.request(filler))
    filler = wire.attribute(bytes.fromhex("06032a0304"), wire.tlv(0x04, bytes(66000)))
    assert "too large" in refused(wire.request(filler), tolerant=True).detail


def test_a_subject_that_is_too_large(wire: Any) -> None:
    def subject(*relative: bytes) -> bytes:
        return bytes(wire.request(subject=wire.tlv(0x30, *relative)))

    assert len(rfc2986.parse(subject(*[wire.rdn()] * 32)).subject) == 32
    assert "too many attributes" in refused(subject(*[wire.rdn()] * 33)).detail
    rfc2986.parse(subject(wire.rdn(wire.tlv(0x0C, b"a" * 1024))))
    assert "too long" in refused(subject(wire.rdn(wire.tlv(0x0C, b"a" * 1025)))).detail


@pytest.mark.parametrize(
    ("oid", "value"), [("0603550406", b"\x13\x03USA"), ("0603550403", b"\x0c\x00"), ("0603550403", b"\x0c\x41" + b"a" * 65)]
)
def test_a_length_that_will_not_be_issued_is_read_without_a_warning(wire: Any, oid: str, value: bytes) -> None:
    csr = rfc2986.parse(wire.request(subject=wire.tlv(0x30, wire.rdn(value, bytes.fromhex(oid)))))
    assert next(iter(csr.subject)).value == value[2:].decode()


@pytest.mark.parametrize("value", [b"\x03\x02\x00a", b"\x1e\x01a", b"\x0c\x01\xff", b"\x13\x01\xff", b"\x05\x00"])
def test_a_subject_that_is_malformed(wire: Any, value: bytes) -> None:
    assert "malformed" in refused(wire.request(subject=wire.tlv(0x30, wire.rdn(value)))).detail


def test_extensions_twice(wire: Any) -> None:
    one = wire.names(wire.dns("a.test"))
    other = wire.names(wire.dns("b.test"))
    constraints = wire.extension(bytes.fromhex("0603551d13"), b"\x30\x00")
    assert "more than once" in refused(wire.request(wire.extension_request(one, other))).detail
    assert "more than once" in refused(wire.request(wire.extension_request(one), wire.extension_request(other))).detail
    assert (
        "more than one attribute"
        in refused(wire.request(wire.microsoft_extension_request(one), wire.extension_request(constraints)), tolerant=True).detail
    )
    values = sorted([wire.tlv(0x30, one), wire.tlv(0x30, constraints)])
    twice = wire.attribute(bytes.fromhex("06092a864886f70d01090e"), *values)
    assert "exactly one value" in refused(wire.request(twice)).detail


def test_the_number_of_extensions_is_bounded(wire: Any) -> None:
    extensions = [wire.extension(bytes((6, 3, 0x2A, 3, number)), b"\x05\x00") for number in range(33)]
    assert len(rfc2986.parse(wire.request(wire.extension_request(*extensions[:32]))).extensions) == 32
    assert "number of requested extensions" in refused(wire.request(wire.extension_request(*extensions))).detail
    assert "number of requested extensions" in refused(wire.request(wire.extension_request())).detail


def test_a_tls_feature_that_nobody_knows(wire: Any) -> None:
    """RFC 7633: cryptography has a KeyError for the number 7."""
    feature = wire.extension(bytes.fromhex("06082b06010505070118"), bytes.fromhex("3003020107"))
    refused(wire.request(wire.extension_request(feature)))


def test_microsoft_extensions_are_extensions(wire: Any) -> None:
    csr = rfc2986.parse(wire.request(wire.microsoft_extension_request(wire.names(wire.dns("a.test")))))
    assert csr.names == (Name(NameKind.DNS, "a.test"),)


@pytest.mark.parametrize("critical", ["010100", "010101", "0101"])
def test_extensions_that_are_not_der(wire: Any, critical: str) -> None:
    extension = wire.extension(bytes.fromhex("0603551d11"), b"\x30\x03\x82\x01a", critical=bytes.fromhex(critical))
    refused(wire.request(wire.extension_request(extension)), tolerant=True)


def test_an_attribute_twice(wire: Any) -> None:
    assert "more than once" in refused(wire.request(wire.password(b"\x13\x01a"), wire.password(b"\x13\x01b"))).detail


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x13\x06secret", "secret"),
        (b"\x0c\x03\xc3\xa9a", "\xe9a"),
        (b"\x1e\x04\x00s\x00\xe9", "s\xe9"),
        (b"\x14\x01\xe9", "\xe9"),
        (b"\x16\x01s", "s"),
        (b"\x1c\x04\x00\x00\x00s", "s"),
    ],
)
def test_a_challenge_password_in_each_string_type(wire: Any, value: bytes, text: str) -> None:
    assert rfc2986.parse(wire.request(wire.password(value))).challenge_password == text


@pytest.mark.parametrize(
    "value", [b"\x0c\x07secret\xff", b"\x13\x00", b"\x0c\x82\x01\x00" + b"s" * 256, b"\x04\x06secret", b"\x1e\x03\x00s\x00"]
)
def test_a_challenge_password_that_is_none_is_not_shown(wire: Any, value: bytes) -> None:
    refusal = refused(wire.request(wire.password(value)))
    assert "password" in refusal.detail
    assert "secret" not in f"{refusal!r} {refusal} {refusal.got} {refusal.__cause__}"


def test_the_challenge_password_is_in_no_repr(wire: Any) -> None:
    assert "secret" not in repr(rfc2986.parse(wire.request(wire.password())))


def test_a_challenge_password_with_two_values(wire: Any) -> None:
    octets = wire.request(wire.attribute(bytes.fromhex("06092a864886f70d010907"), b"\x13\x01a", b"\x13\x01b"))
    assert "exactly one value" in refused(octets).detail


# Keys


def test_a_weak_key_is_refused_before_its_signature_is_looked_at(wire: Any) -> None:
    weak = rsa.generate_private_key(65537, 1024)
    refusal = refused(wire.request(spki=der_of(weak), signature=b""), reason=Reason.BAD_PUBLIC_KEY)
    assert "wrong size" in refusal.detail


def test_a_point_that_is_not_on_the_curve(wire: Any) -> None:
    spki = bytearray(wire.spki)
    spki[-1] ^= 1
    refusal = refused(wire.request(spki=bytes(spki)), reason=Reason.BAD_PUBLIC_KEY)
    assert "curve" in refusal.detail


def test_the_point_at_infinity_is_no_key(wire: Any) -> None:
    spki = wire.tlv(0x30, wire.spki[2:23], wire.tlv(0x03, b"\x00\x00"))
    refused(wire.request(spki=spki), reason=Reason.BAD_PUBLIC_KEY)


def test_an_unknown_curve(wire: Any) -> None:
    algorithm = wire.tlv(0x30, bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06032a0304"))
    spki = wire.tlv(0x30, algorithm, wire.tlv(0x03, b"\x00\x04" + bytes(64)))
    assert "RFC 5480" in refused(wire.request(spki=spki), reason=Reason.BAD_PUBLIC_KEY).clause


def test_a_curve_that_is_not_certified(wire: Any) -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    assert refused(wire.request(spki=der_of(key)), reason=Reason.BAD_PUBLIC_KEY).got == "secp256k1"


@pytest.mark.parametrize("parameters", ["", "0500", "3000", "020101"])
def test_a_curve_without_a_name(wire: Any, parameters: str) -> None:
    algorithm = wire.tlv(0x30, bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex(parameters))
    spki = wire.tlv(0x30, algorithm, wire.spki[23:])
    refusal = refused(wire.request(spki=spki), reason=Reason.BAD_PUBLIC_KEY)
    assert refusal.clause == "RFC 5480 section 2.1.1"


@pytest.mark.parametrize("oid", ["2a864886f70d01010a", "2b656e", "2a8648ce380401", "2a8648ce3e0201", "2a0304"])
def test_a_kind_of_key_that_is_not_certified(wire: Any, oid: str) -> None:
    """RSASSA-PSS, X25519, DSA, DH, and one that nobody knows."""
    algorithm = wire.tlv(0x30, wire.tlv(0x06, bytes.fromhex(oid)))
    spki = wire.tlv(0x30, algorithm, wire.tlv(0x03, b"\x00" + bytes(32)))
    assert "kind of key" in refused(wire.request(spki=spki), reason=Reason.BAD_PUBLIC_KEY).detail


def test_a_dsa_key(wire: Any) -> None:
    key = dsa.DSAPublicNumbers(5, dsa.DSAParameterNumbers((1 << 2047) | 1, (1 << 255) | 1, 2)).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    refused(wire.request(spki=spki), reason=Reason.BAD_PUBLIC_KEY)


def test_a_point_of_small_order_signs_nothing(wire: Any) -> None:
    # Under the neutral element every signature with R = S * B verifies, whatever the message: S = 0 and R neutral is one.
    neutral = (1).to_bytes(32, "little")
    algorithm = bytes.fromhex("300506032b6570")
    spki = wire.tlv(0x30, algorithm, wire.tlv(0x03, b"\x00", neutral))
    octets = wire.request(spki=spki, algorithm=algorithm, signature=neutral + bytes(32))
    assert "small order" in refused(octets, reason=Reason.BAD_PUBLIC_KEY).detail


def test_a_compressed_point_is_certified_uncompressed(wire: Any) -> None:
    point = wire.key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    spki = wire.tlv(0x30, wire.spki[2:23], wire.tlv(0x03, b"\x00", point))
    assert rfc2986.parse(wire.request(spki=spki)).spki == wire.spki


# What tolerance accepts


def test_attributes_out_of_order_when_tolerant(wire: Any) -> None:
    attributes = [wire.extension_request(wire.names(wire.dns("a.test"))), wire.password()]
    ordered = wire.request(*sorted(attributes))
    octets = wire.request(*sorted(attributes, reverse=True))
    assert rfc2986.parse(ordered).names
    refusal = refused(octets)
    assert refusal.clause == "RFC 2986 section 4.1"
    csr = rfc2986.parse(octets, tolerant=True)
    assert (csr.names, csr.challenge_password, csr.der) == ((Name(NameKind.DNS, "a.test"),), "secret", octets)


def test_ber_when_tolerant(wire: Any) -> None:
    info = wire.info(wire.password())
    body = (
        info + bytes.fromhex("300a06082a8648ce3d040302") + wire.tlv(0x03, b"\0" + wire.key.sign(info, ec.ECDSA(hashes.SHA256())))
    )
    octets = b"\x30\x80" + body + b"\x00\x00"
    refused(octets)
    assert rfc2986.parse(octets, tolerant=True).challenge_password == "secret"


def test_ber_is_verified_as_it_was_received(wire: Any) -> None:
    """The signature is made over the octets that were sent: a signature of what they become as DER is none of them."""
    as_der = wire.info(wire.password())
    as_ber = b"\x30\x80" + as_der[3:] + b"\x00\x00"
    assert as_der[:2] == b"\x30\x81"
    rfc2986.parse(wire.request(info=as_ber), tolerant=True)
    signature = wire.key.sign(as_der, ec.ECDSA(hashes.SHA256()))
    assert "does not verify" in refused(wire.request(info=as_ber, signature=signature), tolerant=True).detail


def test_tolerance_does_not_read_everything(wire: Any) -> None:
    many = b"\x30\x80" + wire.info(subject=wire.tlv(0x30, *[wire.rdn(b"\x0c\x01a")] * 300)) + b"\x00\x00"
    assert refused(many, tolerant=True).clause == "RFC 2986 section 4"


def test_a_request_that_is_neither_is_refused_for_what_keeps_it_from_being_der(wire: Any) -> None:
    octets = wire.request()[:-1]
    assert str(refused(octets, tolerant=True)) == str(refused(octets))


# Signature algorithms


def pss(wire: Any, key: rsa.RSAPrivateKey, digest: hashes.HashAlgorithm, mask: hashes.HashAlgorithm, salt: int) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, digest, rsa_padding=padding.PSS(padding.MGF1(mask), salt)).public_bytes(Encoding.DER)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_rsassa_pss(wire: Any, rsa_key: rsa.RSAPrivateKey) -> None:
    for salt in (0, 32, 48, 190):
        octets = pss(wire, rsa_key, hashes.SHA384(), hashes.SHA384(), salt)
        assert rfc2986.parse(octets).signature_hash == "sha384"
    broken = bytearray(octets)
    broken[-1] ^= 1
    assert "does not verify" in refused(bytes(broken)).detail


SHA_1, SHA_224, SHA_256 = "2b0e03021a", "608648016503040204", "608648016503040201"
MGF_1, P_SPECIFIED = "2a864886f70d010108", "2a864886f70d010109"


@pytest.mark.parametrize(
    "changed_part",
    [
        {},
        {"digest": None},
        {"mask": None},
        {"digest": SHA_1},
        {"digest": SHA_224},
        {"mask_digest": SHA_1},
        {"mask": P_SPECIFIED},
        {"salt": b"\x02\x01\xff"},
        {"salt": b"\x02\x02\x08\x00"},
        {"trailer": b"\x02\x01\x02"},
    ],
    ids=str,
)
def test_rsassa_pss_with_other_parameters(wire: Any, rsa_key: rsa.RSAPrivateKey, changed_part: dict[str, Any]) -> None:
    """The part that is changed is the only reason: without a change it is the signature that does not verify."""
    tlv = wire.tlv
    part = {"digest": SHA_256, "mask": MGF_1, "mask_digest": SHA_256, "salt": b"\x02\x01\x20", "trailer": None, **changed_part}
    parameters = b""
    if part["digest"]:
        parameters += tlv(0xA0, tlv(0x30, tlv(6, bytes.fromhex(part["digest"]))))
    if part["mask"]:
        parameters += tlv(
            0xA1, tlv(0x30, tlv(6, bytes.fromhex(part["mask"])), tlv(0x30, tlv(6, bytes.fromhex(part["mask_digest"]))))
        )
    parameters += tlv(0xA2, part["salt"])
    if part["trailer"]:
        parameters += tlv(0xA3, part["trailer"])
    algorithm = tlv(0x30, bytes.fromhex("06092a864886f70d01010a"), tlv(0x30, parameters))
    refusal = refused(wire.request(spki=der_of(rsa_key), algorithm=algorithm, signature=bytes(256)))
    assert ("PSS" if changed_part else "does not verify") in refusal.detail


def test_rsassa_pss_without_parameters(wire: Any, rsa_key: rsa.RSAPrivateKey) -> None:
    algorithm = wire.tlv(0x30, bytes.fromhex("06092a864886f70d01010a"))
    refusal = refused(wire.request(spki=der_of(rsa_key), algorithm=algorithm, signature=bytes(256)))
    assert refusal.clause == "RFC 4055 section 3.1"


def test_an_algorithm_of_another_kind_of_key(wire: Any, sign: Callable[[object, bytes], bytes]) -> None:
    for spki, algorithm in (
        (wire.spki, bytes.fromhex("300506032b6570")),
        (wire.spki, bytes.fromhex("300d06092a864886f70d01010b0500")),
        (der_of(ed25519.Ed25519PrivateKey.generate()), bytes.fromhex("300a06082a8648ce3d040302")),
    ):
        assert "does not belong" in refused(wire.request(spki=spki, algorithm=algorithm)).detail


def test_rsa_with_and_without_null(wire: Any, rsa_key: rsa.RSAPrivateKey, sign: Callable[[object, bytes], bytes]) -> None:
    info = wire.info(spki=der_of(rsa_key))
    for null in ("300d06092a864886f70d01010b0500", "300b06092a864886f70d01010b"):
        rfc2986.parse(wire.request(info=info, algorithm=bytes.fromhex(null), signature=sign(rsa_key, info)))


def test_ecdsa_with_null_is_refused(wire: Any) -> None:
    assert "unknown signature algorithm" in refused(wire.request(algorithm=bytes.fromhex("300c06082a8648ce3d0403020500"))).detail


# Fuzzing: whatever comes, the answer is a request or a refusal of one of two reasons.


def survives(octets: bytes) -> None:
    for tolerant in (False, True):
        try:
            rfc2986.parse(octets, tolerant=tolerant)
        except Refused as refusal:
            if refusal.reason not in (Reason.BAD_CSR, Reason.BAD_PUBLIC_KEY) or not refusal.clause.startswith("RFC "):
                raise


CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=3)


def changed(octets: bytes, changes: list[tuple[int, int]]) -> bytes:
    mutable = bytearray(octets)
    for place, octet in changes:
        mutable[place % len(mutable)] = octet
    return bytes(mutable)


PUBLIC_KEY_OIDS = ["2a864886f70d010101", "2b6570", "2b6571", "2a8648ce3d0201", "608648016503040311", "608648016503040313"]
FUZZ = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(CHANGES)
def test_fuzz_changed_octets(wire: Any, changes: list[tuple[int, int]]) -> None:
    survives(changed(_rich(wire), changes))


@FUZZ
@given(CHANGES)
def test_fuzz_changed_octets_under_a_good_signature(wire: Any, changes: list[tuple[int, int]]) -> None:
    """Past the signature lie the subject and the extensions: sign what was changed."""
    survives(wire.request(info=changed(_rich_info(wire), changes)))


@FUZZ
@given(st.sampled_from(range(9, 38)), st.binary(max_size=40), st.integers(0, 255))
@example(35, b"\x00", 0x82)  # authorityCertSerialNumber 0, of which the parser only warns
def test_fuzz_extensions_and_names(wire: Any, extension: int, value: bytes, tag: int) -> None:
    oid = bytes((6, 3, 0x55, 0x1D, extension))
    survives(wire.request(wire.extension_request(wire.extension(oid, value))))
    survives(wire.request(wire.extension_request(wire.extension(oid, wire.tlv(0x30, wire.tlv(tag, value))))))
    survives(wire.request(wire.extension_request(wire.names(wire.tlv(tag, value)))))


def test_a_serial_number_that_the_parser_merely_warns_of_is_refused(wire: Any) -> None:
    """RFC 5280 section 4.1.2.2: positive, in an authorityKeyIdentifier (section 4.2.1.1) too."""
    # authorityCertIssuer stands beside it, without which it would be refused anyway.
    value = wire.tlv(0x30, wire.tlv(0xA1, wire.tlv(0x82, b"a.test")) + wire.tlv(0x82, b"\x00"))
    with pytest.raises(Refused) as caught:
        rfc2986.parse(wire.request(wire.extension_request(wire.extension(bytes((6, 3, 0x55, 0x1D, 35)), value))))
    assert caught.value.reason is Reason.BAD_CSR


@FUZZ
@given(st.integers(0, 255), st.binary(max_size=70), st.integers(3, 46))
def test_fuzz_subjects_and_passwords(wire: Any, tag: int, value: bytes, attribute: int) -> None:
    octets = wire.tlv(tag, value)
    survives(wire.request(subject=wire.tlv(0x30, wire.rdn(octets, bytes((6, 3, 0x55, 4, attribute))))))
    survives(wire.request(wire.password(octets)))


@FUZZ
@given(
    st.sampled_from(["2a864886f70d010101", "2b6570", "2b6571", "2a8648ce3d0201", "608648016503040311", "608648016503040313"]),
    st.binary(max_size=90),
)
def test_fuzz_public_keys(wire: Any, oid: str, key: bytes) -> None:
    for parameters in (b"", b"\x05\x00", bytes.fromhex("06082a8648ce3d030107")):
        spki = wire.tlv(0x30, wire.tlv(0x30, wire.tlv(6, bytes.fromhex(oid)), parameters), wire.tlv(3, key))
        survives(wire.request(spki=spki))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_fuzz_noise(octets: bytes) -> None:
    survives(octets)


def _rich_info(wire: Any) -> bytes:
    extensions = [
        wire.names(
            wire.dns("a.test"), wire.tlv(0x87, b"\xc0\x00\x02\x01"), wire.tlv(0x86, b"urn:a:b"), wire.tlv(0x81, b"a@b.test")
        ),
        wire.extension(bytes.fromhex("0603551d13"), b"\x30\x00", critical=b"\x01\x01\xff"),
        wire.extension(bytes.fromhex("0603551d0f"), b"\x03\x02\x07\x80"),
        wire.extension(bytes.fromhex("06082b06010505070118"), b"\x30\x03\x02\x01\x05"),
    ]
    return bytes(wire.info(wire.password(), wire.extension_request(*extensions)))


def _rich(wire: Any) -> bytes:
    return bytes(wire.request(info=_rich_info(wire)))


def test_what_is_fuzzed_is_good(wire: Any) -> None:
    assert len(rfc2986.parse(_rich(wire)).extensions) == 4


def test_rfc2986_4_1_attributes_and_signature_algorithm(wire: Any) -> None:
    """Attributes as octets, whatever their type, for who asks for more than extensions and a password."""
    strange = wire.attribute(bytes.fromhex("06042a030405"), b"\x02\x01\x07", b"\x0c\x05value")
    csr = rfc2986.parse(wire.request(strange, wire.extension_request(wire.names(wire.dns("a.test")))))
    assert set(csr.attributes) == {"1.2.3.4.5", "1.2.840.113549.1.9.14"}
    assert sorted(csr.attributes["1.2.3.4.5"]) == [b"\x02\x01\x07", b"\x0c\x05value"]
    assert csr.signature_algorithm == "1.2.840.10045.4.3.2"


def test_rfc7030_4_4_1_wishes_without_key_and_signature(wire: Any) -> None:
    """``/serverkeygen`` ignores both: here the signature is wrong, and the key is no point of its curve."""
    octets = wire.request(wire.extension_request(wire.names(wire.dns("a.test"))))
    parsed = rfc2986.parse(octets)
    at = octets.index(wire.spki)
    nobodys = octets[:at] + wire.spki[:-64] + b"\0" * 64 + octets[at + len(wire.spki) :]
    for spoilt in (octets[:-1] + bytes((octets[-1] ^ 1,)), nobodys):
        wishes = rfc2986.parse_wishes(spoilt)
        assert (wishes.subject, wishes.names, wishes.extensions) == (parsed.subject, parsed.names, parsed.extensions)
        assert wishes.der == spoilt
        with pytest.raises(Refused):
            rfc2986.parse(spoilt)


@pytest.mark.parametrize(
    "octets", [b"\x30" * (rfc2986.MAXIMUM_OCTETS + 1), b"\x30\x03\x02\x01\x00", b""], ids=["long", "short", "empty"]
)
def test_rfc7030_4_4_1_wishes_are_bounded_like_any_csr(octets: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        rfc2986.parse_wishes(octets)
    assert refusal.value.reason is Reason.BAD_CSR
