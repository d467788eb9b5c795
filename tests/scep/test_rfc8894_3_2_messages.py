"""RFC 8894 sections 3.1, 3.2: what is wrong with a message is a CertRep FAILURE with the right failInfo, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

from privca.base.entropy import SystemEntropy
from privca.base.refused import Reason
from privca.issuance.options.scep import ScepOptions
from privca.issuance.profile import Revisioned
from privca.keys.software import SoftwareKeys
from privca.pkix import signatures
from privca.pkix.rfc5652 import content_encryption, enveloped_data, wrapping
from privca.scep.rfc8894 import failure
from privca.scep.rfc8894.attributes import FailInfo
from tests.support.cms import make_key
from tests.support.issuance_lab import run
from tests.support.scep_client import (
    DATA,
    ENVELOPED,
    MESSAGE_TYPE,
    PKCS_REQ,
    SENDER_NONCE,
    SIGNING_TIME,
    TRANSACTION_ID,
    Client,
    Reply,
    algorithm,
    attribute,
    children,
    content_info,
    encrypt,
    envelop,
    oid,
    printable,
    read_reply,
    request,
    sequence,
    split,
    tlv,
    transport,
)
from tests.support.scep_lab import CODE, ScepLab, rsa_key


def asked(client: Client, **options: object) -> bytes:
    """A right envelope."""
    return envelop(request(client.key, "device", challenge=CODE), client.recipient, client.cipher)


def refused(lab: ScepLab, profile: Revisioned, client: Client, message: bytes, fail_info: FailInfo) -> Reply:
    reply = lab.operate(profile, client, message)
    assert (reply.status, reply.fail_info) == ("2", str(int(fail_info))), reply.text
    assert run(lab.store.certificates(profile_id=profile.id)) == []
    return reply


def without(attributes: list[bytes], kind: str) -> list[bytes]:
    return [one for one in attributes if children(one)[0] != oid(kind)]


def test_3_2_1_4_every_reason_has_a_fail_info() -> None:
    assert set(failure.TABLE) == set(Reason)
    assert {failure.TABLE[reason] for reason in Reason} == set(FailInfo)


class TestSigned:
    """The outer layer: badMessageCheck and badAlg."""

    def test_3_2_1_4_a_signature_that_does_not_verify(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        envelope = asked(client)
        message = client.sign(client.attributes(PKCS_REQ, envelope), envelope, signature=bytes(256))
        refused(shared, profile, client, message, FailInfo.BAD_MESSAGE_CHECK)

    def test_3_2_1_4_another_content_than_was_signed(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        message = client.sign(client.attributes(PKCS_REQ, asked(client)), asked(client))
        refused(shared, profile, client, message, FailInfo.BAD_MESSAGE_CHECK)

    def test_3_2_attributes_are_signed(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        envelope = asked(client)
        attributes = client.attributes(PKCS_REQ, envelope)
        signed = client.sign(attributes, envelope)
        changed = signed.replace(attribute(MESSAGE_TYPE, printable("19")), attribute(MESSAGE_TYPE, printable("17")))
        assert changed != signed
        refused(shared, profile, client, changed, FailInfo.BAD_MESSAGE_CHECK)

    def test_2_3_the_signers_certificate_is_in_the_message(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile, certificates=())
        refused(shared, profile, client, client.wrap(PKCS_REQ, asked(client)), FailInfo.BAD_MESSAGE_CHECK)

    @pytest.mark.parametrize(("digest", "listed"), [("md5", "sha1"), ("sha1", "sha256")])
    def test_2_9_a_digest_that_the_profile_does_not_list(self, shared: ScepLab, digest: str, listed: str) -> None:
        profile = shared.profile(scep={"digests": (listed, "sha512")})
        client = shared.client(profile, digest=digest)
        reply = refused(shared, profile, client, client.wrap(PKCS_REQ, asked(client)), FailInfo.BAD_ALG)
        assert reply.digest in (listed, "sha512")

    @pytest.mark.parametrize(("cipher", "listed"), [("des", "3des"), ("3des", "aes128")])
    def test_2_9_a_cipher_that_the_profile_does_not_list(self, shared: ScepLab, cipher: str, listed: str) -> None:
        profile = shared.profile(scep={"ciphers": (listed,)})
        client = shared.client(profile, cipher=cipher)
        refused(shared, profile, client, client.wrap(PKCS_REQ, asked(client)), FailInfo.BAD_ALG)

    def test_2_9_md5_and_des_are_not_there_by_themselves(self, shared: ScepLab) -> None:

        assert "md5" not in ScepOptions().digests
        assert "des" not in ScepOptions().ciphers

    def test_3_2_another_content_type(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        envelope = asked(client)
        message = client.wrap(PKCS_REQ, envelope).replace(sequence(oid(DATA), tlv(0xA0, tlv(0x04, envelope))), b"")
        reply = shared.send(profile, message)
        assert reply.status == 400

    def test_3_2_two_signers(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        envelope = asked(client)
        whole = client.wrap(PKCS_REQ, envelope)
        parts = children(children(children(whole)[1])[0])
        info = children(parts[-1])[0]
        other = shared.client(profile, 1)
        second = children(children(children(children(other.wrap(PKCS_REQ, envelope))[1])[0])[-1])[0]
        both = content_info("1.2.840.113549.1.7.2", sequence(*parts[:-1], tlv(0x31, *sorted((info, second)))))
        assert shared.send(profile, both).status == 400


class TestTransactionAttributes:
    """Section 3.2.1."""

    def message(self, client: Client, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
        envelope = asked(client)
        return client.sign(change(client.attributes(PKCS_REQ, envelope)), envelope)

    @pytest.mark.parametrize("kind", ["0", "3", "18", "23", "x", "-19", "190"])
    def test_3_2_1_2_unknown_message_types(self, shared: ScepLab, kind: str) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        reply = refused(shared, profile, client, client.wrap(kind, asked(client)), FailInfo.BAD_REQUEST)
        assert "messageType" in (reply.text or "")

    def test_3_2_1_2_none(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        refused(shared, profile, client, self.message(client, lambda found: without(found, MESSAGE_TYPE)), FailInfo.BAD_REQUEST)

    @pytest.mark.parametrize(
        "value",
        [b"", tlv(0x13, b""), tlv(0x04, b"octets"), tlv(0x13, b"a\x00b"), tlv(0x13, b"x" * 256)],
        ids=["none", "empty", "octets", "control", "long"],
    )
    def test_3_2_1_1_without_a_transaction_there_is_nothing_to_answer(self, shared: ScepLab, value: bytes) -> None:
        profile = shared.profile()
        client = shared.client(profile)

        def change(found: list[bytes]) -> list[bytes]:
            return without(found, TRANSACTION_ID) + ([attribute(TRANSACTION_ID, value)] if value else [])

        assert shared.send(profile, self.message(client, change)).status == 400

    def test_3_2_1_1_the_id_comes_back_as_it_came(self, shared: ScepLab) -> None:
        """Some devices take another string type for it."""
        profile = shared.profile()
        client = shared.client(profile)

        def change(found: list[bytes]) -> list[bytes]:
            return [*without(found, TRANSACTION_ID), attribute(TRANSACTION_ID, tlv(0x0C, b"SSCEP transactionId"))]

        response = shared.send(profile, self.message(client, change))
        assert attribute(TRANSACTION_ID, tlv(0x0C, b"SSCEP transactionId")) in response.body

    @pytest.mark.parametrize(
        ("nonce", "tolerant", "right"),
        [(16, False, True), (8, True, True), (8, False, False), (3, True, False), (0, True, False)],
    )
    def test_3_2_1_5_nonces(self, shared: ScepLab, nonce: int, tolerant: bool, right: bool) -> None:
        profile = shared.profile(tolerant=tolerant)
        client = shared.client(profile, nonce=bytes(range(1, nonce + 1)))
        reply = read_reply(shared.send(profile, client.wrap(PKCS_REQ, asked(client))).body, client.recipient, client.key)
        assert (reply.status == "0") is right
        assert reply.recipient_nonce == (client.nonce or None)

    def test_3_2_1_an_attribute_that_occurs_twice(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        message = self.message(client, lambda found: [*found, attribute(SENDER_NONCE, tlv(0x04, bytes(16)))])
        assert shared.send(profile, message).status == 400

    @pytest.mark.parametrize(
        ("offset", "right"),
        [
            (timedelta(0), True),
            (timedelta(minutes=-50), True),
            (timedelta(hours=-2), False),
            (timedelta(hours=2), False),
            (None, False),
        ],
        ids=str,
    )
    def test_3_2_1_4_signing_time(self, shared: ScepLab, offset: timedelta | None, right: bool) -> None:
        profile = shared.profile(scep={"signing_time": "1h"})
        client = shared.client(profile)

        def change(found: list[bytes]) -> list[bytes]:
            if offset is None:
                return found
            return [*found, attribute(SIGNING_TIME, tlv(0x17, f"{shared.clock.now() + offset:%y%m%d%H%M%SZ}".encode()))]

        message = self.message(client, change)
        if right:
            assert shared.operate(profile, client, message).status == "0"
        else:
            refused(shared, profile, client, message, FailInfo.BAD_TIME)


def broken_envelopes(lab: ScepLab, profile: Revisioned, client: Client) -> dict[str, bytes]:
    """Envelopes that do not open, or do not hold a right request: everything that a decryption oracle is made of."""
    csr = request(client.key, "device", challenge=CODE)
    key, encrypted = encrypt(csr)
    right = transport(client.recipient, key)
    stranger = lab.client(profile, 3).certificate

    def enveloped(recipient: bytes, content: bytes = encrypted) -> bytes:
        return content_info(ENVELOPED, sequence(b"\x02\x01\x00", tlv(0x31, recipient), content))

    def content(octets: bytes) -> bytes:
        return enveloped(right, encrypt(octets, key=key)[1])

    last = bytes((encrypted[-1] ^ 0x80,))
    return {
        "for nobody here": enveloped(transport(stranger, key)),
        "padding of the key": enveloped(right[:-256] + b"\x00" + b"\x55" * 255),
        "another key": enveloped(transport(client.recipient, bytes(16))),
        "a short key": enveloped(transport(client.recipient, key[:8])),
        "a long key": enveloped(transport(client.recipient, key * 2)),
        "padding of the content": enveloped(right, encrypted[:-1] + last),
        "a flipped bit in the content": enveloped(right, encrypted[:-200] + bytes((encrypted[-200] ^ 1,)) + encrypted[-199:]),
        "no whole block": enveloped(right, children_cut(encrypted)),
        "no content": enveloped(right, sequence(*children(encrypted)[:2])),
        "no request": content(b"nothing of the kind"),
        "an empty request": content(b""),
        "a request with a wrong signature": content(csr[:-1] + bytes((csr[-1] ^ 1,))),
        "a request with more behind it": content(csr + b"\x00"),
        "half a request": content(csr[: len(csr) // 2]),
        "another content type": enveloped(right, encrypted.replace(oid(DATA), oid("1.2.840.113549.1.7.2"))),
        "no EnvelopedData": content_info("1.2.840.113549.1.7.6", sequence()),
        "no ContentInfo": b"nothing of the kind",
        "half an envelope": enveloped(right)[: len(enveloped(right)) // 2],
        "no recipients": content_info(ENVELOPED, sequence(b"\x02\x01\x00", tlv(0x31), encrypted)),
    }


def children_cut(encrypted: bytes) -> bytes:
    """An EncryptedContentInfo whose content is one octet short."""
    kind, way, content = children(encrypted)
    return sequence(kind, way, tlv(0x80, split(content)[1][:-1]))


class TestNoOracle:
    """The inner layers are one failure with one text, and cost the same."""

    def test_3_2_2_one_failure_for_everything(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile)
        said = set()
        for name, envelope in broken_envelopes(shared, profile, client).items():
            reply = shared.operate(profile, client, client.wrap(PKCS_REQ, envelope))
            assert reply.status == "2", name
            said.add((reply.fail_info, reply.text, shared.last.decision.clause, shared.last.decision.detail))
        assert len(said) == 1, said
        ((fail_info, text, _, _),) = said
        assert (fail_info, text) == ("2", "the pkcsPKIEnvelope cannot be opened and read (RFC 8894 section 3.2.2)")

    def test_3_2_2_each_failure_takes_the_same_steps(self, shared: ScepLab, monkeypatch: pytest.MonkeyPatch) -> None:
        """One use of the private key, one decryption, one verification of a request's signature, whatever is wrong."""

        profile = shared.profile()
        client = shared.client(profile)
        counted: list[str] = []

        def counting(place: object, name: str, label: str) -> None:
            real = getattr(place, name)

            def call(*arguments: object, **options: object) -> object:
                counted.append(label)
                return real(*arguments, **options)

            monkeypatch.setattr(place, name, call)

        envelopes = broken_envelopes(shared, profile, client)
        counting(SoftwareKeys, "decrypt", "key")
        counting(content_encryption, "decrypt_cbc", "content")
        counting(signatures, "verify", "signature")
        for name, envelope in envelopes.items():
            counted.clear()
            shared.operate(profile, client, client.wrap(PKCS_REQ, envelope))
            assert counted == ["key", "content", "signature"], name

    def test_3_2_2_nothing_is_opened_before_the_signature_holds(self, shared: ScepLab, monkeypatch: pytest.MonkeyPatch) -> None:

        profile = shared.profile()
        client = shared.client(profile)

        def never(*_: object) -> None:
            raise AssertionError("the private key was used")

        envelope = asked(client)
        message = client.sign(client.attributes(PKCS_REQ, envelope), envelope, signature=bytes(256))
        monkeypatch.setattr(SoftwareKeys, "decrypt", never)
        refused(shared, profile, client, message, FailInfo.BAD_MESSAGE_CHECK)

    def test_3_2_2_the_local_log_has_the_cause(self, shared: ScepLab) -> None:

        profile = shared.profile()
        client = shared.client(profile)
        with capture_logs() as logged:
            refused(shared, profile, client, client.message(PKCS_REQ, b"nothing"), FailInfo.BAD_REQUEST)
        assert any("CertificationRequest" in entry.get("cause", "") for entry in logged)


