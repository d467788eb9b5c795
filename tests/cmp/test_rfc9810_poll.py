"""Waiting and polling: for a person's decision, and for any request that is answered later (RFC 9810 section 5.3.22, RFC 9483 section 4.4)."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from privca.base.entropy import SystemEntropy
from privca.cmp.service import CmpService
from privca.enrollment.ports import Decision
from privca.issuance.ports import CertificateStatus
from tests.support import cmp
from tests.support.issuance_lab import run

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def attended(lab):
    """A profile whose requests a person decides about."""
    lab.options(approval_always=True)
    return lab


def decide(lab, decision, which=None):
    waiting = [one for one in run(lab.store.waiting_requests(lab.profile.id)) if one.decision is Decision.WAITING]
    for request in waiting if which is None else [waiting[which]]:
        decided = replace(request, decision=decision, decided=lab.clock.now(), decided_by="somebody")
        run(lab.store.decide_request(decided))


def poll(client, *ids, **changes):
    return client.call(cmp.POLLREQ, cmp.poll_request(*(ids or (0,))), **changes)


def test_section_5_3_22_a_request_waits_for_a_person(attended):
    lab, client = attended, attended.client()
    answer = client.enroll(cmp.Request(KEY))
    assert (answer.kind, answer.status()[:2]) == (cmp.IP, (3, ""))
    assert len(answer.responses[0].inside) == 2
    answer = poll(client)
    assert (answer.kind, answer.verify(client.protection)) == (cmp.POLLREP, "mac")
    assert answer.content[0][0].number == 0
    assert answer.content[0][1].number > 0
    decide(lab, Decision.APPROVED)
    answer = poll(client)
    assert (answer.kind, answer.status()[0]) == (cmp.IP, 0)
    certificate = answer.certificate()
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    assert lab.status(certificate) is CertificateStatus.ISSUED


def test_section_5_3_22_a_person_says_no(attended):
    client = attended.client()
    client.enroll(cmp.Request(KEY))
    decide(attended, Decision.REJECTED)
    answer = poll(client, -1)
    assert (answer.kind, answer.status()[:2]) == (cmp.IP, (2, "notAuthorized"))
    assert poll(client).status()[1] == "badRequest"
    assert attended.certificates() == []


def test_section_5_3_22_two_requests_one_after_the_other(attended):
    lab, client = attended, attended.client()
    client.enroll(cmp.Request(KEY, "a", id=0), cmp.Request(OTHER, "b", id=1))
    decide(lab, Decision.APPROVED, 0)
    first = poll(client, 0, 1)
    assert [one[0].number for one in first.responses] == [0]
    assert client.confirm(cmp.cert_status(first.certificate())).kind == cmp.PKICONF
    assert poll(client, 1).kind == cmp.POLLREP
    decide(lab, Decision.APPROVED)
    second = poll(client, 1)
    assert [one[0].number for one in second.responses] == [1]
    assert client.confirm(cmp.cert_status(second.certificate(), id=1)).kind == cmp.PKICONF
    assert {lab.status(one.certificate()) for one in (first, second)} == {CertificateStatus.ISSUED}


def test_section_5_3_22_with_implicit_confirmation(attended):
    client = attended.client()
    asked = cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.13"), cmp.NULL)
    assert client.enroll(cmp.Request(KEY), information=(asked,)).status()[0] == 3
    decide(attended, Decision.APPROVED)
    answer = poll(client)
    assert answer.information("1.3.6.1.5.5.7.4.13") is not None
    attended.advance(days=1)
    attended.resume()
    assert attended.status(answer.certificate()) is CertificateStatus.ISSUED


def test_the_confirmation_time_begins_when_the_certificate_is_sent(attended):
    client = attended.client()
    client.enroll(cmp.Request(KEY))
    attended.advance(hours=3)
    attended.resume()
    decide(attended, Decision.APPROVED)
    certificate = poll(client).certificate()
    attended.advance(minutes=9)
    attended.resume()
    assert attended.status(certificate) is CertificateStatus.ISSUED
    attended.advance(minutes=2)
    attended.resume()
    assert attended.status(certificate) is CertificateStatus.REVOKED


def test_a_transaction_survives_a_restart(attended):
    client = attended.client()
    client.enroll(cmp.Request(KEY))
    decide(attended, Decision.APPROVED)
    attended.service = CmpService(attended.service._core, attended.clock, SystemEntropy())
    assert poll(client).status()[0] == 0


@pytest.mark.parametrize(
    ("ids", "failure"), [((5,), "badCertId"), ((0, 0), "badDataFormat"), ((), "badDataFormat")], ids=["unknown", "twice", "none"]
)
def test_a_poll_for_what_is_not_there_is_an_error(attended, ids, failure):
    client = attended.client()
    client.enroll(cmp.Request(KEY))
    answer = client.call(cmp.POLLREQ, cmp.poll_request(*ids))
    assert (answer.kind, answer.status()[1]) == (cmp.ERROR, failure)


def test_a_poll_outside_of_a_transaction_is_an_error(lab):
    assert poll(lab.client()).status()[1] == "badRequest"


def delayed(lab, *requests):
    lab.options(delayed=requests, check_after=7)
    return lab


@pytest.mark.parametrize("body", [cmp.IR, cmp.CR], ids=["ir", "cr"])
def test_rfc9483_4_4_a_delayed_enrollment(lab, body):
    client = delayed(lab, "ir", "cr").client()
    answer = client.enroll(cmp.Request(KEY, id=4), body=body)
    assert (answer.kind, answer.status()[0], answer.responses[0][0].number) == (body + 1, 3, 4)
    answer = poll(client, 4)
    assert (answer.kind, answer.content[0][1].number) == (cmp.POLLREP, 7)
    assert lab.certificates() == []
    lab.advance(seconds=7)
    answer = poll(client, 4)
    assert (answer.kind, answer.status()[0]) == (body + 1, 0)
    assert client.confirm(cmp.cert_status(answer.certificate(), id=4)).kind == cmp.PKICONF


def test_rfc9483_4_4_a_delayed_genm(lab):
    client = delayed(lab, "genm").client()
    question = cmp.seq(cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.17")))
    answer = client.begin().call(cmp.GENM, question)
    assert (answer.kind, answer.status()[:2]) == (cmp.ERROR, (3, ""))
    answer = poll(client, -1)
    assert (answer.kind, answer.content[0][0].number) == (cmp.POLLREP, -1)
    lab.advance(seconds=7)
    answer = poll(client, -1)
    assert (answer.kind, answer.verify(client.protection)) == (cmp.GENP, "mac")
    assert lab.transaction(client) is None


def test_rfc9483_4_4_a_delayed_revocation(lab):
    signer = lab.device()
    client = delayed(lab, "rr").client(signer)
    number = cmp.integer(signer.certificate.serial_number)
    wish = cmp.seq(cmp.seq(b"\x81" + number[1:], cmp.tlv(0xA3, signer.certificate.issuer.public_bytes())))
    assert client.begin().call(cmp.RR, cmp.seq(wish)).status()[0] == 3
    assert lab.status(signer.certificate) is CertificateStatus.ISSUED
    lab.advance(seconds=8)
    assert poll(client, -1).status()[0] == 0
    assert lab.status(signer.certificate) is CertificateStatus.REVOKED


def test_rfc9483_4_4_a_delayed_refusal(lab):
    client = delayed(lab, "ir").client()
    assert client.enroll(cmp.Request(KEY, signer=OTHER)).status()[0] == 3
    lab.advance(seconds=7)
    assert poll(client, -1).status()[:2] == (2, "badPOP")
    assert poll(client, -1).status()[1] == "badRequest"
