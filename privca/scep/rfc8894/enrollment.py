"""PKCSReq and RenewalReq (RFC 8894 sections 3.3.1, 4.3): who asks, whether he may, and the certificate, again and again the same one.

A request is known by its transaction ID, the key that signed the message and the digest of its PKCS #10: sent again, it gets the same
certificate, and what its credential was is not asked again. The transaction ID alone is no key: sscep gives one to every request of a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from warnings import catch_warnings, simplefilter

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privca.base.exchange import Exchange
from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.enrollment.credentials import Credentials
from privca.enrollment.door import Door, Identity, Issued, Pending, Submission
from privca.issuance.profile import Revisioned
from privca.pkix import algorithms, der, rfc2986
from privca.pkix.rfc2986 import CertificationRequest
from privca.scep.rfc8894 import cert_rep, envelope
from privca.scep.rfc8894.attributes import MessageType
from privca.scep.rfc8894.envelope import Envelope
from privca.scep.rfc8894.parties import Party
from privca.scep.rfc8894.pki_message import PkiMessage
from privca.scep.rfc8894.transport import tolerates

_SIGNATURE_CLAUSE = "RFC 5280 section 4.1.1.2"


def transaction_prefix(message: PkiMessage) -> str:
    """What the IDs of all requests of one transaction by one signer begin with.

    A self-signed certificate is made anew for each message, and only its key is the signer. One of a CA is the signer itself: a renewal
    with the old key, and so with the same PKCS #10 and transaction ID, is another request than the one that it renews.
    """
    signer = message.signer.spki if message.self_issued else message.signer.der
    digest = hashlib.sha256(message.transaction.id.encode() + b"\0" + signer).hexdigest()
    return f"scep:{digest}:"


async def enroll(
    exchange: Exchange, profile: Revisioned, door: Door, credentials: Credentials, message: PkiMessage, addressed: Envelope
) -> Response:
    """Answer a PKCSReq or RenewalReq. :raises Refused:"""
    csr = await envelope.opened(
        exchange,
        profile,
        credentials,
        addressed,
        # What the profile allows in messages it allows in their requests: the message's own signature is by the same key.
        lambda octets: rfc2986.parse(octets, tolerant=profile.profile.tolerant, old=profile.profile.scep.digests),
        _decoy(addressed.party),
    )
    challenge = csr.challenge_password
    password = challenge.encode() if challenge and profile.profile.scep.password_recipients else None
    if not cert_rep.can_receive(message, password):
        # Before anything is issued that could not be delivered.
        raise Refused(
            Reason.BAD_SIGNATURE_ALGORITHM,
            "RFC 8894 section 3.1",
            "a reply cannot be encrypted for the signer's key",
            expected="RSA",
        )
    request_id = transaction_prefix(message) + hashlib.sha256(csr.der).hexdigest()
    answer: Issued | Pending
    try:
        submission = await _submission(exchange, profile, credentials, message, addressed, csr, request_id)
        answer = await door.submit(exchange, profile, submission)
    except Refused as refused:
        # Looked for here and not before: the common request is new. What was answered stays so, whatever its credential is worth now.
        answer = await _answered(exchange, profile, door, request_id, refused)
    exchange.decision.facts["transactionID"] = message.transaction.id
    if isinstance(answer, Pending):
        return await cert_rep.pending(exchange, profile.profile, addressed.party, message.transaction)
    return await issued(exchange, profile, door, message, addressed, answer, password)


async def issued(
    exchange: Exchange,
    profile: Revisioned,
    door: Door,
    message: PkiMessage,
    addressed: Envelope,
    answer: Issued,
    password: bytes | None,
) -> Response:
    """SUCCESS with a certificate."""
    certificate = answer.certificate
    assert certificate.der is not None
    above: tuple[bytes, ...] = ()
    if profile.profile.scep.ca_in_reply:
        above = (await door.chains(certificate))[0].certificates[:1]
    return await cert_rep.success(
        exchange,
        profile.profile,
        addressed.party,
        message,
        addressed.cipher,
        certificates=[certificate.der, *above],
        password=password,
    )


async def _answered(exchange: Exchange, profile: Revisioned, door: Door, request_id: str, refused: Refused) -> Issued | Pending:
    """What became of a request that was made before. :raises Refused: as it was refused now, if it was not, or was rejected."""
    try:
        return await door.resume(exchange, profile, request_id)
    except Refused as unknown:
        if unknown.reason is not Reason.NOT_FOUND:
            raise
        raise refused from None


async def _submission(
    exchange: Exchange,
    profile: Revisioned,
    credentials: Credentials,
    message: PkiMessage,
    addressed: Envelope,
    csr: CertificationRequest,
    request_id: str,
) -> Submission:
    identity = await _identity(exchange, profile, credentials, message, addressed, csr)
    renews = None
    if identity.certificate is not None and not identity.ra:
        # Section 2.5; macOS and sscep send PKCSReq for it, signed by the certificate that they renew.
        renews = identity.certificate
        if not csr.names and tolerates(profile.profile, profile.profile.scep.tolerances.bare_renewal):
            csr = replace(csr, names=renews.names)
    return Submission(request_id, identity, csr, renews=renews)


async def _identity(
    exchange: Exchange,
    profile: Revisioned,
    credentials: Credentials,
    message: PkiMessage,
    addressed: Envelope,
    csr: CertificationRequest,
) -> Identity:
    """Who asks: by an existing certificate, by a challengePassword, by the password that the request was encrypted under, or nobody."""
    if not message.self_issued and (message.kind is MessageType.RENEWAL_REQ or "certificate" in profile.profile.authentication):
        try:
            return await credentials.certificate(exchange, profile, message.signer.der, message.others)
        except Refused:
            if message.kind is MessageType.RENEWAL_REQ or not csr.challenge_password:
                raise
            # A certificate that proves nothing here, and a challengePassword beside it that may.
    if message.kind is MessageType.RENEWAL_REQ:
        raise Refused(
            Reason.UNAUTHENTICATED,
            "RFC 8894 section 2.4",
            "a RenewalReq is signed with a certificate of a CA, not a self-signed one",
        )
    _check_same_key(message, csr)
    if message.self_issued:
        _check_self_signed(exchange, profile, message, csr)
    if addressed.secret is not None:
        return await credentials.proven(exchange, profile, addressed.secret)
    if csr.challenge_password:
        return await credentials.password(exchange, profile, None, csr.challenge_password.encode())
    return await credentials.anonymous(exchange, profile)


def _check_same_key(message: PkiMessage, csr: CertificationRequest) -> None:
    """A shared secret vouches for the key that signs: else who records a request could send it again as his own."""
    if message.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != csr.spki:
        raise Refused(Reason.UNAUTHENTICATED, "RFC 8894 section 2.3", "the message is not signed by the key of the request")


def _check_self_signed(exchange: Exchange, profile: Revisioned, message: PkiMessage, csr: CertificationRequest) -> None:
    """What a self-signed certificate says about itself, where the profile wants that to be in order."""
    tolerances = profile.profile.scep.tolerances
    if not tolerates(profile.profile, tolerances.other_subject) and message.signer.subject != csr.subject.public_bytes():
        raise Refused(
            Reason.UNAUTHENTICATED, "RFC 8894 section 2.3", "the self-signed certificate has another subject than the request"
        )
    if not tolerates(profile.profile, tolerances.old_signer):
        _check_age(exchange, message.signer.der)


def _check_age(exchange: Exchange, certificate: bytes) -> None:
    clause = "RFC 5280 section 4.1.2"
    try:
        with catch_warnings():
            # Of a serial number that is not positive, which is no matter here.
            simplefilter("ignore")
            read = x509.load_der_x509_certificate(certificate)
        version, begin, end = read.version, read.not_valid_before_utc, read.not_valid_after_utc
    except (ValueError, x509.InvalidVersion):
        raise Refused(Reason.UNAUTHENTICATED, clause, "the self-signed certificate cannot be parsed") from None
    if version is not x509.Version.v3:
        raise Refused(Reason.UNAUTHENTICATED, clause, "the self-signed certificate is not of version 3")
    if not begin <= exchange.now <= end:
        raise Refused(Reason.UNAUTHENTICATED, clause, "the self-signed certificate is not yet valid, or has expired")


def _decoy(party: Party) -> Callable[[Refused], None]:
    """What costs as much as a request that is well-formed, and whose signature is wrong."""

    def read(refused: Refused) -> None:
        if refused.clause == _SIGNATURE_CLAUSE:
            return  # That was it.
        with suppress(Refused):
            rfc2986.parse(_decoy_request(party.named.spki, party.octets))

    return read


@lru_cache(maxsize=64)
def _decoy_request(spki: bytes, octets: int) -> bytes:
    """A PKCS #10 of this RSA key in order but for its signature, which is no special number either. :param octets: length of the modulus."""
    sha256_with_rsa = algorithms.identifier(algorithms.SIGNATURE_OIDS["RSA", "sha256"], algorithms.NULL)
    info = der.tlv(0x30, b"\x02\x01\x00", b"\x30\x00", spki, b"\xa0\x00")
    return der.tlv(0x30, info, sha256_with_rsa, der.tlv(0x03, b"\x00\x00", b"\x5a" * (octets - 1)))
