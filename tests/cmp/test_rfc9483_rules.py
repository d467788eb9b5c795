"""The Lightweight CMP Profile as a profile can require it (RFC 9483), rule by rule."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from privca.issuance.ports import CertificateStatus
from tests.support import cmp

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
BY_NAME = cmp.Pbm(sender=cmp.name("lab"))


@pytest.fixture
def strict(lab):
    lab.options(rules="rfc9483")
    return lab


def test_sections_3_and_4_1_a_light_client_is_served(strict):
    client = strict.client(BY_NAME)
    answer = client.enroll(cmp.Request(KEY))
    assert answer.status()[0] == 0, answer.status()
    assert client.confirm(cmp.cert_status(answer.certificate())).kind == cmp.PKICONF
    signer = cmp.Signer(answer.certificate(), KEY)
    client = strict.client(signer)
    answer = client.enroll(cmp.Request(OTHER), body=cmp.KUR)
    assert answer.status()[0] == 0, answer.status()


def info(number, value=b""):
    return cmp.seq(cmp.oid(f"1.3.6.1.5.5.7.4.{number}"), value)


HEADER = {
    "transactionID of another length": ({"transaction_id": bytes(15)}, "badDataFormat"),
    "sender that is not the reference": ({"protection": cmp.Pbm()}, "badMessageCheck"),
    "confirmWaitTime in a request": ({"information": (info(14, cmp.tlv(0x18, b"20300101000000Z")),)}, "badRequest"),
    "implicitConfirm with a value": ({"information": (info(13, cmp.integer(1)),)}, "badDataFormat"),
}


@pytest.mark.parametrize("case", HEADER)
def test_section_3_1_header(strict, case):
    changes, failure = HEADER[case]
    assert strict.client(BY_NAME).enroll(cmp.Request(KEY), **changes).status()[1] == failure
    strict.options(rules="rfc9810")
    assert strict.client(BY_NAME).enroll(cmp.Request(KEY), **changes).status()[0] == 0


@pytest.mark.parametrize(("number", "value"), [(13, cmp.NULL), (21, cmp.seq(cmp.utf8("lab")))], ids=["implicit", "profile"])
def test_section_3_1_what_belongs_to_other_messages(strict, number, value):
    client = strict.client(BY_NAME)
    answer = client.enroll(cmp.Request(KEY))
    certificate = answer.certificate()
    refused = client.confirm(cmp.cert_status(certificate), information=(info(number, value),))
    assert refused.status()[1] == "badRequest"


REQUESTS = {
    "certReqId 1": (cmp.Request(KEY, id=1), "badRequest"),
    "no subject": (cmp.Request(KEY, None), "badCertTemplate"),
    "encrCert": (cmp.Request(KEY, proof=b"\xa3\x03\x81\x01\x00"), "badPOP"),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_section_4_1_1_request(strict, case):
    request, failure = REQUESTS[case]
    assert strict.client(BY_NAME).enroll(request).status()[1] == failure


def test_section_4_1_1_one_request_in_a_message(strict):
    assert strict.client(BY_NAME).enroll(cmp.Request(KEY), cmp.Request(OTHER, id=1)).status()[1] == "badRequest"


def device(lab):
    lab.options(rules="rfc9810")
    signer = lab.device()
    lab.options(rules="rfc9483")
    return signer


def test_section_4_1_3_an_update_is_signed_with_what_it_updates(lab):
    signer = device(lab)
    assert lab.client(BY_NAME).enroll(cmp.Request(OTHER), body=cmp.KUR).status()[1] == "wrongIntegrity"
    issuer = cmp.tlv(0xA4, signer.certificate.issuer.public_bytes())
    control = cmp.seq(cmp.oid("1.3.6.1.5.5.7.5.1.5"), cmp.seq(issuer, cmp.integer(4711)))
    assert lab.client(signer).enroll(cmp.Request(OTHER, controls=(control,)), body=cmp.KUR).status()[1] == "badCertId"


def test_section_5_1_1_a_certificate_asks_for_its_own_subject(lab):
    lab.options(rename=True)
    signer = device(lab)
    assert lab.client(signer).enroll(cmp.Request(OTHER, "somebody"), body=cmp.CR).status()[1] == "notAuthorized"
    assert lab.client(signer).enroll(cmp.Request(OTHER), body=cmp.CR).status()[0] == 0


def test_section_4_2_a_revocation_is_signed_with_what_it_revokes(lab):
    signer = device(lab)
    number = cmp.integer(signer.certificate.serial_number)
    wish = cmp.seq(cmp.seq(b"\x81" + number[1:], cmp.tlv(0xA3, signer.certificate.issuer.public_bytes())))
    refused = lab.client(BY_NAME).begin().call(cmp.RR, cmp.seq(wish))
    assert refused.status()[1] == "notAuthorized"
    client = lab.client(signer)
    assert client.begin().call(cmp.RR, cmp.seq(wish, wish)).status()[1] == "badRequest"
    assert client.begin().call(cmp.RR, cmp.seq(wish)).status()[0] == 0


def test_section_4_3_one_question_in_a_message(strict):
    client = strict.client(BY_NAME)
    assert client.begin().call(cmp.GENM, cmp.seq(info(17), info(2))).status()[1] == "badRequest"
    assert client.begin().call(cmp.GENM, cmp.seq(info(17))).kind == cmp.GENP


def test_section_3_3_the_signer_comes_in_the_first_message(lab):
    signer = device(lab)
    assert lab.client(signer).enroll(cmp.Request(OTHER), body=cmp.CR, certificates=()).status()[1] == "badMessageCheck"
    client = lab.client(signer)
    answer = client.enroll(cmp.Request(OTHER), body=cmp.CR)
    assert client.confirm(cmp.cert_status(answer.certificate()), certificates=()).kind == cmp.PKICONF


@pytest.mark.parametrize("order", ["behind its CA", "behind somebody else's"])
def test_section_3_3_the_signer_may_stand_in_another_place(lab, order):
    (other,), signer = lab.device(OTHER, "device-2").certificates, device(lab)
    (own,) = signer.certificates
    chain = [one.public_bytes(Encoding.DER) for one in lab.client(signer).enroll(cmp.Request(OTHER), body=cmp.CR).extra]
    before = {"behind its CA": chain, "behind somebody else's": [other]}[order]
    assert lab.client(signer).enroll(cmp.Request(OTHER), body=cmp.CR, certificates=(*before, own)).status()[0] == 0


def test_section_3_3_the_first_is_the_signer_where_no_senderkid_tells_another(lab):
    (other,), signer = lab.device(OTHER, "device-2").certificates, replace(device(lab), key_identifier=None)
    (own,) = signer.certificates
    assert lab.client(signer).enroll(cmp.Request(OTHER), body=cmp.CR, certificates=(own, other)).status()[0] == 0
    assert lab.client(signer).enroll(cmp.Request(OTHER), body=cmp.CR, certificates=(other, own)).status()[1] == "badMessageCheck"


def test_section_3_3_a_signer_that_cannot_be_read(lab):
    signer = device(lab)
    (own,) = signer.certificates
    old = own.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1)
    assert lab.client(signer).enroll(cmp.Request(OTHER), body=cmp.CR, certificates=(old,)).status()[1] == "badDataFormat"
    # One that is no signer is looked at as far as it goes.
    assert lab.client(signer).enroll(cmp.Request(OTHER), body=cmp.CR, certificates=(old, own)).status()[0] == 0


def wrong(client, certificate):
    return client.confirm(cmp.cert_status(certificate, digest="sha512"))


def test_section_3_6_4_an_error_ends_the_operation(strict):
    client = strict.client(BY_NAME)
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    assert wrong(client, certificate).status()[1] == "badCertId"
    assert strict.transaction(client) is None
    assert strict.status(certificate) is CertificateStatus.REVOKED
    assert client.confirm(cmp.cert_status(certificate)).status()[1] == "badRequest"


def test_section_3_6_4_who_has_not_begun_an_operation_does_not_end_it(strict):
    client = strict.client(BY_NAME)
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    answer, other = client.answer, strict.client(device(strict))
    other.transaction_id = client.transaction_id
    assert wrong(other, certificate).status()[1] == "badMessageCheck"
    client.confirm(cmp.cert_status(certificate), spoil=True)
    client.answer = answer
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF


def test_section_3_6_4_a_confirmation_that_comes_again_takes_nothing_back(strict):
    client = strict.client(BY_NAME)
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    assert client.confirm(cmp.cert_status(certificate)).status()[1] == "certConfirmed"
    assert strict.status(certificate) is CertificateStatus.ISSUED


def test_rfc9810_an_error_in_a_confirmation_can_be_mended(lab):
    client = lab.client(BY_NAME)
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    assert client.confirm(cmp.cert_status(certificate, id=1)).status()[1] == "badCertId"
    right = client.confirm(cmp.cert_status(certificate), recip_nonce=lab.transaction(client).nonce)
    assert right.kind == cmp.PKICONF
