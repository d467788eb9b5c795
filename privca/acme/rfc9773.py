"""ACME renewal information (RFC 9773): when a certificate is best renewed, for anybody who asks, and orders that say what they replace."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from cryptography import x509

from privca.acme.ports import AcmeStore, Order, RenewalWindow, Replacement
from privca.acme.rfc8555 import order as orders
from privca.acme.rfc8555.call import Call, Core, json
from privca.acme.rfc8555.states import OrderStatus
from privca.base.clock import rfc3339
from privca.base.durations import duration
from privca.base.exchange import Exchange
from privca.base.http import Response
from privca.base.names import Name
from privca.base.refused import Reason, Refused
from privca.issuance.options.acme import AcmeOptions
from privca.issuance.ports import Certificate, CertificateStatus
from privca.issuance.profile import Revisioned
from privca.jose import rfc4648

CLAUSE = "RFC 9773 section 4.1"
_REPLACES = "RFC 9773 section 5"
_SERIAL_OCTETS = 20
_LONGEST = 120
"""Characters: a key identifier of 64 octets and a serial number of 20 take 113."""
_MISSED = timedelta(days=1)
"""How far in the past the window of a revoked certificate ends: a client whose clock is that slow still renews at once (section 6)."""


class SuggestedWindow(msgspec.Struct, frozen=True):
    """Section 4.2."""

    start: str
    end: str


class RenewalInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Section 4.2."""

    suggested_window: SuggestedWindow = msgspec.field(name="suggestedWindow")
    explanation: str = msgspec.field(name="explanationURL", default="")


def read_id(text: str, clause: str = CLAUSE) -> tuple[bytes, bytes]:
    """Key identifier and serial number, as 20 octets, of a certificate's unique identifier.

    :raises Refused: ``MALFORMED`` for padding, and for a serial number that is not the content of a positive INTEGER in DER: without the
        zero octet before a first bit that is set, or with one that nothing needs.
    """
    first, point, second = text.partition(".")
    if not point or not first or not second or len(text) > _LONGEST:
        raise Refused(
            Reason.MALFORMED, clause, "no identifier of a certificate", expected="base64url(AKI keyIdentifier).base64url(serial)"
        )
    key_identifier = rfc4648.decode(first, "the key identifier")
    serial = rfc4648.decode(second, "the serial number")
    if serial[0] & 0x80 or (serial[0] == 0 and (len(serial) == 1 or not serial[1] & 0x80)):
        raise Refused(
            Reason.MALFORMED, clause, "the serial number is not that of DER: positive, and no zero octet but a needed one"
        )
    return key_identifier, serial.lstrip(b"\0").rjust(_SERIAL_OCTETS, b"\0")


async def find(core: Core, profile: Revisioned, text: str, clause: str, *, shared: bool) -> Certificate | None:
    """The certificate that an identifier names, if it was issued by this profile (any of ACME's on the path without a profile ID).

    :raises Refused: ``MALFORMED`` as :func:`read_id` does.
    """
    key_identifier, serial = read_id(text, clause)
    record = await core.door.certificate(serial)
    if record is None or record.der is None or record.protocol != "acme" or not (shared or record.profile_id == profile.id):
        return None
    extensions = x509.load_der_x509_certificate(record.der).extensions
    issuer = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    return record if issuer == key_identifier else None


async def show(core: Core, exchange: Exchange, profile: Revisioned, text: str, *, shared: bool) -> Response:
    """The renewal information of a certificate, by GET and without a signature. :raises Refused: ``MALFORMED``, ``NOT_FOUND``."""
    record = await find(core, profile, text, CLAUSE, shared=shared)
    if record is None:
        raise Refused(Reason.NOT_FOUND, CLAUSE, "there is no certificate of this identifier")
    options = profile.profile.acme
    start, end, explanation = await window(core.store, record, options)
    exchange.decided("renewal information shown", CLAUSE, serial=record.serial.hex(), start=rfc3339(start), end=rfc3339(end))
    document = RenewalInfo(SuggestedWindow(rfc3339(start), rfc3339(end)), explanation)
    seconds = int(duration(options.renewal_retry_after).total_seconds())
    return json(200, document, ("Retry-After", str(seconds)), ("Cache-Control", f"public, max-age={min(seconds, 60)}"))


async def window(store: AcmeStore, record: Certificate, options: AcmeOptions) -> tuple[datetime, datetime, str]:
    """From when to when a certificate is best renewed, and the URL that explains why (or an empty text).

    A certificate that was revoked should have been renewed already; then what an administrator set for this one counts; then the
    profile's rule. The end is always after the start (section 4.2).
    """
    explanation = options.renewal_explanation
    if record.status is CertificateStatus.REVOKED and record.revoked_at is not None:
        return record.revoked_at - 2 * _MISSED, record.revoked_at - _MISSED, explanation
    ordered = await store.renewal_window(record.serial.hex())
    if ordered is not None:
        return ordered.start, ordered.end, ordered.explanation or explanation
    life = record.not_after - record.not_before
    before = duration(options.renewal_before) if options.renewal_before else life / 3
    spread = duration(options.renewal_spread) if options.renewal_spread else life / 30
    # Whole seconds, and at least one of them: certificates may live for minutes.
    start = (record.not_after - min(before, life)).replace(microsecond=0)
    return start, start + max(timedelta(seconds=int(spread.total_seconds())), timedelta(seconds=1)), explanation


def ordered_window(serial: bytes, start: datetime, end: datetime, explanation: str, now: datetime) -> RenewalWindow:
    """A window for one certificate, as an administrator sets it. :raises Refused: ``BAD_VALIDITY`` if it ends before it begins."""
    if end <= start:
        raise Refused(Reason.BAD_VALIDITY, "RFC 9773 section 4.2", "the window ends after it begins", got=rfc3339(end))
    return RenewalWindow(serial.hex(), start, end, explanation, now)


async def replacement(call: Call, text: str, names: tuple[Name, ...], order_id: str) -> Replacement:
    """The record that an order replaces a certificate, to be stored with the order.

    :raises Refused: ``MALFORMED``, ``UNAUTHORIZED`` if the certificate is another account's, ``DUPLICATE_REQUEST`` if another order that
        is not invalid replaces it.
    """
    record = await find(call.core, call.profile, text, _REPLACES, shared=call.urls.shared)
    if record is None or record.profile_id != call.profile.id:
        raise Refused(Reason.MALFORMED, _REPLACES, "replaces names no certificate of this profile")
    if record.identity != f"acme:{call.account.id}":
        raise Refused(Reason.UNAUTHORIZED, _REPLACES, "the certificate that is to be replaced was issued to another account")
    if not set(names) & set(record.names):
        raise Refused(
            Reason.MALFORMED,
            _REPLACES,
            "the order and the certificate that it replaces have no identifier in common",
            expected=", ".join(name.value for name in record.names[:10]),
        )
    known = await call.core.store.replacement(record.serial.hex())
    if known is None:
        return Replacement(record.serial.hex(), order_id, call.now)
    if await _stands(call, known.order_id):
        raise Refused(Reason.DUPLICATE_REQUEST, _REPLACES, "another order replaces this certificate already")
    return msgspec.structs.replace(known, order_id=order_id)


async def _stands(call: Call, order_id: str) -> bool:
    """Whether an order is not invalid."""
    other: Order | None = await call.core.store.order(call.profile.id, order_id)
    if other is None:
        return False
    return orders.status(other, await call.core.store.authorizations(other), call.now) is not OrderStatus.INVALID
