"""PKIMessage and PKIHeader (RFC 9810 sections 5.1 and 5.1.1): read, with the octets that are protected kept, and written.

Protection is verified over header and body as they were received, never over a re-encoding.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from cryptography import x509

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.requested import AlgorithmIdentifier

MAXIMUM_OCTETS = der.MAXIMUM_OCTETS
MAXIMUM_CERTIFICATES = 32
MAXIMUM_INFORMATION = 32
MAXIMUM_IDENTIFIER = 255
"""Octets of a transactionID, nonce or key identifier: 16 are usual."""

_CLAUSE = "RFC 9810 section 5.1"
_HEADER = "RFC 9810 section 5.1.1"
_SEQUENCE = 0x30
NULL_DN = b"\xa4\x02\x30\x00"
"""GeneralName directoryName of an empty name."""


class Body(enum.IntEnum):
    """The alternatives of PKIBody by their tags (section 5.1.2)."""

    IR = 0
    IP = 1
    CR = 2
    CP = 3
    P10CR = 4
    POPDECC = 5
    POPDECR = 6
    KUR = 7
    KUP = 8
    KRR = 9
    KRP = 10
    RR = 11
    RP = 12
    CCR = 13
    CCP = 14
    CKUANN = 15
    CANN = 16
    RANN = 17
    CRLANN = 18
    PKICONF = 19
    NESTED = 20
    GENM = 21
    GENP = 22
    ERROR = 23
    CERTCONF = 24
    POLLREQ = 25
    POLLREP = 26


_LAST = max(Body)


def id_it(number: int) -> x509.ObjectIdentifier:
    """An InfoTypeAndValue's type below id-it (section 5.3.19)."""
    return x509.ObjectIdentifier(f"1.3.6.1.5.5.7.4.{number}")


IMPLICIT_CONFIRM = id_it(13)
CONFIRM_WAIT_TIME = id_it(14)
ORIG_PKI_MESSAGE = id_it(15)
CERT_PROFILE = id_it(21)
KEM_CIPHERTEXT_INFO = id_it(24)


@der.sequence
class _Information:
    type: x509.ObjectIdentifier
    value: der.Null | der.TLV | None


@der.sequence
class _Header:
    pvno: int
    sender: der.TLV
    recipient: der.TLV
    message_time: Annotated[der.GeneralizedTime | None, der.Explicit(0)]
    protection_alg: Annotated[AlgorithmIdentifier | None, der.Explicit(1)]
    sender_kid: Annotated[bytes | None, der.Explicit(2)]
    recip_kid: Annotated[bytes | None, der.Explicit(3)]
    transaction_id: Annotated[bytes | None, der.Explicit(4)]
    sender_nonce: Annotated[bytes | None, der.Explicit(5)]
    recip_nonce: Annotated[bytes | None, der.Explicit(6)]
    free_text: Annotated[list[str] | None, der.Explicit(7)]
    general_info: Annotated[list[_Information] | None, der.Explicit(8)]


@der.sequence
class _Message:
    header: der.TLV
    body: der.TLV
    protection: Annotated[der.BitString | None, der.Explicit(0)]
    extra_certs: Annotated[list[der.TLV] | None, der.Explicit(1)]


@der.sequence
class _Informations:
    all: list[_Information]


@dataclass(frozen=True, slots=True)
class Information:
    """InfoTypeAndValue: ``value`` is DER, None if absent."""

    type: x509.ObjectIdentifier
    value: bytes | None = None

    def encode(self) -> bytes:
        """As DER."""
        return der.tlv(_SEQUENCE, der.oid(self.type), self.value or b"")


