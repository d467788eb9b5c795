"""Keys: how they are identified, what they are for, and whether they are a CA's (RFC 5280 sections 4.2, 4.2.1.1 to 4.2.1.3, 4.2.1.9, 4.2.1.12)."""

from __future__ import annotations

from collections import Counter

from conformance.der import encode
from conformance.pkix.lint import Found, lint
from conformance.pkix.reading import (
    AUTHORITY_KEY,
    BASIC_CONSTRAINTS,
    BIT_STRING,
    CERT_SIGN,
    CRL_SIGN,
    DATA_ENCIPHERMENT,
    DIGITAL_SIGNATURE,
    EXTENDED_KEY_USAGE,
    INTEGER,
    KEY_AGREEMENT,
    KEY_ENCIPHERMENT,
    KEY_USAGE,
    NON_REPUDIATION,
    SUBJECT_DIRECTORY_ATTRIBUTES,
    SUBJECT_KEY,
    USAGE_PERIOD,
    Certificate,
    dotted,
    integer,
)
from conformance.pkix.seen import Seen

_RSA, _PSS, _EC = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.2.1"
_ENCIPHER_ONLY, _DECIPHER_ONLY = 7, 8
_SIGNS = frozenset({DIGITAL_SIGNATURE, NON_REPUDIATION, CERT_SIGN, CRL_SIGN})
_AGREES = frozenset({KEY_AGREEMENT, _ENCIPHER_ONLY, _DECIPHER_ONLY})
_USAGES = {
    _RSA: (_SIGNS | {KEY_ENCIPHERMENT, DATA_ENCIPHERMENT}, "RFC 3279 section 2.3.1"),
    _PSS: (_SIGNS, "RFC 4055 section 1.2"),
    _EC: (_SIGNS | _AGREES, "RFC 8813 section 3"),
    **{f"1.3.101.{arc}": (_AGREES, "RFC 8410 section 5") for arc in (110, 111)},
    **{f"1.3.101.{arc}": (_SIGNS, "RFC 8410 section 5") for arc in (112, 113)},
    **{f"2.16.840.1.101.3.4.3.{arc}": (_SIGNS, "RFC 9881 section 5") for arc in (17, 18, 19)},
    **{f"2.16.840.1.101.3.4.4.{arc}": (frozenset({KEY_ENCIPHERMENT}), "RFC 9935 section 5") for arc in (1, 2, 3)},
}
"""The bits of keyUsage that a key of this algorithm can have."""
_NULL = b"\x05\x00"
_ANY_USAGE = "2.5.29.37.0"
_WITH_NULL = frozenset(f"1.2.840.113549.1.1.{arc}" for arc in (1, 4, 5, 11, 12, 13, 14))
"""rsaEncryption and the signatures of PKCS #1 version 1.5: their parameters are NULL (RFC 3279 section 2.2.1, RFC 4055 section 5)."""
_WITHOUT = frozenset(
    {f"1.2.840.10045.4.3.{arc}" for arc in (1, 2, 3, 4)}
    | {"1.2.840.10045.4.1"}
    | {f"1.3.101.{arc}" for arc in (110, 111, 112, 113)}
    | {f"2.16.840.1.101.3.4.3.{arc}" for arc in (17, 18, 19)}
    | {f"2.16.840.1.101.3.4.4.{arc}" for arc in (1, 2, 3)}
)
"""ECDSA and what is newer: there are no parameters (RFC 5758 section 3.2, RFC 8410 section 3, RFC 9881, RFC 9935)."""


@lint("certificate.algorithms", "1#algorithms", kills=("signature.null-parameters",))
def algorithms(one: Certificate, seen: Seen) -> Found:
    """The parameters of key and signature algorithms are as their own texts have them"""
    found = []
    for where, algorithm in (("the signature", one.algorithm), ("the key", one.key.parts[0])):
        oid, parameters = dotted(algorithm.parts[0].octets), [encode(part) for part in algorithm.parts[1:]]
        if (oid in _WITH_NULL and parameters != [_NULL]) or (oid in _WITHOUT and parameters):
            found.append(f"{where}: {oid} has the parameters {parameters[0].hex() if parameters else '(none)'}")
        if oid == _EC and [part.identifier for part in algorithm.parts[1:]] != [b"\x06"]:
            found.append(f"{where}: the parameters of an EC key are no named curve (RFC 5480 section 2.1.1)")
    return found


