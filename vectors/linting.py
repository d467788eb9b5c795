"""Does a vector satisfy the schema, and hold together with what it names?"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from vectors import loader

KINDS = ("pkcs10", "acme", "est", "scep", "cmp")


def everything() -> Iterator[Path]:
    """Every file of a vector."""
    for kind in KINDS:
        yield from sorted((loader.HERE / kind).glob("*.json"))


def faults(path: Path) -> Iterator[str]:
    """What is wrong with a file, in sentences."""
    try:
        case = json.loads(path.read_text())
    except ValueError as error:
        yield f"is no JSON: {error}"
        return
    wrong = sorted(jsonschema.Draft202012Validator(loader.schema()).iter_errors(case), key=str)
    yield from (f"{'/'.join(map(str, error.absolute_path)) or 'the whole'}: {error.message[:200]}" for error in wrong)
    if not wrong:
        yield from _loose(path, case)


def _loose(path: Path, case: dict[str, Any]) -> Iterator[str]:
    if path.name != f"{case['id']}.json":
        yield f"is named otherwise than its ID, {case['id']}"
    if path.parent.name != case["kind"] or case["id"].partition(".")[0] != case["kind"]:
        yield f"kind {case['kind']!r}, folder {path.parent.name!r} and ID differ"
    for name in case.get("needs", ()):
        if not loader.file(name).is_file():
            yield f"needs {name}, which is not in the folder keys"
    if "situation" in case and not (loader.HERE / "situations" / f"{case['situation']}.json").is_file():
        yield f"there is no situation {case['situation']}"
    for member in ("reply_to", "control", "after"):
        if member in case and not (path.parent / f"{case[member]}.json").is_file():
            yield f"{member}: there is no vector {case[member]}"
            return
    if "control" in case:
        yield from _mutation(path, case)


def _mutation(path: Path, case: dict[str, Any]) -> Iterator[str]:
    """An invalid vector is its control with exactly the change that it says."""
    control = json.loads((path.parent / f"{case['control']}.json").read_text())
    if control["verdict"] != "valid":
        yield f"control {control['id']} is not valid"
    octets, change = b64decode(control["octets"]), case["mutation"]
    before, after = bytes.fromhex(change["from"]), bytes.fromhex(change["to"])
    at, end = change["offset"], change["offset"] + len(before)
    if octets[at:end] != before or octets[:at] + after + octets[end:] != b64decode(case["octets"]):
        yield f"is not {control['id']} with the change that it says"
