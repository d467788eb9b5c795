"""The named ways in which an ACME request can be wrong: one change each, with the clause that it offends.

``MUTATIONS`` holds those that fit any signed request; the functions make the ones that need a value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from conformance.acme.draft import Draft, Envelope, Mutation, compact
from conformance.acme.keys import Key, Signer, b64, unb64
from conformance.transport import HttpRequest


def protected(name: str, value: Any, clause: str, label: str | None = None) -> Mutation:
    """Set a member of the protected header."""

    def change(draft: Draft) -> None:
        draft.protected[name] = value

    return Mutation(label or f"protected.{name}={value!r}", clause, change)


def without(name: str, clause: str) -> Mutation:
    """Take a member out of the protected header."""

    def change(draft: Draft) -> None:
        draft.protected.pop(name, None)

    return Mutation(f"protected.{name}.absent", clause, change)


def member(name: str, value: Any, clause: str, label: str | None = None) -> Mutation:
    """Set a member of the JSON payload."""

    def change(draft: Draft) -> None:
        draft.payload = {**draft.payload, name: value}

    return Mutation(label or f"payload.{name}={value!r}", clause, change)


def without_member(name: str, clause: str) -> Mutation:
    """Take a member out of the JSON payload."""

    def change(draft: Draft) -> None:
        draft.payload = {key: value for key, value in draft.payload.items() if key != name}

    return Mutation(f"payload.{name}.absent", clause, change)


def payload(value: Any, clause: str, label: str) -> Mutation:
    """Replace the whole payload: None for POST-as-GET, octets, or a JSON value."""

    def change(draft: Draft) -> None:
        draft.payload = value

    return Mutation(f"payload.{label}", clause, change)


def signer(other: Signer, clause: str, label: str) -> Mutation:
    """Sign with another key, while the header still says what it said."""

    def change(draft: Draft) -> None:
        draft.signer = other

    return Mutation(f"signature.{label}", clause, change)


def key(other: Key, clause: str, label: str) -> Mutation:
    """Use another key altogether: ``jwk`` and ``alg`` follow it."""

    def change(draft: Draft) -> None:
        draft.signer = other
        draft.protected["jwk"] = other.jwk()
        draft.protected["alg"] = other.alg

    return Mutation(f"key.{label}", clause, change)


def envelope(label: str, clause: str, change: Callable[[Envelope], None]) -> Mutation:
    """Change the JWS object after it was signed."""
    return Mutation(f"envelope.{label}", clause, lambda draft: draft.spoil_envelope.append(change))


def request(label: str, clause: str, change: Callable[[HttpRequest], HttpRequest]) -> Mutation:
    """Change the HTTP request."""
    return Mutation(f"http.{label}", clause, lambda draft: draft.spoil_request.append(change))


def method(name: str, clause: str = "RFC 8555 section 6.3", *, body: bool = False) -> Mutation:
    """Use another HTTP method, without a body unless ``body``."""
    return request(f"method={name}", clause, lambda r: replace(r, method=name, body=r.body if body else b""))


def header(name: str, value: str | None, clause: str) -> Mutation:
    """Set an HTTP header, or take it out."""

    def change(draft: Draft) -> None:
        draft.headers = {k: v for k, v in draft.headers.items() if k.lower() != name.lower()}
        if value is not None:
            draft.headers[name] = value

    return Mutation(f"http.{name}={value}", clause, change)


def body(label: str, clause: str, change: Callable[[bytes], bytes]) -> Mutation:
    """Change the octets of the HTTP body."""
    return request(label, clause, lambda r: replace(r, body=change(r.body)))


def sent_to(url: str, clause: str = "RFC 8555 section 6.4") -> Mutation:
    """Send the request to another URL than the one that it was signed for."""
    return request("url=elsewhere", clause, lambda r: replace(r, url=url))


def unsigned_member(name: str, value: Any, clause: str) -> Mutation:
    """Move or add a header parameter to the unprotected header, where nothing protects it."""

    def change(draft: Draft) -> None:
        draft.protected.pop(name, None)
        draft.spoil_envelope.append(lambda e: e.update(header={name: value}))

    return Mutation(f"unprotected.{name}", clause, change)


# -- changes that need no value -------------------------------------------------------------------------------------


def _flip_signature(jws: Envelope) -> None:
    octets = bytearray(unb64(jws["signature"]))
    octets[-1] ^= 1
    jws["signature"] = b64(bytes(octets))


def _der_signature(jws: Envelope) -> None:
    octets = unb64(jws["signature"])
    half = len(octets) // 2
    jws["signature"] = b64(encode_dss_signature(int.from_bytes(octets[:half], "big"), int.from_bytes(octets[half:], "big")))


def _long_signature(jws: Envelope) -> None:
    """A zero octet in front of ``s``: the same number, so only its width is wrong."""
    octets = unb64(jws["signature"])
    half = len(octets) // 2
    jws["signature"] = b64(octets[:half] + b"\0" + octets[half:])


def _padded(name: str) -> Callable[[Envelope], None]:
    return lambda jws: jws.update({name: jws[name] + "=" * (-len(jws[name]) % 4 or 4)})


def _loose_bits(jws: Envelope) -> None:
    """Set a bit that base64url has in the last letter but no octet has: another text for the same signature."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text = jws["signature"]
    if len(text) % 4 == 0:
        raise ValueError("a signature whose length divides by 3 has no loose bits")
    jws["signature"] = text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def _both(draft: Draft) -> None:
    if "kid" in draft.protected:
        draft.protected["jwk"] = draft.signer.jwk() if isinstance(draft.signer, Key) else {}
    else:
        draft.protected["kid"] = "https://ca.example.test/acct/1"