@lint("certificate.extension-once", "4.2#once", kills=("extension.twice",))
def extension_once(one: Certificate, seen: Seen) -> Found:
    """No extension comes twice"""
    if not one.extensions:
        return None
    return [f"{oid} comes {times} times" for oid, times in Counter(item.oid for item in one.extensions).items() if times > 1]


@lint("certificate.authority-key", "4.2.1.1#key-identifier", kills=("authority-key.missing",))
def authority_key(one: Certificate, seen: Seen) -> Found:
    """A certificate names the key that it was signed with; a self-signed one need not"""
    if one.authority_key is None and one.is_ca and one.is_self_issued:
        return None
    return [] if one.authority_key is not None else ["there is no authority key identifier with a keyIdentifier"]


@lint(
    "certificate.authority-key-matches",
    "4.2.1.2#same-value",
    "4.2.1.1#established",
    kills=("authority-key.other",),
)
def authority_key_matches(one: Certificate, seen: Seen) -> Found:
    """The key that a certificate names is one of its issuer's"""
    issuers = [ca for ca in seen.issuers(one) if ca.subject_key is not None]
    if one.authority_key is None or not issuers:
        return None
    if any(ca.subject_key == one.authority_key for ca in issuers):
        return []
    keys = ", ".join(sorted({ca.subject_key.hex() for ca in issuers if ca.subject_key is not None}))
    return [f"it names the key {one.authority_key.hex()}; the keys of its issuer are {keys}"]


@lint("certificate.authority-key-criticality", "4.2.1.1#non-critical", kills=("authority-key.critical",))
def authority_key_criticality(one: Certificate, seen: Seen) -> Found:
    """The authority key identifier is not critical"""
    return _not_critical(one, AUTHORITY_KEY)


@lint("certificate.authority-key-serial", "A.2#both-or-none", kills=("authority-key.serial-alone",))
def authority_key_serial(one: Certificate, seen: Seen) -> Found:
    """An authority key identifier has both the issuer and the serial number of a certificate, or neither"""
    value = one.value(AUTHORITY_KEY)
    if value is None:
        return None
    tags = {part.identifier for part in value.parts}
    return [] if (b"\xa1" in tags) == (b"\x82" in tags) else ["one of authorityCertIssuer and authorityCertSerialNumber is alone"]


@lint("certificate.ca-subject-key", "4.2.1.2#ca-has-it", kills=("ca.subject-key-missing",))
def ca_subject_key(one: Certificate, seen: Seen) -> Found:
    """The certificate of a CA has a subject key identifier"""
    if not one.is_ca:
        return None
    return [] if one.extension(SUBJECT_KEY) else ["there is no subject key identifier"]


@lint("certificate.subject-key", "4.2.1.2#end-entity-has-it", kills=("subject-key.missing",))
def subject_key(one: Certificate, seen: Seen) -> Found:
    """The certificate of an end entity has a subject key identifier"""
    if one.is_ca:
        return None
    return [] if one.extension(SUBJECT_KEY) else ["there is no subject key identifier"]


@lint("certificate.subject-key-criticality", "4.2.1.2#non-critical", kills=("subject-key.critical",))
def subject_key_criticality(one: Certificate, seen: Seen) -> Found:
    """The subject key identifier is not critical"""
    return _not_critical(one, SUBJECT_KEY)


@lint("certificate.subject-key-established", "4.2.1.2#established")
def subject_key_established(one: Certificate, seen: Seen) -> Found:
    """One key of a CA has one identifier in all its certificates"""
    same = [other for other in seen.certificates if other is not one and other.is_ca and other.key == one.key]
    if not one.is_ca or one.subject_key is None or not same:
        return None
    return [f"the same key has another identifier in {other}" for other in same if other.subject_key != one.subject_key]


@lint("certificate.ca-key-usage", "4.2.1.3#ca-has-it", kills=("ca.key-usage-missing",))
def ca_key_usage(one: Certificate, seen: Seen) -> Found:
    """The certificate of a CA says what its key is for"""
    if not one.is_ca:
        return None
    return [] if one.extension(KEY_USAGE) else ["there is no keyUsage"]


@lint("certificate.key-usage-criticality", "4.2.1.3#critical", kills=("key-usage.not-critical",))
def key_usage_criticality(one: Certificate, seen: Seen) -> Found:
    """The keyUsage is critical"""
    usage = one.extension(KEY_USAGE)
    return None if usage is None else [] if usage.critical else ["keyUsage is not critical"]


