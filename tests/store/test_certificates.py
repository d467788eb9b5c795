"""Certificates are recorded before they are signed, and every change of revocation is counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from privca.base.names import Name, NameKind
from privca.issuance.ports import (
    Certificate,
    CertificateStatus,
    Conflict,
    CrlRecord,
    Generation,
    GenerationRole,
    RevocationReason,
    RevokedEntry,
)
from privca.store import Store

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Run = Callable[[Any], Any]


def certificate(serial: bytes = b"\x01", request_id: str = "r", **changes: Any) -> Certificate:
    made = Certificate(
        serial=serial,
        authority="ca",
        generation=1,
        profile_id="p",
        profile_revision=3,
        protocol="acme",
        request_id=request_id,
        identity="acme:acct",
        subject="CN=a.test",
        names=(Name(NameKind.DNS, "a.test"), Name(NameKind.IP, "2001:db8::1")),
        spki_sha256=b"h" * 32,
        not_before=NOW,
        not_after=NOW + timedelta(days=90),
        tbs=b"tbs",
        der=None,
        status=CertificateStatus.PREPARED,
        recorded=NOW,
    )
    return replace(made, **changes)


def issued(store: Store, run: Run, serial: bytes, **changes: Any) -> Certificate:
    run(store.add_certificate(certificate(serial, serial.hex(), **changes)))
    record = run(store.certificate_by_serial(serial))
    run(store.update_certificate(replace(record, der=b"der", status=CertificateStatus.ISSUED)))
    record = run(store.certificate_by_serial(serial))
    assert isinstance(record, Certificate)
    return record


def revoke(store: Store, run: Run, record: Certificate, reason: RevocationReason) -> Certificate:
    held = reason is RevocationReason.CERTIFICATE_HOLD
    run(
        store.update_certificate(
            replace(
                record,
                status=CertificateStatus.HELD if held else CertificateStatus.REVOKED,
                reason=reason,
                revoked_at=NOW,
                revoked_by="admin",
                invalidity_date=NOW - timedelta(days=1),
            )
        )
    )
    changed = run(store.certificate_by_serial(record.serial))
    assert isinstance(changed, Certificate)
    return changed


def test_certificate_from_prepared_to_revoked(store: Store, run: Run) -> None:
    run(store.add_certificate(certificate()))
    prepared = run(store.certificate_by_request("p", "r"))
    assert prepared == certificate(version=1)
    run(store.update_certificate(replace(prepared, der=b"der", status=CertificateStatus.ISSUED)))
    assert run(store.revocation_count("ca")) == 0
    record = run(store.certificate_by_serial(b"\x01"))
    assert record == replace(prepared, der=b"der", status=CertificateStatus.ISSUED, version=2)
    record = revoke(store, run, record, RevocationReason.KEY_COMPROMISE)
    assert (record.status, record.reason, record.revoked_by) == (
        CertificateStatus.REVOKED,
        RevocationReason.KEY_COMPROMISE,
        "admin",
    )
    assert run(store.revocation_count("ca")) == 1


def test_serial_and_request_are_unique(store: Store, run: Run) -> None:
    run(store.add_certificate(certificate()))
    with pytest.raises(Conflict):
        run(store.add_certificate(certificate(b"\x02")))
    with pytest.raises(Conflict):
        run(store.add_certificate(certificate(b"\x01", "other")))
    run(store.add_certificate(certificate(b"\x02", profile_id="q")))


def test_change_under_an_old_version_is_refused_and_not_counted(store: Store, run: Run) -> None:
    record = issued(store, run, b"\x01")
    revoke(store, run, record, RevocationReason.SUPERSEDED)
    with pytest.raises(Conflict):
        revoke(store, run, record, RevocationReason.KEY_COMPROMISE)
    assert run(store.revocation_count("ca")) == 1
    assert run(store.certificate_by_serial(b"\x01")).reason is RevocationReason.SUPERSEDED


def test_hold_and_release_change_the_count_and_the_list(store: Store, run: Run) -> None:
    record = revoke(store, run, issued(store, run, b"\x01"), RevocationReason.CERTIFICATE_HOLD)
    assert len(run(store.revoked("ca", NOW)).entries) == 1
    released = replace(record, status=CertificateStatus.ISSUED, revoked_at=None, reason=None, revoked_by="")
    run(store.update_certificate(released))
    assert run(store.revoked("ca", NOW)).entries == []
    assert run(store.revocation_count("ca")) == 2


def test_revoked_lists_a_ca_without_the_expired(store: Store, run: Run) -> None:
    revoke(store, run, issued(store, run, b"\x01"), RevocationReason.KEY_COMPROMISE)
    revoke(store, run, issued(store, run, b"\x02", not_after=NOW - timedelta(seconds=1)), RevocationReason.UNSPECIFIED)
    revoke(store, run, issued(store, run, b"\x03", generation=2), RevocationReason.UNSPECIFIED)
    issued(store, run, b"\x04")
    assert run(store.revoked("ca", NOW)).entries == [
        RevokedEntry(b"\x01", NOW, RevocationReason.KEY_COMPROMISE, NOW - timedelta(days=1)),
        RevokedEntry(b"\x03", NOW, RevocationReason.UNSPECIFIED, NOW - timedelta(days=1)),
    ]


def test_revoked_are_read_by_pages(store: Store, run: Run) -> None:
    for n in range(1, 6):
        not_after = NOW + timedelta(days=9 - n // 2)
        revoke(store, run, issued(store, run, bytes([n]), not_after=not_after), RevocationReason.SUPERSEDED)
    pages, after = [], None
    while len(pages) < 9:
        page = run(store.revoked("ca", NOW, after, 2))
        pages.append([entry.serial[0] for entry in page.entries])
        after = page.next
        if after is None:
            break
    assert pages == [[4, 5], [2, 3], [1]]


def test_listing_goes_on_after_a_serial(store: Store, run: Run) -> None:
    for n in (5, 3, 9):
        issued(store, run, bytes([n]), profile_id="q" if n == 3 else "p")
    assert [c.serial for c in run(store.certificates(limit=2))] == [b"\x05", b"\x03"]
    assert [c.serial for c in run(store.certificates(after=b"\x03"))] == [b"\x09"]
    assert [c.serial for c in run(store.certificates(profile_id="p"))] == [b"\x05", b"\x09"]
    assert run(store.certificates(after=b"\x77")) == []


def test_generations_change_together_or_not_at_all(store: Store, run: Run) -> None:
    first = Generation("ca", 1, GenerationRole.CURRENT, "key-1", b"cert", None, None, NOW)
    run(store.save_generations([first]))
    (stored,) = run(store.generations("ca"))
    assert stored == replace(first, version=1)
    second = Generation("ca", 2, GenerationRole.CURRENT, "key-2", b"cert2", b"nwo", b"own", NOW)
    run(store.save_generations([replace(stored, role=GenerationRole.PREVIOUS), second]))
    before = run(store.generations("ca"))
    assert [g.role for g in before] == [GenerationRole.PREVIOUS, GenerationRole.CURRENT]
    with pytest.raises(Conflict):
        run(store.save_generations([replace(before[1], role=GenerationRole.RETIRED), stored]))
    assert run(store.generations("ca")) == before
    assert run(store.generations("unknown")) == []


def test_crl_numbers_are_given_once(store: Store, run: Run) -> None:
    assert run(store.newest_crl("ca", 1)) is None
    for number in (1, 2):
        run(store.add_crl(CrlRecord("ca", 1, number, NOW, NOW + timedelta(days=7), b"crl%d" % number)))
    assert run(store.newest_crl("ca", 1)) == CrlRecord("ca", 1, 2, NOW, NOW + timedelta(days=7), b"crl2")
    with pytest.raises(Conflict):
        run(store.add_crl(CrlRecord("ca", 1, 2, NOW, NOW, b"again")))


def test_only_the_newest_crl_of_a_key_is_kept_and_no_number_comes_again(store: Store, run: Run) -> None:
    for generation, number in ((1, 1), (2, 2), (1, 3), (1, 4)):
        run(store.add_crl(CrlRecord("ca", generation, number, NOW, NOW, b"crl")))
    kept = store._database._connection.execute("SELECT generation, number FROM crl ORDER BY 1").fetchall()
    assert kept == [(1, 4), (2, 2)]
    # A worker that was overtaken twice while it signed.
    with pytest.raises(Conflict):
        run(store.add_crl(CrlRecord("ca", 1, 3, NOW, NOW, b"late")))
    # One number sequence for all keys of the CA.
    with pytest.raises(Conflict):
        run(store.add_crl(CrlRecord("ca", 2, 4, NOW, NOW, b"twice")))
    assert [run(store.newest_crl_mark("ca", key)).number for key in (None, 1, 2)] == [4, 4, 2]
    newest = run(store.newest_crl("ca", 1))
    assert newest is not None
    assert newest.number == 4
