"""RFC 7030 section 4.2.2, RFC 8894 section 2.3, RFC 9810 section 5.3.5: who renews what, when, and for which names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from privca.base.names import Name, dns_name
from privca.base.refused import Reason
from privca.enrollment.door import Identity, Issued
from privca.issuance.ports import Certificate, RevocationReason
from privca.issuance.profile import Names, Revisioned, SubjectRule, Template
from tests.support.devices import DEVICE, ask, device_profile, enroll, fresh, holder, name, refusal, request
from tests.support.issuance_lab import NOW, IssuanceLab, run


def enrolled(lab: IssuanceLab, profile: Revisioned) -> tuple[Certificate, Identity, tuple[Name, ...], str]:
    names, cn = (name(), name()), fresh("Device")
    certificate = enroll(lab, profile, request(names, cn=cn))
    return certificate, holder(lab, profile, certificate), names, cn


def test_a_holder_renews_for_the_same_subject_and_names(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate, identity, names, cn = enrolled(lab, profile)
    # Names are a set, and a subject is compared as RFC 5280 section 7.1 does it.
    again = request(names[::-1], cn=f"  {cn.upper()} ")
    issued = ask(lab, profile, identity, again, renews=certificate)
    assert isinstance(issued, Issued)
    assert issued.certificate.serial != certificate.serial
    assert issued.certificate.identity == f"certificate:{certificate.serial.hex()}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda names, cn: request(names, cn="Another"), Reason.BAD_CSR),
        (lambda names, cn: request(names), Reason.BAD_CSR),
        (lambda names, cn: request(names, cn=cn, serial="1"), Reason.BAD_CSR),
        (lambda names, cn: request(names[:1], cn=cn), Reason.REJECTED_IDENTIFIER),
        (lambda names, cn: request((*names, dns_name("more.example.test")), cn=cn), Reason.REJECTED_IDENTIFIER),
        (lambda names, cn: request((), cn=cn), Reason.REJECTED_IDENTIFIER),
    ],
    ids=["subject", "no subject", "more subject", "fewer names", "more names", "no names"],
)
def test_a_renewal_changes_neither_subject_nor_names(lab: IssuanceLab, change: Any, reason: Reason) -> None:
    profile = device_profile(lab)
    certificate, identity, names, cn = enrolled(lab, profile)
    refused = refusal(ask, lab, profile, identity, change(names, cn), renews=certificate)
    assert (refused.reason, refused.clause) == (reason, "profile: rename")
    renaming = device_profile(lab, id=profile.id, rename=True)
    assert isinstance(ask(lab, renaming, identity, change(names, cn), renews=certificate), Issued)


def test_what_the_template_drops_or_computes_is_no_change(lab: IssuanceLab) -> None:
    template = Template(subject={"CN": SubjectRule(source="first-name"), "O": SubjectRule(source="fixed", value="Example")})
    profile = device_profile(lab, template)
    names = (name(),)
    certificate = enroll(lab, profile, request(names, cn="whatever"))
    assert certificate.subject == f"O=Example,CN={names[0].value}"
    identity = holder(lab, profile, certificate)
    for cn in ("whatever", "something else", ""):
        assert isinstance(ask(lab, profile, identity, request(names, cn=cn), renews=certificate), Issued)


def test_outside_the_renewal_window(lab: IssuanceLab) -> None:
    profile = device_profile(lab, renewal_window="30d")
    certificate, identity, names, cn = enrolled(lab, profile)

    def renew() -> Any:
        return ask(lab, profile, identity, request(names, cn=cn), renews=certificate)

    refused = refusal(renew)
    assert (refused.reason, refused.clause) == (Reason.OUTSIDE_RENEWAL_WINDOW, "profile: renewal_window")
    # A further certificate is no renewal.
    assert isinstance(ask(lab, profile, identity, request(names, cn=cn)), Issued)
    lab.clock.advance(timedelta(days=60))
    try:
        assert isinstance(renew(), Issued)
        lab.clock.advance(timedelta(days=31))
        assert refusal(renew).reason is Reason.OUTSIDE_RENEWAL_WINDOW
    finally:
        lab.clock.advance(NOW - lab.clock.now())


def test_a_revoked_certificate_is_not_renewed(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate, _, names, cn = enrolled(lab, profile)
    officers = device_profile(lab, replace(DEVICE, extended_key_usage=("cmcRA",)))
    officer = holder(lab, profile, enroll(lab, officers))
    assert isinstance(ask(lab, profile, officer, request(names, cn=cn), renews=certificate), Issued)
    revoked = run(lab.revocation.revoke(certificate.serial, RevocationReason.SUPERSEDED, "operator", NOW))
    refused = refusal(ask, lab, profile, officer, request(names, cn=cn), renews=revoked)
    assert (refused.reason, refused.clause) == (Reason.UNAUTHENTICATED, "RFC 5280 section 6.1.3")


def test_a_certificate_is_renewed_by_its_holder_alone(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate, _, names, cn = enrolled(lab, profile)
    _, other, _, _ = enrolled(lab, profile)
    for who in (other, Identity("code", "code:roof")):
        refused = refusal(ask, lab, profile, who, request(names, cn=cn), renews=certificate)
        assert (refused.reason, refused.clause) == (Reason.UNAUTHORIZED, "profile: authentication")
    # Or by who asked for it (a key update under a MAC).
    assert isinstance(ask(lab, profile, Identity("code", "code:floor"), request(names, cn=cn), renews=certificate), Issued)


def test_a_certificate_of_another_profile_is_not_renewed(lab: IssuanceLab) -> None:
    other, profile = device_profile(lab), device_profile(lab)
    certificate, identity, names, cn = enrolled(lab, other)
    refused = refusal(ask, lab, profile, identity, request(names, cn=cn), renews=certificate)
    assert (refused.reason, refused.clause) == (Reason.UNAUTHORIZED, "profile: certificate_profiles")
    moving = device_profile(lab, certificate_profiles=(other.id,))
    assert isinstance(ask(lab, moving, identity, request(names, cn=cn), renews=certificate), Issued)


# -- other requests under a certificate


def test_a_certificate_is_worth_its_own_names(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    _, identity, names, cn = enrolled(lab, profile)
    for good in (request(names, cn=cn), request(names[:1]), request((), cn=cn)):
        assert isinstance(ask(lab, profile, identity, good), Issued)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda names, cn: request((dns_name("victim.example.test"),)), Reason.REJECTED_IDENTIFIER),
        (lambda names, cn: request((*names, dns_name("victim.example.test")), cn=cn), Reason.REJECTED_IDENTIFIER),
        (lambda names, cn: request((dns_name("*.example.test"),)), Reason.REJECTED_IDENTIFIER),
        (lambda names, cn: request(names, cn="victim.example.test"), Reason.BAD_CSR),
        (lambda names, cn: request((), cn="victim"), Reason.BAD_CSR),
    ],
    ids=["another name", "one name more", "wildcard", "common name", "subject alone"],
)
def test_a_certificate_gives_no_name_of_others(lab: IssuanceLab, change: Any, reason: Reason) -> None:
    profile = device_profile(lab)
    _, identity, names, cn = enrolled(lab, profile)
    refused = refusal(ask, lab, profile, identity, change(names, cn))
    assert (refused.reason, refused.clause) == (reason, "profile: rename")


def test_an_ra_asks_for_others_names(lab: IssuanceLab) -> None:
    officers = device_profile(lab, replace(DEVICE, extended_key_usage=("cmcRA",)))
    profile = device_profile(lab, names=Names(excluded_dns=("forbidden.test",)))
    officer = holder(lab, profile, enroll(lab, officers))
    assert isinstance(ask(lab, profile, officer, request([name()], cn="any")), Issued)
    assert refusal(ask, lab, profile, officer, request([dns_name("a.forbidden.test")])).reason is Reason.REJECTED_IDENTIFIER


def test_each_method_has_names_of_its_own(lab: IssuanceLab) -> None:
    profile = device_profile(
        lab,
        names=Names(permitted_dns=("floor.test",)),
        names_by={"otp": Names(permitted_dns=("roof.test",))},
    )
    for method, good, bad in (("code", "a.floor.test", "a.roof.test"), ("otp", "a.roof.test", "a.floor.test")):
        who = Identity(method, f"{method}:x")
        assert isinstance(ask(lab, profile, who, request([dns_name(good)])), Issued)
        assert refusal(ask, lab, profile, who, request([dns_name(bad)])).reason is Reason.REJECTED_IDENTIFIER
        assert refusal(ask, lab, profile, who, request([dns_name(good)], cn=bad)).reason is Reason.BAD_CSR


def test_who_was_revoked_since_asks_for_nothing(lab: IssuanceLab) -> None:
    profile = device_profile(lab)
    certificate, identity, names, cn = enrolled(lab, profile)
    revoked = run(lab.revocation.revoke(certificate.serial, RevocationReason.SUPERSEDED, "operator", NOW))
    stale = replace(identity, certificate=revoked)
    assert refusal(ask, lab, profile, stale, request(names, cn=cn)).reason is Reason.UNAUTHENTICATED