def _neither(draft: Draft) -> None:
    draft.protected.pop("kid", None)
    draft.protected.pop("jwk", None)


def _duplicate_protected(draft: Draft) -> None:
    """Two ``url`` members: parsers that keep the last and parsers that keep the first read two different requests."""

    def change(jws: Envelope) -> None:
        text = compact(draft.protected)
        doubled = b64(text[:-1] + b',"url":' + json.dumps(draft.protected["url"]).encode() + b"}")
        jws["protected"] = doubled
        jws["signature"] = b64(draft.signer.sign(f"{doubled}.{jws['payload']}".encode("ascii")))

    draft.spoil_envelope.append(change)


def _general(octets: bytes) -> bytes:
    jws = json.loads(octets)
    signature = {"protected": jws["protected"], "signature": jws["signature"]}
    return compact({"payload": jws["payload"], "signatures": [signature]})


def _compact_serialization(octets: bytes) -> bytes:
    jws = json.loads(octets)
    return f"{jws['protected']}.{jws['payload']}.{jws['signature']}".encode("ascii")


def _detached(octets: bytes) -> bytes:
    jws = json.loads(octets)
    del jws["payload"]
    return compact(jws)


def _unencoded_payload(draft: Draft) -> None:
    draft.protected["b64"] = False
    draft.protected["crit"] = ["b64"]

    def change(jws: Envelope) -> None:
        text = draft.payload_octets().decode("utf-8")
        jws["payload"] = text
        jws["signature"] = b64(draft.signer.sign(f"{jws['protected']}.{text}".encode()))

    draft.spoil_envelope.append(change)


def _unknown_crit(draft: Draft) -> None:
    draft.protected["crit"] = ["https://example.test/must-understand"]
    draft.protected["https://example.test/must-understand"] = True


