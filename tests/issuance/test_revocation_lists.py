from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from privca.base.refused import Reason, Refused
from privca.issuance.ports import CrlMark, CrlRecord, RevocationReason, RevokedEntry, RevokedPage
from privca.issuance.revocation_lists import PAGE, RevocationLists
from tests.support.issuance_lab import NOW, IssuanceLab, direct, profile, run


def crl_of(lab: IssuanceLab, authority: str = "issuing", number: int = 1) -> tuple[CrlRecord, x509.CertificateRevocationList]:
    record = run(lab.lists.current(authority, number, lab.clock.now()))
    return record, x509.load_der_x509_crl(record.der)


def openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_an_empty_crl(lab: IssuanceLab) -> None:
    record, crl = crl_of(lab)
    key = run(lab.authorities.current("issuing"))
    assert (record.number, record.this_update, record.next_update) == (1, NOW, NOW + timedelta(days=7))
    assert len(crl) == 0
    assert crl.is_signature_valid(key.certificate.public_key())  # type: ignore[arg-type]
    assert crl.issuer.public_bytes() == key.certificate.subject.public_bytes()
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 1
    assert (
        crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        == key.signer.facts.key_identifier
    )
    assert run(lab.store.newest_crl("issuing", 1)) == record


def test_openssl_reads_it_and_refuses_what_it_revokes(lab: IssuanceLab) -> None:
    good, bad = lab.issue(profile(), request_id="good"), lab.issue(profile(), request_id="bad")
    assert good.der is not None
    assert bad.der is not None
    run(
        lab.revocation.revoke(
            bad.serial, RevocationReason.KEY_COMPROMISE, "operator:test", NOW, invalidity_date=NOW - timedelta(days=1)
        )
    )
    record, _ = crl_of(lab)
    path = lab.directory / "issuing.crl"
    path.write_bytes(record.der)
    (chain,) = run(lab.authorities.chains("issuing", 1))
    shown = openssl("crl", "-inform", "DER", "-in", str(path), "-noout", "-text", "-verify", "-CAfile", str(lab.pem(chain[0])))
    assert shown.returncode == 0, shown.stderr
    assert "verify OK" in shown.stderr
    assert "Version 2 (0x1)" in shown.stdout
    assert "Key Compromise" in shown.stdout
    assert bad.serial.hex().upper() in shown.stdout

    pem = lab.directory / "crls.pem"
    root_crl = crl_of(lab, "root")[1]
    pem.write_bytes(crl_of(lab)[1].public_bytes(Encoding.PEM) + root_crl.public_bytes(Encoding.PEM))
    checks = ("-crl_check_all", "-CRLfile", str(pem))
    assert lab.verify(good.der, chain, *checks) == "OK"
    assert "certificate revoked" in lab.verify(bad.der, chain, *checks)


def test_a_ca_certificate_is_revoked_on_its_parents_crl(lab: IssuanceLab) -> None:
    key = run(lab.authorities.current("issuing"))
    serial = key.certificate.serial_number.to_bytes(20, "big")
    run(lab.revocation.revoke(serial, RevocationReason.CA_COMPROMISE, "operator:test", NOW))
    entry = crl_of(lab, "root")[1].get_revoked_certificate_by_serial_number(key.certificate.serial_number)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.ca_compromise


def test_kept_until_a_revocation_or_half_of_its_life(lab: IssuanceLab) -> None:
    first, _ = crl_of(lab)
    lab.clock.advance(timedelta(days=3, hours=11))
    assert crl_of(lab)[0] == first
    certificate = lab.issue(profile())
    assert crl_of(lab)[0] == first
    run(lab.revocation.revoke(certificate.serial, RevocationReason.CERTIFICATE_HOLD, "operator:test", lab.clock.now()))
    held, crl = crl_of(lab)
    assert (held.number, len(crl)) == (2, 1)
    run(lab.revocation.release(certificate.serial, "operator:test"))
    released, crl = crl_of(lab)
    assert (released.number, len(crl)) == (3, 0)
    lab.clock.advance(timedelta(days=3, hours=12))
    later, _ = crl_of(lab)
    assert (later.number, later.this_update) == (4, lab.clock.now())


