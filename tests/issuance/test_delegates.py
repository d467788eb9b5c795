"""Delegates: made on first use, one for several processes, renewed, and made anew after a rollover or a revocation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from privca.base.entropy import SystemEntropy
from privca.base.refused import Reason, Refused
from privca.issuance.delegates import Delegates, Purpose
from privca.issuance.ports import CertificateStatus, RevocationReason
from privca.issuance.profile import CertificateAuthority
from tests.support.issuance_lab import NOW, IssuanceLab, run

EXTENDED = {
    Purpose.OCSP: [ExtendedKeyUsageOID.OCSP_SIGNING],
    Purpose.SCEP_RA: [],
    Purpose.CMP: [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.27")],
    Purpose.CMP_TRANSPORT: [],
    Purpose.CMP_AGREEMENT: [],
    Purpose.CMC_TRANSPORT: [],
    Purpose.KGA: [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.32")],
    Purpose.CMC: [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.27")],
}
USAGE = {
    Purpose.SCEP_RA: {"digital_signature", "key_encipherment"},
    Purpose.CMP_TRANSPORT: {"key_encipherment"},
    Purpose.CMC_TRANSPORT: {"key_encipherment"},
    Purpose.CMP_AGREEMENT: {"key_agreement"},
}


def parsed(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def others(lab: IssuanceLab) -> Delegates:
    """Those of another process on the same store."""
    return Delegates(lab.store, lab.keys, lab.authorities, lab.clock, SystemEntropy())


@pytest.mark.parametrize("purpose", list(Purpose), ids=lambda purpose: purpose.value)
def test_a_certificate_for_each_purpose(lab: IssuanceLab, purpose: Purpose) -> None:
    delegate = run(lab.delegates.current("issuing", purpose))
    certificate = parsed(delegate.certificate)
    extensions = certificate.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    wanted = USAGE.get(purpose, {"digital_signature"})
    names = ("digital_signature", "content_commitment", "key_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    assert {name for name in names if getattr(usage, name)} == wanted
    found = [list(one.value) for one in extensions if isinstance(one.value, x509.ExtendedKeyUsage)]
    assert found == ([EXTENDED[purpose]] if EXTENDED[purpose] else [])
    assert isinstance(
        certificate.public_key(),
        rsa.RSAPublicKey
        if purpose in (Purpose.SCEP_RA, Purpose.CMP_TRANSPORT, Purpose.CMC_TRANSPORT)
        else ec.EllipticCurvePublicKey,
    )
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    issuer = run(lab.authorities.current("issuing"))
    certificate.verify_directly_issued_by(issuer.certificate)
    assert delegate.chain == run(lab.authorities.chains("issuing", 1))[0]
    assert lab.verify(delegate.certificate, delegate.chain) == "OK"
    stored = run(lab.store.certificate_by_serial(delegate.serial))
    assert stored is not None
    assert (stored.der, stored.status, stored.identity) == (delegate.certificate, CertificateStatus.ISSUED, "ca:issuing")


def test_rfc6960_4_2_2_2_1_a_responder_is_not_looked_up(lab: IssuanceLab) -> None:
    extensions = parsed(run(lab.delegates.current("issuing", Purpose.OCSP)).certificate).extensions
    nocheck = extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert not nocheck.critical
    with pytest.raises(x509.ExtensionNotFound):
        extensions.get_extension_for_class(x509.CRLDistributionPoints)
    other = parsed(run(lab.delegates.current("issuing", Purpose.CMP)).certificate).extensions
    assert other.get_extension_for_class(x509.CRLDistributionPoints)
    with pytest.raises(x509.ExtensionNotFound):
        other.get_extension_for_class(x509.OCSPNoCheck)


def test_subjects_tell_what_it_is(lab: IssuanceLab) -> None:
    def names(purpose: Purpose) -> str:
        return run(lab.delegates.current("issuing", purpose)).subject.rfc4514_string()

    assert names(Purpose.OCSP) == "O=Lab,CN=Lab Issuing OCSP"
    # RFC 6402 section 2.10.
    assert names(Purpose.CMC) == run(lab.authorities.current("issuing")).certificate.subject.rfc4514_string()


def test_a_common_name_is_cut_where_it_must_be(tmp_path: Path) -> None:
    lab = IssuanceLab(tmp_path, {"issuing": CertificateAuthority(subject={"CN": "\N{GREEK SMALL LETTER ALPHA}" * 32})}).make()
    (name,) = run(lab.delegates.current("issuing", Purpose.SCEP_RA)).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert str(name.value) == "\N{GREEK SMALL LETTER ALPHA}" * 28 + " SCEP RA"
    lab.store.close()
    lab = IssuanceLab(tmp_path / "other", {"issuing": CertificateAuthority(subject={"O": "Lab"})})
    lab.make()
    assert run(lab.delegates.current("issuing", Purpose.OCSP)).subject.rfc4514_string() == "CN=OCSP,O=Lab"
    lab.store.close()


def test_it_signs_and_deciphers(lab: IssuanceLab) -> None:
    delegate = run(lab.delegates.current("issuing", Purpose.OCSP))
    signature = run(lab.keys.sign(delegate.reference, b"octets", delegate.hash_name))
    assert isinstance(delegate.public_key, ec.EllipticCurvePublicKey)

    delegate.public_key.verify(signature, b"octets", ec.ECDSA(hashes.SHA256()))


def test_made_once_and_kept(lab: IssuanceLab) -> None:
    first = run(lab.delegates.current("issuing", Purpose.CMP))
    assert run(lab.delegates.current("issuing", Purpose.CMP)) is first
    lab.clock.advance(timedelta(seconds=30))
    assert run(lab.delegates.current("issuing", Purpose.CMP)) is first
    assert run(others(lab).current("issuing", Purpose.CMP)).certificate == first.certificate


def test_several_processes_make_one(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks before the other has recorded, and records after it, finds the other's."""
    generate, made = lab.keys.generate, []

    async def overtaken(reference: str, kind: str) -> bytes:
        monkeypatch.undo()
        made.append(await others(lab).current("issuing", Purpose.OCSP))
        return await generate(reference, kind)

    monkeypatch.setattr(lab.keys, "generate", overtaken)
    mine = run(lab.delegates.current("issuing", Purpose.OCSP))
    assert mine.certificate == made[0].certificate
    assert len(run(lab.store.delegates("issuing", "ocsp"))) == 1


