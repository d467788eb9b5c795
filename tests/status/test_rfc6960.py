"""The OCSP responder, read by cryptography and by the openssl command."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from pyasn1.codec.der import decoder, encoder
from pyasn1_modules import rfc6960

from privca.base.refused import Reason, Refused
from privca.issuance.delegates import Purpose
from privca.issuance.options.status import OcspOptions
from privca.issuance.ports import RevocationReason
from privca.issuance.profile import CertificateAuthority
from privca.pkix.rfc6960 import ResponseStatus, issuer_hashes
from privca.status.rfc6960 import TABLE
from tests.support.issuance_lab import NOW, TWO_TIERS, IssuanceLab, profile, run
from tests.support.status_lab import StatusLab, about, certid, read, verified

GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
EXTENDED_REVOKE, ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.9", "1.3.6.1.5.5.7.48.1.6"


def with_options(path: Path, **options: Any) -> StatusLab:
    config = {**TWO_TIERS, "issuing": CertificateAuthority(subject={"CN": "CA"}, parent="root", ocsp=OcspOptions(**options))}
    made = StatusLab(path, config)
    made.make()
    return made


def together(*requests: bytes) -> bytes:
    """One request for what several ask for, by pyasn1."""
    made = rfc6960.OCSPRequest()
    for at, octets in enumerate(requests):
        found, _ = decoder.decode(octets, asn1Spec=rfc6960.OCSPRequest())
        made["tbsRequest"]["requestList"][at] = found["tbsRequest"]["requestList"][0]
    return encoder.encode(made)  # type: ignore[no-any-return]


def oids(extensions: x509.Extensions) -> set[str]:
    return {one.oid.dotted_string for one in extensions}


@pytest.mark.parametrize("how", ["get", "post"])
@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda a: a.name)
def test_rfc6960_2_2_good(ca: StatusLab, how: str, algorithm: Any) -> None:
    certificate = ca.issue(profile())
    found = read(getattr(ca, how)(about(certificate, ca.key(), algorithm=algorithm)))
    assert (found.response_status, found.certificate_status) == (ocsp.OCSPResponseStatus.SUCCESSFUL, GOOD)
    assert found.serial_number == int.from_bytes(certificate.serial)
    assert found.hash_algorithm.name == algorithm.name
    assert (found.this_update_utc, found.next_update_utc) == (NOW, NOW + timedelta(hours=1))
    responder = verified(found, ca.key())
    # RFC 9919 section 3.2.2: by key.
    assert found.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(responder.public_key()).digest
    assert found.responder_name is None


def test_rfc6960_2_2_revoked(ca: StatusLab) -> None:
    certificate = ca.issue(profile())
    run(
        ca.revocation.revoke(
            certificate.serial, RevocationReason.KEY_COMPROMISE, "operator", NOW, invalidity_date=NOW - timedelta(days=2)
        )
    )
    found = read(ca.post(about(certificate, ca.key())))
    assert found.certificate_status is REVOKED
    assert (found.revocation_time_utc, found.revocation_reason) == (NOW, x509.ReasonFlags.key_compromise)
    invalid = found.single_extensions.get_extension_for_class(x509.InvalidityDate).value
    assert invalid.invalidity_date_utc == NOW - timedelta(days=2)
    verified(found, ca.key())


def test_rfc6960_2_2_held_and_released(ca: StatusLab) -> None:
    certificate = ca.issue(profile())
    asked = about(certificate, ca.key())
    assert read(ca.post(asked)).certificate_status is GOOD
    run(ca.revocation.revoke(certificate.serial, RevocationReason.CERTIFICATE_HOLD, "operator", NOW))
    held = read(ca.post(asked))
    assert (held.certificate_status, held.revocation_reason) == (REVOKED, x509.ReasonFlags.certificate_hold)
    run(ca.revocation.release(certificate.serial, "operator"))
    assert read(ca.post(asked)).certificate_status is GOOD


def test_rfc6960_2_2_what_was_never_issued_is_unknown(ca: StatusLab) -> None:
    found = read(ca.post(certid(12345, ca.key())))
    assert found.certificate_status is UNKNOWN
    assert EXTENDED_REVOKE not in oids(found.extensions)
    verified(found, ca.key())


@pytest.mark.parametrize("serial", [1 << 158, 0x7FFFFFFF])
def test_rfc6960_2_2_the_extended_definition_of_revoked(tmp_path: Path, serial: int) -> None:
    ca = with_options(tmp_path, not_issued="revoked")
    found = read(ca.post(certid(serial, ca.key())))
    assert (found.certificate_status, found.revocation_reason) == (REVOKED, x509.ReasonFlags.certificate_hold)
    assert found.revocation_time_utc == datetime(1970, 1, 1, tzinfo=UTC)
    assert EXTENDED_REVOKE in oids(found.extensions)
    assert not oids(found.single_extensions)
    known = read(ca.post(about(ca.issue(profile()), ca.key())))
    assert (known.certificate_status, EXTENDED_REVOKE in oids(known.extensions)) == (GOOD, False)
    ca.store.close()


def test_a_prepared_certificate_is_not_issued_yet(ca: StatusLab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: object) -> bytes:
        raise SystemError("killed")

    run(ca.delegates.current("issuing", Purpose.OCSP))
    monkeypatch.setattr(ca.keys, "sign", crash)
    with pytest.raises(SystemError):
        ca.issue(profile())
    monkeypatch.undo()
    record = run(ca.store.certificate_by_request("lab", "1"))
    assert record is not None
    assert read(ca.post(about(record, ca.key()))).certificate_status is UNKNOWN


def test_rfc6960_2_3_unauthorized_for_certificates_of_others(ca: StatusLab) -> None:
    certificate = ca.issue(profile())
    # By another CA, by a hash that we do not know, with the name of one key and the hash of another, and by the root, asked here.
    other = IssuanceLab(ca.directory / "other").make()
    foreign = run(other.authorities.current("issuing")).certificate
    other.store.close()
    for asked in (
        about(certificate, foreign),
        about(certificate, ca.key(), algorithm=hashes.SHA224()),  # type: ignore[arg-type]
        about(certificate, ca.key("root")),
    ):
        assert read(ca.post(asked)).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_a_serial_number_of_another_ca_is_not_this_cas(ca: StatusLab) -> None:
    serial = ca.key("issuing").serial_number
    assert read(ca.post(certid(serial, ca.key("root")), "root")).certificate_status is GOOD
    assert read(ca.post(certid(serial, ca.key("issuing")))).certificate_status is UNKNOWN


def test_rfc6960_4_2_1_several_certificates_in_one_request(ca: StatusLab) -> None:
    good, bad = ca.issue(profile(), request_id="good"), ca.issue(profile(), request_id="bad")
    run(ca.revocation.revoke(bad.serial, RevocationReason.SUPERSEDED, "operator", NOW))
    asked = together(
        about(good, ca.key()),
        about(bad, ca.key(), algorithm=hashes.SHA1()),  # type: ignore[arg-type]
        certid(99, ca.key()),
        certid(99, ca.key("root")),
    )
    found = read(ca.post(asked))
    told = [(one.serial_number, one.hash_algorithm.name, one.certificate_status) for one in found.responses]
    assert told == [
        (int.from_bytes(good.serial), "sha256", GOOD),
        (int.from_bytes(bad.serial), "sha1", REVOKED),
        (99, "sha256", UNKNOWN),
        (99, "sha256", UNKNOWN),
    ]
    verified(found, ca.key())


@pytest.mark.parametrize("length", [1, 16, 32, 128])
def test_rfc9654_2_1_the_nonce_comes_back(ca: StatusLab, length: int) -> None:
    certificate = ca.issue(profile())
    asked = about(certificate, ca.key(), nonce=b"n" * length)
    reply = ca.post(asked)
    found = read(reply)
    assert found.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * length
    verified(found, ca.key())
    # What is bound to one asker is of no use to a cache.
    assert reply.header("Cache-Control") is None
    assert ca.post(asked).body != reply.body


def test_without_a_nonce_there_is_none(ca: StatusLab) -> None:
    found = read(ca.post(about(ca.issue(profile()), ca.key())))
    assert not oids(found.extensions)


def test_rfc6960_4_2_2_2_old_keys_answer_for_what_they_signed(ca: StatusLab) -> None:
    before = ca.issue(profile(), request_id="before")
    run(ca.authorities.rollover("issuing"))
    after = ca.issue(profile(), request_id="after")
    run(ca.revocation.revoke(before.serial, RevocationReason.SUPERSEDED, "operator", NOW))
    old, new = read(ca.post(about(before, ca.key(number=1)))), read(ca.post(about(after, ca.key(number=2))))
    verified(old, ca.key(number=1))
    verified(new, ca.key(number=2))
    assert (old.certificate_status, new.certificate_status) == (REVOKED, GOOD)
    # Each key answers for its own alone.
    assert read(ca.post(about(before, ca.key(number=2)))).certificate_status is UNKNOWN


def test_the_root_answers_for_its_cas(ca: StatusLab) -> None:
    serial = ca.key("issuing").serial_number
    found = read(ca.get(certid(serial, ca.key("root")), "root"))
    assert found.certificate_status is GOOD
    verified(found, ca.key("root"))


def test_rfc6960_4_2_2_3_a_responder_by_name(tmp_path: Path) -> None:
    ca = with_options(tmp_path, responder_id="name")
    found = read(ca.post(about(ca.issue(profile()), ca.key())))
    assert found.responder_name == verified(found, ca.key()).subject
    ca.store.close()


def test_rfc6960_4_4_4_archive_cutoff(tmp_path: Path) -> None:
    ca = with_options(tmp_path, archive="30d")
    certificate = ca.issue(profile(validity="10d"))
    asked = about(certificate, ca.key())
    run(ca.revocation.revoke(certificate.serial, RevocationReason.SUPERSEDED, "operator", NOW))
    ca.clock.advance(timedelta(days=39))
    found = read(ca.post(asked))
    assert found.certificate_status is REVOKED
    value = found.single_extensions.get_extension_for_oid(x509.ObjectIdentifier(ARCHIVE_CUTOFF)).value
    assert isinstance(value, x509.UnrecognizedExtension)
    cutoff = ca.clock.now() - timedelta(days=30)
    assert value.value == b"\x18\x0f" + cutoff.strftime("%Y%m%d%H%M%SZ").encode()
    ca.clock.advance(timedelta(days=2))
    # RFC 9919 section 3.2.3: its record counts as removed.
    assert read(ca.post(asked)).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
    beside = together(asked, about(ca.issue(profile(), request_id="2"), ca.key()))
    assert [one.certificate_status for one in read(ca.post(beside)).responses] == [UNKNOWN, GOOD]
    ca.store.close()


def test_a_ca_key_that_has_ended_answers_nothing(tmp_path: Path) -> None:
    ca = StatusLab(tmp_path, {"issuing": CertificateAuthority(subject={"CN": "CA"}, validity="30d")})
    ca.make()
    asked = about(ca.issue(profile()), ca.key())
    ca.clock.advance(timedelta(days=31))
    assert read(ca.post(asked)).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
    ca.store.close()


@pytest.mark.parametrize("kind", ["P-384", "RSA-2048", "Ed25519", "ML-DSA-44"])
def test_every_kind_of_ca_key_has_a_responder(tmp_path: Path, kind: Any) -> None:
    ca = StatusLab(tmp_path, {"issuing": CertificateAuthority(subject={"CN": "CA"}, key=kind)})
    ca.make()
    certificate = ca.issue(profile())
    spki = ca.key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name_hash, key_hash = issuer_hashes(ca.key().subject.public_bytes(), spki, "sha256")
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        name_hash, key_hash, int.from_bytes(certificate.serial), hashes.SHA256()
    )
    found = read(ca.post(builder.build().public_bytes(Encoding.DER)))
    assert found.certificate_status is GOOD
    (responder,) = found.certificates
    responder.verify_directly_issued_by(ca.key())
    public_key: Any = responder.public_key()
    if isinstance(public_key, rsa.RSAPublicKey):
        public_key.verify(found.signature, found.tbs_response_bytes, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(public_key, ec.EllipticCurvePublicKey):
        public_key.verify(found.signature, found.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    else:
        public_key.verify(found.signature, found.tbs_response_bytes)
    ca.store.close()


def test_an_answer_holds_no_longer_than_its_signer(tmp_path: Path) -> None:
    ca = with_options(tmp_path, life="90d")
    found = read(ca.post(about(ca.issue(profile(validity="1y")), ca.key())))
    assert found.next_update_utc == verified(found, ca.key()).not_valid_after_utc
    ca.store.close()


# -- answers that are given again


def test_rfc9919_3_an_answer_is_signed_once(ca: StatusLab, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = ca.issue(profile())
    asked = about(certificate, ca.key())
    first = ca.get(asked)
    signed: list[str] = []
    sign = ca.keys.sign

    async def counted(reference: str, message: bytes, hash_name: str) -> bytes:
        signed.append(reference)
        return await sign(reference, message, hash_name)

    monkeypatch.setattr(ca.keys, "sign", counted)
    ca.clock.advance(timedelta(minutes=29))
    assert ca.get(asked).body == first.body
    assert ca.post(asked).body == first.body
    assert not signed
    ca.clock.advance(timedelta(minutes=2))
    assert read(ca.get(asked)).this_update_utc == ca.clock.now()
    assert len(signed) == 1


def test_an_answer_is_not_given_again_once_the_certificate_is_revoked(ca: StatusLab) -> None:
    asked = about(ca.issue(profile()), ca.key())
    assert read(ca.get(asked)).certificate_status is GOOD
    run(ca.revocation.revoke(run(ca.store.certificate_by_request("lab", "1")).serial, RevocationReason.SUPERSEDED, "o", NOW))  # type: ignore[union-attr]
    assert read(ca.get(asked)).certificate_status is REVOKED


def test_an_answer_is_not_given_again_once_its_signer_is_revoked(ca: StatusLab) -> None:
    asked = about(ca.issue(profile()), ca.key())
    responder = verified(read(ca.get(asked)), ca.key())
    run(ca.revocation.revoke(responder.serial_number.to_bytes(20), RevocationReason.KEY_COMPROMISE, "operator", NOW))
    ca.clock.advance(timedelta(seconds=6))
    assert verified(read(ca.get(asked)), ca.key()).serial_number != responder.serial_number


def test_what_was_unknown_is_good_once_it_is_issued(ca: StatusLab) -> None:
    """Nothing is kept of what is not there."""
    certificate = ca.issue(profile())
    asked = about(certificate, ca.key())
    real = ca.store.certificate_state

    async def nothing(serial: bytes) -> None:
        return None

    ca.store.certificate_state = nothing  # type: ignore[method-assign,assignment]
    assert read(ca.get(asked)).certificate_status is UNKNOWN
    ca.store.certificate_state = real  # type: ignore[method-assign]
    assert read(ca.get(asked)).certificate_status is GOOD


def test_what_is_kept_is_bounded(ca: StatusLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privca.status.rfc6960._KEPT", 2)
    for number in range(5):
        ca.get(about(ca.issue(profile(), request_id=str(number)), ca.key()))
    assert len(ca.responder._kept) == 2


# -- refusals


def test_the_table_is_total() -> None:
    assert set(TABLE) == set(Reason)
    assert ResponseStatus.SUCCESSFUL not in TABLE.values()
    # Section 2.3: sigRequired is not asked for anywhere.
    assert ResponseStatus.SIG_REQUIRED not in TABLE.values()


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.INTERNAL, ocsp.OCSPResponseStatus.INTERNAL_ERROR),
        (Reason.UNAVAILABLE, ocsp.OCSPResponseStatus.TRY_LATER),
    ],
    ids=["internal", "unavailable"],
)
def test_rfc6960_2_3_a_fault_of_ours_is_no_answer(
    ca: StatusLab, monkeypatch: pytest.MonkeyPatch, reason: Reason, status: ocsp.OCSPResponseStatus
) -> None:
    asked = about(ca.issue(profile()), ca.key())

    async def fails(*_: object) -> object:
        raise Refused(reason, "keys: file", "/secret/place")

    monkeypatch.setattr(ca.delegates, "current", fails)
    reply = ca.post(asked)
    assert read(reply).response_status is status
    assert b"secret" not in reply.body
    assert reply.header("Cache-Control") == "no-store"


MALFORMED = {"empty": b"", "text": b"hello", "cut": b"\x30\x03\x30", "sequence": b"\x30\x00"}


@pytest.mark.parametrize("octets", MALFORMED.values(), ids=list(MALFORMED))
@pytest.mark.parametrize("how", ["get", "post"])
def test_rfc6960_2_3_malformed(ca: StatusLab, octets: bytes, how: str) -> None:
    assert read(getattr(ca, how)(octets)).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


# -- the openssl command


@pytest.fixture
def openssl(ca: StatusLab) -> Any:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("the openssl command is not installed")

    # The command compares an answer's times with its own clock.
    ca.clock.advance(datetime.now(UTC).replace(microsecond=0) - ca.clock.now())

    def ask(certificate: bytes, *options: str, serial: str = "") -> str:
        """What ``openssl ocsp`` makes of our answer to its own request."""
        issuer, root = ca.pem(ca.key().public_bytes(Encoding.DER)), ca.pem(ca.key("root").public_bytes(Encoding.DER))
        digest = [one for one in options if one == "-sha256"]
        options = tuple(one for one in options if one not in digest)
        request, answer = ca.directory / "request.der", ca.directory / "answer.der"
        which = ["-serial", serial] if serial else ["-cert", str(ca.pem(certificate))]
        base = [program, "ocsp", *digest, "-issuer", str(issuer), *which]
        subprocess.run([*base, *options, "-reqout", str(request)], check=True, capture_output=True, timeout=30)
        answer.write_bytes(ca.post(request.read_bytes()).body)
        done = subprocess.run(
            [
                *(*base, "-no_nonce", "-reqin", str(request), "-respin", str(answer)),
                *("-CAfile", str(root), "-verify_other", str(issuer)),
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout + done.stderr

    return ask


@pytest.mark.parametrize("options", [("-nonce",), ("-no_nonce",), ("-no_nonce", "-sha256")], ids=["nonce", "no-nonce", "sha256"])
def test_openssl_reads_good_revoked_and_unknown(ca: StatusLab, openssl: Any, options: tuple[str, ...]) -> None:
    good, bad = ca.issue(profile(), request_id="good"), ca.issue(profile(), request_id="bad")
    run(ca.revocation.revoke(bad.serial, RevocationReason.KEY_COMPROMISE, "operator", NOW))
    told = openssl(good.der, *options)
    assert "Response verify OK" in told, told
    assert ": good" in told
    told = openssl(bad.der, *options)
    assert "Response verify OK" in told, told
    assert ": revoked" in told
    assert "Reason: keyCompromise" in told
    told = openssl(b"", *options, serial="0x1234")
    assert "Response verify OK" in told, told
    assert "0x1234: unknown" in told
