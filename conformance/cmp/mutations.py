"""Ways in which a CMP request is spoilt, one at a time, each with the clause that it offends.

A mutation changes the draft, which is protected after it: so that a request whose transactionID was spoilt is refused for that, and not for a
MAC that does not fit. What spoils the protection itself, or the octets, says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from conformance import der as trees
from conformance.cmp import der
from conformance.cmp.message import Draft


def _unchanged(octets: bytes) -> bytes:
    return octets


@dataclass(frozen=True)
class Mutation:
    """One change. ``change`` is made before the message is protected, ``octets`` after it was encoded."""

    name: str
    clause: str
    change: Callable[[Draft], Draft] = lambda draft: draft
    octets: Callable[[bytes], bytes] = _unchanged

    def apply(self, draft: Draft) -> bytes:
        """The octets of the spoilt request."""
        return self.octets(self.change(draft).encode())


def header(name: str, clause: str, **fields: Any) -> Mutation:
    """Other fields of the header, or of the whole draft; a function of the draft gives a value that depends on it."""

    def change(draft: Draft) -> Draft:
        return replace(draft, **{field: value(draft) if callable(value) else value for field, value in fields.items()})

    return Mutation(name, clause, change)


def request(name: str, clause: str, **fields: Any) -> Mutation:
    """Other fields of the first CertReqMsg, whose proof of possession is made after that."""

    def change(draft: Draft) -> Draft:
        first = draft.requests[0]
        changed = {field: value(first) if callable(value) else value for field, value in fields.items()}
        return replace(draft, requests=(replace(first, **changed), *draft.requests[1:]))

    return Mutation(name, clause, change)


def content(name: str, clause: str, new: Callable[[bytes], bytes]) -> Mutation:
    """Another content of the body, protected as it is then."""

    def change(draft: Draft) -> Draft:
        old = der.sequence(*(one.encode() for one in draft.requests)) if draft.requests else draft.content
        return replace(draft, requests=(), content=new(old))

    return Mutation(name, clause, change)


def octets(name: str, clause: str, new: Callable[[bytes], bytes]) -> Mutation:
    """Other octets of the whole message, whatever that does to its protection."""
    return Mutation(name, clause, octets=new)


def flipped(value: bytes) -> bytes:
    """With its last bit the other way round."""
    return value[:-1] + bytes((value[-1] ^ 1,))


def bad_protection(clause: str = "RFC 9810 section 5.1.3") -> Mutation:
    """The value of the protection with one bit changed."""

    def spoil(message: bytes) -> bytes:
        return trees.content(message, (2, 0), flipped)

    return Mutation("one bit of the protection", clause, octets=spoil)


def protected_before(name: str, clause: str, **fields: Any) -> Mutation:
    """Other fields, under the protection that was computed without that change."""

    def change(draft: Draft) -> Draft:
        return replace(draft, value=draft.protected(), **fields)

    return Mutation(name, clause, change)
