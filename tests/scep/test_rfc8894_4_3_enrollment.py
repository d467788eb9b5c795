"""RFC 8894 section 4.3, PKCSReq and RenewalReq: who may, what comes of it, and that it comes only once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from privca.enrollment.ports import Code
from privca.issuance.ports import RevocationReason
from tests.support.issuance_lab import run
from tests.support.scep_client import PKCS_REQ, RENEWAL_REQ, Client, envelop, request, self_signed, signed_with
from tests.support.scep_lab import CODE, ScepLab, rsa_key


def test_4_3_1_a_code_gets_a_certificate(shared: ScepLab) -> None:
    profile = shared.profile()
    client = shared.client(profile)
    reply = shared.enroll(profile, client, names=["device.example.test"])
    assert reply.status == "0"
    issued = reply.issued
    assert issued.public_key() == client.key.public_key()
    assert issued.subject == x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")])
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["device.example.test"]
    chain = run(shared.authorities.chains("rsa", 1))[0]
    assert shared.verify(reply.certificates[0], chain) == "OK"


@pytest.mark.parametrize("cipher", ["aes128", "aes192", "aes256", "3des", "des"])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_3_5_2_a_reply_follows_its_request(shared: ScepLab, digest: str, cipher: str) -> None:
    profile = shared.profile()
    reply = shared.enroll(profile, shared.client(profile, digest=digest, cipher=cipher))
    assert (reply.status, reply.digest, reply.cipher) == ("0", digest, cipher)


@pytest.mark.parametrize("digest", ["md5", "sha224", "sha384"])
def test_3_5_2_rarer_digests(shared: ScepLab, digest: str) -> None:
    profile = shared.profile()
    assert shared.enroll(profile, shared.client(profile, digest=digest)).digest == digest


@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_3_3_1_a_request_is_signed_with_what_the_profile_lists(shared: ScepLab, digest: str) -> None:
    profile, strict = shared.profile(), shared.profile(scep={"digests": ("sha256",)})
    for chosen, status in ((profile, "0"), (strict, "2")):
        client = shared.client(chosen)
        csr = signed_with(request(client.key, "device", challenge=CODE), client.key, digest)
        assert shared.operate(chosen, client, client.message(PKCS_REQ, csr)).status == status


def test_3_5_2_or_the_profile(shared: ScepLab) -> None:
    profile = shared.profile(scep={"reply_digest": "sha512", "reply_cipher": "aes256"})
    reply = shared.enroll(profile, shared.client(profile, digest="sha1", cipher="3des"))
    assert (reply.digest, reply.cipher) == ("sha512", "aes256")


@pytest.mark.parametrize("options", [{"oaep": True}, {"by_key": True}, {"oaep": True, "by_key": True}], ids=str)
def test_3_2_2_other_recipients(shared: ScepLab, options: dict[str, bool]) -> None:
    profile = shared.profile()
    client = shared.client(profile)
    message = client.message(PKCS_REQ, request(client.key, "device", challenge=CODE), **options)
    assert shared.operate(profile, client, message).status == "0"


@pytest.mark.parametrize("challenge", ["another code", None], ids=["wrong", "none"])
def test_2_4_without_the_right_challenge(shared: ScepLab, challenge: str | None) -> None:
    profile = shared.profile()
    before = len(run(shared.store.certificates(profile_id=profile.id)))
    reply = shared.enroll(profile, shared.client(profile), challenge=challenge)
    assert (reply.status, reply.fail_info) == ("2", "2")
    assert "no valid credential" in (reply.text or "")
    assert len(run(shared.store.certificates(profile_id=profile.id))) == before


def test_2_4_a_passcode_is_good_for_one_request(shared: ScepLab) -> None:
    profile = shared.profile(authentication=("otp",))
    passcode = shared.passcode(profile, "device").value.decode()
    client = shared.client(profile)
    first = request(client.key, "device", challenge=passcode)
    issued = shared.operate(profile, client, client.message(PKCS_REQ, first)).issued
    # Sent again, it is answered as it was.
    assert shared.operate(profile, client, client.message(PKCS_REQ, first)).issued == issued
    other = shared.client(profile, 1)
    reply = shared.enroll(profile, other, challenge=passcode, common_name="other")
    assert (reply.status, reply.fail_info) == ("2", "2")


class TestTransactions:
    """Section 3.2.1.1: what makes two messages one request."""

    def test_7_4_a_replay_gets_the_same_certificate(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        message = client.message(PKCS_REQ, request(client.key, "device", challenge=CODE))
        replies = [shared.operate(profile, client, message) for _ in range(3)]
        assert len({reply.certificates[0] for reply in replies}) == 1
        assert len({reply.sender_nonce for reply in replies}) == 3
        assert len(run(shared.store.certificates(profile_id=profile.id))) == 1

    def test_7_4_a_retry_with_another_nonce_and_signer_certificate_too(self, shared: ScepLab) -> None:
        profile = shared.profile()
        csr = request(rsa_key(0), "device", challenge=CODE)
        replies = [
            shared.operate(profile, client, client.message(PKCS_REQ, csr))
            for client in (shared.client(profile) for _ in range(2))
        ]
        assert len({reply.certificates[0] for reply in replies}) == 1

    def test_7_4_a_replay_is_answered_though_its_code_no_longer_counts(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        message = client.message(PKCS_REQ, request(client.key, "device", challenge=CODE))
        issued = shared.operate(profile, client, message).issued
        run(shared.store.save_code(Code(profile.id, "lab", b"another code by now", shared.clock.now(), version=1)))
        assert shared.operate(profile, client, message).issued == issued
        assert shared.enroll(profile, client, common_name="other").status == "2"

    def test_3_2_1_1_one_id_for_two_requests(self, shared: ScepLab) -> None:
        """sscep makes the ID of the key."""
        profile = shared.profile()
        client = shared.client(profile)
        first = shared.enroll(profile, client, common_name="first").issued
        second = shared.enroll(profile, client, common_name="second").issued
        assert first.serial_number != second.serial_number
        assert second.subject.rfc4514_string() == "CN=second"

    def test_3_2_1_1_the_id_of_another_client(self, shared: ScepLab) -> None:
        profile = shared.profile()
        ours = shared.client(profile, transaction_id="the same")
        theirs = shared.client(profile, 1, transaction_id="the same")
        first, second = shared.enroll(profile, ours).issued, shared.enroll(profile, theirs).issued
        assert first.public_key() != second.public_key()

    def test_profiles_are_apart(self, shared: ScepLab) -> None:
        csr = request(rsa_key(0), "device", challenge=CODE)
        serials = set()
        for profile in (shared.profile(), shared.profile()):
            client = shared.client(profile)
            serials.add(shared.operate(profile, client, client.message(PKCS_REQ, csr)).issued.serial_number)
        assert len(serials) == 2


class TestRenewal:
    """Section 2.5."""

    def enrolled(self, shared: ScepLab, **settings: object) -> tuple[object, Client]:
        profile = shared.profile(**settings)
        first = shared.client(profile)
        certificate = shared.enroll(profile, first, names=["device.example.test"]).certificates[0]
        return profile, Client(first.key, certificate, first.recipient)

    @pytest.mark.parametrize("kind", [RENEWAL_REQ, PKCS_REQ], ids=["RenewalReq", "PKCSReq"])
    def test_2_5_by_the_old_certificate_with_a_new_key(self, shared: ScepLab, kind: str) -> None:
        profile, client = self.enrolled(shared)
        reply = shared.enroll(profile, client, kind, key=rsa_key(1), names=["device.example.test"], challenge=None)
        assert reply.issued.public_key() == rsa_key(1).public_key()

    def test_2_5_with_the_same_key_and_request_is_a_new_certificate(self, shared: ScepLab) -> None:
        """scepclient keeps its PKCS #10, and so its transaction ID."""
        profile = shared.profile()
        first = shared.client(profile)
        csr = request(first.key, "device", challenge=CODE)
        certificate = shared.operate(profile, first, first.message(PKCS_REQ, csr)).certificates[0]
        again = Client(first.key, certificate, first.recipient)
        assert again.transaction_id == first.transaction_id
        renewed = shared.operate(profile, again, again.message(RENEWAL_REQ, csr)).issued
        assert renewed.serial_number != x509.load_der_x509_certificate(certificate).serial_number

    def test_2_5_without_names_keeps_those_of_the_certificate(self, shared: ScepLab) -> None:
        profile, client = self.enrolled(shared)
        issued = shared.enroll(profile, client, RENEWAL_REQ, challenge=None).issued
        names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["device.example.test"]

    def test_2_5_for_another_subject_is_refused(self, shared: ScepLab) -> None:
        profile, client = self.enrolled(shared)
        reply = shared.enroll(profile, client, RENEWAL_REQ, common_name="other", names=["device.example.test"], challenge=None)
        assert (reply.status, reply.fail_info) == ("2", "2")

    def test_2_5_outside_the_window_is_refused(self, shared: ScepLab) -> None:
        profile, client = self.enrolled(shared, renewal_window="1d")
        reply = shared.enroll(profile, client, RENEWAL_REQ, challenge=None, names=["device.example.test"])
        assert (reply.status, reply.fail_info) == ("2", "2")
        assert "renewal_window" in (reply.text or "")

    def test_2_5_by_a_revoked_certificate_is_refused(self, shared: ScepLab) -> None:
        profile, client = self.enrolled(shared)
        serial = x509.load_der_x509_certificate(client.certificate).serial_number.to_bytes(20, "big")
        run(shared.revocation.revoke(serial, RevocationReason.UNSPECIFIED, "test", shared.clock.now()))
        reply = shared.enroll(profile, client, RENEWAL_REQ, challenge=None, names=["device.example.test"])
        assert (reply.status, reply.fail_info) == ("2", "2")
        assert "revoked" in (reply.text or "")

    def test_2_5_by_an_expired_certificate_is_refused(self, tmp_path: Path) -> None:
        lab = ScepLab(tmp_path)
        profile, client = self.enrolled(lab)
        lab.clock.advance(timedelta(days=91))
        for kind in (RENEWAL_REQ, PKCS_REQ):
            reply = lab.enroll(profile, client, kind, challenge=None, names=["device.example.test"])
            assert (reply.status, reply.fail_info) == ("2", "2")
            assert "expired" in (reply.text or "")
        lab.store.close()

    def test_2_4_a_self_signed_certificate_renews_nothing(self, shared: ScepLab) -> None:
        profile = shared.profile()
        reply = shared.enroll(profile, shared.client(profile), RENEWAL_REQ)
        assert (reply.status, reply.fail_info) == ("2", "2")
        assert "self-signed" in (reply.text or "")

    def test_2_4_a_certificate_of_nobody_we_know(self, shared: ScepLab) -> None:
        """Its issuer has the name of our CA, and it the serial number of a certificate of ours; the key that signed it is another."""
        profile, client = self.enrolled(shared)
        ours = x509.load_der_x509_certificate(client.certificate)
        builder = x509.CertificateBuilder().issuer_name(ours.issuer).subject_name(ours.subject)
        builder = builder.public_key(rsa_key(2).public_key()).serial_number(ours.serial_number)
        builder = builder.not_valid_before(ours.not_valid_before_utc).not_valid_after(ours.not_valid_after_utc)
        forged = builder.sign(rsa_key(3), hashes.SHA256())
        thief = Client(rsa_key(2), forged.public_bytes(Encoding.DER), client.recipient)
        for kind in (RENEWAL_REQ, PKCS_REQ):
            reply = shared.enroll(profile, thief, kind, challenge=None, names=["device.example.test"])
            assert (reply.status, reply.fail_info) == ("2", "2")

    def test_profile_that_does_not_renew(self, shared: ScepLab) -> None:
        profile, client = self.enrolled(shared, authentication=("code",))
        reply = shared.enroll(profile, client, RENEWAL_REQ, challenge=None, names=["device.example.test"])
        assert (reply.status, reply.fail_info) == ("2", "2")


