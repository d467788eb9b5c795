"""Verdicts of a case, and what they mean for a whole run. pytest's outcomes cannot carry them, so they are ours."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Level(enum.StrEnum):
    """How strongly a requirement binds (BCP 14), strongest first."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Level).index(self)


class Verdict(enum.StrEnum):
    """What a case found."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    """A MUST is broken."""
    WARN = "warn"
    """A SHOULD is not followed."""
    INFO = "info"
    """Something optional is done in another way than the text suggests, or a wrong request was refused for another reason than its own."""
    INCONCLUSIVE = "inconclusive"
    """A correct request was refused before anything could be examined: nothing can be said."""
    UNSUPPORTED = "unsupported"
    """The server says that it does not have this, and does not claim it."""
    NOT_APPLICABLE = "not-applicable"
    """What the run was given does not allow it (no DNS API, say), or the server's settings make it meaningless."""
    INCONSISTENT = "inconsistent"
    """The target claims a feature that the server does not have."""
    ERROR = "error"
    """The harness failed: our fault, and nothing is said of the server."""


BROKEN = {Level.MUST: Verdict.FAIL, Level.SHOULD: Verdict.WARN, Level.MAY: Verdict.INFO}
"""What it means that a requirement of this level is not met."""

CONFORMANT, NONCONFORMANT, USAGE, HARNESS, UNREACHABLE, NOTHING = range(6)
"""Exit statuses of a run."""

_CONCLUDED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.INFO, Verdict.INCONSISTENT})


def exit_status(verdicts: Iterable[Verdict], *, unexpected: bool = False) -> int:
    """The exit status of a run with these verdicts, those that are expected deviations left out.

    :param unexpected: an expected deviation did not happen, or its entry has expired.
    """
    found = list(verdicts)
    if not found:
        return NONCONFORMANT if unexpected else NOTHING
    if Verdict.ERROR in found:
        return HARNESS
    if Verdict.FAIL in found or Verdict.INCONSISTENT in found or unexpected:
        return NONCONFORMANT
    return CONFORMANT if _CONCLUDED.intersection(found) else UNREACHABLE
