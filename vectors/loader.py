"""Reads vectors from the package's own folders."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Vector:
    """One case.

    ``verdict`` is ``valid``, ``acceptable`` (deviates, and a tolerant receiver takes it) or ``invalid``; ``clause`` is the section that
    an acceptable or invalid one breaks. ``control`` names the valid vector of which an invalid one is a copy but for its mutation.
    ``expected`` holds values that can be read from the octets.
    """

    id: str
    verdict: str
    clause: str | None
    control: str | None
    octets: bytes
    expected: dict[str, Any]
    origin: dict[str, str]
    path: Path


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every vector satisfies."""
    loaded: dict[str, Any] = json.loads((_HERE / "schema.json").read_text())
    return loaded


def load(kind: str) -> Sequence[Vector]:
    """All vectors of a kind (the name of a folder, as ``pkcs10``), by ID."""
    return [_vector(path) for path in sorted((_HERE / kind).glob("*.json"))]


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
    )
