"""Full PKI requests (RFC 5272 section 3.2): who may sign them, what may be in them, and that nothing is half done."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from privca.base.names import dns_name
from privca.pkix import signatures
from tests.support import cmc_client as cmc
from tests.support.cmc_lab import SECRET, CmcLab, enrollment
from tests.support.issuance_lab import run


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    return CmcLab(tmp_path)


def by(lab: CmcLab, data: bytes, *signers: cmc.Signer, certificates: Any = ()) -> Any:
    return lab.post(cmc.signed(data, signers, certificates))


@pytest.mark.parametrize("crmf", [False, True], ids=["PKCS10", "CRMF"])
def test_3_2_a_first_certificate_under_a_shared_secret(lab: CmcLab, crmf: bool) -> None:
    key = cmc.new_key()
    reply = lab.post(enrollment(key, crmf=crmf))
    issued = reply.issued(key)
    assert reply.status == 200
    assert issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [
        "new.example.test"
    ]
    assert lab.count() == 1


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(lambda: rsa.generate_private_key(65537, 2048), id="RSA"),
        pytest.param(ed25519.Ed25519PrivateKey.generate, id="Ed25519"),
    ],
)
def test_other_kinds_of_keys_sign_too(lab: CmcLab, key: Any) -> None:
    made = key()
    if isinstance(made, ed25519.Ed25519PrivateKey):
        # RFC 8419 section 3.1: the digest of Ed25519 in CMS is SHA-512; an own certificate proves this key, a P-256 key signs.
        party = lab.certified(key=made, profile=lab.profile)
        request = cmc.tcr(1, cmc.csr(made, cmc.name(CN="device"), ["device.example.test"]))
        lab.later(days=61)
        assert by(lab, cmc.pki_data([], [request]), cmc.Signer(made, party.der), certificates=[party.der]).issued(made)
        return
    assert lab.post(enrollment(made)).issued(made)


@pytest.mark.parametrize("carried", [True, False], ids=["certificate comes along", "certificate is known"])
@pytest.mark.parametrize("crmf", [False, True], ids=["PKCS10", "CRMF"])
def test_3_2_a_certificate_is_renewed_by_its_own_key(lab: CmcLab, crmf: bool, carried: bool) -> None:
    party = lab.certified()
    lab.later(days=61)
    key = cmc.new_key()
    subject, names = cmc.name(CN="device"), ["device.example.test"]
    request = cmc.crm(cmc.crmf(7, key, subject, names)) if crmf else cmc.tcr(7, cmc.csr(key, subject, names))
    reply = by(lab, cmc.pki_data([], [request]), party.signer, certificates=[party.der] if carried else [])
    assert reply.issued(key).subject.rfc4514_string() == "CN=device"


def test_a_renewal_keeps_to_the_window_of_the_profile(lab: CmcLab) -> None:
    party, key = lab.certified(), cmc.new_key()
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    early = by(lab, cmc.pki_data([], [request]), party.signer)
    assert (early.status, early.failure(7)) == (403, "badRequest")
    lab.later(days=91)
    late = by(lab, cmc.pki_data([], [request]), party.signer)
    assert (late.status, late.failure(0)) == (401, "badIdentity")
    assert lab.count() == 1


def test_a_renewal_may_keep_the_key(lab: CmcLab) -> None:
    party = lab.certified()
    lab.later(days=61)
    request = cmc.tcr(7, cmc.csr(party.key, cmc.name(CN="device"), ["device.example.test"]))
    # Named by the key identifier that both have: the certificate that came along is what counts.
    signer = cmc.Signer(party.key, key_identifier=lab_key_identifier(party.der))
    assert by(lab, cmc.pki_data([], [request]), party.signer).issued(party.key)
    assert by(lab, cmc.pki_data([], [request]), signer, certificates=[party.der]).issued(party.key)


def lab_key_identifier(certificate: bytes) -> bytes:
    loaded = x509.load_der_x509_certificate(certificate)
    return loaded.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


@pytest.mark.parametrize("state", ["revoked", "of another profile", "self-signed", "unknown"])
def test_a_certificate_that_is_not_accepted_proves_nothing(lab: CmcLab, state: str) -> None:
    party = lab.certified()
    lab.later(days=61)
    if state == "revoked":
        from privca.issuance.ports import RevocationReason

        run(lab.ca.revocation.revoke(party.record.serial, RevocationReason.SUPERSEDED, "operator:test", lab.ca.clock.now()))
    elif state == "of another profile":
        other = lab._save("other", ("certificate",), lab.profile.template)
        party = lab.certified(profile=other)
    key = cmc.new_key()
    certificates = [party.der]
    signer = party.signer
    if state in ("self-signed", "unknown"):
        stranger = cmc.new_key()
        certificates = [self_signed(stranger, issuer="device" if state == "self-signed" else "Lab Issuing")]
        signer = cmc.Signer(stranger, certificates[0])
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    reply = by(lab, cmc.pki_data([], [request]), signer, certificates=certificates)
    assert (reply.status, reply.failure(0)) == (401, "badIdentity")
    assert lab.count() == (0 if state == "of another profile" else 1) + (state == "of another profile")


def self_signed(key: Any, issuer: str = "device", subject: str = "device") -> bytes:
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    builder = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer)).public_key(key.public_key())
    builder = (
        builder.serial_number(5)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_self_signed_certificate_beside_the_key_of_the_request_does_no_harm(lab: CmcLab) -> None:
    key = cmc.new_key()
    request = cmc.tcr(201, cmc.csr(key, cmc.name(CN="new.example.test"), ["new.example.test"]))
    data = cmc.pki_data([cmc.control(1, 2, cmc.text("device")), cmc.identity_proof(2, [request], SECRET, "device")], [request])
    reply = by(
        lab,
        data,
        cmc.Signer(key),
        certificates=[self_signed(key), cmc.retagged(0xA3, cmc.sequence(cmc.oid("1.2.3"), b"\x05\x00"))],
    )
    assert reply.issued(key)


def test_3_2_the_key_of_a_request_is_named_by_its_subject_key_identifier(lab: CmcLab) -> None:
    key, other = cmc.new_key(), cmc.new_key()
    named = cmc.tcr(201, cmc.csr(key, names=["a.example.test"], ski=False))
    data = cmc.pki_data([cmc.control(1, 2, cmc.text("device")), cmc.identity_proof(2, [named], SECRET, "device")], [named])
    assert by(lab, data, cmc.Signer(key)).failure(0) == "badMessageCheck"
    # By another key's identifier, and by the right one with another key's signature.
    good = cmc.tcr(201, cmc.csr(key, names=["a.example.test"]))
    data = cmc.pki_data([cmc.control(1, 2, cmc.text("device")), cmc.identity_proof(2, [good], SECRET, "device")], [good])
    assert by(lab, data, cmc.Signer(other)).failure(0) == "badMessageCheck"
    assert by(lab, data, cmc.Signer(other, key_identifier=cmc.key_id(key))).failure(0) == "badMessageCheck"
    assert by(lab, data, cmc.Signer(key), cmc.Signer(other)).failure(0) == "badRequest"
    twice = [good, cmc.tcr(202, cmc.csr(key, names=["b.example.test"]))]
    assert by(lab, cmc.pki_data([], twice), cmc.Signer(key)).failure(0) == "badRequest"
    assert lab.count() == 0


@pytest.mark.parametrize("spoil", ["signature", "digest", "content type"])
def test_3_2_1_3_4_a_signature_that_does_not_verify_is_bad_message_check(lab: CmcLab, spoil: str) -> None:
    key = cmc.new_key()
    reply = lab.post(enrollment(key, signer=cmc.Signer(key, spoil=spoil)))
    assert (reply.status, reply.failure(0)) == (400, "badMessageCheck")
    party = lab.certified()
    lab.later(days=61)
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    reply = by(lab, cmc.pki_data([], [request]), cmc.Signer(party.key, party.der, spoil=spoil))
    assert reply.failure(0) == "badMessageCheck"
    assert lab.count() == 1


def test_3_2_1_3_4_the_octets_that_were_received_are_verified(lab: CmcLab) -> None:
    key = cmc.new_key()
    message = enrollment(key, controls=[cmc.control(9, 6, cmc.octets(b"the nonce"))])
    place = message.index(b"the nonce")
    changed = message[:place] + b"bad" + message[place + 3 :]
    assert lab.post(changed).failure(0) == "badMessageCheck"
    without = cmc.signed(cmc.pki_data(), [cmc.Signer(key)], attributes=False)
    assert lab.post(without).failure(0) == "badMessageCheck"
    assert lab.count() == 0


def test_3_2_nobody_enrolls_without_a_signature(lab: CmcLab) -> None:
    key = cmc.new_key()
    request = cmc.tcr(201, cmc.csr(key, names=["a.example.test"]))
    proof = [cmc.control(1, 2, cmc.text("device")), cmc.identity_proof(2, [request], SECRET, "device")]
    assert by(lab, cmc.pki_data(proof, [request])).failure(0) == "badMessageCheck"
    assert lab.post(cmc.signed(cmc.pki_data(proof, [request])), user=("device", SECRET)).failure(0) == "badMessageCheck"
    assert by(lab, cmc.pki_data()).failure(0) == "badMessageCheck"
    assert lab.count() == 0


def test_3_2_1_several_requests_each_with_its_own_status(lab: CmcLab) -> None:
    lab.set(names=lab.profile.profile.names.__class__(permitted_dns=("example.test",)))
    ra = lab.registration()
    good, bad, weak = cmc.new_key(), cmc.new_key(), rsa.generate_private_key(65537, 1024)
    requests = [
        cmc.tcr(1, cmc.csr(good, cmc.name(CN="a.example.test"), ["a.example.test"])),
        cmc.crm(cmc.crmf(2, bad, cmc.name(CN="b"), ["b.elsewhere.test"])),
        cmc.tcr(3, cmc.csr(weak, names=["c.example.test"])),
    ]
    reply = by(lab, cmc.pki_data([], requests), ra.signer)
    found = {status.bodies[0]: (status.status, status.failure) for status in reply.cmc.statuses}
    assert found == {1: ("success", ""), 2: ("failed", "badRequest"), 3: ("failed", "badAlg")}
    assert reply.status == 200
    assert reply.issued(good)
    assert reply.cmc.certificate_for(bad) is None
    assert lab.count() == 1


def test_3_2_1_a_request_of_another_format_stops_all_of_them(lab: CmcLab) -> None:
    key = cmc.new_key()
    requests = [cmc.orm(2), cmc.tcr(1, cmc.csr(key, names=["a.example.test"]))]
    reply = by(lab, cmc.pki_data([], requests), lab.registration().signer)
    assert reply.cmc.status_of(2).status == "noSupport"
    assert reply.cmc.status_of(1).failure == "badRequest"
    assert (reply.status, lab.count()) == (400, 0)


def test_3_2_1_1_a_control_that_is_not_known_fails_everything(lab: CmcLab) -> None:
    key = cmc.new_key()
    for control in (
        cmc.control(77, "1.3.6.1.4.1.99999.2", b"\x05\x00"),
        cmc.control(77, 37, cmc.sequence(cmc.integer(1))),  # RFC 6402 section 2.6: not in a request
        cmc.control(77, 29, cmc.sequence(cmc.integer(1))),
    ):
        reply = lab.post(enrollment(key, controls=[control]))
        assert reply.cmc.statuses[0].bodies == [77]
        assert reply.failure(77) == "badRequest"
    for number in (26, 27, 30):
        reply = lab.post(enrollment(key, controls=[cmc.control(77, number, b"\x05\x00")]))
        assert reply.cmc.status_of(77).status == "noSupport"
    assert lab.count() == 0


def test_3_2_1_1_controls_that_only_inform_are_taken_note_of(lab: CmcLab) -> None:
    key = cmc.new_key()
    told = [cmc.control(50, 18, cmc.octets(b"x")), cmc.control(51, 7, cmc.octets(b"y")), cmc.control(52, 1, b"\x05\x00")]
    assert lab.post(enrollment(key, controls=told)).issued(key)


def test_3_2_1_messages_that_no_control_names_are_ignored(lab: CmcLab) -> None:
    key, other = cmc.new_key(), cmc.new_key()
    request = cmc.tcr(201, cmc.csr(key, names=["a.example.test"]))
    proof = [cmc.control(1, 2, cmc.text("device")), cmc.identity_proof(2, [request], SECRET, "device")]
    data = cmc.pki_data(proof, [request], [cmc.content(9, enrollment(other))])
    reply = by(lab, data, cmc.Signer(key))
    assert reply.issued(key)
    assert lab.count() == 1


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        pytest.param({"subject": None}, "badRequest", id="no subject"),
        pytest.param(
            {"registration": cmc.sequence(cmc.sequence(cmc.oid("1.3.6.1.5.5.7.5.2.1"), cmc.text("a?b%")))},
            "badRequest",
            id="regInfo",
        ),
        pytest.param({"controls": [cmc.sequence(cmc.oid("1.3.6.1.5.5.7.5.1.1"), cmc.text("t"))]}, "badRequest", id="regToken"),
        pytest.param(
            {"controls": [cmc.sequence(cmc.oid("1.3.6.1.5.5.7.5.1.2"), cmc.text("t"))]}, "badRequest", id="authenticator"
        ),
        pytest.param(
            {"controls": [cmc.sequence(cmc.oid("1.3.6.1.5.5.7.5.1.4"), b"\x82\x00")]}, "badRequest", id="pkiArchiveOptions"
        ),
        pytest.param({"pop": "none"}, "popFailed", id="no proof of possession"),
        pytest.param({"pop": "raVerified"}, "popFailed", id="raVerified by oneself"),
        pytest.param({"pop": "subsequent"}, "popRequired", id="proof by decryption"),
        pytest.param({"signer": cmc.new_key()}, "popFailed", id="another key's signature"),
    ],
)
def test_3_2_1_2_2_crmf(lab: CmcLab, changes: dict[str, Any], failure: str) -> None:
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    settings = {"subject": cmc.name(CN="device"), **changes}
    message = cmc.crmf(7, key, names=["device.example.test"], **settings)
    assert by(lab, cmc.pki_data([], [cmc.crm(message)]), party.signer).failure(7) == failure
    assert lab.count() == 1


def test_3_2_1_2_1_pkcs10_proves_possession(lab: CmcLab) -> None:
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"], signer=cmc.new_key()))
    assert by(lab, cmc.pki_data([], [request]), party.signer).failure(7) == "popFailed"
    assert lab.count() == 1


def test_6_7_one_request_without_possession_stops_the_others(lab: CmcLab) -> None:
    good, bad = cmc.new_key(), cmc.new_key()
    requests = [
        cmc.tcr(1, cmc.csr(good, names=["a.example.test"])),
        cmc.tcr(2, cmc.csr(bad, names=["b.example.test"], signer=good)),
    ]
    reply = by(lab, cmc.pki_data([], requests), lab.registration().signer)
    assert [reply.cmc.status_of(body).failure for body in (1, 2)] == ["popFailed", "popFailed"]
    assert "another request" in reply.cmc.status_of(1).text
    assert lab.count() == 0


@pytest.mark.parametrize("crmf", [False, True], ids=["PKCS10", "CRMF"])
def test_3_1_an_extension_that_is_refused_is_unsupported_ext(lab: CmcLab, crmf: bool) -> None:
    key, extension = cmc.new_key(), cmc.extension(x509.OCSPNoCheck(), critical=True)
    subject, names = cmc.name(CN="a.example.test"), ["a.example.test"]
    request = cmc.crm(cmc.crmf(1, key, subject, names, more=[extension]))
    if not crmf:
        request = cmc.tcr(1, cmc.csr(key, subject, names, more=[extension]))
    assert by(lab, cmc.pki_data([], [request]), lab.registration().signer).failure(1) == "unsupportedExt"


def test_another_key_signs_a_crmf_request(lab: CmcLab) -> None:
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    message = cmc.crmf(7, key, cmc.name(CN="device"), ["device.example.test"], signer=cmc.new_key())
    assert by(lab, cmc.pki_data([], [cmc.crm(message)]), party.signer).failure(7) == "popFailed"


def test_a_body_part_that_is_there_twice(lab: CmcLab) -> None:
    keys = [cmc.new_key(), cmc.new_key()]
    requests = [cmc.tcr(1, cmc.csr(key, names=["a.example.test"])) for key in keys]
    assert by(lab, cmc.pki_data([], requests), lab.registration().signer).failure(0) == "badRequest"
    assert lab.count() == 0


def test_requests_are_not_verified_for_a_stranger(lab: CmcLab) -> None:
    """Each signature costs something: before it is known who asks, that of what may have signed the message has to do."""
    verified: list[int] = []
    verify = signatures.verify

    def counted(*arguments: Any) -> str:
        verified.append(1)
        return verify(*arguments)

    keys = [cmc.new_key() for _ in range(8)]
    requests = [cmc.tcr(body, cmc.csr(key, names=["a.example.test"])) for body, key in enumerate(keys, 1)]
    # One key identifier in all of them.
    extension = cmc.extension(x509.SubjectKeyIdentifier(b"the same identifier"))
    same = [cmc.tcr(body, cmc.csr(key, more=[extension], ski=False)) for body, key in enumerate(keys, 1)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(signatures, "verify", counted)
        assert by(lab, cmc.pki_data([], requests), cmc.Signer(keys[0])).status == 401
        assert by(lab, cmc.pki_data([], requests), cmc.Signer(cmc.new_key())).status == 400
        signer = cmc.Signer(keys[0], key_identifier=b"the same identifier")
        assert by(lab, cmc.pki_data([], same), signer).failure(0) == "badRequest"
    assert len(verified) == 1


def test_too_many_requests_are_refused_before_they_are_read(lab: CmcLab) -> None:
    key = cmc.new_key()
    request = cmc.csr(key, names=["a.example.test"])
    reply = by(lab, cmc.pki_data([], [cmc.tcr(body, request) for body in range(1, 34)]), lab.registration().signer)
    assert (reply.status, reply.failure(0)) == (413, "badRequest")


def test_a_message_sent_again_gets_the_same_certificate(lab: CmcLab) -> None:
    key = cmc.new_key()
    message = enrollment(key)
    assert lab.post(message).issued(key) == lab.post(message).issued(key)
    assert lab.count() == 1
    lab.later(hours=2)
    assert lab.post(message).issued(key)
    assert lab.count() == 2


def test_the_options_of_csr_attributes_hold_here_too(lab: CmcLab) -> None:
    from privca.issuance.options.est import CsrAttribute

    lab.set(est={"csr_attributes": (CsrAttribute(oid="2.5.4.11"),), "csr_attributes_enforced": True})
    for crmf in (False, True):
        assert lab.post(enrollment(cmc.new_key(), crmf=crmf)).failure(201) == "badRequest"
    assert lab.count() == 0


def test_ber_around_the_message_is_read(lab: CmcLab) -> None:
    key = cmc.new_key()
    message = enrollment(key)
    # The outermost two lengths become indefinite, as 'openssl cms -stream' writes them.
    info = cmc.decoder.decode(message, asn1Spec=cmc.rfc5652.ContentInfo())[0]
    inner = bytes(info["content"])
    streamed = b"\x30\x80" + cmc.oid(cmc.SIGNED_DATA) + b"\xa0\x80" + inner + b"\0\0" + b"\0\0"
    assert lab.post(streamed).issued(key)


def test_no_message_breaks_the_server(lab: CmcLab) -> None:
    """Bounded and seeded: whatever is changed, cut or doubled, there is an answer, and nothing is certified but what was signed. (A few
    octets are under no signature: as versions, and the list of digests.)"""
    source = random.Random(7030)
    ra, client = lab.registration(), cmc.new_key()
    whole = [
        enrollment(client, controls=[cmc.control(9, 6, cmc.octets(b"nonce"))]),
        cmc.signed(
            cmc.pki_data([cmc.control(1, 28, cmc.sequence(cmc.integer(5)))], [], [cmc.content(5, enrollment(client))]),
            [ra.signer],
        ),
        cmc.signed(cmc.pki_data([cmc.control(1, 17, cmc.revoke_request(b"\x30\x00", 5))]), [ra.signer]),
    ]
    answered = set()
    for round in range(150):
        octets = bytearray(whole[round % len(whole)])
        place = source.randrange(len(octets))
        match source.randrange(4):
            case 0:
                octets[place] ^= 1 << source.randrange(8)
            case 1:
                octets[place] = source.randrange(256)
            case 2:
                del octets[place : place + source.randrange(1, 4)]
            case _:
                octets[place:place] = octets[place : place + 8]
        reply = lab.post(bytes(octets))
        answered.add(reply.status)
        assert reply.status == 200 or 400 <= reply.status < 500, octets.hex()
    assert answered >= {400}
    issued = run(lab.store.certificates(profile_id="lab", limit=1000))
    assert {(one.spki_sha256, one.names) for one in issued} <= {
        (hashlib.sha256(cmc.spki(client)).digest(), (dns_name("new.example.test"),))
    }
