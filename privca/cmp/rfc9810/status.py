"""PKIStatusInfo (RFC 9810 section 5.2.3): the one table from a reason to failInfo, and what replies and clients say of a status."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810.message import free_text
from privca.pkix import der

_CLAUSE = "RFC 9810 section 5.2.3"
_TEXT = 400
"""Characters of a statusString at most."""


class Status(enum.IntEnum):
    """PKIStatus."""

    ACCEPTED = 0
    GRANTED_WITH_MODS = 1
    REJECTION = 2
    WAITING = 3
    REVOCATION_WARNING = 4
    REVOCATION_NOTIFICATION = 5
    KEY_UPDATE_WARNING = 6


class FailInfo(enum.IntEnum):
    """PKIFailureInfo: numbers of bits."""

    BAD_ALG = 0
    BAD_MESSAGE_CHECK = 1
    BAD_REQUEST = 2
    BAD_TIME = 3
    BAD_CERT_ID = 4
    BAD_DATA_FORMAT = 5
    WRONG_AUTHORITY = 6
    INCORRECT_DATA = 7
    MISSING_TIME_STAMP = 8
    BAD_POP = 9
    CERT_REVOKED = 10
    CERT_CONFIRMED = 11
    WRONG_INTEGRITY = 12
    BAD_RECIPIENT_NONCE = 13
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    ADD_INFO_NOT_AVAILABLE = 17
    BAD_SENDER_NONCE = 18
    BAD_CERT_TEMPLATE = 19
    SIGNER_NOT_TRUSTED = 20
    TRANSACTION_ID_IN_USE = 21
    UNSUPPORTED_VERSION = 22
    NOT_AUTHORIZED = 23
    SYSTEM_UNAVAIL = 24
    SYSTEM_FAILURE = 25
    DUPLICATE_CERT_REQ = 26


TABLE: Mapping[Reason, FailInfo] = MappingProxyType(
    {
        Reason.MALFORMED: FailInfo.BAD_DATA_FORMAT,
        Reason.TOO_LARGE: FailInfo.BAD_DATA_FORMAT,
        Reason.NOT_FOUND: FailInfo.BAD_CERT_ID,
        Reason.METHOD_NOT_ALLOWED: FailInfo.BAD_REQUEST,
        Reason.UNSUPPORTED_MEDIA_TYPE: FailInfo.BAD_REQUEST,
        Reason.NOT_ACCEPTABLE: FailInfo.BAD_REQUEST,
        Reason.BAD_NONCE: FailInfo.BAD_RECIPIENT_NONCE,
        Reason.BAD_SIGNATURE: FailInfo.BAD_MESSAGE_CHECK,
        Reason.BAD_SIGNATURE_ALGORITHM: FailInfo.BAD_ALG,
        Reason.RATE_LIMITED: FailInfo.SYSTEM_UNAVAIL,
        Reason.UNAUTHENTICATED: FailInfo.BAD_MESSAGE_CHECK,
        Reason.UNAUTHORIZED: FailInfo.NOT_AUTHORIZED,
        Reason.UNKNOWN_ACCOUNT: FailInfo.NOT_AUTHORIZED,
        Reason.KEY_IN_USE: FailInfo.BAD_CERT_TEMPLATE,
        Reason.EXTERNAL_ACCOUNT_REQUIRED: FailInfo.NOT_AUTHORIZED,
        Reason.TERMS_NOT_AGREED: FailInfo.NOT_AUTHORIZED,
        Reason.INVALID_CONTACT: FailInfo.BAD_REQUEST,
        Reason.UNSUPPORTED_CONTACT: FailInfo.BAD_REQUEST,
        Reason.BAD_CSR: FailInfo.BAD_CERT_TEMPLATE,
        Reason.BAD_PUBLIC_KEY: FailInfo.BAD_CERT_TEMPLATE,
        Reason.UNSUPPORTED_IDENTIFIER: FailInfo.BAD_CERT_TEMPLATE,
        Reason.REJECTED_IDENTIFIER: FailInfo.BAD_CERT_TEMPLATE,
        Reason.BAD_VALIDITY: FailInfo.BAD_CERT_TEMPLATE,
        Reason.OUTSIDE_RENEWAL_WINDOW: FailInfo.BAD_REQUEST,
        Reason.ORDER_NOT_READY: FailInfo.BAD_REQUEST,
        Reason.WRONG_STATE: FailInfo.BAD_REQUEST,
        Reason.ALREADY_REVOKED: FailInfo.CERT_REVOKED,
        Reason.BAD_REVOCATION_REASON: FailInfo.BAD_REQUEST,
        Reason.COMPOUND: FailInfo.BAD_CERT_TEMPLATE,
        Reason.BAD_POP: FailInfo.BAD_POP,
        Reason.BAD_TIME: FailInfo.BAD_TIME,
        Reason.MISSING_TIME: FailInfo.MISSING_TIME_STAMP,
        Reason.BAD_SENDER_NONCE: FailInfo.BAD_SENDER_NONCE,
        Reason.BAD_DIGEST: FailInfo.INCORRECT_DATA,
        Reason.WRONG_PROTECTION: FailInfo.WRONG_INTEGRITY,
        Reason.SIGNER_NOT_TRUSTED: FailInfo.SIGNER_NOT_TRUSTED,
        Reason.UNSUPPORTED_VERSION: FailInfo.UNSUPPORTED_VERSION,
        Reason.UNSUPPORTED_OPERATION: FailInfo.BAD_REQUEST,
        Reason.UNSUPPORTED_INFORMATION: FailInfo.ADD_INFO_NOT_AVAILABLE,
        Reason.TRANSACTION_IN_USE: FailInfo.TRANSACTION_ID_IN_USE,
        Reason.UNKNOWN_CERTIFICATE: FailInfo.BAD_CERT_ID,
        Reason.WRONG_AUTHORITY: FailInfo.WRONG_AUTHORITY,
        Reason.ALREADY_CONFIRMED: FailInfo.CERT_CONFIRMED,
        Reason.DUPLICATE_REQUEST: FailInfo.DUPLICATE_CERT_REQ,
        Reason.UNACCEPTED_EXTENSION: FailInfo.UNACCEPTED_EXTENSION,
        Reason.UNACCEPTED_POLICY: FailInfo.UNACCEPTED_POLICY,
        # Proof of control of names is ACME's.
        Reason.CAA: FailInfo.NOT_AUTHORIZED,
        Reason.CONNECTION: FailInfo.NOT_AUTHORIZED,
        Reason.DNS: FailInfo.NOT_AUTHORIZED,
        Reason.TLS: FailInfo.NOT_AUTHORIZED,
        Reason.INCORRECT_RESPONSE: FailInfo.NOT_AUTHORIZED,
        Reason.INTERNAL: FailInfo.SYSTEM_FAILURE,
        Reason.UNAVAILABLE: FailInfo.SYSTEM_UNAVAIL,
    }
)


def status_info(status: Status, text: str = "", failure: FailInfo | None = None) -> bytes:
    """PKIStatusInfo as DER."""
    parts = [der.integer(status)]
    if text:
        parts.append(free_text([text[:_TEXT]]))
    if failure is not None:
        # A named bit list ends with its last bit that is set (X.690 section 11.2.2).
        octets = bytearray(failure // 8 + 1)
        octets[-1] = 0x80 >> failure % 8
        parts.append(der.tlv(0x03, bytes((7 - failure % 8,)), bytes(octets)))
    return der.tlv(0x30, *parts)


def rejection(refused: Refused) -> bytes:
    """PKIStatusInfo of a refusal."""
    return status_info(Status.REJECTION, str(refused), TABLE[refused.reason])


@der.sequence
class _StatusInfo:
    status: int
    text: list[str] | None
    failure: der.BitString | None


@dataclass(frozen=True, slots=True)
class StatusInfo:
    """What a client says of a status. ``failed`` tells whether it gave any failInfo."""

    status: int
    text: str
    failed: bool


def parse(octets: bytes, *, clause: str = _CLAUSE) -> StatusInfo:
    """From DER. :raises Refused: ``MALFORMED``."""
    info = der.decode(_StatusInfo, octets, clause=clause)
    if not 0 <= info.status <= max(Status):
        raise Refused(Reason.MALFORMED, clause, "unknown PKIStatus", got=str(info.status)[:20])
    return StatusInfo(info.status, " ".join(info.text or ())[:_TEXT], info.failure is not None and any(info.failure.as_bytes()))


@der.sequence
class _ErrorMessage:
    status: der.TLV
    code: int | None
    details: list[str] | None


def parse_error(octets: bytes) -> StatusInfo:
    """The status of an ErrorMsgContent (section 5.3.21). :raises Refused: ``MALFORMED``."""
    clause = "RFC 9810 section 5.3.21"
    return parse(der.encode(der.decode(_ErrorMessage, octets, clause=clause).status), clause=clause)