def test_2_3_a_challenge_vouches_for_the_key_that_signs(shared: ScepLab) -> None:
    """Who records a PKCSReq cannot send its envelope again under a key of his own, and have it answered to him."""
    profile = shared.profile()
    victim = shared.client(profile)
    envelope = envelop(request(victim.key, "device", challenge=CODE), victim.recipient)
    thief = shared.client(profile, 1)
    reply = shared.operate(profile, thief, thief.wrap(PKCS_REQ, envelope))
    assert (reply.status, reply.fail_info) == ("2", "2")
    assert run(shared.store.certificates(profile_id=profile.id)) == []


@pytest.mark.parametrize(("tolerant", "status"), [(True, "0"), (False, "2")])
def test_2_3_a_signer_of_another_subject(shared: ScepLab, tolerant: bool, status: str) -> None:
    profile = shared.profile(tolerant=tolerant)
    assert shared.enroll(profile, shared.client(profile, common_name="SCEP SIGNER")).status == status


@pytest.mark.parametrize(("tolerant", "status"), [(True, "0"), (False, "2")])
def test_2_3_a_signer_that_has_expired(shared: ScepLab, tolerant: bool, status: str) -> None:
    profile = shared.profile(tolerant=tolerant)
    old = self_signed(rsa_key(0), "device", shared.clock.now() - timedelta(days=400))
    assert shared.enroll(profile, shared.client(profile, certificate=old)).status == status


