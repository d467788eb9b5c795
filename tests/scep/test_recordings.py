"""Every recorded PKIOperation goes through the whole service, whose CA has the key that the clients of that day encrypted to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from msgspec.structs import replace

import vectors
from privca.base.http import Response
from privca.enrollment.ports import Code
from privca.issuance.ports import Certificate, CertificateStatus, Generation, GenerationRole
from privca.issuance.profile import CertificateAuthority, Revisioned
from privca.keys.files import write_private
from privca.pkix.rfc5280.identifiers import subject_key_identifier
from privca.pkix.rfc5280.names import names_of
from tests.support.issuance_lab import run
from tests.support.scep_client import certificates_of, read_reply
from tests.support.scep_lab import ScepLab

RECORDED_AT = datetime(2026, 11, 23, 10, 40, tzinfo=UTC)
RECORDED = [vector for vector in vectors.requests("scep") if vector.origin["type"] == "recorded"]
OPERATIONS = [vector for vector in RECORDED if "message_type" in vector.expected]
INQUIRIES = [vector for vector in RECORDED if "message_type" not in vector.expected]
KEYS = {"sscep": "scep-client-sscep.key", "scepclient": "scep-client-scepclient.key", "strongswan": "scep-client-strongswan.key"}


class RecordedLab(ScepLab):
    """The lab whose CA has the recorded key, name and serial number. (Its own certificate lacks key identifiers that ours have.)"""

    def make(self) -> RecordedLab:
        key = load_pem_private_key(vectors.file("scep-ca.key").read_bytes(), None)
        recorded = x509.load_pem_x509_certificate(vectors.file("scep-ca.pem").read_bytes())
        write_private(self.directory / "keys" / "recorded.pem", vectors.file("scep-ca.key").read_bytes())
        ski = subject_key_identifier(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        aki = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski)
        usage = x509.KeyUsage(True, False, True, False, False, True, True, False, False)
        builder = x509.CertificateBuilder(
            recorded.subject,
            recorded.subject,
            key.public_key(),
            recorded.serial_number,
            RECORDED_AT,
            RECORDED_AT + timedelta(days=3650),
        )
        for extension, critical in ((x509.BasicConstraints(True, None), True), (usage, True), (ski, False), (aki, False)):
            builder = builder.add_extension(extension, critical)
        self.ca = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
        generation = Generation("rsa", 1, GenerationRole.CURRENT, "recorded", self.ca, None, None, RECORDED_AT)
        run(self.store.save_generations([generation]))
        self.clock.advance(RECORDED_AT + timedelta(hours=1) - self.clock.now())
        return self

    def knows(self, profile: Revisioned, octets: bytes) -> None:
        """Have issued a certificate."""
        read = x509.load_der_x509_certificate(octets)
        names = ()
        for extension in read.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                names = names_of(extension.value)
        spki = read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        record = Certificate(
            serial=read.serial_number.to_bytes(20, "big"),
            authority="rsa",
            generation=1,
            profile_id=profile.id,
            profile_revision=1,
            protocol="scep",
            request_id=hashlib.sha256(octets).hexdigest(),
            identity="code:lab",
            subject=read.subject.rfc4514_string(),
            names=names,
            spki_sha256=hashlib.sha256(spki).digest(),
            not_before=read.not_valid_before_utc,
            not_after=read.not_valid_after_utc,
            tbs=read.tbs_certificate_bytes,
            der=None,
            status=CertificateStatus.PREPARED,
            recorded=self.clock.now(),
        )
        run(self.store.add_certificate(record))
        run(self.store.update_certificate(replace(record, der=octets, status=CertificateStatus.ISSUED, version=1)))


@pytest.fixture
def recorded(tmp_path) -> Iterator[RecordedLab]:
    lab = RecordedLab(tmp_path, {"rsa": CertificateAuthority(subject={"CN": "recorded"}, key="RSA-2048", key_encipherment=True)})
    yield lab
    lab.store.close()


def sent(lab: RecordedLab, profile: Revisioned, vector: vectors.Vector) -> Response:
    message = vectors.http.parse(vector.octets)
    headers = {name.lower(): value for name, value in message.fields}
    query = message.target.partition("?")[2]
    return lab.send(profile, message.body, method=message.method, query=query, headers=headers)


@pytest.mark.parametrize("vector", OPERATIONS, ids=lambda vector: vector.id)
def test_a_recorded_message_is_answered(recorded: RecordedLab, vector: vectors.Vector) -> None:
    profile = recorded.profile(renewal_window="20y", rename=True)
    run(recorded.store.save_code(Code(profile.id, "lab", b"secret", recorded.clock.now(), version=1)))
    expected = vector.expected
    signer = certificates_of(vectors.http.scep_message(vectors.http.parse(vector.octets)))[0]
    if expected["verified"]["signer"] == "CA-issued":
        recorded.knows(profile, signer)
    response = sent(recorded, profile, vector)
    client = vector.id.split(".")[1]
    key = load_pem_private_key(vectors.file(KEYS[client]).read_bytes(), None) if client in KEYS else None
    if key is None or key.public_key() != x509.load_der_x509_certificate(signer).public_key():
        # The client's key was not kept: what everybody can read is right.
        assert response.status == 200
        assert recorded.last.decision.facts["pkiStatus"] == "SUCCESS"
        return
    reply = read_reply(response.body, recorded.ca, key)
    assert reply.transaction_id == expected["transaction_id"]
    assert reply.recipient_nonce == bytes.fromhex(expected["sender_nonce"])
    assert reply.digest == expected["verified"]["digest"]
    if expected["message_type"] == "21":
        # The certificate that was asked for was not kept.
        assert (reply.status, reply.fail_info) == ("2", "4")
        return
    assert reply.status == "0", (reply.fail_info, reply.text)
    assert reply.cipher == {"tripledes_3key": "3des"}.get(
        expected["verified"]["cipher"], expected["verified"]["cipher"].removesuffix("_cbc")
    )
    if expected["message_type"] == "22":
        assert len(reply.crls) == 1
    else:
        subject = reply.issued.subject.rfc4514_string()
        assert sorted(part for part in subject.split(",")) == sorted(expected["csr_subject"].split(","))


@pytest.mark.parametrize("vector", INQUIRIES, ids=lambda vector: vector.id)
def test_a_recorded_inquiry_is_answered(recorded: RecordedLab, vector: vectors.Vector) -> None:
    response = sent(recorded, recorded.profile(), vector)
    # No rollover is near in this lab.
    assert response.status == (404 if vector.origin["operation"] == "GetNextCACert" else 200)
