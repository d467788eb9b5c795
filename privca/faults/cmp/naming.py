"""How a fault of CMP is declared."""

from __future__ import annotations

from privca.faults.edits import Edit
from privca.faults.fault import Fault

DELAYED = "lab-cmp-delayed"
"""The lab's profile that lets every client wait."""


def fault(name: str, title: str, section: str, *edits: Edit, profile: str = "") -> Fault:
    """A fault of the name ``cmp.NAME``. :param section: one of RFC 9810, or a whole clause of another RFC."""
    clause = section if section.startswith("RFC") else f"RFC 9810 section {section}"
    return Fault(f"cmp.{name}", title, clause, edits, profile)
