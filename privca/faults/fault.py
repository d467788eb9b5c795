"""What a fault is."""

from __future__ import annotations

from dataclasses import dataclass

from privca.faults.edits import Edit

ISSUED = "pkix"
"""What stands for a protocol in the names of faults of what is issued."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong behaviour. ``name`` is ``protocol.area.what-is-wrong``; ``clause`` is the section that it breaks."""

    name: str
    title: str
    clause: str
    edits: tuple[Edit, ...]

    profile: str = ""
    """The profile of the lab that ``privca up --faults`` makes another one like, with this fault; empty: the protocol's own."""

    @property
    def protocol(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]

    def fits(self, protocol: str) -> bool:
        """Whether a profile of that protocol can have it: what is issued can be wrong whoever asks for it."""
        return self.protocol in (protocol, ISSUED)

    @property
    def like(self) -> str:
        """The profile of the lab that the one with this fault is like."""
        return self.profile or f"lab-{self.protocol}"

    @property
    def profile_id(self) -> str:
        """The profile that ``privca up --faults`` makes for it."""
        protocol, _, rest = self.name.partition(".")
        return f"{protocol}-fault-{rest.replace('.', '-')}"
