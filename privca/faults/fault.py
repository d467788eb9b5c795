"""What a fault is."""

from __future__ import annotations

from dataclasses import dataclass

from privca.faults.edits import Edit


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong behaviour. ``name`` is ``protocol.area.what-is-wrong``; ``clause`` is the section that it breaks."""

    name: str
    title: str
    clause: str
    edits: tuple[Edit, ...]

    like: str = "lab-acme"
    """The profile of the lab that ``privca up --faults`` makes another one like, with this fault."""

    @property
    def protocol(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]

    @property
    def profile_id(self) -> str:
        """The profile that ``privca up --faults`` makes for it."""
        protocol, _, rest = self.name.partition(".")
        return f"{protocol}-fault-{rest.replace('.', '-')}"
