"""From facts to the subject and extensions of a certificate, as the profile's template says (RFC 5280 sections 4.1.2.6 and 4.2).

All that does not depend on the request is made once per template revision and CA key; a request adds subject, names and key identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID

from privca.base.names import Name, NameKind
from privca.base.refused import Reason, Refused
from privca.issuance.ca_key import IssuerFacts
from privca.issuance.profile import SubjectRule, Template
from privca.pkix.rfc5280.names import SHORT_NAMES, attribute, attributes_of, subject_alternative_name

Extensions = list[x509.Extension[x509.ExtensionType]]

EXTENDED_KEY_USAGES: dict[str, x509.ObjectIdentifier] = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timeStamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
    "cmcCA": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.27"),
    "cmcRA": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.28"),
    "cmKGA": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.32"),
}
"""Extended key usages that a template may call by name (RFC 5280 section 4.2.1.12, RFC 6402 section 2.10, RFC 9480 section 2.2)."""

_SIGNING = frozenset({"digitalSignature", "contentCommitment"})
_FITTING: dict[str, frozenset[str]] = {
    "RSA": _SIGNING | {"keyEncipherment", "dataEncipherment"},  # RFC 3279 section 2.3.1
    "P-256": _SIGNING | {"keyAgreement"},  # RFC 8813 section 3
    "P-384": _SIGNING | {"keyAgreement"},
    "P-521": _SIGNING | {"keyAgreement"},
    "X25519": frozenset({"keyAgreement"}),  # RFC 8410 section 5
    "ML-KEM-768": frozenset({"keyEncipherment"}),  # RFC 9935 section 5
    "ML-KEM-1024": frozenset({"keyEncipherment"}),
}

PLACED = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.TLS_FEATURE,
    }
)
"""Extensions that the template places by its own keys, so never by ``extensions``."""
_ALWAYS_PLACED = PLACED - {ExtensionOID.TLS_FEATURE}


def fitting_key_usage(wanted: Sequence[str], kind: str) -> frozenset[str]:
    """The key usages of a template that a key of this kind can serve (RFC 3279, RFC 8813, RFC 9295, RFC 9881)."""
    return frozenset(wanted) & _FITTING.get(kind, _SIGNING)


def key_usage(usages: frozenset[str], *, ca: bool = False) -> x509.KeyUsage:
    """The keyUsage extension for these names of bits; ``ca`` adds keyCertSign and cRLSign."""
    return x509.KeyUsage(
        digital_signature="digitalSignature" in usages,
        content_commitment="contentCommitment" in usages,
        key_encipherment="keyEncipherment" in usages,
        data_encipherment="dataEncipherment" in usages,
        key_agreement="keyAgreement" in usages,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def extended_key_usage_oid(text: str) -> x509.ObjectIdentifier:
    """The OID of an extended key usage that is given by name or dotted. :raises ValueError:"""
    return EXTENDED_KEY_USAGES.get(text) or object_identifier(text)


def object_identifier(text: str) -> x509.ObjectIdentifier:
    """A dotted OID. :raises ValueError: that says so."""
    try:
        return x509.ObjectIdentifier(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an OID, as '1.3.6.1.5.5.7.3.1'") from None


def extension(value: x509.ExtensionType, *, critical: bool = False) -> x509.Extension[x509.ExtensionType]:
    """An extension with its value's own OID."""
    return x509.Extension(value.oid, critical, value)


def publication(crl_url: str, ca_url: str, ocsp_url: str = "") -> Extensions:
    """CRL distribution point and authority information access for these URLs; an empty URL makes none."""
    found: Extensions = []
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        found.append(extension(x509.CRLDistributionPoints([point])))
    methods = ((AuthorityInformationAccessOID.OCSP, ocsp_url), (AuthorityInformationAccessOID.CA_ISSUERS, ca_url))
    access = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in methods if url]
    if access:
        found.append(extension(x509.AuthorityInformationAccess(access)))
    return found


