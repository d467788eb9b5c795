"""Key recovery: what is archived, and who gets it back (RFC 9810 sections 5.3.7 and 5.3.8, RFC 4211 sections 6.4 and 6.6)."""

import os
from base64 import b64decode
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from privca.base.http import Peer
from privca.cmp.ports import Sought
from privca.cmp.rfc9810.recover import MAXIMUM_KEYS
from privca.enrollment.ports import Passcode
from privca.issuance.delegates import Purpose
from privca.web.transcript import Record, as_json
from tests.cmp.conftest import KEY, OTHER_KEY, root
from tests.cmp.test_rfc9810_pop import delivered
from tests.support import cmp
from tests.support.cms_opening import opened
from tests.support.issuance_lab import run

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
ED25519_KEY = ed25519.Ed25519PrivateKey.generate()
KEYS = {"RSA": RSA_KEY, "P-256": KEY, "Ed25519": ED25519_KEY}
ARCHIVE = {"requests": ("ir", "cr", "kur", "krr"), "archive": True, "central_key_generation": True}
IMPLICIT = cmp.seq(cmp.oid("1.3.6.1.5.5.7.4.13"), cmp.NULL)
ENC_KEY_WITH_ID = "1.2.840.113549.1.9.16.1.21"
CONTROL = "1.3.6.1.5.5.7.5.1"
ENCRYPTING = cmp.seq(cmp.oid(f"{CONTROL}.6"), cmp.spki(OTHER_RSA_KEY))
UNKNOWN = "there is no archived key that the template names and the sender may recover"
UNREADABLE = "what is to be archived is not the private key of this request, or cannot be read"


def control(value):
    return cmp.seq(cmp.oid(f"{CONTROL}.4"), value)


def pkcs8(key):
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def enveloped(certificate, content, kind=ENC_KEY_WITH_ID, *, cek=None):
    """EnvelopedData for an RSA certificate. :param cek: the key that it is encrypted with, in place of the one that is sent."""
    key, iv, padder = os.urandom(32), os.urandom(16), PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(cek or key), modes.CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    rid = cmp.seq(certificate.issuer.public_bytes(), cmp.integer(certificate.serial_number))
    sent = certificate.public_key().encrypt(key, padding.PKCS1v15())
    recipient = cmp.seq(cmp.integer(0), rid, cmp.algorithm("1.2.840.113549.1.1.1", cmp.NULL), cmp.octets(sent))
    cipher = cmp.algorithm("2.16.840.1.101.3.4.1.42", cmp.octets(iv))
    return cmp.seq(cmp.integer(0), cmp.tlv(0x31, recipient), cmp.seq(cmp.oid(kind), cipher, cmp.tlv(0x80, encrypted)))


def transport(lab):
    return x509.load_der_x509_certificate(run(lab.ca.delegates.current("issuing", Purpose.CMP_TRANSPORT)).certificate)


def handing_over(lab, content, **how):
    """encryptedPrivKey with this content."""
    return control(cmp.tlv(0xA0, b"\xa0" + enveloped(transport(lab), content, **how)[1:]))


def archived(lab, key=RSA_KEY, subject="device-1", client=None):
    """The certificate of a key that was handed over."""
    client = client or lab.client(pvno=3)
    request = cmp.Request(key, subject, controls=(handing_over(lab, cmp.seq(pkcs8(key))),))
    answer = client.enroll(request, body=cmp.CR, information=(IMPLICIT,))
    assert answer.status()[0] == 0, answer.status()
    return answer.certificate()


def krr(client, **request):
    return client.enroll(cmp.Request(**{"subject": None, "proof": None, **request}), body=cmp.KRR)


def serial(certificate):
    return {1: b"\x81" + cmp.integer(certificate.serial_number)[1:]}


def history(answer):
    """The CertifiedKeyPairs of a krp, by the serial numbers of their certificates."""
    assert answer.kind == cmp.KRP
    assert answer.status()[0] in (0, 1), answer.status()
    assert answer.content.tagged(0) is None, "newSigCert"
    pairs = answer.content.tagged(2)[0].inside
    return {x509.load_der_x509_certificate(pair[0][0].raw).serial_number: pair for pair in pairs}


def recovered(lab, answer):
    """The private key of a krp with one, under the code."""
    (pair,) = history(answer).values()
    return delivered(lab, pair, "-pwri_password", "secret")


