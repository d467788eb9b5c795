"""How a fault of the status services is declared."""

from __future__ import annotations

from privca.faults.edits import Edit
from privca.faults.fault import Fault


def ocsp(name: str, title: str, section: str, *edits: Edit) -> Fault:
    """A fault of the name ``status.NAME``. :param section: one of RFC 6960, or a whole clause of another RFC."""
    return Fault(f"status.{name}", title, section if section.startswith("RFC") else f"RFC 6960 section {section}", edits)


def crl(name: str, title: str, section: str, *edits: Edit) -> Fault:
    """The same for a section of RFC 5280."""
    return Fault(f"status.{name}", title, f"RFC 5280 section {section}", edits)
