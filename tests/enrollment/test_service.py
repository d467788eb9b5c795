from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from privca.base.names import Name, dns_name, ip_name
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Chain, Door, Identity
from privca.issuance.ports import Certificate, RevocationReason
from privca.issuance.profile import Names, SubjectRule, Template
from privca.issuance.revocation import SUBSCRIBER_REASONS
from tests.support.issuance_lab import NOW, IssuanceLab, csr, profile, run, submission

A, B = dns_name("a.example.test"), dns_name("b.example.test")
CN = NameOID.COMMON_NAME
BY = Identity("account", "acme:1")


def test_it_is_the_door(lab: IssuanceLab) -> None:
    door: Door = lab.door
    issued = lab.submit(profile(), submission([A, B]))
    assert run(door.find("lab", "1")) == issued
    assert run(door.certificate(issued.serial)) == issued
    assert run(door.find("lab", "2")) is None
    assert issued.names == (A, B)
    assert issued.identity == "acme:1"
    (chain,) = run(door.chains(issued))
    assert isinstance(chain, Chain)
    assert issued.der is not None
    assert lab.verify(issued.der, chain.certificates) == "OK"


def test_the_decision_is_written_down(lab: IssuanceLab) -> None:
    exchange = lab.exchange()
    issued = run(lab.door.submit(exchange, profile(), submission([A]))).certificate
    assert exchange.decision.outcome == "issued"
    assert exchange.decision.facts == {"serial": issued.serial.hex(), "issuer": "issuing"}


@pytest.mark.parametrize("method", ["account", "eab", "open"])
@pytest.mark.parametrize(
    ("asked", "proven"),
    [((A, B), {A}), ((A,), {A, B}), ((A,), {B}), ((A,), set()), ((dns_name("*.example.test"),), {dns_name("example.test")})],
)
def test_the_csr_asks_for_exactly_what_was_proven(
    lab: IssuanceLab, method: str, asked: tuple[Name, ...], proven: set[Name]
) -> None:
    settings = profile(authentication=("account", "eab", "open"))
    with pytest.raises(Refused) as refused:
        lab.submit(settings, submission(asked, method=method, proven=frozenset(proven)))
    assert (refused.value.reason, refused.value.clause) == (Reason.BAD_CSR, "RFC 8555 section 7.4")
    assert run(lab.door.find("lab", "1")) is None


@pytest.mark.parametrize(
    ("names", "common_name", "proven", "issued"),
    [
        ((A, B), "a.example.test", {A, B}, (A, B)),
        ((A,), "B.example.test", {A, B}, (A, B)),
        ((), "a.example.test", {A}, (A,)),
        ((ip_name("192.0.2.1"),), "192.0.2.1", {ip_name("192.0.2.1")}, (ip_name("192.0.2.1"),)),
        ((A,), "b.example.test", {A}, None),
        ((A,), "Some Person", {A}, None),
        ((A,), "192.0.2.1", {A, ip_name("192.0.2.1")}, None),
    ],
)
def test_the_common_name_is_one_of_the_names(
    lab: IssuanceLab, names: tuple[Name, ...], common_name: str, proven: set[Name], issued: tuple[Name, ...] | None
) -> None:
    request = submission(names, csr=csr(names, subject=[(CN, common_name)]), proven=frozenset(proven))
    if issued is None:
        with pytest.raises(Refused) as refused:
            lab.submit(profile(), request)
        assert (refused.value.reason, refused.value.clause) == (Reason.BAD_CSR, "RFC 8555 section 7.4")
    else:
        record = lab.submit(profile(), request)
        assert (record.names, record.subject) == (issued, "")


def test_the_method_must_be_the_profiles(lab: IssuanceLab) -> None:
    with pytest.raises(Refused) as refused:
        lab.submit(profile(authentication=("eab",)), submission([A]))
    assert (refused.value.reason, refused.value.clause) == (Reason.UNAUTHORIZED, "profile: authentication")