def test_one_that_a_crash_left_unsigned_is_signed(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: Any) -> bytes:
        raise SystemError("killed")

    monkeypatch.setattr(lab.keys, "sign", crash)
    with pytest.raises(SystemError):
        run(lab.delegates.current("issuing", Purpose.KGA))
    monkeypatch.undo()
    (record,) = run(lab.store.delegates("issuing", "kga"))
    assert run(others(lab).current("issuing", Purpose.KGA)).serial == record.serial


def test_renewed_after_two_thirds_of_its_life(lab: IssuanceLab) -> None:
    first = run(lab.delegates.current("issuing", Purpose.OCSP))
    lab.clock.advance(timedelta(days=19))
    assert run(lab.delegates.current("issuing", Purpose.OCSP)) is first
    lab.clock.advance(timedelta(days=2))
    second = run(lab.delegates.current("issuing", Purpose.OCSP))
    assert second.certificate != first.certificate
    assert second.spki != first.spki
    # Who has the first may still use it.
    assert [one.serial for one in run(lab.delegates.all("issuing", Purpose.OCSP))] == [second.serial, first.serial]
    lab.clock.advance(timedelta(days=12))
    assert [one.serial for one in run(lab.delegates.all("issuing", Purpose.OCSP))] == [second.serial]


def test_what_cannot_be_renewed_serves_to_its_end(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(lab.delegates.current("issuing", Purpose.OCSP))
    lab.clock.advance(timedelta(days=25))

    async def full(*_: object) -> bytes:
        raise Refused(Reason.INTERNAL, "keys: file", "no space")

    monkeypatch.setattr(lab.keys, "generate", full)
    assert run(lab.delegates.current("issuing", Purpose.OCSP)) is first
    lab.clock.advance(timedelta(days=6))
    with pytest.raises(Refused):
        run(lab.delegates.current("issuing", Purpose.OCSP))


def test_a_revoked_one_is_replaced(lab: IssuanceLab) -> None:
    first = run(lab.delegates.current("issuing", Purpose.CMP))
    run(lab.revocation.revoke(first.serial, RevocationReason.KEY_COMPROMISE, "operator", NOW))
    lab.clock.advance(timedelta(seconds=6))
    second = run(lab.delegates.current("issuing", Purpose.CMP))
    assert second.serial != first.serial
    assert [one.serial for one in run(lab.delegates.all("issuing", Purpose.CMP))] == [second.serial]


def test_a_rollover_makes_a_new_one_and_leaves_the_old(lab: IssuanceLab) -> None:
    old = run(lab.delegates.current("issuing", Purpose.OCSP))
    run(lab.authorities.rollover("issuing"))
    new = run(lab.delegates.current("issuing", Purpose.OCSP))
    assert (old.generation, new.generation) == (1, 2)
    assert run(lab.delegates.current("issuing", Purpose.OCSP, 1)).serial == old.serial
    parsed(new.certificate).verify_directly_issued_by(run(lab.authorities.current("issuing")).certificate)
    assert [one.serial for one in run(lab.delegates.all("issuing", Purpose.OCSP))] == [new.serial, old.serial]


def test_none_outlives_its_ca(tmp_path: Path) -> None:
    lab = IssuanceLab(tmp_path, {"issuing": CertificateAuthority(subject={"CN": "CA"}, validity="10d")}).make()
    delegate = run(lab.delegates.current("issuing", Purpose.CMP))
    assert delegate.not_after == run(lab.authorities.current("issuing")).not_after
    lab.clock.advance(timedelta(days=9))
    assert run(lab.delegates.current("issuing", Purpose.CMP)) is delegate
    lab.clock.advance(timedelta(days=2))
    with pytest.raises(Refused) as refused:
        run(lab.delegates.current("issuing", Purpose.CMP))
    assert refused.value.reason is Reason.UNAVAILABLE
    lab.store.close()


@pytest.mark.parametrize(("ca", "size"), [("RSA-2048", 2048), ("RSA-3072", 2048)])
def test_an_rsa_ca_has_rsa_delegates(tmp_path: Path, ca: Any, size: int) -> None:
    lab = IssuanceLab(tmp_path, {"issuing": CertificateAuthority(subject={"CN": "CA"}, key=ca)}).make()
    key = run(lab.delegates.current("issuing", Purpose.OCSP)).public_key
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == size
    lab.store.close()


class Lock:
    """Counts who is inside."""

    def __init__(self, inside: list[int]) -> None:
        self.inside = inside

    async def __aenter__(self) -> None:
        self.inside.append(1)

    async def __aexit__(self, *_: object) -> None:
        self.inside.append(-1)


def test_one_of_this_process_makes_it_while_others_wait(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[int] = []
    generate: Callable[[str, str], Any] = lab.keys.generate

    async def watched(reference: str, kind: str) -> bytes:
        assert sum(inside) == 1
        return await generate(reference, kind)  # type: ignore[no-any-return]

    monkeypatch.setattr(lab.keys, "generate", watched)
    delegates = Delegates(lab.store, lab.keys, lab.authorities, lab.clock, SystemEntropy(), lambda: Lock(inside))
    run(delegates.current("issuing", Purpose.OCSP))
    run(delegates.current("issuing", Purpose.OCSP))
    assert inside == [1, -1]
