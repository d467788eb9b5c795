"""A PKCS #10 as a server reads it that does not verify its signature: for faults alone."""

from __future__ import annotations

from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.pkix import rfc2986
from privca.pkix.rfc2986 import CertificationRequest
from privca.pkix.weak import SigningPublicKey


def request(octets: bytes) -> CertificationRequest:
    """What it asks for, and its key. :raises Refused: ``BAD_CSR`` for what is no PKCS #10."""
    wishes = rfc2986.parse_wishes(octets)
    read = x509.load_der_x509_csr(octets)
    return CertificationRequest(
        der=octets,
        subject=wishes.subject,
        spki=read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public_key=cast("SigningPublicKey", read.public_key()),
        names=wishes.names,
        extensions=wishes.extensions,
        attributes=wishes.attributes,
        challenge_password=wishes.challenge_password,
        signature_algorithm=read.signature_algorithm_oid.dotted_string,
        signature_hash="sha256",
    )
