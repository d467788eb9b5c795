"""202: a request that waits for a person is found again by who repeats it, and by nobody else."""

import itertools
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from privca.base.http import ChannelBinding
from privca.enrollment.ports import Decision
from tests.est.conftest import Session, basic, csr, only
from tests.est.test_rfc7030_4_2_2_simplereenroll import same
from tests.support.issuance_lab import run

_DAYS = itertools.count(31)


def decide(lab, decision, profile):
    """What ``privca request approve`` and ``reject`` do, for every request of a profile that waits."""
    for request in run(lab.store.waiting_requests(profile)):
        if request.decision is Decision.WAITING:
            run(lab.store.decide_request(replace(request, decision=decision, decided=lab.clock.now(), decided_by="operator:x")))


def waits(response):
    assert (response.status, response.body, response.header("Content-Type")) == (202, b"", None)
    assert response.header("Retry-After").isdigit(), "libest reads no date"


@pytest.fixture
def profile(lab):
    """One for this test alone."""
    return lab.profile(approval_always=True, validity=f"{next(_DAYS)}d")


def test_the_same_request_again_gets_its_certificate_once_it_is_approved(lab, key, profile):
    request = csr(key, [lab.name()])
    before = lab.issued()
    for _ in range(2):
        waits(lab.post("simpleenroll", request, profile=profile))
    assert lab.issued() == before
    decide(lab, Decision.APPROVED, profile)
    certificate = only(lab.post("simpleenroll", request, profile=profile))
    assert only(lab.post("simpleenroll", request, profile=profile)) == certificate
    assert lab.issued() == before + 1


def test_rfc7030_3_5_a_new_channel_binding_and_signature_are_the_same_request(lab, key, profile):
    """RFC 7030 section 4.2.3: in a new connection the client makes its CSR anew; the key stays."""
    wanted = lab.name()

    def request(octet):
        session = Session("TLSv1.2", {ChannelBinding.TLS_UNIQUE: octet * 12})
        made = csr(key, [wanted], password=b64encode(octet * 12).decode())
        return lab.post("simpleenroll", made, session=session, profile=profile)

    waits(request(b"a"))
    decide(lab, Decision.APPROVED, profile)
    only(request(b"b"))


def test_another_key_or_another_client_is_another_request(lab, key, profile):
    wanted = lab.name()
    waits(lab.post("simpleenroll", csr(key, [wanted]), profile=profile))
    decide(lab, Decision.APPROVED, profile)
    waits(lab.post("simpleenroll", csr(ec.generate_private_key(ec.SECP256R1()), [wanted]), profile=profile))
    other = basic("other", lab.passcode(profile, "other"))
    waits(lab.post("simpleenroll", csr(key, [wanted]), headers=other, profile=profile))
    only(lab.post("simpleenroll", csr(key, [wanted]), profile=profile))


def test_a_rejected_request_is_refused_with_its_clause(lab, key, profile):
    request = csr(key, [lab.name()])
    waits(lab.post("simpleenroll", request, profile=profile))
    decide(lab, Decision.REJECTED, profile)
    response = lab.post("simpleenroll", request, profile=profile)
    assert response.status == 403
    assert b"(" in response.body


def test_who_polls_with_a_passcode_spends_it_once(lab, key, profile):
    request = csr(key, [lab.name()])
    headers = basic("poller", lab.passcode(profile, "poller"))
    for _ in range(2):
        waits(lab.post("simpleenroll", request, headers=headers, profile=profile))
    assert lab.post("simpleenroll", csr(key, [lab.name()]), headers=headers, profile=profile).status in (401, 403)
    decide(lab, Decision.APPROVED, profile)
    only(lab.post("simpleenroll", request, headers=headers, profile=profile))


def test_who_polls_without_its_credential_gets_nothing(lab, key, profile):
    request = csr(key, [lab.name()])
    waits(lab.post("simpleenroll", request, profile=profile))
    decide(lab, Decision.APPROVED, profile)
    assert lab.post("simpleenroll", request, headers={}, profile=profile).status == 401
    assert lab.post("simpleenroll", request, headers=basic(password="x"), profile=profile).status == 401


def test_without_any_credential_where_approval_admits(lab, key):
    profile = lab.profile(authentication=("approval",))
    request = csr(key, [lab.name()])
    waits(lab.post("simpleenroll", request, headers={}, profile=profile))
    decide(lab, Decision.APPROVED, profile)
    only(lab.post("simpleenroll", request, headers={}, profile=profile))


def test_a_renewal_that_waits(lab, profile):
    old = lab.enroll(lab.profile())
    waiting = lab.profile(approval_always=True, certificate_profiles=(lab.profile(),))
    waits(lab.post("simplereenroll", same(old), headers={}, certificate=old.der, profile=waiting))
    decide(lab, Decision.APPROVED, waiting)
    only(lab.post("simplereenroll", same(old), headers={}, certificate=old.der, profile=waiting))
