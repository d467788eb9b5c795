"""Messages that are refused: each with the failInfo that fits, protected like the request where that verified, and nothing issued
(RFC 9483 sections 3.5 and 3.6.4, RFC 9810 section 5.2.3)."""

import os
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from privca.base.refused import Reason
from privca.cmp.protection import authentication
from privca.cmp.rfc9810.status import TABLE
from privca.issuance.ports import CertificateStatus
from privca.issuance.profile import Template
from tests.support import cmp

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


def ir(lab, by=None, request=None, **changes):
    client = lab.client(by)
    request = request or cmp.Request(KEY)
    return client, client.enroll(request, **changes)


def late(lab, minutes):
    return {"at": lab.clock.now() + timedelta(minutes=minutes)}


# What is changed in an ir, the failInfo, and how the answer is protected.
HEADER = {
    "version 1": (lambda lab: {"pvno": 1}, "unsupportedVersion", "signature"),
    "version 4": (lambda lab: {"pvno": 4}, "unsupportedVersion", "signature"),
    "time too early": (lambda lab: late(lab, -16), "badTime", "mac"),
    "time too late": (lambda lab: late(lab, 16), "badTime", "mac"),
    "no transactionID": (lambda lab: {"transaction_id": None}, "badDataFormat", "mac"),
    "short transactionID": (lambda lab: {"transaction_id": b"1234567"}, "badDataFormat", "mac"),
    "no senderNonce": (lambda lab: {"sender_nonce": None}, "badSenderNonce", "mac"),
    "short senderNonce": (lambda lab: {"sender_nonce": bytes(15)}, "badSenderNonce", "mac"),
    "recipNonce in the first message": (lambda lab: {"recip_nonce": bytes(16)}, "badRecipientNonce", "mac"),
    "spoilt MAC": (lambda lab: {"spoil": True}, "badMessageCheck", "signature"),
    "wrong secret": (lambda lab: {"protection": cmp.Pbm(secret=b"wrong")}, "badMessageCheck", "signature"),
    "unknown reference": (lambda lab: {"protection": cmp.Pbm(reference="nobody")}, "badMessageCheck", "signature"),
    "no protection": (lambda lab: {"protection": None}, "badMessageCheck", "signature"),
    "too few iterations": (lambda lab: {"protection": cmp.Pbm(iterations=99)}, "badAlg", "signature"),
    "too many iterations": (lambda lab: {"algorithm": cmp.Pbm(iterations=100_001).header()}, "badAlg", "signature"),
    "iterations without end": (lambda lab: {"algorithm": cmp.Pbm(iterations=1 << 80).header()}, "badAlg", "signature"),
    "too few iterations of PBMAC1": (lambda lab: {"protection": cmp.Pbmac1(iterations=99)}, "badAlg", "signature"),
    "too many iterations of PBMAC1": (lambda lab: {"algorithm": cmp.Pbmac1(iterations=100_001).header()}, "badAlg", "signature"),
    "a key that is too long": (lambda lab: {"algorithm": cmp.Pbmac1(length=1025).header()}, "badAlg", "signature"),
    "no salt": (lambda lab: {"protection": cmp.Pbm(salt=b"")}, "badAlg", "signature"),
    "unknown protection": (lambda lab: {"algorithm": cmp.algorithm("1.2.3.4")}, "badMessageCheck", "signature"),
    "unknown MAC": (lambda lab: {"algorithm": pbm_with(cmp.algorithm("1.2.3"))}, "badAlg", "signature"),
    "DH-based MAC": (lambda lab: {"algorithm": cmp.algorithm("1.2.840.113533.7.66.30")}, "badMessageCheck", "signature"),
}


def pbm_with(mac):
    parameters = cmp.seq(cmp.octets(b"salt"), cmp.algorithm(cmp.HASHES["sha256"]), cmp.integer(500), mac)
    return cmp.algorithm("1.2.840.113533.7.66.13", parameters)


