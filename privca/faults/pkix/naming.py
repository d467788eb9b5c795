"""How a fault of what is issued is declared.

The step that is changed is the one that makes what is to be signed, in a copy of the issuing modules for that profile alone; its last check,
which would find the fault, is left out.
"""

from __future__ import annotations

from privca.faults.edits import Edit, ending, instead
from privca.faults.fault import Fault

UNLINTED = instead("issuance.issue:Issuer.issue", "lint.check(tbs, approved, ca_key.signer)", "None")


def fault(name: str, title: str, section: str, *edits: Edit, like: str = "lab-cmp") -> Fault:
    """A fault of the name ``pkix.NAME``.

    :param section: one of RFC 5280.
    :param like: the profile of the lab that has it: one of CMP, which issues in two messages; any protocol's can have it.
    """
    return Fault(f"pkix.{name}", title, f"RFC 5280 section {section}", edits, like)


def issued(name: str, title: str, section: str, change: str, *, like: str = "lab-cmp") -> Fault:
    """A fault of what is signed. :param change: an expression that makes the new ``tbs`` with :mod:`privca.faults.pkix.surgery` as ``s``."""
    lines = f"from privca.faults.pkix import surgery as s\ntbs = result\nresult = {change}"
    return fault(name, title, section, UNLINTED, ending("issuance.signing:prepare", lines), like=like)
