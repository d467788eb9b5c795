"""Requests that wait for a person: recorded with what they spend, found again by whoever made them, answered once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from privca.base.names import dns_name, ip_name
from privca.base.refused import Reason
from privca.enrollment import remembered
from privca.enrollment.approval import decide
from privca.enrollment.door import Identity, Issued, Pending
from privca.enrollment.ports import Decision, WaitingRequest
from privca.issuance.ports import RevocationReason
from privca.issuance.profile import Names, Revisioned, Waiting
from tests.support.devices import (
    ask,
    device_profile,
    enroll,
    exchange,
    fresh,
    holder,
    issue_passcode,
    name,
    password,
    refusal,
    request,
)
from tests.support.issuance_lab import NOW, IssuanceLab, csr, run

CODE = Identity("code", "code:floor")
NOBODY = Identity("approval", "anonymous")
METHODS = ("code", "otp", "certificate", "approval")


def waiting_profile(lab: IssuanceLab, **settings: Any) -> Revisioned:
    return device_profile(lab, **{"authentication": METHODS, "approval_always": True, **settings})


def say(lab: IssuanceLab, profile: Revisioned, request_id: str, decision: Decision, reason: str = "") -> WaitingRequest:
    record = run(lab.store.waiting_request(profile.id, request_id))
    assert record is not None
    return run(decide(lab.store, record, decision, "operator", lab.clock.now(), "7d", reason))


def resume(lab: IssuanceLab, profile: Revisioned, request_id: str) -> Issued | Pending:
    return run(lab.door.resume(exchange(lab), profile, request_id))


@pytest.mark.parametrize("identity", [CODE, NOBODY], ids=["code", "nobody"])
def test_a_request_waits_until_it_is_approved(lab: IssuanceLab, identity: Identity) -> None:
    profile, id, requested = waiting_profile(lab, waiting=Waiting(retry_after=7)), fresh("r"), request([name()], cn="Device")
    for _ in range(2):
        assert ask(lab, profile, identity, requested, id) == Pending(7)
        assert resume(lab, profile, id) == Pending(7)
    assert run(lab.door.find(profile.id, id)) is None
    say(lab, profile, id, Decision.APPROVED)
    issued = ask(lab, profile, identity, requested, id)
    assert isinstance(issued, Issued)
    assert (issued.certificate.names, issued.certificate.subject) == (requested.names, "CN=Device")
    assert issued.certificate.identity == identity.id
    assert ask(lab, profile, identity, requested, id) == issued
    assert resume(lab, profile, id) == issued


def test_what_polls_gets_it_without_the_request(lab: IssuanceLab) -> None:
    profile, id = waiting_profile(lab), fresh("r")
    key = ec.generate_private_key(ec.SECP256R1())
    requested = csr([name(), ip_name("192.0.2.1")], subject=[(NameOID.COMMON_NAME, "Device")], key=key)
    ask(lab, profile, CODE, requested, id)
    say(lab, profile, id, Decision.APPROVED)
    issued = resume(lab, profile, id)
    assert isinstance(issued, Issued)
    assert issued.certificate.der is not None
    assert x509.load_der_x509_certificate(issued.certificate.der).public_key() == key.public_key()
    assert resume(lab, profile, id) == issued


def test_who_presents_nothing_waits_while_a_code_does_not(lab: IssuanceLab) -> None:
    profile = device_profile(lab, authentication=("code", "approval"))
    assert isinstance(ask(lab, profile, CODE), Issued)
    assert isinstance(ask(lab, profile, NOBODY), Pending)


def test_a_rejected_request_is_refused_for_good(lab: IssuanceLab) -> None:
    profile, id, requested = waiting_profile(lab), fresh("r"), request([name()])
    ask(lab, profile, CODE, requested, id)
    say(lab, profile, id, Decision.REJECTED, "not ours")
    for refused in (refusal(ask, lab, profile, CODE, requested, id), refusal(resume, lab, profile, id)):
        assert refused.reason is Reason.UNAUTHORIZED
        assert "a person has rejected this request: not ours" in refused.detail
    # Nor is it by a profile that no longer asks a person.
    hasty = device_profile(lab, id=profile.id, authentication=METHODS)
    assert refusal(ask, lab, hasty, CODE, requested, id).reason is Reason.UNAUTHORIZED
    # Who decides may think again.
    say(lab, profile, id, Decision.APPROVED)
    assert isinstance(resume(lab, profile, id), Issued)
    record = run(lab.store.waiting_request(profile.id, id))
    assert record is not None
    assert refusal(lambda: run(decide(lab.store, record, Decision.REJECTED, "operator", NOW, "7d"))).reason is Reason.WRONG_STATE


def test_a_request_is_asked_for_by_who_made_it(lab: IssuanceLab) -> None:
    profile, id, requested = waiting_profile(lab), fresh("r"), request([name()])
    ask(lab, profile, CODE, requested, id)
    for who in (Identity("code", "code:roof"), NOBODY):
        refused = refusal(ask, lab, profile, who, requested, id)
        assert (refused.reason, refused.detail) == (Reason.UNAUTHORIZED, "this request was made by somebody else")
    assert refusal(resume, lab, profile, fresh("r")).reason is Reason.NOT_FOUND


def test_what_the_profile_refuses_does_not_wait(lab: IssuanceLab) -> None:
    profile, id = waiting_profile(lab, names=Names(excluded_dns=("forbidden.test",))), fresh("r")
    made = issue_passcode(lab, profile)
    who = password(lab, profile, "device", made.value)
    assert refusal(ask, lab, profile, who, request([dns_name("a.forbidden.test")]), id).reason is Reason.REJECTED_IDENTIFIER
    assert run(lab.store.waiting_request(profile.id, id)) is None
    assert run(lab.store.passcode(made.id)).state(NOW) == "live"  # type: ignore[union-attr]


def test_an_approved_request_is_judged_by_the_profile_as_it_is_then(lab: IssuanceLab) -> None:
    profile, id = waiting_profile(lab), fresh("r")
    ask(lab, profile, CODE, request([dns_name("a.forbidden.test")]), id)
    say(lab, profile, id, Decision.APPROVED)
    stricter = waiting_profile(lab, id=profile.id, names=Names(excluded_dns=("forbidden.test",)))
    assert refusal(resume, lab, stricter, id).reason is Reason.REJECTED_IDENTIFIER
    without = waiting_profile(lab, id=profile.id, authentication=("otp",))
    assert refusal(resume, lab, without, id).reason is Reason.UNAUTHORIZED


def test_a_passcode_is_spent_by_what_waits(lab: IssuanceLab) -> None:
    profile, id, requested = waiting_profile(lab), fresh("r"), request([name()])
    made = issue_passcode(lab, profile)
    who = password(lab, profile, "device", made.value)
    assert isinstance(ask(lab, profile, who, requested, id), Pending)
    spent = run(lab.store.passcode(made.id))
    assert spent is not None
    assert (spent.state(NOW), spent.request_id) == ("spent", id)
    assert isinstance(ask(lab, profile, password(lab, profile, "device", made.value), requested, id), Pending)
    other = fresh("r")
    assert refusal(ask, lab, profile, who, request([name()]), other).reason is Reason.UNAUTHENTICATED
    assert run(lab.store.waiting_request(profile.id, other)) is None
    say(lab, profile, id, Decision.APPROVED)
    assert isinstance(ask(lab, profile, password(lab, profile, "device", made.value), requested, id), Issued)


def test_the_record_spends_it_even_if_nobody_looked_before(lab: IssuanceLab) -> None:
    """Two requests at the same time: both were let through, the second record is refused."""
    profile = waiting_profile(lab)
    made = issue_passcode(lab, profile)
    who = password(lab, profile, "device", made.value)
    from privca.enrollment.door import Submission

    first, second = (Submission(fresh("r"), who, request([name()])) for _ in range(2))
    approval = lab.door._approval
    assert isinstance(run(approval.record(exchange(lab), profile, first)), Pending)
    assert refusal(lambda: run(approval.record(exchange(lab), profile, second))).reason is Reason.UNAUTHENTICATED
    assert run(lab.store.waiting_request(profile.id, second.request_id)) is None


def test_who_was_revoked_meanwhile_gets_nothing(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    names = [name()]
    certificate = enroll(lab, profile, request(names))
    patient = waiting_profile(lab, id=profile.id)
    ids = [fresh("r"), fresh("r")]
    identity = holder(lab, patient, certificate)
    ask(lab, patient, identity, request(names), ids[0], renews=certificate)
    ask(lab, patient, identity, request(names), ids[1])
    for id in ids:
        say(lab, patient, id, Decision.APPROVED)
    run(lab.revocation.revoke(certificate.serial, RevocationReason.KEY_COMPROMISE, "operator", NOW))
    for id in ids:
        assert refusal(resume, lab, patient, id).reason is Reason.UNAUTHENTICATED


def test_a_renewal_that_was_in_time_may_wait_beyond_the_end(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    names = [name()]
    certificate = enroll(lab, profile, request(names))
    patient, id = waiting_profile(lab, id=profile.id), fresh("r")
    lab.clock.advance(timedelta(days=89))
    try:
        ask(lab, patient, holder(lab, patient, certificate), request(names), id, renews=certificate)
        lab.clock.advance(timedelta(days=3))
        say(lab, patient, id, Decision.APPROVED)
        assert isinstance(resume(lab, patient, id), Issued)
    finally:
        lab.clock.advance(NOW - lab.clock.now())


def test_so_many_may_wait(lab: IssuanceLab) -> None:
    profile = waiting_profile(lab, waiting=Waiting(maximum=2, retry_after=9))
    ids = [fresh("r"), fresh("r")]
    for id in ids:
        ask(lab, profile, NOBODY, request([name()]), id)
    refused = refusal(ask, lab, profile, NOBODY)
    assert (refused.reason, refused.retry_after) == (Reason.RATE_LIMITED, 9)
    # Who waits already is answered, and neither another profile is concerned, nor who has a credential.
    assert isinstance(resume(lab, profile, ids[0]), Pending)
    assert isinstance(ask(lab, waiting_profile(lab), NOBODY), Pending)
    for _ in ids:
        assert isinstance(ask(lab, profile, CODE), Pending)
    assert refusal(ask, lab, profile, CODE).reason is Reason.RATE_LIMITED
    say(lab, profile, ids[0], Decision.REJECTED)
    assert isinstance(ask(lab, profile, NOBODY), Pending)


def test_a_request_does_not_wait_for_ever(lab: IssuanceLab) -> None:
    profile, id, requested = waiting_profile(lab, waiting=Waiting(life="1d", maximum=1)), fresh("r"), request([name()])
    ask(lab, profile, CODE, requested, id)
    lab.clock.advance(timedelta(days=1))
    try:
        assert refusal(resume, lab, profile, id).reason is Reason.NOT_FOUND
        record = run(lab.store.waiting_request(profile.id, id))
        assert record is not None
        late = refusal(lambda: run(decide(lab.store, record, Decision.APPROVED, "operator", lab.clock.now(), "1d")))
        assert late.reason is Reason.WRONG_STATE
        # Its place is free, and asked for again it waits anew.
        assert isinstance(ask(lab, profile, CODE, requested, id), Pending)
        say(lab, profile, id, Decision.APPROVED)
        assert isinstance(resume(lab, profile, id), Issued)
    finally:
        lab.clock.advance(NOW - lab.clock.now())


def test_a_decision_that_changes_in_the_last_moment_counts(lab: IssuanceLab) -> None:
    """Approved when it was read, rejected before it was recorded: the transaction of the certificate looks again."""
    profile, id = waiting_profile(lab), fresh("r")
    ask(lab, profile, CODE, request([name()]), id)
    approved = say(lab, profile, id, Decision.APPROVED)
    submission = run(lab.door._approval.approved(approved))
    assert submission is not None
    say(lab, profile, id, Decision.REJECTED)
    refused = refusal(lambda: run(lab.door._issue(exchange(lab), profile, submission, approval=approved.id)))
    assert refused.reason is Reason.UNAVAILABLE
    assert run(lab.door.find(profile.id, id)) is None


@pytest.mark.parametrize(
    "requested",
    [
        pytest.param(csr(), id="nothing"),
        pytest.param(csr([dns_name("a.test"), ip_name("::1")], subject=[(NameOID.COMMON_NAME, "Ä")]), id="names"),
        pytest.param(
            csr(
                [dns_name("a.test")],
                extensions=[
                    (x509.TLSFeature([x509.TLSFeatureType.status_request]), False),
                    (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"), True),
                ],
            ),
            id="extensions",
        ),
        pytest.param(csr([dns_name("a.test")], key=ed25519.Ed25519PrivateKey.generate()), id="Ed25519"),
    ],
)
def test_what_is_kept_is_what_was_asked(requested: Any) -> None:
    again = remembered.read(remembered.kept(requested))
    for field in ("subject", "spki", "names", "extensions"):
        assert getattr(again, field) == getattr(requested, field)
    assert remembered.kept(again) == again.der


def test_nothing_else_is_kept() -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import AttributeOID

    from privca.pkix.rfc2986 import parse

    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, b"correct horse battery")
    octets = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.DER)
    assert b"correct horse" in octets
    assert b"correct horse" not in remembered.kept(parse(octets))
