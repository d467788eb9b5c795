"""CMP over HTTP (RFC 9811) and the operation labels of RFC 9483 section 6.1."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import cmp

KEY = ec.generate_private_key(ec.SECP256R1())


def message(lab):
    return lab.client().message(cmp.IR, cmp.seq(cmp.Request(KEY).encode())).encode()


def test_section_3_1_an_answer_is_200_with_the_media_type(lab):
    response = lab.post(message(lab))
    assert (response.status, response.header("content-type")) == (200, "application/pkixcmp")
    assert response.header("cache-control") == "no-store"


@pytest.mark.parametrize("content_type", ["application/pkixcmp; x=y", "Application/PKIXCMP", "application/pkixcmp-poll"])
def test_section_3_2_and_4_media_types_that_mean_the_same(lab, content_type):
    assert lab.post(message(lab), content_type=content_type).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_section_3_1_another_method_is_405(lab, method):
    response = lab.post(b"", method=method)
    assert (response.status, response.header("allow")) == (405, "POST")
    assert cmp.Reply(response.body).status()[1] == "badRequest"


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/pkcs10"])
def test_section_3_2_another_media_type_is_415(lab, content_type):
    response = lab.post(message(lab), content_type=content_type)
    assert (response.status, cmp.Reply(response.body).status()[1]) == (415, "badRequest")
    assert lab.certificates() == []


@pytest.mark.parametrize("body", [b"", b"\0", b"\x30\x00", b"\x30\x80\0\0", b"hello", b"\x30\x84\xff\xff\xff\xff"], ids=repr)
def test_what_is_no_message_is_400_and_costs_no_signature(lab, body):
    response = lab.post(body)
    answer = cmp.Reply(response.body)
    assert (response.status, answer.kind, answer.status()[1], answer.protection) == (400, cmp.ERROR, "badDataFormat", None)


def test_octets_behind_a_message_are_refused(lab):
    assert lab.post(message(lab) + b"\0").status == 400
    assert lab.certificates() == []


def test_an_error_that_a_message_explains_is_200(lab):
    assert lab.post(lab.client().message(cmp.IP, b"\x30\x00").encode()).status == 200


@pytest.mark.parametrize("body", [15, 16, 17, 18], ids=["ckuann", "cann", "rann", "crlann"])
def test_section_3_5_an_announcement_that_is_not_taken_is_no_200(lab, body):
    response = lab.post(lab.client().message(body, b"\x30\x00").encode())
    assert (response.status, cmp.Reply(response.body).status()[1]) == (400, "badRequest")


LABELS = {"initialization": cmp.IR, "certification": cmp.CR, "keyupdate": cmp.KUR, "pkcs10": cmp.P10CR, "revocation": cmp.RR}


@pytest.mark.parametrize("label", LABELS)
def test_rfc9483_6_1_a_label_takes_its_own_operation(lab, label):
    lab.label = label
    client = lab.client()
    for body in LABELS.values():
        answer = client.begin().call(body, cmp.seq(cmp.Request(KEY).encode()))
        foreign = "does not belong to the operation" in answer.status()[2]
        assert foreign == (body != LABELS[label])


def test_rfc9483_6_1_a_whole_transaction_at_a_label(lab):
    lab.label = "initialization"
    client = lab.client()
    certificate = client.enroll(cmp.Request(KEY)).certificate()
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF


def test_rfc9483_6_1_an_unknown_label(lab):
    lab.label = "elsewhere"
    assert lab.client().enroll(cmp.Request(KEY)).status()[1] == "badCertId"


@pytest.mark.parametrize(
    ("status", "failure"), [(404, "badRequest"), (413, "badDataFormat"), (500, "systemFailure"), (503, "systemUnavail")]
)
def test_errors_from_outside_are_said_in_cmp(lab, status, failure):
    response = lab.service.failure(None, None, None, status, "said outside")
    assert (response.status, response.header("content-type")) == (status, "application/pkixcmp")
    assert cmp.Reply(response.body).status() == (2, failure, "said outside (RFC 9811 section 3.1)")