@pytest.mark.parametrize("case", HEADER)
def test_a_bad_header_or_protection_is_an_error(lab, case):
    make, failure, protection = HEADER[case]
    client, answer = ir(lab, **make(lab))
    assert (answer.kind, answer.status()[:2], answer.verify(client.protection)) == (cmp.ERROR, (2, failure), protection)
    assert answer.status()[2]
    assert lab.certificates() == []


def test_section_7_the_version_of_the_answer_is_one_that_there_is(lab):
    assert [ir(lab, pvno=pvno)[1].pvno for pvno in (0, 1, 2, 3, 4, 99)] == [2, 2, 2, 3, 3, 3]


def test_a_time_may_be_asked_for(lab):
    assert ir(lab, at=None)[1].status()[0] == 0
    lab.options(message_time_required=True)
    assert ir(lab, at=None)[1].status()[1] == "missingTimeStamp"


def test_a_time_may_be_ignored(lab):
    lab.options(message_time="")
    assert ir(lab, **late(lab, 600))[1].status()[0] == 0


@pytest.mark.parametrize("protection", [cmp.Pbm(), cmp.Pbmac1()], ids=["PBM", "PBMAC1"])
def test_profile_protection(lab, protection):
    lab.options(protection=("signature",))
    client, answer = ir(lab, protection)
    assert (answer.status()[1], answer.verify(client.protection)) == ("wrongIntegrity", "signature")


def signed(lab, **changes):
    return replace(lab.device(), **changes)


def stranger(lab):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "device-1")])
    now = lab.clock.now()
    builder = x509.CertificateBuilder(name, name, OTHER.public_key(), 5, now, now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(OTHER.public_key()), critical=False)
    return cmp.Signer(builder.sign(OTHER, hashes.SHA256()), OTHER)


SIGNED = {
    "signature by another key": (lambda lab: signed(lab, key=OTHER), "badMessageCheck"),
    "another sender": (lambda lab: signed(lab, sender=cmp.name("somebody")), "badMessageCheck"),
    "another senderKID": (lambda lab: signed(lab, key_identifier=bytes(20)), "badMessageCheck"),
    "a signer of somebody else": (stranger, "signerNotTrusted"),
    "SHA-1": (lambda lab: signed(lab, digest="sha1"), "badAlg"),
}


@pytest.mark.parametrize("case", SIGNED)
def test_a_bad_signature_is_an_error(lab, case):
    make, failure = SIGNED[case]
    signer = make(lab)
    before = len(lab.certificates())
    _, answer = ir(lab, signer)
    assert (answer.kind, answer.status()[:2], answer.verify(signer)) == (cmp.ERROR, (2, failure), "signature")
    assert len(lab.certificates()) == before


def test_rfc9483_3_3_the_certificate_of_the_signer_comes_first(lab):
    signer = lab.device()
    assert ir(lab, signer, certificates=())[1].status()[1] == "badMessageCheck"
    assert ir(lab, signer, certificates=(b"\x30\x03\x02\x01\x01",))[1].status()[1] == "badDataFormat"


def test_rfc9483_3_1_without_senderkid_a_signature_stands(lab):
    assert ir(lab, signed(lab, key_identifier=None))[1].status()[0] == 0


def test_a_signer_without_digitalsignature_is_refused(lab):
    lab.profile = lab.make_profile(
        "lab",
        template=Template(subject=lab.profile.template.subject, names_required=False, key_usage=("keyEncipherment",)),
    )
    client = lab.client()
    certificate = client.enroll(cmp.Request(RSA_KEY)).certificate()
    client.confirm(cmp.cert_status(certificate))
    assert ir(lab, cmp.Signer(certificate, RSA_KEY))[1].status()[1] == "badMessageCheck"


def test_a_revoked_or_expired_signer_is_refused(lab):
    signer = lab.device()
    lab.advance(days=91)
    assert ir(lab, signer)[1].status()[1] == "signerNotTrusted"


