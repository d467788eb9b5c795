"""Reads vectors from the package's own folders."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vectors.reading import Answer

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Vector:
    """One case.

    ``verdict`` is ``valid``, ``acceptable`` (deviates, and a tolerant receiver takes it) or ``invalid``; ``clause`` is the section that
    an acceptable or invalid one breaks. ``control`` names the valid vector of which an invalid one is a copy but for its mutation.
    ``expected`` holds values that can be read from the octets.

    A message has a ``direction``, ``request`` or ``reply``; ``reply_to`` is the ID of the request. ``needs`` names the files of ``keys``
    that open or check it, ``tls`` says of an EST request what its connection was, ``fidelity`` which parts are octet for octet
    as they were on the wire.

    ``answer`` is what a correct server answers to a request in the ``situation`` of that name, ``after`` the ID of the request that it has
    to have answered before, ``before`` what happens between the two. ``match`` says of a reply whether its ``octets`` are the same each
    time, or its ``answer`` alone.
    """

    id: str
    verdict: str
    clause: str | None
    control: str | None
    octets: bytes
    expected: dict[str, Any]
    origin: dict[str, str]
    path: Path
    direction: str | None = None
    reply_to: str | None = None
    fidelity: str = "octets"
    needs: tuple[str, ...] = ()
    tls: dict[str, Any] = field(default_factory=dict)
    situation: str = ""
    answer: Answer | None = None
    after: str = ""
    before: tuple[dict[str, Any], ...] = ()
    match: str = ""

    @property
    def kind(self) -> str:
        """The folder that it is in."""
        return self.path.parent.name


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every vector satisfies."""
    loaded: dict[str, Any] = json.loads((HERE / "schema.json").read_text())
    return loaded


def load(kind: str) -> Sequence[Vector]:
    """All vectors of a kind (the name of a folder, as ``pkcs10``), by ID."""
    return [_vector(path) for path in sorted((HERE / kind).glob("*.json"))]


def requests(kind: str) -> Sequence[Vector]:
    """The requests of a kind that has messages, by ID."""
    return [vector for vector in load(kind) if vector.direction == "request"]


def reply_to(request: Vector) -> Vector | None:
    """What was answered to a recorded request; nothing, if no answer was kept."""
    path = request.path.with_name(f"{request.id}.reply.json")
    return _vector(path) if path.is_file() else None


def find(id: str) -> Vector:
    """The vector of this ID. :raises KeyError: if there is none."""
    path = HERE / id.partition(".")[0] / f"{id}.json"
    if not path.is_file():
        raise KeyError(f"there is no vector {id}")
    return _vector(path)


def file(name: str) -> Path:
    """A key or certificate that a vector needs, by the name that ``needs`` has."""
    return HERE / "keys" / name


def secrets() -> dict[str, dict[str, str]]:
    """The passwords and secrets of the recordings, by protocol."""
    loaded: dict[str, dict[str, str]] = json.loads(file("secrets.json").read_text())
    return loaded


def _vector(path: Path) -> Vector:
    case = json.loads(path.read_text())
    return Vector(
        id=case["id"],
        verdict=case["verdict"],
        clause=case.get("clause"),
        control=case.get("control"),
        octets=b64decode(case["octets"], validate=True),
        expected=case.get("expected", {}),
        origin=case["origin"],
        path=path,
        direction=case.get("direction"),
        reply_to=case.get("reply_to"),
        fidelity=case.get("fidelity", "octets"),
        needs=tuple(case.get("needs", ())),
        tls=case.get("tls", {}),
        situation=case.get("situation", case["kind"]),
        answer=Answer(**case["answer"]) if "answer" in case else None,
        after=case.get("after", ""),
        before=tuple(case.get("before", ())),
        match=case.get("match", ""),
    )
