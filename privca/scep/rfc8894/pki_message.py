"""pkiMessage (RFC 8894 section 3.2): SignedData with transaction attributes, verified under the certificate that it brings along."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from privca.base.durations import duration
from privca.base.exchange import Exchange
from privca.base.refused import Reason, Refused
from privca.issuance.profile import Profile
from privca.pkix import algorithms
from privca.pkix.rfc5652 import signed_data
from privca.pkix.rfc5652.content import DATA
from privca.pkix.rfc5652.identifiers import Named
from privca.pkix.rfc5652.signed_data import SignedData, Signer
from privca.pkix.rfc5652.signing import load_public_key, verify
from privca.scep.rfc8894 import attributes
from privca.scep.rfc8894.attributes import MessageType
from privca.scep.rfc8894.transport import tolerates

_CLAUSE = "RFC 8894 section 3.2"


@dataclass(frozen=True, slots=True)
class Transaction:
    """What can be said of a message before it is verified, and what every reply to it repeats. ``raw_id`` is DER."""

    id: str
    raw_id: bytes
    nonce: bytes
    digest: str
    """The digest of the request's signature if we know it, else empty."""


@dataclass(frozen=True, slots=True)
class PkiMessage:
    """A verified message. ``signer`` is the certificate that verifies it: nobody has looked yet whether anybody trusts that."""

    kind: MessageType
    transaction: Transaction
    signer: Named
    public_key: PublicKeyTypes
    others: tuple[bytes, ...] = field(repr=False)
    """The other certificates that came along, DER."""
    envelope: bytes = field(repr=False)
    """The pkcsPKIEnvelope, DER or BER."""

    @property
    def self_issued(self) -> bool:
        """Whether the signer's certificate vouches for nobody."""
        return self.signer.issuer == self.signer.subject


def read(octets: bytes) -> tuple[SignedData, Signer, Transaction]:
    """The parts of a message, nothing verified. Where this refuses, nothing can be answered in CMS.

    :raises Refused: ``MALFORMED``, ``TOO_LARGE``.
    """
    signed = signed_data.parse(octets)
    if len(signed.signers) != 1:
        raise Refused(Reason.MALFORMED, _CLAUSE, "a message has one signer", expected="1", got=str(len(signed.signers)))
    signer = signed.signers[0]
    id = attributes.transaction_id(signer.attributes)
    raw_id = attributes.raw_transaction_id(signer.attributes)
    nonce = attributes.sender_nonce(signer.attributes)
    return signed, signer, Transaction(id, raw_id, nonce, algorithms.digest_name(signer.digest))


def verified(exchange: Exchange, profile: Profile, signed: SignedData, signer: Signer, transaction: Transaction) -> PkiMessage:
    """The message, once everything that is signed holds.

    :raises Refused: ``BAD_SIGNATURE``, ``BAD_SIGNATURE_ALGORITHM``, ``MALFORMED``, ``UNSUPPORTED_OPERATION``, ``BAD_TIME``.
    """
    options = profile.scep
    if signed.content_type != DATA:
        raise Refused(Reason.MALFORMED, _CLAUSE, "the eContentType is data", expected=DATA, got=signed.content_type)
    named, others = _signers_certificate(signed, signer)
    public_key = load_public_key(named.spki)
    verify(signer, signed.content_type, signed.content or b"", public_key, digests=options.digests)
    kind = attributes.message_type(signer.attributes)
    _check_nonce(profile, transaction.nonce)
    if options.signing_time:
        _check_time(exchange, options.signing_time, signer)
    if signed.content is None:
        raise Refused(Reason.MALFORMED, "RFC 8894 section 3.2", "the message has no pkcsPKIEnvelope")
    return PkiMessage(kind, transaction, named, public_key, others, signed.content)


def _signers_certificate(signed: SignedData, signer: Signer) -> tuple[Named, tuple[bytes, ...]]:
    """The signer's certificate among those that came along (section 2.3: it MUST be there), and the others."""
    for certificate in signed.certificates:
        named = Named.read(certificate)
        if named.is_meant(signer.identifier):
            return named, tuple([one for one in signed.certificates if one is not certificate])
    raise Refused(Reason.BAD_SIGNATURE, "RFC 8894 section 2.3", "the certificate of the signer is not in the message")


def _check_nonce(profile: Profile, nonce: bytes) -> None:
    least = attributes.SHORTEST_NONCE if tolerates(profile, profile.scep.tolerances.short_nonce) else attributes.NONCE_OCTETS
    if len(nonce) < least:
        raise Refused(
            Reason.MALFORMED,
            "RFC 8894 section 3.2.1.5",
            "a message has a senderNonce",
            expected=f"an OCTET STRING of {attributes.NONCE_OCTETS} octets",
            got=f"{len(nonce)} octets",
        )


def _check_time(exchange: Exchange, allowed: str, signer: Signer) -> None:
    at = attributes.signing_time(signer.attributes)
    if at is None or abs(exchange.now - at) > duration(allowed):
        raise Refused(
            Reason.BAD_TIME,
            "RFC 8894 section 3.2.1.4",
            "the signingTime is not close to the time of this server",
            expected=f"{exchange.now:%Y-%m-%dT%H:%M:%SZ} within {allowed}",
            got="none" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}",
        )
