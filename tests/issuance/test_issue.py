from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from privca.base.names import dns_name, email_name, ip_name, uri_name
from privca.base.refused import Reason, Refused
from privca.issuance.ports import Certificate, CertificateStatus, RevocationReason
from privca.issuance.profile import CertificateAuthority, ExtraExtension, Names, SubjectRule, Template
from tests.support.issuance_lab import NOW, IssuanceLab, csr, profile, run

WWW = dns_name("www.example.test")


def loaded(record: Certificate) -> x509.Certificate:
    assert record.der is not None
    return x509.load_der_x509_certificate(record.der)


def test_a_certificate_is_recorded_signed_and_accepted_by_openssl(lab: IssuanceLab) -> None:
    request = csr([WWW])
    record = lab.issue(profile(revision=7), csr=request)
    assert run(lab.store.certificate_by_serial(record.serial)) == record
    assert (record.status, record.authority, record.generation) == (CertificateStatus.ISSUED, "issuing", 1)
    assert (record.profile_id, record.profile_revision, record.protocol, record.identity) == ("lab", 7, "acme", "acme:1")
    assert record.spki_sha256 == hashlib.sha256(request.spki).digest()
    certificate = loaded(record)
    assert certificate.tbs_certificate_bytes == record.tbs
    assert certificate.serial_number.to_bytes(20, "big") == record.serial
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (record.not_before, record.not_after)
    assert record.not_before == NOW - timedelta(minutes=1)
    # Both ends count (RFC 5280 section 4.1.2.5): 90 days to the second.
    assert record.not_after - record.not_before == timedelta(days=90, seconds=-1)
    (chain,) = run(lab.authorities.chains("issuing", 1))
    assert record.der is not None
    assert lab.verify(record.der, chain, "-purpose", "sslserver", "-verify_hostname", "www.example.test") == "OK"


def test_serial_numbers_are_20_octets_positive_and_random(lab: IssuanceLab) -> None:
    serials = {lab.issue(profile(), request_id=str(number)).serial for number in range(20)}
    assert len(serials) == 20
    assert all(len(serial) == 20 and 0x40 <= serial[0] < 0x80 for serial in serials)


def test_a_request_is_answered_once(lab: IssuanceLab) -> None:
    first = lab.issue(profile())
    assert lab.issue(profile(), [dns_name("other.example.test")]) == first
    assert lab.issue(profile(), request_id="2") != first


def test_a_request_that_was_recorded_and_not_signed_is_signed_from_its_record(lab: IssuanceLab) -> None:
    async def lost(*_: object) -> bytes:
        raise ConnectionError("the process died here")

    sign, lab.keys.sign = lab.keys.sign, lost  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        lab.issue(profile())
    prepared = run(lab.store.certificate_by_request("lab", "1"))
    assert prepared is not None
    assert (prepared.status, prepared.der) == (CertificateStatus.PREPARED, None)
    lab.keys.sign = sign  # type: ignore[method-assign]
    # Even after a rollover: by the key that the record names.
    run(lab.authorities.rollover("issuing"))
    record = lab.issue(profile())
    assert (record.serial, record.tbs, record.status) == (prepared.serial, prepared.tbs, CertificateStatus.ISSUED)
    loaded(record).verify_directly_issued_by(run(lab.authorities.generation("issuing", 1)).certificate)


def test_what_two_sign_at_once_is_one_certificate(lab: IssuanceLab) -> None:
    sign = lab.keys.sign
    first: list[Certificate | None] = []

    async def slow(reference: str, message: bytes, hash_name: str) -> bytes:
        lab.keys.sign = sign  # type: ignore[method-assign]
        first.append(run(lab.issuer.answered("lab", "1")))
        return await sign(reference, message, hash_name)

    lab.keys.sign = slow  # type: ignore[method-assign]
    assert [lab.issue(profile())] == first


def test_a_certificate_that_was_revoked_before_it_was_signed_is_not_signed(lab: IssuanceLab) -> None:
    async def lost(*_: object) -> bytes:
        raise ConnectionError("the process died here")

    sign, lab.keys.sign = lab.keys.sign, lost  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        lab.issue(profile())
    lab.keys.sign = sign  # type: ignore[method-assign]
    prepared = run(lab.store.certificate_by_request("lab", "1"))
    assert prepared is not None
    run(lab.revocation.revoke(prepared.serial, RevocationReason.UNSPECIFIED, "operator:test", NOW))
    with pytest.raises(Refused) as refused:
        lab.issue(profile())
    assert refused.value.reason is Reason.WRONG_STATE


