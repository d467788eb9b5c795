"""Faults of the CMP server, a module for each area."""

from __future__ import annotations

from privca.faults.cmp import (
    confirmation,
    encapsulation,
    enrollment,
    extra_certs,
    general,
    headers,
    http,
    key_generation,
    polling,
    possession,
    protecting,
    revocation,
    rules_answers,
    rules_requests,
    rules_validation,
    support,
)
from privca.faults.fault import Fault

_RULES = (http, extra_certs, rules_validation, rules_requests, rules_answers, key_generation, support)
_AREAS = (headers, protecting, encapsulation, possession, enrollment, confirmation, revocation, general, polling)
FAULTS: tuple[Fault, ...] = tuple(one for area in (*_RULES, *_AREAS) for one in area.FAULTS)
