"""Certificates of CAs (RFC 5280): self-signed, certified by a parent, and the cross certificates of a rollover (RFC 4210 section 4.4)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from cryptography import x509

from privca.base.entropy import Entropy
from privca.issuance import lint
from privca.issuance.approved import Approved
from privca.issuance.ca_key import IssuerFacts, SigningKey
from privca.issuance.policy import Window
from privca.issuance.ports import Certificate, CertificateStatus, IssuanceStore, Keys
from privca.issuance.serials import serial_number
from privca.issuance.signing import prepare, record_and_sign
from privca.issuance.template import Extensions, extension, key_usage, publication
from privca.pkix import weak

PROFILE_ID = ""
"""What stands for a profile in the records of CA certificates: no profile has this ID."""


def _extensions(
    subject: SigningKey, signer: SigningKey, facts: IssuerFacts, path_length: int | None, key_encipherment: bool
) -> Extensions:
    usages = ["digitalSignature", "keyEncipherment"] if key_encipherment else ["digitalSignature"]
    found = [
        extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True),
        # digitalSignature, so that the CA may sign its own protocol messages and OCSP responses.
        extension(key_usage(frozenset(usages), ca=True), critical=True),
        extension(x509.SubjectKeyIdentifier(subject.facts.key_identifier)),
        extension(x509.AuthorityKeyIdentifier(facts.key_identifier, None, None)),
    ]
    return found if subject is signer else found + publication(facts.crl_url, facts.ca_url, facts.ocsp_url)


async def certify(
    store: IssuanceStore,
    keys: Keys,
    entropy: Entropy,
    *,
    subject: SigningKey,
    signer: SigningKey,
    window: Window,
    longest: timedelta,
    path_length: int | None,
    key_encipherment: bool,
    purpose: str,
    now: datetime,
) -> bytes:
    """The certificate, DER, of the CA key ``subject`` by the CA key ``signer``, which may be the same.

    :param purpose: what it is for (``certificate``, ``new-with-old`` ...): part of the request ID of its record.
    """
    approved = Approved(
        serial=serial_number(entropy),
        subject=subject.subject,
        names=(),
        public_key=subject.public_key,
        spki=subject.spki,
        key_identifier=subject.facts.key_identifier,
        kind=weak.kind(subject.public_key),
        window=window,
        longest=longest,
        template=None,
        path_length=path_length,
        key_encipherment=key_encipherment,
    )
    tbs = prepare(approved, _extensions(subject, signer, signer.facts_of(approved.serial), path_length, key_encipherment), signer)
    lint.check(tbs, approved, signer)
    record = Certificate(
        serial=approved.serial,
        authority=signer.authority,
        generation=signer.number,
        profile_id=PROFILE_ID,
        profile_revision=0,
        protocol="",
        # The key's reference is new with every attempt: what a crash left half done is never in the way of the next.
        request_id=f"{subject.reference}:{purpose}",
        identity=f"ca:{subject.authority}",
        subject=subject.subject.rfc4514_string(),
        names=(),
        spki_sha256=hashlib.sha256(subject.spki).digest(),
        not_before=window.not_before,
        not_after=window.not_after,
        tbs=tbs,
        der=None,
        status=CertificateStatus.PREPARED,
        recorded=now,
    )
    issued = await record_and_sign(store, keys, record, signer)
    assert issued.der is not None
    return issued.der
