"""``/serverkeygen``: keys in clear and encrypted, opened and verified by the openssl command."""

import email
import os
import shutil
import subprocess
from base64 import b64decode
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from pyasn1.codec.der import decoder
from pyasn1_modules import rfc5652

from privca.base.refused import Refused
from tests.est.conftest import attribute, basic, csr, name, oid, refused, tlv
from tests.support.issuance_lab import run

OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
DECRYPT, ASYMMETRIC, CAPABILITIES = "1.2.840.113549.1.9.16.2.37", "1.2.840.113549.1.9.16.2.54", "1.2.840.113549.1.9.15"
WRAP = {16: "2.16.840.1.101.3.4.1.5", 24: "2.16.840.1.101.3.4.1.25", 32: "2.16.840.1.101.3.4.1.45"}
AES128, AES256 = "2.16.840.1.101.3.4.1.2", "2.16.840.1.101.3.4.1.42"
RSA, OAEP, SHA256KDF = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.7", "1.3.132.1.11.1"
CLEAR, ENCRYPTED = {"server_keys": "clear"}, {"server_keys": "encrypted"}


def capabilities(*algorithms):
    """SMIMECapabilities; an algorithm is an OID, or an OID with parameters."""
    listed = [tlv(0x30, oid(one)) if isinstance(one, str) else tlv(0x30, oid(one[0]), one[1]) for one in algorithms]
    return attribute(CAPABILITIES, tlv(0x30, *listed))


def key_identifier(dotted, identifier):
    return attribute(dotted, tlv(0x04, identifier))


def parts(response):
    """Media type and octets of both parts, read by the mail library."""
    assert response.status == 200, response.body
    header = b"Content-Type: " + response.header("Content-Type").encode() + b"\r\n\r\n"
    message = email.message_from_bytes(header + response.body)
    assert message.get_content_type() == "multipart/mixed"
    assert not message.defects
    return [(part["Content-Type"], b64decode(part.get_payload())) for part in message.get_payload()]


def both(response, kind):
    """The key part's octets and the certificate."""
    (key_type, key), (certificate_type, certificate) = parts(response)
    assert key_type == kind
    assert certificate_type == "application/pkcs7-mime; smime-type=certs-only"
    (only,) = load_der_pkcs7_certificates(certificate)
    return key, only


def generate(lab, key, profile, **facts):
    return lab.post("serverkeygen", csr(key, [lab.name()], **facts), profile=profile)


def test_a_key_in_clear_where_the_profile_allows_it(lab, key):
    octets, certificate = both(generate(lab, key, lab.profile(est=CLEAR)), "application/pkcs8")
    made = load_der_private_key(octets, None)
    assert made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) == octets, "PKCS #8, not PKCS #1"
    assert made.public_key() == certificate.public_key()
    assert certificate.public_key() != key.public_key()
    assert ("private key", octets) not in lab.exchange.concealed
    ((field, concealed),) = lab.exchange.concealed
    assert field == "private key"
    assert b64decode(concealed) == octets


@pytest.mark.parametrize("kind", ["P-384", "RSA-2048"])
def test_the_kind_of_key_is_the_profiles(lab, key, kind):
    octets, _ = both(generate(lab, key, lab.profile(est={**CLEAR, "server_key": kind})), "application/pkcs8")
    made = load_der_private_key(octets, None)
    assert made.key_size == {"P-384": 384, "RSA-2048": 2048}[kind]


def test_libest_reads_no_part_without_a_transfer_encoding_and_strictly_there_is_none(lab, key):
    assert generate(lab, key, lab.profile(est=CLEAR)).body.count(b"Content-Transfer-Encoding: base64\r\n") == 2
    assert b"Content-Transfer-Encoding" not in generate(lab, key, lab.profile(est=CLEAR, tolerant=False)).body


def test_rfc7030_4_4_1_key_and_signature_of_the_csr_are_ignored(lab):
    weak = rsa.generate_private_key(65537, 1024)
    request = csr(weak, [lab.name()])
    spoilt = request[:-1] + bytes((request[-1] ^ 1,))
    profile = lab.profile(est=CLEAR)
    both(lab.post("serverkeygen", spoilt, profile=profile), "application/pkcs8")
    refused(lab.post("serverkeygen", spoilt[:-1], profile=profile), 400, "RFC 2986")


