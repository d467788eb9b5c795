"""Certificate revocation lists, version 2 (RFC 5280 section 5).

Entries are put together from octets: a builder that makes an object of each takes seconds for 100,000 of them, this takes tenths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from cryptography import x509

from privca.pkix import der

_SEQUENCE, _BOOLEAN, _INTEGER, _OCTET_STRING, _OID, _ENUMERATED = 0x30, 0x01, 0x02, 0x04, 0x06, 0x0A
_GENERALIZED_TIME, _EXPLICIT_0 = 0x18, 0xA0
_VERSION_2 = der.tlv(_INTEGER, b"\x01")
_REASON_CODE = der.tlv(_OID, b"\x55\x1d\x15")
_INVALIDITY_DATE = der.tlv(_OID, b"\x55\x1d\x18")
_UNSPECIFIED = 0


class Revoked(Protocol):
    """What a CRL says of one certificate: ``serial`` as big-endian octets, times in UTC, ``reason`` as the CRLReason number."""

    @property
    def serial(self) -> bytes:
        """The serial number, big-endian."""

    @property
    def revoked_at(self) -> datetime:
        """When it was revoked."""

    @property
    def reason(self) -> int:
        """CRLReason as a number."""

    @property
    def invalidity_date(self) -> datetime | None:
        """When the key became doubtful, if that is known."""


def crl_tbs(
    *,
    issuer: x509.Name,
    algorithm: bytes,
    number: int,
    this_update: datetime,
    next_update: datetime,
    entries: Iterable[bytes],
    authority_key_identifier: x509.AuthorityKeyIdentifier,
    extensions: Sequence[x509.Extension[x509.ExtensionType]] = (),
) -> bytes:
    """A TBSCertList as DER, to be signed and put together by :func:`privca.pkix.rfc5280.tbs.assemble`.

    It depends on its arguments alone, so that it may run in another thread.

    :param algorithm: AlgorithmIdentifier of the signature, DER.
    :param entries: of :func:`crl_entries`, in any number of pieces.
    :param number: the CRL number (section 5.2.3), 0 to 2^159 - 1.
    :param extensions: what else the CRL carries, as an issuing distribution point (section 5.2.5).
    :raises ValueError: for a number out of range.
    """
    if not 0 <= number < 1 << 159:
        raise ValueError("a CRL number has at most 20 octets (RFC 5280 section 5.2.3)")
    listed = b"".join(entries)
    carried = (
        x509.Extension(x509.AuthorityKeyIdentifier.oid, False, authority_key_identifier),
        x509.Extension(x509.CRLNumber.oid, False, x509.CRLNumber(number)),
        *extensions,
    )
    return der.tlv(
        _SEQUENCE,
        _VERSION_2,
        algorithm,
        issuer.public_bytes(),
        _time(this_update),
        _time(next_update),
        # Section 5.1.2.6: the list MUST be absent when nothing is revoked.
        der.tlv(_SEQUENCE, listed) if listed else b"",
        der.tlv(_EXPLICIT_0, der.tlv(_SEQUENCE, *[_extension(item) for item in carried])),
    )


def crl_entries(revoked: Iterable[Revoked]) -> bytes:
    """Lines of a CRL, for :func:`crl_tbs`: a list of 100,000 is made a piece at a time."""
    return b"".join([_entry(item.serial, item.revoked_at, int(item.reason), item.invalidity_date) for item in revoked])


def _entry(serial: bytes, revoked_at: datetime, reason: int, invalidity_date: datetime | None) -> bytes:
    """One line of the list; every part but the serial number is the same for many."""
    digits = serial.lstrip(b"\x00")
    if not digits or digits[0] & 0x80:
        digits = b"\x00" + digits
    content = b"\x02%c%b%b" % (len(digits), digits, _rest_of_entry(revoked_at, reason, invalidity_date))
    # At most 22 octets of serial number, 17 of time and 44 of extensions: the length always fits in one octet.
    return b"\x30%c%b" % (len(content), content)


@lru_cache(maxsize=1 << 14)
def _rest_of_entry(revoked_at: datetime, reason: int, invalidity_date: datetime | None) -> bytes:
    """What stands behind the serial number."""
    with_extensions = reason != _UNSPECIFIED or invalidity_date is not None
    return _time(revoked_at) + (_entry_extensions(reason, invalidity_date) if with_extensions else b"")


def _entry_extensions(reason: int, invalidity_date: datetime | None) -> bytes:
    """Reason (section 5.3.1: absent rather than unspecified) and invalidity date (section 5.3.2, always GeneralizedTime)."""
    found = b""
    if reason != _UNSPECIFIED:
        found += der.tlv(_SEQUENCE, _REASON_CODE, der.tlv(_OCTET_STRING, der.tlv(_ENUMERATED, bytes((reason,)))))
    if invalidity_date is not None:
        found += invalidity_date_extension(invalidity_date)
    return der.tlv(_SEQUENCE, found)


def invalidity_date_extension(at: datetime) -> bytes:
    """The extension invalidityDate (section 5.3.2) of a CRL entry or an OCSP response."""
    moment = der.tlv(_GENERALIZED_TIME, _generalized(at.astimezone(UTC)))
    return der.tlv(_SEQUENCE, _INVALIDITY_DATE, der.tlv(_OCTET_STRING, moment))


def _time(at: datetime) -> bytes:
    """UTCTime to the end of 2049, GeneralizedTime after it (section 5.1.2.4)."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    if at.year < 2050:
        return b"\x17\x0d%02d%02d%02d%02d%02d%02dZ" % (at.year % 100, at.month, at.day, at.hour, at.minute, at.second)
    return b"\x18\x0f" + _generalized(at)


def _generalized(at: datetime) -> bytes:
    return b"%04d%02d%02d%02d%02d%02dZ" % (at.year, at.month, at.day, at.hour, at.minute, at.second)


def _extension(extension: x509.Extension[x509.ExtensionType]) -> bytes:
    critical = der.tlv(_BOOLEAN, b"\xff") if extension.critical else b""
    return der.tlv(_SEQUENCE, der.oid(extension.oid), critical, der.tlv(_OCTET_STRING, extension.value.public_bytes()))