MUTATIONS: dict[str, Mutation] = {
    mutation.name: mutation
    for mutation in (
        # RFC 8555 section 6.2: what a JWS must be here
        header("Content-Type", "application/json", "RFC 8555 section 6.2"),
        header("Content-Type", None, "RFC 8555 section 6.2"),
        Mutation("protected.jwk+kid", "RFC 8555 section 6.2", _both),
        Mutation("protected.jwk+kid.absent", "RFC 8555 section 6.2", _neither),
        Mutation("protected.crit.unknown", "RFC 7515 section 4.1.11", _unknown_crit),
        protected("crit", [], "RFC 7515 section 4.1.11"),
        Mutation("protected.b64=false", "RFC 8555 section 6.2", _unencoded_payload),
        without("alg", "RFC 8555 section 6.2"),
        protected("alg", "none", "RFC 8555 section 6.2"),
        protected("alg", "HS256", "RFC 8555 section 6.2"),
        protected("alg", "PS256", "RFC 8555 section 6.2"),
        protected("alg", "ES384", "RFC 7518 section 3.4", "protected.alg.other-curve"),
        envelope("header.empty", "RFC 8555 section 6.2", lambda jws: jws.update(header={})),
        envelope("header.present", "RFC 8555 section 6.2", lambda jws: jws.update(header={"x": "y"})),
        envelope("signatures.too", "RFC 7515 section 7.2.2", lambda jws: jws.update(signatures=[])),
        body("general-serialization", "RFC 8555 section 6.2", _general),
        body("compact-serialization", "RFC 8555 section 6.2", _compact_serialization),
        body("payload-detached", "RFC 8555 section 6.2", _detached),
        body("array", "RFC 8555 section 6.2", lambda octets: b"[" + octets + b"]"),
        body("empty", "RFC 8555 section 6.2", lambda octets: b""),
        body("cut", "RFC 8259 section 2", lambda octets: octets[:-2]),
        body("member-twice", "RFC 7515 section 4", lambda octets: octets[:-1] + b',"payload":""}'),
        body("not-utf8", "RFC 8555 section 5", lambda octets: octets[:-1] + b',"x":"\xff"}'),
        Mutation("protected.member-twice", "RFC 7515 section 4", _duplicate_protected),
        # the signature
        envelope("signature.flipped", "RFC 8555 section 6.2", _flip_signature),
        envelope("signature.empty", "RFC 8555 section 6.2", lambda jws: jws.update(signature="")),
        envelope("signature.der", "RFC 7518 section 3.4", _der_signature),
        envelope("signature.too-long", "RFC 7518 section 3.4", _long_signature),
        envelope("signature.absent", "RFC 7515 section 7.2.2", lambda jws: jws.pop("signature")),
        envelope("payload.changed", "RFC 8555 section 6.2", lambda jws: jws.update(payload=b64(b'{"x":1}'))),
        # base64url
        envelope("protected.padded", "RFC 8555 section 6.1", _padded("protected")),
        envelope("signature.padded", "RFC 8555 section 6.1", _padded("signature")),
        envelope("signature.loose-bits", "RFC 4648 section 3.5", _loose_bits),
        envelope("signature.white-space", "RFC 7515 section 2", lambda jws: jws.update(signature=jws["signature"] + "\n")),
        envelope("signature.base64", "RFC 7515 section 2", lambda jws: jws.update(signature="+/" + jws["signature"][2:])),
        # RFC 8555 section 6.4
        without("url", "RFC 8555 section 6.2"),
        protected("url", "https://ca.example.test/acme/other", "RFC 8555 section 6.4", "protected.url.other"),
        protected("url", 1, "RFC 8555 section 6.4.1"),
        # RFC 8555 section 6.5
        without("nonce", "RFC 8555 section 6.5"),
        protected("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "RFC 8555 section 6.5", "protected.nonce.never-issued"),
        protected("nonce", "not base64url!", "RFC 8555 section 6.5.2", "protected.nonce.not-base64url"),
        protected("nonce", 7, "RFC 8555 section 6.5.2"),
        protected("nonce", "", "RFC 8555 section 6.5.2", "protected.nonce.empty"),
        # RFC 8555 section 6.3
        method("GET"),
        method("PUT", "RFC 8555 section 6.7", body=True),
        method("DELETE", "RFC 8555 section 6.7"),
    )
}


def respelled(label: str, clause: str, spell: Callable[[bytes], str]) -> Mutation:
    """Write the member ``protected`` in another way, and sign that: ``spell`` gets the JSON of the header, and gives the text of the member."""

    def change(draft: Draft) -> None:
        def resign(jws: Envelope) -> None:
            text = spell(compact(draft.protected))
            jws["protected"] = text
            jws["signature"] = b64(draft.signer.sign(f"{text}.{jws['payload']}".encode("ascii")))

        draft.spoil_envelope.append(resign)

    return Mutation(f"protected.{label}", clause, change)


def twice(name: str, last: Any, clause: str, spelled: str | None = None) -> Mutation:
    """The same header parameter a second time, with another value: a parser that takes the first one does not see it.

    :param spelled: its name as it is written the second time, with escapes, if not as the first time.
    """
    again = f',"{spelled or name}":{json.dumps(last)}}}'.encode()
    return respelled(f"{spelled or name}.twice", clause, lambda octets: b64(octets[:-1] + again))


def slashes_escaped() -> Mutation:
    r"""Write ``/`` as ``\/`` in the protected header: the same JSON value (RFC 8259 section 7), which PHP clients send."""
    return respelled("slashes-escaped", "RFC 8259 section 7", lambda octets: b64(octets.replace(b"/", b"\\/")))


def names_escaped() -> Mutation:
    r"""Write the first letter of each name as ``\u00..``: the same names (RFC 8259 section 8.3)."""

    def spell(octets: bytes) -> str:
        members = (f'"\\u{ord(name[0]):04x}{name[1:]}":{json.dumps(value)}' for name, value in json.loads(octets).items())
        return b64(f"{{{','.join(members)}}}".encode("ascii"))

    return respelled("names-escaped", "RFC 7515 section 5.3", spell)


def standard_alphabet() -> Mutation:
    """Encode the protected header with ``+`` and ``/``, which base64url writes as ``-`` and ``_``; a parameter sees to it that there are some."""

    def spell(octets: bytes) -> str:
        # Wherever they come to stand, three of these octets in a row are encoded with the letters in question.
        padded = octets[:-1] + b',"x":"~~~~~???????"}'
        return b64(padded).replace("-", "+").replace("_", "/")

    return respelled("base64", "RFC 7515 section 2", spell)


def pretty() -> Mutation:
    """Send the JWS object and its protected header with white space: insignificant (RFC 8259 section 2)."""

    def change(draft: Draft) -> None:
        respelled("pretty", "", lambda octets: b64(json.dumps(json.loads(octets), indent=2).encode("utf-8"))).change(draft)
        draft.spoil_request.append(lambda r: replace(r, body=json.dumps(json.loads(r.body), indent=4).encode("utf-8") + b"\n"))

    return Mutation("http.pretty", "RFC 8259 section 2", change)
