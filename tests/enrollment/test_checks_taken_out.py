"""Each check of the door is taken out, and the test that holds it must notice."""

import pytest

from privca.base.refused import Reason
from privca.issuance.ports import RevocationReason
from tests.enrollment import test_approval as approval
from tests.enrollment import test_authentication as authentication
from tests.enrollment import test_renewal as renewal
from tests.enrollment import test_rights as rights
from tests.enrollment import test_service as service
from tests.enrollment import test_vendors as vendors
from tests.support.taking_out import NOTICED, instead, refusing, take_out

AUTHENTICATION = "enrollment.authentication:Authentication"
PASSWORD, CERTIFICATE, SECRETS = f"{AUTHENTICATION}.password", f"{AUTHENTICATION}.certificate", f"{AUTHENTICATION}.secrets"
STATE = "enrollment.ports:Passcode.state"
VENDOR, ANCHORS = f"{AUTHENTICATION}._vendor", "enrollment.vendors:VendorAnchors"
RENEWAL, RIGHTS = "enrollment.renewal", "enrollment.rights"
SERVICE, APPROVAL = "enrollment.service:EnrollmentService", "enrollment.approval:Approval"


def trap(module, test, *arguments):
    return lambda lab: getattr(module, f"test_{test}")(lab, *arguments)


def bad_vendor(case):
    return trap(vendors, "what_does_not_lead_to_the_anchor_is_refused", case)


def changed_renewal(names, cn, reason):
    """A renewal that changes something, by the row of the test that has it."""
    return trap(renewal, "a_renewal_changes_neither_subject_nor_names", lambda n, c: renewal.request(names(n), cn=cn(c)), reason)


def beyond(names, cn, reason):
    return trap(renewal, "a_certificate_gives_no_name_of_others", lambda n, c: renewal.request(names(n), cn=cn(c)), reason)


