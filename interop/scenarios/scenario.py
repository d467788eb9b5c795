"""The terms in which a scenario is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["acme", "est", "scep", "cmp"]
Outcome = Literal[
    "registered",
    "deactivated",
    "issued",
    "renewed",
    "revoked",
    "restored",
    "fetched",
    "answered",
    "refused",
    "limited",
    "noticed",
]
"""``fetched``: the client holds a file that the server publishes. ``restored``: a certificate was on hold and no longer is.
``answered``: the client took the answers for what it asked; there is nothing else to hold. ``limited``: a second certificate is refused
for now, and the client waits until it gets it, or gives up and says why. ``noticed``: the answer is wrong, and the client does not take it."""
Credential = Literal["none", "right", "wrong", "unknown"]
"""``wrong``: the name is right, the secret is not. ``unknown``: a name that nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario. ``names`` may hold ``{label}``, which is different for every job, so that no job finds another's authorization.

    ``credential`` says whether the client gets a credential, and whether it is the right one.
    ``control`` is the scenario that differs in nothing but the fault: where it fails, this one proves nothing.
    """

    id: str
    protocol: Protocol
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
    variant: str = ""
    """How the service's profile differs from the lab's own: a file of :mod:`interop.servers.variants`; empty: not at all."""
    fault: str = ""
    """The fault of the service, by its name as ``privca faults`` lists it; empty: none."""
    provoked: str = ""
    """What must have happened to the client, as a pattern in an exchange of the server's transcript: it grades what the client did next."""
    back: str = ""
    """The request with which it comes back, as a pattern in an exchange; empty: the same request line."""
    pause: int = 0
    """Seconds that such an answer tells the client to wait, where that is in no Retry-After."""
    must_wait: bool = False
    """Whether a client that does not wait as long as it is told has failed."""
    approved: bool = False
    """Whether the request waits for a person, and the harness is that person."""
    thinking: int = 0
    """Seconds that this person takes before the first decision."""
    holds: Mapping[str, str] = field(default_factory=dict)
    """What the client must hold afterwards besides, by label: a kind of :mod:`interop.evidence.files`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What the driver is told besides, in the words of the protocol: ``{"authentication": "digest"}``."""
    commands: tuple[tuple[str, ...], ...] = ()
    """Of CMP: the arguments of each call, with placeholders (:mod:`interop.scenarios.cmp`)."""
    transcript: tuple[str, ...] = ()
    """Patterns of which each must match an exchange of this job in the server's transcript, where the server has one."""
