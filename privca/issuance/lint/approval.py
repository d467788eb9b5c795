"""What was approved is what will be signed: each field and extension against the decision and the template."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from privca.base.names import NameKind
from privca.issuance.approved import Approved
from privca.issuance.ca_key import SigningKey
from privca.issuance.lint.reading import Reading
from privca.issuance.profile import ExtraExtension
from privca.issuance.template import PLACED, extended_key_usage_oid, fitting_key_usage
from privca.pkix import der

_USAGES = {
    "digitalSignature": "digital_signature",
    "contentCommitment": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}
_KINDS: dict[type[x509.GeneralName], NameKind] = {
    x509.DNSName: NameKind.DNS,
    x509.IPAddress: NameKind.IP,
    x509.RFC822Name: NameKind.EMAIL,
    x509.UniformResourceIdentifier: NameKind.URI,
}


def serial_is_the_recorded_one(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """The serial number is the one that was chosen."""
    return None if bytes(reading.raw.serial.data) == approved.serial else "another serial number than was chosen"


def subject_is_the_approved_one(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """The subject is the approved one, octet by octet."""
    return None if der.encode(reading.raw.subject) == approved.subject.public_bytes() else "another subject than was approved"


def key_is_the_approved_one(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """The key is the one of the request, octet by octet."""
    return None if der.encode(reading.raw.spki) == approved.spki else "another public key than was approved"


def subject_key_identifier_is_the_keys(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """The subject key identifier is present and names the key."""
    value = reading.value(x509.SubjectKeyIdentifier)
    return (
        None
        if value is not None and value.digest == approved.key_identifier
        else "the subject key identifier is not that of the key"
    )


def validity_is_the_approved_one(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """Both times are those approved, in order, and no further apart than allowed."""
    begin, end = reading.certificate.not_valid_before_utc, reading.certificate.not_valid_after_utc
    if begin != approved.window.not_before or end != approved.window.not_after:
        return "another validity than was approved"
    return None if begin < end and end - begin <= approved.longest else "the validity is empty or too long"


def names_are_the_approved_ones(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """Compared as text and in order, without the code that encoded them."""
    value = reading.value(x509.SubjectAlternativeName)
    found = [] if value is None else [(_KINDS.get(type(name)), _text(name)) for name in value]
    return None if found == [(name.kind, name.value) for name in approved.names] else "other names than were approved"


def _text(name: x509.GeneralName) -> str:
    value = name.value
    return str(value) if isinstance(value, str | ipaddress.IPv4Address | ipaddress.IPv6Address) else ""


def basic_constraints_are_as_approved(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """BasicConstraints says CA for CAs alone, with their path length."""
    value = reading.value(x509.BasicConstraints)
    if value is None or value.ca != (approved.template is None):
        return "basicConstraints says something else than was approved about cA"
    return None if value.path_length == approved.path_length else "another path length than was approved"


def key_usage_is_the_templates(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """What the template gives as far as the kind of key can serve it; for a CA what a CA needs."""
    template = approved.template
    wanted = (
        {"keyCertSign", "cRLSign", "digitalSignature"} | ({"keyEncipherment"} if approved.key_encipherment else set())
        if template is None
        else fitting_key_usage(template.key_usage, approved.kind)
    )
    value = reading.value(x509.KeyUsage)
    found = set() if value is None else {name for name, field in _USAGES.items() if getattr(value, field)}
    return None if found == wanted else "another key usage than the template gives"


def extended_key_usage_is_the_templates(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """Those of the template, in its order; none for a CA."""
    wanted = [] if approved.template is None else [extended_key_usage_oid(text) for text in approved.template.extended_key_usage]
    value = reading.value(x509.ExtendedKeyUsage)
    return None if ([] if value is None else list(value)) == wanted else "another extended key usage than the template gives"


def policies_are_the_templates(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """Those of the template, in its order; none for a CA."""
    value = reading.value(x509.CertificatePolicies)
    found = () if value is None else tuple(policy.policy_identifier.dotted_string for policy in value)
    return (
        None
        if found == (() if approved.template is None else approved.template.policies)
        else "other policies than the template gives"
    )


def tls_feature_is_the_approved_one(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """status_request where it was approved, no other feature ever."""
    value = reading.value(x509.TLSFeature)
    found = [] if value is None else list(value)
    return (
        None
        if found == ([x509.TLSFeatureType.status_request] if approved.must_staple else [])
        else "another TLS feature than was approved"
    )


def publication_is_the_signers(reading: Reading, approved: Approved, signer: SigningKey) -> str | None:
    """CRL, CA certificate and OCSP responder are pointed to where the key that signs has them published."""
    template, facts = approved.template, signer.facts_of(approved.serial)
    # A certificate that a root gives its own name and key needs no CRL and no pointer to itself.
    published = approved.spki != signer.spki
    crl_url = facts.crl_url if published and (template is None or template.crl_url) else ""
    ca_url = facts.ca_url if published and (template is None or template.ca_url) else ""
    ocsp_url = facts.ocsp_url if published and (template is None or template.ocsp_url) else ""
    points, access = reading.value(x509.CRLDistributionPoints), reading.value(x509.AuthorityInformationAccess)
    found_crl = [] if points is None else [name.value for point in points for name in point.full_name or ()]
    found_ca = [] if access is None else [(item.access_method, item.access_location.value) for item in access]
    if found_crl != ([crl_url] if crl_url else []):
        return "another CRL distribution point than that of the CA"
    methods = ((AuthorityInformationAccessOID.OCSP, ocsp_url), (AuthorityInformationAccessOID.CA_ISSUERS, ca_url))
    if found_ca != [(method, url) for method, url in methods if url]:
        return "another authority information access than that of the CA"
    return None


def other_extensions_are_the_templates(reading: Reading, approved: Approved, _: SigningKey) -> str | None:
    """Extensions that are not placed by a key of their own: exactly those that the template lists, octet by octet."""
    wanted = {} if approved.template is None else _extra(approved.template.extensions)
    found = {oid.dotted_string: (item.critical, item.value) for oid, item in reading.extensions.items() if oid not in PLACED}
    return None if found == wanted else "other extensions than the template gives"


@lru_cache(maxsize=256)
def _extra(extensions: tuple[ExtraExtension, ...]) -> dict[str, tuple[bool, bytes]]:
    return {extra.oid: (extra.critical, bytes.fromhex(extra.value)) for extra in extensions}


RULES = (
    ("RFC 5280 section 4.1.2.2", serial_is_the_recorded_one),
    ("RFC 5280 section 4.1.2.6", subject_is_the_approved_one),
    ("RFC 5280 section 4.1.2.7", key_is_the_approved_one),
    ("RFC 5280 section 4.2.1.2", subject_key_identifier_is_the_keys),
    ("RFC 5280 section 4.1.2.5", validity_is_the_approved_one),
    ("RFC 5280 section 4.2.1.6", names_are_the_approved_ones),
    ("RFC 5280 section 4.2.1.9", basic_constraints_are_as_approved),
    ("RFC 5280 section 4.2.1.3", key_usage_is_the_templates),
    ("RFC 5280 section 4.2.1.12", extended_key_usage_is_the_templates),
    ("RFC 5280 section 4.2.1.4", policies_are_the_templates),
    ("RFC 7633 section 4.1", tls_feature_is_the_approved_one),
    ("RFC 5280 section 4.2.1.13", publication_is_the_signers),
    ("RFC 5280 section 4.2", other_extensions_are_the_templates),
)
