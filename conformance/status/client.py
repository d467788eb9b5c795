"""Who asks for the status of certificates: OCSP requests by POST and GET (RFC 6960 appendix A), CRLs by URL."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from urllib.parse import quote

from conformance.status.ocsp import REQUEST_TYPE
from conformance.transport import HttpRequest, HttpResponse, Transport

Observer = Callable[[HttpResponse], None]


class Client:
    """One client. ``observe`` is told every reply.

    :param reached: beginnings of URLs, as certificates and CRLs have them, with what is to be asked in their place.
    """

    def __init__(self, transport: Transport, ocsp: str, reached: Mapping[str, str], observe: Observer) -> None:
        self._transport = transport
        self._ocsp = ocsp
        self._reached = reached
        self._observe = observe

    def send(self, method: str, url: str, body: bytes = b"", *headers: tuple[str, str]) -> HttpResponse:
        """One request. :raises Unreachable:"""
        response = self._transport.exchange(HttpRequest(method, url, headers, body))
        self._observe(response)
        return response

    def post(self, octets: bytes, content_type: str = REQUEST_TYPE) -> HttpResponse:
        """An OCSP request by POST."""
        return self.send("POST", self._ocsp, octets, ("Content-Type", content_type))

    def get(self, octets: bytes) -> HttpResponse:
        """The same by GET: the URL encoding of the base64 encoding, every character that may mean something else in a URL included."""
        return self.get_path(quote(base64.b64encode(octets), safe=""))

    def get_path(self, path: str) -> HttpResponse:
        """What stands behind the URL of the responder and a slash."""
        return self.send("GET", f"{self._ocsp.rstrip('/')}/{path}")

    def fetch(self, url: str) -> HttpResponse:
        """What a URL leads to."""
        return self.send("GET", url)

    def where(self, url: str) -> str:
        """Where a URL that stands in a certificate or CRL is to be asked."""
        for beginning, instead in self._reached.items():
            if url.startswith(beginning):
                return instead + url.removeprefix(beginning)
        return url
