"""Protection by a KEM (RFC 9810 section 5.1.3.4, appendix E): the client has an ML-KEM key."""

import hmac
from dataclasses import dataclass, replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mlkem
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support import cmp
from tests.support.cms_opening import opened
from tests.support.issuance_lab import run

KEY = ec.generate_private_key(ec.SECP256R1())
KEMS = {"ML-KEM-768": mlkem.MLKEM768PrivateKey.generate(), "ML-KEM-1024": mlkem.MLKEM1024PrivateKey.generate()}
QUESTION = cmp.seq(cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.24")))


@dataclass(frozen=True)
class Kem:
    """KEM-based MAC under a secret that was decapsulated."""

    certificate: x509.Certificate
    secret: bytes
    transaction_id: bytes
    context: bytes | None = None
    length: int = 32
    mac: str = "sha256"
    kdf: int = 28
    certificates = ()

    def header(self):
        context = b"" if self.context is None else cmp.tlv(0xA0, cmp.octets(self.context))
        kdf = cmp.algorithm(f"1.2.840.113549.1.9.16.3.{self.kdf}")
        mac = cmp.algorithm(cmp.HMACS[self.mac], cmp.NULL)
        return cmp.algorithm("1.2.840.113533.7.66.16", cmp.seq(kdf, context, cmp.integer(self.length), mac))

    def protect(self, part):
        context = b"" if self.context is None else cmp.tlv(0xA0, cmp.octets(self.context))
        info = cmp.seq(cmp.seq(cmp.utf8("CMP-KEM")), cmp.octets(self.transaction_id), context)
        algorithm = {28: hashes.SHA256(), 29: hashes.SHA384(), 30: hashes.SHA512()}.get(self.kdf, hashes.SHA256())
        key = HKDF(algorithm, self.length, salt=None, info=info).derive(self.secret)
        return hmac.digest(key, part, self.mac)

    def name(self):
        return self.certificate.subject.public_bytes()

    def kid(self):
        return self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def certified(lab, kind):
    """A certificate for a KEM key, whose possession was proven by an encrypted certificate."""
    client, key = lab.client(pvno=3), KEMS[kind]
    answer = client.enroll(cmp.Request(key, "kem device", proof=b"\xa2\x03\x81\x01\x00"))
    certificate = x509.load_der_x509_certificate(opened(lab, key, answer.responses[0][2][0][0].raw))
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    return certificate


def ask(lab, certificate, **changes):
    client = lab.client(pvno=3)
    client.begin()
    message = client.message(cmp.GENM, QUESTION, protection=None, **changes)
    raw = cmp.seq(cmp.Node(message.encode())[0].raw, cmp.Node(message.encode())[1].raw, cmp.tlv(0xA1, cmp.seq(certificate)))
    answer = cmp.Reply(lab.send(raw))
    client.answer = answer
    return client, answer


def established(lab, kind="ML-KEM-768", **facts):
    certificate = certified(lab, kind)
    client, answer = ask(lab, certificate.public_bytes(Encoding.DER))
    assert (answer.kind, answer.verify(None)) == (cmp.GENP, "signature"), answer.status()
    info = answer.content[0][1]
    client.protection = Kem(certificate, KEMS[kind].decapsulate(info[1].content), client.transaction_id, **facts)
    return client


FACTS = {
    "plain": {},
    "with context": {"context": b"context"},
    "SHA-512": {"kdf": 30, "mac": "sha512", "length": 64},
    "SHA-384": {"kdf": 29, "mac": "sha384", "length": 48},
}


@pytest.mark.parametrize("facts", FACTS)
@pytest.mark.parametrize("kind", KEMS)
def test_section_5_1_3_4_a_transaction_under_a_kem_secret(lab, kind, facts):
    client = established(lab, kind, **FACTS[facts])
    answer = client.call(cmp.CR, cmp.seq(cmp.Request(KEY, "kem device").encode()), recip_nonce=None)
    assert (answer.kind, answer.status()[:2], answer.verify(None)) == (cmp.CP, (0, ""), "signature")
    assert answer.ca_pubs == []
    confirmed = client.confirm(cmp.cert_status(answer.certificate()))
    assert (confirmed.kind, confirmed.verify(None)) == (cmp.PKICONF, "signature")


def test_section_5_1_3_4_the_first_message_may_answer_the_one_with_the_ciphertext(lab):
    client = established(lab)
    assert client.call(cmp.CR, cmp.seq(cmp.Request(KEY, "kem device").encode())).status()[0] == 0


SPOILT = {
    "another secret": {"secret": bytes(32)},
    "another transaction in the key": {"transaction_id": bytes(16)},
}


@pytest.mark.parametrize("case", SPOILT)
def test_section_5_1_3_4_a_mac_that_does_not_verify(lab, case):
    client = established(lab)
    client.protection = replace(client.protection, **SPOILT[case])
    answer = client.call(cmp.CR, cmp.seq(cmp.Request(KEY, "kem device").encode()), recip_nonce=None)
    assert (answer.kind, answer.status()[1], answer.verify(None)) == (cmp.ERROR, "badMessageCheck", "signature")


def test_section_5_1_3_4_a_secret_is_for_one_transaction(lab):
    client = established(lab)
    client.begin()
    answer = client.call(cmp.CR, cmp.seq(cmp.Request(KEY, "kem device").encode()))
    assert answer.status()[1] == "badMessageCheck"


def test_section_5_1_3_4_unknown_algorithms(lab):
    client = established(lab)
    client.protection = replace(client.protection, kdf=99)
    answer = client.call(cmp.CR, cmp.seq(cmp.Request(KEY, "kem device").encode()), recip_nonce=None)
    assert answer.status()[1] == "badAlg"


def test_section_5_1_3_4_a_ciphertext_is_for_certificates_that_are_known(lab):
    stranger = lab.device().certificate
    _, answer = ask(lab, stranger.public_bytes(Encoding.DER))
    assert answer.status()[1] == "badCertTemplate", "no KEM key"
    root = run(lab.ca.authorities.current("root")).certificate
    _, answer = ask(lab, root.public_bytes(Encoding.DER))
    assert answer.status()[1] == "signerNotTrusted"


def test_a_ciphertext_is_given_out_once_in_a_transaction(lab):
    certificate = certified(lab, "ML-KEM-768").public_bytes(Encoding.DER)
    client, _ = ask(lab, certificate)
    _, answer = ask(lab, certificate, transaction_id=client.transaction_id)
    assert answer.status()[1] == "transactionIdInUse"
