"""CertReqTemplateContent: what a request to a profile should contain (RFC 9810 section 5.3.19.16, RFC 9483 section 4.3.3)."""

from __future__ import annotations

from cryptography import x509

from privca.cmp.rfc9810 import algorithms
from privca.issuance.profile import Profile, Revisioned, Template
from privca.issuance.template import extended_key_usage_oid, key_usage
from privca.pkix import der, rfc4211
from privca.pkix.rfc5280.names import SHORT_NAMES, attribute

_OIDS = {short: oid for oid, short in SHORT_NAMES.items()}
_RSA_SIZES = (2048, 3072, 4096)


def content(profile: Revisioned) -> bytes:
    """CertReqTemplateContent as DER. What has an empty value is for the client to fill in."""
    return der.tlv(0x30, _template(profile.template), _key_spec(profile.profile))


def _template(template: Template) -> bytes:
    extensions = []
    if template.names:
        extensions.append(_extension(x509.SubjectAlternativeName.oid, b""))
    if template.key_usage:
        usage = key_usage(frozenset(template.key_usage))
        extensions.append(_extension(usage.oid, usage.public_bytes(), critical=True))
    if template.extended_key_usage:
        purposes = x509.ExtendedKeyUsage([extended_key_usage_oid(text) for text in template.extended_key_usage])
        extensions.append(_extension(purposes.oid, purposes.public_bytes()))
    subject = der.tlv(0xA5, _subject(template))
    return der.tlv(0x30, subject, der.tlv(0xA9, *extensions) if extensions else b"")


def _subject(template: Template) -> bytes:
    rdns = []
    for short, rule in template.subject.items():
        if rule.rule == "forbidden" or rule.source == "first-name":
            continue
        if rule.source == "fixed":
            value = attribute(short, rule.value)
            rdns += [x509.Name([value]).public_bytes()[2:]] if len(value.value) < 100 else []
        else:
            rdns.append(der.tlv(0x31, der.tlv(0x30, der.oid(_OIDS[short]), der.tlv(0x0C, b""))))
    return der.tlv(0x30, *rdns)


def _extension(oid: x509.ObjectIdentifier, value: bytes, *, critical: bool = False) -> bytes:
    return der.tlv(0x30, der.oid(oid), b"\x01\x01\xff" if critical else b"", der.tlv(0x04, value))


def _key_spec(profile: Profile) -> bytes:
    """keySpec: a control for each kind of key, for RSA one for each usual size."""
    controls = []
    for kind in profile.keys:
        if kind == "RSA":
            sizes = [size for size in _RSA_SIZES if profile.rsa_minimum <= size <= profile.rsa_maximum]
            controls += [der.tlv(0x30, der.oid(rfc4211.RSA_KEY_LEN), der.integer(size)) for size in sizes]
        else:
            controls.append(der.tlv(0x30, der.oid(rfc4211.ALG_ID), algorithms.KEYS[kind]))
    return der.tlv(0x30, *controls)
