"""Codes, passcodes and certificates: who they let in, and that who is refused learns nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from privca.base.refused import Reason
from privca.enrollment.credentials import Credentials
from privca.enrollment.door import Identity, Issued
from privca.enrollment.ports import MOST_FAILURES
from privca.issuance.ports import RevocationReason
from privca.issuance.profile import Names
from tests.support.devices import (
    DEVICE,
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
    refused_password,
    request,
    set_code,
)
from tests.support.issuance_lab import NOW, IssuanceLab, run


def test_a_code_admits_again_and_again(lab: IssuanceLab) -> None:
    credentials: Credentials = lab.credentials
    profile = device_profile(lab)
    value = set_code(lab, profile)
    for _ in range(2):
        assert run(credentials.password(exchange(lab), profile, "floor", value)) == Identity("code", "code:floor")
    # Where the protocol has no name beside it (SCEP).
    assert password(lab, profile, None, value) == Identity("code", "code:floor")


@pytest.mark.parametrize("reference", ["floor", "Floor", "", "other", None])
@pytest.mark.parametrize("value", [b"", b"correct horse batter", b"Correct horse battery", b"\0" * 32, b"\xff"])
def test_a_wrong_value_is_refused(lab: IssuanceLab, reference: str | None, value: bytes) -> None:
    profile = device_profile(lab)
    set_code(lab, profile)
    issue_passcode(lab, profile, "other")
    refused_password(lab, profile, reference, value)


def test_a_code_under_another_name_is_refused(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    value = set_code(lab, profile)
    set_code(lab, profile, "roof", b"another one than that")
    refused_password(lab, profile, "roof", value)
    refused_password(lab, profile, "cellar", value)


def test_a_code_of_another_profile_is_refused(lab: IssuanceLab) -> None:
    one, other = device_profile(lab), device_profile(lab)
    value = set_code(lab, one)
    for reference in ("floor", None):
        refused_password(lab, other, reference, value)


def test_a_code_is_refused_where_the_profile_does_not_admit_by_codes(lab: IssuanceLab) -> None:
    profile = device_profile(lab, authentication=("otp", "certificate"))
    value = set_code(lab, profile)
    refused_password(lab, profile, "floor", value)
    assert run(lab.credentials.secrets(exchange(lab), profile, "floor")) == []


def test_a_passcode_is_refused_where_the_profile_does_not_admit_by_passcodes(lab: IssuanceLab) -> None:
    profile = device_profile(lab, authentication=("code",))
    made = issue_passcode(lab, profile)
    refused_password(lab, profile, "device", made.value)
    assert run(lab.credentials.secrets(exchange(lab), profile, "device")) == []


def test_a_passcode_is_spent_by_one_request(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    made = issue_passcode(lab, profile)
    identity = password(lab, profile, "device", made.value)
    assert identity == Identity("otp", "otp:device", passcode=made.id)
    assert password(lab, profile, None, made.value) == identity
    requested = request([name()])
    first = ask(lab, profile, identity, requested, "mine" + made.id)
    # It still says who asks, so that a lost answer can be had again; a second request it does not carry.
    again = password(lab, profile, "device", made.value)
    assert ask(lab, profile, again, requested, "mine" + made.id) == first
    refused = refusal(ask, lab, profile, again)
    assert refused.reason is Reason.UNAUTHENTICATED
    assert refusal(lambda: run(lab.door.check(exchange(lab), profile, _submission(again)))).reason is Reason.UNAUTHENTICATED


def _submission(identity: Identity) -> Any:
    from privca.enrollment.door import Submission

    return Submission(fresh("r"), identity, request([name()]))


def test_a_refusal_does_not_spend(lab: IssuanceLab) -> None:
    profile = device_profile(lab, names=Names(excluded_dns=("forbidden.test",)))
    made = issue_passcode(lab, profile)
    identity = password(lab, profile, "device", made.value)
    from privca.base.names import dns_name

    assert refusal(ask, lab, profile, identity, request([dns_name("a.forbidden.test")])).reason is Reason.REJECTED_IDENTIFIER
    assert run(lab.store.passcode(made.id)).state(NOW) == "live"  # type: ignore[union-attr]
    assert isinstance(ask(lab, profile, identity), Issued)


def test_a_passcode_under_another_name_is_refused(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    made = issue_passcode(lab, profile)
    refused_password(lab, profile, "other", made.value)


def test_a_passcode_that_expired_is_refused(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    made = issue_passcode(lab, profile, life=timedelta(hours=1))
    identity = password(lab, profile, "device", made.value)
    lab.clock.advance(timedelta(hours=1))
    try:
        refused_password(lab, profile, "device", made.value)
        refused_password(lab, profile, None, made.value)
        assert run(lab.credentials.secrets(exchange(lab), profile, "device")) == []
        # What was authenticated a moment before it ended comes too late as well.
        assert refusal(ask, lab, profile, identity).reason is Reason.UNAUTHENTICATED
    finally:
        lab.clock.advance(-timedelta(hours=1))


def test_a_passcode_that_was_revoked_is_refused(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    made = issue_passcode(lab, profile)
    identity = password(lab, profile, "device", made.value)
    assert run(lab.store.revoke_passcode(made.id, NOW))
    refused_password(lab, profile, "device", made.value)
    assert refusal(ask, lab, profile, identity).reason is Reason.UNAUTHENTICATED


def test_a_passcode_that_was_replaced_is_refused(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    former, new = issue_passcode(lab, profile), issue_passcode(lab, profile)
    refused_password(lab, profile, "device", former.value)
    assert password(lab, profile, "device", new.value).passcode == new.id


@pytest.mark.parametrize("how", ["password", "MAC"])
def test_wrong_values_lock_a_passcode_and_never_a_code(lab: IssuanceLab, how: str) -> None:
    profile = device_profile(lab)
    made, other = issue_passcode(lab, profile), issue_passcode(lab, profile, "other")
    code = set_code(lab, profile, "device")
    for _ in range(MOST_FAILURES):
        assert password(lab, profile, "device", made.value).passcode == made.id
        if how == "password":
            refused_password(lab, profile, "device", b"guessed")
        else:
            run(lab.credentials.failed(exchange(lab), profile, "device"))
    refused_password(lab, profile, "device", made.value)
    assert run(lab.store.passcode(made.id)).state(NOW) == "locked"  # type: ignore[union-attr]
    assert password(lab, profile, "device", code).method == "code"
    assert password(lab, profile, "other", other.value).passcode == other.id


def test_secrets_to_verify_a_mac_with(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    assert run(lab.credentials.secrets(exchange(lab), profile, "device")) == []
    code, made = set_code(lab, profile, "device"), issue_passcode(lab, profile)
    found = run(lab.credentials.secrets(exchange(lab), profile, "device"))
    assert [(one.method, one.value) for one in found] == [("code", code), ("otp", made.value)]
    assert "horse" not in repr(found)
    assert [run(lab.credentials.proven(exchange(lab), profile, one)).id for one in found] == ["code:device", "otp:device"]
    # The rest of a transaction comes under the secret that its first message has spent.
    identity = run(lab.credentials.proven(exchange(lab), profile, found[1]))
    ask(lab, profile, identity)
    assert [one.method for one in run(lab.credentials.secrets(exchange(lab), profile, "device"))] == ["code", "otp"]
    assert (
        refusal(ask, lab, profile, run(lab.credentials.proven(exchange(lab), profile, found[1]))).reason is Reason.UNAUTHENTICATED
    )
    run(lab.store.remove_code(profile.id, "device"))
    assert refusal(lambda: run(lab.credentials.proven(exchange(lab), profile, found[0]))).reason is Reason.UNAUTHENTICATED
    code = set_code(lab, profile, "device")
    run(lab.store.revoke_passcode(made.id, NOW))
    assert [one.method for one in run(lab.credentials.secrets(exchange(lab), profile, "device"))] == ["code"]
    assert refusal(lambda: run(lab.credentials.proven(exchange(lab), profile, found[1]))).reason is Reason.UNAUTHENTICATED


def test_a_spent_passcode_says_who_asks_for_a_time(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    made = issue_passcode(lab, profile)
    ask(lab, profile, password(lab, profile, "device", made.value))
    for days, good in ((6, True), (1, False)):
        lab.clock.advance(timedelta(days=days))
        if good:
            assert password(lab, profile, "device", made.value).passcode == made.id
        else:
            refused_password(lab, profile, "device", made.value)
    lab.clock.advance(-timedelta(days=7))


def test_nothing_admits_where_a_person_decides(lab: IssuanceLab) -> None:
    profile = device_profile(lab, authentication=("code", "approval"))
    assert run(lab.credentials.anonymous(exchange(lab), profile)) == Identity("approval", "anonymous")
    assert refusal(lambda: run(lab.credentials.anonymous(exchange(lab), device_profile(lab)))).reason is Reason.UNAUTHENTICATED
    # A wrong credential never falls back to none.
    refused_password(lab, profile, "floor", b"guessed")


# -- certificates of ours ----------------------------------------------------------------------------------------------


def test_a_certificate_of_the_profile_admits(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    identity = holder(lab, profile, certificate)
    assert identity == Identity("certificate", f"certificate:{certificate.serial.hex()}", certificate=certificate)
    assert not identity.ra


def twin(der: bytes) -> bytes:
    """A certificate that says all that another says, signed by somebody else."""
    real = x509.load_der_x509_certificate(der)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        real.issuer,
        real.subject,
        key.public_key(),
        real.serial_number,
        real.not_valid_before_utc,
        real.not_valid_after_utc,
        list(real.extensions),
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_certificate_that_only_says_the_same_is_refused(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    assert certificate.der is not None
    forged = twin(certificate.der)
    refused = refusal(lambda: run(lab.credentials.certificate(exchange(lab), profile, forged)))
    assert refused.reason is Reason.UNAUTHENTICATED
    assert "not one of this CA's" in refused.detail


@pytest.mark.parametrize(
    ("reason", "said"), [(RevocationReason.KEY_COMPROMISE, "is revoked"), (RevocationReason.CERTIFICATE_HOLD, "is on hold")]
)
def test_a_certificate_without_standing_is_refused(lab: IssuanceLab, reason: RevocationReason, said: str) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    run(lab.revocation.revoke(certificate.serial, reason, "operator", NOW))
    refused = refusal(holder, lab, profile, certificate)
    assert (refused.reason, refused.clause) == (Reason.UNAUTHENTICATED, "RFC 5280 section 6.1.3")
    assert said in refused.detail


@pytest.mark.parametrize(("days", "said"), [(91, "has expired"), (-1, "not yet valid")])
def test_a_certificate_outside_its_time_is_refused(lab: IssuanceLab, days: int, said: str) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    lab.clock.advance(timedelta(days=days))
    try:
        refused = refusal(holder, lab, profile, certificate)
    finally:
        lab.clock.advance(-timedelta(days=days))
    assert (refused.reason, refused.clause) == (Reason.UNAUTHENTICATED, "RFC 5280 section 6.1.3")
    assert said in refused.detail


def test_a_certificate_of_another_profile_is_refused(lab: IssuanceLab) -> None:
    other, profile = device_profile(lab), device_profile(lab)
    certificate = enroll(lab, other)
    assert refusal(holder, lab, profile, certificate).clause == "profile: certificate_profiles"
    admitting = device_profile(lab, certificate_profiles=(other.id,))
    assert holder(lab, admitting, certificate).certificate == certificate


def test_certificates_are_refused_where_the_profile_does_not_admit_by_them(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    without = device_profile(lab, id=profile.id, authentication=("code",))
    assert refusal(holder, lab, without, certificate).clause == "profile: authentication"


def test_an_ra_of_the_ca_speaks_for_others(lab: IssuanceLab) -> None:
    from msgspec.structs import replace

    officers = device_profile(lab, replace(DEVICE, extended_key_usage=("cmcRA",)))
    profile = device_profile(lab)
    officer = holder(lab, profile, enroll(lab, officers))
    assert officer.ra
    # Of this CA and of no other one.
    elsewhere = device_profile(lab, issuer="root")
    assert refusal(holder, lab, elsewhere, enroll(lab, officers)).clause == "profile: certificate_profiles"
    trusting = device_profile(lab, issuer="root", certificate_profiles=(officers.id,))
    assert not holder(lab, trusting, enroll(lab, officers)).ra


@pytest.mark.parametrize("octets", [b"", b"0", b"\x30\x00", b"\x30\x80\x00\x00", b"\x30\x82\xff\xff" + b"\0" * 65535])
def test_what_is_no_certificate_is_refused(lab: IssuanceLab, octets: bytes) -> None:
    refused = refusal(lambda: run(lab.credentials.certificate(exchange(lab), device_profile(lab), octets)))
    assert refused.reason is Reason.UNAUTHENTICATED
