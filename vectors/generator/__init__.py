"""Writes the generated vectors: requests octet by octet, with keys, clock and entropy that are the same each time, and what a harness
answers to them. ``python -m vectors generate`` writes the files, ``--check`` compares them with those that are there.

Requests owe nothing to any server's code. What a conversation needs of a reply (a nonce, an issued certificate) is read from it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vectors import loader
from vectors.generator import acme, cmp, est, scep
from vectors.generator.conversation import Files
from vectors.harness import Harness

GENERATORS = (acme, est, scep, cmp)


def generated(harness: Harness) -> Files:
    """Every generated file of the folders of messages, by its path below the package."""
    files: Files = {}
    for protocol in GENERATORS:
        protocol.generate(harness, files)
    return files


def differences(files: Files) -> dict[str, str]:
    """What is not as it is on disk, by file: changed, missing, or there without being generated."""
    found = {}
    for name, text in sorted(files.items()):
        path = loader.HERE / name
        if not path.is_file():
            found[name] = "is missing"
        elif _compared(path.read_text()) != _compared(text):
            found[name] = "differs"
    return found | dict.fromkeys(sorted(_there() - files.keys()), "is generated no more")


def write(files: Files) -> None:
    """Put what differs where it belongs, and take away what is generated no more."""
    for name in differences(files):
        path = loader.HERE / name
        if name not in files:
            path.unlink()
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[name])


def _compared(text: str) -> dict[str, Any]:
    """A vector without octets that are others each time, since something in them is encrypted for the client."""
    document: dict[str, Any] = json.loads(text)
    if document.get("match") == "answer":
        del document["octets"]
    return document


def _there() -> set[str]:
    found: set[Path] = set()
    for protocol in GENERATORS:
        kind = protocol.__name__.rpartition(".")[2]
        found |= set((loader.HERE / kind).glob(f"{kind}.generated.*.json"))
    return {str(path.relative_to(loader.HERE)) for path in found}