class TestOldSigners:
    """Section 2.3: what devices call a certificate."""

    @pytest.mark.parametrize(("tolerant", "status"), [(True, "0"), (False, "2")])
    def test_version_1(self, shared: ScepLab, tolerant: bool, status: str) -> None:
        """certmonger, valid for a hundred years."""
        key = rsa_key(0)
        name = sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0C, b"device"))))
        sha256_with_rsa = algorithm("1.2.840.113549.1.1.11")
        validity = sequence(tlv(0x17, b"260101000000Z"), tlv(0x18, b"21260101000000Z"))
        made = x509.load_der_x509_certificate(shared.client(shared.profile()).certificate)

        spki = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        tbs = sequence(b"\x02\x01\x07", sha256_with_rsa, name, validity, name, spki)
        signature = key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
        certificate = sequence(tbs, sha256_with_rsa, tlv(0x03, b"\x00", signature))
        profile = shared.profile(tolerant=tolerant)
        assert shared.enroll(profile, shared.client(profile, certificate=certificate)).status == status


class TestPasswordRecipients:
    """Section 3.1: clients whose key cannot decipher."""

    def envelope(self, lab: ScepLab, content: bytes, password: bytes, *, iterations: int = 1000) -> bytes:

        way = wrapping.password(password, SystemEntropy(), iterations=iterations)
        return enveloped_data.encrypt(content, [way], SystemEntropy())

    def profile(self, lab: ScepLab, **settings: object) -> Revisioned:
        return lab.profile(scep={"password_recipients": True, "password_reference": "lab"}, **settings)

    def test_3_1_the_code_is_the_password(self, shared: ScepLab) -> None:
        profile = self.profile(shared)
        client = shared.client(profile, key=make_key("P-256"))
        envelope = self.envelope(shared, request(client.key, "device", challenge=CODE), CODE.encode())
        reply = shared.operate(profile, client, client.wrap(PKCS_REQ, envelope), password=CODE.encode())
        assert reply.issued.public_key() == client.key.public_key()

    def test_3_1_a_passcode_is_found_by_the_transaction_id(self, shared: ScepLab) -> None:
        profile = self.profile(shared, authentication=("otp",))
        value = shared.passcode(profile, "device-4711").value
        client = shared.client(profile, key=make_key("P-256"), transaction_id="device-4711")
        envelope = self.envelope(shared, request(client.key, "device", challenge=value.decode()), value)
        reply = shared.operate(profile, client, client.wrap(PKCS_REQ, envelope), password=value)
        assert reply.status == "0"
        again = shared.client(profile, key=make_key("P-256"), transaction_id="device-4711")
        envelope = self.envelope(shared, request(again.key, "other", challenge=value.decode()), value)
        refused_again = shared.operate(profile, again, again.wrap(PKCS_REQ, envelope))
        assert (refused_again.status, refused_again.fail_info) == ("2", "2")

    @pytest.mark.parametrize("case", ["another password", "more iterations than are done", "nobody's transaction"])
    def test_3_1_what_does_not_open_is_the_same_failure(self, shared: ScepLab, case: str) -> None:
        profile = self.profile(shared)
        if case == "nobody's transaction":
            profile = shared.profile(scep={"password_recipients": True}, authentication=("otp",))
        client = shared.client(profile, key=make_key("P-256"))
        password = b"another one of these" if case == "another password" else CODE.encode()
        iterations = 30_000 if case.startswith("more") else 1000
        envelope = self.envelope(shared, request(client.key, "device", challenge=CODE), password, iterations=iterations)
        reply = refused(shared, profile, client, client.wrap(PKCS_REQ, envelope), FailInfo.BAD_REQUEST)
        assert reply.text == "the pkcsPKIEnvelope cannot be opened and read (RFC 8894 section 3.2.2)"

    def test_3_1_a_wrong_password_counts_against_the_passcode(self, shared: ScepLab) -> None:
        profile = self.profile(shared, authentication=("otp",))
        shared.passcode(profile, "device-5")
        client = shared.client(profile, key=make_key("P-256"), transaction_id="device-5")
        envelope = self.envelope(shared, request(client.key, "device", challenge="x"), b"a guess of somebody")
        refused(shared, profile, client, client.wrap(PKCS_REQ, envelope), FailInfo.BAD_REQUEST)
        (passcode,) = run(shared.store.passcodes(profile.id))
        assert passcode.failures == 1

    def test_3_1_not_without_the_switch(self, shared: ScepLab) -> None:
        profile = shared.profile(scep={"password_reference": "lab"})
        client = shared.client(profile, key=make_key("P-256"))
        envelope = self.envelope(shared, request(client.key, "device", challenge=CODE), CODE.encode())
        refused(shared, profile, client, client.wrap(PKCS_REQ, envelope), FailInfo.BAD_REQUEST)

    def test_3_1_an_ec_client_that_gets_no_answer_gets_no_certificate(self, shared: ScepLab) -> None:
        profile = shared.profile()
        client = shared.client(profile, key=make_key("P-256"))
        refused(shared, profile, client, client.wrap(PKCS_REQ, asked(client)), FailInfo.BAD_ALG)

    def test_3_1_an_ec_client_may_encrypt_for_our_rsa_key(self, shared: ScepLab) -> None:
        profile = self.profile(shared)
        client = shared.client(profile, key=make_key("P-256"))
        reply = shared.operate(profile, client, client.wrap(PKCS_REQ, asked(client)), password=CODE.encode())
        assert reply.status == "0"


