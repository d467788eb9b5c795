"""ir, cr, kur, p10cr and their answers (RFC 9810 sections 5.3.1 to 5.3.6, 5.3.18; RFC 9483 section 4.1)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from privca.issuance.ports import CertificateStatus
from tests.support import cmp

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def test_section_5_3_1_ir_with_a_shared_secret_and_certconf(lab):
    client = lab.client()
    answer = client.enroll(cmp.Request(KEY))
    assert (answer.kind, answer.verify(client.protection)) == (cmp.IP, "mac")
    assert answer.status()[:2] == (0, "")
    certificate = answer.certificate()
    assert certificate.public_key() == KEY.public_key()
    assert certificate.subject.rfc4514_string() == "CN=device-1"
    assert answer.responses[0][0].number == 0
    confirmed = client.confirm(cmp.cert_status(certificate, status=0))
    assert (confirmed.kind, confirmed.verify(client.protection), confirmed.content.raw) == (cmp.PKICONF, "mac", cmp.NULL)
    assert lab.status(certificate) is CertificateStatus.ISSUED


def test_section_5_3_2_an_ip_under_a_secret_has_the_root_in_capubs_and_the_chain_in_extracerts(lab):
    answer = lab.client().enroll(cmp.Request(KEY))
    (root,) = answer.ca_pubs
    assert root.subject == root.issuer
    issuing = answer.extra[0]
    answer.certificate().verify_directly_issued_by(issuing)
    assert root in answer.extra


def test_rfc9483_4_1_2_no_capubs_in_cp_or_under_a_signature(lab):
    signer = lab.device()
    client = lab.client(signer)
    for body in (cmp.CR, cmp.IR):
        answer = client.enroll(cmp.Request(OTHER), body=body)
        assert answer.ca_pubs == []
        assert answer.verify(signer) == "signature"
    assert lab.client().enroll(cmp.Request(OTHER), body=cmp.CR).ca_pubs == []


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(rsa.generate_private_key(65537, 2048), id="RSA"),
        pytest.param(ec.generate_private_key(ec.SECP384R1()), id="P-384"),
        pytest.param(ec.generate_private_key(ec.SECP521R1()), id="P-521"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), id="Ed25519"),
        pytest.param(ed448.Ed448PrivateKey.generate(), id="Ed448"),
        pytest.param(mldsa.MLDSA44PrivateKey.generate(), id="ML-DSA-44"),
        pytest.param(mldsa.MLDSA65PrivateKey.generate(), id="ML-DSA-65"),
        pytest.param(mldsa.MLDSA87PrivateKey.generate(), id="ML-DSA-87"),
    ],
)
def test_section_5_2_8_2_every_kind_of_key_proves_its_possession_and_protects_messages(lab, key):
    signer = lab.device(key)
    assert signer.certificate.public_key() == key.public_key()
    answer = lab.client(signer).enroll(cmp.Request(KEY), body=cmp.CR)
    assert answer.status()[0] == 0
    assert answer.verify(signer) == "signature"


def test_rfc9481_3_2_rsassa_pss_protects_messages(lab):
    key = rsa.generate_private_key(65537, 2048)
    signer = cmp.Signer(lab.device(key).certificate, key, pss=True, digest="sha384")
    assert lab.client(signer).enroll(cmp.Request(KEY), body=cmp.CR).status()[0] == 0


@pytest.mark.parametrize("owf", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("mac", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_rfc9481_6_1_1_every_password_based_mac(lab, owf, mac):
    client = lab.client(cmp.Pbm(owf=owf, mac=mac))
    assert client.enroll(cmp.Request(KEY)).verify(client.protection) == "mac"


@pytest.mark.parametrize("prf", ["sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("length", [None, 20, 64])
def test_rfc9481_6_1_2_pbmac1_with_any_prf(lab, prf, length):
    client = lab.client(cmp.Pbmac1(prf=prf, length=length))
    answer = client.enroll(cmp.Request(KEY))
    assert answer.verify(client.protection) == "mac"
    assert client.confirm(cmp.cert_status(answer.certificate())).verify(client.protection) == "mac"


def test_rfc9481_6_1_a_reply_has_a_salt_of_its_own_and_as_many_iterations_as_the_profile_wants(lab):
    lab.options(iterations=1000)
    client = lab.client(cmp.Pbm(iterations=200))
    parameters = client.enroll(cmp.Request(KEY)).field(1)[1]
    assert parameters[0].content != client.protection.salt
    assert parameters[2].number == 1000
    assert lab.client(cmp.Pbm(iterations=2000)).enroll(cmp.Request(KEY)).field(1)[1][2].number == 2000


def test_section_5_1_1_the_header_of_an_answer(lab):
    client = lab.client()
    answer = client.enroll(cmp.Request(KEY), information=(cmp.seq(cmp.oid("1.2.3.4"), cmp.integer(7)),))
    assert answer.pvno == 2
    assert answer.field(0).text == f"{lab.clock.now():%Y%m%d%H%M%SZ}"
    assert len(answer.sender_nonce) == 16
    assert answer.header[2].raw == cmp.tlv(0xA4, b"\x30\x00")
    assert answer.sender_kid == b"lab"
    confirmed = client.confirm(cmp.cert_status(answer.certificate()))
    assert confirmed.sender_nonce != answer.sender_nonce


def test_section_7_an_answer_has_the_version_of_the_request(lab):
    assert lab.client(pvno=3).enroll(cmp.Request(KEY)).pvno == 3


def test_section_5_1_1_1_implicit_confirmation_is_granted_if_asked_for(lab):
    asked = cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.13"), cmp.NULL)
    client = lab.client()
    answer = client.enroll(cmp.Request(KEY), information=(asked,))
    assert answer.information("1.3.6.1.5.5.7.4.13").raw == asked
    assert answer.information("1.3.6.1.5.5.7.4.14") is None
    assert lab.transaction(client) is None
    lab.advance(days=1)
    lab.resume()
    assert lab.status(answer.certificate()) is CertificateStatus.ISSUED


def test_section_5_1_1_1_a_profile_can_insist_on_confirmation(lab):
    lab.options(implicit_confirm=False)
    answer = lab.client().enroll(cmp.Request(KEY), information=(cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.13"), cmp.NULL),))
    assert answer.information("1.3.6.1.5.5.7.4.13") is None
    assert answer.information("1.3.6.1.5.5.7.4.14")[1].text == f"{lab.clock.now():%Y%m%d}031405Z"


def test_section_5_1_1_2_what_nobody_confirms_is_revoked_and_its_transaction_forgotten(lab):
    client = lab.client()
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    lab.advance(minutes=9)
    lab.resume()
    assert lab.status(certificate) is CertificateStatus.ISSUED
    lab.advance(minutes=1)
    lab.resume()
    assert lab.status(certificate) is CertificateStatus.REVOKED
    assert lab.transaction(client) is None
    late = client.confirm(cmp.cert_status(certificate))
    assert (late.kind, late.status()[1]) == (cmp.ERROR, "badRequest")


def test_section_5_1_1_2_a_confirmation_that_comes_too_late_finds_it_revoked_without_the_regular_job(lab):
    client = lab.client()
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    lab.advance(minutes=10)
    assert client.confirm(cmp.cert_status(certificate)).status()[1] == "badRequest"
    assert lab.status(certificate) is CertificateStatus.REVOKED


def test_section_5_3_4_several_requests_in_one_message_are_answered_one_by_one(lab):
    client = lab.client()
    spoilt = cmp.Request(KEY, "b", id=7, signer=OTHER)
    answer = client.enroll(cmp.Request(KEY, "a", id=3), spoilt, cmp.Request(OTHER, "c", id=12))
    assert [response[0].number for response in answer.responses] == [3, 7, 12]
    assert answer.status(1)[:2] == (2, "badPOP")
    first, last = answer.certificate(0), answer.certificate(2)
    confirmed = client.confirm(cmp.cert_status(last, id=12), cmp.cert_status(first, id=3))
    assert confirmed.kind == cmp.PKICONF
    assert lab.status(first) is lab.status(last) is CertificateStatus.ISSUED
    assert len(lab.certificates()) == 2


def test_section_5_3_18_what_a_confirmation_leaves_out_is_rejected(lab):
    client = lab.client()
    answer = client.enroll(cmp.Request(KEY, "a", id=0), cmp.Request(OTHER, "b", id=1))
    assert client.confirm(cmp.cert_status(answer.certificate(0))).kind == cmp.PKICONF
    assert lab.status(answer.certificate(0)) is CertificateStatus.ISSUED
    assert lab.status(answer.certificate(1)) is CertificateStatus.REVOKED


def test_section_5_3_18_a_client_rejects_its_certificate(lab):
    client = lab.client()
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    assert client.confirm(cmp.cert_status(certificate, status=2)).kind == cmp.PKICONF
    assert lab.status(certificate) is CertificateStatus.REVOKED


def test_section_5_3_18_hashalg_with_version_3(lab):
    client = lab.client()
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    confirmed = client.confirm(cmp.cert_status(certificate, digest="sha512", hash_alg=cmp.HASHES["sha512"]), pvno=3)
    assert confirmed.kind == cmp.PKICONF


def csr(key=KEY, subject="device-1"):
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_section_5_3_4_p10cr_has_the_certreqid_minus_one(lab):
    client = lab.client()
    answer = client.begin().call(cmp.P10CR, csr())
    assert (answer.kind, answer.responses[0][0].number) == (cmp.CP, -1)
    assert client.confirm(cmp.cert_status(answer.certificate(), id=-1)).kind == cmp.PKICONF


def test_section_5_3_4_a_p10cr_is_not_confirmed_with_zero(lab):
    client = lab.client()
    answer = client.begin().call(cmp.P10CR, csr())
    refused = client.confirm(cmp.cert_status(answer.certificate(), id=0))
    assert (refused.kind, refused.status()[1]) == (cmp.ERROR, "badCertId")


def test_section_5_3_5_kur_takes_subject_and_names_from_the_certificate_that_it_updates(lab):
    names = x509.SubjectAlternativeName([x509.DNSName("a.example.test"), x509.DNSName("b.example.test")])
    signer = lab.device(extensions=(cmp.extension(names),))
    client = lab.client(signer)
    answer = client.enroll(cmp.Request(OTHER, None), body=cmp.KUR)
    assert answer.kind == cmp.KUP
    new = answer.certificate()
    assert new.subject == signer.certificate.subject
    assert new.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == names
    assert new.public_key() == OTHER.public_key()
    assert client.confirm(cmp.cert_status(new)).kind == cmp.PKICONF


def old_cert_id(certificate):
    issuer = cmp.tlv(0xA4, certificate.issuer.public_bytes())
    return cmp.seq(cmp.oid("1.3.6.1.5.5.7.5.1.5"), cmp.seq(issuer, cmp.integer(certificate.serial_number)))


def test_rfc4211_6_5_kur_names_the_old_certificate(lab):
    signer = lab.device()
    request = cmp.Request(OTHER, controls=(old_cert_id(signer.certificate),))
    assert lab.client(signer).enroll(request, body=cmp.KUR).status()[0] == 0


def test_rfc4211_6_5_an_old_certificate_of_somebody_else_is_refused(lab):
    signer, other = lab.device(), lab.device(OTHER, "device-2")
    run_as_other = cmp.Signer(other.certificate, OTHER)
    foreign = lab.record(other.certificate)
    assert foreign.identity == lab.record(signer.certificate).identity, "both were enrolled under one code"
    request = cmp.Request(KEY, controls=(old_cert_id(signer.certificate),))
    answer = lab.client(run_as_other).enroll(request, body=cmp.KUR)
    assert answer.status()[1] == "badCertId"


def test_rfc4211_4_1_a_request_without_subject_needs_a_poposkinput_unless_the_profile_is_tolerant(lab):
    names = (cmp.extension(x509.SubjectAlternativeName([x509.DNSName("a.example.test")])),)
    request = cmp.Request(KEY, None, extensions=names)
    assert lab.client().enroll(request).status()[0] == 0
    lab.options(tolerant=False)
    assert lab.client().enroll(request).status()[1] == "badPOP"


def validity(before, after):
    return {4: cmp.tlv(0xA4, cmp.tlv(0xA0, cmp.time(before)), cmp.tlv(0xA1, cmp.time(after)))}


def test_rfc4211_5_a_validity_that_can_be_granted_is(lab):
    now = lab.clock.now()
    answer = lab.client().enroll(cmp.Request(KEY, more=validity(now, now + timedelta(days=3))))
    assert answer.status()[0] == 0
    assert answer.certificate().not_valid_after_utc == now + timedelta(days=3)


def test_section_5_2_3_a_validity_that_is_too_long_is_granted_with_modifications(lab):
    now = lab.clock.now()
    answer = lab.client().enroll(cmp.Request(KEY, more=validity(now, now + timedelta(days=36500))))
    assert answer.status()[0] == 1
    assert answer.certificate().not_valid_after_utc < now + timedelta(days=91)


def test_section_5_1_1_4_a_profile_that_the_endpoint_allows_is_chosen(lab):
    lab.make_profile("short", validity="1d")
    chosen = cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.21"), cmp.seq(cmp.utf8("short")))
    assert lab.client().enroll(cmp.Request(KEY), information=(chosen,)).status()[1] == "notAuthorized"
    lab.options(cert_profiles=("short",))
    client = lab.client()
    certificate = client.enroll(cmp.Request(KEY), information=(chosen,)).certificate()
    assert lab.record(certificate).profile_id == "short"
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    assert lab.status(certificate) is CertificateStatus.ISSUED
