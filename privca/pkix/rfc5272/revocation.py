"""The Revocation Request control (RFC 5272 section 6.11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from privca.base.refused import Reason, Refused
from privca.pkix import der
from privca.pkix.rfc5272.values import read_integer

_CLAUSE = "RFC 5272 section 6.11"
_MAXIMUM_SECRET = 1024
_MAXIMUM_COMMENT = 1024
_MAXIMUM_ISSUER = 8192
_REASONS = frozenset((0, 1, 2, 3, 4, 5, 6, 8, 9, 10))
_ENUMERATED, _INTEGER, _NAME = b"\x0a", 0x02, b"\x30"


@der.sequence
class _RevokeRequest:
    issuer: der.TLV
    serial: int
    reason: der.TLV
    invalidity_date: der.GeneralizedTime | None
    passphrase: bytes | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class RevokeRequest:
    """Which certificate, and why. ``issuer`` is the Name as DER; ``reason`` is a CRLReason of RFC 5280 section 5.3.1.

    ``secret`` is the shared secret that takes the place of a signature where the key is lost.
    """

    issuer: bytes
    serial: int
    reason: int
    invalidity_date: datetime | None
    secret: bytes | None = field(repr=False)
    comment: str | None


def read_revoke_request(value: bytes) -> RevokeRequest:
    """A RevokeRequest. :raises Refused: ``MALFORMED``; ``BAD_REVOCATION_REASON`` for a number that is no CRLReason."""
    request = der.decode(_RevokeRequest, value, clause=_CLAUSE)
    issuer = der.encode(request.issuer)
    if request.issuer.tag_bytes != _NAME or len(issuer) > _MAXIMUM_ISSUER:
        raise _refuse("issuerName is not a Name")
    if len(request.passphrase or b"") > _MAXIMUM_SECRET or len(request.comment or "") > _MAXIMUM_COMMENT:
        raise _refuse("the shared secret or the comment is too long")
    at = request.invalidity_date
    return RevokeRequest(
        issuer,
        request.serial,
        _reason(request.reason),
        None if at is None else at.as_datetime().replace(tzinfo=UTC, microsecond=0),
        request.passphrase,
        request.comment,
    )


def _reason(element: der.TLV) -> int:
    if element.tag_bytes != _ENUMERATED or len(element.data) != 1:
        raise _refuse("the reason is not an ENUMERATED of one octet")
    reason = read_integer(der.tlv(_INTEGER, bytes(element.data)), _CLAUSE)
    if reason not in _REASONS:
        raise Refused(
            Reason.BAD_REVOCATION_REASON,
            "RFC 5280 section 5.3.1",
            "there is no such CRLReason",
            expected="0 to 6 or 8 to 10",
            got=str(reason),
        )
    return reason


def _refuse(detail: str) -> Refused:
    return Refused(Reason.MALFORMED, _CLAUSE, detail)
