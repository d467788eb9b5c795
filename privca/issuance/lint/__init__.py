"""A second look at a TBSCertificate right before it is signed: RFC 5280 holds, and it says what was approved and nothing else.

The octets are read anew; nothing is taken over from the code that built them. Each rule is a small function in a module of its
family, named by standard; a test spoils a TBS for every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from privca.base.refused import Reason, Refused
from privca.issuance.approved import Approved
from privca.issuance.ca_key import SigningKey
from privca.issuance.lint import approval, rfc5280
from privca.issuance.lint.reading import Unreadable, read
from privca.issuance.ports import Certificate

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a TBS breaks."""

    rule: str
    clause: str
    detail: str


def findings(tbs: bytes, approved: Approved | None, signer: SigningKey) -> list[Finding]:
    """All rules that ``tbs`` (DER of a TBSCertificate) breaks; without ``approved`` only those of RFC 5280 are asked."""
    try:
        reading = read(tbs)
    except Unreadable as unreadable:
        return [Finding("read", "RFC 5280 section 4.1", str(unreadable))]
    found = []
    for clause, rule in rfc5280.RULES:
        if (detail := rule(reading, signer)) is not None:
            found.append(Finding(rule.__name__, clause, detail))
    if approved is not None:
        for clause, held_to in approval.RULES:
            if (detail := held_to(reading, approved, signer)) is not None:
                found.append(Finding(held_to.__name__, clause, detail))
    return found


def check(tbs: bytes, approved: Approved, signer: SigningKey) -> None:
    """Let ``tbs`` pass, or log what is wrong with it. :raises Refused: ``INTERNAL``: it is our fault, whatever was asked for."""
    _refuse(findings(tbs, approved, signer), tbs)


def check_recorded(record: Certificate, signer: SigningKey) -> None:
    """Look at a recorded TBS again before it is signed late; that it is what was approved was checked before it was recorded."""
    _refuse(findings(record.tbs, None, signer), record.tbs)


def _refuse(found: list[Finding], tbs: bytes) -> None:
    if not found:
        return
    for finding in found:
        _log.error("lint", rule=finding.rule, clause=finding.clause, detail=finding.detail, tbs=tbs.hex())
    raise Refused(
        Reason.INTERNAL, found[0].clause, f"the certificate was not signed, since it failed the last check ({found[0].rule})"
    )