def test_rfc9483_4_1_5_a_mac_without_senderkid_goes_by_the_common_name(lab):
    class Named(cmp.Pbm):
        def kid(self):
            return None

    client, answer = ir(lab, Named(sender=cmp.name("lab")))
    assert (answer.status()[0], answer.verify(client.protection)) == (0, "mac")
    assert ir(lab, Named())[1].status()[1] == "badMessageCheck"


BODIES = {
    "garbage": (cmp.IR, b"\x05\x00", "badDataFormat"),
    "no request": (cmp.IR, b"\x30\x00", "badDataFormat"),
    "an answer": (cmp.IP, b"\x30\x02\x30\x00", "badRequest"),
    "certConf without a transaction": (cmp.CERTCONF, b"\x30\x00", "badRequest"),
    "pkiConf without a transaction": (cmp.PKICONF, b"\x05\x00", "badRequest"),
    "popdecr without a transaction": (cmp.POPDECR, b"\x30\x00", "badRequest"),
    "error without a transaction": (cmp.ERROR, b"\x30\x00", "badRequest"),
    "p10cr that is none": (cmp.P10CR, b"\x30\x00", None),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_bad_body_is_an_error(lab, case):
    body, content, failure = BODIES[case]
    client = lab.client()
    answer = client.call(body, content)
    if failure is None:
        assert (answer.kind, answer.status()[1]) == (cmp.CP, "badCertTemplate")
    else:
        assert (answer.kind, answer.status()[1], answer.verify(client.protection)) == (cmp.ERROR, failure, "mac")
    assert lab.certificates() == []


def test_profile_requests(lab):
    lab.options(requests=("ir",))
    assert ir(lab, body=cmp.CR)[1].status()[1] == "badRequest"
    assert ir(lab)[1].status()[0] == 0


REQUESTS = {
    "a certReqId twice": ([cmp.Request(KEY, "a"), cmp.Request(OTHER, "b")], cmp.ERROR, "duplicateCertReq"),
    "too many requests": ([cmp.Request(KEY, id=number) for number in range(9)], cmp.ERROR, "badDataFormat"),
    "certReqId out of bounds": ([cmp.Request(KEY, id=1 << 40)], cmp.ERROR, "badDataFormat"),
    "another issuer": ([cmp.Request(KEY, more={3: cmp.tlv(0xA3, cmp.name("another"))})], cmp.IP, "wrongAuthority"),
    "version of v1": ([cmp.Request(KEY, more={0: b"\x80\x01\x00"})], cmp.IP, "badCertTemplate"),
    "a CA certificate": (
        [cmp.Request(KEY, extensions=(cmp.extension(x509.BasicConstraints(ca=True, path_length=None), critical=True),))],
        cmp.IP,
        "badCertTemplate",
    ),
    "an unknown critical extension": (
        [cmp.Request(KEY, extensions=(cmp.seq(cmp.oid("1.2.3.4"), b"\x01\x01\xff", cmp.octets(b"\x05\x00")),))],
        cmp.IP,
        "unacceptedExtension",
    ),
    "a weak key": ([cmp.Request(ec.generate_private_key(ec.SECP224R1()))], cmp.IP, "badCertTemplate"),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_a_bad_request_is_refused_where_it_belongs(lab, case):
    requests, kind, failure = REQUESTS[case]
    client = lab.client()
    answer = client.enroll(*requests)
    assert (answer.kind, answer.status()[:2], answer.verify(client.protection)) == (kind, (2, failure), "mac")
    assert lab.certificates() == []
    assert lab.transaction(client) is None


def test_policies_that_a_request_insists_on(lab):
    template = Template(subject=lab.profile.template.subject, names_required=False, policies=("1.2.3.4",))
    lab.profile = lab.make_profile("lab", template=template)

    def asking(policy):
        value = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(policy), None)])
        return ir(lab, request=cmp.Request(KEY, extensions=(cmp.extension(value, critical=True),)))[1].status()

    assert asking("1.2.3.4")[0] == 0
    assert asking("1.2.3.5")[1] == "unacceptedPolicy"