def test_each_request_gets_a_key_of_its_own(lab, key):
    request, profile = csr(key, [lab.name()]), lab.profile(est=CLEAR)
    found = [both(lab.post("serverkeygen", request, profile=profile), "application/pkcs8") for _ in range(2)]
    assert found[0][0] != found[1][0]
    assert found[0][1].serial_number != found[1][1].serial_number


def test_a_profile_without_server_keys_has_no_such_operation(lab, key):
    refused(generate(lab, key, lab.profile()), 404, "RFC 7030 section 4.4")


def test_nobody_gets_a_key_without_saying_who_it_is(lab, key):
    before = lab.issued()
    response = lab.post("serverkeygen", csr(key), headers={}, profile=lab.profile(est=CLEAR))
    assert response.status == 401
    assert lab.post("serverkeygen", csr(key), headers=basic(password="no"), profile=lab.profile(est=CLEAR)).status == 401
    assert lab.issued() == before


def test_no_key_in_clear_where_the_profile_wants_encryption(lab, key):
    before = lab.issued()
    refused(generate(lab, key, lab.profile(est=ENCRYPTED)), 403, "RFC 7030 section 4.4.1", "DecryptKeyIdentifier")
    assert lab.issued() == before


@pytest.mark.parametrize(
    "fields", [{"authentication": ("code", "approval")}, {"approval_always": True}], ids=["anonymous", "always"]
)
def test_a_key_does_not_wait_for_a_person(lab, key, fields):
    profile = lab.profile(est=CLEAR, **fields)
    headers = basic() if fields.get("approval_always") else {}
    before = lab.issued()
    response = lab.post("serverkeygen", csr(key), profile=profile, headers=headers)
    refused(response, 403, "profile: a")
    assert lab.issued() == before


def test_names_and_challenge_are_judged_as_for_any_csr(lab, key):
    profile = lab.profile(est=CLEAR, names={"permitted_dns": ("inside.test",)})
    response = lab.post("serverkeygen", csr(key, ["www.outside.test"]), profile=profile)
    refused(response, response.status, "profile: names")
    refused(
        lab.post("serverkeygen", csr(key, [lab.name()], password="nonsense"), profile=lab.profile(est=CLEAR)),
        400,
        "RFC 7030 section 3.5",
    )


# -- encrypted


