"""How a fault of SCEP is declared."""

from __future__ import annotations

from privca.faults.edits import Edit
from privca.faults.fault import Fault

STRICT, APPROVAL = "lab-scep-strict", "lab-scep-approval"


def fault(name: str, title: str, section: str, *edits: Edit, like: str = STRICT) -> Fault:
    """A fault of the name ``scep.NAME``. :param section: one of RFC 8894, or a whole clause of another RFC."""
    clause = f"RFC 8894 section {section}" if section[0].isdigit() else section
    return Fault(f"scep.{name}", title, clause, edits, like)
