"""PKI Responses (RFC 5272 sections 4 and 6), and how they travel (RFC 7030 section 4.3, RFC 5273)."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from privca.base.refused import Reason, Refused
from privca.est.rfc5272 import failures
from privca.issuance.ports import RevocationReason
from tests.support import cmc_client as cmc
from tests.support.cmc_lab import CERTIFICATES, FULL, SECRET, CmcLab, Party, enrollment
from tests.support.issuance_lab import run


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    return CmcLab(tmp_path)


def asked(lab: CmcLab, party: Party, *controls: bytes) -> Any:
    return lab.post(cmc.signed(cmc.pki_data(controls), [party.signer]))


def issuer(party: Party) -> bytes:
    return x509.load_der_x509_certificate(party.der).issuer.public_bytes()


def serial(party: Party) -> bytes:
    return cmc.integer(int.from_bytes(party.record.serial, "big"))


def test_6_1_4_every_reason_has_a_fail_info() -> None:
    assert set(failures.FAILURES) == set(Reason)
    for reason in Reason:
        assert failures.fail_info(Refused(reason, "RFC 0 section 1", "refused")) is failures.FAILURES[reason]


def test_4_1_certificates_alone_are_a_simple_response(lab: CmcLab) -> None:
    key = cmc.new_key()
    reply = lab.post(enrollment(key))
    assert reply.http.header("content-type") == CERTIFICATES
    chain = [one.subject.rfc4514_string() for one in reply.cmc.certificates]
    # The intermediate CA leads to the trust anchor, which is not sent along.
    assert chain == ["CN=new.example.test", "O=Lab,CN=Lab Issuing"] or chain == ["CN=new.example.test", "CN=Lab Issuing,O=Lab"]


def test_4_2_whatever_is_said_beside_them_makes_a_full_one(lab: CmcLab) -> None:
    for body, (number, value) in enumerate(((5, cmc.integer(1)), (6, cmc.octets(b"n")), (4, cmc.octets(b"d"))), 10):
        key = cmc.new_key()
        reply = lab.post(enrollment(key, controls=[cmc.control(body, number, value)]))
        assert reply.http.header("content-type") == FULL
        assert reply.cmc.status_of(201).status == "success"
        assert reply.issued(key)


def test_4_2_a_full_response_is_signed_by_a_delegate_of_the_ca(lab: CmcLab) -> None:
    reply = lab.post(enrollment(cmc.new_key(), secret="wrong"))
    signer = reply.cmc.signer
    assert signer is not None
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in usage] == ["1.3.6.1.5.5.7.3.27"]  # RFC 6402 section 2.10: cmcCA
    (ca,) = [one for one in reply.cmc.certificates if one.subject == signer.issuer and one != signer]
    signer.verify_directly_issued_by(ca)


def test_6_6_transaction_and_nonces_are_returned(lab: CmcLab) -> None:
    controls = [cmc.control(50, 5, cmc.integer(1 << 80)), cmc.control(51, 6, cmc.octets(b"fresh"))]
    seen = set()
    for secret in (SECRET, SECRET, "wrong"):
        found = lab.post(enrollment(cmc.new_key(), secret=secret, controls=controls)).cmc.controls
        assert found[5] == [cmc.integer(1 << 80)]
        assert found[7] == [cmc.octets(b"fresh")]
        (nonce,) = found[6]
        assert len(nonce) == 18
        seen.add(nonce)
    assert len(seen) == 3
    # A refusal of the signature is told apart by its transaction, too.
    key = cmc.new_key()
    reply = lab.post(enrollment(key, controls=controls, signer=cmc.Signer(key, spoil="signature")))
    assert reply.cmc.controls[7] == [cmc.octets(b"fresh")]


def test_6_4_data_is_returned(lab: CmcLab) -> None:
    controls = [cmc.control(50, 4, cmc.octets(b"first")), cmc.control(51, 4, cmc.octets(b"second"))]
    assert lab.post(enrollment(cmc.new_key(), controls=controls)).cmc.controls[4] == [cmc.octets(b"first"), cmc.octets(b"second")]


def test_nothing_asked_is_answered_by_success(lab: CmcLab) -> None:
    reply = asked(lab, lab.certified())
    assert (reply.status, reply.cmc.status_of(0).status) == (200, "success")


def test_6_9_get_certificate(lab: CmcLab) -> None:
    party, other = lab.certified(), lab.certified()
    wanted = cmc.sequence(cmc.tlv(0xA4, issuer(other)), serial(other))
    reply = asked(lab, party, cmc.control(1, 15, wanted))
    assert not reply.cmc.full
    assert reply.issued(other.key)
    assert (
        asked(lab, party, cmc.control(1, 15, cmc.sequence(cmc.tlv(0xA4, issuer(other)), cmc.integer(5)))).failure(1)
        == "badCertId"
    )
    assert (
        asked(lab, party, cmc.control(1, 15, cmc.sequence(cmc.tlv(0xA4, cmc.name(CN="x")), serial(other)))).failure(1)
        == "badCertId"
    )
    assert lab.post(cmc.signed(cmc.pki_data([cmc.control(1, 15, wanted)]))).failure(0) == "badMessageCheck"


def test_6_10_get_crl(lab: CmcLab) -> None:
    party, gone = lab.certified(), lab.certified()
    run(lab.ca.revocation.revoke(gone.record.serial, RevocationReason.SUPERSEDED, "operator:test", lab.ca.clock.now()))
    reply = asked(lab, party, cmc.control(1, 16, cmc.sequence(issuer(party))))
    assert not reply.cmc.full
    (crl,) = [x509.load_der_x509_crl(one) for one in reply.cmc.crls]
    assert crl.get_revoked_certificate_by_serial_number(int.from_bytes(gone.record.serial, "big")) is not None
    assert asked(lab, party, cmc.control(1, 16, cmc.sequence(cmc.name(CN="x")))).failure(1) == "badCertId"
    qualified = asked(lab, party, cmc.control(1, 16, cmc.sequence(issuer(party), cmc.time(lab.ca.clock.now()))))
    assert qualified.cmc.status_of(1).status == "noSupport"


def test_6_14_confirm_certificate_acceptance(lab: CmcLab) -> None:
    party, other = lab.certified(), lab.certified(identity="code:somebody")
    reply = asked(lab, party, cmc.control(1, 24, cmc.sequence(issuer(party), serial(party))))
    assert reply.cmc.full
    assert reply.cmc.status_of(1).status == "success"
    assert asked(lab, party, cmc.control(1, 24, cmc.sequence(issuer(other), serial(other)))).failure(1) == "badRequest"
    assert asked(lab, party, cmc.control(1, 24, cmc.sequence(issuer(other), cmc.integer(9)))).failure(1) == "badCertId"


# RFC 7030 section 4.3


def test_rfc7030_4_3_1_what_is_no_pki_request_is_refused_with_a_cmc_response(lab: CmcLab) -> None:
    key = cmc.new_key()
    for message in (
        b"\x30\x00",
        b"\x04\x01x",
        cmc.csr(key),
        cmc.signed(cmc.pki_data(), [cmc.Signer(key)], content_type="1.2.840.113549.1.7.1"),
        cmc.signed(b"\x30\x00", [cmc.Signer(key)]),
        cmc.sequence(cmc.oid("1.2.840.113549.1.7.5"), cmc.tlv(0xA0, cmc.sequence())),
    ):
        reply = lab.post(message)
        assert (reply.status, reply.failure(0)) == (400, "badRequest")


@pytest.mark.parametrize("body", [b"", b"not base64!", b"AAA", b"\x30\x82\x01\x00"], ids=["empty", "words", "padding", "DER"])
def test_rfc7030_4_3_1_bad_base64(lab: CmcLab, body: bytes) -> None:
    reply = lab.post(b"", body=body)
    assert reply.status == 400
    assert b"RFC" in reply.http.body


@pytest.mark.parametrize(
    ("content_type", "tolerant", "strict"),
    [
        ("application/pkcs7-mime; smime-type=CMC-request", 200, 200),
        ('application/pkcs7-mime; name="smime.p7m"; smime-type="CMC-Request"', 200, 200),  # RFC 5273 erratum 3593
        ("application/pkcs7-mime", 200, 415),
        ("", 200, 415),
        ("application/pkcs7-mime; smime-type=certs-only", 415, 415),
        ("application/pkcs10", 415, 415),
        ("application/cms", 415, 415),
    ],
)
def test_rfc7030_4_3_1_media_type(lab: CmcLab, content_type: str, tolerant: int, strict: int) -> None:
    assert lab.post(enrollment(cmc.new_key()), content_type=content_type).status == tolerant
    lab.set(tolerant=False)
    assert lab.post(enrollment(cmc.new_key()), content_type=content_type).status == strict


def test_rfc7030_4_3_2_the_body_is_base64_in_lines(lab: CmcLab) -> None:
    reply = lab.post(enrollment(cmc.new_key(), controls=[cmc.control(50, 6, cmc.octets(b"n"))]))
    lines = reply.http.body.split(b"\n")
    assert lines[-1] == b""
    assert max(map(len, lines)) <= 76
    assert base64.b64decode(reply.http.body)[0] == 0x30
    assert reply.http.header("content-transfer-encoding") == "base64"
    lab.set(est={"content_transfer_encoding": False})
    assert lab.post(enrollment(cmc.new_key())).http.header("content-transfer-encoding") is None


def test_rfc7030_4_3_a_profile_need_not_serve_it(lab: CmcLab) -> None:
    lab.set(est={"fullcmc": False})
    reply = lab.post(enrollment(cmc.new_key()))
    assert (reply.status, lab.count()) == (404, 0)


def test_rfc5273_4_only_post(lab: CmcLab) -> None:
    reply = lab.post(enrollment(cmc.new_key()), method="GET")
    assert (reply.status, reply.http.header("allow")) == (405, "POST")


def test_what_is_decided_is_written_down_without_a_secret(lab: CmcLab) -> None:
    reply = lab.post(enrollment(cmc.new_key(), secret="wrong secret of the client"))
    assert (reply.exchange.decision.outcome, reply.exchange.decision.clause) == ("refused", "RFC 5272 section 6.2.1")
    assert "wrong secret" not in repr(reply.exchange.decision)


# Read by somebody else


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there")
def test_a_full_response_verifies_with_openssl(lab: CmcLab, tmp_path: Path) -> None:
    reply = lab.post(enrollment(cmc.new_key(), controls=[cmc.control(50, 6, cmc.octets(b"n"))]))
    (root,) = run(lab.ca.authorities.generations("root"))
    (tmp_path / "ca.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "response.der").write_bytes(base64.b64decode(reply.http.body))
    at = str(int(lab.ca.clock.now().timestamp()))
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-binary", "-in", tmp_path / "response.der", "-purpose", "any"]
    done = subprocess.run([*command, "-CAfile", tmp_path / "ca.pem", "-attime", at], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert cmc.decoder.decode(done.stdout, asn1Spec=cmc.rfc6402.PKIResponse())[1] == b""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there")
@pytest.mark.parametrize("stream", [False, True], ids=["DER", "BER"])
def test_a_message_that_openssl_signed(lab: CmcLab, tmp_path: Path, stream: bool) -> None:
    """With the certificate that is renewed, as its own CMS command signs a PKIData."""
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    (tmp_path / "data.der").write_bytes(cmc.pki_data([], [request]))
    (tmp_path / "key.pem").write_bytes(party.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "cert.pem").write_bytes(x509.load_der_x509_certificate(party.der).public_bytes(Encoding.PEM))
    command = ["openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-econtent_type", "1.3.6.1.5.5.7.12.2"]
    files = ["-in", tmp_path / "data.der", "-signer", tmp_path / "cert.pem", "-inkey", tmp_path / "key.pem"]
    done = subprocess.run([*command, *files, *(["-stream"] if stream else [])], capture_output=True, timeout=60, check=True)
    assert lab.post(done.stdout).issued(key)


def test_3_1_usages_are_not_turned_into_their_opposite(lab: CmcLab) -> None:
    agreement = x509.KeyUsage(False, False, False, False, True, False, False, False, False)
    signing = x509.KeyUsage(True, False, False, False, True, False, False, False, False)
    serving = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
    both = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    ra = lab.registration()
    for value, failure in ((agreement, "unsupportedExt"), (serving, "unsupportedExt"), (signing, ""), (both, "")):
        key = cmc.new_key()
        request = cmc.tcr(1, cmc.csr(key, names=["a.example.test"], more=[cmc.extension(value)]))
        reply = lab.post(cmc.signed(cmc.pki_data([], [request]), [ra.signer]))
        if failure:
            assert reply.failure(1) == failure
        else:
            assert reply.issued(key)
