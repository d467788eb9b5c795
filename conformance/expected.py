"""Expected deviations (``expected.toml``): what is known to be wrong with a server, why, where it is written down, and until when that is
accepted. A deviation that does not happen, and an entry that has expired, fail a run as an unexpected failure does.

.. code-block:: toml

    ["acme.nonce.reused-rejected"]      # a case, or a glob
    verdict = "fail"
    reason = "the server forgets nonces when it restarts"
    link = "https://example.test/issues/1"
    until = 2027-01-31
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from conformance.examination import Result
from conformance.verdict import Verdict

_HARMLESS = frozenset({Verdict.PASS, Verdict.UNSUPPORTED, Verdict.NOT_APPLICABLE, Verdict.INFO, Verdict.WARN})


class ExpectationError(Exception):
    """The file cannot be used: which entry, and why."""


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry."""

    verdict: Verdict
    reason: str
    link: str = ""
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A result beside what was expected of it. ``unexpected`` says what is not as it should be; empty: all is as expected."""

    result: Result
    expected: Verdict | None = None
    reason: str = ""
    link: str = ""
    unexpected: str = ""

    @property
    def counts(self) -> bool:
        """Whether the result bears on the exit status: an expected deviation does not."""
        return self.expected is None or bool(self.unexpected)


def read(path: Path) -> dict[str, Expectation]:
    """The entries of a file, by glob. :raises ExpectationError: with the entry that is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), dict[str, Expectation])
    except OSError as error:
        raise ExpectationError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ExpectationError(f"{path}: {error}") from None


def judge(results: Iterable[Result], expected: Mapping[str, Expectation], today: dt.date) -> list[Judged]:
    """Each result beside the first entry whose glob fits its case."""
    return [_judge(result, expected, today) for result in results]


def unused(results: Iterable[Result], expected: Mapping[str, Expectation]) -> list[str]:
    """Globs that no case of the run fits: nothing is expected of them."""
    ids = [result.case.id for result in results]
    return [glob for glob in expected if not any(fnmatch.fnmatchcase(id, glob) for id in ids)]


def _judge(result: Result, expected: Mapping[str, Expectation], today: dt.date) -> Judged:
    for glob, entry in expected.items():
        if fnmatch.fnmatchcase(result.case.id, glob):
            unexpected = ""
            if result.verdict is Verdict.NOT_APPLICABLE and result.case.needs:
                pass  # the run was not given what the case needs: nothing can deviate
            elif result.verdict is not entry.verdict:
                unexpected = f"expected {entry.verdict.value}, got {result.verdict.value}"
            elif entry.until is not None and entry.until < today:
                unexpected = f"the deviation was accepted until {entry.until}"
            return Judged(result, entry.verdict, entry.reason, entry.link, unexpected)
    return Judged(result, unexpected="" if result.verdict in _HARMLESS else result.verdict.value)
