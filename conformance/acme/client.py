"""An ACME client (RFC 8555) in two steps: one method per operation drafts the request, then :meth:`Client.send` carries it.

A draft that is sent as it is, is correct. Between the two steps a test may spoil it, by one named mutation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.acme.draft import Draft, Mutation
from conformance.acme.keys import Key, MacKey, b64
from conformance.transport import HttpRequest, HttpResponse, Transport

NONCE_RETRIES = 3
Identifier = Mapping[str, str]
Observer = Callable[[Draft | None, HttpResponse], None]


@dataclass(frozen=True, slots=True)
class Account:
    """An account URL with its key."""

    url: str
    key: Key


class Problem(Exception):
    """The server refused a correct request, or answered it with something that RFC 8555 does not allow."""

    def __init__(self, request: str, response: HttpResponse) -> None:
        said = response.body[:400].decode("utf-8", "replace")
        super().__init__(f"{request}: {response.status} {response.error} {said}")
        self.response = response


def dns(*names: str) -> list[Identifier]:
    """Identifiers of type dns."""
    return [{"type": "dns", "value": name} for name in names]


def ip(*addresses: str) -> list[Identifier]:
    """Identifiers of type ip (RFC 8738)."""
    return [{"type": "ip", "value": address} for address in addresses]


class Client:
    """One client of one server.

    :param observe: called with each draft (None for GET and HEAD) and reply, for a transcript.
    :param contact: of a new account that is given no other, for a server that wants one.
    """

    def __init__(
        self, transport: Transport, directory_url: str, observe: Observer | None = None, contact: Sequence[str] = ()
    ) -> None:
        self.transport = transport
        self.directory_url = directory_url
        self._contact = list(contact)
        self._observe = observe
        self._directory: dict[str, Any] | None = None
        self._nonces: list[str] = []
        self._given = set[str]()
        self._renewed: dict[str, str] = {}

    # -- transport ------------------------------------------------------------------------------------------------

    @property
    def directory(self) -> dict[str, Any]:
        """The directory object (RFC 8555 section 7.1.1), fetched once."""
        if self._directory is None:
            response = self.get(self.directory_url)
            if response.status != 200:
                raise Problem("GET directory", response)
            try:
                self._directory = response.object
            except ValueError:
                raise Problem("the directory is no JSON object", response) from None
        return self._directory

    def get(self, url: str, method: str = "GET", **headers: str) -> HttpResponse:
        """A request without a body, as directory and newNonce allow it."""
        return self._exchange(
            None, HttpRequest(method, url, tuple((name.replace("_", "-"), value) for name, value in headers.items()))
        )

    def nonce(self) -> str:
        """A nonce that no request has carried: kept from an earlier reply, or a new one (RFC 8555 section 7.2)."""
        if not self._nonces:
            response = self.get(self.directory["newNonce"], "HEAD")
            if not self._nonces:
                raise Problem("HEAD newNonce", response)
        return self._nonces.pop()

    def forget_nonces(self) -> None:
        """Drop the nonces that are kept, so that the next request asks for a new one."""
        self._nonces.clear()

    def send(self, draft: Draft, mutation: Mutation | None = None) -> HttpResponse:
        """Send a draft, spoilt by ``mutation`` if there is one; whatever comes back is returned.

        A server may find any nonce invalid (RFC 8555 section 6.5): what was refused for a nonce of ours that nothing was wrong with is
        sent again with another one, as the section asks of clients.
        """
        for _ in range(NONCE_RETRIES):
            ready = draft.copy()
            nonce = None if "nonce" in draft.protected else self.nonce()
            if nonce is not None:
                ready.protected["nonce"] = nonce
            if mutation is not None:
                ready = mutation.of(ready)
            response = self._exchange(ready, ready.request())
            if response.error != "badNonce" or nonce is None or ready.protected.get("nonce") != nonce:
                break
        return response

    def again(self, sent: Draft) -> HttpRequest:
        """The request of a draft that was sent, spoilt as it was, signed anew with a nonce that nobody has used.

        Two drafts with the same nonce have the same one again; one that the server never gave stays.
        """
        before = sent.protected.get("nonce")
        if before not in self._given:
            return sent.request()
        if before not in self._renewed:
            self.forget_nonces()
            self._renewed[before] = self.nonce()
        # In its place: what spoils it looks at this very draft.
        sent.protected["nonce"] = self._renewed[before]
        try:
            return sent.request()
        finally:
            sent.protected["nonce"] = before

    def perform(self, draft: Draft) -> HttpResponse:
        """Send a correct request. :raises Problem: if it is refused."""
        response = self.send(draft)
        if response.status >= 400:
            raise Problem(f"{draft.method} {draft.url}", response)
        return response

    def _exchange(self, draft: Draft | None, request: HttpRequest) -> HttpResponse:
        response = self.transport.exchange(request)
        nonce = response.header("Replay-Nonce")
        if nonce:
            self._nonces.append(nonce)
            self._given.add(nonce)
        if self._observe is not None:
            self._observe(draft, response)
        return response

    # -- drafts ---------------------------------------------------------------------------------------------------

    def by_key(self, key: Key, url: str, payload: Any) -> Draft:
        """A request signed with a key that has no account, or whose account is not named: ``jwk`` (RFC 8555 section 6.2)."""
        return Draft(url, key, {"alg": key.alg, "jwk": key.jwk(), "url": url}, payload)

    def by_account(self, account: Account, url: str, payload: Any) -> Draft:
        """A request of an account: ``kid`` (RFC 8555 section 6.2)."""
        return Draft(url, account.key, {"alg": account.key.alg, "kid": account.url, "url": url}, payload)

    def fetch(self, account: Account, url: str, accept: str | None = None) -> Draft:
        """POST-as-GET (RFC 8555 section 6.3)."""
        draft = self.by_account(account, url, None)
        if accept is not None:
            draft.headers["Accept"] = accept
        return draft

    def new_account(
        self, key: Key, *, contact: Sequence[str] = (), agree: bool = True, existing: bool = False, binding: MacKey | None = None
    ) -> Draft:
        """RFC 8555 sections 7.3, 7.3.1 and 7.3.4."""
        url = self.directory["newAccount"]
        payload: dict[str, Any] = {}
        if contact or self._contact:
            payload["contact"] = list(contact or self._contact)
        if agree:
            payload["termsOfServiceAgreed"] = True
        if existing:
            payload["onlyReturnExisting"] = True
        if binding is not None:
            payload["externalAccountBinding"] = Draft(
                url, binding, {"alg": binding.alg, "kid": binding.kid, "url": url}, key.jwk()
            )
        return self.by_key(key, url, payload)

    def update_account(self, account: Account, **fields: Any) -> Draft:
        """RFC 8555 sections 7.3.2 and 7.3.6."""
        return self.by_account(account, account.url, fields)

    def change_key(self, account: Account, new: Key) -> Draft:
        """RFC 8555 section 7.3.5: the new key signs inside, the old one outside."""
        url = self.directory["keyChange"]
        change = Draft(
            url, new, {"alg": new.alg, "jwk": new.jwk(), "url": url}, {"account": account.url, "oldKey": account.key.jwk()}
        )
        return self.by_account(account, url, change)

    def new_order(self, account: Account, identifiers: Iterable[Identifier], **fields: Any) -> Draft:
        """RFC 8555 section 7.4; ``fields`` may be notBefore and notAfter."""
        return self.by_account(account, self.directory["newOrder"], {"identifiers": [dict(i) for i in identifiers], **fields})

    def new_authorization(self, account: Account, identifier: Identifier) -> Draft:
        """RFC 8555 section 7.4.1."""
        return self.by_account(account, self.directory["newAuthz"], {"identifier": dict(identifier)})

    def deactivate_authorization(self, account: Account, url: str) -> Draft:
        """RFC 8555 section 7.5.2."""
        return self.by_account(account, url, {"status": "deactivated"})

    def respond(self, account: Account, challenge_url: str) -> Draft:
        """RFC 8555 section 7.5.1: ready to be validated."""
        return self.by_account(account, challenge_url, {})

    def finalize(self, account: Account, finalize_url: str, csr: bytes) -> Draft:
        """RFC 8555 section 7.4; ``csr`` is DER."""
        return self.by_account(account, finalize_url, {"csr": b64(csr)})

    def revoke(self, by: Account | Key, certificate: bytes, reason: int | None = None) -> Draft:
        """RFC 8555 section 7.6, by an account or by the certificate's own key; ``certificate`` is DER."""
        payload: dict[str, Any] = {"certificate": b64(certificate)}
        if reason is not None:
            payload["reason"] = reason
        url = self.directory["revokeCert"]
        return self.by_account(by, url, payload) if isinstance(by, Account) else self.by_key(by, url, payload)

    # -- the two steps in one, where a test only needs the result ------------------------------------------------------

    def register(self, key: Key | None = None, *, contact: Sequence[str] = (), binding: MacKey | None = None) -> Account:
        """A new account, or the one that the key has."""
        key = key or Key.make()
        response = self.perform(self.new_account(key, contact=contact, binding=binding))
        return Account(_location(response), key)

    def read(self, account: Account, url: str) -> dict[str, Any]:
        """A JSON resource."""
        return self.perform(self.fetch(account, url)).object

    def order(self, account: Account, identifiers: Iterable[Identifier], **fields: Any) -> tuple[str, dict[str, Any]]:
        """A new order: its URL and the order object."""
        response = self.perform(self.new_order(account, identifiers, **fields))
        return _location(response), response.object


def _location(response: HttpResponse) -> str:
    location = response.header("Location")
    if not location:
        raise Problem("a new resource has a Location", response)
    return location
