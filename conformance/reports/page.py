"""One HTML page that needs no network: the requirements by section, every case with its messages, several servers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance.reports.decoded import beside, hexadecimal, lines, octets
from conformance.reports.traceability import verdict_of

ORDER = ("fail", "error", "inconsistent", "inconclusive", "warn", "info", "pass", "unsupported", "not-applicable")


def page(runs: Sequence[dict[str, Any]]) -> str:
    """The page of these results; the first is the one whose messages are shown."""
    environment = Environment(
        loader=PackageLoader("conformance.reports", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    first = runs[0]
    cases = [
        {**case, "steps": [_step(exchange) for exchange in case["exchanges"]], "pair": _pair(case)} for case in first["cases"]
    ]
    servers = [
        {
            "name": run["target"]["name"] or "a server",
            "verdicts": {case["id"]: case["verdict"] for case in run["cases"]},
            "requirements": {one["id"]: verdict_of(one["id"], run) for one in first["requirements"]},
            "status": run["exit_status"],
            "finished": run["finished"],
        }
        for run in runs
    ]
    counts = {verdict: sum(1 for case in cases if case["verdict"] == verdict) for verdict in ORDER}
    return environment.get_template("page.html.j2").render(
        run=first,
        servers=servers,
        cases=sorted(cases, key=lambda case: (ORDER.index(case["verdict"]), case["id"])),
        counts={verdict: count for verdict, count in counts.items() if count},
        sections=_sections(first),
        covering={one["id"]: [case["id"] for case in cases if one["id"] in case["covers"]] for one in first["requirements"]},
    )


def _sections(run: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Requirements by RFC and section, in the order of the text."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in run["requirements"]:
        found.setdefault(one["clause"], []).append(one)
    return sorted(found.items(), key=lambda item: _place(item[0]))


def _place(clause: str) -> tuple[int, list[tuple[int, int, str]]]:
    number, _, section = clause.removeprefix("RFC ").partition(" section ")
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in section.split(".")]
    return int(number), parts


def _step(exchange: dict[str, Any]) -> dict[str, Any]:
    request, reply = exchange["request"], exchange["reply"]
    return {
        "stage": exchange["stage"],
        "note": exchange["note"],
        "line": f"{request['method']} {request['url']}",
        "status": reply["status"],
        "request": "\n".join(lines(request)),
        "reply": "\n".join(lines(reply)),
        "request_hex": hexadecimal(octets(request)),
        "reply_hex": hexadecimal(octets(reply)),
    }


def _pair(case: dict[str, Any]) -> dict[str, Any] | None:
    """The control and the spoilt request of a negative case, line beside line."""
    found: dict[str, dict[str, Any]] = {}
    for exchange in case["exchanges"]:
        if exchange["request"]["method"] != "HEAD":
            found[exchange["stage"]] = exchange
    if "control before" not in found or "spoilt" not in found:
        return None
    control, spoilt = found["control before"], found["spoilt"]
    left, right = beside(lines(control["request"]), lines(spoilt["request"]))
    return {"control": left, "spoilt": right, "granted": lines(control["reply"])[0], "refused": "\n".join(lines(spoilt["reply"]))}