def confirmable(lab):
    client = lab.client()
    return client, client.enroll(cmp.Request(KEY)).certificate()


CONFIRMATIONS = {
    "wrong hash": (lambda c: [cmp.seq(cmp.octets(bytes(32)), cmp.integer(0))], "badCertId"),
    "wrong certReqId": (lambda c: [cmp.cert_status(c, id=1)], "badCertId"),
    "hashAlg with version 2": (lambda c: [cmp.cert_status(c, hash_alg=cmp.HASHES["sha256"])], "badRequest"),
    "accepted with failInfo": (lambda c: [cmp.cert_status(c, status=0, failure=b"\x03\x02\x00\x40")], "badRequest"),
    "a status that decides nothing": (lambda c: [cmp.cert_status(c, status=3)], "badRequest"),
    "an unknown status": (lambda c: [cmp.cert_status(c, status=9)], "badDataFormat"),
    "twice": (lambda c: [cmp.cert_status(c)] * 2, "duplicateCertReq"),
    "garbage": (lambda c: [b"\x05\x00"], "badDataFormat"),
}


@pytest.mark.parametrize("case", CONFIRMATIONS)
def test_section_5_3_18_a_bad_certconf_confirms_nothing(lab, case):
    make, failure = CONFIRMATIONS[case]
    client, certificate = confirmable(lab)
    answer = client.confirm(*make(certificate))
    assert (answer.kind, answer.status()[1], answer.verify(client.protection)) == (cmp.ERROR, failure, "mac")
    lab.advance(minutes=11)
    lab.resume()
    assert lab.status(certificate) is CertificateStatus.REVOKED


def test_rfc9810_4_2_2_2_a_certificate_whose_confirmation_does_not_verify_is_revoked_at_once(lab):
    client, certificate = confirmable(lab)
    wrong = cmp.seq(cmp.octets(bytes(32)), cmp.integer(0))
    assert client.confirm(wrong).status()[1] == "badCertId"
    assert lab.status(certificate) is CertificateStatus.REVOKED
    assert client.confirm(cmp.cert_status(certificate)).status()[1] == "badRequest"


def test_section_5_3_18_sha1_and_unknown_hashes_confirm_nothing(lab):
    client, certificate = confirmable(lab)
    for name, hash_alg in (("sha1", cmp.HASHES["sha1"]), ("sha256", "1.2.3.4")):
        answer = client.confirm(
            cmp.cert_status(certificate, digest=name, hash_alg=hash_alg), pvno=3, recip_nonce=lab.transaction(client).nonce
        )
        assert answer.status()[1] == "badAlg"


def test_a_confirmation_is_taken_once(lab):
    client, certificate = confirmable(lab)
    status = cmp.cert_status(certificate)
    assert client.confirm(status).kind == cmp.PKICONF
    assert client.confirm(status).status()[1] == "certConfirmed"


FOLLOWING = {
    "another recipNonce": ({"recip_nonce": bytes(16)}, "badRecipientNonce"),
    "no recipNonce": ({"recip_nonce": None}, "badRecipientNonce"),
    "another transaction": ({"transaction_id": os.urandom(16)}, "badRequest"),
    "a wrong secret": ({"protection": cmp.Pbm(secret=b"wrong")}, "badMessageCheck"),
    "no protection": ({"protection": None}, "badMessageCheck"),
}


@pytest.mark.parametrize("case", FOLLOWING)
def test_a_certconf_that_does_not_go_on_with_its_transaction_confirms_nothing(lab, case):
    changes, failure = FOLLOWING[case]
    client, certificate = confirmable(lab)
    nonce = client.answer.sender_nonce
    assert client.confirm(cmp.cert_status(certificate), **changes).status()[1] == failure
    good = client.confirm(cmp.cert_status(certificate), recip_nonce=nonce)
    assert good.kind == cmp.PKICONF, "what a stranger sends ends nothing"


