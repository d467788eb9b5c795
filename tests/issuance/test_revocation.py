from __future__ import annotations

from datetime import timedelta

import pytest

from privca.base.refused import Reason, Refused
from privca.issuance.ports import Certificate, CertificateStatus, RevocationReason
from privca.issuance.revocation import STATES, Event
from tests.support.issuance_lab import NOW, IssuanceLab, profile, run

S = CertificateStatus


def test_revoke_records_who_when_and_why(lab: IssuanceLab) -> None:
    record = lab.issue(profile())
    doubtful = NOW - timedelta(days=1)
    revoked = run(
        lab.revocation.revoke(record.serial, RevocationReason.KEY_COMPROMISE, "operator:test", NOW, invalidity_date=doubtful)
    )
    assert run(lab.store.certificate_by_serial(record.serial)) == revoked
    assert (revoked.status, revoked.reason, revoked.revoked_by) == (S.REVOKED, RevocationReason.KEY_COMPROMISE, "operator:test")
    assert (revoked.revoked_at, revoked.invalidity_date) == (NOW, doubtful)
    with pytest.raises(Refused) as refused:
        run(lab.revocation.revoke(record.serial, RevocationReason.SUPERSEDED, "operator:test", NOW))
    assert refused.value.reason is Reason.ALREADY_REVOKED


def test_hold_and_release(lab: IssuanceLab) -> None:
    record = lab.issue(profile())
    held = run(lab.revocation.revoke(record.serial, RevocationReason.CERTIFICATE_HOLD, "operator:test", NOW))
    assert held.status is S.HELD
    with pytest.raises(Refused) as refused:
        run(lab.revocation.revoke(record.serial, RevocationReason.CERTIFICATE_HOLD, "operator:test", NOW))
    assert refused.value.reason is Reason.ALREADY_REVOKED
    released = run(lab.revocation.release(record.serial, "operator:test"))
    assert (released.status, released.revoked_at, released.reason) == (S.ISSUED, None, None)
    with pytest.raises(Refused) as refused:
        run(lab.revocation.release(record.serial, "operator:test"))
    assert refused.value.reason is Reason.WRONG_STATE


def test_a_hold_that_becomes_a_revocation_keeps_its_date(lab: IssuanceLab) -> None:
    record = lab.issue(profile())
    run(lab.revocation.revoke(record.serial, RevocationReason.CERTIFICATE_HOLD, "operator:test", NOW))
    revoked = run(lab.revocation.revoke(record.serial, RevocationReason.KEY_COMPROMISE, "operator:test", NOW + timedelta(days=1)))
    assert (revoked.status, revoked.reason, revoked.revoked_at) == (S.REVOKED, RevocationReason.KEY_COMPROMISE, NOW)
    with pytest.raises(Refused):
        run(lab.revocation.release(record.serial, "operator:test"))


def test_what_cannot_be_revoked(lab: IssuanceLab) -> None:
    record = lab.issue(profile())
    with pytest.raises(Refused) as refused:
        run(lab.revocation.revoke(record.serial, RevocationReason.REMOVE_FROM_CRL, "operator:test", NOW))
    assert refused.value.reason is Reason.BAD_REVOCATION_REASON
    with pytest.raises(Refused) as refused:
        run(lab.revocation.revoke(b"\x01" * 20, RevocationReason.UNSPECIFIED, "operator:test", NOW))
    assert refused.value.reason is Reason.NOT_FOUND


def test_two_revocations_at_once(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    record = lab.issue(profile())
    update = lab.store.update_certificate

    async def late(changed: Certificate) -> None:
        monkeypatch.undo()
        await lab.revocation.revoke(record.serial, RevocationReason.SUPERSEDED, "operator:first", NOW)
        await update(changed)

    monkeypatch.setattr(lab.store, "update_certificate", late)
    with pytest.raises(Refused) as refused:
        run(lab.revocation.revoke(record.serial, RevocationReason.KEY_COMPROMISE, "operator:second", NOW))
    assert refused.value.reason is Reason.ALREADY_REVOKED
    stored = run(lab.store.certificate_by_serial(record.serial))
    assert stored is not None
    assert stored.revoked_by == "operator:first"


ALLOWED = {
    (S.PREPARED, Event.REVOKE),
    (S.ISSUED, Event.REVOKE),
    (S.HELD, Event.REVOKE),
    (S.ISSUED, Event.HOLD),
    (S.HELD, Event.RELEASE),
}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("event", Event)
def test_every_event_in_every_state(state: S, event: Event) -> None:
    assert STATES.allows(state, event) == ((state, event) in ALLOWED)
    if (state, event) not in ALLOWED:
        with pytest.raises(Refused) as refused:
            STATES.after(state, event)
        assert refused.value.reason is Reason.WRONG_STATE
