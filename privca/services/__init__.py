"""The protocols' services made from the parts of a CA, a module for each protocol.

They are by themselves because a fault is served by a second copy of one of these modules and of everything below that it uses
(:mod:`privca.faults`): what puts a service together has to be in the copy, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from privca.acme.ports import Background, Prober
from privca.composition import Offload, Parts
from privca.enrollment.door import Door
from privca.enrollment.service import EnrollmentService
from privca.issuance.issue import Issuer


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a service needs of the process that it runs in."""

    prober: Prober
    background: Background
    offload: Offload
    """Runs work off the reactor's thread."""


def door(parts: Parts) -> Door:
    """The door into the CA for one service; what issues behind it belongs to the same copy as the service."""
    return EnrollmentService(parts.store, parts.authorities, Issuer(parts.store, parts.keys, parts.authorities), parts.revocation)
