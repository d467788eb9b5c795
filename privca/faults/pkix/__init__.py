"""Faults of what is issued (RFC 5280), whatever protocol it is issued by."""

from __future__ import annotations

from privca.faults.fault import Fault
from privca.faults.pkix import authorities, extensions, fields

FAULTS: tuple[Fault, ...] = tuple(one for area in (fields, extensions, authorities) for one in area.FAULTS)
