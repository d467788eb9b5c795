"""An EST client in two steps: one method for each operation drafts the request, then :meth:`Client.send` carries it.

A draft that is sent as it is, is correct. Between the two steps a case may spoil it, by one named mutation.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from conformance.est import authorization
from conformance.est.connections import Connections, Enrolled, read
from conformance.est.draft import CMC_REQUEST, PKCS10, Draft, Headers, Mutation
from conformance.target import EstAccess
from conformance.transport import HttpResponse, Transport

Observer = Callable[[HttpResponse], None]


class Client:
    """One client of one endpoint. ``observe`` is called with each reply.

    Who it is, it says by HTTP Basic, or by Digest where Basic is not offered; without a password, by the certificate that the target gives. A
    draft with a client certificate says it by that alone.
    """

    def __init__(self, connections: Connections, access: EstAccess, observe: Observer) -> None:
        self.connections = connections
        self.access = access
        self.identity = None if access.code or not access.certificate else read(Path(access.certificate), Path(access.key))
        self._observe = observe
        self._offered: list[str] | None = None

    # -- drafts ----------------------------------------------------------------------------------------------------

    def get(self, operation: str) -> Draft:
        """``cacerts`` or ``csrattrs``; nobody says who they are."""
        return Draft(self.access.url, operation, "GET")

    def post(
        self, operation: str, csr: bytes, key: bytes, presents: Enrolled | None = None, *, password: Headers | None = None
    ) -> Draft:
        """A certification request; with the password unless a certificate is presented.

        :param key: SubjectPublicKeyInfo of the CSR.
        :param password: the header with the password, if it is there already.
        """
        headers: Headers = (("Content-Type", PKCS10),)
        presents = presents or self.identity
        if presents is None:
            headers += self.password("POST", operation) if password is None else password
        return Draft(self.access.url, operation, "POST", headers, csr, key=key, presents=presents)

    def full(self, message: bytes) -> Draft:
        """A full PKI request, under the password or with the certificate of the target."""
        headers = (("Content-Type", CMC_REQUEST), *self.password("POST", "fullcmc"))
        return Draft(self.access.url, "fullcmc", "POST", headers, message, presents=self.identity)

    def password(self, method: str, operation: str) -> Headers:
        """The header that says who the client is; none if the target gives no password."""
        if not self.access.code:
            return ()
        challenges = self.offered()
        if authorization.digest_challenge(challenges) is None or "basic" in authorization.schemes(challenges):
            return (("Authorization", authorization.basic(self.access.username, self.access.code)),)
        return (("Authorization", self.digest(method, operation)),)

    def digest(self, method: str, operation: str) -> str:
        """An answer to a new Digest challenge. :raises LookupError: if there is none that can be answered."""
        # Asked of the operation that every server has: one that is missing challenges nobody.
        challenge = authorization.digest_challenge(self.challenged("simpleenroll").values("WWW-Authenticate"))
        if challenge is None:
            raise LookupError("the server offers no Digest with MD5 or SHA-256 and qop auth")
        path = urlsplit(f"{self.access.url}/{operation}").path
        return challenge.answer(self.access.username, self.access.code, method, path)

    def offered(self) -> list[str]:
        """What WWW-Authenticate says to who has said nothing."""
        if self._offered is None:
            self._offered = self.challenged("simpleenroll").values("WWW-Authenticate")
        return self._offered

    def challenged(self, operation: str) -> HttpResponse:
        """The reply to a request of nobody."""
        return self.send(Draft(self.access.url, operation, "POST", (("Content-Type", PKCS10),), b"\x30\x00"))

    # -- sending ---------------------------------------------------------------------------------------------------

    def send(self, draft: Draft, *mutations: Mutation, over: Transport | None = None) -> HttpResponse:
        """Send a draft, spoilt or not. :param over: a connection of its own. :raises Unreachable:"""
        spoilt = _spoilt(draft, mutations)
        binds = self.access.linked and draft.bind is not None and spoilt.url.startswith("https:")
        if over is not None or draft.bind is None or not binds:
            response = (over or self.connections.presenting(spoilt.presents)).exchange(spoilt.request())
        else:
            with self.connections.bound(spoilt.url, spoilt.presents) as connection:
                bound = replace(draft, der=draft.bind(b64encode(connection.tls_unique).decode("ascii")))
                response = connection.exchange(_spoilt(bound, mutations).request())
        self._observe(response)
        return response


def _spoilt(draft: Draft, mutations: Iterable[Mutation]) -> Draft:
    for mutation in mutations:
        draft = mutation.of(draft)
    return draft
