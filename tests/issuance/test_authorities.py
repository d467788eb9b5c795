from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from privca.base.durations import duration
from privca.base.refused import Reason, Refused
from privca.issuance.authorities import Authorities
from privca.issuance.ca_key import CaKey
from privca.issuance.ports import CertificateStatus, Generation, GenerationRole
from privca.issuance.profile import CertificateAuthority
from tests.support.issuance_lab import NOW, TWO_TIERS, IssuanceLab, profile, run

KINDS = ["P-256", "P-384", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]
# The OpenSSL that is at hand may be older than 3.5, which brought ML-DSA; cryptography brings its own.
OPENSSL_VERIFIES = [kind for kind in KINDS if not kind.startswith("ML-DSA")]


def extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.Extension[x509.ExtensionType]:
    return certificate.extensions.get_extension_for_class(kind)


def test_ca_certificates_conform(lab: IssuanceLab) -> None:
    root, issuing = run(lab.authorities.current("root")), run(lab.authorities.current("issuing"))
    for key, path_length in ((root, None), (issuing, 0)):
        certificate = key.certificate
        constraints = extension(certificate, x509.BasicConstraints)
        assert constraints.critical
        assert constraints.value == x509.BasicConstraints(ca=True, path_length=path_length)
        usage = extension(certificate, x509.KeyUsage)
        assert usage.critical
        assert isinstance(usage.value, x509.KeyUsage)
        assert usage.value.key_cert_sign
        assert usage.value.crl_sign
        assert key.parent_key_identifier == root.signer.facts.key_identifier
        assert 0 < certificate.serial_number < 1 << 159
        assert certificate.issuer == root.certificate.subject
    assert issuing.not_after == NOW + duration("5y")
    assert root.not_after == NOW + duration("10y")
    access = extension(issuing.certificate, x509.AuthorityInformationAccess).value
    assert "http://pki.example.test:8080/ca/root.cer" in str(access)
    with pytest.raises(x509.ExtensionNotFound):
        extension(root.certificate, x509.CRLDistributionPoints)


def test_ca_certificates_are_recorded_before_they_are_used(lab: IssuanceLab) -> None:
    key = run(lab.authorities.current("issuing"))
    record = run(lab.store.certificate_by_serial(key.certificate.serial_number.to_bytes(20, "big")))
    assert record is not None
    assert (record.authority, record.generation, record.status) == ("root", 1, CertificateStatus.ISSUED)
    assert record.der == key.generation.certificate
    assert record.der is not None
    assert x509.load_der_x509_certificate(record.der).tbs_certificate_bytes == record.tbs