def refused(lab, answer, failure, text):
    assert answer.kind == cmp.KRP
    assert len(answer.content.inside) == 1
    status, found, said = answer.status()
    assert (status, found) == (2, failure)
    assert text in said
    assert lab.decision.outcome == "refused"


def kept(lab):
    """How many keys are archived."""
    return lab.store._database._connection.execute("SELECT count(*) FROM archived_key").fetchone()[0]


def test_section_5_3_8_a_generated_key_is_recovered(lab):
    lab.options(**ARCHIVE)
    client = lab.client(pvno=3)
    answer = client.enroll(cmp.Request(None, proof=None))
    certificate = answer.certificate()
    assert client.confirm(cmp.cert_status(certificate)).kind == cmp.PKICONF
    answer = krr(lab.client(pvno=3))
    assert list(history(answer)) == [certificate.serial_number]
    assert recovered(lab, answer).public_key() == certificate.public_key()
    authorities = [x509.load_der_x509_certificate(one.raw) for one in answer.content.tagged(1)[0].inside]
    assert authorities[-1] == root(lab)
    assert authorities[0].subject == certificate.issuer
    assert (lab.decision.outcome, lab.decision.clause) == ("recovered", "RFC 9810 section 5.3.8")
    assert lab.decision.facts["serials"] == f"{certificate.serial_number:040x}"


def test_a_key_that_was_recovered_is_nowhere_in_clear(lab):
    lab.options(**ARCHIVE)
    archived(lab, KEY)
    assert ("private key", pkcs8(KEY)) in lab.exchange.concealed
    answer = krr(lab.client(pvno=3))
    (pair,) = history(answer).values()
    concealed = [secret for field, secret in lab.exchange.concealed if field == "private key"]
    assert pkcs8(KEY) in concealed
    assert pair[1][0].raw in concealed, "what goes out, encrypted"
    assert pair[1][0].raw in answer.raw
    number = KEY.private_numbers().private_value.to_bytes(32, "big")
    assert number.hex() not in repr(run(lab.store.archived_keys(Sought(profile_id="lab"), 9)))
    record = as_json(Record(lab.exchange, "cmp", Peer("192.0.2.1"), b"", b"", b"", answer.raw))
    written = b64decode(record["reply"]["body"]["base64"])
    assert pair[0].raw in written
    assert pair[1][0].raw not in written
    assert b"[redacted private key, " in written
    lab.store._database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert number not in (lab.ca.directory / "privca.db").read_bytes()


def test_nothing_is_archived_unless_the_profile_says_so(lab):
    lab.options(**{**ARCHIVE, "archive": False})
    answer = lab.client(pvno=3).enroll(cmp.Request(None, proof=None), information=(IMPLICIT,))
    assert answer.status()[0] == 0
    assert kept(lab) == 0


def test_a_profile_that_does_not_archive_recovers_nothing(lab):
    lab.options(**ARCHIVE)
    archived(lab)
    lab.options(archive=False)
    refused(lab, krr(lab.client(pvno=3)), "badRequest", "profile: cmp.archive")


def test_krr_is_not_answered_by_default(lab):
    answer = krr(lab.client(pvno=3))
    assert answer.kind == cmp.ERROR
    assert "profile: cmp.requests" in answer.status()[2]


@pytest.mark.parametrize(("wish", "count"), [(b"\x82\x01\xff", 1), (b"\x82\x01\x00", 0)], ids=["true", "false"])
def test_rfc4211_6_4_archiveremgenprivkey(lab, wish, count):
    lab.options(**ARCHIVE)
    request = cmp.Request(None, proof=None, controls=(control(wish),))
    assert lab.client(pvno=3).enroll(request, information=(IMPLICIT,)).status()[0] == 0
    assert kept(lab) == count


@pytest.mark.parametrize("source", ["made here", "handed over"])
def test_a_profile_that_does_not_archive_refuses_the_control(lab, source):
    lab.options(central_key_generation=True)
    if source == "made here":
        request = cmp.Request(None, proof=None, controls=(control(b"\x82\x01\xff"),))
    else:
        request = cmp.Request(RSA_KEY, controls=(handing_over(lab, cmp.seq(pkcs8(RSA_KEY))),))
    answer = lab.client(pvno=3).enroll(request)
    assert answer.status()[:2] == (2, "badRequest")
    assert "profile: cmp.archive" in answer.status()[2]
    assert lab.certificates() == []


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("by", ["serial", "key", "subject", "nothing"])
def test_rfc4211_6_4_a_key_that_was_handed_over_is_recovered(lab, kind, by):
    lab.options(**ARCHIVE)
    key = KEYS[kind]
    certificate = archived(lab, key)
    archived(lab, OTHER_RSA_KEY, "device-2")
    selection = {
        "serial": {"more": serial(certificate)},
        "key": {"key": key},
        "subject": {"subject": "device-1"},
        "nothing": {},
    }[by]
    pairs = history(krr(lab.client(pvno=3), **selection))
    assert len(pairs) == (2 if by == "nothing" else 1)
    found = delivered(lab, pairs[certificate.serial_number], "-pwri_password", "secret")
    assert pkcs8(found) == pkcs8(key)


