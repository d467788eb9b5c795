"""``results.json``: everything that a run found, in one document with a schema; every report is made from it alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from conformance.catalogue import Requirement, catalogue
from conformance.examination import Exchange
from conformance.expected import Judged
from conformance.target import Target
from conformance.transport import HttpRequest, HttpResponse

FORMAT = 1
SCHEMA = "results.schema.json"
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True)
class Run:
    """When a run was made, against what, and with which settings."""

    target: Target
    started: datetime
    finished: datetime
    status: int
    selection: Mapping[str, Any]


def document(run: Run, judged: Sequence[Judged]) -> dict[str, Any]:
    """The whole of a run as a JSON document."""
    return {
        "format": FORMAT,
        "kit": {"name": "privca conformance", "version": metadata.version("privca")},
        "target": {
            "name": run.target.name,
            "protocols": list(run.target.protocols),
            "endpoints": run.target.endpoints,
            "claims": sorted(run.target.claimed),
        },
        "started": _time(run.started),
        "finished": _time(run.finished),
        "exit_status": run.status,
        "selection": dict(run.selection),
        "requirements": [_requirement(one) for one in _concerned(run.target.protocols, judged)],
        "cases": [case(one) for one in judged],
    }


def write(path: Path, run: Run, judged: Sequence[Judged]) -> dict[str, Any]:
    """Write ``results.json``; the document."""
    made = document(run, judged)
    path.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    return made


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of the document."""
    made: dict[str, Any] = json.loads((resources.files(__package__) / SCHEMA).read_text("utf-8"))
    return made


def _concerned(protocols: Iterable[str], judged: Sequence[Judged]) -> list[Requirement]:
    """Every requirement of an RFC from which any case was run."""
    rfcs = {catalogue()[id].rfc for one in judged for id in one.result.case.covers}
    return [one for one in catalogue().values() if one.rfc in rfcs]


def _requirement(one: Requirement) -> dict[str, Any]:
    return {
        "id": one.id,
        "clause": one.clause,
        "keyword": one.keyword,
        "role": one.role,
        "quote": one.quote,
        "status": one.status.value,
        "feature": one.feature,
        "why": one.why,
    }


def case(judged: Judged) -> dict[str, Any]:
    """A case and its result as they are in the document."""
    result = judged.result
    return {
        "id": result.case.id,
        "title": result.case.title,
        "covers": list(result.case.covers),
        "negative": result.case.negative,
        "mutation": result.case.mutation,
        "feature": result.case.feature,
        "verdict": result.verdict.value,
        "expected": judged.expected.value if judged.expected else None,
        "reason": judged.reason,
        "link": judged.link,
        "unexpected": judged.unexpected,
        "detail": result.detail,
        "findings": [
            {"requirement": finding.requirement, "level": finding.level.value, "detail": finding.detail}
            for finding in result.findings
        ],
        "exchanges": [exchange(one) for one in result.exchanges],
        "seconds": round(result.seconds, 3),
    }


def exchange(one: Exchange, request: HttpRequest | None = None) -> dict[str, Any]:
    """An exchange as it is in the document. :param request: another one to show in the place of its own."""
    made = _request(request or one.response.request)
    return {"stage": one.stage, "note": one.note, "request": made, "reply": _reply(one.response)}


def _request(request: HttpRequest) -> dict[str, Any]:
    headers = [[name, "(redacted)" if name.lower() in _SECRET_HEADERS else value] for name, value in request.headers]
    return {"method": request.method, "url": request.url, "headers": headers, **_body(request.body)}


def _reply(response: HttpResponse) -> dict[str, Any]:
    return {"status": response.status, "headers": [list(header) for header in response.headers], **_body(response.body)}


def _body(octets: bytes) -> dict[str, str]:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(octets).decode("ascii")}
    return (
        {"text": text} if text.isprintable() or "\n" in text or not text else {"base64": base64.b64encode(octets).decode("ascii")}
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
