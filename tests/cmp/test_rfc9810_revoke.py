"""rr and rp (RFC 9810 sections 5.3.9 and 5.3.10, RFC 9483 sections 4.2 and 5.1.3)."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from privca.issuance.ports import CertificateStatus
from tests.support import cmp

OTHER = ec.generate_private_key(ec.SECP256R1())


def entry(*extensions):
    return cmp.seq(*extensions)


def reason(number):
    return cmp.seq(cmp.oid("2.5.29.21"), cmp.octets(bytes((10, 1, number))))


def details(certificate, *extensions, serial=None, issuer=None):
    issuer = certificate.issuer.public_bytes() if issuer is None else issuer
    number = cmp.integer(certificate.serial_number if serial is None else serial)
    return cmp.seq(cmp.seq(b"\x81" + number[1:], cmp.tlv(0xA3, issuer)), entry(*extensions) if extensions else b"")


def ask(client, *wishes, **changes):
    return client.begin().call(cmp.RR, cmp.seq(*wishes), **changes)


@pytest.fixture
def ra(lab):
    return lab.ra()


@pytest.mark.parametrize("number", [0, 1, 3, 4, 5, 9])
def test_rfc9483_4_2_a_device_revokes_its_own_certificate(lab, number):
    signer = lab.device()
    answer = ask(lab.client(signer), details(signer.certificate, reason(number)))
    assert (answer.kind, answer.status()[:2], answer.verify(signer)) == (cmp.RP, (0, ""), "signature")
    record = lab.record(signer.certificate)
    assert (record.status, int(record.reason)) == (CertificateStatus.REVOKED, number)


def test_section_5_3_10_rp_names_what_was_revoked(lab):
    signer = lab.device()
    answer = ask(lab.client(signer), details(signer.certificate, reason(1)))
    (named,) = answer.content.tagged(0)[0].inside
    assert named[0].raw == cmp.tlv(0xA4, signer.certificate.issuer.public_bytes())
    assert named[1].number == signer.certificate.serial_number


def test_section_5_3_9_without_a_reason_it_is_unspecified(lab):
    signer = lab.device()
    assert ask(lab.client(signer), details(signer.certificate)).status()[0] == 0
    assert lab.record(signer.certificate).reason == 0


def test_rfc5280_5_3_2_the_invalidity_date_is_kept(lab):
    signer = lab.device()
    at = cmp.time(lab.clock.now().replace(year=2025))
    date = cmp.seq(cmp.oid("2.5.29.24"), cmp.octets(at))
    assert ask(lab.client(signer), details(signer.certificate, reason(1), date)).status()[0] == 0
    assert lab.record(signer.certificate).invalidity_date.year == 2025


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 9, 10])
def test_rfc9483_5_3_2_an_ra_revokes_for_others_for_every_reason(lab, ra, number):
    signer = lab.device()
    assert ask(lab.client(ra), details(signer.certificate, reason(number))).status()[:2] == (0, "")
    assert lab.record(signer.certificate).reason == number


def test_rfc5280_5_3_1_hold_and_release(lab):
    signer, client = lab.device(), lab.client()
    assert ask(client, details(signer.certificate, reason(6))).status()[0] == 0
    assert lab.status(signer.certificate) is CertificateStatus.HELD
    assert ask(client, details(signer.certificate, reason(6))).status()[1] == "certRevoked"
    assert ask(client, details(signer.certificate, reason(8))).status()[0] == 0
    assert lab.status(signer.certificate) is CertificateStatus.ISSUED
    assert ask(client, details(signer.certificate, reason(8))).status()[1] == "badRequest"


def test_section_5_3_9_by_template_with_key_and_subject(lab):
    signer = lab.device()
    template = cmp.Request(signer.key, "device-1").template()
    answer = ask(lab.client(), cmp.seq(template, entry(reason(4))))
    assert answer.status()[0] == 0
    assert lab.status(signer.certificate) is CertificateStatus.REVOKED
    assert ask(lab.client(), cmp.seq(template, entry(reason(4)))).status()[1] == "certRevoked"
    other = cmp.Request(OTHER, "device-1").template()
    assert ask(lab.client(), cmp.seq(other)).status()[1] == "badCertId"


def test_section_5_3_9_several_in_one_message(lab):
    first, second = lab.device(), lab.device(OTHER, "device-2")
    unknown = details(first.certificate, serial=4711)
    answer = ask(lab.client(), details(first.certificate), unknown, details(second.certificate, reason(5)))
    assert [answer.status(number)[:2] for number in range(3)] == [(0, ""), (2, "badCertId"), (0, "")]
    assert lab.status(first.certificate) is lab.status(second.certificate) is CertificateStatus.REVOKED


def bad_issuer(certificate):
    return details(certificate, reason(1), issuer=cmp.name("another CA"))


REFUSED = {
    "unknown serial": (lambda c: details(c, reason(1), serial=4711), "badCertId"),
    "serial too large": (lambda c: details(c, reason(1), serial=1 << 200), "badCertId"),
    "serial that is negative": (lambda c: details(c, reason(1), serial=-5), "badCertId"),
    "another issuer": (bad_issuer, "badCertId"),
    "nothing named": (lambda c: cmp.seq(cmp.seq(cmp.tlv(0xA5, cmp.name("device-1")))), "badCertId"),
    "reason 2 is no subscriber's": (lambda c: details(c, reason(2)), "badRequest"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_rfc9483_5_1_3_a_bad_request_is_refused_in_rp(lab, case):
    make, failure = REFUSED[case]
    signer = lab.device()
    answer = ask(lab.client(signer), make(signer.certificate))
    assert (answer.kind, answer.status()[:2]) == (cmp.RP, (2, failure))
    assert lab.status(signer.certificate) is CertificateStatus.ISSUED


MALFORMED = {
    "reason 7": (lambda c: details(c, reason(7)), "badRequest"),
    "reason 11": (lambda c: details(c, reason(11)), "badRequest"),
    "reason that is no ENUMERATED": (
        lambda c: details(c, cmp.seq(cmp.oid("2.5.29.21"), cmp.octets(cmp.integer(1)))),
        "badRequest",
    ),
    "unknown critical extension": (
        lambda c: details(c, cmp.seq(cmp.oid("1.2.3.4"), b"\x01\x01\xff", cmp.octets(b"\x05\x00"))),
        "unacceptedExtension",
    ),
    "no RevDetails": (lambda c: b"", "badDataFormat"),
    "garbage": (lambda c: b"\x05\x00", "badDataFormat"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_no_revreqcontent_is_an_error(lab, case):
    make, failure = MALFORMED[case]
    signer = lab.device()
    answer = ask(lab.client(signer), make(signer.certificate))
    assert (answer.kind, answer.status()[:2], answer.verify(signer)) == (cmp.ERROR, (2, failure), "signature")
    assert lab.status(signer.certificate) is CertificateStatus.ISSUED


def test_unknown_extensions_that_are_not_critical_are_ignored(lab):
    signer = lab.device()
    extension = cmp.seq(cmp.oid("1.2.3.4"), cmp.octets(b"\x05\x00"))
    assert ask(lab.client(signer), details(signer.certificate, extension)).status()[0] == 0


def test_rfc9483_5_1_3_twice_is_certrevoked_even_where_the_signer_is_what_was_revoked(lab):
    signer = lab.device()
    assert ask(lab.client(), details(signer.certificate)).status()[0] == 0
    assert ask(lab.client(), details(signer.certificate)).status()[1] == "certRevoked"
    assert ask(lab.client(signer), details(signer.certificate)).status()[1] == "certRevoked"
    assert lab.client(signer).enroll(cmp.Request(OTHER, "device-1"), body=cmp.CR).status()[1] == "signerNotTrusted"


def test_a_stranger_cannot_revoke(lab, ra):
    signer, thief = lab.device(), lab.device(OTHER, "device-2")
    answer = ask(lab.client(thief), details(signer.certificate))
    assert answer.status()[1] == "notAuthorized"
    assert lab.status(signer.certificate) is CertificateStatus.ISSUED


def test_an_expired_certificate_is_not_revoked(lab):
    signer = lab.device()
    lab.advance(days=91)
    assert ask(lab.client(), details(signer.certificate)).status()[1] == "certRevoked"
