"""What a registration authority says of proof of possession: the RA POP Witness control (RFC 5272 section 6.8)."""

from __future__ import annotations

from dataclasses import dataclass

from privca.pkix import der
from privca.pkix.rfc5272.values import body_part, body_parts

_CLAUSE = "RFC 5272 section 6.8"


@der.sequence
class _LraPopWitness:
    data: int
    bodies: list[int]


@dataclass(frozen=True, slots=True)
class PopWitness:
    """The requests of which the RA has proof of possession: in the message inside that has the identifier ``data``, 0 in this one."""

    data: int
    requests: tuple[int, ...]


def read_pop_witness(value: bytes) -> PopWitness:
    """An LraPopWitness. :raises Refused: ``MALFORMED``."""
    witness = der.decode(_LraPopWitness, value, clause=_CLAUSE)
    return PopWitness(body_part(witness.data, _CLAUSE), body_parts(witness.bodies, _CLAUSE))
