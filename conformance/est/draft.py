"""An EST request before it is sent, so that it can be spoilt in one named place, and the mutations that do so."""

from __future__ import annotations

import dataclasses
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from conformance.est.connections import Enrolled
from conformance.transport import HttpRequest

Headers = tuple[tuple[str, str], ...]
PKCS10 = "application/pkcs10"
CMC_REQUEST = "application/pkcs7-mime; smime-type=CMC-request"
_COLUMNS = 64


def spelled(octets: bytes, columns: int = _COLUMNS, end: bytes = b"\n") -> bytes:
    """Base64 in lines, as every client sends it (RFC 8951 section 3 demands none)."""
    text = b64encode(octets)
    return b"".join(text[at : at + columns] + end for at in range(0, len(text), columns))


@dataclass(frozen=True, slots=True)
class Draft:
    """The recipe of one request: ``url`` of the endpoint, ``operation`` below it, and what it is that is enrolled.

    ``der`` is what the body spells in base64; ``body`` is the body itself where it is something else. ``key`` is the public key of the CSR,
    as SubjectPublicKeyInfo. ``presents`` is the client certificate of its connection. ``bind`` makes the same CSR with a challengePassword, for
    an endpoint that demands a channel binding.
    """

    url: str
    operation: str
    method: str = "POST"
    headers: Headers = ()
    der: bytes = b""
    body: bytes | None = None
    key: bytes = b""
    presents: Enrolled | None = None
    bind: Callable[[str], bytes] | None = None

    def request(self) -> HttpRequest:
        """What is sent."""
        body = self.body if self.body is not None else spelled(self.der) if self.der else b""
        return HttpRequest(self.method, f"{self.url}/{self.operation}", self.headers, body)

    def header(self, name: str, value: str | None) -> Draft:
        """With a header set; without it if there is no value."""
        kept = tuple((one, text) for one, text in self.headers if one.lower() != name.lower())
        return dataclasses.replace(self, headers=kept if value is None else (*kept, (name, value)))


@dataclass(frozen=True, slots=True)
class Mutation:
    """One named change of a correct request. ``clause`` is what the spoilt request violates, or what its refusal rests on."""

    name: str
    clause: str
    change: Callable[[Draft], Draft]

    def of(self, draft: Draft) -> Draft:
        """The spoilt request."""
        return self.change(draft)


def header(name: str, value: str | None, clause: str) -> Mutation:
    """A header with another value; without it if there is none."""
    what = f"header {name} left out" if value is None else f"header {name}: {value[:60]}"
    return Mutation(what, clause, lambda draft: draft.header(name, value))


def body(name: str, clause: str, change: Callable[[bytes], bytes]) -> Mutation:
    """A body that is made of the right one's DER, in place of its base64."""
    return Mutation(name, clause, lambda draft: dataclasses.replace(draft, body=change(draft.der)))


def octets(name: str, clause: str, change: Callable[[bytes], bytes]) -> Mutation:
    """Other octets in the base64 of the body."""
    return Mutation(name, clause, lambda draft: dataclasses.replace(draft, der=change(draft.der)))


def operation(name: str, clause: str) -> Mutation:
    """Another path segment."""
    return Mutation(f"operation {name}", clause, lambda draft: dataclasses.replace(draft, operation=name))


def method(name: str, clause: str) -> Mutation:
    """Another method."""
    return Mutation(f"method {name}", clause, lambda draft: dataclasses.replace(draft, method=name))


def presenting(name: str, clause: str, other: Callable[[Enrolled], Enrolled | None]) -> Mutation:
    """Another client certificate, or none."""

    def change(draft: Draft) -> Draft:
        if draft.presents is None:
            raise ValueError("the correct request presents no certificate")
        return dataclasses.replace(draft, presents=other(draft.presents))

    return Mutation(name, clause, change)
