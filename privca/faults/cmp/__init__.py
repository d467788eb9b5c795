"""Faults of the CMP server, a module for each area."""

from __future__ import annotations

from privca.faults.cmp import extra_certs, http, key_generation, rules_answers, rules_requests, rules_validation, support
from privca.faults.fault import Fault

FAULTS: tuple[Fault, ...] = tuple(
    one
    for area in (http, extra_certs, rules_validation, rules_requests, rules_answers, key_generation, support)
    for one in area.FAULTS
)
