"""crlStatusList: a client asks for a CRL that is newer than its own (RFC 9810 section 5.3.19.17, RFC 9483 section 4.3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from privca.base.refused import Reason, Refused
from privca.cmp.rfc9810.call import Call
from privca.cmp.rfc9810.message import Information, id_it
from privca.issuance.profile import Revisioned
from privca.issuance.publication import read_label
from privca.pkix import der

_CLAUSE = "RFC 9810 section 5.3.19.17"
CRLS = id_it(23)
_MAXIMUM = 8


@der.sequence
class _Time:
    at: der.GeneralizedTime | der.UTCTime


@dataclass(frozen=True, slots=True)
class Wish:
    """One CRL: by the URLs of its distribution point or the Names (DER) of its issuer, and what the client has."""

    urls: tuple[str, ...]
    issuers: tuple[bytes, ...]
    this_update: datetime | None


def parse(octets: bytes | None) -> list[Wish]:
    """SEQUENCE OF CRLStatus. :raises Refused: ``MALFORMED``, ``TOO_LARGE``."""
    elements = der.elements(octets or b"", clause=_CLAUSE)
    if not 0 < len(elements) <= _MAXIMUM:
        raise Refused(Reason.TOO_LARGE, _CLAUSE, "a wrong number of CRLs", expected=f"1 to {_MAXIMUM}", got=str(len(elements)))
    return [_wish(element) for element in elements]


def _wish(element: bytes) -> Wish:
    parts = der.elements(element, clause=_CLAUSE)
    if not 0 < len(parts) <= 2:
        raise Refused(Reason.MALFORMED, _CLAUSE, "a CRLStatus has a source, and a time at most")
    at = None
    if len(parts) == 2:
        at = der.decode(_Time, der.tlv(0x30, parts[1]), clause=_CLAUSE).at.as_datetime()
    source = parts[0]
    inner = der.elements(source, clause=_CLAUSE)
    if len(inner) == 1 and source[0] == 0xA1:
        names = der.elements(inner[0], clause=_CLAUSE)
        return Wish((), tuple(der.elements(name, clause=_CLAUSE)[0] for name in names if name[0] == 0xA4), at)
    if len(inner) == 1 and source[0] == 0xA0 and inner[0][0] == 0xA0:
        # DistributionPointName fullName: GeneralNames, of which we publish URIs alone.
        names = der.elements(inner[0], clause=_CLAUSE)
        return Wish(tuple(_uri(name) for name in names if name[0] == 0x86), (), at)
    raise Refused(Reason.MALFORMED, _CLAUSE, "a source is a distribution point's full name, or an issuer")


def _uri(name: bytes) -> str:
    # A primitive [6]: the codec reads it as the IA5String that it is.
    return der.decode(_Uri, der.tlv(0x30, b"\x16" + name[1:]), clause=_CLAUSE).text.as_str()


@der.sequence
class _Uri:
    text: der.IA5String


async def status_list(call: Call, information: Information, profile: Revisioned) -> Information:
    """The CRLs that are newer than the client's. :raises Refused: ``UNSUPPORTED_INFORMATION`` for a source that is not ours."""
    newer = []
    for wish in parse(information.value):
        authority, number = await _source(call, wish)
        record = await call.core.lists.current(authority, number, call.exchange.now)
        if wish.this_update is None or record.this_update > wish.this_update:
            newer.append(record.der)
    return Information(CRLS, der.tlv(0x30, *newer) if newer else None)


async def _source(call: Call, wish: Wish) -> tuple[str, int]:
    """CA and number of its key. A distribution point's URL is an internal pointer, never fetched."""
    authorities = call.core.authorities
    for url in wish.urls:
        found = read_label(url.rpartition("/")[2].removesuffix(".crl"))
        if found is not None and found[0] in authorities.names:
            for key in await authorities.generations(found[0]):
                if key.generation.number == found[1] and key.signer.facts.crl_url == url:
                    return found
    for issuer in wish.issuers:
        for name in authorities.names:
            for key in reversed(await authorities.generations(name)):
                if key.generation.role == "current" and key.signer.subject_der == issuer:
                    return name, key.generation.number
    raise Refused(Reason.UNSUPPORTED_INFORMATION, _CLAUSE, "no CA here has a CRL of this source")
