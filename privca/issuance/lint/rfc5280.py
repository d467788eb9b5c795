"""RFC 5280 section 4: rules that hold for every certificate, whatever profile and template say."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from privca.issuance.ca_key import SigningKey
from privca.issuance.lint.reading import Reading
from privca.pkix import der

_INTEGER, _UTC_TIME, _GENERALIZED_TIME = b"\x02", b"\x17", b"\x18"
_MUST_BE_CRITICAL = frozenset({ExtensionOID.KEY_USAGE, ExtensionOID.BASIC_CONSTRAINTS})
MUST_NOT_BE_CRITICAL = frozenset(
    {
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_DIRECTORY_ATTRIBUTES,
        ExtensionOID.FRESHEST_CRL,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.SUBJECT_INFORMATION_ACCESS,
    }
)
"""Sections 4.2.1.1, 4.2.1.2, 4.2.1.8, 4.2.1.15, 4.2.2.1 and 4.2.2.2."""
FOR_CAS_ALONE = frozenset(
    {
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)
"""Sections 4.2.1.5, 4.2.1.10, 4.2.1.11 and 4.2.1.14: what restricts the certificates below has no place in an end entity's."""
_EMPTY_NAME = b"\x30\x00"


def version_is_3(reading: Reading, _: SigningKey) -> str | None:
    """Section 4.1.2.1: extensions are present, so the version is 3."""
    return None if reading.raw.version == 2 and reading.raw.extensions else "not version 3 with extensions"


def serial_is_positive(reading: Reading, _: SigningKey) -> str | None:
    """Section 4.1.2.2: a positive integer of at most 20 octets."""
    octets = bytes(reading.raw.serial.data)
    if reading.raw.serial.tag_bytes != _INTEGER or not octets or len(octets) > 20:
        return "the serial number is not an INTEGER of 1 to 20 octets"
    return "the serial number is not positive" if octets[0] & 0x80 or not any(octets) else None


def signature_algorithm_is_the_signers(reading: Reading, signer: SigningKey) -> str | None:
    """Section 4.1.2.3: the algorithm that the signer uses, the same as outside the TBS."""
    return None if der.encode(reading.raw.signature) == signer.algorithm else "the signature algorithm is not the signer's"


def issuer_is_the_signers_subject(reading: Reading, signer: SigningKey) -> str | None:
    """Sections 4.1.2.4 and 4.1.2.6: the subject of the CA octet by octet, and not empty."""
    issuer = der.encode(reading.raw.issuer)
    return None if issuer == signer.subject_der and issuer != _EMPTY_NAME else "the issuer is not the subject of the CA"


def times_are_encoded_by_year(reading: Reading, _: SigningKey) -> str | None:
    """Section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050, seconds and Z, no fraction."""
    for time in (reading.raw.validity.not_before, reading.raw.validity.not_after):
        text = bytes(time.data)
        digits = {_UTC_TIME: 12, _GENERALIZED_TIME: 14}.get(time.tag_bytes)
        if digits is None or len(text) != digits + 1 or not text[:-1].isdigit() or text[-1:] != b"Z":
            return "a time is neither YYMMDDHHMMSSZ nor YYYYMMDDHHMMSSZ"
        if time.tag_bytes == _GENERALIZED_TIME and text[:4] < b"2050":
            return "a time before 2050 is not UTCTime"
    return None


def extensions_are_unique(reading: Reading, _: SigningKey) -> str | None:
    """Section 4.2: no extension twice."""
    return None if len(reading.extensions) == len(reading.raw.extensions or ()) else "an extension occurs twice"


def criticality_is_right(reading: Reading, _: SigningKey) -> str | None:
    """Section 4.2.1: critical where it must or (for basicConstraints of end entities) may and we do, not where it must not."""
    for oid, item in reading.extensions.items():
        if item.critical and oid in MUST_NOT_BE_CRITICAL:
            return f"extension {oid.dotted_string} is critical"
        if not item.critical and oid in _MUST_BE_CRITICAL:
            return f"extension {oid.dotted_string} is not critical"
    return None


def authority_key_identifier_is_the_signers(reading: Reading, signer: SigningKey) -> str | None:
    """Section 4.2.1.1: present, with the key identifier of the CA."""
    value = reading.value(x509.AuthorityKeyIdentifier)
    if value is None or value.key_identifier != signer.facts.key_identifier:
        return "the authority key identifier is not that of the CA"
    return "the authority key identifier names more than a key" if value.authority_cert_issuer is not None else None


def names_follow_the_subject(reading: Reading, _: SigningKey) -> str | None:
    """Sections 4.1.2.6 and 4.2.1.6: without a subject there is a critical subjectAltName; with one it is not critical."""
    names = reading.extensions.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    empty = der.encode(reading.raw.subject) == _EMPTY_NAME
    if names is None:
        return "neither subject nor subjectAltName" if empty else None
    return None if names.critical == empty else "subjectAltName must be critical if the subject is empty, and only then"


def basic_constraints_fit_key_usage(reading: Reading, _: SigningKey) -> str | None:
    """Sections 4.2.1.3 and 4.2.1.9: keyCertSign goes with cA and with nothing else; a path length only with both."""
    constraints, usage = reading.value(x509.BasicConstraints), reading.value(x509.KeyUsage)
    ca = constraints is not None and constraints.ca
    signs = usage is not None and usage.key_cert_sign
    return None if ca == signs else "basicConstraints cA and keyUsage keyCertSign do not go together"


def restrictions_are_a_cas(reading: Reading, _: SigningKey) -> str | None:
    """Section 4.2.1.10 and its like: only a CA is told what it may certify."""
    constraints = reading.value(x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        return None
    surplus = FOR_CAS_ALONE.intersection(reading.extensions)
    return f"extension {min(oid.dotted_string for oid in surplus)} in a certificate that is not a CA's" if surplus else None


RULES = (
    ("RFC 5280 section 4.1.2.1", version_is_3),
    ("RFC 5280 section 4.1.2.2", serial_is_positive),
    ("RFC 5280 section 4.1.2.3", signature_algorithm_is_the_signers),
    ("RFC 5280 section 4.1.2.4", issuer_is_the_signers_subject),
    ("RFC 5280 section 4.1.2.5", times_are_encoded_by_year),
    ("RFC 5280 section 4.2", extensions_are_unique),
    ("RFC 5280 section 4.2.1", criticality_is_right),
    ("RFC 5280 section 4.2.1.1", authority_key_identifier_is_the_signers),
    ("RFC 5280 section 4.2.1.6", names_follow_the_subject),
    ("RFC 5280 section 4.2.1.9", basic_constraints_fit_key_usage),
    ("RFC 5280 section 4.2.1.10", restrictions_are_a_cas),
)
