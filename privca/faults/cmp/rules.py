"""How a fault of the Lightweight CMP Profile is declared: it is served at the profile that follows RFC 9483."""

from __future__ import annotations

from privca.faults.edits import Edit
from privca.faults.fault import Fault

PROFILE = "lab-cmp-lightweight"
AUTHENTICATION = "cmp.protection.authentication"
SERVICE = "cmp.service:CmpService"


def fault(name: str, title: str, section: str, *edits: Edit) -> Fault:
    """A fault of the name ``cmp.NAME``. :param section: of RFC 9483."""
    return Fault(f"cmp.{name}", title, f"RFC 9483 section {section}", edits, PROFILE)