def test_what_is_there_is_not_made_again(lab: IssuanceLab) -> None:
    assert run(lab.authorities.create_missing()) == []
    assert [key.generation.number for key in run(lab.authorities.generations("root"))] == [1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(kind: str, tmp_path: Path) -> None:
    config = {
        "root": CertificateAuthority(subject={"CN": "Root"}, key=kind, signature_hash="sha384"),  # type: ignore[arg-type]
        "issuing": CertificateAuthority(subject={"CN": "Issuing"}, key=kind, parent="root"),  # type: ignore[arg-type]
    }
    lab = IssuanceLab(tmp_path, config).make()
    record = lab.issue(profile())
    assert record.der is not None
    (chain,) = run(lab.authorities.chains("issuing", 1))
    certificates = [x509.load_der_x509_certificate(der) for der in (record.der, *chain)]
    for certificate, above in zip(certificates, [*certificates[1:], certificates[-1]], strict=True):
        certificate.verify_directly_issued_by(above)
    if kind in OPENSSL_VERIFIES:
        assert lab.verify(record.der, chain) == "OK"
    lab.store.close()


def test_a_ca_does_not_outlive_its_parent(tmp_path: Path) -> None:
    config = {
        "issuing": CertificateAuthority(subject={"CN": "Issuing"}, parent="root", validity="10y"),
        "root": CertificateAuthority(subject={"CN": "Root"}, validity="1y"),
    }
    lab = IssuanceLab(tmp_path, config)
    assert run(lab.authorities.create_missing()) == ["root", "issuing"]
    assert run(lab.authorities.current("issuing")).not_after == run(lab.authorities.current("root")).not_after
    lab.clock.advance(timedelta(days=366))
    with pytest.raises(Refused) as refused:
        run(lab.authorities.rollover("issuing"))
    assert refused.value.reason is Reason.UNAVAILABLE
    lab.store.close()


def test_unknown_authorities(lab: IssuanceLab) -> None:
    for call in (lab.authorities.generations("none"), lab.authorities.current("none"), lab.authorities.generation("root", 9)):
        with pytest.raises(Refused) as refused:
            run(call)
        assert refused.value.reason is Reason.NOT_FOUND


def roles(lab: IssuanceLab, name: str) -> list[GenerationRole]:
    return [key.generation.role for key in run(lab.authorities.generations(name))]


def test_rollover_of_a_root_crosses_old_and_new(lab: IssuanceLab) -> None:
    before = lab.issue(profile(), request_id="before")
    old = run(lab.authorities.current("root"))
    lab.clock.advance(timedelta(days=30))
    new = run(lab.authorities.rollover("root"))
    assert roles(lab, "root") == [GenerationRole.PREVIOUS, GenerationRole.CURRENT]
    assert new.generation.new_with_old is not None
    assert new.generation.old_with_new is not None
    new_with_old = x509.load_der_x509_certificate(new.generation.new_with_old)
    old_with_new = x509.load_der_x509_certificate(new.generation.old_with_new)
    new_with_old.verify_directly_issued_by(old.certificate)
    old_with_new.verify_directly_issued_by(new.certificate)
    assert new_with_old.public_key() == new.certificate.public_key()
    assert old_with_new.public_key() == old.certificate.public_key()
    # RFC 4210 section 4.4.1 gives the validity of each.
    assert (old_with_new.not_valid_before_utc, old_with_new.not_valid_after_utc) == (
        old.certificate.not_valid_before_utc,
        old.not_after,
    )
    assert (new_with_old.not_valid_before_utc, new_with_old.not_valid_after_utc) == (
        new.certificate.not_valid_before_utc,
        old.not_after,
    )

    # The issuing CA still stands below the old key: the old root first, the new one through OldWithNew.
    chains = run(lab.authorities.chains("issuing", 1))
    assert [chain[-1] for chain in chains] == [old.generation.certificate, new.generation.certificate]
    assert chains[1][1] == new.generation.old_with_new
    assert before.der is not None
    assert [lab.verify(before.der, chain) for chain in chains] == ["OK", "OK"]

    # Its next key stands below the new one: the new root first, the old one through NewWithOld.
    run(lab.authorities.rollover("issuing"))
    after = lab.issue(profile(), request_id="after")
    assert after.generation == 2
    chains = run(lab.authorities.chains("issuing", 2))
    assert [chain[-1] for chain in chains] == [new.generation.certificate, old.generation.certificate]
    assert chains[1][1] == new.generation.new_with_old
    assert after.der is not None
    assert [lab.verify(after.der, chain) for chain in chains] == ["OK", "OK"]
    issuing = run(lab.authorities.current("issuing"))
    assert issuing.generation.new_with_old is None
    assert "crl/issuing.2.crl" in str(
        x509.load_der_x509_certificate(after.der).extensions.get_extension_for_class(x509.CRLDistributionPoints)
    )


def test_alternate_chains_end_with_their_certificates(lab: IssuanceLab) -> None:
    lab.clock.advance(duration("4y"))
    run(lab.authorities.rollover("root"))
    run(lab.authorities.rollover("issuing"))
    assert len(run(lab.authorities.chains("issuing", 2))) == 2
    lab.clock.advance(duration("6y") + timedelta(days=1))
    assert len(run(lab.authorities.chains("issuing", 2))) == 1
    # NewWithOld ended with the old root; the default of the old key stays what it was.
    (chain,) = run(lab.authorities.chains("issuing", 1))
    assert chain[-1] == run(lab.authorities.generation("root", 1)).generation.certificate


def test_three_generations(lab: IssuanceLab) -> None:
    run(lab.authorities.rollover("root"))
    run(lab.authorities.rollover("root"))
    assert roles(lab, "root") == [GenerationRole.RETIRED, GenerationRole.PREVIOUS, GenerationRole.CURRENT]
    chains = run(lab.authorities.chains("issuing", 1))
    assert [len(chain) for chain in chains] == [2, 3, 4]
    record = lab.issue(profile())
    assert record.der is not None
    assert [lab.verify(record.der, chain) for chain in chains] == ["OK", "OK", "OK"]


def test_a_next_key_waits_until_the_rollover(lab: IssuanceLab) -> None:
    waiting = run(lab.authorities.prepare_next("issuing"))
    assert run(lab.authorities.prepare_next("issuing")).generation == waiting.generation
    assert roles(lab, "issuing") == [GenerationRole.CURRENT, GenerationRole.NEXT]
    assert lab.issue(profile(), request_id="1").generation == 1
    rolled = run(lab.authorities.rollover("issuing"))
    assert rolled.generation.key == waiting.generation.key
    assert lab.issue(profile(), request_id="2").generation == 2


def test_a_rollover_elsewhere_is_noticed(lab: IssuanceLab) -> None:
    other = IssuanceLab(lab.directory)
    run(lab.authorities.current("issuing"))
    run(other.authorities.rollover("issuing"))
    assert run(lab.authorities.current("issuing")).generation.number == 1
    lab.clock.advance(timedelta(seconds=5))
    assert run(lab.authorities.current("issuing")).generation.number == 2
    other.store.close()


def test_two_rollovers_at_once_do_not_both_win(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    other = IssuanceLab(lab.directory)
    save = lab.store.save_generations
    rolled: list[int] = []

    async def save_late(generations: list[Generation]) -> None:
        if not rolled:
            rolled.append(run(other.authorities.rollover("issuing")).generation.number)
        await save(generations)

    monkeypatch.setattr(lab.store, "save_generations", save_late)
    with pytest.raises(Refused) as refused:
        run(lab.authorities.rollover("issuing"))
    assert refused.value.reason is Reason.WRONG_STATE
    monkeypatch.undo()
    lab.clock.advance(timedelta(seconds=5))
    assert roles(lab, "issuing") == [GenerationRole.PREVIOUS, GenerationRole.CURRENT]
    other.store.close()


def test_a_rollover_that_was_overtaken_leaves_a_current_key(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    other = IssuanceLab(lab.directory)
    prepare_next = lab.authorities.prepare_next

    async def overtaken(name: str) -> CaKey:
        prepared = await prepare_next(name)
        await other.authorities.rollover(name)
        return prepared

    monkeypatch.setattr(lab.authorities, "prepare_next", overtaken)
    with pytest.raises(Refused) as refused:
        run(lab.authorities.rollover("issuing"))
    assert refused.value.reason is Reason.WRONG_STATE
    assert roles(lab, "issuing") == [GenerationRole.PREVIOUS, GenerationRole.CURRENT]
    other.store.close()


def test_an_expired_root_crosses_nothing(lab: IssuanceLab) -> None:
    lab.clock.advance(duration("10y"))
    new = run(lab.authorities.rollover("root"))
    assert (new.generation.new_with_old, new.generation.old_with_new) == (None, None)


def test_a_key_that_another_process_has_just_made_is_found_by_its_number(lab: IssuanceLab) -> None:
    assert run(lab.authorities.current("issuing")).generation.number == 1
    other = Authorities(lab.store, lab.keys, TWO_TIERS, lab.clock, lab.urls)
    run(other.rollover("issuing"))
    first = run(lab.authorities.generation("issuing", 1))
    assert run(lab.authorities.generation("issuing", 2)).generation.number == 2
    with pytest.raises(Refused):
        run(lab.authorities.generation("issuing", 3))
    # Its role has changed, so it was read anew, and is then the same again.
    assert run(lab.authorities.generation("issuing", 1)) is run(lab.authorities.generation("issuing", 1))
    assert first.certificate == run(lab.authorities.generation("issuing", 1)).certificate
