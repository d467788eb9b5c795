"""``privca replay``: the harness by which test vectors are replayed, a JSON object on each line of standard input and output."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import click
import msgspec
import structlog

from privca.cli.output import Failed
from privca.replay import PROTOCOLS, Situation, Stage, Tls


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One HTTP request; ``body`` is base64."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    tls: Tls | None = None


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of input: exactly one of these."""

    begin: Situation | None = None
    request: Asked | None = None
    approve: bool = False
    advance: int = 0


@click.command
def command() -> None:
    """Answer the requests of test vectors, line by line: what 'python -m vectors replay' speaks with.

    {"begin": {...}} makes a CA with the key, the credentials, the clock and the randomness of a situation; {"request": {...}} is answered
    by it, {"approve": true} approves what waits, {"advance": SECONDS} lets time pass. vectors/README.md describes every member.
    """
    # What is logged goes where people look; standard output is the conversation.
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr), wrapper_class=structlog.make_filtering_bound_logger("error")
    )
    with ExitStack() as stack:
        stage: Stage | None = None
        for line in _lines():
            if line.begin is not None and line.begin.protocol not in PROTOCOLS:
                _say({"unsupported": f"no protocol {line.begin.protocol[:20]!r} here, but {', '.join(PROTOCOLS)}"})
            elif line.begin is not None:
                stack.close()
                stage = stack.enter_context(Stage(line.begin))
                _say({"ready": True})
            elif stage is None:
                raise Failed("the first line begins a situation")
            elif line.request is not None:
                _say(_answer(stage, line.request))
            elif line.approve:
                _say({"approved": stage.approve()})
            else:
                stage.advance(line.advance)
                _say({"advanced": line.advance})


def _lines() -> Iterator[Line]:
    decoder = msgspec.json.Decoder(Line)
    for number, text in enumerate(sys.stdin.buffer, 1):
        try:
            yield decoder.decode(text)
        except msgspec.MsgspecError as error:
            raise Failed(f"line {number}: {error}") from None


def _answer(stage: Stage, asked: Asked) -> dict[str, object]:
    fields: dict[str, str] = {}
    for name, value in asked.fields:
        known = fields.get(name.lower())
        fields[name.lower()] = value if known is None else f"{known}, {value}"
    response, exchange = stage.answer(asked.method, asked.target, fields, asked.body, asked.tls)
    decision = exchange.decision
    return {
        "reply": {
            "status": response.status,
            "fields": [list(one) for one in response.headers],
            "body": base64.b64encode(response.body).decode("ascii"),
        },
        "outcome": decision.outcome or "answered",
        "why": f"{decision.clause}: {decision.detail}" if decision.detail else decision.clause,
    }


def _say(answer: dict[str, object]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()
