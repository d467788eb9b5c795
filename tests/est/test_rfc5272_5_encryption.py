"""Encrypted messages (RFC 5272 section 5): an envelope around a message, between two signatures, and around the response."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from pyasn1.codec.der import decoder
from pyasn1_modules import rfc5652

from tests.support import cmc_client as cmc
from tests.support.cmc_lab import FULL, CmcLab, Party, Reply, enrollment

ENVELOPED, SIGNED = "1.2.840.113549.1.7.3", cmc.SIGNED_DATA
AES128 = "2.16.840.1.101.3.4.1.2"


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    made = CmcLab(tmp_path)
    made.set(est={"cmc_encryption": True})
    return made


@pytest.fixture(scope="module")
def rsa_key() -> Any:
    return rsa.generate_private_key(65537, 2048)


def recipient(lab: CmcLab) -> x509.Certificate:
    """The certificate to encrypt for, as a full response brings it."""
    reply = lab.post(cmc.signed(cmc.pki_data(), [lab.certified().signer]))
    (found,) = [one for one in reply.cmc.certificates if "CMC transport" in one.subject.rfc4514_string()]
    assert found.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment
    return found


def enveloped(certificate: x509.Certificate, message: bytes, *, kind: str = SIGNED, spoil: str = "") -> bytes:
    """EnvelopedData (RFC 5652 section 6.1) around the SignedData of a ContentInfo."""
    content = cmc.elements(message)[1]
    content = content[len(content) - _length(content) :]
    cek, iv = os.urandom(16), os.urandom(16)
    padder = block_padding.PKCS7(128).padder()
    padded = padder.update(content) + padder.finalize()
    encryptor = Cipher(AES(cek), modes.CBC(iv)).encryptor()
    encrypted = bytearray(encryptor.update(padded) + encryptor.finalize())
    key: Any = certificate.public_key()
    wrapped = key.encrypt(os.urandom(16) if spoil == "key" else cek, padding.PKCS1v15())
    if spoil == "padding":
        encrypted[-17] ^= 1
    elif spoil == "content":
        encrypted[len(encrypted) // 2] ^= 1
    elif spoil == "cut":
        del encrypted[-5:]
    who = cmc.sequence(certificate.issuer.public_bytes(), cmc.integer(5 if spoil == "recipient" else certificate.serial_number))
    transport = cmc.sequence(cmc.integer(0), who, cmc.algorithm("1.2.840.113549.1.1.1", b"\x05\x00"), cmc.octets(wrapped))
    inside = cmc.sequence(cmc.oid(kind), cmc.algorithm(AES128, cmc.octets(iv)), cmc.tlv(0x80, bytes(encrypted)))
    body = cmc.sequence(cmc.integer(0), cmc.tlv(0x31, transport), inside)
    decoder.decode(body, asn1Spec=rfc5652.EnvelopedData())
    return cmc.sequence(cmc.oid(ENVELOPED), cmc.tlv(0xA0, body))


def _length(element: bytes) -> int:
    """How long the contents of an element are."""
    return len(element) - (2 if element[1] < 128 else 2 + (element[1] & 127))


def around(message: bytes, signer: cmc.Signer, certificates: Any = ()) -> bytes:
    """Option 2: a signature around an envelope."""
    content = cmc.elements(message)[1]
    return cmc.signed(content[len(content) - _length(content) :], [signer], certificates, content_type=ENVELOPED)


def opened(reply: Reply, key: Any) -> cmc.Response:
    """A response that an RSA key deciphers."""
    assert reply.http.header("content-type") == FULL
    info = decoder.decode(base64.b64decode(reply.http.body), asn1Spec=rfc5652.ContentInfo())[0]
    assert str(info["contentType"]) == ENVELOPED
    data = decoder.decode(info["content"], asn1Spec=rfc5652.EnvelopedData())[0]
    cek = key.decrypt(bytes(data["recipientInfos"][0]["ktri"]["encryptedKey"]), padding.PKCS1v15())
    content = data["encryptedContentInfo"]
    assert str(content["contentType"]) == SIGNED
    iv = bytes(decoder.decode(content["contentEncryptionAlgorithm"]["parameters"])[0])
    decryptor = Cipher(AES(cek), modes.CBC(iv)).decryptor()
    padded = decryptor.update(bytes(content["encryptedContent"])) + decryptor.finalize()
    unpadder = block_padding.PKCS7(128).unpadder()
    return cmc.read(cmc.sequence(cmc.oid(SIGNED), cmc.tlv(0xA0, unpadder.update(padded) + unpadder.finalize())))


def test_option_1_an_envelope_around_the_message(lab: CmcLab) -> None:
    key = cmc.new_key()
    reply = lab.post(enveloped(recipient(lab), enrollment(key, controls=[cmc.control(9, 6, cmc.octets(b"nonce"))])))
    assert reply.cmc.full  # its key signs and does not agree: the response is in clear, inside TLS
    assert reply.issued(key)
    assert reply.cmc.controls[7] == [cmc.octets(b"nonce")]


def test_option_2_a_signature_around_the_envelope(lab: CmcLab) -> None:
    party, certificate = lab.certified(), recipient(lab)
    lab.later(days=61)
    certificate = recipient(lab)
    key = cmc.new_key()
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    inner = enveloped(certificate, cmc.signed(cmc.pki_data([], [request]), [party.signer]))
    assert lab.post(around(inner, party.signer)).issued(key)
    for signer in (cmc.Signer(party.key, party.der, spoil="signature"), cmc.Signer(cmc.new_key())):
        assert lab.post(around(inner, signer)).failure(0) == "badMessageCheck"


def test_the_response_is_encrypted_for_who_can_read_it(lab: CmcLab, rsa_key: Any) -> None:
    lab.set(template={"key_usage": ("digitalSignature", "keyEncipherment")})
    party, key = lab.certified(key=rsa_key), cmc.new_key()
    lab.later(days=61)
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    message = cmc.signed(cmc.pki_data([cmc.control(1, 4, cmc.octets(b"private"))], [request]), [party.signer])
    reply = lab.post(enveloped(recipient(lab), message))
    assert b"private" not in base64.b64decode(reply.http.body)
    found = opened(reply, rsa_key)
    assert found.certificate_for(key) is not None
    assert found.controls[4] == [cmc.octets(b"private")]
    assert not lab.post(message).cmc.certificate_for(cmc.new_key())  # in clear, answered in clear


@pytest.mark.parametrize(
    "spoil", ["key", "padding", "content", "cut", "recipient", "inner signature", "unsigned", "inner type", "no PKIData"]
)
def test_3_2_1_3_3_whatever_is_wrong_with_an_envelope_is_one_answer(lab: CmcLab, spoil: str) -> None:
    """Nothing tells a failed decryption from what was decrypted: no other text, no nonce, no data that comes back."""
    key = cmc.new_key()
    controls = [cmc.control(9, 6, cmc.octets(b"nonce")), cmc.control(10, 4, cmc.octets(b"private"))]
    message = enrollment(key, controls=controls)
    if spoil == "inner signature":
        message = enrollment(key, controls=controls, signer=cmc.Signer(key, spoil="signature"))
    elif spoil == "unsigned":
        party = lab.certified()
        issuer = x509.load_der_x509_certificate(party.der).issuer.public_bytes()
        serial = int.from_bytes(party.record.serial, "big")
        revocation = cmc.control(1, 17, cmc.revoke_request(issuer, serial, secret=b"correct horse battery staple"))
        message = cmc.signed(cmc.pki_data([revocation, *controls]))
    elif spoil == "no PKIData":
        message = cmc.signed(b"\x30\x00", [cmc.Signer(key)])
    elif spoil == "inner type":
        message = cmc.signed(cmc.pki_data(), [cmc.Signer(key)], content_type="1.2.840.113549.1.7.1")
    before = lab.count()
    reply = lab.post(enveloped(recipient(lab), message, spoil=spoil))
    assert (reply.status, reply.failure(0)) == (400, "badMessageCheck")
    assert reply.cmc.statuses[0].text == "the encrypted message cannot be opened and verified (RFC 5272 section 5)"
    assert set(reply.cmc.controls) == {25}
    assert lab.count() == before + 1  # the one that asked for the certificate to encrypt for


def test_an_envelope_that_everybody_can_read_to_be_wrong(lab: CmcLab) -> None:
    certificate, message = recipient(lab), enrollment(cmc.new_key())
    assert lab.post(enveloped(certificate, message, kind="1.2.840.113549.1.7.1")).failure(0) == "badRequest"
    lab.set(est={"cmc_encryption": False})
    reply = lab.post(enveloped(certificate, message))
    assert reply.cmc.statuses[0].status == "noSupport"
    assert not any("transport" in one.subject.rfc4514_string() for one in reply.cmc.certificates)


def test_an_envelope_inside_the_message_of_an_ra(lab: CmcLab) -> None:
    key, ra = cmc.new_key(), lab.registration()
    inside = enveloped(recipient(lab), enrollment(key))
    batch = cmc.control(101, 28, cmc.sequence(cmc.integer(1)))
    reply = lab.post(cmc.signed(cmc.pki_data([batch], [], [cmc.content(1, inside)]), [ra.signer]))
    assert reply.cmc.inside[1].certificate_for(key) is not None


def test_a_party_is_what_it_was(lab: CmcLab) -> None:
    """What is decrypted is judged like anything else."""
    party: Party = lab.certified(profile=lab._save("other", ("certificate",), lab.profile.template))
    request = cmc.tcr(7, cmc.csr(cmc.new_key(), cmc.name(CN="device"), ["device.example.test"]))
    message = cmc.signed(cmc.pki_data([], [request]), [party.signer])
    assert lab.post(enveloped(recipient(lab), message)).failure(0) == "badIdentity"