def test_names_of_every_kind(lab: IssuanceLab) -> None:
    names = [WWW, ip_name("192.0.2.1"), ip_name("2001:db8::1"), email_name("a@example.test"), uri_name("https://example.test/a")]
    record = lab.issue(profile(Template(names=("dns", "ip", "email", "uri"))), names)
    assert record.names == tuple(names)
    alternative = loaded(record).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert alternative.critical  # the subject is empty
    assert [str(name.value) for name in alternative.value] == [name.value for name in names]


@pytest.mark.parametrize(
    ("key", "wanted", "found"),
    [
        (
            ec.generate_private_key(ec.SECP384R1()),
            ("digitalSignature", "keyEncipherment", "keyAgreement"),
            {"digital_signature", "key_agreement"},
        ),
        (
            rsa.generate_private_key(65537, 2048),
            ("digitalSignature", "keyEncipherment", "keyAgreement"),
            {"digital_signature", "key_encipherment"},
        ),
        (ed25519.Ed25519PrivateKey.generate(), ("digitalSignature", "keyEncipherment", "keyAgreement"), {"digital_signature"}),
    ],
)
def test_key_usage_fits_the_key(lab: IssuanceLab, key: object, wanted: tuple[str, ...], found: set[str]) -> None:
    record = lab.issue(profile(Template(key_usage=wanted)), csr=csr([WWW], key=key))  # type: ignore[arg-type]
    usage = loaded(record).extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    bits = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
    )
    assert {bit for bit in bits if getattr(usage.value, bit)} == found


def test_a_key_that_serves_no_key_usage_of_the_template_is_refused(lab: IssuanceLab) -> None:
    with pytest.raises(Refused) as refused:
        lab.issue(profile(Template(key_usage=("keyEncipherment",))))
    assert (refused.value.reason, refused.value.clause) == (Reason.BAD_PUBLIC_KEY, "profile: template.key_usage")


@pytest.mark.parametrize(
    ("keys", "key", "clause"),
    [
        ({"keys": ("RSA",)}, ec.generate_private_key(ec.SECP256R1()), "profile: keys"),
        ({"keys": ("P-256",)}, ec.generate_private_key(ec.SECP384R1()), "profile: keys"),
        ({"rsa_minimum": 3072}, rsa.generate_private_key(65537, 2048), "profile: rsa_minimum"),
        ({"rsa_maximum": 2047}, rsa.generate_private_key(65537, 2048), "profile: rsa_maximum"),
    ],
)
def test_key_policy(lab: IssuanceLab, keys: dict[str, object], key: object, clause: str) -> None:
    with pytest.raises(Refused) as refused:
        lab.issue(profile(**keys), csr=csr([WWW], key=key))
    assert (refused.value.reason, refused.value.clause) == (Reason.BAD_PUBLIC_KEY, clause)
    assert run(lab.store.certificate_by_request("lab", "1")) is None


def test_extensions_of_the_template(lab: IssuanceLab) -> None:
    template = Template(
        extended_key_usage=("serverAuth", "clientAuth", "1.3.6.1.4.1.99999.1", "cmcRA"),
        policies=("1.3.6.1.4.1.99999.2",),
        extensions=(ExtraExtension(oid="1.3.6.1.4.1.99999.3", value="0500", critical=True),),
        must_staple="always",
        crl_url=False,
    )
    found = loaded(lab.issue(profile(template))).extensions
    usages = [usage.dotted_string for usage in found.get_extension_for_class(x509.ExtendedKeyUsage).value]
    assert usages == ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.99999.1", "1.3.6.1.5.5.7.3.28"]
    assert (
        found.get_extension_for_class(x509.CertificatePolicies).value[0].policy_identifier.dotted_string == "1.3.6.1.4.1.99999.2"
    )
    extra = found.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.99999.3"))
    assert (extra.critical, extra.value.public_bytes()) == (True, b"\x05\x00")
    assert list(found.get_extension_for_class(x509.TLSFeature).value) == [x509.TLSFeatureType.status_request]
    with pytest.raises(x509.ExtensionNotFound):
        found.get_extension_for_class(x509.CRLDistributionPoints)


STAPLE = (x509.TLSFeature([x509.TLSFeatureType.status_request]), False)


@pytest.mark.parametrize(
    ("rule", "asked", "stapled"), [("on-request", True, True), ("on-request", False, False), ("never", True, False)]
)
def test_must_staple(lab: IssuanceLab, rule: str, asked: bool, stapled: bool) -> None:
    template = Template(must_staple=rule)  # type: ignore[arg-type]
    record = lab.issue(profile(template), csr=csr([WWW], extensions=[STAPLE] if asked else []))
    assert any(item.oid == x509.TLSFeature.oid for item in loaded(record).extensions) == stapled


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.9"), b"\x05\x00")
OWN_USAGE = x509.KeyUsage(True, False, True, False, False, False, False, False, False)
CA_USAGE = x509.KeyUsage(True, False, False, False, False, True, False, False, False)


