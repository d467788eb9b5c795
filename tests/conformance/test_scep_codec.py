"""The examiner's SCEP codec against another one, OpenSSL's: what it makes, OpenSSL verifies and decrypts; what OpenSSL makes, it reads."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conformance.der import dump
from conformance.scep import structures
from conformance.scep.applicants import Signer, name, request, rsa_key, self_signed
from conformance.scep.client import Problem, read_ca
from conformance.scep.draft import PKCS_REQ, TRANSACTION_ID, Draft
from conformance.scep.reply import leaf, open_envelope, read, read_degenerate, read_signed
from conformance.scep.structures import Malformed
from conformance.target import ScepTarget, Target
from conformance.transport import HttpRequest, HttpResponse
from tests.support.cms import needs_openssl, openssl

URL = "http://ca.example.test/scep"


@pytest.fixture(scope="module")
def client():
    return self_signed(rsa_key(0), name("client"))


@pytest.fixture(scope="module")
def ca():
    return self_signed(rsa_key(1), name("CA"))


@pytest.fixture
def draft(client, ca):
    csr = request(client.key, name("client"), challenge="secret")
    return Draft(URL, PKCS_REQ, csr, client, ca.certificate, "ID 1")


def pem(directory, signer: Signer):
    """The signer as a certificate and a key in files."""
    certificate = x509.load_der_x509_certificate(signer.certificate)
    (directory / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    key = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "key.pem").write_bytes(key)


@needs_openssl
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_openssl_verifies_a_message(tmp_path, draft, digest):
    draft.digest = digest
    (tmp_path / "message").write_bytes(draft.message())
    verified = openssl(tmp_path, "cms", "-verify", "-inform", "DER", "-in", "message", "-noverify", "-binary")
    assert verified == draft.last_envelope


@needs_openssl
@pytest.mark.parametrize("cipher", ["3des", "aes128", "aes192", "aes256"])
def test_openssl_decrypts_an_envelope(tmp_path, draft, ca, cipher):
    draft.cipher = cipher
    (tmp_path / "envelope").write_bytes(draft.envelope())
    pem(tmp_path, ca)
    arguments = ("-inform", "DER", "-in", "envelope", "-recip", "cert.pem", "-inkey", "key.pem", "-binary")
    assert openssl(tmp_path, "cms", "-decrypt", *arguments) == draft.content


@needs_openssl
@pytest.mark.parametrize("streamed", [False, True], ids=["DER", "BER of indefinite length"])
def test_what_openssl_signs_and_encrypts_is_read(tmp_path, client, streamed):
    (tmp_path / "content").write_bytes(b"what is said")
    pem(tmp_path, client)
    stream = ("-stream",) if streamed else ()
    openssl(
        tmp_path,
        "cms",
        "-sign",
        "-binary",
        "-nodetach",
        *stream,
        "-in",
        "content",
        "-signer",
        "cert.pem",
        "-inkey",
        "key.pem",
        "-outform",
        "DER",
        "-out",
        "signed",
    )
    signed = read_signed((tmp_path / "signed").read_bytes())
    assert signed.content == b"what is said"
    assert signed.wrong([client.certificate]) == ""
    openssl(
        tmp_path,
        "cms",
        "-encrypt",
        "-binary",
        "-aes128",
        *stream,
        "-in",
        "content",
        "-outform",
        "DER",
        "-out",
        "enveloped",
        "cert.pem",
    )
    opened = open_envelope((tmp_path / "enveloped").read_bytes(), client)
    assert (opened.content, opened.cipher, opened.ours) == (b"what is said", "aes128", True)


@needs_openssl
def test_a_signer_by_key_identifier_and_with_an_ec_key_is_verified(tmp_path):
    (tmp_path / "content").write_bytes(b"what is said")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "cert.pem")
    openssl(tmp_path, "req", "-x509", *new, "-subj", "/CN=RA", "-days", "1")
    signing = ("-in", "content", "-signer", "cert.pem", "-inkey", "key.pem", "-outform", "DER", "-out", "signed")
    openssl(tmp_path, "cms", "-sign", "-binary", "-nodetach", "-keyid", *signing)
    certificate = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes()).public_bytes(Encoding.DER)
    signed = read_signed((tmp_path / "signed").read_bytes())
    assert signed.wrong([certificate]) == ""
    assert replace(signed, signature=signed.signature[:-1] + bytes([signed.signature[-1] ^ 1])).wrong([certificate])


@needs_openssl
def test_certificates_alone_are_read(tmp_path, client):
    pem(tmp_path, client)
    openssl(tmp_path, "crl2pkcs7", "-nocrl", "-certfile", "cert.pem", "-outform", "DER", "-out", "bag")
    bag = read_degenerate((tmp_path / "bag").read_bytes())
    assert (bag.certificates, bag.crls, bag.empty) == ((client.certificate,), (), True)


def test_a_message_reads_as_it_was_made(draft, client):
    rep = read(draft.message())
    assert rep.transaction_id == "ID 1"
    assert rep.sender_nonce == draft.nonce
    assert rep.type_of(TRANSACTION_ID) == "PrintableString"
    assert rep.signed.wrong([client.certificate]) == ""


def test_a_reader_is_told_the_names_of_the_attributes(draft):
    shown = "\n".join(dump(draft.message()))
    wanted = ("id-messageType (2.16.840.1.113733.1.9.2)", "id-senderNonce", "id-transactionID (2.16.840.1.113733.1.9.7)")
    assert [one for one in wanted if one not in shown] == []


def test_a_signature_is_that_of_a_certificate_which_is_trusted(draft, client, ca):
    signed = read(draft.message()).signed
    assert "none of the certificates" in signed.wrong([ca.certificate])
    twin = Signer(rsa_key(2), client.certificate)
    draft.signer = twin
    assert "does not verify" in read(draft.message()).signed.wrong([client.certificate])


@pytest.mark.parametrize(
    "octets",
    [b"", b"no CMS", b"\x30\x80", b"\x30\x03\x02\x01\x00", structures.content_info(structures.DATA, b"\x05\x00")],
    ids=["nothing", "text", "endless", "another structure", "another type"],
)
def test_what_is_no_message_is_malformed(octets):
    for reader in (read, read_signed, read_degenerate):
        with pytest.raises(Malformed):
            reader(octets)


def test_an_attribute_that_is_there_twice_is_malformed(draft):
    def twice(data):
        attributes = data["signerInfos"][0]["signedAttrs"]
        attributes.append(structures.attribute(TRANSACTION_ID, [structures.printable("another")]))

    draft.spoil_signed.append(twice)
    with pytest.raises(Malformed, match="twice"):
        read(draft.message())


def test_an_envelope_is_for_who_has_the_key(draft, client):
    with pytest.raises(Malformed):
        open_envelope(draft.envelope(), client)


def test_a_leaf_certifies_no_other_certificate_of_the_bag(client, ca):
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name("CA"), name("device"), client.key.public_key(), 7, now, now + dt.timedelta(1))
    issued = builder.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.DER)
    assert leaf([ca.certificate, issued]) == [issued]
    assert leaf([issued, client.certificate]) == [issued, client.certificate]


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (200, b""), (200, b"-----BEGIN CERTIFICATE-----")], ids=["not found", "nothing", "PEM"]
)
def test_a_ca_certificate_that_cannot_be_used_is_said(status, body):
    with pytest.raises(Problem):
        read_ca(HttpResponse(status, (("Content-Type", "application/x-x509-ca-cert"),), body, HttpRequest("GET", URL)))


def test_a_chain_is_read_whatever_it_is_called(ca):
    only = structures.SignedData()
    only["version"] = 1
    only["digestAlgorithms"].clear()
    only["encapContentInfo"]["eContentType"] = structures.DATA
    only["certificates"].append(ca.certificate)
    only["signerInfos"].clear()
    bag = structures.content_info(structures.SIGNED_DATA, structures.encode(only))
    for body, kind in ((bag, "application/x-x509-ca-ra-cert"), (bag, "application/pkcs7-mime"), (ca.certificate, "text/plain")):
        found = read_ca(HttpResponse(200, (("Content-Type", kind),), body, HttpRequest("GET", URL)))
        assert (found.recipient, found.issuer) == (ca.certificate, ca.certificate)


def test_a_profile_in_which_a_person_decides_takes_the_place_of_the_targets():
    target = Target(scep=ScepTarget(url="u", code="c", approval_url="w", approval_code="d"))
    changed = target.at("scep", {"url": "x", "code": "e", "approval": True}).scep
    assert (changed.url, changed.code, changed.approval_url, changed.approval_code) == ("x", "e", "x", "e")
    assert target.at("scep", {"url": "x"}).scep.approval_url == "w"