def test_the_same_request_again_archives_its_key_once(lab):
    lab.options(**ARCHIVE)
    request = cmp.Request(RSA_KEY, controls=(handing_over(lab, cmp.seq(pkcs8(RSA_KEY))),))
    message = lab.client(pvno=3).message(cmp.IR, cmp.seq(request.encode()), information=(IMPLICIT,)).encode()
    first, second = cmp.Reply(lab.send(message)), cmp.Reply(lab.send(message))
    assert first.certificate() == second.certificate()
    assert kept(lab) == 1


def no_key():
    """An EC key whose public half is that of the request, and its private half another."""
    inner = cmp.Node(pkcs8(OTHER_KEY))
    private = cmp.Node(inner[2].content)
    point = cmp.tlv(0xA1, cmp.bits(cmp.Node(cmp.spki(KEY))[1].content[1:]))
    return cmp.seq(inner[0].raw, inner[1].raw, cmp.octets(cmp.seq(private[0].raw, private[1].raw, point)))


def spoiled_rsa():
    """The modulus of the request, and another private exponent."""
    inner = cmp.Node(pkcs8(RSA_KEY))
    numbers = [number.raw for number in cmp.Node(inner[2].content).inside]
    numbers[3] = cmp.integer(cmp.Node(numbers[3]).number + 2)
    return cmp.seq(inner[0].raw, inner[1].raw, cmp.octets(cmp.seq(*numbers)))


UNFIT = {
    "another key": lambda lab: (RSA_KEY, handing_over(lab, cmp.seq(pkcs8(OTHER_RSA_KEY)))),
    "a key of another kind": lambda lab: (RSA_KEY, handing_over(lab, cmp.seq(pkcs8(KEY)))),
    "the public half alone": lambda lab: (KEY, handing_over(lab, cmp.seq(no_key()))),
    "another private exponent": lambda lab: (RSA_KEY, handing_over(lab, cmp.seq(spoiled_rsa()))),
    "no key": lambda lab: (RSA_KEY, handing_over(lab, cmp.seq(cmp.seq(cmp.integer(0))))),
    "nothing": lambda lab: (RSA_KEY, handing_over(lab, b"")),
    "octets": lambda lab: (RSA_KEY, handing_over(lab, b"\xff" * 40)),
    "too many parts": lambda lab: (RSA_KEY, handing_over(lab, cmp.seq(pkcs8(RSA_KEY), cmp.utf8("a"), cmp.utf8("b")))),
    "another cek": lambda lab: (RSA_KEY, handing_over(lab, cmp.seq(pkcs8(RSA_KEY)), cek=bytes(32))),
}


@pytest.mark.parametrize("case", UNFIT)
def test_rfc4211_6_4_what_is_not_the_key_of_the_request_is_refused_with_one_text(lab, case):
    lab.options(**ARCHIVE)
    key, given = UNFIT[case](lab)
    answer = lab.client(pvno=3).enroll(cmp.Request(key, controls=(given,)))
    status, failure, text = answer.status()
    assert (status, failure) == (2, "badPOP")
    assert text == f"{UNREADABLE} (RFC 4211 section 6.4)"
    assert lab.certificates() == []
    assert kept(lab) == 0


def foreign(lab):
    """encryptedPrivKey for a certificate of somebody else."""
    now = lab.clock.now()
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), OTHER_RSA_KEY.public_key(), 1)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(OTHER_RSA_KEY, cmp.hashes.SHA256())
    return control(cmp.tlv(0xA0, b"\xa0" + enveloped(certificate, cmp.seq(pkcs8(RSA_KEY)))[1:]))