VICTIM = renewal.dns_name("victim.example.test")
CHECKS = {
    # -- codes and passcodes
    "code: value": (
        [instead(PASSWORD, "code is not None and right_code", "code is not None")],
        trap(authentication, "a_wrong_value_is_refused", "floor", b"\xff"),
    ),
    "code: reference": (
        [instead(PASSWORD, "if reference is None:", "if True:")],
        trap(authentication, "a_code_under_another_name_is_refused"),
    ),
    "code: method": (
        [instead(PASSWORD, "and right_code and ('code' in methods)", "and right_code")],
        trap(authentication, "a_code_is_refused_where_the_profile_does_not_admit_by_codes"),
    ),
    "code: method, for a MAC": (
        [instead(SECRETS, "code is not None and 'code' in methods", "code is not None")],
        trap(authentication, "a_code_is_refused_where_the_profile_does_not_admit_by_codes"),
    ),
    "passcode: method": (
        [instead(PASSWORD, "not right_passcode or 'otp' not in methods", "not right_passcode")],
        trap(authentication, "a_passcode_is_refused_where_the_profile_does_not_admit_by_passcodes"),
    ),
    "passcode: method, for a MAC": (
        [instead(SECRETS, "passcode is not None and 'otp' in methods and", "passcode is not None and")],
        trap(authentication, "a_passcode_is_refused_where_the_profile_does_not_admit_by_passcodes"),
    ),
    "passcode: reference": (
        [instead(PASSWORD, "elif reference not in (None, passcode.reference):", "elif False:")],
        trap(authentication, "a_passcode_under_another_name_is_refused"),
    ),
    "passcode: state": (
        [instead(PASSWORD, "elif self._authenticates(profile, passcode, exchange.now):", "elif True:")],
        trap(authentication, "a_passcode_that_expired_is_refused"),
    ),
    "passcode: state, for a MAC": (
        [instead(SECRETS, "self._authenticates(profile, passcode, exchange.now)", "True")],
        trap(authentication, "a_passcode_that_expired_is_refused"),
    ),
    "passcode: proven": (
        [instead(f"{AUTHENTICATION}.proven", "not self._authenticates(profile, passcode, exchange.now)", "False")],
        trap(authentication, "secrets_to_verify_a_mac_with"),
    ),
    "code: proven": (
        [instead(f"{AUTHENTICATION}.proven", "code is None or not _same(code.value, secret.value)", "False")],
        trap(authentication, "secrets_to_verify_a_mac_with"),
    ),
    "passcode: expiry": (
        [instead(STATE, "now < self.expires", "True")],
        trap(authentication, "a_passcode_that_expired_is_refused"),
    ),
    "passcode: revoked": (
        [instead(STATE, "self.revoked is not None", "False")],
        trap(authentication, "a_passcode_that_was_revoked_is_refused"),
    ),
    "passcode: locked": (
        [instead(STATE, "self.failures >= MOST_FAILURES", "False")],
        trap(authentication, "wrong_values_lock_a_passcode_and_never_a_code", "password"),
    ),
    "passcode: failures are counted": (
        [instead(f"{AUTHENTICATION}._refused", "await self._store.count_failure(profile.id, reference)", "pass")],
        trap(authentication, "wrong_values_lock_a_passcode_and_never_a_code", "MAC"),
    ),
    "passcode: a spent one, for a time": (
        [instead(f"{AUTHENTICATION}._authenticates", "return now < max(", "return True or max(")],
        trap(authentication, "a_spent_passcode_says_who_asks_for_a_time"),
    ),
    "passcode: spent with the certificate": (
        [instead("enrollment.service:_request", "submission.identity.passcode", "''")],
        trap(authentication, "a_passcode_is_spent_by_one_request"),
    ),
    "passcode: spent, before any work": (
        [instead(f"{SERVICE}._check_passcode", "if submission.identity.passcode:", "if False:")],
        trap(authentication, "a_passcode_is_spent_by_one_request"),
    ),
    "passcode: spent with what waits": (
        [instead(f"{APPROVAL}.record", "spends=identity.passcode", "spends=''")],
        trap(approval, "the_record_spends_it_even_if_nobody_looked_before"),
    ),
    "nobody is admitted": (
        [instead(f"{AUTHENTICATION}.anonymous", "'approval' not in profile.profile.authentication", "False")],
        trap(authentication, "nothing_admits_where_a_person_decides"),
    ),
    # -- certificates
    "certificate: method": (
        [refusing(CERTIFICATE, "does not admit by a certificate")],
        trap(authentication, "certificates_are_refused_where_the_profile_does_not_admit_by_them"),
    ),
    "certificate: octets": (
        [instead(f"{AUTHENTICATION}._own", "record is not None and record.der == octets", "True")],
        trap(authentication, "a_certificate_that_only_says_the_same_is_refused"),
    ),
    "certificate: profile": (
        [refusing(CERTIFICATE, "certificates of its profile do not authenticate here")],
        trap(authentication, "a_certificate_of_another_profile_is_refused"),
    ),
    "certificate: RA of another CA": (
        [instead(CERTIFICATE, "record.authority == profile.profile.issuer and _is_ra(presented)", "_is_ra(presented)")],
        trap(authentication, "an_ra_of_the_ca_speaks_for_others"),
    ),
    "certificate: RA": (
        [
            instead(
                CERTIFICATE,
                "record.authority == profile.profile.issuer and _is_ra(presented)",
                "record.authority == profile.profile.issuer",
            )
        ],
        trap(authentication, "a_certificate_of_the_profile_admits"),
    ),
    "certificate: standing": (
        [instead("enrollment.authentication:check_standing", "record.status is not CertificateStatus.ISSUED", "False")],
        trap(authentication, "a_certificate_without_standing_is_refused", RevocationReason.CERTIFICATE_HOLD, "is on hold"),
    ),
    "certificate: time": (
        [instead(CERTIFICATE, "not record.not_before <= exchange.now <= record.not_after", "False")],
        trap(authentication, "a_certificate_outside_its_time_is_refused", 91, "has expired"),
    ),
    # -- vendors
    "vendor: time": (
        [instead(VENDOR, "not presented.not_valid_before_utc <= exchange.now <= presented.not_valid_after_utc", "False")],
        trap(vendors, "a_device_outside_its_time_is_refused", (-20, -1), "has expired"),
    ),
    "vendor: no anchors": (
        [instead(VENDOR, "not profile.profile.vendor_anchors", "False")],
        trap(vendors, "a_vendor_is_nobody_to_a_profile_without_anchors"),
    ),
    "vendor: newest anchors": (
        [instead(VENDOR, "known is None or known[0] != profile.revision", "known is None")],
        trap(vendors, "the_anchors_are_those_of_the_newest_revision"),
    ),
    "vendor: path": (
        [instead(f"{ANCHORS}.check", "builder.build_client_verifier().verify(certificate, between)", "pass")],
        bad_vendor("another root of the same name"),
    ),
    "vendor: time of the path": (
        [instead(f"{ANCHORS}.check", ".time(now)", ".time(certificate.not_valid_before_utc)")],
        bad_vendor("an intermediate that ended"),
    ),
    "vendor: depth": (
        [instead(f"{ANCHORS}.check", "max_chain_depth(DEPTH)", "max_chain_depth(8)")],
        bad_vendor("too long a path"),
    ),
    "vendor: number of certificates": ([refusing(f"{ANCHORS}.check", "too many certificates")], bad_vendor("too many others")),
    "vendor: size": ([refusing("enrollment.vendors:load", "is too large")], bad_vendor("too large")),
    "vendor: weak keys": (
        [instead(f"{ANCHORS}.check", "weak.check(certificate.public_key())", "pass")],
        bad_vendor("a weak key"),
    ),
    "vendor: keyCertSign": (
        [instead("enrollment.vendors:_signs_certificates", "not usage.key_cert_sign", "False")],
        bad_vendor("an intermediate that may not sign certificates"),
    ),
    "vendor: no CA": (
        [instead("enrollment.vendors:_is_no_ca", "constraints.ca", "False")],
        bad_vendor("a CA"),
    ),
    # -- renewals, and what a certificate is worth
    "renewal: holder": (
        [refusing(f"{RENEWAL}:_check_renewal", "by its holder")],
        trap(renewal, "a_certificate_is_renewed_by_its_holder_alone"),
    ),
    "renewal: profile": (
        [refusing(f"{RENEWAL}:_check_renewal", "are not renewed in this one")],
        trap(renewal, "a_certificate_of_another_profile_is_not_renewed"),
    ),
    "renewal: standing": (
        [instead(f"{RENEWAL}:_check_renewal", "check_standing(renews)", "pass")],
        trap(renewal, "a_revoked_certificate_is_not_renewed"),
    ),
    "renewal: window": (
        [instead(f"{RENEWAL}:_check_window", "not opens <= now <= renews.not_after", "False")],
        trap(renewal, "outside_the_renewal_window"),
    ),
    "renewal: end": (
        [instead(f"{RENEWAL}:_check_window", "opens <= now <= renews.not_after", "opens <= now")],
        trap(renewal, "outside_the_renewal_window"),
    ),
    "renewal: subject": (
        [refusing(f"{RENEWAL}:_check_renewal", "for the subject of")],
        changed_renewal(lambda n: n, lambda _: "Another", Reason.BAD_CSR),
    ),
    "renewal: names": (
        [refusing(f"{RENEWAL}:_check_renewal", "for the names of")],
        changed_renewal(lambda n: n[:1], lambda c: c, Reason.REJECTED_IDENTIFIER),
    ),
    "own certificate: names": (
        [refusing(f"{RENEWAL}:_check_own", "for its own names alone")],
        beyond(lambda _: (VICTIM,), lambda _: "", Reason.REJECTED_IDENTIFIER),
    ),
    "own certificate: subject": (
        [refusing(f"{RENEWAL}:_check_own", "for its own subject alone")],
        beyond(lambda n: n, lambda _: "victim.example.test", Reason.BAD_CSR),
    ),
    "own certificate: standing": (
        [instead(f"{RENEWAL}:check", "check_standing(identity.certificate)", "pass")],
        trap(renewal, "who_was_revoked_since_asks_for_nothing"),
    ),
    "own certificate: whoever asks": (
        [instead(f"{SERVICE}._issue", "submission.identity.method not in _BY_CHALLENGE", "False")],
        trap(
            renewal, "a_certificate_gives_no_name_of_others", lambda n, c: renewal.request((VICTIM,)), Reason.REJECTED_IDENTIFIER
        ),
    ),
    "names of a method": (
        [instead("issuance.issue:ProfileRules.names_for", "self._names_by.get(method, self.names)", "self.names")],
        trap(renewal, "each_method_has_names_of_its_own"),
    ),
    # -- what waits
    "approval: needed": (
        [instead(f"{SERVICE}.submit", "not profile.profile.approval_always and identity.method != 'approval'", "True")],
        trap(approval, "a_request_waits_until_it_is_approved", approval.CODE),
    ),
    "approval: of who presents nothing": (
        [instead(f"{SERVICE}.submit", "and identity.method != 'approval'", "")],
        trap(approval, "who_presents_nothing_waits_while_a_code_does_not"),
    ),
    "approval: waiting": (
        [instead(f"{APPROVAL}.approved", "record.decision is Decision.WAITING", "False")],
        trap(approval, "a_request_waits_until_it_is_approved", approval.CODE),
    ),
    "approval: rejected": (
        [instead(f"{APPROVAL}.approved", "record.decision is Decision.REJECTED", "False")],
        trap(approval, "a_rejected_request_is_refused_for_good"),
    ),
    "approval: judged before it waits": (
        [instead(f"{SERVICE}.submit", "await self.check(exchange, profile, submission)", "pass")],
        trap(approval, "what_the_profile_refuses_does_not_wait"),
    ),
    "approval: who asks": (
        [refusing(f"{APPROVAL}.check_asker", "by somebody else")],
        trap(approval, "a_request_is_asked_for_by_who_made_it"),
    ),
    "approval: time": (
        [instead(f"{APPROVAL}.find", "now < found.expires", "True")],
        trap(approval, "a_request_does_not_wait_for_ever"),
    ),
    "approval: time of the decision": (
        [refusing("enrollment.approval:decide", "the time of this request is over")],
        trap(approval, "a_request_does_not_wait_for_ever"),
    ),
    "approval: how many": (
        [instead(f"{APPROVAL}.record", "waiting.maximum, spends", "10 ** 6, spends")],
        trap(approval, "so_many_may_wait"),
    ),
    "approval: in the transaction of the certificate": (
        [instead("enrollment.service:_request", "approval=approval", "approval=''")],
        trap(approval, "a_decision_that_changes_in_the_last_moment_counts"),
    ),
    "approval: method, again": (
        [instead(f"{SERVICE}._ask_again", "_check_method(profile, submission.identity)", "pass")],
        trap(approval, "an_approved_request_is_judged_by_the_profile_as_it_is_then"),
    ),
    # -- revocation
    "revocation: right": (
        [refusing(f"{RIGHTS}:check_revoke", "may not revoke this certificate")],
        trap(rights, "a_stranger_revokes_nothing"),
    ),
    "revocation: owner": (
        [instead(f"{RIGHTS}:check_revoke", "rights.owner and owner", "owner")],
        trap(rights, "each_right_lets_one_kind_of_client_revoke", "owner"),
    ),
    "revocation: account": (
        [instead(f"{RIGHTS}:check_revoke", "rights.account and asked", "asked")],
        trap(rights, "each_right_lets_one_kind_of_client_revoke", "account"),
    ),
    "revocation: RA": (
        [instead(f"{RIGHTS}:check_revoke", "rights.ra and ra", "ra")],
        trap(rights, "each_right_lets_one_kind_of_client_revoke", "ra"),
    ),
    "revocation: RA of another CA": (
        [instead(f"{RIGHTS}:check_revoke", "own.authority == certificate.authority", "True")],
        trap(rights, "a_stranger_revokes_nothing"),
    ),
    "revocation: nobody": (
        [instead(f"{RIGHTS}:check_revoke", "and by.id != ANONYMOUS", "")],
        trap(rights, "nobody_revokes_what_nobody_asked_for"),
    ),
    "revocation: no profile": (
        [instead(f"{SERVICE}._rights", "_NONE if profile is None", "RevocationRights() if profile is None")],
        trap(rights, "what_no_profile_issued_no_client_revokes"),
    ),
    "revocation: ACME's own rules": (
        [instead(f"{SERVICE}._rights", "certificate.protocol == 'acme' and by.id.startswith", "by.id.startswith")],
        trap(rights, "a_stranger_revokes_nothing"),
    ),
    "revocation: spent passcode": (
        [instead(f"{SERVICE}._rights", "passcode.state(exchange.now) != 'live'", "False")],
        trap(rights, "a_passcode_that_was_spent_revokes_what_it_was_spent_on_alone"),
    ),
    "revocation: name in another profile": (
        [instead(f"{RIGHTS}:check_revoke", "admitted_by == certificate.profile_id", "True")],
        trap(rights, "a_name_is_that_of_its_profile"),
    ),
    "renewal: name in another profile": (
        [instead(f"{RENEWAL}:_check_renewal", "renews.profile_id == profile.id", "True")],
        trap(rights, "a_name_is_that_of_its_profile"),
    ),
    "revocation: reason": (
        [refusing(f"{RIGHTS}:check_reason", "does not revoke for this reason")],
        trap(rights, "reasons_of_a_client", RevocationReason.CA_COMPROMISE),
    ),
    "revocation: hold": (
        [instead(f"{RIGHTS}:check_reason", "if rights.hold else", "if True else")],
        trap(rights, "hold_is_a_right_of_its_own"),
    ),
    "release: by another": (
        [refusing(f"{RIGHTS}:check_release", "by who put it on hold")],
        trap(rights, "nobody_else_releases_it"),
    ),
    # -- the door itself
    "method": (
        [refusing("enrollment.service:_check_method", "does not accept this")],
        trap(service, "the_method_must_be_the_profiles"),
    ),
    "request of somebody else": (
        [refusing(f"{SERVICE}._issued", "by somebody else")],
        trap(service, "a_request_id_belongs_to_who_used_it_first"),
    ),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_test_notices_that_its_check_is_gone(lab, tmp_path, monkeypatch, check):
    from tests.support.issuance_lab import IssuanceLab

    removed, trapped = CHECKS[check]
    take_out(monkeypatch, removed)
    with pytest.raises(NOTICED) as noticed:
        trapped(lab)
    assert not isinstance(noticed.value, NameError | AttributeError), "the function was not made anew as it should be"
    monkeypatch.undo()
    (tmp_path / "again").mkdir()
    again = IssuanceLab(tmp_path / "again").make()
    try:
        trapped(again)
    finally:
        again.store.close()