def test_an_identity_may_vouch_for_names(lab: IssuanceLab) -> None:
    template = Template(subject={"CN": SubjectRule()})
    request = submission([A], method="code", csr=csr([A], subject=[(CN, "Device 7")]), proven=frozenset())
    record = lab.submit(profile(template, protocol="est", authentication=("code",)), request)
    assert (record.names, record.subject) == ((A,), "CN=Device 7")


def test_a_request_finds_its_certificate_whatever_changed(lab: IssuanceLab) -> None:
    first = lab.submit(profile(), submission([A]))
    excluded = profile(names=Names(excluded_dns=("example.test",)), revision=2)
    assert lab.submit(excluded, submission([A])) == first
    assert lab.submit(profile(), submission([A], proven=frozenset({B}))) == first
    run(lab.door.revoke(lab.exchange(), first, RevocationReason.SUPERSEDED, BY))
    assert lab.submit(profile(), submission([A])).serial == first.serial


def test_a_request_id_belongs_to_who_used_it_first(lab: IssuanceLab) -> None:
    lab.submit(profile(), submission([A]))
    excluded = profile(names=Names(excluded_dns=("example.test",)), revision=2)
    for settings in (profile(), excluded):
        with pytest.raises(Refused) as refused:
            lab.submit(settings, submission([A], who="acme:2"))
        assert refused.value.reason is Reason.UNAUTHORIZED


def test_a_refusal_leaves_nothing_behind(lab: IssuanceLab) -> None:
    excluded = profile(names=Names(excluded_dns=("example.test",)))
    with pytest.raises(Refused):
        lab.submit(excluded, submission([A]))
    assert run(lab.door.find("lab", "1")) is None
    assert lab.submit(profile(revision=2), submission([A])).names == (A,)


def test_check_names(lab: IssuanceLab) -> None:
    excluded = profile(names=Names(excluded_dns=("example.test",)))
    lab.door.check_names(excluded, [dns_name("other.test")])
    with pytest.raises(Refused) as refused:
        lab.door.check_names(excluded, [A, dns_name("other.test"), B])
    assert [part.name for part in refused.value.parts] == [A, B]


def test_check_validity(lab: IssuanceLab) -> None:
    run(lab.door.check_validity(lab.exchange(), profile(), NOW, None))
    with pytest.raises(Refused) as refused:
        run(lab.door.check_validity(lab.exchange(), profile(), None, NOW))
    assert refused.value.reason is Reason.BAD_VALIDITY


@pytest.mark.parametrize("reason", RevocationReason)
def test_reasons_of_a_subscriber(lab: IssuanceLab, reason: RevocationReason) -> None:
    issued = lab.submit(profile(), submission([A]))
    if reason in SUBSCRIBER_REASONS:
        revoked: Certificate = run(lab.door.revoke(lab.exchange(), issued, reason, BY))
        assert (revoked.reason, revoked.revoked_by, revoked.revoked_at) == (reason, "acme:1", NOW)
        with pytest.raises(Refused) as refused:
            run(lab.door.revoke(lab.exchange(), issued, reason, BY))
        assert refused.value.reason is Reason.ALREADY_REVOKED
    else:
        with pytest.raises(Refused) as refused:
            run(lab.door.revoke(lab.exchange(), issued, reason, BY))
        assert refused.value.reason is Reason.BAD_REVOCATION_REASON


def test_a_name_in_the_subject_obeys_the_policy_too(lab: IssuanceLab) -> None:
    template = Template(subject={"CN": SubjectRule()})
    settings = profile(template, protocol="est", authentication=("code",), names=Names(excluded_dns=("bad.test",)))
    request = submission([A], method="code", csr=csr([A], subject=[(CN, "a.bad.test")]), proven=frozenset())
    with pytest.raises(Refused) as refused:
        lab.submit(settings, request)
    assert refused.value.reason is Reason.BAD_CSR


def test_a_certificate_does_not_make_a_ca(lab: IssuanceLab) -> None:
    request = csr([A], extensions=[(x509.BasicConstraints(True, None), True)])
    with pytest.raises(Refused) as refused:
        lab.submit(profile(), submission([A], csr=request))
    assert (refused.value.reason, refused.value.clause) == (Reason.BAD_CSR, "RFC 5280 section 4.2.1.9")