def test_expired_certificates_leave_the_list_after_one_more(lab: IssuanceLab) -> None:
    """RFC 5280 section 3.3: not before the entry was on a list that was issued beyond the certificate's validity."""
    certificate = lab.issue(profile(validity="10d"))
    run(lab.revocation.revoke(certificate.serial, RevocationReason.SUPERSEDED, "operator:test", NOW))
    lab.clock.advance(timedelta(days=11))
    assert len(crl_of(lab)[1]) == 1
    lab.clock.advance(timedelta(days=4))
    assert len(crl_of(lab)[1]) == 0


def test_an_expired_certificate_is_on_one_more_list_of_each_key(lab: IssuanceLab) -> None:
    certificate = lab.issue(profile(validity="10d"))
    run(lab.authorities.rollover("issuing"))
    run(lab.revocation.revoke(certificate.serial, RevocationReason.SUPERSEDED, "operator:test", NOW))
    lab.clock.advance(timedelta(days=11))
    assert [len(crl_of(lab, "issuing", number)[1]) for number in (1, 2)] == [1, 1]
    lab.clock.advance(timedelta(days=4))
    assert [len(crl_of(lab, "issuing", number)[1]) for number in (1, 2)] == [0, 0]


def test_a_clock_that_goes_back_takes_nothing_off_the_list(lab: IssuanceLab) -> None:
    certificate = lab.issue(profile(validity="10d"))
    run(lab.revocation.revoke(certificate.serial, RevocationReason.SUPERSEDED, "operator:test", NOW))
    lab.clock.advance(timedelta(days=11))
    assert len(crl_of(lab)[1]) == 1
    lab.clock.advance(-timedelta(days=11))
    assert len(crl_of(lab)[1]) == 1


