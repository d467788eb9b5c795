"""Revocation requests (RFC 5272 section 6.11): signed, or under the secret that the certificate was obtained with."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from privca.issuance.ports import CertificateStatus, RevocationReason
from privca.issuance.profile import RevocationRights
from tests.support import cmc_client as cmc
from tests.support.cmc_lab import SECRET, CmcLab, Party, Reply, enrollment
from tests.support.issuance_lab import run

GOOD, GONE, HELD = CertificateStatus.ISSUED, CertificateStatus.REVOKED, CertificateStatus.HELD


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    return CmcLab(tmp_path)


def revocation(party: Party, reason: int = 4, body: int = 1, **facts: Any) -> bytes:
    issuer = facts.pop("issuer", None) or x509.load_der_x509_certificate(party.der).issuer.public_bytes()
    serial = facts.pop("serial", None) or int.from_bytes(party.record.serial, "big")
    return cmc.control(body, 17, cmc.revoke_request(issuer, serial, reason, **facts))


def sent(lab: CmcLab, signer: Party | None, *controls: bytes) -> Reply:
    return lab.post(cmc.signed(cmc.pki_data(controls), [] if signer is None else [signer.signer]))


def test_the_holder_revokes(lab: CmcLab) -> None:
    party = lab.certified()
    reply = sent(lab, party, revocation(party, 1, at=lab.ca.clock.now() - timedelta(days=1)))
    assert reply.cmc.full
    assert reply.cmc.status_of(1).status == "success"
    record = run(lab.store.certificate_by_serial(party.record.serial))
    assert record is not None
    assert (record.status, record.reason) == (GONE, RevocationReason.KEY_COMPROMISE)
    assert record.invalidity_date == lab.ca.clock.now() - timedelta(days=1)
    # It authenticates nobody any longer, not even for this.
    assert sent(lab, party, revocation(party)).failure(0) == "badIdentity"


def test_a_certificate_that_is_revoked_already(lab: CmcLab) -> None:
    party = lab.certified()
    both = [revocation(party, body=1), revocation(party, body=2)]
    reply = sent(lab, party, *both)
    assert [status.status for status in reply.cmc.statuses] == ["success", "failed"]
    assert reply.failure(2) == "badRequest"


@pytest.mark.parametrize("who", ["another client", "an RA of another profile", "the key of a request"])
def test_somebody_else_does_not(lab: CmcLab, who: str) -> None:
    party, other = lab.certified(identity="code:somebody"), lab.certified()
    if who == "another client":
        reply = sent(lab, other, revocation(party))
        assert (reply.status, reply.failure(1)) == (403, "badRequest")
    elif who == "an RA of another profile":
        lab.set(revocation=RevocationRights(ra=False))
        assert sent(lab, lab.registration(), revocation(party)).failure(1) == "badRequest"
    else:
        key = cmc.new_key()
        request = cmc.tcr(201, cmc.csr(key, names=["a.example.test"]))
        proof = [cmc.control(102, 2, cmc.text("device")), cmc.identity_proof(103, [request], SECRET, "device")]
        reply = lab.post(cmc.signed(cmc.pki_data([*proof, revocation(party)], [request]), [cmc.Signer(key)]))
        assert reply.failure(1) == "badRequest"
    assert lab.standing(party.record) is GOOD


def test_an_ra_revokes_for_others(lab: CmcLab) -> None:
    party = lab.certified()
    assert sent(lab, lab.registration(), revocation(party)).cmc.status_of(1).status == "success"
    assert lab.standing(party.record) is GONE


@pytest.mark.parametrize("wrong", ["issuer", "serial", "profile", "negative", "huge"])
def test_a_certificate_that_is_not_there_is_bad_cert_id(lab: CmcLab, wrong: str) -> None:
    party, ra = lab.certified(), lab.registration()
    facts: dict[str, Any] = {
        "issuer": {"issuer": cmc.name(CN="Other")},
        "serial": {"serial": 12345},
        "profile": {},
        "negative": {"serial": -5},
        "huge": {"serial": 1 << 200},
    }[wrong]
    assert sent(lab, ra, revocation(ra if wrong == "profile" else party, **facts)).failure(1) == "badCertId"
    assert lab.standing(party.record) is GOOD


def test_hold_and_release(lab: CmcLab) -> None:
    party, ra = lab.certified(), lab.registration()
    assert sent(lab, ra, revocation(party, 6)).status == 200
    assert lab.standing(party.record) is HELD
    assert sent(lab, lab.registration(), revocation(party, 8)).failure(1) == "badRequest"  # another one put it there
    assert sent(lab, ra, revocation(party, 8)).status == 200
    assert lab.standing(party.record) is GOOD
    assert sent(lab, party, revocation(party, 2)).failure(1) == "badRequest"  # a CA's reason


# Under a shared secret


def test_without_a_signature_under_the_code_that_it_was_obtained_with(lab: CmcLab) -> None:
    party = lab.certified()
    reply = sent(lab, None, revocation(party, secret=SECRET.encode()))
    assert (reply.status, reply.cmc.status_of(1).status) == (200, "success")
    assert lab.standing(party.record) is GONE
    assert [field for field, _ in reply.exchange.concealed] == ["body"]


def test_a_secret_stays_out_of_the_transcript_also_of_what_cannot_be_read(lab: CmcLab) -> None:
    party = lab.certified()
    broken = cmc.control(2, 6, cmc.integer(5))  # a nonce that is no OCTET STRING
    reply = sent(lab, None, revocation(party, secret=SECRET.encode()), broken)
    assert reply.failure(0) == "badRequest"
    assert [field for field, _ in reply.exchange.concealed] == ["body"]
    assert not sent(lab, party, revocation(party)).exchange.concealed


def test_under_a_passcode_that_is_spent(lab: CmcLab) -> None:
    lab.passcode()
    key = cmc.new_key()
    request = cmc.tcr(201, cmc.csr(key, cmc.name(CN="a"), ["a.example.test"]))
    proof = [cmc.control(102, 2, cmc.text("device")), cmc.identity_proof(103, [request], "one-time-passcode-1", "device")]
    issued = lab.post(cmc.signed(cmc.pki_data(proof, [request]), [cmc.Signer(key)])).issued(key)
    record = run(lab.store.certificate_by_serial(issued.serial_number.to_bytes(20, "big")))
    assert record is not None
    party = Party(key, record)
    assert sent(lab, None, revocation(party, secret=SECRET.encode())).failure(1) == "badIdentity"  # the code of the same name
    assert sent(lab, None, revocation(party, secret=b"one-time-passcode-1")).status == 200
    assert lab.standing(record) is GONE


def test_a_spent_passcode_revokes_nothing_else(lab: CmcLab) -> None:
    lab.passcode()
    before = lab.certified(identity="otp:device")  # obtained with an earlier passcode of the same name
    key = cmc.new_key()
    assert lab.post(enrollment(key, secret="one-time-passcode-1")).status == 200
    assert sent(lab, None, revocation(before, secret=b"one-time-passcode-1")).failure(1) == "badIdentity"
    assert lab.standing(before.record) is GOOD


@pytest.mark.parametrize("wrong", ["secret", "no certificate", "by certificate", "empty", "other identity", "right taken away"])
def test_a_wrong_secret_is_bad_identity_with_one_text(lab: CmcLab, wrong: str) -> None:
    party = lab.certified(identity="certificate:00ff" if wrong == "by certificate" else "code:device")
    secret, facts = SECRET.encode(), {}
    if wrong == "secret":
        secret = b"another one altogether"
    elif wrong == "no certificate":
        facts = {"serial": 4711}
    elif wrong == "empty":
        secret = b""
    elif wrong == "other identity":
        party = lab.certified(identity="code:somebody")
    elif wrong == "right taken away":
        lab.set(revocation=RevocationRights(account=False))
    reply = sent(lab, None, revocation(party, secret=secret, **facts))
    if wrong == "right taken away":
        assert reply.failure(1) == "badRequest"
    else:
        assert (reply.status, reply.failure(1)) == (401, "badIdentity")
        assert reply.cmc.status_of(1).text == "the shared secret is not that of the certificate (RFC 5272 section 6.11)"
    assert lab.standing(party.record) is GOOD


def test_secrets_are_not_tried_one_after_the_other(lab: CmcLab) -> None:
    party = lab.certified()
    guesses = [revocation(party, body=body, secret=b"guess %d" % body) for body in range(1, 20)]
    reply = sent(lab, None, *guesses, revocation(party, body=20, secret=SECRET.encode()))
    assert {one.failure for one in reply.cmc.statuses} == {"badIdentity"}
    assert lab.standing(party.record) is GOOD


def test_without_a_signature_nothing_but_that(lab: CmcLab) -> None:
    party = lab.certified()
    secret = revocation(party, secret=SECRET.encode())
    for message in (
        cmc.signed(cmc.pki_data([revocation(party)])),
        cmc.signed(cmc.pki_data([secret, revocation(party, body=2)])),
        cmc.signed(cmc.pki_data([secret], [cmc.tcr(9, cmc.csr(cmc.new_key(), names=["a.example.test"]))])),
    ):
        assert lab.post(message).failure(0) == "badMessageCheck"
    batch = cmc.control(50, 28, cmc.sequence(cmc.integer(9)))
    reply = lab.post(cmc.signed(cmc.pki_data([secret, batch], [], [cmc.content(9, cmc.signed(cmc.pki_data()))])))
    assert reply.failure(50) == "badRequest"
    assert lab.standing(party.record) is GOOD


def test_a_secret_beside_a_signature_of_somebody_else(lab: CmcLab) -> None:
    """A client that lost one key signs with another: the signature does not give the right, the secret does."""
    party, other = lab.certified(), lab.certified(identity="code:somebody")
    assert sent(lab, other, revocation(party, secret=b"wrong")).failure(1) == "badIdentity"
    assert sent(lab, other, revocation(party, secret=SECRET.encode())).status == 200
    assert lab.standing(party.record) is GONE


def test_an_expired_certificate_still_names_itself(lab: CmcLab) -> None:
    party = lab.certified()
    lab.later(days=91)
    assert sent(lab, party, revocation(party)).failure(0) == "badIdentity"
    assert sent(lab, lab.registration(), revocation(party)).status == 200
