"""``/simplereenroll``: a certificate is renewed or rekeyed by who presents it in TLS."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from privca.issuance.ports import RevocationReason
from tests.est.conftest import RA_TEMPLATE, basic, change_subject_name, csr, name, only, refused


def test_the_same_key_is_renewed(lab, key):
    old = lab.enroll(key=key)
    new = x509.load_der_x509_certificate(only(lab.post("simplereenroll", same(old), headers={}, certificate=old.der)))
    assert new.public_key() == old.certificate.public_key()
    assert (new.subject, new.serial_number != old.certificate.serial_number) == (old.certificate.subject, True)


def test_another_key_is_certified_in_its_place(lab):
    old, key = lab.enroll(), ec.generate_private_key(ec.SECP256R1())
    new = x509.load_der_x509_certificate(only(lab.post("simplereenroll", same(old, key=key), headers={}, certificate=old.der)))
    assert new.public_key() == key.public_key()
    assert new.subject == old.certificate.subject


def test_without_a_client_certificate_nothing_is_renewed_whatever_else_is_known(lab, key):
    old = lab.enroll(key=key)
    before = lab.issued()
    refused(lab.post("simplereenroll", same(old)), 403, "RFC 7030 section 4.2.2", "client certificate")
    refused(lab.post("simplereenroll", same(old), headers={}), 403, "RFC 7030 section 4.2.2", "client certificate")
    assert lab.issued() == before


def test_another_subject_is_refused(lab):
    old = lab.enroll()
    before = lab.issued()
    names = names_of(old)
    other = csr(old.key, names, name(("CN", "somebody else")))
    refused(lab.post("simplereenroll", other, headers={}, certificate=old.der), 400, "RFC 7030 section 4.2.2", "subject")
    assert lab.issued() == before


@pytest.mark.parametrize("change", ["another", "one more", "none"])
def test_other_names_are_refused(lab, change):
    old = lab.enroll()
    before = lab.issued()
    names = {"another": ["www.other.test"], "one more": [*names_of(old), "www.other.test"], "none": []}[change]
    request = csr(old.key, names, old.certificate.subject)
    refused(lab.post("simplereenroll", request, headers={}, certificate=old.der), 400, "RFC 7030 section 4.2.2", "subjectAltName")
    assert lab.issued() == before


def test_another_subject_is_refused_even_where_renaming_is_allowed_but_not_asked_for(lab):
    profile = lab.profile(rename=True)
    old = lab.enroll(profile)
    other = csr(old.key, names_of(old), name(("CN", "somebody else")))
    refused(
        lab.post("simplereenroll", other, headers={}, certificate=old.der, profile=profile),
        400,
        "RFC 7030 section 4.2.2",
        "subject",
    )


def test_rfc6402_2_8_change_subject_name_where_the_profile_allows_it(lab):
    profile, wanted = lab.profile(rename=True), lab.name()
    old = lab.enroll(profile)
    request = csr(
        old.key, names_of(old), old.certificate.subject, attributes=[change_subject_name(name(("CN", "new")), [wanted])]
    )
    new = x509.load_der_x509_certificate(
        only(lab.post("simplereenroll", request, headers={}, certificate=old.der, profile=profile))
    )
    assert new.subject == name(("CN", "new"))
    assert new.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [wanted]


def test_rfc6402_2_8_change_subject_name_where_it_does_not(lab):
    old = lab.enroll()
    before = lab.issued()
    request = csr(old.key, names_of(old), old.certificate.subject, attributes=[change_subject_name(name(("CN", "new")))])
    response = lab.post("simplereenroll", request, headers={}, certificate=old.der)
    refused(response, response.status, "profile: rename")
    assert response.status in (400, 403)
    assert lab.issued() == before


@pytest.mark.parametrize(
    "reason", [RevocationReason.KEY_COMPROMISE, RevocationReason.CERTIFICATE_HOLD], ids=["revoked", "on hold"]
)
def test_a_certificate_that_no_longer_counts(lab, reason):
    old = lab.enroll()
    lab.revoke(old, reason)
    before = lab.issued()
    response = lab.post("simplereenroll", same(old), headers={}, certificate=old.der)
    refused(response, 401, "RFC 5280 section 6.1.3", "revoked" if reason is RevocationReason.KEY_COMPROMISE else "on hold")
    assert lab.issued() == before


def test_a_certificate_that_has_expired(own_lab):
    old = own_lab.enroll()
    own_lab.clock.advance(timedelta(days=91))
    before = own_lab.issued()
    response = own_lab.post("simplereenroll", same(old), headers={}, certificate=old.der)
    refused(response, 401, "RFC 5280 section 6.1.3", "expired")
    assert own_lab.issued() == before


def test_a_certificate_is_renewed_in_its_window_alone(own_lab):
    profile = own_lab.profile(renewal_window="30d")
    old = own_lab.enroll(profile)
    early = own_lab.post("simplereenroll", same(old), headers={}, certificate=old.der, profile=profile)
    refused(early, 403, "profile: renewal_window")
    own_lab.clock.advance(timedelta(days=61))
    only(own_lab.post("simplereenroll", same(old), headers={}, certificate=old.der, profile=profile))


def test_a_certificate_of_another_profile(lab):
    old = lab.enroll(lab.profile(validity="80d"))
    before = lab.issued()
    response = lab.post("simplereenroll", same(old), headers={}, certificate=old.der, profile=lab.profile(validity="81d"))
    refused(response, 401, "profile: certificate_profiles")
    assert lab.issued() == before


def test_a_certificate_of_another_ca_that_says_the_same(lab):
    old = lab.enroll()
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = old.certificate
    twin = x509.CertificateBuilder(
        certificate.issuer,
        certificate.subject,
        key.public_key(),
        certificate.serial_number,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        list(certificate.extensions),
    ).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    before = lab.issued()
    response = lab.post("simplereenroll", same(old), headers={}, certificate=twin.public_bytes(Encoding.DER))
    refused(response, 401, "profile: certificate_profiles")
    assert lab.issued() == before


def test_a_profile_that_admits_no_certificates(lab):
    other = lab.profile(authentication=("code",))
    old = lab.enroll(other)
    response = lab.post("simplereenroll", same(old), headers={}, certificate=old.der, profile=other)
    refused(response, 401, "profile: authentication")


def test_octets_that_are_no_certificate(lab, key):
    response = lab.post("simplereenroll", csr(key), headers={}, certificate=b"\x30\x03\x02\x01\x00")
    assert response.status in (400, 401)
    assert b"RFC" in response.body


def test_a_registration_authority_renews_its_own_certificate_as_anybody(lab):
    profile = lab.profile(template=RA_TEMPLATE)
    old = lab.enroll(profile)
    only(lab.post("simplereenroll", same(old), headers={}, certificate=old.der, profile=profile))


def test_a_password_beside_the_certificate_may_be_wrong_no_more_than_anywhere(lab):
    old = lab.enroll()
    only(lab.post("simplereenroll", same(old), headers=basic(), certificate=old.der))
    before = lab.issued()
    response = lab.post("simplereenroll", same(old), headers=basic(password="wrong"), certificate=old.der)
    assert response.status == 401
    assert lab.issued() == before


def same(old, key=None):
    """A CSR for what the certificate has."""
    return csr(key or old.key, names_of(old), old.certificate.subject)


def names_of(old):
    return old.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
