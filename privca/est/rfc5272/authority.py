"""What registration authorities say of a message and of those inside it (RFC 5272 sections 6.5, 6.8 and 6.19, RFC 6402 section 2.5).

Only a message that a registration authority has signed speaks with its authority: a message that it merely passes on in its connection
does not, since its client could have written that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from privca.enrollment.door import Identity
from privca.pkix.rfc5272.controls import Controls
from privca.pkix.rfc5272.modification import Modification

CURRENT = (0,)
"""RFC 5272 section 3.2.2: the PKIData that a control stands in."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who vouches for one message: the controls of each registration authority around it with the path from there to here, innermost
    first. ``identity`` is that of the innermost one, None where there is none."""

    identity: Identity | None = None
    layers: tuple[tuple[Controls, tuple[int, ...]], ...] = ()

    @property
    def depth(self) -> int:
        """How many messages are around this one."""
        return max((len(path) for _, path in self.layers), default=0)

    def own(self, controls: Controls) -> Authority:
        """The same for a message that is itself signed by a registration authority."""
        return replace(self, layers=((controls, ()), *self.layers))

    def inside(self, body: int, identity: Identity) -> Authority:
        """What is said of the message at ``body`` in this one, which the registration authority ``identity`` has signed."""
        return Authority(identity, tuple((controls, (*path, body)) for controls, path in self.layers))

    def has_possession(self, request: int) -> bool:
        """Whether it says that it has proof of possession for a request of this message (section 6.8)."""
        for controls, path in self.layers:
            data = path[0] if len(path) == 1 else 0 if not path else None
            if any(one.data == data and request in one.requests for one in controls.pop_witnesses.values()):
                return True
        return False

    def has_identity(self, proof: int | None) -> bool:
        """Whether a registration authority around this message says that it has proven the identity behind it, be it by the identity
        proof of this body part (RFC 6402 section 2.5)."""
        for controls, path in self.layers:
            if not path:
                continue
            paths = {path} if proof is None else {path, (*path, proof)}
            if paths & set(controls.identity_witnessed.values()):
                return True
        return False

    def has_processed(self, control: int) -> bool:
        """Whether it says that it has dealt with a control of this message (section 6.19)."""
        return any((*path, control) in paths for controls, path in self.layers for paths in controls.processed.values())

    def modifications(self) -> Iterator[tuple[int, bool, Modification]]:
        """The changes of requests of this message, in the order of application: innermost first (section 6.5.1).

        With the body part of each, and whether that is in this message itself.
        """
        for controls, path in self.layers:
            for body, modification in controls.modifications.items():
                if modification.data == (path or CURRENT):
                    yield body, not path, modification
