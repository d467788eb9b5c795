"""Proof of possession of keys that decrypt, and keys that are generated (RFC 9810 section 5.2.8, RFC 9483 section 4.1.6)."""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from privca.issuance.ports import CertificateStatus
from tests.support import cmp
from tests.support.cms_opening import opened
from tests.support.issuance_lab import run

SIGNING = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
ENCR_CERT = {"keyEncipherment": b"\xa2\x03\x81\x01\x00", "keyAgreement": b"\xa3\x03\x81\x01\x00"}
CHALLENGE = {"keyEncipherment": b"\xa2\x03\x81\x01\x01", "keyAgreement": b"\xa3\x03\x81\x01\x01"}
KEYS = {
    "RSA": (RSA_KEY, "keyEncipherment"),
    "P-256": (SIGNING, "keyAgreement"),
    "X25519": (x25519.X25519PrivateKey.generate(), "keyAgreement"),
    "ML-KEM-768": (mlkem.MLKEM768PrivateKey.generate(), "keyEncipherment"),
    "ML-KEM-1024": (mlkem.MLKEM1024PrivateKey.generate(), "keyEncipherment"),
}


def rid(enveloped):
    """Issuer and serial number of the one recipient."""
    info = cmp.Node(enveloped)[1][0]
    if info.tag == 0xA1:
        return info.inside[-1][0][0]
    return info[1][1] if info.tag == 0xA4 else info[1]


def asked(lab, kind, proof, pvno=3, **request):
    key, use = KEYS[kind]
    client = lab.client(pvno=pvno)
    return client, key, client.enroll(cmp.Request(key, proof=proof[use], **request))


@pytest.mark.parametrize("kind", KEYS)
def test_section_5_2_8_3_2_an_encrypted_certificate_is_confirmed_by_who_can_open_it(lab, kind):
    client, key, answer = asked(lab, kind, ENCR_CERT)
    assert answer.status()[0] == 0, answer.status()
    pair = answer.responses[0][2]
    assert pair[0].tag == 0xA1
    enveloped = pair[0][0].raw
    certificate = x509.load_der_x509_certificate(opened(lab, key, enveloped))
    assert certificate.public_key() == key.public_key()
    assert rid(b"\x30" + enveloped[1:])[1].number == certificate.serial_number
    assert lab.transaction(client) is not None
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    assert lab.status(certificate) is CertificateStatus.ISSUED


def test_section_5_2_8_3_2_a_client_that_cannot_open_it_cannot_confirm_it(lab):
    client, _, answer = asked(lab, "RSA", ENCR_CERT)
    assert answer.status()[0] == 0
    guess = cmp.seq(cmp.octets(bytes(32)), cmp.integer(0))
    assert client.confirm(guess).status()[1] == "badCertId"
    lab.advance(minutes=11)
    lab.resume()
    (record,) = lab.certificates()
    assert record.status is CertificateStatus.REVOKED


