"""What a client fetched is looked at, not only that it is there."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from interop.evidence.files import KINDS, look


def write(tmp_path, octets):
    path = tmp_path / "fetched"
    path.write_bytes(octets)
    return path


def test_nothing_was_left(ca):
    assert not look("text", "caps.text", None, ca.anchors, None).ok


def test_ca_certificates(ca, make_ca, tmp_path):
    ours, other = (one.certificate.public_bytes(serialization.Encoding.PEM) for one in (ca, make_ca("other")))
    assert look("ca-certificates", "x", write(tmp_path, ours), ca.anchors, None).ok
    assert not look("ca-certificates", "x", write(tmp_path, ours + other), ca.anchors, None).ok
    assert not look("ca-certificates", "x", write(tmp_path, b"noise"), ca.anchors, None).ok


@pytest.mark.parametrize(
    ("octets", "ok"),
    [
        (bytes.fromhex("300b06092a864886f70d010907"), True),  # SEQUENCE { OID challengePassword }
        (bytes.fromhex("3000"), True),
        (bytes.fromhex("3003020101"), False),  # an INTEGER in it
        (bytes.fromhex("0500"), False),
        (bytes.fromhex("30000500"), False),  # trailing octets
        (b"", False),
    ],
)
def test_csr_attributes(ca, tmp_path, octets, ok):
    assert look("csr-attributes", "x", write(tmp_path, octets), ca.anchors, None).ok is ok


def crl(ca, *, life=datetime.timedelta(days=1), signer=None):
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.name).last_update(ca.now - datetime.timedelta(days=2))
    return builder.next_update(ca.now + life).sign(signer or ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_crl(ca, make_ca, tmp_path):
    assert look("crl", "x", write(tmp_path, crl(ca)), ca.anchors, None).ok
    assert not look("crl", "x", write(tmp_path, crl(ca, life=datetime.timedelta(days=-1))), ca.anchors, None).ok
    assert not look("crl", "x", write(tmp_path, crl(ca, signer=make_ca("other").key)), ca.anchors, None).ok


def test_the_same_certificate(ca, tmp_path):
    held, other = ca.held("a.test"), ca.held("a.test", label="other")
    assert look("same-certificate", "x", write(tmp_path, held.certificate.read_bytes()), ca.anchors, held).ok
    assert not look("same-certificate", "x", write(tmp_path, other.certificate.read_bytes()), ca.anchors, held).ok
    assert not look("same-certificate", "x", write(tmp_path, other.certificate.read_bytes()), ca.anchors, None).ok


def test_text_and_template(ca, tmp_path):
    assert look("text", "x", write(tmp_path, b"AES\nSHA-256\n"), ca.anchors, None).detail == "AES, SHA-256"
    assert not look("text", "x", write(tmp_path, b"\n"), ca.anchors, None).ok
    assert look("template", "x", write(tmp_path, bytes.fromhex("3000")), ca.anchors, None).ok
    assert not look("template", "x", write(tmp_path, b"noise"), ca.anchors, None).ok


def test_every_kind_that_a_scenario_names_is_known():
    from interop.scenarios import SCENARIOS

    assert {kind for scenario in SCENARIOS.values() for kind in scenario.holds.values()} <= set(KINDS)
