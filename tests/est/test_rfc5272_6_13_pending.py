"""Requests that wait for a person, and Query Pending (RFC 5272 sections 6.1.1 and 6.13)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from msgspec.structs import replace

from privca.enrollment.ports import Decision
from privca.issuance.ports import CertificateStatus
from tests.support import cmc_client as cmc
from tests.support.cmc_lab import CmcLab, Reply, enrollment
from tests.support.issuance_lab import run


@pytest.fixture
def lab(tmp_path: Path) -> CmcLab:
    made = CmcLab(tmp_path)
    made.set(approval_always=True)
    return made


def decide(lab: CmcLab, decision: Decision) -> None:
    (waiting,) = [one for one in run(lab.store.waiting_requests("lab")) if one.decision is Decision.WAITING]
    run(lab.store.decide_request(replace(waiting, decision=decision, decided=lab.ca.clock.now(), decided_by="operator:test")))


def query(lab: CmcLab, token: bytes, signer: cmc.Signer | None, controls: Any = (), requests: Any = (), **facts: Any) -> Reply:
    data = cmc.pki_data([cmc.control(1, 21, cmc.octets(token)), *controls], requests)
    return lab.post(cmc.signed(data, [] if signer is None else [signer]), **facts)


@pytest.mark.parametrize("crmf", [False, True], ids=["PKCS10", "CRMF"])
def test_a_request_waits_and_is_asked_about(lab: CmcLab, crmf: bool) -> None:
    key = cmc.new_key()
    reply = lab.post(enrollment(key, crmf=crmf))
    first = reply.cmc.status_of(201)
    assert (reply.status, first.status) == (200, "pending")
    assert first.time is not None
    assert first.time > lab.ca.clock.now()
    assert not any(one.public_key() == key.public_key() for one in reply.cmc.certificates)
    lab.later(seconds=30)
    # By the key of the request, which is in no message any longer.
    again = query(lab, first.token, cmc.Signer(key)).cmc.status_of(1)
    assert (again.status, again.token, again.time) == ("pending", first.token, first.time)  # as it was said first
    decide(lab, Decision.APPROVED)
    assert query(lab, first.token, cmc.Signer(key)).issued(key)
    assert query(lab, first.token, cmc.Signer(key)).issued(key)
    assert lab.count() == 1


def test_a_request_that_is_sent_again_waits_on(lab: CmcLab) -> None:
    key = cmc.new_key()
    message = enrollment(key)
    first = lab.post(message).cmc.status_of(201).token
    assert lab.post(message).cmc.status_of(201).token == first
    decide(lab, Decision.APPROVED)
    assert lab.post(message).issued(key)
    assert lab.count() == 1


def test_a_request_that_is_rejected(lab: CmcLab) -> None:
    key = cmc.new_key()
    token = lab.post(enrollment(key)).cmc.status_of(201).token
    decide(lab, Decision.REJECTED)
    reply = query(lab, token, cmc.Signer(key))
    assert reply.status == 403
    assert reply.failure(1) == "badRequest"


@pytest.mark.parametrize("who", ["another key", "nobody", "another code", "another certificate", "spoilt signature"])
def test_somebody_else_gets_no_answer(lab: CmcLab, who: str) -> None:
    key, other = cmc.new_key(), cmc.new_key()
    token = lab.post(enrollment(key)).cmc.status_of(201).token
    decide(lab, Decision.APPROVED)
    if who == "another key":
        reply = query(lab, token, cmc.Signer(other))
    elif who == "nobody":
        reply = query(lab, token, None)
    elif who == "another code":
        from privca.enrollment.ports import Code

        run(lab.store.save_code(Code("lab", "other", b"another code of the lab", lab.ca.clock.now())))
        requests = [cmc.tcr(201, cmc.csr(other, names=["b.example.test"]))]
        proof = [cmc.control(2, 2, cmc.text("other")), cmc.identity_proof(3, requests, "another code of the lab", "other")]
        reply = query(lab, token, cmc.Signer(other), proof, requests)
        assert reply.failure(1) == "badCertId"
        assert reply.cmc.certificate_for(key) is None
        return
    elif who == "another certificate":
        reply = query(lab, token, lab.certified().signer)
    else:
        reply = query(lab, token, cmc.Signer(key, spoil="signature"))
    assert reply.cmc.statuses[0].failure in ("badMessageCheck", "badCertId")
    assert reply.cmc.certificate_for(key) is None
    assert lab.count() == (1 if who == "another certificate" else 0)


def test_a_token_is_ours_and_whole(lab: CmcLab) -> None:
    party = lab.certified()
    lab.later(days=61)
    key = cmc.new_key()
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    token = lab.post(cmc.signed(cmc.pki_data([], [request]), [party.signer])).cmc.status_of(7).token
    assert query(lab, token, party.signer).cmc.status_of(1).status == "pending"
    for wrong in (
        token[:-1],
        token + b"\0",
        token[:31],
        b"x",
        bytes([token[0] ^ 1]) + token[1:],
        token[:40] + bytes([token[40] ^ 1]) + token[41:],
    ):
        reply = query(lab, wrong, party.signer)
        assert (reply.status, reply.failure(1)) == (400, "badCertId")


def test_a_token_is_of_its_profile(lab: CmcLab) -> None:
    key = cmc.new_key()
    token = lab.post(enrollment(key)).cmc.status_of(201).token
    lab.profile = replace(lab.profile, id="other")
    # It leads to no key that could have signed the message.
    assert query(lab, token, cmc.Signer(key)).failure(0) == "badMessageCheck"


def test_the_identity_of_the_request_asks_again(lab: CmcLab) -> None:
    party, key = lab.certified(), cmc.new_key()
    lab.later(days=61)
    request = cmc.tcr(7, cmc.csr(key, cmc.name(CN="device"), ["device.example.test"]))
    token = lab.post(cmc.signed(cmc.pki_data([], [request]), [party.signer])).cmc.status_of(7).token
    decide(lab, Decision.APPROVED)
    assert query(lab, token, party.signer).issued(key)


def test_a_request_without_credentials_waits_where_a_person_decides(lab: CmcLab) -> None:
    lab.set(approval_always=False, authentication=("approval",))
    key = cmc.new_key()
    request = cmc.tcr(201, cmc.csr(key, names=["a.example.test"]))
    token = lab.post(cmc.signed(cmc.pki_data([], [request]), [cmc.Signer(key)])).cmc.status_of(201).token
    stranger = cmc.new_key()
    other = cmc.tcr(202, cmc.csr(stranger, names=["b.example.test"]))
    # Who presented nothing is nobody in particular: only the key tells.
    reply = query(lab, token, cmc.Signer(stranger), requests=[other])
    assert reply.failure(1) == "badCertId"
    assert query(lab, token, cmc.Signer(key)).cmc.status_of(1).status == "pending"
    decide_first(lab)
    assert query(lab, token, cmc.Signer(key)).issued(key)


def decide_first(lab: CmcLab) -> None:
    waiting = next(one for one in run(lab.store.waiting_requests("lab")) if one.names[0].value == "a.example.test")
    run(
        lab.store.decide_request(
            replace(waiting, decision=Decision.APPROVED, decided=lab.ca.clock.now(), decided_by="operator:test")
        )
    )


def test_the_key_of_a_request_that_waits_is_nobody_else(lab: CmcLab) -> None:
    key, party = cmc.new_key(), lab.certified()
    token = lab.post(enrollment(key)).cmc.status_of(201).token
    issuer = x509.load_der_x509_certificate(party.der).issuer.public_bytes()
    serial = int.from_bytes(party.record.serial, "big")
    for control in (
        cmc.control(2, 17, cmc.revoke_request(issuer, serial)),
        cmc.control(2, 15, cmc.sequence(cmc.tlv(0xA4, issuer), cmc.integer(serial))),
        cmc.control(2, 28, cmc.sequence(cmc.integer(5))),
    ):
        assert query(lab, token, cmc.Signer(key), [control]).status in (401, 403)
    assert lab.standing(party.record) is CertificateStatus.ISSUED


def test_one_waits_in_a_batch(lab: CmcLab) -> None:
    key, ra = cmc.new_key(), lab.registration()
    batch = cmc.control(101, 28, cmc.sequence(cmc.integer(1)))
    reply = lab.post(cmc.signed(cmc.pki_data([batch], [], [cmc.content(1, enrollment(key))]), [ra.signer]))
    assert reply.cmc.inside[1].status_of(201).status == "pending"
    assert reply.status == 200
