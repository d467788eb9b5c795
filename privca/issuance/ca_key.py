"""One key of a CA, parsed once and kept: what every signature needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from privca.issuance.crl_scope import Scope, part_of
from privca.issuance.ports import Generation
from privca.issuance.publication import PublicUrls
from privca.pkix import signatures
from privca.pkix.rfc5280.identifiers import key_identifier
from privca.pkix.weak import SigningPublicKey


class IssuerFacts(msgspec.Struct, frozen=True):
    """What a certificate says of the CA key that signs it: its key identifier, and where its CRL,
    its certificate and its OCSP responder are (empty: nowhere)."""

    key_identifier: bytes
    crl_url: str
    ca_url: str
    ocsp_url: str


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A CA key as signer. ``reference`` is for the key adapter; ``algorithm`` the AlgorithmIdentifier of its signatures, DER."""

    authority: str
    number: int
    reference: str
    subject: x509.Name
    subject_der: bytes
    public_key: SigningPublicKey
    spki: bytes
    hash_name: str
    algorithm: bytes
    facts: IssuerFacts
    partitioned: tuple[IssuerFacts, ...]
    """The same for each part of a CA whose CRL is partitioned; empty if it is not."""

    @classmethod
    def make(
        cls,
        authority: str,
        number: int,
        reference: str,
        subject: x509.Name,
        spki: bytes,
        hash_name: str,
        urls: PublicUrls,
        partitions: int = 1,
    ) -> SigningKey:
        """From what the key adapter and the configuration say. :param spki: SubjectPublicKeyInfo as DER."""
        public_key = cast("SigningPublicKey", serialization.load_der_public_key(spki))
        facts = IssuerFacts(
            key_identifier(spki), urls.crl(authority, number), urls.certificate(authority, number), urls.ocsp(authority)
        )
        return cls(
            authority=authority,
            number=number,
            reference=reference,
            subject=subject,
            subject_der=subject.public_bytes(),
            public_key=public_key,
            spki=spki,
            hash_name=hash_name,
            algorithm=signatures.algorithm(public_key, hash_name),
            facts=facts,
            partitioned=tuple(
                replace(facts, crl_url=urls.crl(authority, number, Scope(part, partitions))) for part in range(1, partitions + 1)
            )
            if partitions > 1
            else (),
        )

    def facts_of(self, serial: bytes) -> IssuerFacts:
        """What the certificate with this serial number says: its CRL is that of its part."""
        return self.partitioned[part_of(serial, len(self.partitioned)) - 1] if self.partitioned else self.facts


@dataclass(frozen=True, slots=True, eq=False)
class CaKey:
    """A CA key with its certificate. ``parent_key_identifier`` names the key that signed the certificate: its own for a root."""

    generation: Generation
    certificate: x509.Certificate
    signer: SigningKey
    parent_key_identifier: bytes
    not_after: datetime

    @classmethod
    def read(cls, generation: Generation, hash_name: str, urls: PublicUrls, partitions: int = 1) -> CaKey:
        """The key of a stored generation."""
        certificate = x509.load_der_x509_certificate(generation.certificate)
        spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        signer = SigningKey.make(
            generation.authority, generation.number, generation.key, certificate.subject, spki, hash_name, urls, partitions
        )
        return cls(generation, certificate, signer, issuer_key_identifier(certificate), certificate.not_valid_after_utc)


def issuer_key_identifier(certificate: x509.Certificate) -> bytes:
    """The key identifier of the key that signed a CA certificate of ours."""
    return certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier or b""