@pytest.mark.parametrize(
    ("asked", "rule", "clause"),
    [
        ((UNKNOWN, False), "ignore", None),
        ((UNKNOWN, True), "ignore", "RFC 5280 section 4.2"),
        ((UNKNOWN, False), "refuse", "profile: template.requested_extensions"),
        ((OWN_USAGE, True), "refuse", None),
        ((x509.BasicConstraints(False, None), True), "refuse", None),
        ((x509.BasicConstraints(True, None), True), "ignore", "RFC 5280 section 4.2.1.9"),
        ((CA_USAGE, True), "ignore", "RFC 5280 section 4.2.1.3"),
    ],
)
def test_requested_extensions(lab: IssuanceLab, asked: tuple[x509.ExtensionType, bool], rule: str, clause: str | None) -> None:
    template = Template(requested_extensions=rule)  # type: ignore[arg-type]
    request = csr([WWW], extensions=[asked])
    if clause is None:
        constraints = loaded(lab.issue(profile(template), csr=request)).extensions.get_extension_for_class(x509.BasicConstraints)
        assert not constraints.value.ca
    else:
        with pytest.raises(Refused) as refused:
            lab.issue(profile(template), csr=request)
        certifies_ca = refused.value.clause.startswith("RFC 5280 section 4.2.1")
        reason = Reason.BAD_CSR if certifies_ca else Reason.UNACCEPTED_EXTENSION
        assert (refused.value.reason, refused.value.clause) == (reason, clause)


ORG, OU, CN = NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME
TITLE = NameOID.TITLE


@pytest.mark.parametrize(
    ("rules", "other", "asked", "subject"),
    [
        ({}, "drop", [(ORG, "Lab")], ""),
        ({"O": SubjectRule()}, "drop", [(ORG, "Lab"), (OU, "A")], "O=Lab"),
        ({"OU": SubjectRule()}, "drop", [(OU, "A"), (OU, "B")], "OU=B,OU=A"),
        ({"O": SubjectRule(source="fixed", value="Ours")}, "drop", [(ORG, "Theirs")], "O=Ours"),
        ({"CN": SubjectRule(source="first-name")}, "drop", [(CN, "x")], "CN=www.example.test"),
        ({"O": SubjectRule()}, "copy", [(OU, "A"), (TITLE, "T")], "2.5.4.12=T,OU=A"),
        ({}, "refuse", [], ""),
        ({}, "refuse", [(ORG, "Lab")], None),
        ({"O": SubjectRule(rule="required")}, "drop", [], None),
        ({"O": SubjectRule(rule="forbidden")}, "drop", [(ORG, "Lab")], None),
        ({"O": SubjectRule(rule="forbidden")}, "drop", [], ""),
    ],
)
def test_subject(
    lab: IssuanceLab,
    rules: dict[str, SubjectRule],
    other: str,
    asked: list[tuple[x509.ObjectIdentifier, str]],
    subject: str | None,
) -> None:
    settings = profile(Template(subject=rules, subject_other=other))  # type: ignore[arg-type]
    request = csr([WWW], subject=asked)
    if subject is None:
        with pytest.raises(Refused) as refused:
            lab.issue(settings, [WWW], csr=request)
        assert refused.value.reason is Reason.BAD_CSR
        assert refused.value.clause.startswith("profile: template.subject")
        return
    certificate = loaded(lab.issue(settings, [WWW], csr=request))
    assert certificate.subject.rfc4514_string() == subject
    # RFC 5280 section 4.2.1.6: critical if the subject is empty, and only then.
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical == (not subject)


def test_first_name_is_left_out_where_it_does_not_fit(lab: IssuanceLab) -> None:
    long = dns_name("a" * 60 + ".example.test")
    rule = SubjectRule(source="first-name")
    assert lab.issue(profile(Template(subject={"CN": rule})), [long]).subject == ""
    assert (
        lab.issue(profile(Template(subject={"CN": rule}), revision=2), [long, WWW], request_id="2").subject
        == "CN=www.example.test"
    )


def test_first_name_is_never_an_address(lab: IssuanceLab) -> None:
    address = ip_name("192.0.2.1")
    settings = profile(Template(subject={"CN": SubjectRule(source="first-name")}))
    assert lab.issue(settings, [address]).subject == ""
    assert lab.issue(settings, [address, WWW], request_id="2").subject == "CN=www.example.test"


def test_a_mail_address_in_the_subject_stands_in_the_names_too(lab: IssuanceLab) -> None:
    """RFC 5280 section 4.1.2.6: rfc822Name is what describes it."""
    settings = profile(Template(subject={"emailAddress": SubjectRule()}, names=("dns", "email")))
    asked = [(NameOID.EMAIL_ADDRESS, "a@Mail.test")]
    names = [WWW, email_name("a@mail.test")]
    assert "a@Mail.test" in lab.issue(settings, names, csr=csr(names, subject=asked)).subject
    with pytest.raises(Refused) as refused:
        lab.issue(settings, [WWW], "2", csr=csr([WWW], subject=asked))
    assert (refused.value.reason, refused.value.clause) == (Reason.BAD_CSR, "RFC 5280 section 4.1.2.6")