def lay_down(lab, profile, identifier, secret=None, certificate=None):
    """What an administrator puts into the directory of the keys."""
    directory = lab.directory / "keys" / "est" / profile
    directory.mkdir(parents=True, exist_ok=True)
    if secret is not None:
        path = directory / f"{identifier.hex()}.key"
        path.touch(0o600)
        path.write_text(secret.hex())
    if certificate is not None:
        (directory / f"{identifier.hex()}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


def opened(lab, enveloped, tmp_path, *how):
    """The private key: decrypted and then verified by the openssl command, under the CA's certificate."""
    (tmp_path / "enveloped.der").write_bytes(enveloped)
    (tmp_path / "root.pem").write_bytes(root(lab).public_bytes(Encoding.PEM))
    at = str(int(lab.clock.now().timestamp()))
    decrypt = ["openssl", "cms", "-decrypt", "-inform", "DER", "-binary", "-in", "enveloped.der", "-out", "signed", *how]
    done = subprocess.run(decrypt, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    # RFC 5652 section 6.3: what is encrypted is the content alone, here a SignedData without its ContentInfo.
    signed = (tmp_path / "signed").read_bytes()
    (tmp_path / "signed.der").write_bytes(tlv(0x30, oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed)))
    verify = [
        "openssl",
        "cms",
        "-verify",
        "-inform",
        "DER",
        "-binary",
        "-in",
        "signed.der",
        "-out",
        "package",
        "-CAfile",
        "root.pem",
    ]
    done = subprocess.run([*verify, "-purpose", "any", "-attime", at], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    decoded, rest = decoder.decode(signed, asn1Spec=rfc5652.SignedData())
    assert rest == b""
    assert str(decoded["encapContentInfo"]["eContentType"]) == "2.16.840.1.101.2.1.2.78.5", "id-ct-KP-aKeyPackage"
    package = (tmp_path / "package").read_bytes()
    assert package[0] == 0x30
    inner = package[2 + (package[1] & 0x7F if package[1] & 0x80 else 0) :]
    return load_der_private_key(inner, None)


def root(lab):

    return run(lab.ca.authorities.current("root")).certificate


def recipients(enveloped):
    content, rest = decoder.decode(enveloped, asn1Spec=rfc5652.ContentInfo())
    assert (rest, str(content["contentType"])) == (b"", "1.2.840.113549.1.7.3")
    decoded, rest = decoder.decode(bytes(content["content"]), asn1Spec=rfc5652.EnvelopedData())
    assert rest == b""
    assert str(decoded["encryptedContentInfo"]["contentType"]) == "1.2.840.113549.1.7.2", "id-signedData"
    return decoded["recipientInfos"]


SERVER_GENERATED = "application/pkcs7-mime; smime-type=server-generated-key"


@OPENSSL
@pytest.mark.parametrize("length", [16, 24, 32])
def test_rfc7030_4_4_1_1_to_a_secret_key(lab, key, tmp_path, length):
    profile, identifier, secret = lab.profile(est=ENCRYPTED), os.urandom(8), os.urandom(length)
    lay_down(lab, profile, identifier, secret)
    asked = [key_identifier(DECRYPT, identifier), capabilities(WRAP[length], AES256)]
    enveloped, certificate = both(generate(lab, key, profile, attributes=asked), SERVER_GENERATED)
    how = ("-secretkey", secret.hex(), "-secretkeyid", identifier.hex())
    assert opened(lab, enveloped, tmp_path, *how).public_key() == certificate.public_key()
    (recipient,) = recipients(enveloped)
    assert recipient.getName() == "kekri"
    assert int(recipient["kekri"]["version"]) == 4
    assert bytes(recipient["kekri"]["kekid"]["keyIdentifier"]) == identifier
    assert str(recipient["kekri"]["keyEncryptionAlgorithm"]["algorithm"]) == WRAP[length]


def client_certificate(lab, key, profile):
    """A client certificate whose key usage admits encryption, and its subject key identifier."""
    old = lab.enroll(profile, key)
    identifier = old.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return old, identifier


def ask_by(lab, old, profile, attributes):
    names = old.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    request = csr(old.key, names.get_values_for_type(x509.DNSName), old.certificate.subject, attributes=attributes)
    return lab.post("serverkeygen", request, headers={}, certificate=old.der, profile=profile)


def key_file(key, tmp_path):
    path = tmp_path / "own.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


OAEP_SHA256 = tlv(
    0x30,
    tlv(0xA0, tlv(0x30, oid("2.16.840.1.101.3.4.2.1"), b"\x05\x00")),
    tlv(0xA1, tlv(0x30, oid("1.2.840.113549.1.1.8"), tlv(0x30, oid("2.16.840.1.101.3.4.2.1"), b"\x05\x00"))),
)


@OPENSSL
@pytest.mark.parametrize(
    ("named", "used"),
    [
        ([RSA], RSA),
        ([(OAEP, OAEP_SHA256), RSA], OAEP),
        ([(OAEP, b"\x30\x00")], OAEP),
        ([OAEP, AES128], OAEP),
    ],
    ids=["PKCS #1 v1.5", "OAEP with SHA-256", "OAEP with its defaults", "OAEP without parameters"],
)
def test_rfc7030_4_4_1_2_to_the_rsa_key_of_the_client_certificate(lab, tmp_path, named, used):
    key, profile = rsa.generate_private_key(65537, 2048), lab.profile(est=ENCRYPTED)
    old, identifier = client_certificate(lab, key, profile)
    asked = [key_identifier(ASYMMETRIC, identifier), capabilities(*named)]
    enveloped, certificate = both(ask_by(lab, old, profile, asked), SERVER_GENERATED)
    made = opened(lab, enveloped, tmp_path, "-inkey", key_file(key, tmp_path))
    assert made.public_key() == certificate.public_key()
    (recipient,) = recipients(enveloped)
    assert recipient.getName() == "ktri"
    assert bytes(recipient["ktri"]["rid"]["subjectKeyIdentifier"]) == identifier
    assert int(recipient["ktri"]["version"]) == 2
    assert str(recipient["ktri"]["keyEncryptionAlgorithm"]["algorithm"]) == used


@OPENSSL
@pytest.mark.parametrize(
    ("named", "wrap"),
    [([WRAP[16]], 16), ([WRAP[16], WRAP[32]], 32), ([(SHA256KDF, tlv(0x30, oid(WRAP[16])))], 16)],
    ids=["AES-128", "the strongest", "as parameters of the agreement"],
)
def test_rfc7030_4_4_1_2_to_the_ec_key_of_the_client_certificate(lab, tmp_path, named, wrap):
    key, profile = ec.generate_private_key(ec.SECP256R1()), lab.profile(est=ENCRYPTED)
    old, identifier = client_certificate(lab, key, profile)
    asked = [key_identifier(ASYMMETRIC, identifier), capabilities(*named)]
    enveloped, certificate = both(ask_by(lab, old, profile, asked), SERVER_GENERATED)
    (tmp_path / "own.crt").write_bytes(old.certificate.public_bytes(Encoding.PEM))
    made = opened(lab, enveloped, tmp_path, "-inkey", key_file(key, tmp_path), "-recip", "own.crt")
    assert made.public_key() == certificate.public_key()
    (recipient,) = recipients(enveloped)
    assert recipient.getName() == "kari"
    (encrypted,) = recipient["kari"]["recipientEncryptedKeys"]
    assert bytes(encrypted["rid"]["rKeyId"]["subjectKeyIdentifier"]) == identifier
    assert oid(WRAP[wrap]) in bytes(recipient["kari"]["keyEncryptionAlgorithm"]["parameters"])


def recipient_certificate(lab, key, usage):
    now = lab.clock.now()

    subject = name(("CN", "escrow"))
    built = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(days=9))
    built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if usage is not None:
        built = built.add_extension(usage, critical=True)
    return built.sign(key, hashes.SHA256())


AGREEMENT = x509.KeyUsage(False, False, False, False, True, False, False, False, False)
SIGNATURE = x509.KeyUsage(True, False, False, False, False, False, False, False, False)


@OPENSSL
@pytest.mark.parametrize("usage", [None, AGREEMENT], ids=["unrestricted", "keyAgreement"])
def test_rfc7030_4_4_1_2_to_a_certificate_that_was_laid_down(lab, key, tmp_path, usage):
    profile, own, identifier = lab.profile(est=ENCRYPTED), ec.generate_private_key(ec.SECP256R1()), os.urandom(20)
    certificate = recipient_certificate(lab, own, usage)
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    lay_down(lab, profile, identifier, certificate=certificate)
    asked = [key_identifier(ASYMMETRIC, identifier), capabilities(WRAP[32])]
    enveloped, issued = both(generate(lab, key, profile, attributes=asked), SERVER_GENERATED)
    (tmp_path / "own.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    made = opened(lab, enveloped, tmp_path, "-inkey", key_file(own, tmp_path), "-recip", "own.crt")
    assert made.public_key() == issued.public_key()


def test_rfc7030_4_4_1_2_a_key_that_may_only_sign(lab, key):
    profile, own = lab.profile(est=ENCRYPTED), ec.generate_private_key(ec.SECP256R1())
    certificate = recipient_certificate(lab, own, SIGNATURE)
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    lay_down(lab, profile, identifier, certificate=certificate)
    before = lab.issued()
    asked = [key_identifier(ASYMMETRIC, identifier), capabilities(WRAP[32])]
    refused(generate(lab, key, profile, attributes=asked), 400, "RFC 7030 section 4.4.1.2", "keyAgreement")
    assert lab.issued() == before


SOME = b"\x01" * 8
BAD = {
    "no such secret key": ([key_identifier(DECRYPT, b"unknown"), capabilities(WRAP[32])], "RFC 7030 section 4.4.1.1"),
    "no such public key": ([key_identifier(ASYMMETRIC, b"unknown"), capabilities(WRAP[32])], "RFC 7030 section 4.4.1.2"),
    "both": (
        [key_identifier(DECRYPT, SOME), key_identifier(ASYMMETRIC, SOME), capabilities(WRAP[32])],
        "RFC 7030 section 4.4.1",
    ),
    "no capabilities": ([key_identifier(DECRYPT, SOME)], "RFC 7030 section 4.4.1"),
    "other capabilities": ([key_identifier(DECRYPT, SOME), capabilities(AES256)], "RFC 7030 section 4.4.2"),
    "the wrap of another length": ([key_identifier(DECRYPT, SOME), capabilities(WRAP[16])], "RFC 7030 section 4.4.2"),
    "bad capabilities": ([key_identifier(DECRYPT, SOME), attribute(CAPABILITIES, b"\x05\x00")], "RFC 8551 section 2.5.2"),
    "bad identifier": ([attribute(DECRYPT, b"\x05\x00"), capabilities(WRAP[32])], "RFC 7030 section 4.4.1.1"),
    "empty identifier": ([key_identifier(DECRYPT, b""), capabilities(WRAP[32])], "RFC 7030 section 4.4.1.1"),
    "long identifier": ([key_identifier(DECRYPT, b"x" * 65), capabilities(WRAP[32])], "RFC 7030 section 4.4.1.1"),
    "two identifiers": ([attribute(DECRYPT, tlv(4, b"a"), tlv(4, b"b")), capabilities(WRAP[32])], "RFC 7030 section 4.4.1.1"),
    "a path": ([key_identifier(DECRYPT, b"../../store"), capabilities(WRAP[32])], "RFC 7030 section 4.4.1.1"),
}


@pytest.mark.parametrize("case", BAD)
def test_rfc7030_4_4_1_a_key_that_cannot_be_encrypted_is_not_made(lab, key, case):
    profile = lab.profile(est=CLEAR)
    lay_down(lab, profile, SOME, b"s" * 32)
    asked, clause = BAD[case]
    before = lab.issued()
    refused(generate(lab, key, profile, attributes=asked), 400, clause)
    assert lab.issued() == before


def test_a_client_certificate_that_is_not_meant_is_not_used(lab):
    profile = lab.profile(est=ENCRYPTED)
    old, identifier = client_certificate(lab, ec.generate_private_key(ec.SECP256R1()), profile)
    other = bytes((identifier[0] ^ 1,)) + identifier[1:]
    asked = [key_identifier(ASYMMETRIC, other), capabilities(WRAP[32])]
    refused(ask_by(lab, old, profile, asked), 400, "RFC 7030 section 4.4.1.2", other.hex())


def test_a_client_certificate_that_cannot_be_read_is_not_meant(lab, key):
    asked = [key_identifier(ASYMMETRIC, b"x" * 20), capabilities(WRAP[32])]
    response = lab.post(
        "serverkeygen", csr(key, attributes=asked), certificate=b"\x30\x03\x02\x01\x00", profile=lab.profile(est=CLEAR)
    )
    refused(response, 400, "RFC 7030 section 4.4.1.2", "no public key")


def test_a_secret_key_whose_file_others_can_read_is_not_used(lab, key):
    profile, identifier = lab.profile(est=ENCRYPTED), os.urandom(8)
    lay_down(lab, profile, identifier, b"s" * 32)
    (lab.directory / "keys" / "est" / profile / f"{identifier.hex()}.key").chmod(0o644)
    asked = [key_identifier(DECRYPT, identifier), capabilities(WRAP[32])]
    before = lab.issued()
    with pytest.raises(Refused, match="file permissions"):
        generate(lab, key, profile, attributes=asked)
    assert lab.issued() == before