@pytest.mark.parametrize(("tolerant", "content"), [(True, b""), (False, None)])
def test_3_2_a_failure_without_content_is_a_switch(shared: ScepLab, tolerant: bool, content: bytes | None) -> None:
    """certmonger verifies nothing in which there is no content at all."""
    profile = shared.profile(tolerant=tolerant)
    assert shared.enroll(profile, shared.client(profile), challenge="wrong").content == content


def test_ca_certificate_in_replies_is_a_switch(shared: ScepLab) -> None:
    """Cisco's VPN wants it, Juniper forbids it."""
    ca = run(shared.authorities.current("rsa")).generation.certificate
    for inside in (True, False):
        profile = shared.profile(scep={"ca_in_reply": inside})
        reply = shared.enroll(profile, shared.client(profile))
        assert (ca in reply.certificates) is inside
        assert (ca in reply.outer) is inside
        assert reply.certificates[0] != ca


def test_ber_is_read(shared: ScepLab, tmp_path: Path) -> None:
    """Indefinite lengths and octet strings in pieces, as old libraries stream them."""
    profile = shared.profile()
    client = shared.client(profile)
    message = client.wrap(PKCS_REQ, asked(client))
    parts = children(children(children(message)[1])[0])
    kind, content = children(parts[2])
    octets = split(children(content)[0])[1]
    pieces = b"\x24\x80" + b"".join(tlv(0x04, octets[at : at + 400]) for at in range(0, len(octets), 400)) + b"\x00\x00"
    encapsulated = b"\x30\x80" + kind + b"\xa0\x80" + pieces + b"\x00\x00" + b"\x00\x00"
    signed = b"\x30\x80" + parts[0] + parts[1] + encapsulated + parts[3] + parts[4] + b"\x00\x00"
    streamed = b"\x30\x80" + oid("1.2.840.113549.1.7.2") + b"\xa0\x80" + signed + b"\x00\x00" + b"\x00\x00"
    assert shared.operate(profile, client, streamed).status == "0"
