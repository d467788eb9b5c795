"""Whose key signed a message (RFC 5272 section 3.2): one that is certified, one of a request inside, or one of a request that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from privca.base.refused import Reason, Refused
from privca.enrollment.door import Door
from privca.est.rfc5272.certification import Certification
from privca.est.rfc5272.message import Message
from privca.pkix import der
from privca.pkix.rfc5272.identifiers import PKI_DATA
from privca.pkix.rfc5272.pki_data import OtherRequest, TaggedRequest
from privca.pkix.rfc5652 import signing
from privca.pkix.rfc5652.identifiers import Identifier, Named
from privca.pkix.rfc5652.signed_data import SignedData

_CLAUSE = "RFC 5272 section 3.2"
_SERIAL_OCTETS = 20
_CANDIDATES = 4


@dataclass(frozen=True, slots=True)
class ByCertificate:
    """The key of this certificate (DER) signed; whether it is accepted here is not judged yet."""

    certificate: bytes


@dataclass(frozen=True, slots=True)
class ByRequest:
    """The key of the request of this body part signed."""

    body: int


@dataclass(frozen=True, slots=True)
class ByWaiting:
    """The key of a request that waits signed (SubjectPublicKeyInfo)."""

    spki: bytes


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Nobody signed."""


Signer = ByCertificate | ByRequest | ByWaiting | Unsigned


def candidates(message: Message) -> list[TaggedRequest]:
    """The requests of a message whose key may have signed it: those that have the octets of the signer's key identifier in them.

    :raises Refused: ``MALFORMED`` for more than a few.
    """
    identifiers = [one.identifier.key for one in message.signed.signers]
    found: list[TaggedRequest] = [
        request
        for request in message.data.requests
        if not isinstance(request, OtherRequest) and any(key and key in request.der for key in identifiers)
    ]
    if len(found) > _CANDIDATES:
        raise Refused(
            Reason.MALFORMED,
            _CLAUSE,
            "the key identifier of the signer is in too many requests",
            expected=f"at most {_CANDIDATES}",
            got=str(len(found)),
        )
    return found


async def verify(door: Door, message: Message, certifications: Sequence[Certification], waiting: Sequence[bytes]) -> Signer:
    """Who signed a message; the signature is verified over the octets that were received.

    :param certifications: those of its :func:`candidates` that could be read.
    :param waiting: SubjectPublicKeyInfo of requests that the message asks about (section 6.13), which are no longer in it.
    :raises Refused: ``BAD_SIGNATURE``, ``BAD_SIGNATURE_ALGORITHM``; ``MALFORMED`` for several signers.
    """
    if not message.signed.signers:
        return Unsigned()
    if len(message.signed.signers) > 1:
        raise Refused(
            Reason.MALFORMED,
            _CLAUSE,
            "a full PKI request has one signer here: whose request it is must be one",
            expected="1 SignerInfo",
            got=str(len(message.signed.signers)),
        )
    identifier = message.signed.signers[0].identifier
    named = _carried(message.signed, identifier)
    requests = [one for one in certifications if identifier.key and one.key_identifier == identifier.key]
    # A certificate that its own key has signed is none of a CA: clients put one in because their CMS library wants to name the signer.
    if named is not None and not (requests and named.subject == named.issuer):
        return _verified(message, signing.load_public_key(named.spki), ByCertificate(named.der))
    if len(requests) > 1:
        raise Refused(Reason.MALFORMED, _CLAUSE, "the signer is named by a key identifier that more than one request has")
    if requests:
        return _verified(message, requests[0].requested.public_key, ByRequest(requests[0].body))
    if identifier.serial and (known := await _recorded(door, identifier)) is not None:
        return _verified(message, signing.load_public_key(known.spki), ByCertificate(known.der))
    for spki in waiting if identifier.key else ():
        return _verified(message, signing.load_public_key(spki), ByWaiting(spki))
    raise Refused(
        Reason.BAD_SIGNATURE,
        _CLAUSE,
        "the signer is neither a certificate that is known here or came along, nor the subjectKeyIdentifier of a request in the message",
    )


async def verify_wrapper(door: Door, signed: SignedData) -> None:
    """Verify a SignedData around an envelope (section 5, option 2). It says nothing of who asks, which the one inside does.

    :raises Refused: ``BAD_SIGNATURE``, ``BAD_SIGNATURE_ALGORITHM``.
    """
    if len(signed.signers) == 1 and signed.content is not None:
        identifier = signed.signers[0].identifier
        named = _carried(signed, identifier) or (await _recorded(door, identifier) if identifier.serial else None)
        if named is not None:
            signing.verify(signed.signers[0], signed.content_type, signed.content, signing.load_public_key(named.spki))
            return
    raise Refused(
        Reason.BAD_SIGNATURE, "RFC 5272 section 5", "the signature around an envelope is not one by a known certificate"
    )


def _verified(message: Message, key: PublicKeyTypes, signer: Signer) -> Signer:
    signing.verify(message.signed.signers[0], PKI_DATA.dotted_string, message.content, key)
    return signer


def _carried(signed: SignedData, identifier: Identifier) -> Named | None:
    for certificate in signed.certificates:
        try:
            named = Named.read(certificate)
        except Refused:
            continue  # Certificates of other formats, and what is none: nobody asked for them.
        if named.is_meant(identifier):
            return named
    return None


async def _recorded(door: Door, identifier: Identifier) -> Named | None:
    """The certificate of ours that an issuer and serial number name."""
    serial = der.children(der.tlv(0x30, identifier.serial), clause=_CLAUSE)[0][2:].lstrip(b"\0")
    if len(serial) > _SERIAL_OCTETS:
        return None
    record = await door.certificate(serial.rjust(_SERIAL_OCTETS, b"\0"))
    if record is None or record.der is None:
        return None
    named = Named.read(record.der)
    return named if named.is_meant(identifier) else None
