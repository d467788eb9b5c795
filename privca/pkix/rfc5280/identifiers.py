"""Key identifiers (RFC 5280 sections 4.2.1.1 and 4.2.1.2)."""

from __future__ import annotations

import hashlib

from cryptography import x509

from privca.pkix import der


@der.sequence
class _SubjectPublicKeyInfo:
    algorithm: der.TLV
    public_key: der.BitString


def key_identifier(spki: bytes) -> bytes:
    """20 octets that name a key: the leftmost 160 bits of the SHA-256 of its subjectPublicKey (RFC 7093 section 2, method 1).

    :param spki: SubjectPublicKeyInfo as DER.
    """
    public_key = der.decode(_SubjectPublicKeyInfo, spki, clause="RFC 5280 section 4.1.2.7").public_key
    return hashlib.sha256(public_key.as_bytes()).digest()[:20]


def subject_key_identifier(spki: bytes) -> x509.SubjectKeyIdentifier:
    """The extension value for a certificate of this key."""
    return x509.SubjectKeyIdentifier(key_identifier(spki))


def authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """The extension value for what this CA certificate issues: the key identifier that it gives itself, whatever method made it.

    :raises cryptography.x509.ExtensionNotFound: if the CA certificate has none, against section 4.2.1.2.
    """
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )
