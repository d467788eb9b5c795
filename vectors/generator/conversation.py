"""A conversation with a harness, written down as vectors: a request and its reply each, later ones after earlier ones."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from vectors import http, loader, reading
from vectors.harness import Harness, Reply

Files = dict[str, str]
"""Text of each file by its path below the package."""
_NAMES = {"acme": "ACME", "est": "EST", "scep": "SCEP", "cmp": "CMP"}
_PKIXCMP = [("Content-Type", "application/pkixcmp")]


class Entropy:
    """Octets that look random and are the same each time: SHA-256 of a name and a counter."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._count = 0

    def octets(self, count: int) -> bytes:
        """The next so many."""
        found = b""
        while len(found) < count:
            found += hashlib.sha256(self._name + self._count.to_bytes(8, "big")).digest()
            self._count += 1
        return found[:count]

    def nonzero(self, count: int) -> bytes:
        """The next so many, none of them zero (RFC 8017 section 7.2.1)."""
        return bytes(octet or 1 for octet in self.octets(count))


class Conversation:
    """With a server that has just been put into a situation.

    :param after: a case that was written down before; this conversation goes on where that one's had come to.
    """

    def __init__(self, harness: Harness, files: Files, kind: str, situation: str = "", *, after: str = "") -> None:
        self._harness = harness
        self._files = files
        self._kind = kind
        self._situation = situation or f"generated-{kind}"
        self._last = f"{kind}.generated.{after}" if after else ""
        self._begun = False
        self._before: list[dict[str, Any]] = []

    def act(self, step: dict[str, Any]) -> None:
        """Have something happen before the next request."""
        self._before.append(step)
        self._harness.act(step)

    def send(
        self,
        case: str,
        octets: bytes,
        comment: str,
        operation: str,
        *,
        needs: Sequence[str] = (),
        expected: dict[str, Any] | None = None,
        spoilt: tuple[str, str] | None = None,
        tls: dict[str, Any] | None = None,
        match: str = "octets",
    ) -> Reply:
        """Send a request, and write both down.

        :param octets: an HTTP request, or a PKIMessage of CMP.
        :param spoilt: of a request that is a control with one change: the case of the control, and the clause that the change breaks.
        """
        id = f"{self._kind}.generated.{case}"
        if not self._begun:
            self._begin(id)
        target, reply = self._ask(octets, tls)
        answer = reading.read(self._kind, target, reply.status, reply.body)
        origin = {"type": "generated", "protocol": _NAMES[self._kind], "operation": operation}
        document: dict[str, Any] = {"id": id, "kind": self._kind, "revision": 1, "comment": comment, "origin": origin}
        if spoilt is None:
            document["verdict"] = "valid"
        else:
            control = f"{self._kind}.generated.{spoilt[0]}"
            before = base64.b64decode(json.loads(self._files[f"{self._kind}/{control}.json"])["octets"])
            document |= {"verdict": "invalid", "clause": spoilt[1], "control": control, "mutation": mutation(before, octets)}
        document |= {"direction": "request", "fidelity": "octets"}
        document |= {"needs": list(needs)} if needs else {}
        document |= {"tls": tls} if tls else {}
        document |= {"situation": self._situation}
        document |= {"after": self._last} if self._last else {}
        document |= {"before": self._before} if self._before else {}
        document["answer"] = {"outcome": answer.outcome, "status": answer.status} | (
            {"error": answer.error} if answer.error else {}
        )
        document["octets"] = base64.b64encode(octets).decode("ascii")
        document |= {"expected": expected} if expected else {}
        self._keep(document)
        self._keep(
            {
                "id": f"{id}.reply",
                "kind": self._kind,
                "revision": 1,
                "comment": f"Reply of privca to {id}.",
                "origin": {**origin, "server": "privca"},
                "verdict": "valid",
                "direction": "reply",
                "reply_to": id,
                "fidelity": "octets",
                "match": match,
                "octets": base64.b64encode(reply.body if self._kind == "cmp" else _message(reply)).decode("ascii"),
            }
        )
        self._last, self._before = id, []
        return reply

    def _begin(self, id: str) -> None:
        """Put the server into the situation, and bring it to where the conversation goes on."""
        self._begun = True
        earlier: list[dict[str, Any]] = []
        name = self._last
        while name:
            earlier.insert(0, json.loads(self._files[f"{self._kind}/{name}.json"]))
            name = earlier[0].get("after", "")
        first = earlier[0]["id"] if earlier else id
        described = json.loads((loader.HERE / "situations" / f"{self._situation}.json").read_text())
        ca = {part: loader.file(name).read_text() for part, name in described["ca"].items()}
        seed = hashlib.sha256(first.encode()).hexdigest()
        self._harness.begin({**described, "ca": ca, "seed": seed})
        for step in earlier:
            for act in step.get("before", ()):
                self._harness.act(act)
            self._ask(base64.b64decode(step["octets"]), step.get("tls"))

    def _ask(self, octets: bytes, tls: dict[str, Any] | None) -> tuple[str, Reply]:
        if self._kind == "cmp":
            return "", self._harness.request("POST", "/.well-known/cmp/p/vector", _PKIXCMP, octets)
        message = http.parse(octets)
        told = None
        if tls:
            certificate = tls.get("client_certificate")
            told = {"version": tls["version"], "unique": tls.get("client_finished", "")}
            told |= {"certificate": loader.file(certificate).read_text()} if certificate else {}
        return message.target, self._harness.request(message.method, message.target, message.fields, message.body, told)

    def _keep(self, document: dict[str, Any]) -> None:
        self._files[f"{self._kind}/{document['id']}.json"] = json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def mutation(control: bytes, spoilt: bytes) -> dict[str, Any]:
    """The one place at which two octet strings differ."""
    start = next((at for at, (a, b) in enumerate(zip(control, spoilt, strict=False)) if a != b), min(len(control), len(spoilt)))
    common = min(len(control), len(spoilt)) - start
    end = next((at for at in range(common) if control[-1 - at] != spoilt[-1 - at]), common)
    return {
        "offset": start,
        "from": control[start : len(control) - end].hex(),
        "to": spoilt[start : len(spoilt) - end].hex(),
    }


def post(target: str, media_type: str, body: bytes, *fields: tuple[str, str]) -> bytes:
    """An HTTP/1.1 request with a body."""
    head = [f"POST {target} HTTP/1.1", "Host: ca.example.test", f"Content-Type: {media_type}", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body


def get(target: str, *fields: tuple[str, str], method: str = "GET") -> bytes:
    """An HTTP/1.1 request without one."""
    head = [f"{method} {target} HTTP/1.1", "Host: ca.example.test", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*head, "", ""]).encode("ascii")


def _message(reply: Reply) -> bytes:
    head = [
        f"HTTP/1.1 {reply.status}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.fields),
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + reply.body