class CertificateTemplate:
    """One template, compiled. :raises ValueError: for an OID or hex value that is none."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._usages = [extended_key_usage_oid(text) for text in template.extended_key_usage]
        self._policies = [x509.PolicyInformation(object_identifier(oid), None) for oid in template.policies]
        self._extra: Extensions = [
            extension(
                x509.UnrecognizedExtension(object_identifier(extra.oid), bytes.fromhex(extra.value)), critical=extra.critical
            )
            for extra in template.extensions
        ]
        self._fixed: dict[tuple[IssuerFacts, str], Extensions] = {}

    def subject(self, requested: x509.Name, names: Sequence[Name]) -> x509.Name:
        """The subject for a request with this subject and these names. :raises Refused: ``BAD_CSR``."""
        rules = self._template.subject
        if not rules and self._template.subject_other == "drop":
            return x509.Name([])
        asked = attributes_of(requested)
        found: list[x509.NameAttribute[str | bytes]] = []
        for short, rule in rules.items():
            found += [_attribute(short, value) for value in _values(short, rule, asked, names)]
        for (short, value), item in zip(asked, requested, strict=True):
            if short in rules or self._template.subject_other == "drop":
                continue
            if self._template.subject_other == "refuse":
                raise Refused(
                    Reason.BAD_CSR, "profile: template.subject_other", f"subject attribute {short} is not in the template"
                )
            found.append(_attribute(short, value) if item.oid in SHORT_NAMES else item)
        return x509.Name(found)

    def must_staple(self, requested: Iterable[x509.Extension[x509.ExtensionType]]) -> bool:
        """Judge the extensions that a request asks for; whether the certificate gets the TLS feature status_request (RFC 7633).

        :raises Refused: ``BAD_CSR`` for CA rights, and for extensions that are neither placed by the template nor to be ignored.
        """
        stapling = self._template.must_staple
        wanted = stapling == "always"
        for asked in requested:
            value = asked.value
            if isinstance(value, x509.BasicConstraints) and value.ca:
                raise Refused(
                    Reason.BAD_CSR, "RFC 5280 section 4.2.1.9", "the request is for a CA certificate (basicConstraints cA)"
                )
            if isinstance(value, x509.KeyUsage) and (value.key_cert_sign or value.crl_sign):
                raise Refused(
                    Reason.BAD_CSR, "RFC 5280 section 4.2.1.3", "the request is for a CA certificate (keyCertSign or cRLSign)"
                )
            if isinstance(value, x509.TLSFeature) and stapling != "never":
                wanted = wanted or x509.TLSFeatureType.status_request in value
            elif asked.oid not in _ALWAYS_PLACED:
                self._refuse_unplaced(asked)
        return wanted

    def _refuse_unplaced(self, asked: x509.Extension[x509.ExtensionType]) -> None:
        if asked.critical or self._template.requested_extensions == "refuse":
            raise Refused(
                Reason.UNACCEPTED_EXTENSION,
                "RFC 5280 section 4.2" if asked.critical else "profile: template.requested_extensions",
                "the request asks for an extension that this profile does not certify"
                + (", as critical" if asked.critical else ""),
                got=asked.oid.dotted_string,
            )

    def extensions(
        self,
        issuer: IssuerFacts,
        kind: str,
        key_identifier: bytes,
        names: Sequence[Name],
        *,
        empty_subject: bool,
        must_staple: bool,
    ) -> Extensions:
        """All extensions of a certificate for a key of this kind. :raises Refused: ``BAD_PUBLIC_KEY`` if no key usage fits it."""
        fixed = self._fixed.get((issuer, kind))
        if fixed is None:
            fixed = self._fixed[issuer, kind] = self._make_fixed(issuer, kind)
        found = [*fixed, extension(x509.SubjectKeyIdentifier(key_identifier))]
        if names:
            # RFC 5280 section 4.2.1.6: critical if the subject is empty, and only then.
            found.append(extension(subject_alternative_name(names), critical=empty_subject))
        if must_staple:
            found.append(extension(x509.TLSFeature([x509.TLSFeatureType.status_request])))
        return found

    def _make_fixed(self, issuer: IssuerFacts, kind: str) -> Extensions:
        template = self._template
        found = [extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)]
        usages = fitting_key_usage(template.key_usage, kind)
        if usages:
            found.append(extension(key_usage(usages), critical=True))
        elif template.key_usage:
            raise Refused(
                Reason.BAD_PUBLIC_KEY,
                "profile: template.key_usage",
                "a key of this kind serves none of the key usages of this profile",
                expected=", ".join(template.key_usage),
                got=kind,
            )
        if self._usages:
            found.append(extension(x509.ExtendedKeyUsage(self._usages)))
        found.append(extension(x509.AuthorityKeyIdentifier(issuer.key_identifier, None, None)))
        found += publication(
            issuer.crl_url if template.crl_url else "",
            issuer.ca_url if template.ca_url else "",
            issuer.ocsp_url if template.ocsp_url else "",
        )
        if self._policies:
            found.append(extension(x509.CertificatePolicies(self._policies)))
        # Encoded once, here, and not again for every certificate.
        return [x509.Extension(item.oid, item.critical, _encoded(item.value)) for item in found] + self._extra


def _encoded(value: x509.ExtensionType) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(value.oid, value.public_bytes())


def _values(short: str, rule: SubjectRule, asked: Sequence[tuple[str, str]], names: Sequence[Name]) -> list[str]:
    """The values of one attribute of a subject."""
    requested = [value for known, value in asked if known == short]
    if rule.rule == "forbidden":
        if requested:
            raise Refused(Reason.BAD_CSR, f"profile: template.subject.{short}", f"subject attribute {short} is forbidden")
        return []
    if rule.source == "fixed":
        return [rule.value]
    if rule.source == "first-name":
        # Never an IP address: clients take a commonName for a DNS name (certbot 5.8 refuses the certificate that it has just got).
        hosts = (name.value for name in names if name.kind is NameKind.DNS and len(name.value) <= 64)
        found = list(hosts)[:1]
    else:
        found = requested
    if rule.rule == "required" and not found:
        raise Refused(Reason.BAD_CSR, f"profile: template.subject.{short}", f"subject attribute {short} is required")
    return found


def _attribute(short: str, value: str) -> x509.NameAttribute[str | bytes]:
    try:
        return attribute(short, value)
    except Refused as refused:
        raise Refused(Reason.BAD_CSR, refused.clause, refused.detail, expected=refused.expected, got=refused.got) from None
