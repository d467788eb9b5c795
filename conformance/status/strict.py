"""What DER forbids and a lenient parser lets pass (X.690 sections 8 and 11), and times as RFC 5280 wants them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from conformance.der import DerError, Value, decode, encode

_BOOLEAN, _INTEGER, _OCTET_STRING, _OID, _ENUMERATED, _SEQUENCE = b"\x01", b"\x02", b"\x04", b"\x06", b"\x0a", b"\x30"
_UTC = re.compile(r"\d{12}Z")
_GENERALIZED = re.compile(r"\d{14}Z")


def violations(octets: bytes) -> list[str]:
    """What makes octets BER and not DER, or no ASN.1 at all; nothing if they are DER."""
    try:
        root = decode(octets)
    except DerError as error:
        return [str(error)]
    found = list(_violations(root))
    if encode(root) != octets:
        found.append("a length is not written as short as can be (X.690 section 10.1)")
    return found


def _violations(value: Value) -> Iterator[str]:
    content = value.octets if not value.parts else b""
    if value.identifier == _BOOLEAN and content not in (b"\x00", b"\xff"):
        yield f"a BOOLEAN is {content.hex() or 'empty'} (X.690 section 11.1)"
    if value.identifier in (_INTEGER, _ENUMERATED) and not _minimal(content):
        yield f"an INTEGER is not written as short as can be: {content[:8].hex()} (X.690 section 8.3.2)"
    parts = value.parts
    if (
        value.identifier == _SEQUENCE
        and [part.identifier for part in parts] == [_OID, _BOOLEAN, _OCTET_STRING]
        and parts[1].octets == b"\x00"
    ):
        yield "an extension spells out that it is not critical, which is the default (X.690 section 11.5)"
    for part in parts:
        yield from _violations(part)


def _minimal(content: bytes) -> bool:
    """Whether the content of an INTEGER has no octet too many."""
    if len(content) < 2:
        return len(content) == 1
    return not (content[0] == 0 and content[1] < 0x80) and not (content[0] == 0xFF and content[1] >= 0x80)


def generalized_time(text: str) -> datetime | None:
    """A GeneralizedTime of RFC 5280 section 4.1.2.5.2: in Greenwich Mean Time, with seconds and no fraction; None for any other."""
    return _read(text, "%Y%m%d%H%M%SZ") if _GENERALIZED.fullmatch(text) else None


def utc_time(text: str) -> datetime | None:
    """A UTCTime of RFC 5280 section 4.1.2.5.1: in Greenwich Mean Time, with seconds, of the years 1950 to 2049; None for any other."""
    century = "20" if text < "50" else "19"
    return _read(century + text, "%Y%m%d%H%M%SZ") if _UTC.fullmatch(text) else None


def _read(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
