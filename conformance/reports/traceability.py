"""Traceability: which case examines which requirement, and what it found. CSV for spreadsheets, Markdown for readers."""

from __future__ import annotations

import csv
import io
from typing import Any

_STRONGEST = ["error", "fail", "inconsistent", "warn", "info", "inconclusive", "pass", "unsupported", "not-applicable"]


def verdict_of(requirement: str, results: dict[str, Any]) -> str:
    """What the cases that cover a requirement found, the worst of it; ``not examined`` if none does."""
    found = set()
    for case in results["cases"]:
        if requirement not in case["covers"]:
            continue
        own = [finding for finding in case["findings"] if finding["requirement"] == requirement]
        # A case that covers several breaks only those that its findings name.
        found.add(case["verdict"] if own or not case["findings"] else "pass")
    return next((verdict for verdict in _STRONGEST if verdict in found), "not examined")


def traceability(results: dict[str, Any]) -> str:
    """A line of CSV for each requirement and case."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["requirement", "clause", "keyword", "role", "status", "case", "verdict", "detail"])
    for one in results["requirements"]:
        head = [one["id"], one["clause"], one["keyword"], one["role"], one["status"]]
        cases = [case for case in results["cases"] if one["id"] in case["covers"]]
        for case in cases:
            table.writerow([*head, case["id"], case["verdict"], _safe(case["detail"])])
        if not cases:
            table.writerow([*head, "", "not examined", one["why"]])
    return out.getvalue()


def markdown(results: dict[str, Any]) -> str:
    """A summary that reads well in a pull request."""
    counts: dict[str, int] = {}
    for case in results["cases"]:
        counts[case["verdict"]] = counts.get(case["verdict"], 0) + 1
    lines = [f"# Conformance of {results['target']['name'] or 'a server'}", ""]
    lines += [f"{results['started']} to {results['finished']}, exit status {results['exit_status']}.", ""]
    if (profile := results["selection"].get("profile")) is not None:
        missing = len(profile["not_examined"])
        lines += [f"Asked for: {profile['title']} (`{profile['name']}`); {missing} of its requirements were not examined.", ""]
    lines += ["| verdict | cases |", "|---|---|", *(f"| {name} | {count} |" for name, count in sorted(counts.items())), ""]
    off = [case for case in results["cases"] if case["verdict"] not in ("pass", "unsupported", "not-applicable")]
    if off:
        lines += ["| case | verdict | what was found | known |", "|---|---|---|---|"]
        lines += [f"| `{case['id']}` | {case['verdict']} | {_cell(case['detail'])} | {_cell(case['reason'])} |" for case in off]
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    """Nothing that a spreadsheet would take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:300]