PLAIN = {
    "keyGenParameters": (lambda lab: control(b"\x81\x02ab"), "badRequest"),
    "encryptedValue": (lambda lab: control(cmp.tlv(0xA0, cmp.seq(cmp.bits(b"a")))), "badRequest"),
    "for somebody else": (foreign, "badRequest"),
    "other content": (lambda lab: handing_over(lab, pkcs8(RSA_KEY), kind="1.2.840.113549.1.7.1"), "badRequest"),
    "archiveRemGenPrivKey": (lambda lab: control(b"\x82\x01\xff"), "badRequest"),
    "an unknown alternative": (lambda lab: control(b"\x83\x00"), "badDataFormat"),
    "an unknown EncryptedKey": (lambda lab: control(cmp.tlv(0xA0, b"\xa1\x00")), "badDataFormat"),
    "no EncryptedKey": (lambda lab: control(cmp.tlv(0xA0)), "badDataFormat"),
    "no EnvelopedData": (lambda lab: control(cmp.tlv(0xA0, cmp.tlv(0xA0, cmp.integer(0)))), "badDataFormat"),
}


@pytest.mark.parametrize("case", PLAIN)
def test_rfc4211_6_4_a_control_that_cannot_be_honoured_is_refused(lab, case):
    lab.options(**ARCHIVE)
    make, failure = PLAIN[case]
    answer = lab.client(pvno=3).enroll(cmp.Request(RSA_KEY, controls=(make(lab),)))
    assert answer.status()[:2] == (2, failure), answer.status()
    assert lab.certificates() == []
    assert kept(lab) == 0


def test_a_key_is_not_handed_over_for_one_that_is_made_here(lab):
    lab.options(**ARCHIVE)
    request = cmp.Request(None, proof=None, controls=(handing_over(lab, cmp.seq(pkcs8(RSA_KEY))),))
    assert lab.client(pvno=3).enroll(request).status()[:2] == (2, "badRequest")


def test_a_request_that_waits_hands_over_no_key(lab):
    lab.options(**ARCHIVE, approval_always=True)
    request = cmp.Request(RSA_KEY, controls=(handing_over(lab, cmp.seq(pkcs8(RSA_KEY))),))
    answer = lab.client(pvno=3).enroll(request)
    assert answer.status()[:2] == (2, "notAuthorized")


def test_somebody_elses_key_is_refused_like_one_that_is_not_there(lab):
    lab.options(**ARCHIVE)
    certificate = archived(lab)
    lab.code("lab", "other")
    other = lab.client(cmp.Pbm(reference="other"), pvno=3)
    said = set()
    for selection in (
        {"more": serial(certificate)},
        {"key": RSA_KEY},
        {"subject": "device-1"},
        {},
        {"key": OTHER_RSA_KEY},
        {"more": {1: b"\x81\x01\x05"}},
        {"more": {1: b"\x81\x01\xff"}},
    ):
        answer = krr(other, **selection)
        refused(lab, answer, "badCertId", UNKNOWN)
        said.add(answer.content.raw)
    assert len(said) == 1


def test_a_key_that_nobody_archived_is_not_there(lab):
    lab.options(**ARCHIVE)
    lab.device(KEY)
    refused(lab, krr(lab.client(pvno=3), key=KEY), "badCertId", UNKNOWN)


def test_the_same_reference_at_another_endpoint_is_somebody_else(lab):
    lab.options(**ARCHIVE)
    certificate = archived(lab)
    lab.profile = lab.make_profile("second", **ARCHIVE)
    lab.code("second")
    refused(lab, krr(lab.client(pvno=3), more=serial(certificate)), "badCertId", UNKNOWN)


def test_the_issuer_of_a_template_is_that_of_the_certificate(lab):
    lab.options(**ARCHIVE)
    certificate = archived(lab)
    right, wrong = ({**serial(certificate), 3: cmp.tlv(0xA3, one)} for one in (certificate.issuer.public_bytes(), cmp.name("x")))
    assert history(krr(lab.client(pvno=3), more=right))
    refused(lab, krr(lab.client(pvno=3), more=wrong), "badCertId", UNKNOWN)


