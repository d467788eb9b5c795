"""CMCStatusInfoV2 (RFC 5272 section 6.1): what is answered about each part of a request."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime

from privca.pkix import der
from privca.pkix.rfc5272.values import SEQUENCE, integer, octet_string, utf8_string

_GENERALIZED_TIME = 0x18


class CmcStatus(enum.IntEnum):
    """CMCStatus (section 6.1.3)."""

    SUCCESS = 0
    FAILED = 2
    PENDING = 3
    NO_SUPPORT = 4
    CONFIRM_REQUIRED = 5
    POP_REQUIRED = 6
    PARTIAL = 7


class CmcFailInfo(enum.IntEnum):
    """CMCFailInfo (section 6.1.4)."""

    BAD_ALG = 0
    BAD_MESSAGE_CHECK = 1
    BAD_REQUEST = 2
    BAD_TIME = 3
    BAD_CERT_ID = 4
    UNSUPPORTED_EXT = 5
    MUST_ARCHIVE_KEYS = 6
    BAD_IDENTITY = 7
    POP_REQUIRED = 8
    POP_FAILED = 9
    NO_KEY_REUSE = 10
    INTERNAL_CA_ERROR = 11
    TRY_LATER = 12
    AUTH_DATA_FAIL = 13


@dataclass(frozen=True, slots=True)
class PendInfo:
    """What a client asks again with (section 6.13), and when it should."""

    token: bytes
    time: datetime


@dataclass(frozen=True, slots=True)
class StatusInfo:
    """One CMCStatusInfoV2. ``bodies`` are the parts that it is about, never empty; 0 is the whole message.

    ``fail_info`` goes with ``FAILED`` alone, ``pend_info`` with ``PENDING`` and ``PARTIAL`` (section 6.1.1).
    """

    status: CmcStatus
    bodies: tuple[int, ...]
    text: str = ""
    fail_info: CmcFailInfo | None = None
    pend_info: PendInfo | None = None

    def encode(self) -> bytes:
        """The CMCStatusInfoV2 as DER. extendedFailInfo is never written (RFC 5274 section 4)."""
        other = b""
        if self.fail_info is not None:
            other = integer(self.fail_info)
        elif self.pend_info is not None:
            other = der.tlv(SEQUENCE, octet_string(self.pend_info.token), generalized_time(self.pend_info.time))
        return der.tlv(
            SEQUENCE,
            integer(self.status),
            der.tlv(SEQUENCE, *[integer(body) for body in self.bodies]),
            utf8_string(self.text) if self.text else b"",
            other,
        )


def generalized_time(at: datetime) -> bytes:
    """A GeneralizedTime (RFC 5280 section 4.1.2.5.2) as DER."""
    return der.tlv(_GENERALIZED_TIME, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())
