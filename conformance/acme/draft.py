"""An ACME request before it is signed, so that it can be spoilt in one named place, and a mutation that does so.

A negative case sends the correct request plus exactly one :class:`Mutation`: whatever the server then refuses, it refuses for that
one reason. A mutation of what is signed happens before the signature is made, and the signature is then correct.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conformance.acme.keys import Signer, b64
from conformance.transport import HttpRequest

Envelope = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """The recipe of one JWS, and of the HTTP request that carries it (RFC 8555 section 6.2).

    ``payload`` is octets, None for POST-as-GET (RFC 8555 section 6.3), or a JSON value; a Draft within it, or as the whole of it, is an inner JWS
    (externalAccountBinding, keyChange). ``spoil_envelope`` change the signed JWS object, ``spoil_request`` the HTTP request, in turn.
    """

    url: str
    signer: Signer
    protected: dict[str, Any]
    payload: Any = None
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/jose+json"})
    spoil_envelope: list[Callable[[Envelope], None]] = field(default_factory=list)
    spoil_request: list[Callable[[HttpRequest], HttpRequest]] = field(default_factory=list)

    def copy(self) -> Draft:
        """A draft of its own that can be spoilt; the signer is shared."""
        return Draft(
            self.url,
            self.signer,
            copy.deepcopy(self.protected),
            _copied(self.payload),
            self.method,
            dict(self.headers),
            list(self.spoil_envelope),
            list(self.spoil_request),
        )

    def payload_octets(self) -> bytes:
        """What is signed as the JWS Payload."""
        if self.payload is None:
            return b""
        if isinstance(self.payload, bytes):
            return self.payload
        return compact(_signed(self.payload))

    def envelope(self) -> Envelope:
        """The JWS in flattened JSON serialization (RFC 7515 section 7.2.2)."""
        protected = b64(compact(self.protected))
        payload = b64(self.payload_octets())
        signature = self.signer.sign(f"{protected}.{payload}".encode("ascii"))
        envelope: Envelope = {"protected": protected, "payload": payload, "signature": b64(signature)}
        for spoil in self.spoil_envelope:
            spoil(envelope)
        return envelope

    def request(self) -> HttpRequest:
        """The HTTP request to send."""
        request = HttpRequest(self.method, self.url, tuple(self.headers.items()), compact(self.envelope()))
        for change in self.spoil_request:
            request = change(request)
        return request


def _copied(payload: Any) -> Any:
    if isinstance(payload, Draft):
        return payload.copy()
    if isinstance(payload, dict):
        return {name: _copied(value) for name, value in payload.items()}
    return copy.deepcopy(payload)


def _signed(payload: Any) -> Any:
    if isinstance(payload, Draft):
        return payload.envelope()
    if isinstance(payload, dict):
        return {name: _signed(value) for name, value in payload.items()}
    return payload


def compact(value: Any) -> bytes:
    """JSON without white space, UTF-8."""
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One named change of a correct request. ``clause`` is what the spoilt request violates, or what its tolerance rests on."""

    name: str
    clause: str
    change: Callable[[Draft], None]

    def of(self, draft: Draft) -> Draft:
        """The spoilt request."""
        spoilt = draft.copy()
        self.change(spoilt)
        return spoilt


def inner(mutation: Mutation) -> Mutation:
    """The same change, made to the inner JWS of a keyChange or of an externalAccountBinding."""

    def change(draft: Draft) -> None:
        jws = draft.payload if isinstance(draft.payload, Draft) else draft.payload["externalAccountBinding"]
        mutation.change(jws)

    return Mutation(f"inner.{mutation.name}", mutation.clause, change)
