"""certConf and pkiConf: a client accepts or rejects its certificates (RFC 9810 sections 5.3.17 and 5.3.18)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from cryptography import x509
from msgspec.structs import replace

from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.cmp import rfc9483
from privca.cmp.ports import Conflict, Part, PartState, Transaction
from privca.cmp.protection import hmac as hashes
from privca.cmp.rfc9810 import status
from privca.cmp.rfc9810.call import Call, Reply
from privca.cmp.rfc9810.message import Body
from privca.enrollment.door import Door
from privca.issuance.ports import Certificate, CertificateStatus, RevocationReason
from privca.pkix import der
from privca.pkix.requested import AlgorithmIdentifier

_CLAUSE = "RFC 9810 section 5.3.18"
NULL = b"\x05\x00"
# RFC 9481 section 3.3 and RFC 9810 section 5.3.18: schemes whose identifier names no hash.
_OWN_HASH = {"1.3.101.112": "sha512", "1.3.101.113": "shake_256"}
_SHAKE256_OCTETS = 64


@der.sequence
class _CertStatus:
    cert_hash: bytes
    cert_req_id: int
    # Without statusInfo, which is read apart.
    hash_alg: Annotated[AlgorithmIdentifier | None, der.Explicit(0)]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a client says of one certificate. ``hash_name`` is that of hashAlg, empty if it is absent."""

    id: int
    digest: bytes
    hash_name: str
    accepted: bool
    text: str


def parse(octets: bytes, pvno: int) -> list[Confirmation]:
    """CertConfirmContent. :raises Refused: ``MALFORMED``, ``BAD_SIGNATURE_ALGORITHM``, ``DUPLICATE_REQUEST``."""
    found = []
    for element in der.elements(octets, clause=_CLAUSE):
        parts = der.elements(element, clause=_CLAUSE)
        info = parts.pop(2) if len(parts) > 2 and parts[2][0] == 0x30 else None
        value = der.decode(_CertStatus, der.tlv(0x30, *parts), clause=_CLAUSE)
        said = status.StatusInfo(0, "", False) if info is None else status.parse(info, clause=_CLAUSE)
        found.append(_confirmation(value, said, pvno))
    ids = [one.id for one in found]
    if len(set(ids)) != len(ids):
        raise Refused(Reason.DUPLICATE_REQUEST, _CLAUSE, "a certReqId occurs more than once")
    return found


def _confirmation(value: _CertStatus, said: status.StatusInfo, pvno: int) -> Confirmation:
    if said.status not in (status.Status.ACCEPTED, status.Status.REJECTION):
        raise Refused(Reason.UNSUPPORTED_OPERATION, _CLAUSE, "a certificate is accepted or rejected", got=str(said.status))
    accepted = said.status == status.Status.ACCEPTED
    if accepted and said.failed:
        raise Refused(Reason.UNSUPPORTED_OPERATION, "RFC 9483 section 4.1.1", "an acceptance has no failInfo")
    hash_name = ""
    if value.hash_alg is not None:
        if pvno < 3:
            raise Refused(
                Reason.UNSUPPORTED_OPERATION, _CLAUSE, "hashAlg is for version 3 (cmp2021)", expected="pvno 3", got=str(pvno)
            )
        hash_name = hashes.name(value.hash_alg, hashes.HASHES, "hash function")
        if hash_name == "sha1":
            raise Refused(Reason.BAD_SIGNATURE_ALGORITHM, "RFC 9481 section 2", "SHA-1 is no longer safe", got="SHA-1")
    return Confirmation(value.cert_req_id, value.cert_hash, hash_name, accepted, said.text)


async def confirm(call: Call) -> Reply:
    """Answer a certConf."""
    transaction = call.transaction
    confirmations = parse(call.message.content, call.message.header.pvno)
    if transaction is None:
        raise Refused(Reason.WRONG_STATE, _CLAUSE, "no certificate of this transaction waits to be confirmed")
    rfc9483.check_count(call, "CertStatus", "RFC 9483 section 4.1.1", len(confirmations))
    waiting = {part.id: part for part in transaction.parts if part.state is PartState.ISSUED}
    for confirmation in confirmations:
        _check_id(confirmation, transaction)
    if not waiting:
        raise Refused(Reason.WRONG_STATE, _CLAUSE, "no certificate of this transaction waits to be confirmed")
    certificates = {id: await _certificate(call, part) for id, part in waiting.items()}
    said = {confirmation.id: confirmation for confirmation in confirmations}
    try:
        for id, confirmation in said.items():
            if confirmation.accepted:
                _check_digest(confirmation, certificates[id])
    except Refused:
        await _withdraw(call, transaction, certificates)
        raise
    states = {}
    for id, certificate in certificates.items():
        # What is left out is rejected.
        accepted = id in said and said[id].accepted
        states[id] = PartState.CONFIRMED if accepted else PartState.REJECTED
        if not accepted:
            await revoke(call.core.door, call.exchange, certificate)
    changed = tuple(replace(part, state=states.get(part.id, part.state), octets=b"") for part in transaction.parts)
    try:
        call.transaction = await call.core.store.save_transaction(replace(transaction, parts=changed, nonce=call.nonce))
    except Conflict:
        raise Refused(Reason.ALREADY_CONFIRMED, _CLAUSE, "the certificates were confirmed by another message meanwhile") from None
    rejected = [id for id, state in states.items() if state is PartState.REJECTED]
    call.exchange.decided("rejected by the client" if rejected else "confirmed", _CLAUSE)
    return Reply(Body.PKICONF, NULL)


