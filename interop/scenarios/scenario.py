"""The terms in which a scenario is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["registered", "deactivated", "issued", "renewed", "revoked", "refused"]
Credential = Literal["none", "right", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario. ``names`` may hold ``{label}``, which is different for every job, so that no job finds another's authorization.

    ``credential`` says whether the profile is the one that asks for a credential, and whether the client gets the right one.
    ``control`` is the scenario that differs in nothing but the fault: where it fails, this one proves nothing.
    """

    id: str
    protocol: Literal["acme"]
    title: str
    actions: tuple[str, ...]
    outcome: Outcome
    names: tuple[str, ...] = ("{label}.example.test",)
    challenge: str = "http-01"
    key: str = "ec256"
    reason: str = "unspecified"
    credential: Credential = "none"
    control: str = ""
    refusal: str = ""
    """Of a refusal: what the client must have been told, as a pattern in what it prints."""
