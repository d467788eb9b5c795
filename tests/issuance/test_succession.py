"""RFC 4210 section 4.4: one story of old and new keys, whatever protocol tells it; status of what the old key signed goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.issuance.ports import RevocationReason
from privca.issuance.succession import line, succession
from tests.support.issuance_lab import NOW, IssuanceLab, profile, run


def parsed(der: bytes | None) -> x509.Certificate:
    assert der is not None
    return x509.load_der_x509_certificate(der)


def test_before_a_rollover_there_is_nothing_to_tell(lab: IssuanceLab) -> None:
    told = run(succession(lab.authorities, "root"))
    assert (told.past, told.coming, told.updates, told.update_of()) == ((), None, (), None)
    assert told.update_of(told.current.generation.certificate) is None
    assert told.certificates(NOW) == (told.current.generation.certificate,)


def test_a_coming_key_is_told_before_it_issues(lab: IssuanceLab) -> None:
    coming = run(lab.authorities.prepare_next("root"))
    told = run(succession(lab.authorities, "root"))
    assert told.coming is coming
    assert told.current.generation.number == 1
    update = told.update_of(told.current.generation.certificate)
    assert update is not None
    assert (update.old, update.new) == (told.current, coming)


def test_rfc4210_4_4_the_certificates_of_a_step(lab: IssuanceLab) -> None:
    run(lab.authorities.rollover("root"))
    told = run(succession(lab.authorities, "root"))
    update = told.update_of()
    assert update is not None
    old, new = parsed(update.old_with_old), parsed(update.new_with_new)
    old.verify_directly_issued_by(old)
    new.verify_directly_issued_by(new)
    parsed(update.new_with_old).verify_directly_issued_by(old)
    parsed(update.old_with_new).verify_directly_issued_by(new)
    assert parsed(update.new_with_old).public_key() == new.public_key()
    assert parsed(update.old_with_new).public_key() == old.public_key()
    assert set(told.certificates(NOW)) == {
        update.old_with_old,
        update.new_with_new,
        update.new_with_old,
        update.old_with_new,
    }
    assert told.certificates(NOW)[0] == update.new_with_new


def test_each_key_knows_its_successor(lab: IssuanceLab) -> None:
    run(lab.authorities.rollover("root"))
    run(lab.authorities.rollover("root"))
    told = run(succession(lab.authorities, "root"))
    numbers = [(step.old.generation.number, step.new.generation.number) for step in told.updates]
    assert numbers == [(1, 2), (2, 3)]
    first = told.update_of(told.past[0].generation.certificate)
    assert first is not None
    assert first.new is told.past[1]
    with pytest.raises(Refused) as refused:
        told.update_of(run(lab.authorities.current("issuing")).generation.certificate)
    assert refused.value.reason is Reason.NOT_FOUND


def test_who_trusts_the_old_root_verifies_what_the_new_one_certifies(lab: IssuanceLab) -> None:
    run(lab.authorities.rollover("root"))
    run(lab.authorities.rollover("issuing"))
    certificate = lab.issue(profile())
    assert certificate.der is not None
    told = run(succession(lab.authorities, "root"))
    issuing = run(succession(lab.authorities, "issuing")).current.generation.certificate
    # The command takes the first self-signed certificate that it meets for the end, trusted or not.
    own = [key.generation.certificate for key in (told.current, told.past[0])]
    for anchor in (told.current, told.past[0]):
        crossed = [der for der in told.certificates(NOW) if der not in own]
        chain = [issuing, *crossed, anchor.generation.certificate]
        assert lab.verify(certificate.der, chain) == "OK"


def test_what_has_expired_is_told_no_longer(lab: IssuanceLab) -> None:
    lab.clock.advance(timedelta(days=5 * 365))
    run(lab.authorities.rollover("root"))
    lab.clock.advance(timedelta(days=6 * 365))
    told = run(succession(lab.authorities, "root"))
    assert told.past[0].generation.certificate not in told.certificates(lab.clock.now())
    assert told.current.generation.certificate in told.certificates(lab.clock.now())


def test_the_line_leads_to_the_root(lab: IssuanceLab) -> None:
    assert [one.current.signer.authority for one in run(line(lab.authorities, "issuing"))] == ["issuing", "root"]


def test_the_old_key_goes_on_with_its_crl(lab: IssuanceLab) -> None:
    before = lab.issue(profile(), request_id="before")
    run(lab.authorities.rollover("issuing"))
    run(lab.revocation.revoke(before.serial, RevocationReason.SUPERSEDED, "operator", NOW))
    told = run(succession(lab.authorities, "issuing"))
    for key in (*told.past, told.current):
        crl = x509.load_der_x509_crl(run(lab.lists.current("issuing", key.generation.number, NOW)).der)
        assert crl.is_signature_valid(key.certificate.public_key())  # type: ignore[arg-type]
        assert crl.get_revoked_certificate_by_serial_number(int.from_bytes(before.serial)) is not None
