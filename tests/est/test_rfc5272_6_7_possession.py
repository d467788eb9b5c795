"""Proof of possession by deciphering (RFC 5272 section 6.7 and appendices B.3 and C), for keys that do not sign."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyasn1.codec.der import decoder
from pyasn1_modules import rfc5652

from tests.support import cmc_client as cmc
from tests.support.cmc_lab import CmcLab, Party, Reply

NO_SIGNATURE = "1.3.6.1.5.5.7.6.2"
SHA256, HMAC_SHA256 = cmc.algorithm(cmc.DIGESTS["sha256"]), cmc.algorithm(cmc.MACS["sha256"])


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    made = CmcLab(tmp_path)
    made.set(template={"key_usage": ("digitalSignature", "keyEncipherment", "keyAgreement")}, certificate_profiles=("signing",))
    return made


@pytest.fixture(scope="module")
def key() -> Any:
    return rsa.generate_private_key(65537, 2048)


def holder(lab: CmcLab) -> Party:
    """Somebody with a certificate of another profile, who asks for one for a second key."""
    return lab.certified(profile=lab._save("signing", ("certificate",), lab.profile.template))


def request_for(key: Any, *, crmf: bool = True, ski: bool = True, names: Any = ("device.example.test",)) -> bytes:
    subject = cmc.name(CN="device")
    if crmf:
        return cmc.crm(cmc.crmf(201, key, subject, names, pop="subsequent", ski=ski))
    whole = cmc.csr(key, subject, names, ski=ski, signer=cmc.new_key())
    info = cmc.elements(whole)[0]
    unsigned = cmc.sequence(cmc.oid(NO_SIGNATURE), b"\x05\x00")
    digest = cmc.octets(hashlib.sha1(info).digest())
    return cmc.tcr(201, cmc.sequence(info, unsigned, cmc.tlv(0x03, b"\0", digest)))


def ask(lab: CmcLab, party: Party, request: bytes, *answers: bytes) -> Reply:
    controls = [cmc.control(102, 6, cmc.octets(b"nonce")), *answers]
    return lab.post(cmc.signed(cmc.pki_data(controls, [request]), [party.signer]))


def challenge(reply: Reply, request: bytes) -> tuple[bytes, bytes]:
    """EnvelopedData and witness of the EncryptedPOP."""
    assert reply.failure(201) == "popRequired"
    (control,) = reply.cmc.controls[9]
    parts = cmc.elements(control)
    assert parts[0] == request
    assert parts[2:4] == [HMAC_SHA256, SHA256]
    return parts[1], parts[4][2:]


def deciphered(enveloped: bytes, key: Any) -> bytes:
    """What an RSA key deciphers."""
    info = decoder.decode(enveloped, asn1Spec=rfc5652.ContentInfo())[0]
    data = decoder.decode(info["content"], asn1Spec=rfc5652.EnvelopedData())[0]
    (recipient,) = data["recipientInfos"]
    cek = key.decrypt(bytes(recipient["ktri"]["encryptedKey"]), padding.PKCS1v15())
    content = data["encryptedContentInfo"]
    iv = bytes(decoder.decode(content["contentEncryptionAlgorithm"]["parameters"])[0])
    decryptor = Cipher(AES(cek), modes.CBC(iv)).decryptor()
    padded = decryptor.update(bytes(content["encryptedContent"])) + decryptor.finalize()
    unpadder = block_padding.PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def answer(value: bytes, request: bytes, body: int = 201, algorithm: bytes = HMAC_SHA256) -> bytes:
    proof = cmc.octets(hmac.digest(value[:64], request, "sha256"))
    return cmc.control(107, 10, cmc.sequence(cmc.integer(body), algorithm, proof))


@pytest.mark.parametrize("crmf", [True, False], ids=["CRMF", "PKCS10 without a signature"])
@pytest.mark.parametrize("ski", [True, False], ids=["by key identifier", "by body part"])
def test_b_3_an_rsa_key_that_only_deciphers(lab: CmcLab, key: Any, crmf: bool, ski: bool) -> None:
    party, request = holder(lab), request_for(key, crmf=crmf, ski=ski)
    reply = ask(lab, party, request)
    enveloped, witness = challenge(reply, request)
    assert (reply.status, lab.count()) == (400, 0)
    named = cmc.tlv(0x80, cmc.key_id(key)) if ski else cmc.sequence(b"\x30\x00", cmc.integer(201))
    assert named in enveloped
    value = deciphered(enveloped, key)
    assert len(value) == 64
    assert hashlib.sha256(value).digest() == witness
    issued = ask(lab, party, request, answer(value, request)).issued(key)
    assert issued.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment
    assert lab.count() == 1


def test_an_answer_counts_that_day_and_the_next(lab: CmcLab, key: Any) -> None:
    party, request = holder(lab), request_for(key)
    value = deciphered(challenge(ask(lab, party, request), request)[0], key)
    lab.later(days=1)
    assert ask(lab, party, request, answer(value, request)).issued(key)
    lab.later(days=1)
    assert ask(lab, party, request, answer(value, request)).failure(201) == "popFailed"


@pytest.mark.parametrize("wrong", ["value", "request", "body part", "algorithm", "length", "second answer"])
def test_6_7_a_wrong_answer_is_pop_failed(lab: CmcLab, key: Any, wrong: str) -> None:
    party, request = holder(lab), request_for(key)
    value = deciphered(challenge(ask(lab, party, request), request)[0], key)
    given = {
        "value": [answer(bytes(64), request)],
        "request": [answer(value, request + b"x")],
        "body part": [answer(value, request, 202)],
        "algorithm": [answer(value, request, algorithm=cmc.algorithm(cmc.MACS["sha1"]))],
        "length": [cmc.control(107, 10, cmc.sequence(cmc.integer(201), HMAC_SHA256, cmc.octets(b"")))],
        "second answer": [
            answer(value, request),
            cmc.control(108, 10, cmc.sequence(cmc.integer(201), HMAC_SHA256, cmc.octets(bytes(32)))),
        ],
    }[wrong]
    reply = ask(lab, party, request, *given)
    expected = {"body part": (201, "popRequired"), "algorithm": (0, "badAlg"), "length": (0, "badRequest")}
    body, failure = expected.get(wrong, (201, "popFailed"))
    assert reply.failure(body) == failure
    assert lab.count() == 0


def test_an_answer_is_that_of_who_was_asked(lab: CmcLab, key: Any) -> None:
    first, second, request = holder(lab), holder(lab), request_for(key)
    value = deciphered(challenge(ask(lab, first, request), request)[0], key)
    assert ask(lab, second, request, answer(value, request)).failure(201) == "popFailed"
    other = request_for(key, names=["device.example.test"], ski=False)
    assert ask(lab, first, other, answer(value, other)).failure(201) == "popFailed"
    assert lab.count() == 0


def test_6_7_a_challenge_for_one_request_stops_the_others(lab: CmcLab, key: Any) -> None:
    party, signing = holder(lab), cmc.new_key()
    requests = [request_for(key), cmc.tcr(202, cmc.csr(signing, cmc.name(CN="device"), ["device.example.test"]))]
    reply = lab.post(cmc.signed(cmc.pki_data([], requests), [party.signer]))
    assert [reply.cmc.status_of(body).failure for body in (201, 202)] == ["popRequired", "popFailed"]
    assert (len(reply.cmc.controls[9]), lab.count()) == (1, 0)


def test_without_an_identity_there_is_no_challenge(lab: CmcLab, key: Any) -> None:
    stranger = cmc.new_key()
    requests = [request_for(key), cmc.tcr(202, cmc.csr(stranger, names=["a.example.test"]))]
    reply = lab.post(cmc.signed(cmc.pki_data([], requests), [cmc.Signer(stranger)]))
    assert (reply.status, reply.cmc.statuses[0].failure) == (401, "badIdentity")
    assert 9 not in reply.cmc.controls


def test_a_key_that_does_not_decipher_is_not_asked_to(lab: CmcLab) -> None:
    assert ask(lab, holder(lab), request_for(ed25519.Ed25519PrivateKey.generate(), ski=False)).failure(201) == "popFailed"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there")
def test_an_ec_key_that_agrees_as_openssl_reads_it(lab: CmcLab, tmp_path: Path) -> None:
    party, key = holder(lab), ec.generate_private_key(ec.SECP256R1())
    request = request_for(key)
    enveloped, witness = challenge(ask(lab, party, request), request)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "pop.der").write_bytes(enveloped)
    done = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", tmp_path / "pop.der", "-inkey", tmp_path / "key.pem"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert hashlib.sha256(done.stdout).digest() == witness
    assert ask(lab, party, request, answer(done.stdout, request)).issued(key)
