"""The one test that pytest runs: each case is an item of it."""

from __future__ import annotations

from collections.abc import Callable

from conformance.case import Case
from conformance.examination import Result
from conformance.verdict import Verdict

_FAILED = (Verdict.FAIL, Verdict.INCONSISTENT, Verdict.ERROR)


def test_case(declared: Case, examined: Callable[[Case], Result]) -> None:
    """A case fails here if it broke a MUST; every other verdict is told by our own results."""
    result = examined(declared)
    assert result.verdict not in _FAILED, result.detail
