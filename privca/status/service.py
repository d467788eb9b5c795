"""``/crl/CA.crl`` and ``/ca/CA.cer``: one URL for each CA key (RFC 2585 section 3, RFC 5280 sections 4.2.1.13 and 4.2.2.1)."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import format_datetime

from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.issuance.authorities import Authorities
from privca.issuance.publication import read_label
from privca.issuance.revocation_lists import RevocationLists

STATUSES = {Reason.NOT_FOUND: 404, Reason.METHOD_NOT_ALLOWED: 405, Reason.UNAVAILABLE: 503}
"""HTTP status of each refusal that can happen here; anything else is a fault of ours."""
_CRL_AGE = 60
_CERTIFICATE_AGE = 3600


class StatusService:
    """Implements :class:`privca.web.resource.Status`."""

    def __init__(self, authorities: Authorities, lists: RevocationLists) -> None:
        self._authorities = authorities
        self._lists = lists

    async def handle(self, exchange: Exchange, request: Request) -> Response:
        """Answer GET and HEAD of ``crl/LABEL.crl`` and ``ca/LABEL.cer``; a refusal is a problem document (RFC 9457)."""
        try:
            return await self._answer(exchange, request)
        except Refused as refused:
            exchange.decided("refused", refused.clause, str(refused))
            status = STATUSES.get(refused.reason, 500)
            document = {"type": "about:blank", "status": status, "detail": str(refused) if status != 500 else "the server failed"}
            allow = (("Allow", "GET, HEAD"),) if status == 405 else ()
            return Response(status, (("Content-Type", "application/problem+json"), *allow), json.dumps(document).encode())

    async def _answer(self, exchange: Exchange, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise Refused(
                Reason.METHOD_NOT_ALLOWED, "RFC 9110 section 9.1", "this is read with GET or HEAD", got=request.method[:20]
            )
        kind, _, name = request.tail.partition("/")
        stem, _, extension = name.rpartition(".")
        found = read_label(stem)
        if found is None or (kind, extension) not in (("crl", "crl"), ("ca", "cer")):
            raise Refused(
                Reason.NOT_FOUND,
                "RFC 9110 section 15.5.5",
                "there is nothing here but /crl/CA.crl and /ca/CA.cer",
            )
        authority, number = found
        if kind == "crl":
            record = await self._lists.current(authority, number, exchange.now)
            exchange.decided(
                "CRL shown", "RFC 5280 section 5", authority=authority, generation=str(number), number=str(record.number)
            )
            return _file("application/pkix-crl", record.der, record.this_update, _CRL_AGE)
        key = await self._authorities.generation(authority, number)
        exchange.decided("CA certificate shown", "RFC 5280 section 4.2.2.1", authority=authority, generation=str(number))
        return _file("application/pkix-cert", key.generation.certificate, key.generation.created, _CERTIFICATE_AGE)


def _file(kind: str, octets: bytes, modified: datetime, age: int) -> Response:
    headers = (
        ("Content-Type", kind),
        ("Last-Modified", format_datetime(modified, usegmt=True)),
        ("Cache-Control", f"public, max-age={age}"),
    )
    return Response(200, headers, octets)