def test_a_certificate_recovers_its_own_key_and_what_it_obtained(lab):
    lab.options(**ARCHIVE)
    signer = cmp.Signer(archived(lab, RSA_KEY), RSA_KEY)
    archived(lab, KEY, "device-2")
    client = lab.client(signer, pvno=3)
    obtained = archived(lab, OTHER_RSA_KEY, client=client)
    pairs = history(krr(client))
    assert set(pairs) == {signer.certificate.serial_number, obtained.serial_number}
    directory = lab.ca.directory
    (directory / "k.pem").write_bytes(RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (directory / "c.pem").write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    found = delivered(lab, pairs[obtained.serial_number], "-inkey", "k.pem", "-recip", "c.pem")
    assert found.public_key() == OTHER_RSA_KEY.public_key()


@pytest.fixture
def encrypting():
    """A key for the answer, and the control that names it (RFC 4211 section 6.6)."""
    return OTHER_RSA_KEY, ENCRYPTING


def test_rfc4211_6_6_a_registration_authority_recovers_what_it_names_for_a_key_that_it_names(lab, encrypting):
    lab.options(**ARCHIVE)
    certificate = archived(lab)
    signer = lab.ra()
    key, given = encrypting
    client = lab.client(signer, pvno=3)
    (pair,) = history(krr(client, more=serial(certificate), controls=(given,))).values()
    signed = cmp.Node(opened(lab, key, pair[1][0].raw))
    package = cmp.Node(signed[2][1][0].content)
    one = package[0]
    found = load_der_private_key(cmp.seq(cmp.integer(0), one[1].raw, one[2].raw), None)
    assert pkcs8(found) == pkcs8(RSA_KEY)
    refused(lab, krr(client, controls=(given,)), "badCertId", UNKNOWN)


def test_rfc4211_6_6_a_key_that_only_signs_gets_nothing(lab):
    lab.options(**ARCHIVE)
    archived(lab)
    given = cmp.seq(cmp.oid(f"{CONTROL}.6"), cmp.spki(ED25519_KEY))
    answer = krr(lab.client(pvno=3), controls=(given,))
    assert answer.status()[0] == 2
    assert answer.content.tagged(2) is None


def test_who_presents_nothing_recovers_nothing(lab, encrypting):
    lab.options(**ARCHIVE, authentication=("code", "approval"))
    archived(lab)
    answer = cmp.Reply(lab.send(lab.client(pvno=3).message(cmp.KRR, krr_content(encrypting[1]), protection=None).encode()))
    refused(lab, answer, "badMessageCheck", "only by who is known")


def krr_content(*controls):
    return cmp.seq(cmp.Request(subject=None, proof=None, controls=controls).encode())


def test_a_passcode_is_good_for_one_recovery(lab):
    lab.options(**ARCHIVE)

    def client(id, value):
        now = lab.clock.now()
        run(lab.store.add_passcode(Passcode(id, "lab", "device-1", value, now, now + timedelta(hours=1))))
        return lab.client(cmp.Pbm(secret=value, reference="device-1"), pvno=3)

    first = client("1", b"passcode")
    certificate = archived(lab, client=first)
    refused(lab, krr(first), "badMessageCheck", "credential")
    second = client("2", b"another")
    refused(lab, krr(second, key=OTHER_RSA_KEY), "badCertId", UNKNOWN)
    assert list(history(krr(second))) == [certificate.serial_number]
    refused(lab, krr(second), "badMessageCheck", "credential")


def test_section_5_3_7_a_krr_has_one_request(lab):
    lab.options(**ARCHIVE)
    archived(lab)
    one, two = (cmp.Request(subject=None, proof=None, id=id) for id in (0, 1))
    refused(lab, lab.client(pvno=3).enroll(one, two, body=cmp.KRR), "badRequest", "one request")


def test_version_2_cannot_carry_a_key(lab):
    lab.options(**ARCHIVE, tolerant=False)
    archived(lab)
    refused(lab, krr(lab.client()), "unsupportedVersion", "version 3")


def test_section_5_3_8_of_many_keys_the_newest(lab):
    lab.options(**ARCHIVE, requests_maximum=16)
    client = lab.client(pvno=3)
    first = archived(lab)
    lab.advance(minutes=1)
    requests = [cmp.Request(None, proof=None, id=id) for id in range(MAXIMUM_KEYS)]
    client.enroll(*requests, information=(IMPLICIT,))
    assert kept(lab) == MAXIMUM_KEYS + 1
    answer = krr(client)
    pairs = history(answer)
    assert answer.status()[0] == 1
    assert len(pairs) == MAXIMUM_KEYS
    assert first.serial_number not in pairs
    assert list(history(krr(client, more=serial(first)))) == [first.serial_number]


def test_section_5_3_22_a_recovery_that_waits(lab):
    lab.options(**ARCHIVE, delayed=("krr",))
    certificate = archived(lab)
    client = lab.client(pvno=3)
    assert krr(client).status()[0] == 3
    lab.advance(seconds=lab.profile.profile.cmp.check_after)
    assert list(history(client.call(cmp.POLLREQ, cmp.poll_request(-1)))) == [certificate.serial_number]
