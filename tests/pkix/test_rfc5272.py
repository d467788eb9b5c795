"""CMC messages (RFC 5272, RFC 6402), against messages that pyasn1 reads too."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ObjectIdentifier
from pyasn1.codec.der import decoder, encoder
from pyasn1_modules import rfc6402 as other

from privca.base.refused import Reason, Refused
from privca.pkix import rfc6402
from privca.pkix.rfc5272 import controls, identifiers, pki_data, pki_response, proofs, status
from tests.support import cmc_client as cmc

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def key() -> Any:
    return cmc.new_key()


def read(*items: bytes) -> controls.Controls:
    data = cmc.pki_data(items)
    again, rest = decoder.decode(data, asn1Spec=other.PKIData())
    assert not rest
    assert encoder.encode(again) == data
    return controls.read(pki_data.parse(data).controls)


def refused(function: Any, *arguments: Any) -> Refused:
    with pytest.raises(Refused) as refusal:
        function(*arguments)
    return refusal.value


def test_3_2_1_pki_data_is_read_as_it_stands(key: Any) -> None:
    request = cmc.csr(key, cmc.name(CN="one"), ["one.example.test"])
    message = cmc.crmf(202, key, cmc.name(CN="two"), ["two.example.test"])
    requests = [cmc.tcr(201, request), cmc.crm(message), cmc.orm(203)]
    inner = cmc.signed(cmc.pki_data())
    data = cmc.pki_data([cmc.control(1, 6, cmc.octets(b"n"))], requests, [cmc.content(9, inner)])
    decoder.decode(data, asn1Spec=other.PKIData())
    found = pki_data.parse(data)
    assert found.requests == (
        pki_data.Pkcs10Request(201, request, requests[0]),
        pki_data.CrmfRequest(202, message, requests[1]),
        pki_data.OtherRequest(203, ObjectIdentifier("1.3.6.1.4.1.99999.1")),
    )
    assert found.request_sequence == cmc.sequence(*requests)
    assert found.contents == (pki_data.Content(9, inner),)
    assert found.bodies == (1, 201, 202, 203, 9)
    assert found.controls == (pki_data.Control(1, identifiers.SENDER_NONCE, (cmc.octets(b"n"),)),)


@pytest.mark.parametrize(
    ("bodies", "said"),
    [
        pytest.param((1, 1), "more than once", id="the same twice"),
        pytest.param((0, 1), "reserved", id="zero"),
        pytest.param((1, 1 << 32), "out of range", id="too large"),
        pytest.param((1, -1), "out of range", id="negative"),
    ],
)
def test_3_2_2_body_part_identifiers_are_unique_and_in_range(bodies: tuple[int, int], said: str, key: Any) -> None:
    first, second = bodies
    nonce = cmc.octets(b"n")
    for data in (
        cmc.pki_data([cmc.control(first, 6, nonce), cmc.control(second, 7, nonce)]),
        cmc.pki_data([cmc.control(first, 6, nonce)], [cmc.tcr(second, cmc.csr(key))]),
        cmc.pki_data([cmc.control(first, 6, nonce)], [cmc.crm(cmc.crmf(second, key))]),
        cmc.pki_data([cmc.control(first, 6, nonce)], [], [cmc.content(second, cmc.signed(cmc.pki_data()))]),
    ):
        refusal = refused(pki_data.parse, data)
        assert (refusal.reason, refusal.clause) == (Reason.MALFORMED, "RFC 5272 section 3.2.2")
        assert said in refusal.detail


def test_a_pki_data_is_bounded() -> None:
    nonce = cmc.octets(b"n")
    for data in (
        cmc.pki_data([cmc.control(number, 4, nonce) for number in range(1, 66)]),
        cmc.pki_data([], [cmc.orm(number) for number in range(1, 34)]),
        cmc.pki_data([], [], [cmc.content(number, cmc.signed(b"")) for number in range(1, 34)]),
    ):
        assert refused(pki_data.parse, data).reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(cmc.sequence(), id="empty"),
        pytest.param(cmc.pki_data() + b"\0", id="trailing octet"),
        pytest.param(cmc.pki_data(requests=[cmc.integer(1)]), id="a request of no kind"),
        pytest.param(cmc.pki_data(requests=[cmc.tlv(0xA1)]), id="an empty CertReqMsg"),
        pytest.param(cmc.pki_data(requests=[cmc.tlv(0xA1, cmc.sequence())]), id="an empty CertRequest"),
        pytest.param(cmc.pki_data(requests=[cmc.tlv(0xA0)]), id="an empty TaggedCertificationRequest"),
        pytest.param(
            cmc.sequence(cmc.sequence(), cmc.integer(1), cmc.sequence(), cmc.sequence()), id="requests that are no sequence"
        ),
    ],
)
def test_what_is_no_pki_data_is_malformed(octets: bytes) -> None:
    assert refused(pki_data.parse, octets).reason is Reason.MALFORMED


def test_6_6_transaction_and_nonces() -> None:
    found = read(
        cmc.control(1, 5, cmc.integer(10132985123483401)),
        cmc.control(2, 6, cmc.octets(b"sender")),
        cmc.control(3, 7, cmc.octets(b"recipient")),
        cmc.control(4, 4, cmc.octets(b"first")),
        cmc.control(5, 4, cmc.octets(b"second")),
    )
    assert found.transaction_id == cmc.integer(10132985123483401)
    assert (found.sender_nonce, found.recipient_nonce) == (b"sender", b"recipient")
    assert found.data_return == {4: b"first", 5: b"second"}


@pytest.mark.parametrize(
    ("number", "value"),
    [
        pytest.param(5, cmc.integer(1 << 600), id="transaction identifier"),
        pytest.param(5, cmc.octets(b"1"), id="transaction identifier that is no INTEGER"),
        pytest.param(6, cmc.octets(b""), id="empty nonce"),
        pytest.param(6, cmc.octets(bytes(257)), id="long nonce"),
        pytest.param(4, cmc.octets(bytes(16385)), id="data to return"),
        pytest.param(2, cmc.text("x" * 256), id="identification"),
        pytest.param(2, b"\x0c\x01\xff", id="identification that is no UTF-8"),
        pytest.param(21, cmc.octets(bytes(4097)), id="pend token"),
        pytest.param(22, cmc.octets(bytes(1025)), id="POP link random"),
        pytest.param(3, cmc.octets(bytes(65)), id="identity proof"),
        pytest.param(28, cmc.sequence(), id="empty batch"),
        pytest.param(28, cmc.sequence(*[cmc.integer(1)] * 65), id="long batch"),
        pytest.param(35, cmc.sequence(cmc.integer(-1)), id="path out of range"),
        pytest.param(32, cmc.sequence(cmc.sequence()), id="nothing processed"),
        pytest.param(11, cmc.sequence(cmc.integer(0), cmc.sequence()), id="empty POP witness"),
        pytest.param(17, cmc.sequence(cmc.octets(b""), cmc.integer(1), b"\x0a\x01\x01"), id="revocation without a Name"),
        pytest.param(17, cmc.sequence(cmc.name(CN="x"), cmc.integer(1), b"\x0a\x02\x00\x01"), id="long reason"),
        pytest.param(17, cmc.revoke_request(cmc.name(CN="x"), 1, secret=bytes(1025)), id="long revocation secret"),
        pytest.param(16, cmc.sequence(), id="empty GetCRL"),
        pytest.param(24, cmc.sequence(cmc.octets(b""), cmc.integer(1)), id="certificate without issuer"),
        pytest.param(8, cmc.sequence(cmc.integer(0), cmc.sequence(cmc.integer(1)), cmc.sequence()), id="no extension to add"),
    ],
)
def test_controls_have_their_type_and_a_bound(number: int, value: bytes) -> None:
    refusal = refused(read, cmc.control(1, number, value))
    assert refusal.reason is Reason.MALFORMED
    assert refusal.clause.startswith(("RFC 5272 section", "RFC 6402 section"))


def test_3_2_1_1_a_control_has_one_value_and_occurs_once() -> None:
    one, two = cmc.octets(b"1"), cmc.octets(b"2")
    assert "exactly one value" in refused(read, cmc.control(1, 6, one, two)).detail
    assert "exactly one value" in refused(read, cmc.control(1, 6)).detail
    for number, value in ((5, cmc.integer(1)), (6, one), (7, one), (22, one), (3, one), (2, cmc.text("x"))):
        assert "occurs twice" in refused(read, cmc.control(1, number, value), cmc.control(2, number, value)).detail
    # Both versions of an identity proof are one proof.
    proof = cmc.identity_proof(1, [], "secret")
    assert "occurs twice" in refused(read, proof, cmc.identity_proof_v1(2, [], "secret")).detail


def test_3_2_1_1_what_is_not_known_is_kept_by_its_identifier() -> None:
    nothing = b"\x05\x00"
    found = read(
        cmc.control(1, "1.3.6.1.4.1.99999.2", nothing),
        cmc.control(2, 37, cmc.sequence(cmc.integer(1))),
        cmc.control(3, 30, nothing),
        cmc.control(4, 18, cmc.octets(b"registration")),
        cmc.control(5, 29, cmc.sequence(cmc.integer(1))),
    )
    assert (found.unknown, found.unsupported) == ((1, 2, 5), (3,))


def test_6_2_1_identity_proof_version_2(key: Any) -> None:
    requests = [cmc.tcr(1, cmc.csr(key))]
    for hashed in ("sha1", "sha256", "sha384", "sha512"):
        for mac in ("sha1", "sha256", "sha384", "sha512"):
            found = read(cmc.identity_proof(2, requests, "secret", "device", hashed=hashed, mac=mac))
            assert found.identity_proof is not None
            body, proof = found.identity_proof
            secret = proofs.identity_secret(b"secret", "device")
            assert (body, proof.sha1) == (2, "sha1" in (hashed, mac))
            assert proof.verifies(cmc.sequence(*requests), secret)
            assert not proof.verifies(cmc.sequence(), secret)
            assert not proof.verifies(cmc.sequence(*requests), b"secret")
            assert not proof.verifies(cmc.sequence(*requests), proofs.identity_secret(b"Secret", "device"))


def test_6_2_2_identity_proof(key: Any) -> None:
    requests = [cmc.tcr(1, cmc.csr(key))]
    found = read(cmc.identity_proof_v1(2, requests, "secret"))
    assert found.identity_proof is not None
    assert found.identity_proof[1].verifies(cmc.sequence(*requests), proofs.identity_secret(b"secret", None))


def test_a_witness_that_is_cut_short_proves_nothing() -> None:
    found = read(cmc.identity_proof(2, [], "secret"))
    assert found.identity_proof is not None
    proof = found.identity_proof[1]
    short = proofs.Proof(proof.hash, proof.mac, proof.witness[:1])
    assert proof.verifies(cmc.sequence(), b"secret")
    assert not short.verifies(cmc.sequence(), b"secret")
    assert not proofs.Proof(proof.hash, proof.mac, b"").verifies(cmc.sequence(), b"secret")


@pytest.mark.parametrize(
    ("hashed", "mac", "reason"),
    [
        pytest.param(
            cmc.algorithm(cmc.DIGESTS["md5"]), cmc.algorithm(cmc.MACS["sha256"]), Reason.BAD_SIGNATURE_ALGORITHM, id="MD5"
        ),
        pytest.param(
            cmc.algorithm(cmc.DIGESTS["sha256"]),
            cmc.algorithm("1.3.6.1.5.5.8.1.1"),
            Reason.BAD_SIGNATURE_ALGORITHM,
            id="HMAC-MD5",
        ),
        pytest.param(
            cmc.algorithm(cmc.DIGESTS["sha256"], cmc.octets(b"x")),
            cmc.algorithm(cmc.MACS["sha256"]),
            Reason.BAD_SIGNATURE_ALGORITHM,
            id="parameters",
        ),
        pytest.param(
            # PBKDF2, whose iteration count a client would choose.
            cmc.algorithm("1.2.840.113549.1.5.12", cmc.sequence(cmc.octets(b"salt"), cmc.integer(1 << 40))),
            cmc.algorithm(cmc.MACS["sha256"]),
            Reason.BAD_SIGNATURE_ALGORITHM,
            id="PBKDF2",
        ),
        pytest.param(cmc.octets(b""), cmc.octets(b""), Reason.MALFORMED, id="no algorithms"),
    ],
)
def test_the_algorithms_of_proofs_are_a_closed_list(hashed: bytes, mac: bytes, reason: Reason) -> None:
    value = cmc.sequence(hashed, mac, cmc.octets(bytes(32)))
    assert refused(read, cmc.control(1, 34, value)).reason is reason
    assert refused(proofs.read_pop_link_witness_v2, value).reason is reason


def test_algorithms_with_null_parameters_are_the_same() -> None:
    value = cmc.sequence(
        cmc.algorithm(cmc.DIGESTS["sha256"], b"\x05\x00"), cmc.algorithm(cmc.MACS["sha256"], b"\x05\x00"), cmc.octets(bytes(32))
    )
    assert proofs.read_identity_proof_v2(value) == proofs.Proof("sha256", "sha256", bytes(32))
    assert proofs.read_identity_proof_v2(value).sha1 is False


def test_6_3_1_pop_link_witness() -> None:
    value = cmc.pop_link_witness("secret", b"random")
    assert proofs.read_pop_link_witness_v2(value).verifies(b"random", b"secret")
    assert not proofs.read_pop_link_witness_v2(value).verifies(b"Random", b"secret")
    assert proofs.read_pop_link_witness(cmc.octets(b"x" * 20)) == proofs.Proof("sha1", "sha1", b"x" * 20)


def test_6_5_modifications() -> None:
    added = cmc.extension(x509.OCSPNoCheck())
    template = cmc.sequence(cmc.tlv(0xA5, cmc.name(CN="other")), cmc.tlv(0xA9, added))
    references = cmc.sequence(cmc.integer(7), cmc.integer(8)), cmc.sequence(cmc.integer(201))
    older = cmc.sequence(cmc.integer(0), cmc.sequence(cmc.integer(201)), cmc.sequence(added))
    found = read(
        cmc.control(1, 31, cmc.sequence(*references, template)),
        cmc.control(2, 31, cmc.sequence(*references, b"\x01\x01\x00", template)),
        cmc.control(3, 8, older),
    ).modifications
    assert (found[1].data, found[1].requests, found[1].replace) == ((7, 8), (201,), True)
    assert (found[1].subject, found[1].extensions) == (cmc.name(CN="other"), (added,))
    assert not found[2].replace
    assert (found[3].data, found[3].subject, found[3].extensions, found[3].additive) == ((0,), None, (added,), True)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        pytest.param(b"\x80\x01\x02", "version", id="version"),
        pytest.param(b"\x81\x01\x02", "serialNumber", id="serial number"),
        pytest.param(cmc.tlv(0xA3, cmc.name(CN="x")), "issuer", id="issuer"),
        pytest.param(cmc.tlv(0xA4), "validity", id="validity"),
        pytest.param(cmc.retagged(0xA6, cmc.spki(cmc.new_key())), "publicKey", id="public key"),
    ],
)
def test_6_5_1_an_ra_cannot_change_everything(field: bytes, told: str) -> None:
    value = cmc.sequence(cmc.sequence(cmc.integer(0)), cmc.sequence(cmc.integer(1)), cmc.sequence(field))
    refusal = refused(read, cmc.control(1, 31, value))
    assert (refusal.reason, refusal.got) == (Reason.BAD_CSR, told)


def test_6_8_and_6_17_and_6_19_what_an_ra_says() -> None:
    found = read(
        cmc.control(1, 11, cmc.sequence(cmc.integer(5), cmc.sequence(cmc.integer(201), cmc.integer(202)))),
        cmc.control(2, 28, cmc.sequence(cmc.integer(5), cmc.integer(6))),
        cmc.control(3, 32, cmc.sequence(cmc.sequence(cmc.integer(4), cmc.sequence(cmc.integer(5), cmc.integer(9))))),
        cmc.control(4, 35, cmc.sequence(cmc.integer(5), cmc.integer(102))),
    )
    assert found.pop_witnesses[1].data == 5
    assert found.pop_witnesses[1].requests == (201, 202)
    assert found.batch == (2, (5, 6))
    assert found.processed == {3: ((4,), (5, 9))}
    assert found.identity_witnessed == {4: (5, 102)}


def test_6_9_and_6_10_and_6_14_what_exists_already() -> None:
    issuer = cmc.name(CN="Issuing")
    found = read(
        cmc.control(1, 15, cmc.sequence(cmc.tlv(0xA4, issuer), cmc.integer(99))),
        cmc.control(2, 16, cmc.sequence(issuer)),
        cmc.control(3, 16, cmc.sequence(issuer, cmc.time(AT))),
        cmc.control(4, 24, cmc.sequence(issuer, cmc.integer(7))),
        cmc.control(5, 21, cmc.octets(b"token")),
    )
    assert (found.get_certs[1].issuer, found.get_certs[1].serial) == (issuer, 99)
    assert [(crl.issuer, crl.qualified) for crl in found.get_crls.values()] == [(issuer, False), (issuer, True)]
    assert (found.confirmations[4].issuer, found.confirmations[4].serial) == (issuer, 7)
    assert found.queries == {5: b"token"}
    value = cmc.sequence(cmc.tlv(0x82, b"example.test"), cmc.integer(1))
    assert refused(read, cmc.control(1, 15, value)).reason is Reason.NOT_FOUND


def test_6_11_revocation() -> None:
    issuer = cmc.name(CN="Issuing")
    found = read(
        cmc.control(1, 17, cmc.revoke_request(issuer, 255, 1, secret=b"secret", at=AT)),
        cmc.control(2, 17, cmc.revoke_request(issuer, 256, 6)),
    ).revocations
    assert (found[1].issuer, found[1].serial, found[1].reason, found[1].secret) == (issuer, 255, 1, b"secret")
    assert (found[1].invalidity_date, found[1].comment) == (AT, "no longer used")
    assert (found[2].serial, found[2].reason, found[2].secret, found[2].invalidity_date) == (256, 6, None, None)
    assert "secret" not in repr(found[1]).replace("secret=", "")
    bad = cmc.control(1, 17, cmc.revoke_request(issuer, 1, 5).replace(b"\x0a\x01\x05", b"\x0a\x01\x07"))
    assert refused(read, bad).reason is Reason.BAD_REVOCATION_REASON


def test_6_1_1_status_info_version_2() -> None:
    pending = status.StatusInfo(
        status.CmcStatus.PENDING, (1, 2), "wait", pend_info=status.PendInfo(b"token", AT + timedelta(hours=1))
    )
    found = cmc._status(pending.encode())
    assert (found.status, found.bodies, found.text) == ("pending", [1, 2], "wait")
    assert (found.token, found.time) == (b"token", AT + timedelta(hours=1))
    failed = status.StatusInfo(status.CmcStatus.FAILED, (0,), fail_info=status.CmcFailInfo.POP_FAILED)
    assert (cmc._status(failed.encode()).failure, cmc._status(failed.encode()).text) == ("popFailed", "")
    assert cmc._status(status.StatusInfo(status.CmcStatus.SUCCESS, (4294967295,)).encode()).bodies == [4294967295]


def test_4_2_1_pki_response() -> None:
    inner = cmc.signed(b"x")
    made = pki_response.pki_response(
        [(identifiers.STATUS_INFO_V2, status.StatusInfo(status.CmcStatus.SUCCESS, (1,)).encode())], [(998, inner)]
    )
    found, rest = decoder.decode(made, asn1Spec=other.PKIResponse())
    assert not rest
    assert encoder.encode(found) == made
    assert [int(item["bodyPartID"]) for item in found["controlSequence"]] == [999]
    assert [int(item["bodyPartID"]) for item in found["cmsSequence"]] == [998]


def test_rfc6402_2_8_change_subject_name() -> None:
    subject, names = cmc.name(CN="new"), cmc.alternative_names("new.example.test")
    both = rfc6402.read_change_subject_name(cmc.sequence(subject, cmc.retagged(0xA1, names)))
    assert (both.subject, both.subject_alt) == (subject, names)
    assert rfc6402.read_change_subject_name(cmc.sequence(subject)).subject_alt is None
    assert rfc6402.read_change_subject_name(cmc.sequence(cmc.retagged(0xA1, names))).subject is None
    for bad in (b"", cmc.sequence(), cmc.octets(b""), cmc.sequence(subject, subject), cmc.sequence(cmc.integer(1))):
        assert refused(rfc6402.read_change_subject_name, bad).reason is Reason.BAD_CSR


def test_no_message_makes_another_exception(key: Any) -> None:
    """Bounded and seeded: one octet changed, cut short, or doubled, anywhere in a message with every kind of part."""
    requests = [cmc.tcr(201, cmc.csr(key)), cmc.crm(cmc.crmf(202, key))]
    issuer = cmc.name(CN="Issuing")
    template = cmc.sequence(cmc.tlv(0xA5, issuer), cmc.tlv(0xA9, cmc.extension(x509.OCSPNoCheck())))
    message = cmc.pki_data(
        [
            cmc.control(1, 17, cmc.revoke_request(issuer, 255, 1, secret=b"secret", at=AT)),
            cmc.control(2, 31, cmc.sequence(cmc.sequence(cmc.integer(7)), cmc.sequence(cmc.integer(201)), template)),
            cmc.control(3, 32, cmc.sequence(cmc.sequence(cmc.integer(4), cmc.sequence(cmc.integer(5))))),
            cmc.control(4, 15, cmc.sequence(cmc.tlv(0xA4, issuer), cmc.integer(99))),
            cmc.control(5, 11, cmc.sequence(cmc.integer(0), cmc.sequence(cmc.integer(201)))),
            cmc.identity_proof(6, requests, "secret"),
        ],
        requests,
        [cmc.content(9, cmc.signed(cmc.pki_data()))],
    )
    controls.read(pki_data.parse(message).controls)
    source = random.Random(5272)
    refusals = 0
    for _ in range(3000):
        octets = bytearray(message)
        place = source.randrange(len(octets))
        match source.randrange(3):
            case 0:
                octets[place] ^= 1 << source.randrange(8)
            case 1:
                octets[place] = source.randrange(256)
            case _:
                del octets[place : place + source.randrange(1, 4)]
        try:
            controls.read(pki_data.parse(bytes(octets)).controls)
        except Refused:
            refusals += 1
    assert refusals > 1000
    for _ in range(500):
        with suppress(Refused):
            rfc6402.read_change_subject_name(source.randbytes(source.randrange(40)))