class TestVendor:
    """Section 2.3, third case: credentials of another CA."""

    def device(self, shared: ScepLab, key: Any, *, forged: bool = False) -> tuple[str, bytes]:
        """A vendor's CA in PEM, and a device certificate of it."""
        now = shared.clock.now()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vendor CA")])
        ca_key = rsa_key(3)
        builder = x509.CertificateBuilder(subject, subject, ca_key.public_key(), 1, now, now + timedelta(days=999))
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        key_identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
        for extension, critical in ((x509.BasicConstraints(True, None), True), (key_identifier, False), (usage, True)):
            builder = builder.add_extension(extension, critical)
        anchor = builder.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")])
        builder = x509.CertificateBuilder(subject, name, key.public_key(), 2, now, now + timedelta(days=99))
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        builder = builder.add_extension(issuer, False).add_extension(x509.BasicConstraints(False, None), True)
        return anchor, builder.sign(rsa_key(2) if forged else ca_key, hashes.SHA256()).public_bytes(Encoding.DER)

    @pytest.mark.parametrize("kind", [RENEWAL_REQ, PKCS_REQ], ids=["RenewalReq", "PKCSReq"])
    def test_2_3_a_vendors_certificate(self, shared: ScepLab, kind: str) -> None:
        anchor, certificate = self.device(shared, rsa_key(0))
        profile = shared.profile(vendor_anchors=(anchor,))
        client = shared.client(profile, certificate=certificate)
        issued = shared.enroll(profile, client, kind, key=rsa_key(1), challenge=None).issued
        assert issued.public_key() == rsa_key(1).public_key()
        other = shared.enroll(profile, client, kind, challenge=None, common_name="other")
        assert (other.status, other.fail_info) == ("2", "2")

    def test_2_3_a_forged_one(self, shared: ScepLab) -> None:
        anchor, certificate = self.device(shared, rsa_key(0), forged=True)
        profile = shared.profile(vendor_anchors=(anchor,))
        reply = shared.enroll(profile, shared.client(profile, certificate=certificate), RENEWAL_REQ, challenge=None)
        assert (reply.status, reply.fail_info) == ("2", "2")

    def test_2_3_one_that_proves_nothing_is_no_obstacle_to_a_challenge(self, shared: ScepLab) -> None:
        _, certificate = self.device(shared, rsa_key(0))
        profile = shared.profile()
        assert shared.enroll(profile, shared.client(profile, certificate=certificate)).status == "0"
