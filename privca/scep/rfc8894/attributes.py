"""Transaction attributes (RFC 8894 section 3.2.1): signed attributes that say what a message is, and to what it belongs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.rfc5652.signed_data import attribute
from privca.pkix.rfc5652.signing import SIGNING_TIME

_ID = "2.16.840.1.113733.1.9."
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO = f"{_ID}2", f"{_ID}3", f"{_ID}4"
SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION_ID = f"{_ID}5", f"{_ID}6", f"{_ID}7"
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"
NONCE_OCTETS = 16
SHORTEST_NONCE = 4
LONGEST_NONCE = 64
LONGEST_TRANSACTION_ID = 255

_OCTET_STRING, _PRINTABLE_STRING, _UTF8_STRING, _UTC_TIME, _GENERALIZED_TIME = 0x04, 0x13, 0x0C, 0x17, 0x18
# What transaction IDs come in: PrintableString as the RFC says, and what devices take for it.
_STRINGS = {0x13: "ascii", 0x0C: "utf-8", 0x16: "ascii", 0x14: "latin-1"}


class MessageType(enum.IntEnum):
    """Section 3.2.1.2."""

    CERT_REP = 3
    RENEWAL_REQ = 17
    PKCS_REQ = 19
    CERT_POLL = 20
    GET_CERT = 21
    GET_CRL = 22


class PkiStatus(enum.IntEnum):
    """Section 3.2.1.3."""

    SUCCESS = 0
    FAILURE = 2
    PENDING = 3


class FailInfo(enum.IntEnum):
    """Section 3.2.1.4."""

    BAD_ALG = 0
    BAD_MESSAGE_CHECK = 1
    BAD_REQUEST = 2
    BAD_TIME = 3
    BAD_CERT_ID = 4


Attributes = Mapping[str, tuple[bytes, ...]]


def _only(attributes: Attributes, oid: str) -> bytes | None:
    values = attributes.get(oid)
    return values[0] if values is not None and len(values) == 1 else None


def text_of(attributes: Attributes, oid: str) -> str | None:
    """The text of an attribute; None if it is absent or no text."""
    value = _only(attributes, oid)
    if value is None or value[0] not in _STRINGS:
        return None
    try:
        return der.content(value).decode(_STRINGS[value[0]])
    except UnicodeDecodeError:
        return None


def transaction_id(attributes: Attributes) -> str:
    """The transaction ID; without it nothing can be answered. :raises Refused: ``MALFORMED``."""
    found = text_of(attributes, TRANSACTION_ID)
    if not found or len(found) > LONGEST_TRANSACTION_ID or not found.isprintable():
        raise Refused(
            Reason.MALFORMED,
            "RFC 8894 section 3.2.1.1",
            "a message has one transactionID",
            expected=f"a PrintableString of 1 to {LONGEST_TRANSACTION_ID} characters",
        )
    return found


def sender_nonce(attributes: Attributes) -> bytes:
    """The senderNonce as it came, empty if it is absent or no OCTET STRING of a bearable length."""
    value = _only(attributes, SENDER_NONCE)
    if value is None or value[0] != _OCTET_STRING:
        return b""
    nonce = der.content(value)
    return nonce if len(nonce) <= LONGEST_NONCE else b""


def message_type(attributes: Attributes) -> MessageType:
    """What the message asks for. :raises Refused: ``UNSUPPORTED_OPERATION`` for a type that is absent, unknown, or a reply."""
    found = text_of(attributes, MESSAGE_TYPE)
    try:
        kind = MessageType(int(found)) if found is not None and found.isascii() and found.isdecimal() else None
    except ValueError:
        kind = None
    if kind is None or kind is MessageType.CERT_REP:
        raise Refused(
            Reason.UNSUPPORTED_OPERATION,
            "RFC 8894 section 3.2.1.2",
            "unknown messageType",
            expected="17, 19, 20, 21 or 22",
            got="none" if found is None else repr(found[:20]),
        )
    return kind


def signing_time(attributes: Attributes) -> datetime | None:
    """When the client says that it signed (RFC 5652 section 11.3); None if it does not say so, or what it says is no time."""
    value = _only(attributes, SIGNING_TIME)
    if value is None or value[0] not in (_UTC_TIME, _GENERALIZED_TIME):
        return None
    text = der.content(value).decode("ascii", "replace")
    if value[0] == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _printable(oid: str, text: str) -> bytes:
    return attribute(oid, der.tlv(_PRINTABLE_STRING, text.encode("ascii")))


_CERT_REP = _printable(MESSAGE_TYPE, str(int(MessageType.CERT_REP)))
_STATUS = {status: _printable(PKI_STATUS, str(int(status))) for status in PkiStatus}
_FAIL_INFO = {info: _printable(FAIL_INFO, str(int(info))) for info in FailInfo}


def of_reply(
    status: PkiStatus,
    raw_transaction_id: bytes,
    recipient_nonce: bytes,
    fresh_nonce: bytes,
    fail_info: FailInfo | None = None,
    fail_info_text: str = "",
) -> list[bytes]:
    """The attributes of a CertRep (section 3.3.2), DER.

    :param raw_transaction_id: the attribute's value as the request had it, DER. :param recipient_nonce: the request's senderNonce.
    """
    found = [
        _CERT_REP,
        _STATUS[status],
        attribute(TRANSACTION_ID, raw_transaction_id),
        attribute(SENDER_NONCE, der.tlv(_OCTET_STRING, fresh_nonce)),
    ]
    if recipient_nonce:
        found.append(attribute(RECIPIENT_NONCE, der.tlv(_OCTET_STRING, recipient_nonce)))
    if fail_info is not None:
        found.append(_FAIL_INFO[fail_info])
        if fail_info_text:
            found.append(attribute(FAIL_INFO_TEXT, der.tlv(_UTF8_STRING, fail_info_text.encode())))
    return found


def raw_transaction_id(attributes: Attributes) -> bytes:
    """The transaction ID as it came, DER, to be sent back octet for octet."""
    return attributes[TRANSACTION_ID][0]