async def _withdraw(call: Call, transaction: Transaction, certificates: Mapping[int, Certificate]) -> None:
    """Revoke what was made available and whose confirmation does not verify (section 4.2.2.2); nothing is left to be confirmed."""
    parts = tuple(
        replace(part, state=PartState.REJECTED, octets=b"") if part.id in certificates else part for part in transaction.parts
    )
    try:
        changed = await call.core.store.save_transaction(replace(transaction, parts=parts, nonce=call.nonce))
    except Conflict:
        raise Refused(Reason.ALREADY_CONFIRMED, _CLAUSE, "the certificates were confirmed by another message meanwhile") from None
    for certificate in certificates.values():
        await revoke(call.core.door, call.exchange, certificate)
    if not changed.open:
        await call.core.store.forget_transaction(changed)


async def confirm_by_pkiconf(call: Call) -> Reply:
    """A pkiConf from a client accepts all certificates (section 5.3.17), which nobody recommends: here it is refused."""
    raise Refused(Reason.UNSUPPORTED_OPERATION, "RFC 9810 section 5.3.17", "certificates are confirmed by certConf")


def _check_id(confirmation: Confirmation, transaction: Transaction) -> None:
    part = next((part for part in transaction.parts if part.id == confirmation.id), None)
    if part is not None and part.state is PartState.ISSUED:
        return
    if part is not None and part.state is PartState.CONFIRMED:
        raise Refused(Reason.ALREADY_CONFIRMED, _CLAUSE, "this certificate was confirmed before")
    raise Refused(
        Reason.UNKNOWN_CERTIFICATE,
        _CLAUSE,
        "no certificate of this transaction has this certReqId",
        expected=" or ".join(str(part.id) for part in transaction.parts),
        got=str(confirmation.id)[:20],
    )


async def _certificate(call: Call, part: Part) -> Certificate:
    certificate = await call.core.door.find(part.profile_id, part.request_id)
    if certificate is None or certificate.der is None:
        raise Refused(
            Reason.WRONG_STATE, _CLAUSE, "the certificate was never issued: the server failed meanwhile; ask for it again"
        )
    return certificate


def _check_digest(confirmation: Confirmation, certificate: Certificate) -> None:
    octets = certificate.der or b""
    if certificate.status is not CertificateStatus.ISSUED:
        raise Refused(Reason.ALREADY_REVOKED, _CLAUSE, f"the certificate is {certificate.status.value}")
    name = confirmation.hash_name or hash_of(octets)
    if not hmac.compare_digest(digest(name, octets), confirmation.digest):
        raise Refused(Reason.UNKNOWN_CERTIFICATE, _CLAUSE, "certHash is not the hash of the certificate", expected=f"its {name}")


def hash_of(octets: bytes) -> str:
    """The hash function that goes with a certificate's signature (RFC 9481 section 3.3 for those that have none of their own)."""
    certificate = x509.load_der_x509_certificate(octets)
    own = _OWN_HASH.get(certificate.signature_algorithm_oid.dotted_string)
    if own is not None:
        return own
    algorithm = certificate.signature_hash_algorithm
    return "sha512" if algorithm is None else algorithm.name


def digest(name: str, octets: bytes) -> bytes:
    """A hash by name, SHAKE256 with 512 bits."""
    if name == "shake_256":
        return hashlib.shake_256(octets).digest(_SHAKE256_OCTETS)
    return hashlib.new(name, octets).digest()


async def revoke(door: Door, exchange: Exchange, certificate: Certificate) -> None:
    """Revoke what a client does not want, or never confirmed: nobody asks for that by name."""
    if certificate.status is not CertificateStatus.ISSUED:
        return
    await door.withdraw(exchange, certificate, RevocationReason.CESSATION_OF_OPERATION)
