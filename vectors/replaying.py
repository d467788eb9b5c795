"""Replays recorded and generated requests on a server, and compares what it answers with what a vector says.

What is compared is the answer (:mod:`vectors.reading`), and the octets of the reply where the vector's reply says that they are the same
each time. A vector that comes ``after`` another one is sent to the server which has answered that one before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vectors import http, loader, reading
from vectors.harness import Harness, HarnessError, Reply, Unsupported
from vectors.loader import Vector

KINDS = ("acme", "est", "scep", "cmp")
_PKIXCMP = (("Content-Type", "application/pkixcmp"),)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was sent."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a vector. ``fault`` is empty if all is as it should be; ``unsupported`` says why it was not sent."""

    vector: Vector
    fault: str = ""
    unsupported: str = ""
    why: str = ""


def request_of(vector: Vector) -> Sent:
    """The HTTP request of a vector; a PKIMessage becomes one (RFC 9811)."""
    if vector.kind == "cmp":
        return Sent("POST", "/.well-known/cmp/p/vector", _PKIXCMP, vector.octets)
    message = http.parse(vector.octets)
    return Sent(message.method, message.target, message.fields, message.body)


def situation_of(vector: Vector) -> dict[str, Any]:
    """What the server has to be put into before the vector, or the first one that it comes after: files by their content."""
    described: dict[str, Any] = json.loads((loader.HERE / "situations" / f"{vector.situation}.json").read_text())
    text = {name: loader.file(name).read_text() for name in (*described["ca"].values(), *described.get("issued", ()))}
    first = chain_of(vector)[0]
    return {
        **described,
        "seed": hashlib.sha256(first.id.encode()).hexdigest(),
        "ca": {part: text[name] for part, name in described["ca"].items()},
        "issued": [text[name] for name in described.get("issued", ())],
    }


def chain_of(vector: Vector) -> list[Vector]:
    """The vectors that have to be sent, the last of which is this one."""
    found = [vector]
    while found[0].after:
        found.insert(0, loader.find(found[0].after))
    return found


def tls_of(vector: Vector) -> dict[str, str] | None:
    """The connection as a harness is told of it; None for a protocol without TLS, or a recording that says nothing."""
    if not vector.tls:
        return None
    finished = vector.tls.get("server_finished" if vector.tls.get("resumed") else "client_finished", "")
    certificate = vector.tls.get("client_certificate")
    return {
        "version": vector.tls["version"],
        "unique": finished if vector.tls["version"] == "TLSv1.2" else "",
        "certificate": loader.file(certificate).read_text() if certificate else "",
    }


def answers(harness: Harness, vector: Vector) -> Reply:
    """What the server answers to a vector, after all that has to come before. :raises Unsupported, HarnessError:"""
    harness.begin(situation_of(vector))
    for step in chain_of(vector):
        for act in step.before:
            harness.act(act)
        sent = request_of(step)
        reply = harness.request(sent.method, sent.target, sent.fields, sent.body, tls_of(step))
    return reply


def replay(harness: Harness, vectors: Sequence[Vector]) -> Iterator[Outcome]:
    """Send each request, and compare."""
    for vector in vectors:
        try:
            reply = answers(harness, vector)
        except Unsupported as unsupported:
            yield Outcome(vector, unsupported=str(unsupported))
            continue
        yield Outcome(vector, fault_of(vector, reply), why=reply.why)


def fault_of(vector: Vector, reply: Reply) -> str:
    """How a reply differs from what the vector says; empty if it does not."""
    wanted = vector.answer
    try:
        found = reading.read(vector.kind, request_of(vector).target, reply.status, reply.body)
    except (ValueError, IndexError, StopIteration) as error:
        return f"the reply cannot be read: {error}"
    if found != wanted:
        return f"expected {_said(wanted)}, got {_said(found)}"
    kept = loader.reply_to(vector)
    if kept is not None and kept.match == "octets" and body_of(kept) != reply.body:
        return "the octets of the reply differ from those that were kept"
    return ""


def body_of(reply: Vector) -> bytes:
    """The body of a reply that was kept."""
    return reply.octets if reply.kind == "cmp" else http.parse(reply.octets).body


def _said(answer: reading.Answer | None) -> str:
    return "no answer" if answer is None else " ".join(filter(None, (answer.outcome, answer.error, f"(HTTP {answer.status})")))


def chosen(globs: Sequence[str], kinds: Sequence[str] = KINDS) -> list[Vector]:
    """Requests with an answer that match one of the globs (none: all), by ID."""
    found = [vector for kind in kinds for vector in loader.requests(kind) if vector.answer is not None]
    return [vector for vector in found if not globs or any(Path(vector.id).match(glob) for glob in globs)]


__all__ = ["Harness", "HarnessError", "Mapping", "Outcome", "replay"]