def test_a_start_builds_one_list_however_many_ask(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier process made is good enough for those who ask while the first one is built."""
    monkeypatch.setattr("privca.issuance.revocation_lists.PAGE", 1)
    record = lab.issue(profile())
    run(lab.revocation.revoke(record.serial, RevocationReason.SUPERSEDED, "operator:test", NOW))
    before = crl_of(lab)[0]
    served: list[CrlRecord] = []

    async def aside(build: Callable[[], bytes]) -> bytes:
        if not served:
            served.append(await started.current("issuing", 1, NOW))
        return build()

    started = RevocationLists(lab.store, lab.keys, lab.authorities, aside)
    later = lab.issue(profile(), request_id="later")
    run(lab.revocation.revoke(later.serial, RevocationReason.SUPERSEDED, "operator:test", NOW))
    assert run(started.current("issuing", 1, NOW)).number == 2
    assert served == [before]


def test_numbers_go_up_over_restarts_and_workers(lab: IssuanceLab) -> None:
    assert crl_of(lab)[0].number == 1
    other = RevocationLists(lab.store, lab.keys, lab.authorities, direct)
    # What the first one made is good enough; what nobody has made yet is made under the next number.
    assert run(other.current("issuing", 1, NOW)).number == 1
    record = lab.issue(profile())
    run(lab.revocation.revoke(record.serial, RevocationReason.SUPERSEDED, "operator:test", NOW))
    assert run(other.current("issuing", 1, NOW)).number == 2
    assert crl_of(lab)[0].number == 2


def test_a_number_that_another_worker_took_is_not_given_again(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    other = RevocationLists(lab.store, lab.keys, lab.authorities, direct)
    newest = lab.store.newest_crl_mark

    async def overtaken(authority: str, *which: Any) -> CrlMark | None:
        found = await newest(authority, *which)
        if not which:
            monkeypatch.undo()
            # By the other key: another list, from the same sequence of numbers.
            await other.current(authority, 2, NOW)
        return found

    run(lab.authorities.rollover("issuing"))
    monkeypatch.setattr(lab.store, "newest_crl_mark", overtaken)
    assert crl_of(lab)[0].number == 2
    assert run(other.current("issuing", 2, NOW)).number == 1


def test_the_same_list_that_another_worker_made_meanwhile_is_good_enough(
    lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = RevocationLists(lab.store, lab.keys, lab.authorities, direct)
    newest = lab.store.newest_crl_mark

    async def overtaken(authority: str, *which: Any) -> CrlMark | None:
        found = await newest(authority, *which)
        if not which:
            monkeypatch.undo()
            await other.current(authority, 1, NOW)
        return found

    monkeypatch.setattr(lab.store, "newest_crl_mark", overtaken)
    assert crl_of(lab)[0] == run(other.current("issuing", 1, NOW))


def test_the_list_by_each_key_is_that_of_the_whole_ca(lab: IssuanceLab) -> None:
    """RFC 5280 section 5: the scope of a CRL is not affected by the keys that sign; section 5.2.3: no number twice in one scope."""
    before = lab.issue(profile(), request_id="before")
    run(lab.authorities.rollover("issuing"))
    after = lab.issue(profile(), request_id="after")
    for record in (before, after):
        run(lab.revocation.revoke(record.serial, RevocationReason.UNSPECIFIED, "operator:test", NOW))
    for number in (1, 2):
        crl = crl_of(lab, "issuing", number)[1]
        key = run(lab.authorities.generation("issuing", number))
        assert crl.is_signature_valid(key.certificate.public_key())  # type: ignore[arg-type]
        assert {entry.serial_number for entry in crl} == {int.from_bytes(one.serial, "big") for one in (before, after)}
        # RFC 5280 section 5.3.1: no reason rather than unspecified.
        assert all(len(entry.extensions) == 0 for entry in crl)
        assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == number


def test_unknown_keys(lab: IssuanceLab) -> None:
    for authority, number in (("none", 1), ("issuing", 2)):
        with pytest.raises(Refused) as refused:
            crl_of(lab, authority, number)
        assert refused.value.reason is Reason.NOT_FOUND


def test_a_large_list_is_built_aside_and_others_get_the_one_before(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    total, asides = 100_000, 0
    served: list[CrlRecord] = []

    async def aside(build: Callable[[], bytes]) -> bytes:
        nonlocal asides
        asides += 1
        if asides == total // PAGE:
            served.append(await lists.current("issuing", 1, NOW))
        return build()

    lists = RevocationLists(lab.store, lab.keys, lab.authorities, aside)
    first = run(lists.current("issuing", 1, NOW))

    async def revoked(authority: str, at: datetime, after: tuple[int, int] | None, limit: int) -> RevokedPage:
        begin = after[1] if after else 0
        entries = [
            RevokedEntry((n + 1).to_bytes(20, "big"), NOW, RevocationReason.SUPERSEDED, None) for n in range(begin, begin + limit)
        ]
        return RevokedPage(entries, (0, begin + limit) if begin + limit < total else None)

    async def count(authority: str) -> int:
        return total

    monkeypatch.setattr(lab.store, "revoked", revoked)
    monkeypatch.setattr(lab.store, "revocation_count", count)
    second = run(lists.current("issuing", 1, NOW))
    # Others had a turn after each page, and the last one while the list was encoded.
    assert asides == total // PAGE
    assert served == [first]
    assert second.number == 2
    assert len(x509.load_der_x509_crl(second.der)) == total
    assert run(lists.current("issuing", 1, NOW)) is second


def test_all_pages_are_in_the_list(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privca.issuance.revocation_lists.PAGE", 2)
    serials = set()
    for number in range(5):
        record = lab.issue(profile(), request_id=str(number))
        run(lab.revocation.revoke(record.serial, RevocationReason.SUPERSEDED, "operator:test", NOW))
        serials.add(int.from_bytes(record.serial, "big"))
    assert {entry.serial_number for entry in crl_of(lab)[1]} == serials
