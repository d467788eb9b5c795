"""How a fault of ACME is declared."""

from __future__ import annotations

from privca.faults.edits import Edit
from privca.faults.fault import Fault


def fault(name: str, title: str, section: str, *edits: Edit, like: str = "") -> Fault:
    """A fault of the name ``acme.NAME``. :param section: one of RFC 8555, or a whole clause of another RFC."""
    clause = f"RFC 8555 section {section}" if section[0].isdigit() else section
    return Fault(f"acme.{name}", title, clause, edits, like)
