"""Faults of the ACME server, a module for each area."""

from __future__ import annotations

from privca.faults.acme import (
    accounts,
    binding,
    challenges,
    errors,
    key_change,
    limits,
    nonces,
    orders,
    renewal,
    requests,
    revocation,
    serialization,
)
from privca.faults.fault import Fault

FAULTS: tuple[Fault, ...] = tuple(
    one
    for area in (
        nonces,
        requests,
        errors,
        accounts,
        key_change,
        binding,
        orders,
        challenges,
        revocation,
        renewal,
        serialization,
        limits,
    )
    for one in area.FAULTS
)
