"""Makes vectors of what clients sent: from the transcript of a lab, or from a message in a file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vectors import http, loader, reading
from vectors.generator.conversation import mutation
from vectors.replaying import KINDS

_NAMES = {"acme": "ACME", "est": "EST", "scep": "SCEP", "cmp": "CMP"}
_REDACTED = re.compile(rb"\[redacted [a-z-]+, [0-9]+ octets\]")


def record(
    transcript: Path,
    *,
    client: str,
    version: str,
    case: str = "",
    profile: str = "",
    since: int = 1,
    once: bool = False,
    out: Path | None = None,
) -> list[Path]:
    """Write the exchanges of a transcript as pairs of vectors; the files.

    :param once: only the first exchange of each operation.
    """
    written: list[Path] = []
    seen: set[str] = set()
    number = 0
    for exchange in _exchanges(transcript, profile, since):
        kind = exchange["protocol"]
        request, reply = _message(exchange["request"]), _message(exchange["reply"])
        operation = _operation(kind, request)
        if once and operation in seen:
            continue
        seen.add(operation)
        number += 1
        words = [_word(client), _word(case)] if case else [_word(client)]
        id = f"{kind}.{'.'.join(words)}.{number:02}-{_word(operation)}"
        origin = {"type": "recorded", "client": client, "version": version, "protocol": _NAMES[kind], "operation": operation}
        common: dict[str, Any] = {"kind": kind, "revision": 1}
        fidelity = "start line and body" if _REDACTED.search(request) else "octets"
        asked = http.parse(request).body if kind == "cmp" else request
        answered = http.parse(reply).body if kind == "cmp" else reply
        first = {
            "id": id,
            **common,
            "comment": f"{operation} of {client} {version}: {exchange['outcome'] or 'answered'}.",
            "origin": origin,
            "verdict": "valid",
            "direction": "request",
            "fidelity": fidelity,
            "octets": _text(asked),
        }
        second = {
            "id": f"{id}.reply",
            **common,
            "comment": f"Reply of privca to {client} {version}.",
            "origin": {**origin, "server": "privca"},
            "verdict": "valid",
            "direction": "reply",
            "reply_to": id,
            "fidelity": "start line and body" if _REDACTED.search(reply) else "octets",
            "octets": _text(answered),
        }
        written += [_write(out, kind, one) for one in (first, second)]
    return written


def new(
    id: str, octets: bytes, *, client: str, version: str, operation: str, comment: str, control: str = "", clause: str = ""
) -> Path:
    """Write one request as a vector. :raises ValueError: if its ID has no kind, or its control is not there."""
    kind = id.partition(".")[0]
    if kind not in KINDS:
        raise ValueError(f"{id}: an ID begins with one of {', '.join(KINDS)}")
    if bool(control) != bool(clause):
        raise ValueError("a control goes with the clause that the change breaks")
    origin = {"type": "recorded", "client": client, "version": version, "protocol": _NAMES[kind], "operation": operation}
    document: dict[str, Any] = {"id": id, "kind": kind, "revision": 1, "comment": comment, "origin": origin, "verdict": "valid"}
    if control:
        try:
            before = loader.find(control).octets
        except KeyError as error:
            raise ValueError(str(error.args[0])) from None
        document |= {"verdict": "invalid", "clause": clause, "control": control, "mutation": mutation(before, octets)}
    document |= {"direction": "request", "fidelity": "octets", "octets": _text(octets)}
    return _write(None, kind, document)


def _exchanges(transcript: Path, profile: str, since: int) -> Iterator[dict[str, Any]]:
    with transcript.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            exchange = json.loads(line)
            if number >= since and exchange["protocol"] in KINDS and profile in ("", exchange["profile"]):
                yield exchange


def _message(side: dict[str, Any]) -> bytes:
    # Of a reply the transcript has the empty line, of a request it has not.
    return _octets(side["head"]).removesuffix(b"\r\n\r\n") + b"\r\n\r\n" + _octets(side["body"])


def _octets(part: dict[str, str]) -> bytes:
    return part["text"].encode("ascii") if "text" in part else base64.b64decode(part["base64"])


def _operation(kind: str, request: bytes) -> str:
    """What a request is called in its protocol."""
    message = http.parse(request)
    path, _, query = message.target.partition("?")
    if kind == "scep":
        named = re.search(r"operation=([A-Za-z]+)", query)
        operation = named[1] if named else "PKIOperation"
        return reading.message_type(http.scep_message(message)) if operation == "PKIOperation" else operation
    if kind == "cmp":
        return reading.body_name(message.body)
    parts = [part for part in path.split("/") if part]
    if kind == "est":
        return parts[-1]
    # /acme/PROFILE/order/ID/finalize: what is asked for stands third, but for what is done to something.
    return "directory" if len(parts) < 3 else "finalize" if parts[-1] == "finalize" else parts[2]


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _write(out: Path | None, kind: str, document: dict[str, Any]) -> Path:
    folder = (out or loader.HERE) / kind
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{document['id']}.json"
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path