def test_neither_subject_nor_names(lab: IssuanceLab) -> None:
    with pytest.raises(Refused) as refused:
        lab.issue(profile(Template(names_required=False)), [])
    assert (refused.value.reason, refused.value.clause) == (Reason.BAD_CSR, "RFC 5280 section 4.1.2.6")


def test_the_name_policy_is_applied(lab: IssuanceLab) -> None:
    settings = profile(Template(subject={"CN": SubjectRule()}), names=Names(excluded_dns=("bad.test",)))
    for name, request in ((dns_name("a.bad.test"), csr()), (WWW, csr(subject=[(CN, "a.bad.test")]))):
        with pytest.raises(Refused):
            lab.issue(settings, [name], csr=request)
    assert run(lab.store.certificate_by_request("lab", "1")) is None


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("begin", "end", "clause"),
    [
        (None, 30 * DAY, None),
        (timedelta(0), 90 * DAY, None),
        (DAY, None, None),
        (timedelta(seconds=-60), None, None),
        (timedelta(seconds=-61), None, "profile: backdate"),
        (91 * DAY, None, "profile: validity"),
        (2 * DAY, DAY, "RFC 5280 section 4.1.2.5"),
        (2 * DAY, 2 * DAY, "RFC 5280 section 4.1.2.5"),
        (None, timedelta(0), "RFC 5280 section 4.1.2.5"),
        (None, -DAY, "RFC 5280 section 4.1.2.5"),
        (None, 91 * DAY, "profile: validity"),
        (None, 6 * 365 * DAY, "RFC 5280 section 6.1.3"),
    ],
)
def test_wishes_for_validity(lab: IssuanceLab, begin: timedelta | None, end: timedelta | None, clause: str | None) -> None:
    wishes = {"not_before": None if begin is None else NOW + begin, "not_after": None if end is None else NOW + end}
    if clause is not None:
        with pytest.raises(Refused) as refused:
            lab.issue(profile(), **wishes)
        assert (refused.value.reason, refused.value.clause) == (Reason.BAD_VALIDITY, clause)
        return
    record = lab.issue(profile(), **wishes)
    assert record.not_before == (wishes["not_before"] or NOW - timedelta(minutes=1))
    assert record.not_after == (wishes["not_after"] or record.not_before + 90 * DAY - timedelta(seconds=1))


def test_what_was_no_backdating_when_it_was_accepted_is_none_later(lab: IssuanceLab) -> None:
    lab.clock.advance(DAY)
    assert lab.issue(profile(), not_before=NOW, asked=NOW).not_before == NOW
    with pytest.raises(Refused) as refused:
        lab.issue(profile(), request_id="2", not_before=NOW - 2 * DAY, asked=NOW)
    assert refused.value.clause == "profile: backdate"


def test_no_certificate_outlives_its_ca(lab: IssuanceLab) -> None:
    end = run(lab.authorities.current("issuing")).not_after
    lab.clock.advance(end - NOW - 10 * DAY)
    assert lab.issue(profile()).not_after == end
    lab.clock.advance(10 * DAY)
    with pytest.raises(Refused) as refused:
        lab.issue(profile(), request_id="2")
    assert refused.value.reason is Reason.UNAVAILABLE


def test_times_from_2050_on_are_generalized(tmp_path: Path) -> None:
    lab = IssuanceLab(tmp_path, {"issuing": CertificateAuthority(subject={"CN": "Root"}, validity="30y")}).make()
    record = lab.issue(profile(validity="25y"))
    assert b"\x17\x0d260102030305Z\x18\x0f20501227030304Z" in record.tbs
    lab.store.close()


def test_a_new_revision_has_new_rules(lab: IssuanceLab) -> None:
    lab.issue(profile(), request_id="1")
    with pytest.raises(Refused):
        lab.issue(profile(names=Names(excluded_dns=("example.test",)), revision=2), request_id="2")


def test_a_serial_number_that_is_taken_is_not_given_again(lab: IssuanceLab, monkeypatch: pytest.MonkeyPatch) -> None:
    first = lab.issue(profile(), request_id="1")
    monkeypatch.setattr("privca.issuance.issue.serial_number", lambda entropy: first.serial)
    with pytest.raises(Refused) as refused:
        lab.issue(profile(), request_id="2")
    assert (refused.value.reason, refused.value.retry_after) == (Reason.UNAVAILABLE, 1)
    assert run(lab.store.certificate_by_serial(first.serial)) == first
