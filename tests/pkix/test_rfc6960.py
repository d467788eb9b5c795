"""OCSP requests as pyasn1 and cryptography build them; responses as cryptography reads them (tests/status has those of a whole CA)."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from pyasn1.codec.der import decoder, encoder
from pyasn1.type import univ
from pyasn1_modules import rfc2459, rfc6960

from privca.base.refused import Reason, Refused
from privca.pkix import rfc6960 as ours
from privca.pkix.rfc5280.crl import invalidity_date_extension

NONCE = "1.3.6.1.5.5.7.48.1.2"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SHA1, SHA256, SHA224 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.4"


def extension(oid: str, value: bytes, *, critical: bool = False) -> Any:
    made = rfc2459.Extension()
    made["extnID"] = univ.ObjectIdentifier(oid)
    if critical:
        made["critical"] = True
    made["extnValue"] = univ.OctetString(value)
    return made


def extensions(kind: Any, *listed: Any) -> Any:
    for at, one in enumerate(listed):
        kind[at] = one
    return kind


def nonce(octets: bytes) -> Any:
    return extension(NONCE, encoder.encode(univ.OctetString(octets)))


def request(
    serials: tuple[int, ...] = (1,),
    *,
    oid: str = SHA256,
    extra: tuple[Any, ...] = (),
    single: tuple[Any, ...] = (),
    version: int | None = None,
    requestor: bool = False,
    signature: bool = False,
) -> bytes:
    """An OCSPRequest by pyasn1."""
    made = rfc6960.OCSPRequest()
    tbs = made["tbsRequest"]
    if version is not None:
        tbs["version"] = version
    if requestor:
        tbs["requestorName"]["dNSName"] = "client.example.test"
    for at, serial in enumerate(serials):
        certificate = tbs["requestList"][at]["reqCert"]
        certificate["hashAlgorithm"]["algorithm"] = univ.ObjectIdentifier(oid)
        certificate["hashAlgorithm"]["parameters"] = univ.Any(b"\x05\x00")
        certificate["issuerNameHash"] = b"n" * 32
        certificate["issuerKeyHash"] = b"k" * 32
        certificate["serialNumber"] = serial
        if single:
            extensions(tbs["requestList"][at]["singleRequestExtensions"], *single)
    if not serials:
        tbs["requestList"].clear()
    if extra:
        extensions(tbs["requestExtensions"], *extra)
    if signature:
        made["optionalSignature"]["signatureAlgorithm"]["algorithm"] = univ.ObjectIdentifier("1.2.840.10045.4.3.2")
        made["optionalSignature"]["signature"] = univ.BitString(hexValue="00")
    return encoder.encode(made)  # type: ignore[no-any-return]


def test_rfc6960_4_1_1_several_certificates() -> None:
    found = ours.read_request(request((1, 1 << 150, 3)))
    assert [(one.hash_name, one.serial) for one in found.certificates] == [("sha256", 1), ("sha256", 1 << 150), ("sha256", 3)]
    assert (found.certificates[0].issuer_name_hash, found.certificates[0].issuer_key_hash) == (b"n" * 32, b"k" * 32)
    assert found.nonce is None
    # The very octets, for the response to repeat.
    listed = decoder.decode(request((1, 1 << 150, 3)), asn1Spec=rfc6960.OCSPRequest())[0]["tbsRequest"]["requestList"]
    assert [one.encoded for one in found.certificates] == [encoder.encode(one["reqCert"]) for one in listed]


@pytest.mark.parametrize(("oid", "name"), [(SHA1, "sha1"), (SHA256, "sha256"), (SHA224, "")], ids=["sha1", "sha256", "sha224"])
def test_rfc6960_4_1_1_hashes(oid: str, name: str) -> None:
    assert ours.read_request(request(oid=oid)).certificates[0].hash_name == name


@pytest.mark.parametrize("length", [1, 15, 16, 32, 33, 128])
def test_rfc9654_2_1_nonces(length: int) -> None:
    assert ours.read_request(request(extra=(nonce(b"x" * length),))).nonce == b"x" * length


@pytest.mark.parametrize("length", [0, 129, 1000])
def test_rfc9654_2_1_nonces_that_must_be_rejected(length: int) -> None:
    with pytest.raises(Refused) as refused:
        ours.read_request(request(extra=(nonce(b"x" * length),)))
    assert (refused.value.reason, refused.value.clause) == (Reason.MALFORMED, "RFC 9654 section 2.1")


def test_rfc9654_2_1_a_nonce_is_an_octet_string() -> None:
    with pytest.raises(Refused):
        ours.read_request(request(extra=(extension(NONCE, b"x" * 32),)))


def test_rfc6960_4_1_2_extensions() -> None:
    unknown = extension("1.2.3.4", b"\x05\x00")
    known = extension("1.3.6.1.5.5.7.48.1.4", encoder.encode(univ.SequenceOf()), critical=True)
    assert ours.read_request(request(extra=(unknown, known, nonce(b"x" * 32)), single=(unknown,))).nonce == b"x" * 32


@pytest.mark.parametrize("where", ["extra", "single"])
def test_rfc6960_4_1_2_a_critical_extension_that_is_not_known(where: str) -> None:
    wrong: dict[str, Any] = {where: (extension("1.2.3.4", b"\x05\x00", critical=True),)}
    with pytest.raises(Refused) as refused:
        ours.read_request(request(**wrong))
    assert (refused.value.reason, refused.value.clause) == (Reason.MALFORMED, "RFC 6960 section 4.1.2")


@pytest.mark.parametrize("where", ["extra", "single"])
def test_rfc5280_4_2_an_extension_that_comes_twice(where: str) -> None:
    wrong: dict[str, Any] = {where: (nonce(b"a" * 32), nonce(b"b" * 32))}
    with pytest.raises(Refused):
        ours.read_request(request(**wrong))


def test_rfc9919_3_1_2_signatures_and_requestors_are_ignored() -> None:
    assert ours.read_request(request(requestor=True, signature=True)).certificates[0].serial == 1


def test_rfc6960_4_1_1_versions() -> None:
    # What spells the default version out is no DER, but harmless: pyasn1 leaves it out, so it is put in by hand.
    plain = request()
    body = plain[4:] if plain[1] & 0x80 else plain[2:]
    tbs = b"\xa0\x03\x02\x01\x00" + (body[2:] if not body[1] & 0x80 else body[3:])
    spelled = encoder.encode(univ.Any(b"\x30%c%b" % (len(tbs), tbs)))
    whole = b"\x30%c%b" % (len(spelled), spelled) if len(spelled) < 128 else b"\x30\x81%c%b" % (len(spelled), spelled)
    assert ours.read_request(whole).certificates[0].serial == 1
    with pytest.raises(Refused):
        ours.read_request(request(version=1))


@pytest.mark.parametrize("count", [0, 65])
def test_rfc6960_4_1_1_how_many_certificates(count: int) -> None:
    with pytest.raises(Refused) as refused:
        ours.read_request(request(tuple(range(1, count + 1))))
    assert refused.value.reason is Reason.MALFORMED


def test_a_request_that_is_too_large() -> None:
    with pytest.raises(Refused) as refused:
        ours.read_request(request(extra=(extension("1.2.3.4", bytes(ours.MAXIMUM_OCTETS)),)))
    assert refused.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", b"\x30\x80", request()[:-1], request() + b"\x00", b"GET / HTTP/1.1"])
def test_what_is_no_request(octets: bytes) -> None:
    with pytest.raises(Refused) as refused:
        ours.read_request(octets)
    assert refused.value.reason is Reason.MALFORMED


def test_fuzzed_requests_are_read_or_refused() -> None:
    """Every octet changed, and random cuts, doublings and lengths: a refusal of the sort that is the client's fault, or a request."""
    chance = random.Random(6960)
    whole = request(
        (1, 2), extra=(nonce(b"x" * 32),), single=(extension("1.2.3.4", b"\x05\x00"),), requestor=True, signature=True
    )
    spoilt = [whole[:at] + bytes([octet]) + whole[at + 1 :] for at in range(len(whole)) for octet in (0, 0x30, 0x7F, 0x80, 0xFF)]
    for _ in range(2000):
        start, end = sorted(chance.choices(range(len(whole)), k=2))
        spoilt.append(
            chance.choice(
                [
                    whole[:start] + whole[end:],
                    whole[:end] + whole[start:],
                    whole[:start] + chance.randbytes(end - start) + whole[end:],
                ]
            )
        )
    read, reasons = 0, set()
    for octets in spoilt:
        try:
            ours.read_request(octets)
            read += 1
        except Refused as refused:
            reasons.add(refused.reason)
    assert 0 < read < len(spoilt)
    assert reasons == {Reason.MALFORMED}


KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Responder")])
SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
CERTIFICATE = x509.CertificateBuilder(
    NAME, NAME, KEY.public_key(), 5, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
).sign(KEY, hashes.SHA256())
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


def response(*singles: bytes, responder: bytes | None = None, extra: tuple[bytes, ...] = ()) -> ocsp.OCSPResponse:
    data = ours.response_data(responder or ours.responder_by_key(SPKI), NOW, singles, extra)
    signature = KEY.sign(data, ec.ECDSA(hashes.SHA256()))
    made = ours.successful(data, ECDSA_SHA256, signature, [CERTIFICATE.public_bytes(Encoding.DER)])
    found = ocsp.load_der_ocsp_response(made)
    KEY.public_key().verify(found.signature, found.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    assert found.certificates == [CERTIFICATE]
    # And what pyasn1 reads, it writes in the same octets: it is DER.
    read, rest = decoder.decode(made, asn1Spec=rfc6960.OCSPResponse())
    assert (encoder.encode(read), rest) == (made, b"")
    return found


def single(status: bytes, *extra: bytes) -> bytes:
    certificate = ours.read_request(request()).certificates[0]
    return ours.single_response(certificate.encoded, status, NOW, datetime(2051, 1, 1, tzinfo=UTC), extra)


def test_rfc6960_4_2_1_statuses() -> None:
    good, unknown = response(single(ours.GOOD)), response(single(ours.UNKNOWN))
    assert (good.certificate_status, unknown.certificate_status) == (ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.UNKNOWN)
    assert (good.this_update_utc, good.next_update_utc) == (NOW, datetime(2051, 1, 1, tzinfo=UTC))
    assert (good.produced_at_utc, good.serial_number) == (NOW, 1)
    gone = response(single(ours.revoked(NOW, 1)))
    assert gone.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert (gone.revocation_time_utc, gone.revocation_reason) == (NOW, x509.ReasonFlags.key_compromise)
    assert response(single(ours.revoked(NOW, 0))).revocation_reason is None


def test_rfc6960_4_2_2_3_responders() -> None:
    by_key = response(single(ours.GOOD))
    assert by_key.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()).digest
    assert response(single(ours.GOOD), responder=ours.responder_by_name(NAME)).responder_name == NAME


