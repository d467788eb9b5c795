"""Downloading the certificate (RFC 8555 sections 7.4.2 and 9.1)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from privca.acme.rfc8555.call import Call
from privca.base.http import Response
from privca.base.refused import Reason, Refused
from privca.enrollment.door import Chain

CLAUSE = "RFC 8555 section 7.4.2"
PEM_CHAIN, ONE, PKCS7 = "application/pem-certificate-chain", "application/pkix-cert", "application/pkcs7-mime"
# The zero before the point is not optional, but Java leaves it out.
_QVALUE = re.compile(r"0?\.[0-9]{0,3}|0|1(\.0{0,3})?", re.ASCII)
OFFERED = (PEM_CHAIN, ONE, PKCS7)


async def show(call: Call) -> Response:
    """The certificate with its default chain, alternate number N, or the issuer alone; as the Accept header asks."""
    order = await call.core.store.order_by_certificate(call.profile.id, call.ids[0])
    record = None if order is None or order.serial is None else await call.core.door.certificate(order.serial)
    if order is None or record is None or record.der is None:
        raise Refused(Reason.NOT_FOUND, CLAUSE, "there is no such certificate")
    if order.account_id != call.account.id:
        raise Refused(Reason.UNAUTHORIZED, CLAUSE, "the certificate was issued to another account")
    chains = await call.core.door.chains(record)
    if not call.options.alternate_chains:
        chains = chains[:1]
    which = call.ids[1] if len(call.ids) > 1 else "0"
    media_type = negotiate(call.request.headers.get("accept", ""), tolerant=call.profile.profile.tolerant)
    url = call.urls.certificate(call.ids[0])
    call.exchange.decided("certificate downloaded", CLAUSE, serial=order.serial.hex() if order.serial else "", format=media_type)
    if which == "issuer":
        issuer = _issuers(chains[0])[0]
        return Response(200, (("Content-Type", ONE),), issuer)
    if not which.isdecimal() or not which.isascii() or len(which) > 3 or int(which) >= len(chains):
        raise Refused(Reason.NOT_FOUND, CLAUSE, "there is no such chain")
    issuers = _issuers(chains[int(which)])
    # Each chain names all others, so that a client may begin anywhere.
    links = [("Link", f'<{url if n == 0 else f"{url}/{n}"}>;rel="alternate"') for n in range(len(chains)) if n != int(which)]
    if media_type == PEM_CHAIN:
        body = (_pem(record.der) + "".join(pem_of_authority(der) for der in issuers)).encode("ascii")
    elif media_type == ONE:
        body = record.der
        links.append(("Link", f'<{url}/issuer>;rel="up"'))
    else:
        every = [x509.load_der_x509_certificate(der) for der in (record.der, *issuers)]
        body = pkcs7.serialize_certificates(every, Encoding.DER)
        media_type = f"{PKCS7}; smime-type=certs-only"
    return Response(200, (("Content-Type", media_type), ("Vary", "Accept"), *links), body)


def _issuers(chain: Chain) -> Sequence[bytes]:
    """What a TLS server sends after its certificate: not the root, which is its peer's trust anchor, unless it issued itself."""
    return chain.certificates[:-1] or chain.certificates


def negotiate(accept: str, *, tolerant: bool) -> str:
    """The media type that an Accept header (RFC 9110 section 12.5.1) prefers; ours, if it leaves the choice to us.

    Clients ask for ``application/json`` or what their HTTP library says by default, and take the PEM chain that they know: a tolerant
    profile gives it to them, as RFC 9110 section 12.4.1 allows.

    :raises Refused: ``NOT_ACCEPTABLE`` if it allows none, and the profile is strict.
    """
    if not accept or accept == "*/*":
        return PEM_CHAIN
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        ranges[media_type] = _quality(parameters)
    best = max(OFFERED, key=lambda offered: _preference(offered, ranges))
    if _preference(best, ranges) <= 0:
        if tolerant:
            return PEM_CHAIN
        raise Refused(
            Reason.NOT_ACCEPTABLE,
            CLAUSE,
            "no format that this Accept header allows",
            expected=", ".join(OFFERED),
            got=repr(accept[:120]),
        )
    return best


def _preference(offered: str, ranges: dict[str, float]) -> float:
    return ranges.get(offered, ranges.get("application/*", ranges.get("*/*", 0.0)))


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return float(f"0{value.strip()}") if _QVALUE.fullmatch(value.strip()) else 0.0
    return 1.0


def _pem(der: bytes) -> str:
    """RFC 7468 strict form: 64 characters a line, one line end after the last."""
    text = b64encode(der).decode("ascii")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


pem_of_authority = lru_cache(maxsize=256)(_pem)
