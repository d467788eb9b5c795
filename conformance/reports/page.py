"""One HTML page that needs no network: the requirements by section, every case with its messages, several servers side by side."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from conformance.reports.decoded import HEX_LIMIT, beside, lines, octets
from conformance.reports.traceability import verdict_of

ORDER = ("fail", "error", "inconsistent", "inconclusive", "warn", "info", "pass", "unsupported", "not-applicable")


def page(runs: Sequence[dict[str, Any]]) -> str:
    """The page of these results.

    The messages of a case are those of the first run that has it; a server that was not asked something has ``not run`` there. Messages
    stand in the page as data, and are laid out when a reader opens their case: a page of a thousand cases is still there at once.
    """
    environment = Environment(
        loader=PackageLoader("conformance.reports", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found: dict[str, dict[str, Any]] = {}
    requirements: dict[str, dict[str, Any]] = {}
    for run in runs:
        for case in run["cases"]:
            found.setdefault(case["id"], case)
        for one in run["requirements"]:
            requirements.setdefault(one["id"], one)
    servers = [_server(run, requirements) for run in runs]
    cases = [{**case, "messages": _messages(case), "protocol": case["id"].partition(".")[0]} for case in found.values()]
    counts = {verdict: sum(1 for case in cases if case["verdict"] == verdict) for verdict in ORDER}
    covering: dict[str, list[str]] = {id: [] for id in requirements}
    for case in cases:
        for id in case["covers"]:
            covering[id].append(case["id"])
    return environment.get_template("page.html.j2").render(
        run=runs[0],
        servers=servers,
        cases=sorted(cases, key=lambda case: (ORDER.index(case["verdict"]), case["id"])),
        counts={verdict: count for verdict, count in counts.items() if count},
        protocols=sorted({case["protocol"] for case in cases}),
        rfcs=[_rfc(number, ones, servers) for number, ones in _by_rfc(requirements.values())],
        covering=covering,
    )


def _server(run: dict[str, Any], requirements: Iterable[str]) -> dict[str, Any]:
    verdicts = {case["id"]: case["verdict"] for case in run["cases"]}
    return {
        "name": run["target"]["name"] or "a server",
        "endpoints": run["target"]["endpoints"],
        "verdicts": verdicts,
        "counts": {verdict: count for verdict in ORDER if (count := sum(1 for one in verdicts.values() if one == verdict))},
        "requirements": {id: verdict_of(id, run) for id in requirements},
        "status": run["exit_status"],
        "started": run["started"],
        "finished": run["finished"],
    }


def _rfc(number: str, requirements: list[dict[str, Any]], servers: list[dict[str, Any]]) -> dict[str, Any]:
    """One RFC: its requirements in the order of the text, and what was found of them, server by server."""
    examined = [one for one in requirements if one["status"] in ("testable", "static")]
    return {
        "number": number,
        "requirements": sorted(requirements, key=lambda one: _place(one["clause"])),
        "examined": len(examined),
        "found": [
            {
                verdict: count
                for verdict in (*ORDER, "not examined")
                if (count := sum(1 for one in examined if server["requirements"][one["id"]] == verdict))
            }
            for server in servers
        ],
    }


def _by_rfc(requirements: Iterable[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in requirements:
        found.setdefault(one["clause"].removeprefix("RFC ").partition(" ")[0], []).append(one)
    return sorted(found.items(), key=lambda item: int(item[0]))


def _place(clause: str) -> tuple[int, list[tuple[int, int, str]]]:
    number, _, section = clause.removeprefix("RFC ").partition(" section ")
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in section.split(".")]
    return int(number), parts


def _messages(case: dict[str, Any]) -> str:
    """The exchanges of a case, and the control beside the spoilt request, as JSON in zlib (RFC 1950) in base64.

    Compressed they are a fifth of their size, and nothing that a server said can be markup of the page.
    """
    data = {"pair": _pair(case), "steps": [_step(exchange) for exchange in case["exchanges"]]}
    return base64.b64encode(zlib.compress(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode())).decode("ascii")


def _step(exchange: dict[str, Any]) -> dict[str, Any]:
    request, reply = exchange["request"], exchange["reply"]
    return {
        "stage": exchange["stage"],
        "note": exchange["note"],
        "line": f"{request['method']} {request['url']}",
        "status": reply["status"],
        "request": "\n".join(lines(request)),
        "reply": "\n".join(lines(reply)),
        "bodies": [base64.b64encode(octets(message)[:HEX_LIMIT]).decode() for message in (request, reply)],
        "sizes": [len(octets(message)) for message in (request, reply)],
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