def test_section_5_2_8_3_2_implicit_confirmation_proves_nothing(lab):
    key, use = KEYS["RSA"]
    information = (cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.13"), cmp.NULL),)
    answer = lab.client(pvno=3).enroll(cmp.Request(key, proof=ENCR_CERT[use]), information=information)
    assert answer.information("1.3.6.1.5.5.7.4.13") is None
    assert answer.information("1.3.6.1.5.5.7.4.14") is not None


def test_rfc4211_2_1_version_2_gets_an_encryptedvalue(lab):
    client, key, answer = asked(lab, "RSA", ENCR_CERT, pvno=2)
    value = answer.responses[0][2][0][0]
    assert value.tag == 0x30
    parts = {part.tag: part for part in value.inside}
    cek = key.decrypt(parts[0x82].content[1:], padding.PKCS1v15())
    iv = parts[0xA1][1].content
    decryptor = Cipher(algorithms.AES(cek), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    plain = unpadder.update(decryptor.update(parts[3].content[1:]) + decryptor.finalize()) + unpadder.finalize()
    certificate = x509.load_der_x509_certificate(plain)
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF


def numbers(lab, key, answer, pvno=3):
    found = []
    for challenge in answer.content.inside:
        parts = challenge.inside
        if parts[0].tag == 0x30:
            assert parts.pop(0)[0].raw == cmp.oid("2.16.840.1.101.3.4.2.1")
        witness = parts[0].content
        if pvno == 3:
            assert parts[1].content == b""
            enveloped = parts[2][0].raw
            assert rid(enveloped)[0].raw == b"\x30\x00"
            rand = cmp.Node(opened(lab, key, enveloped))
        else:
            rand = cmp.Node(key.decrypt(parts[1].content, padding.PKCS1v15()))
        digest = hashes.Hash(hashes.SHA256())
        digest.update(rand[0].content)
        assert digest.finalize() == witness
        found.append(rand[0].number)
    return found


@pytest.mark.parametrize("kind", KEYS)
def test_section_5_2_8_3_3_a_challenge_is_answered_before_anything_is_issued(lab, kind):
    client, key, answer = asked(lab, kind, CHALLENGE)
    assert answer.kind == cmp.POPDECC
    assert lab.certificates() == []
    answer = client.call(cmp.POPDECR, cmp.seq(*map(cmp.integer, numbers(lab, key, answer))))
    assert (answer.kind, answer.status()[:2]) == (cmp.IP, (0, ""))
    certificate = answer.certificate()
    assert certificate.public_key() == key.public_key()
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    assert lab.status(certificate) is CertificateStatus.ISSUED


def test_section_5_2_8_3_3_version_2_has_the_challenge_in_place(lab):
    client, key, answer = asked(lab, "RSA", CHALLENGE, pvno=2)
    answer = client.call(cmp.POPDECR, cmp.seq(*map(cmp.integer, numbers(lab, key, answer, pvno=2))))
    assert answer.status()[0] == 0


@pytest.mark.parametrize("wrong", ["another number", "none", "one more", "too large", "negative"])
def test_section_5_2_8_3_3_a_wrong_answer_ends_it(lab, wrong):
    client, key, answer = asked(lab, "RSA", CHALLENGE)
    (number,) = numbers(lab, key, answer)
    said = {
        "another number": [number ^ 1],
        "none": [],
        "one more": [number, number],
        "too large": [number + (1 << 128)],
        "negative": [-number - 1],
    }[wrong]
    refused = client.call(cmp.POPDECR, cmp.seq(*map(cmp.integer, said)))
    assert (refused.kind, refused.status()[:2]) == (cmp.IP, (2, "badPOP"))
    assert lab.certificates() == []
    again = client.call(cmp.POPDECR, cmp.seq(cmp.integer(number)))
    assert (again.kind, again.status()[1]) == (cmp.ERROR, "badRequest")
    assert lab.certificates() == []


def test_section_5_2_8_3_3_an_answer_is_taken_once(lab):
    client, key, answer = asked(lab, "RSA", CHALLENGE)
    said = cmp.seq(*map(cmp.integer, numbers(lab, key, answer)))
    assert client.call(cmp.POPDECR, said).status()[0] == 0
    assert client.call(cmp.POPDECR, said).status()[1] == "badRequest"
    assert len(lab.certificates()) == 1


def test_a_message_with_challenges_and_signatures_is_answered_as_a_whole(lab):
    client = lab.client(pvno=3)
    first = cmp.Request(RSA_KEY, "a", id=0, proof=CHALLENGE["keyEncipherment"])
    answer = client.enroll(first, cmp.Request(SIGNING, "b", id=1))
    assert answer.kind == cmp.POPDECC
    answer = client.call(cmp.POPDECR, cmp.seq(*map(cmp.integer, numbers(lab, RSA_KEY, answer))))
    assert [answer.status(number)[0] for number in range(2)] == [0, 0]


REFUSED = {
    "raVerified by a device": (cmp.Request(SIGNING, proof=b"\x80\x00"), "badPOP"),
    "no proof": (cmp.Request(SIGNING, proof=None), "badPOP"),
    "no proof and no key": (cmp.Request(None, proof=None), "badPOP"),
    "encrCert for a key that signs": (cmp.Request(ed25519.Ed25519PrivateKey.generate(), proof=b"\xa2\x03\x81\x01\x00"), "badPOP"),
    "thisMessage": (cmp.Request(RSA_KEY, proof=b"\xa2\x04\x80\x02\x00\x00"), "badPOP"),
    "dhMAC": (cmp.Request(SIGNING, proof=b"\xa3\x04\x82\x02\x00\x00"), "badPOP"),
    "agreeMAC": (cmp.Request(SIGNING, proof=b"\xa3\x02\xa3\x00"), "badPOP"),
    "signature by another key": (cmp.Request(SIGNING, signer=ec.generate_private_key(ec.SECP256R1())), "badPOP"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_section_5_2_8_a_proof_that_proves_nothing_is_refused(lab, case):
    request, failure = REFUSED[case]
    answer = lab.client(pvno=3).enroll(request)
    assert (answer.kind, answer.status()[:2]) == (cmp.IP, (2, failure))
    assert lab.certificates() == []


def test_section_5_2_8_1_an_ra_vouches(lab):
    answer = lab.client(lab.ra()).enroll(cmp.Request(SIGNING, "device-7", proof=b"\x80\x00"), body=cmp.CR)
    assert answer.status()[0] == 0
    assert answer.certificate().subject.rfc4514_string() == "CN=device-7"


def openssl(directory, *arguments, stdin=b""):
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, cwd=directory, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def generated(lab, client, answer, *how):
    """The private key of an answer."""
    return delivered(lab, answer.responses[0][2], *how)


def delivered(lab, pair, *how):
    """The private key of a CertifiedKeyPair, opened by ``openssl cms``, its signature verified up to the root."""
    enveloped = pair.tagged(0) if len(pair.inside) == 1 else pair[1]
    raw = b"\x30" + enveloped[0].raw[1:]
    directory = lab.ca.directory
    (directory / "enveloped.der").write_bytes(cmp.seq(cmp.oid("1.2.840.113549.1.7.3"), cmp.tlv(0xA0, raw)))
    signed = openssl(directory, "cms", "-decrypt", "-inform", "DER", "-in", "enveloped.der", "-binary", *how)
    (directory / "signed.der").write_bytes(cmp.seq(cmp.oid("1.2.840.113549.1.7.2"), cmp.tlv(0xA0, signed)))
    root = run(lab.ca.authorities.current("root")).certificate
    (directory / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    at = str(int(lab.clock.now().timestamp()))
    package = openssl(
        directory, "cms", "-verify", "-inform", "DER", "-in", "signed.der", "-binary", "-CAfile", "root.pem", "-purpose", "any",
        "-attime", at, "-signer", "kga.pem",
    )  # fmt: skip
    kga = x509.load_pem_x509_certificate((directory / "kga.pem").read_bytes())
    purposes = kga.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.ObjectIdentifier("1.3.6.1.5.5.7.3.32") in purposes
    one = cmp.Node(package)[0]
    assert one[0].number == 1
    assert one.inside[-1].tag == 0x81
    return load_der_private_key(cmp.seq(cmp.integer(0), one[1].raw, one[2].raw), None)


CENTRAL = {"central_key_generation": True}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(None, id="any"),
        pytest.param(RSA_KEY, id="RSA"),
        pytest.param(ec.generate_private_key(ec.SECP384R1()), id="P-384"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), id="Ed25519"),
    ],
)
def test_rfc9483_4_1_6_3_a_generated_key_under_the_shared_secret(lab, kind):
    lab.options(**CENTRAL)
    client = lab.client(pvno=3)
    request = cmp.Request(None, proof=None)
    if kind is not None:
        algorithm = cmp.Node(kind.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))[0].raw
        request.more[6] = cmp.tlv(0xA6, algorithm, cmp.bits(b""))
    answer = client.enroll(request)
    assert answer.status()[0] == 0, answer.status()
    key = generated(lab, client, answer, "-pwri_password", "secret")
    assert key.public_key() == answer.certificate().public_key()
    if kind is not None:
        assert type(key.public_key()) is type(kind.public_key())
    assert client.confirm(cmp.cert_status(answer.certificate())).kind == cmp.PKICONF


@pytest.mark.parametrize("kind", ["RSA", "P-256"])
def test_rfc9483_4_1_6_1_a_generated_key_for_the_certificate_of_the_signer(lab, kind):
    lab.options(**CENTRAL)
    signer_key, _ = KEYS[kind]
    signer = lab.device(signer_key)
    answer = lab.client(signer, pvno=3).enroll(cmp.Request(None, proof=None), body=cmp.CR)
    assert answer.status()[0] == 0, answer.status()
    directory = lab.ca.directory
    (directory / "k.pem").write_bytes(signer_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (directory / "c.pem").write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    key = generated(lab, None, answer, "-inkey", "k.pem", "-recip", "c.pem")
    assert key.public_key() == answer.certificate().public_key()


def test_rfc9483_4_1_6_the_generated_key_is_nowhere_else(lab):
    lab.options(**CENTRAL)
    answer = lab.client(pvno=3).enroll(cmp.Request(None, proof=None))
    key = generated(lab, None, answer, "-pwri_password", "secret")
    secret = key.private_numbers().private_value.to_bytes(32, "big")
    lab.store._database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert secret not in (lab.ca.directory / "privca.db").read_bytes()


def test_rfc9483_4_1_6_every_request_has_a_key_of_its_own(lab):
    lab.options(**CENTRAL)
    message = lab.client(pvno=3).message(cmp.IR, cmp.seq(cmp.Request(None, proof=None).encode())).encode()
    first = cmp.Reply(lab.send(message))
    assert cmp.Reply(lab.send(message)).status()[1] == "transactionIdInUse"
    assert first.status()[0] == 0


def test_rfc9483_4_1_6_version_2_cannot_carry_it(lab):
    lab.options(**CENTRAL, tolerant=False)
    answer = lab.client().enroll(cmp.Request(None, proof=None))
    assert answer.status()[1] == "unsupportedVersion"


def test_rfc9483_4_1_6_version_2_carries_it_for_openssl(lab):
    lab.options(**CENTRAL)
    client = lab.client()
    answer = client.enroll(cmp.Request(None, proof=None))
    key = generated(lab, client, answer, "-pwri_password", "secret")
    assert key.public_key() == answer.certificate().public_key()


def test_rfc9483_4_1_6_nothing_is_encrypted_for_a_certificate_that_must_not_decrypt(lab):
    lab.options(**CENTRAL)
    signer = lab.device(ed25519.Ed25519PrivateKey.generate())
    answer = lab.client(signer, pvno=3).enroll(cmp.Request(None, proof=None), body=cmp.CR)
    assert answer.status()[1] == "badAlg"
    assert len(lab.certificates()) == 1