@dataclass(frozen=True, slots=True)
class Header:
    """Section 5.1.1. Names are GeneralNames as DER; ``protection_alg`` is an AlgorithmIdentifier as DER; what is absent is None."""

    pvno: int
    sender: bytes
    recipient: bytes = NULL_DN
    message_time: datetime | None = None
    protection_alg: bytes | None = None
    sender_kid: bytes | None = None
    recip_kid: bytes | None = None
    transaction_id: bytes | None = None
    sender_nonce: bytes | None = None
    recip_nonce: bytes | None = None
    free_text: tuple[str, ...] = ()
    general_info: tuple[Information, ...] = ()

    def information(self, type: x509.ObjectIdentifier) -> Information | None:
        """The first piece of generalInfo of a type."""
        return next((one for one in self.general_info if one.type == type), None)

    def sender_name(self) -> bytes | None:
        """The sender's Name as DER, if it is a directoryName."""
        return der.elements(self.sender, clause=_HEADER)[0] if self.sender.startswith(b"\xa4") else None

    def encode(self) -> bytes:
        """As DER."""
        parts = [der.integer(self.pvno), self.sender, self.recipient]
        if self.message_time is not None:
            parts.append(der.tlv(0xA0, generalized_time(self.message_time)))
        if self.protection_alg is not None:
            parts.append(der.tlv(0xA1, self.protection_alg))
        for tag, octets in (
            (0xA2, self.sender_kid),
            (0xA3, self.recip_kid),
            (0xA4, self.transaction_id),
            (0xA5, self.sender_nonce),
            (0xA6, self.recip_nonce),
        ):
            if octets is not None:
                parts.append(der.tlv(tag, der.tlv(0x04, octets)))
        if self.free_text:
            parts.append(der.tlv(0xA7, free_text(self.free_text)))
        if self.general_info:
            parts.append(der.tlv(0xA8, der.tlv(_SEQUENCE, *(one.encode() for one in self.general_info))))
        return der.tlv(_SEQUENCE, *parts)


@dataclass(frozen=True, slots=True)
class PkiMessage:
    """Section 5.1. ``header_der`` and ``body_der`` are as received; ``content`` is the DER inside the body's tag."""

    octets: bytes = field(repr=False)
    header: Header
    header_der: bytes = field(repr=False)
    body: Body
    body_der: bytes = field(repr=False)
    content: bytes = field(repr=False)
    protection: bytes | None = field(repr=False)
    extra_certs: tuple[bytes, ...] = field(repr=False)

    def protected_part(self) -> bytes:
        """What the protection is over (section 5.1.3)."""
        return der.tlv(_SEQUENCE, self.header_der, self.body_der)


def generalized_time(at: datetime) -> bytes:
    """GeneralizedTime as DER (section 5.2.9: as RFC 5280 section 4.1.2.5.2)."""
    return der.tlv(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())


def free_text(texts: Sequence[str]) -> bytes:
    """PKIFreeText as DER."""
    return der.tlv(_SEQUENCE, *(der.tlv(0x0C, text.encode()) for text in texts))


def directory_name(name: bytes) -> bytes:
    """GeneralName directoryName of a Name (DER)."""
    return der.tlv(0xA4, name)


def informations(octets: bytes, clause: str) -> tuple[Information, ...]:
    """A SEQUENCE OF InfoTypeAndValue. :raises Refused: ``MALFORMED``, ``TOO_LARGE``."""
    return _informations(der.decode(_Informations, der.tlv(_SEQUENCE, octets), clause=clause).all, clause)


