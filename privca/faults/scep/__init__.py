"""Faults of the SCEP server, a module for each area."""

from __future__ import annotations

from privca.faults.fault import Fault
from privca.faults.scep import (
    ca_certificates,
    capabilities,
    enrollment,
    envelopes,
    failures,
    messages,
    queries,
    replies,
    transport,
)

FAULTS: tuple[Fault, ...] = tuple(
    one
    for area in (capabilities, ca_certificates, transport, messages, envelopes, enrollment, replies, failures, queries)
    for one in area.FAULTS
)
