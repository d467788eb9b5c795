"""CRLs in parts (RFC 5280 section 5.2.5) and delta CRLs (sections 5.2.4 and 5.2.6), as relying parties combine them."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from privca.base.refused import Reason, Refused
from privca.issuance.crl_scope import COMPLETE, DELTA, Scope, part_of, read_scope
from privca.issuance.options.status import CrlOptions
from privca.issuance.ports import Certificate, CrlRecord, RevocationReason
from privca.issuance.profile import CertificateAuthority
from privca.issuance.publication import PublicUrls, read_crl_label
from privca.issuance.revocation_lists import RevocationLists
from tests.support.issuance_lab import NOW, TWO_TIERS, IssuanceLab, direct, profile, run
from tests.support.taking_out import NOTICED, instead, refusing, take_out

HOLD, SUPERSEDED = RevocationReason.CERTIFICATE_HOLD, RevocationReason.SUPERSEDED
REMOVED = x509.ReasonFlags.remove_from_crl


def made(path: Path, **crl: Any) -> IssuanceLab:
    config = CertificateAuthority(subject={"CN": "CA"}, parent="root", crl=CrlOptions(**crl))
    return IssuanceLab(path, {**TWO_TIERS, "issuing": config}).make()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[IssuanceLab]:
    """A CA whose CRL comes in four parts."""
    lab = made(tmp_path / "parts", partitions=4)
    yield lab
    lab.store.close()


@pytest.fixture
def deltas(tmp_path: Path) -> Iterator[IssuanceLab]:
    """A CA with delta CRLs."""
    lab = made(tmp_path / "deltas", delta=True)
    yield lab
    lab.store.close()


@pytest.fixture
def openssl() -> None:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")


def crl(lab: IssuanceLab, scope: Scope = COMPLETE, number: int = 1) -> x509.CertificateRevocationList:
    record = run(lab.lists.current("issuing", number, lab.clock.now(), scope))
    parsed = x509.load_der_x509_crl(record.der)
    key = run(lab.authorities.generation("issuing", number)).certificate
    assert parsed.is_signature_valid(key.public_key())  # type: ignore[arg-type]
    assert number_of(parsed) == record.number
    return parsed


def number_of(parsed: x509.CertificateRevocationList) -> int:
    return parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def base_of(parsed: x509.CertificateRevocationList) -> int:
    found = parsed.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert found.critical
    return found.value.crl_number


def listed(parsed: x509.CertificateRevocationList) -> dict[int, x509.ReasonFlags | None]:
    found = {}
    for entry in parsed:
        reasons = [one.value.reason for one in entry.extensions if isinstance(one.value, x509.CRLReason)]
        found[entry.serial_number] = reasons[0] if reasons else None
    return found


def combined(complete: x509.CertificateRevocationList, delta: x509.CertificateRevocationList) -> set[int]:
    """What a relying party knows that updates a complete CRL by a delta CRL (section 5.2.4)."""
    assert base_of(delta) <= number_of(complete) < number_of(delta)
    found = set(listed(complete))
    for serial, reason in listed(delta).items():
        found = found - {serial} if reason is REMOVED else found | {serial}
    return found


def revoke(lab: IssuanceLab, certificate: Certificate, reason: RevocationReason = SUPERSEDED) -> int:
    run(lab.revocation.revoke(certificate.serial, reason, "operator:test", lab.clock.now()))
    return int.from_bytes(certificate.serial)


# -- parts


def test_rfc5280_5_2_5_a_certificate_points_to_the_list_of_its_part(parts: IssuanceLab) -> None:
    certificates = [parts.issue(profile(), request_id=str(number)) for number in range(12)]
    revoked = {revoke(parts, one) for one in certificates[::2]}
    lists = {part: crl(parts, Scope(part, 4)) for part in range(1, 5)}
    for one in certificates:
        assert one.der is not None
        parsed = x509.load_der_x509_certificate(one.der)
        (point,) = parsed.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        part = part_of(one.serial, 4)
        assert point.full_name is not None
        (url,) = [name.value for name in point.full_name]
        assert url == f"http://pki.example.test:8080/crl/issuing.p{part}of4.crl"
        issuing = lists[part].extensions.get_extension_for_class(x509.IssuingDistributionPoint)
        assert issuing.critical
        assert issuing.value.full_name == point.full_name
        assert (parsed.serial_number in listed(lists[part])) == (parsed.serial_number in revoked)
    assert set().union(*(listed(one) for one in lists.values())) == revoked
    assert sum(len(listed(one)) for one in lists.values()) == len(revoked)
    # The complete one is complete, and says so by having no distribution point.
    complete = crl(parts)
    assert set(listed(complete)) == revoked
    with pytest.raises(x509.ExtensionNotFound):
        complete.extensions.get_extension_for_class(x509.IssuingDistributionPoint)


def test_openssl_verifies_by_the_part(parts: IssuanceLab, openssl: None) -> None:
    good, bad = parts.issue(profile(), request_id="good"), parts.issue(profile(), request_id="bad")
    revoke(parts, bad)
    chain = run(parts.authorities.chains("issuing", 1))[0]
    for certificate, said in ((good, "OK"), (bad, "certificate revoked")):
        own = part_of(certificate.serial, 4)
        for part in range(1, 5):
            file = parts.directory / f"part-{part}.pem"
            file.write_bytes(crl(parts, Scope(part, 4)).public_bytes(Encoding.PEM))
            assert certificate.der is not None
            told = parts.verify(certificate.der, chain, "-crl_check", "-CRLfile", str(file))
            assert (said if part == own else "different CRL scope") in told


def test_a_delegates_certificate_points_to_its_part_too(parts: IssuanceLab) -> None:
    from privca.issuance.delegates import Purpose

    delegate = run(parts.delegates.current("issuing", Purpose.CMP))
    parsed = x509.load_der_x509_certificate(delegate.certificate)
    (point,) = parsed.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert f"p{part_of(delegate.serial, 4)}of4" in str(point.full_name)


@pytest.mark.parametrize("scope", [Scope(1, 3), Scope(5, 4), DELTA, Scope(1, 1024)], ids=str)
def test_a_list_that_is_not_published(parts: IssuanceLab, scope: Scope) -> None:
    with pytest.raises(Refused) as refused:
        crl(parts, scope)
    assert refused.value.reason is Reason.NOT_FOUND


def test_parts_of_former_times_live_on(tmp_path: Path) -> None:
    lab = made(tmp_path, partitions=4, former_partitions=(2,))
    serial = revoke(lab, lab.issue(profile()))
    for parts in (2, 4):
        assert serial in listed(crl(lab, Scope(part_of(serial.to_bytes(20), parts), parts)))
    lab.store.close()


@pytest.mark.parametrize(
    ("label", "read"),
    [
        ("lab", ("lab", 1, COMPLETE)),
        ("lab.3", ("lab", 3, COMPLETE)),
        ("lab.delta", ("lab", 1, DELTA)),
        ("lab.3.p2of8", ("lab", 3, Scope(2, 8))),
        *((text, None) for text in ("lab.p0of8", "lab.p9of8", "lab.p1of1", "lab.p01of8", "lab.beta", "lab.delta.3", "lab.", "")),
    ],
)
def test_labels_of_lists(label: str, read: Any) -> None:
    assert read_crl_label(label) == read
    if read is not None:
        url = PublicUrls("http://x").crl(*read)
        assert url == f"http://x/crl/{label}.crl"


def test_scopes_read_back() -> None:
    for scope in (COMPLETE, DELTA, Scope(3, 8)):
        assert read_scope(str(scope)) == scope


# -- delta


def test_rfc5280_5_2_4_a_delta_crl(deltas: IssuanceLab) -> None:
    before = revoke(deltas, deltas.issue(profile(), request_id="before"))
    base = crl(deltas)
    after = revoke(deltas, deltas.issue(profile(), request_id="after"), RevocationReason.KEY_COMPROMISE)
    delta = crl(deltas, DELTA)
    assert base_of(delta) == number_of(base)
    assert listed(delta) == {after: x509.ReasonFlags.key_compromise}
    assert combined(base, delta) == {before, after} == set(listed(crl(deltas)))
    # Section 5.2.6: not in a delta CRL; 5.2.5: both have no distribution point.
    for kind in (x509.FreshestCRL, x509.IssuingDistributionPoint):
        with pytest.raises(x509.ExtensionNotFound):
            delta.extensions.get_extension_for_class(kind)
    assert delta.next_update_utc == NOW + timedelta(days=1)


def test_rfc5280_5_2_6_a_complete_crl_points_to_it(deltas: IssuanceLab, parts: IssuanceLab) -> None:
    freshest = crl(deltas).extensions.get_extension_for_class(x509.FreshestCRL)
    assert not freshest.critical
    (point,) = freshest.value
    assert point.full_name == [x509.UniformResourceIdentifier("http://pki.example.test:8080/crl/issuing.delta.crl")]
    with pytest.raises(x509.ExtensionNotFound):
        crl(parts).extensions.get_extension_for_class(x509.FreshestCRL)


def test_rfc5280_5_2_4_who_is_released_leaves_the_list(deltas: IssuanceLab) -> None:
    certificate = deltas.issue(profile())
    serial = revoke(deltas, certificate, HOLD)
    held = crl(deltas)
    assert listed(held) == {serial: x509.ReasonFlags.certificate_hold}
    run(deltas.revocation.release(certificate.serial, "operator:test"))
    delta = crl(deltas, DELTA)
    assert listed(delta) == {serial: REMOVED}
    assert combined(held, delta) == set()
    revoke(deltas, certificate)
    assert listed(crl(deltas, DELTA)) == {serial: x509.ReasonFlags.superseded}


def test_rfc5280_5_2_4_held_and_released_since_the_base(deltas: IssuanceLab) -> None:
    base = crl(deltas)
    certificate = deltas.issue(profile())
    serial = revoke(deltas, certificate, HOLD)
    between = crl(deltas)
    run(deltas.revocation.release(certificate.serial, "operator:test"))
    delta = crl(deltas, DELTA)
    assert base_of(delta) == number_of(base)
    assert listed(delta) == {serial: REMOVED}
    for complete in (base, between):
        assert combined(complete, delta) == set()


def test_rfc5280_5_2_4_any_list_that_still_holds_may_be_updated(deltas: IssuanceLab) -> None:
    """Over months with revocations, holds and releases: whichever complete CRL a relying party has, if it holds, the delta CRL fits."""
    seen: list[x509.CertificateRevocationList] = []
    held: list[Certificate] = []
    for day in range(36):
        certificate = deltas.issue(profile(), request_id=str(day))
        if day % 3 == 0:
            revoke(deltas, certificate)
        elif day % 3 == 1:
            revoke(deltas, certificate, HOLD)
            held.append(certificate)
        elif day % 4 == 0:
            run(deltas.revocation.release(held.pop(0).serial, "operator:test"))
        if day % 2:
            seen.append(crl(deltas))
        delta, now = crl(deltas, DELTA), deltas.clock.now()
        truth = set(listed(crl(deltas)))
        for complete in seen:
            assert complete.next_update_utc is not None
            if complete.next_update_utc > now and number_of(complete) < number_of(delta):
                assert combined(complete, delta) == truth
        deltas.clock.advance(timedelta(days=1))
    # And what nobody needs any longer is forgotten.
    changes = deltas.store._database._connection.execute("SELECT count(*) FROM revocation_change").fetchone()[0]
    bases = deltas.store._database._connection.execute("SELECT count(*) FROM crl_base").fetchone()[0]
    assert changes < 20
    assert bases < 10


def test_a_delta_crl_by_each_key(deltas: IssuanceLab) -> None:
    first = deltas.issue(profile())
    run(deltas.authorities.rollover("issuing"))
    bases = [crl(deltas, COMPLETE, number) for number in (1, 2)]
    serial = revoke(deltas, first)
    for number, base in ((1, bases[0]), (2, bases[1])):
        delta = crl(deltas, DELTA, number)
        assert base_of(delta) == number_of(base)
        assert set(listed(delta)) == {serial}


def test_the_end_of_a_certificate_takes_it_from_no_delta_crl(deltas: IssuanceLab) -> None:
    """Section 5.2.4: not before it was on a complete CRL that was issued after its end; here, not while the base is kept at all."""
    base = crl(deltas)
    serial = revoke(deltas, deltas.issue(profile(validity="1h")))
    deltas.clock.advance(timedelta(hours=2))
    assert set(listed(crl(deltas, DELTA))) == {serial}
    assert base_of(crl(deltas, DELTA)) == number_of(base)


def test_a_delta_crl_without_a_base_makes_one(deltas: IssuanceLab) -> None:
    serial = revoke(deltas, deltas.issue(profile()))
    delta = crl(deltas, DELTA)
    assert listed(delta) == {}
    complete = crl(deltas)
    assert (set(listed(complete)), number_of(complete)) == ({serial}, base_of(delta))


def test_openssl_combines_them(deltas: IssuanceLab, openssl: None) -> None:
    good, bad = deltas.issue(profile(), request_id="good"), deltas.issue(profile(), request_id="bad")
    base = crl(deltas)
    deltas.clock.advance(timedelta(seconds=1))
    revoke(deltas, bad)
    delta = crl(deltas, DELTA)
    chain = run(deltas.authorities.chains("issuing", 1))[0]
    alone, both = deltas.directory / "alone.pem", deltas.directory / "both.pem"
    alone.write_bytes(base.public_bytes(Encoding.PEM))
    both.write_bytes(base.public_bytes(Encoding.PEM) + delta.public_bytes(Encoding.PEM))
    assert good.der is not None
    assert bad.der is not None
    assert deltas.verify(bad.der, chain, "-crl_check", "-CRLfile", str(alone)) == "OK"
    options = ("-crl_check", "-extended_crl", "-use_deltas", "-CRLfile", str(both))
    assert deltas.verify(good.der, chain, *options) == "OK"
    assert "certificate revoked" in deltas.verify(bad.der, chain, *options)


# -- regular work


def test_what_is_stale_is_made_before_anybody_asks(deltas: IssuanceLab) -> None:
    run(deltas.lists.tend(NOW))
    first = {scope: run(deltas.store.newest_crl("issuing", 1, str(scope))) for scope in (COMPLETE, DELTA)}
    assert all(first.values())
    assert run(deltas.store.newest_crl("root", 1, "")) is not None
    run(deltas.lists.tend(NOW))
    assert run(deltas.store.newest_crl("issuing", 1, "")) == first[COMPLETE]
    revoke(deltas, deltas.issue(profile()))
    run(deltas.lists.tend(NOW))
    second: CrlRecord | None = run(deltas.store.newest_crl("issuing", 1, ""))
    assert second is not None
    # Another process finds it made.
    other = RevocationLists(deltas.store, deltas.keys, deltas.authorities, direct)
    assert run(other.current("issuing", 1, NOW)) == second


def test_no_list_expires_while_it_is_tended(deltas: IssuanceLab) -> None:
    for _ in range(40):
        run(deltas.lists.tend(deltas.clock.now()))
        for scope in (COMPLETE, DELTA):
            record = run(deltas.store.newest_crl("issuing", 1, str(scope)))
            assert record is not None
            assert record.next_update > deltas.clock.now() + timedelta(hours=6)
        deltas.clock.advance(timedelta(hours=6))


def test_one_list_that_fails_does_not_keep_the_others(deltas: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = deltas.keys.sign
    root = run(deltas.authorities.current("root")).signer.reference

    async def fails(reference: str, message: bytes, hash_name: str) -> bytes:
        if reference == root:
            raise Refused(Reason.INTERNAL, "keys: file", "gone")
        return await sign(reference, message, hash_name)

    monkeypatch.setattr(deltas.keys, "sign", fails)
    run(deltas.lists.tend(NOW))
    assert run(deltas.store.newest_crl("root", 1, "")) is None
    assert run(deltas.store.newest_crl("issuing", 1, "")) is not None


def test_a_key_that_has_ended_needs_none(tmp_path: Path) -> None:
    lab = IssuanceLab(tmp_path, {"issuing": CertificateAuthority(subject={"CN": "CA"}, validity="10d")}).make()
    lab.clock.advance(timedelta(days=11))
    run(lab.lists.tend(lab.clock.now()))
    assert run(lab.store.newest_crl("issuing", 1, "")) is None
    lab.store.close()


# -- each check taken out

LISTS = "issuance.revocation_lists:RevocationLists"
CHECKS: dict[str, tuple[list[Any], Callable[..., None]]] = {
    "published": (
        [refusing(f"{LISTS}.current", "publishes no such list")],
        lambda parts: test_a_list_that_is_not_published(parts, Scope(1, 3)),
    ),
    "scope": (
        [instead(f"{LISTS}._entries", "scope.parts == 1", "True")],
        test_rfc5280_5_2_5_a_certificate_points_to_the_list_of_its_part,
    ),
    "released": (
        [instead(f"{LISTS}._changes", "RevocationReason.REMOVE_FROM_CRL", "RevocationReason.SUPERSEDED")],
        test_rfc5280_5_2_4_who_is_released_leaves_the_list,
    ),
    "oldest base": (
        [instead(f"{LISTS}._base", "return bases[0]", "return bases[-1]")],
        test_rfc5280_5_2_4_any_list_that_still_holds_may_be_updated,
    ),
    "bases are kept": (
        [instead(f"{LISTS}._bases_from", "now - life * 3 / 2", "now - life / 2")],
        test_rfc5280_5_2_4_any_list_that_still_holds_may_be_updated,
    ),
    "half of its life": (
        [instead("issuance.revocation_lists:_fresh", "now < record.this_update + half", "True")],
        test_no_list_expires_while_it_is_tended,
    ),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_trap_notices_that_its_check_is_gone(
    parts: IssuanceLab, deltas: IssuanceLab, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    removed, trap = CHECKS[check]
    take_out(monkeypatch, removed)
    labs = {"parts": parts, "deltas": deltas}
    with pytest.raises(NOTICED) as noticed:
        trap(**{name: labs[name] for name in inspect.signature(trap).parameters})
    assert not isinstance(noticed.value, NameError)