def test_rfc9483_4_1_1_a_certconf_has_the_protection_of_its_transaction(lab):
    client, certificate = confirmable(lab)
    for protection in (cmp.Signer(certificate, KEY), lab.device(OTHER, "device-2")):
        answer = client.confirm(cmp.cert_status(certificate), protection=protection)
        assert (answer.status()[1], answer.verify(protection)) == ("badMessageCheck", "signature")
    signer = lab.device(OTHER, "device-2")
    client = lab.client(signer)
    certificate = client.enroll(cmp.Request(KEY, "device-2"), body=cmp.CR).certificate()
    assert client.confirm(cmp.cert_status(certificate), protection=cmp.Pbm()).status()[1] == "badMessageCheck"


def test_section_5_1_1_a_transactionid_in_use(lab):
    client, certificate = confirmable(lab)
    again = lab.client(transaction_id=client.transaction_id)
    answer = again.call(cmp.IR, cmp.seq(cmp.Request(OTHER, "device-2").encode()))
    assert (answer.kind, answer.status()[1], answer.verify(again.protection)) == (cmp.ERROR, "transactionIdInUse", "mac")
    assert len(lab.certificates()) == 1
    nonce = lab.transaction(client).nonce
    assert client.confirm(cmp.cert_status(certificate), recip_nonce=nonce).kind == cmp.PKICONF
    assert again.call(cmp.IR, cmp.seq(cmp.Request(OTHER, "device-2").encode()), recip_nonce=None).status()[0] == 0


def test_the_same_message_again_gets_no_second_certificate(lab):
    implicit = (cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.13"), cmp.NULL),)
    message = lab.client().message(cmp.IR, cmp.seq(cmp.Request(KEY).encode()), information=implicit).encode()
    first, second = (cmp.Reply(lab.send(message)) for _ in range(2))
    assert first.certificate() == second.certificate()
    assert len(lab.certificates()) == 1


def test_section_5_3_21_a_client_ends_its_transaction(lab):
    client, certificate = confirmable(lab)
    answer = client.call(cmp.ERROR, cmp.seq(cmp.seq(cmp.integer(2), cmp.seq(cmp.utf8("no")))))
    assert answer.kind == cmp.PKICONF
    assert lab.status(certificate) is CertificateStatus.REVOKED
    assert lab.transaction(client) is None


UPDATES = {
    "unknown": lambda c: (c.issuer.public_bytes(), 4711),
    "another CA": lambda c: (cmp.name("another"), c.serial_number),
    "too large": lambda c: (c.issuer.public_bytes(), 1 << 200),
}


@pytest.mark.parametrize("case", UPDATES)
def test_rfc9483_4_1_3_an_update_of_what_is_not_there(lab, case):
    signer = lab.device()
    issuer, serial = UPDATES[case](signer.certificate)
    control = cmp.seq(cmp.oid("1.3.6.1.5.5.7.5.1.5"), cmp.seq(cmp.tlv(0xA4, issuer), cmp.integer(serial)))
    answer = lab.client(signer).enroll(cmp.Request(OTHER, controls=(control,)), body=cmp.KUR)
    assert (answer.kind, answer.status()[1]) == (cmp.KUP, "badCertId")


def test_rfc9483_4_1_3_an_update_without_a_certificate_to_update(lab):
    assert lab.client().enroll(cmp.Request(OTHER), body=cmp.KUR).status()[1] == "badCertId"


def test_every_reason_has_a_failinfo():
    assert set(TABLE) == set(Reason)


@pytest.mark.parametrize(("between", "found"), [(31, True), (32, False)])
def test_rfc9483_3_3_the_signer_is_looked_for_among_so_many_certificates_alone(lab, between, found):
    """Nobody is known yet: what a stranger sends along must not cost more and more."""
    enrolled = lab.device(KEY).certificate
    signer = enrolled.public_bytes(Encoding.DER)
    kid = enrolled.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    message = SimpleNamespace(extra_certs=(b"0", *[b"0"] * between, signer), header=SimpleNamespace(sender_kid=kid))
    assert (authentication._signer(message) == signer) is found