@lint("certificate.key-usage-bits", "4.2.1.3#one-bit", kills=("key-usage.empty",))
def key_usage_bits(one: Certificate, seen: Seen) -> Found:
    """The keyUsage has at least one bit"""
    usage = one.value(KEY_USAGE)
    if usage is None:
        return None
    return [] if usage.identifier == BIT_STRING and one.key_usage else ["no bit of keyUsage is set"]


@lint("certificate.key-usage-of-key", "4.2.1.3#values", kills=("key-usage.wrong-for-key",))
def key_usage_of_key(one: Certificate, seen: Seen) -> Found:
    """A key is for nothing that a key of its algorithm cannot do"""
    known = _USAGES.get(one.key_algorithm)
    if one.key_usage is None or known is None:
        return None
    surplus = one.key_usage - known[0]
    found = [f"a key of {one.key_algorithm} has the bits {sorted(surplus)} of keyUsage ({known[1]})"] if surplus else []
    if one.key_usage & {_ENCIPHER_ONLY, _DECIPHER_ONLY} and KEY_AGREEMENT not in one.key_usage:
        found.append("encipherOnly and decipherOnly mean nothing without keyAgreement")
    return found


@lint("certificate.cert-sign", "4.2.1.3#cert-sign", "4.2.1.9#no-cert-sign", kills=("key-usage.cert-sign",))
def cert_sign(one: Certificate, seen: Seen) -> Found:
    """The keyCertSign is for CAs alone"""
    if one.key_usage is None:
        return None
    return ["keyCertSign is set, and cA is not"] if CERT_SIGN in one.key_usage and not one.is_ca else []


@lint("certificate.ca-basic-constraints", "4.2.1.9#ca-critical", kills=("ca.basic-constraints-not-critical",))
def ca_basic_constraints(one: Certificate, seen: Seen) -> Found:
    """The certificate of a CA has basicConstraints, and they are critical"""
    constraints = one.extension(BASIC_CONSTRAINTS)
    if not one.is_ca or constraints is None:
        return None
    return [] if constraints.critical else ["basicConstraints are not critical"]


@lint("certificate.path-length-sign", "4.2.1.9#not-negative", kills=("ca.path-length-negative",))
def path_length_sign(one: Certificate, seen: Seen) -> Found:
    """A path length is not negative"""
    length = _path_length(one)
    return None if length is None else [] if length >= 0 else [f"the path length is {length}"]


@lint("certificate.path-length-of-ca", "4.2.1.9#path-length", kills=("end-entity.path-length",))
def path_length_of_ca(one: Certificate, seen: Seen) -> Found:
    """A path length is for CAs that sign certificates"""
    if _path_length(one) is None:
        return None
    right = one.is_ca and (one.key_usage is None or CERT_SIGN in one.key_usage)
    return [] if right else ["there is a path length without cA and keyCertSign"]


def _path_length(one: Certificate) -> int | None:
    value = one.value(BASIC_CONSTRAINTS)
    found = [part for part in value.parts if part.identifier == INTEGER] if value is not None else []
    return integer(found[0]) if found else None


@lint("certificate.any-key-usage-criticality", "4.2.1.12#any-not-critical")
def any_key_usage_criticality(one: Certificate, seen: Seen) -> Found:
    """The extKeyUsage with anyExtendedKeyUsage is not critical"""
    usages, value = one.extension(EXTENDED_KEY_USAGE), one.value(EXTENDED_KEY_USAGE)
    if usages is None or value is None or _ANY_USAGE not in [dotted(part.octets) for part in value.parts]:
        return None
    return ["it is critical"] if usages.critical else []


@lint("certificate.usage-period", "A.2#usage-period")
def usage_period(one: Certificate, seen: Seen) -> Found:
    """A privateKeyUsagePeriod begins, or ends, or both"""
    value = one.value(USAGE_PERIOD)
    return None if value is None else [] if value.parts else ["it has neither notBefore nor notAfter"]


@lint("certificate.directory-attributes-criticality", "4.2.1.8#non-critical")
def directory_attributes_criticality(one: Certificate, seen: Seen) -> Found:
    """The subjectDirectoryAttributes are not critical"""
    return _not_critical(one, SUBJECT_DIRECTORY_ATTRIBUTES)


def _not_critical(one: Certificate, oid: str) -> Found:
    found = one.extension(oid)
    return None if found is None else [f"extension {oid} is critical"] if found.critical else []
