"""``/crl/CA.crl``, ``/ca/CA.cer``, ``/ca/CA.p7c`` and ``/ocsp/CA`` (RFC 2585 section 3, RFC 5280 sections 4.2.1.13 and 4.2.2.1, RFC 6960)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from privca.base.exchange import Exchange
from privca.base.http import Request, Response
from privca.base.refused import Reason, Refused
from privca.issuance.authorities import Authorities
from privca.issuance.crl_scope import Scope
from privca.issuance.publication import read_crl_label, read_label
from privca.issuance.revocation_lists import RevocationLists
from privca.pkix.rfc6960 import CONTENT_TYPE_REQUEST, CONTENT_TYPE_RESPONSE, unsuccessful
from privca.status.caching import keepable
from privca.status.rfc6960 import TABLE, OcspResponder

STATUSES = {
    Reason.NOT_FOUND: 404,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.UNSUPPORTED_MEDIA_TYPE: 415,
    Reason.UNAVAILABLE: 503,
}
"""HTTP status of each refusal that can happen here; anything else is a fault of ours. Those of OCSP itself are in its own table."""
_CRL_AGE = 60
_CERTIFICATE_AGE = 3600
# What is not signed says nothing that lasts, in one of the words that RFC 9919 section 7.2 lists.
_NOT_KEPT = ("Cache-Control", "no-store")
_GET, _POST_TOO = ("GET", "HEAD"), ("GET", "HEAD", "POST")
_OCSP_HTTP = "RFC 6960 section A.1"


class StatusService:
    """Implements :class:`privca.web.resource.Status`."""

    def __init__(self, authorities: Authorities, lists: RevocationLists, responder: OcspResponder) -> None:
        self._authorities = authorities
        self._lists = lists
        self._responder = responder
        self._kinds: dict[tuple[str, str], Callable[[Exchange, Request, str, int], Awaitable[Response]]] = {
            ("ca", "cer"): self._certificate,
            ("ca", "p7c"): self._certificates,
        }

    async def handle(self, exchange: Exchange, request: Request) -> Response:
        """Answer what was asked of ``request.tail``; a refusal is a problem document (RFC 9457), one of OCSP's own an OCSPResponse."""
        try:
            if request.tail.startswith("ocsp/"):
                return await self._ocsp(exchange, request)
            return await self._file(exchange, request)
        except Refused as refused:
            exchange.decided("refused", refused.clause, str(refused))
            status = STATUSES.get(refused.reason, 500)
            document = {"type": "about:blank", "status": status, "detail": str(refused) if status != 500 else "the server failed"}
            methods = _POST_TOO if request.tail.startswith("ocsp/") else _GET
            allow = (("Allow", ", ".join(methods)),) if status == 405 else ()
            return Response(status, (("Content-Type", "application/problem+json"), *allow), json.dumps(document).encode())

    async def _file(self, exchange: Exchange, request: Request) -> Response:
        _check_method(request, _GET)
        kind, _, name = request.tail.partition("/")
        stem, _, extension = name.rpartition(".")
        if (kind, extension) == ("crl", "crl") and (list_ := read_crl_label(stem)) is not None:
            return await self._crl(exchange, request, *list_)
        found, show = read_label(stem), self._kinds.get((kind, extension))
        if found is None or show is None:
            raise Refused(
                Reason.NOT_FOUND,
                "RFC 9110 section 15.5.5",
                "there is nothing here but /crl/CA.crl, /ca/CA.cer, /ca/CA.p7c and /ocsp/CA",
            )
        return await show(exchange, request, *found)

    async def _crl(self, exchange: Exchange, request: Request, authority: str, number: int, scope: Scope) -> Response:
        record = await self._lists.current(authority, number, exchange.now, scope)
        exchange.decided(
            "CRL shown", "RFC 5280 section 5", authority=authority, generation=str(number), number=str(record.number)
        )
        return keepable(
            request,
            "application/pkix-crl",
            record.der,
            modified=record.this_update,
            expires=record.next_update,
            seconds=_CRL_AGE,
            # The list itself may have megabytes: its number names it as well as a hash would.
            tag=f"{authority}.{number}-{record.number}",
        )

    async def _certificate(self, exchange: Exchange, request: Request, authority: str, number: int) -> Response:
        """The certificate of a CA key."""
        key = await self._authorities.generation(authority, number)
        exchange.decided("CA certificate shown", "RFC 5280 section 4.2.2.1", authority=authority, generation=str(number))
        made = key.generation
        return keepable(
            request,
            "application/pkix-cert",
            made.certificate,
            modified=made.created,
            expires=None,
            seconds=_CERTIFICATE_AGE,
        )

    async def _certificates(self, exchange: Exchange, request: Request, authority: str, number: int) -> Response:
        """All certificates of a CA key, cross certificates included: a "certs-only" message (RFC 8551 section 3.8)."""
        keys = await self._authorities.generations(authority)
        key = await self._authorities.generation(authority, number)
        mine = key.certificate.public_key()
        crossed = [der for one in keys for der in (one.generation.new_with_old, one.generation.old_with_new) if der is not None]
        found = [key.certificate, *(x509.load_der_x509_certificate(der) for der in crossed)]
        octets = pkcs7.serialize_certificates([one for one in found if one.public_key() == mine], Encoding.DER)
        exchange.decided("CA certificates shown", "RFC 5280 section 4.2.2.1", authority=authority, generation=str(number))
        return keepable(
            request,
            "application/pkcs7-mime; smime-type=certs-only",
            octets,
            modified=max(one.generation.created for one in keys),
            expires=None,
            seconds=_CERTIFICATE_AGE,
        )

    async def _ocsp(self, exchange: Exchange, request: Request) -> Response:
        """RFC 6960 section A.1. Every OCSPResponse is 200, whatever it says."""
        _check_method(request, _POST_TOO)
        label, _, encoded = request.tail.removeprefix("ocsp/").partition("/")
        found = read_label(label)
        if found is None or found[1] != 1:
            raise Refused(Reason.NOT_FOUND, "RFC 9110 section 15.5.5", "there is no CA of this name", got=label[:80])
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and kind != CONTENT_TYPE_REQUEST:
            raise Refused(
                Reason.UNSUPPORTED_MEDIA_TYPE,
                _OCSP_HTTP,
                "this is no OCSP request",
                expected=CONTENT_TYPE_REQUEST,
                got=kind[:80] or "none",
            )
        try:
            octets = request.body if request.method == "POST" else _octets(encoded)
            answer = await self._responder.answer(exchange, found[0], octets)
        except Refused as refused:
            if refused.reason is Reason.NOT_FOUND:
                raise
            exchange.decided("refused", refused.clause, str(refused))
            return Response(200, (("Content-Type", CONTENT_TYPE_RESPONSE), _NOT_KEPT), unsuccessful(TABLE[refused.reason]))
        if answer.refreshed is None:
            return Response(200, (("Content-Type", CONTENT_TYPE_RESPONSE),), answer.der)
        seconds = int((answer.refreshed - exchange.now).total_seconds())
        return keepable(
            request,
            CONTENT_TYPE_RESPONSE,
            answer.der,
            modified=answer.produced,
            expires=answer.next_update,
            seconds=seconds,
        )


def _check_method(request: Request, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        raise Refused(
            Reason.METHOD_NOT_ALLOWED,
            "RFC 9110 section 9.1",
            "another method is meant for this",
            expected=" or ".join(methods),
            got=request.method[:20],
        )


def _octets(encoded: str) -> bytes:
    """The request in the path of a GET: base64, then percent-encoded. Clients that leave the latter out are understood, too."""
    try:
        # A request begins with "M": slashes before it are those of a client that adds one to a URL that has one.
        return base64.b64decode(unquote_to_bytes(encoded.lstrip("/")), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(Reason.MALFORMED, _OCSP_HTTP, "the path is no OCSP request in base64") from None
