"""Prepare, lint, record, sign, record: the one way by which a certificate comes to be. Nothing is signed that the store does not know.

Lint stands before the record, not behind it: what is recorded may be signed, so a crash can be resumed from the record alone, and a
finding leaves nothing behind that would block the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from cryptography import x509
from msgspec.structs import replace

from privca.base.refused import Reason, Refused
from privca.issuance.approved import Approved
from privca.issuance.ca_key import SigningKey
from privca.issuance.ports import Certificate, CertificateStatus, Conflict, IssuanceStore, Keys
from privca.pkix.rfc5280.tbs import assemble, certificate_tbs


def prepare(approved: Approved, extensions: Sequence[x509.Extension[x509.ExtensionType]], signer: SigningKey) -> bytes:
    """The TBSCertificate of an approved certificate, DER."""
    # The constructor takes what the setters would, at a fifth of their cost; lint judges the outcome.
    builder = x509.CertificateBuilder(
        signer.subject,
        approved.subject,
        approved.public_key,
        int.from_bytes(approved.serial, "big"),
        approved.window.not_before.astimezone(UTC).replace(tzinfo=None),
        approved.window.not_after.astimezone(UTC).replace(tzinfo=None),
        list(extensions),
    )
    return certificate_tbs(builder, signer.public_key, signer.hash_name)


async def record_and_sign(
    store: IssuanceStore, keys: Keys, record: Certificate, signer: SigningKey, *, spends: str = "", approval: str = ""
) -> Certificate:
    """Record a prepared certificate whose TBS passed lint, sign it, record it signed.

    :raises Conflict, Spent: as :meth:`~privca.issuance.ports.IssuanceStore.add_certificate`.
    """
    await store.add_certificate(record, spends=spends, approval=approval)
    return await sign_recorded(store, keys, replace(record, version=1), signer)


async def sign_recorded(store: IssuanceStore, keys: Keys, record: Certificate, signer: SigningKey) -> Certificate:
    """Sign the TBS of a recorded certificate and record the outcome. Somebody else may do the same: the first signature recorded counts.

    The signature is not verified again: OpenSSL checks RSA signatures against faults itself, and a verification costs three signatures.
    """
    signature = await keys.sign(signer.reference, record.tbs, signer.hash_name)
    issued = replace(record, der=assemble(record.tbs, signer.algorithm, signature), status=CertificateStatus.ISSUED)
    try:
        await store.update_certificate(issued)
    except Conflict:
        stored = await store.certificate_by_serial(record.serial)
        if stored is not None and stored.der is not None:
            return stored
        raise Refused(Reason.WRONG_STATE, "RFC 5280 section 3.3", "the certificate was revoked before it was signed") from None
    return replace(issued, version=record.version + 1)