def test_rfc6960_4_4_extensions() -> None:
    found = response(single(ours.GOOD), extra=(ours.EXTENDED_REVOKE, ours.nonce_extension(b"n" * 32)))
    assert found.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32
    extended = found.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.9"))
    assert isinstance(extended.value, x509.UnrecognizedExtension)
    assert (extended.critical, extended.value.value) == (False, b"\x05\x00")
    invalid = response(single(ours.revoked(NOW, 1), invalidity_date_extension(NOW))).single_extensions
    assert invalid.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc == NOW
    cutoff = response(single(ours.GOOD, ours.archive_cutoff(NOW))).single_extensions
    value = cutoff.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.6")).value
    assert isinstance(value, x509.UnrecognizedExtension)
    assert value.value == b"\x18\x0f20260102030405Z"


@pytest.mark.parametrize("status", [one for one in ours.ResponseStatus if one], ids=lambda status: status.name.lower())
def test_rfc6960_2_3_exceptions(status: ours.ResponseStatus) -> None:
    found = ocsp.load_der_ocsp_response(ours.unsuccessful(status))
    assert found.response_status.value == status.value


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
def test_rfc6960_4_1_1_hashes_of_the_issuer_are_those_of_others(name: str) -> None:
    algorithm = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[name]
    built = ocsp.OCSPRequestBuilder().add_certificate(CERTIFICATE, CERTIFICATE, algorithm).build()
    (found,) = ours.read_request(built.public_bytes(Encoding.DER)).certificates
    assert found.hash_name == name
    assert (found.issuer_name_hash, found.issuer_key_hash) == ours.issuer_hashes(NAME.public_bytes(), SPKI, name)
