"""Who may revoke, put on hold and release by a protocol (RFC 9810 section 5.3.9, RFC 5272 section 6.11), by the profile's rights."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from privca.base.refused import Reason
from privca.enrollment.door import Identity
from privca.issuance.ports import Certificate, CertificateStatus, RevocationReason
from privca.issuance.profile import Revisioned, RevocationRights
from privca.issuance.revocation import SUBSCRIBER_REASONS
from tests.support.devices import (
    DEVICE,
    ask,
    device_profile,
    enroll,
    exchange,
    holder,
    issue_passcode,
    password,
    refusal,
)
from tests.support.issuance_lab import NOW, IssuanceLab, run

CODE = Identity("code", "code:floor")
HOLD = RevocationReason.CERTIFICATE_HOLD


def revoke(
    lab: IssuanceLab, certificate: Certificate, by: Identity, reason: RevocationReason = RevocationReason.SUPERSEDED
) -> Certificate:
    return run(lab.door.revoke(exchange(lab, certificate.profile_id), certificate, reason, by))


def release(lab: IssuanceLab, certificate: Certificate, by: Identity) -> Certificate:
    return run(lab.door.release(exchange(lab, certificate.profile_id), certificate, by))


def officer(lab: IssuanceLab, issuer: str = "issuing") -> Identity:
    officers = device_profile(lab, replace(DEVICE, extended_key_usage=("cmcRA",)), issuer=issuer)
    return holder(lab, device_profile(lab, issuer=issuer), enroll(lab, officers))


def who(lab: IssuanceLab, right: str, profile: Revisioned, certificate: Certificate) -> Identity:
    return {"owner": lambda: holder(lab, profile, certificate), "account": lambda: CODE, "ra": lambda: officer(lab)}[right]()


@pytest.mark.parametrize("right", ["owner", "account", "ra"])
def test_each_right_lets_one_kind_of_client_revoke(lab: IssuanceLab, right: str) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    by = who(lab, right, profile, certificate)
    device_profile(lab, id=profile.id, revocation=RevocationRights(**{right: False}))
    refused = refusal(revoke, lab, certificate, by)
    assert (refused.reason, refused.clause) == (Reason.UNAUTHORIZED, "profile: revocation")
    alone = {"owner": False, "account": False, "ra": False, right: True}
    device_profile(lab, id=profile.id, revocation=RevocationRights(**alone))
    done = revoke(lab, certificate, by)
    assert (done.status, done.revoked_by, done.revoked_at) == (CertificateStatus.REVOKED, by.id, NOW)


def test_a_stranger_revokes_nothing(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    strangers = [
        holder(lab, profile, enroll(lab, profile)),
        Identity("code", "code:roof"),
        Identity("otp", "code"),
        officer(lab, "root"),
        # As a client of ACME is called, but this certificate is none of ACME's.
        Identity("account", "acme:1"),
        Identity("certificate", "acme-key:x"),
    ]
    for stranger in strangers:
        assert refusal(revoke, lab, certificate, stranger).reason is Reason.UNAUTHORIZED
        assert refusal(revoke, lab, certificate, stranger, HOLD).reason is Reason.UNAUTHORIZED


def test_nobody_revokes_what_nobody_asked_for(lab: IssuanceLab) -> None:
    """All who presented nothing have one name; it gives none of them a right over the others."""
    profile = device_profile(lab, authentication=("approval", "code"))
    nobody = Identity("approval", "anonymous")
    certificate = replace(enroll(lab, profile), identity=nobody.id)
    assert refusal(revoke, lab, certificate, nobody).reason is Reason.UNAUTHORIZED


def test_what_no_profile_issued_no_client_revokes(lab: IssuanceLab) -> None:
    (ca,) = [one for one in run(lab.store.certificates()) if one.authority == "issuing" or "Issuing" in one.subject]
    assert refusal(revoke, lab, ca, Identity("code", ca.identity)).reason is Reason.UNAUTHORIZED
    assert refusal(revoke, lab, ca, officer(lab, "root")).reason is Reason.UNAUTHORIZED


def test_a_passcode_that_was_spent_revokes_what_it_was_spent_on_alone(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    former: Any = ask(lab, profile, password(lab, profile, "device", issue_passcode(lab, profile).value))
    made = issue_passcode(lab, profile)
    issued: Any = ask(lab, profile, password(lab, profile, "device", made.value))
    again = password(lab, profile, "device", made.value)
    assert refusal(revoke, lab, former.certificate, again).reason is Reason.UNAUTHENTICATED
    assert revoke(lab, issued.certificate, again).status is CertificateStatus.REVOKED
    new = password(lab, profile, "device", issue_passcode(lab, profile).value)
    assert revoke(lab, former.certificate, new).status is CertificateStatus.REVOKED


def test_a_name_is_that_of_its_profile(lab: IssuanceLab) -> None:
    """Each profile may have a code for ``floor``; they are not one person."""
    profile, other = device_profile(lab), device_profile(lab)
    certificate = enroll(lab, profile)
    done = refusal(lambda: run(lab.door.revoke(exchange(lab, other.id), certificate, RevocationReason.SUPERSEDED, CODE)))
    assert done.reason is Reason.UNAUTHORIZED
    trusting = device_profile(lab, id=other.id, certificate_profiles=(profile.id,))
    assert refusal(ask, lab, trusting, CODE, renews=certificate).reason is Reason.UNAUTHORIZED


@pytest.mark.parametrize("reason", RevocationReason)
def test_reasons_of_a_client(lab: IssuanceLab, reason: RevocationReason) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    if reason in SUBSCRIBER_REASONS or reason is HOLD:
        done = revoke(lab, certificate, CODE, reason)
        assert done.status is (CertificateStatus.HELD if reason is HOLD else CertificateStatus.REVOKED)
    else:
        assert refusal(revoke, lab, certificate, CODE, reason).reason is Reason.BAD_REVOCATION_REASON


def test_hold_is_a_right_of_its_own(lab: IssuanceLab) -> None:
    profile = device_profile(lab, revocation=RevocationRights(hold=False))
    certificate = enroll(lab, profile)
    refused = refusal(revoke, lab, certificate, CODE, HOLD)
    assert (refused.reason, refused.clause) == (Reason.BAD_REVOCATION_REASON, "profile: revocation.hold")


def test_who_put_it_on_hold_releases_it(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    revoke(lab, certificate, CODE, HOLD)
    assert release(lab, certificate, CODE).status is CertificateStatus.ISSUED
    assert refusal(release, lab, certificate, CODE).reason in (Reason.WRONG_STATE, Reason.UNAUTHORIZED)


def test_nobody_else_releases_it(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate = enroll(lab, profile)
    run(lab.revocation.revoke(certificate.serial, HOLD, "operator", NOW))
    for by in (CODE, officer(lab)):
        refused = refusal(release, lab, certificate, by)
        assert (refused.reason, refused.clause) == (Reason.UNAUTHORIZED, "profile: revocation.hold")
    record = run(lab.store.certificate_by_serial(certificate.serial))
    assert record is not None
    assert record.status is CertificateStatus.HELD
