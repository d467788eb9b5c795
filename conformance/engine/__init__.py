"""Runs cases with pytest as the engine, shut off from the directory that the user happens to be in, one after the other.

pytest gives selection, isolation of each case, and the habits of those who extend the kit; verdicts, results and reports are ours, because
an outcome of pytest cannot say that nothing can be concluded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.case import Case
from conformance.examination import Result

_HERE = Path(__file__).parent
_OURS = ["-c", str(_HERE / "pytest.ini"), "--rootdir", str(_HERE), "--noconftest", "-p", "no:cacheprovider", "-p", "no:terminal"]
# What a case finds is said while it is found: pytest must not keep it (-s).
_OURS += ["-s", "--disable-plugin-autoload", "-p", "no:logging", "-p", "no:faulthandler"]
_THEIRS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
"""Variables by which a user has told pytest things that are meant for other tests."""

Examine = Callable[[Case], Result]


class EngineError(Exception):
    """pytest itself failed: our fault."""


class _Plugin:
    """Gives the one test function its cases, and collects what they find."""

    def __init__(self, cases: Sequence[Case], examine: Examine, done: Callable[[Result], None]) -> None:
        self.cases = cases
        self.examine = examine
        self.done = done
        self.results: list[Result] = []

    @pytest.hookimpl
    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One item for each case."""
        if "declared" in metafunc.fixturenames:
            metafunc.parametrize("declared", self.cases, ids=[one.id for one in self.cases])

    @pytest.fixture
    def examined(self) -> Callable[[Case], Result]:
        """Examines a case and keeps its result."""

        def examined(declared: Case) -> Result:
            result = self.examine(declared)
            self.results.append(result)
            self.done(result)
            return result

        return examined


def run(cases: Sequence[Case], examine: Examine, done: Callable[[Result], None]) -> list[Result]:
    """Examine each case in turn; ``done`` hears of each result as it comes. :raises EngineError:"""
    plugin = _Plugin(cases, examine, done)
    aside = {name: os.environ.pop(name) for name in _THEIRS if name in os.environ}
    try:
        status = pytest.main([*_OURS, str(_HERE / "test_case.py")], plugins=[plugin])
    finally:
        os.environ.update(aside)
    if len(plugin.results) != len(cases) or status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise EngineError(f"pytest ended with {status} after {len(plugin.results)} of {len(cases)} cases")
    return plugin.results