def parse(octets: bytes) -> PkiMessage:
    """The PKIMessage that ``octets`` (DER) are. :raises Refused: ``MALFORMED``, ``TOO_LARGE``."""
    if len(octets) > MAXIMUM_OCTETS:
        raise Refused(Reason.TOO_LARGE, _CLAUSE, "the message is too large", expected=f"at most {MAXIMUM_OCTETS} octets")
    message = der.decode(_Message, octets, clause=_CLAUSE)
    header_der, body_der = der.encode(message.header), der.encode(message.body)
    (tag,) = message.body.tag_bytes[:1]
    if len(message.body.tag_bytes) != 1 or tag & 0xE0 != 0xA0 or tag & 0x1F > _LAST:
        raise Refused(Reason.MALFORMED, "RFC 9810 section 5.1.2", "unknown kind of body", got=f"tag {tag:#x}")
    certificates = message.extra_certs or []
    if len(certificates) > MAXIMUM_CERTIFICATES:
        raise Refused(
            Reason.TOO_LARGE,
            _CLAUSE,
            "too many extraCerts",
            expected=f"at most {MAXIMUM_CERTIFICATES}",
            got=str(len(certificates)),
        )
    return PkiMessage(
        octets=octets,
        header=_header(header_der),
        header_der=header_der,
        body=Body(tag & 0x1F),
        body_der=body_der,
        content=_content(body_der),
        protection=None if message.protection is None else _octets(message.protection),
        extra_certs=tuple(der.encode(certificate) for certificate in certificates),
    )


def encode(header: bytes, body: bytes, protection: bytes | None, extra_certs: Sequence[bytes] = ()) -> bytes:
    """A PKIMessage as DER from its encoded parts."""
    parts = [header, body]
    if protection is not None:
        parts.append(der.tlv(0xA0, der.tlv(0x03, b"\0", protection)))
    if extra_certs:
        parts.append(der.tlv(0xA1, der.tlv(_SEQUENCE, *extra_certs)))
    return der.tlv(_SEQUENCE, *parts)


def encode_body(body: Body, content: bytes) -> bytes:
    """A PKIBody as DER."""
    return der.tlv(0xA0 | body, content)


def _content(body: bytes) -> bytes:
    parts = der.elements(body, clause="RFC 9810 section 5.1.2")
    if len(parts) != 1:
        raise Refused(Reason.MALFORMED, "RFC 9810 section 5.1.2", "a body has one element inside its tag")
    return parts[0]


def _header(octets: bytes) -> Header:
    header = der.decode(_Header, octets, clause=_HEADER)
    texts = header.free_text or []
    for identifier in (header.sender_kid, header.recip_kid, header.transaction_id, header.sender_nonce, header.recip_nonce):
        if identifier is not None and len(identifier) > MAXIMUM_IDENTIFIER:
            raise Refused(
                Reason.TOO_LARGE, _HEADER, "an identifier or nonce is too long", expected=f"at most {MAXIMUM_IDENTIFIER} octets"
            )
    if not -(1 << 31) <= header.pvno < 1 << 31:
        raise Refused(Reason.UNSUPPORTED_VERSION, "RFC 9810 section 7", "an unknown version", expected="2 or 3")
    return Header(
        pvno=header.pvno,
        sender=der.encode(header.sender),
        recipient=der.encode(header.recipient),
        message_time=None if header.message_time is None else header.message_time.as_datetime(),
        protection_alg=None if header.protection_alg is None else der.encode(header.protection_alg),
        sender_kid=header.sender_kid,
        recip_kid=header.recip_kid,
        transaction_id=header.transaction_id,
        sender_nonce=header.sender_nonce,
        recip_nonce=header.recip_nonce,
        free_text=tuple(texts[:MAXIMUM_INFORMATION]),
        general_info=_informations(header.general_info or [], _HEADER),
    )


def _informations(found: list[_Information], clause: str) -> tuple[Information, ...]:
    if len(found) > MAXIMUM_INFORMATION:
        raise Refused(Reason.TOO_LARGE, clause, "too many InfoTypeAndValue", expected=f"at most {MAXIMUM_INFORMATION}")
    return tuple(Information(one.type, _value(one.value)) for one in found)


def _value(value: der.Null | der.TLV | None) -> bytes | None:
    if value is None:
        return None
    return b"\x05\x00" if isinstance(value, der.Null) else der.encode(value)


def _octets(bits: der.BitString) -> bytes:
    if bits.padding_bits():
        raise Refused(Reason.MALFORMED, "RFC 9810 section 5.1.3", "a protection is a whole number of octets")
    return bits.as_bytes()
