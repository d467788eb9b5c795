"""Talks with a harness: a program that puts a server into a situation and has it answer requests, in lines of JSON (README.md).

The default is this project's own, ``privca replay``; any other server can have one, in any language.
"""

from __future__ import annotations

import base64
import contextlib
import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

DEFAULT = (sys.executable, "-m", "privca", "replay")
ENDING = 30.0
"""Seconds that a harness has to end when its input does."""


class HarnessError(Exception):
    """The harness does not speak as it should: what it said, or that it is gone."""


class Unsupported(Exception):
    """The harness says that it cannot be put into a situation: why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, and what the server says to it by itself (``why``), for people."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    why: str = ""


class Harness:
    """A running harness. :param command: as a shell would have it; None for the default."""

    def __init__(self, command: str | None = None) -> None:
        self._command = shlex.split(command) if command else list(DEFAULT)

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        except OSError as error:
            raise HarnessError(f"{self._command[0]}: {error.strerror}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def begin(self, situation: Mapping[str, Any]) -> None:
        """Put the server into a situation, whatever it was in before. :raises Unsupported, HarnessError:"""
        said = self._ask({"begin": situation})
        if "unsupported" in said:
            raise Unsupported(str(said["unsupported"]))
        if said.get("ready") is not True:
            raise HarnessError(f"expected {{'ready': true}}, got {said}")

    def request(
        self,
        method: str,
        target: str,
        fields: Sequence[tuple[str, str]],
        body: bytes,
        tls: Mapping[str, str] | None = None,
    ) -> Reply:
        """Have a request answered. :raises HarnessError:"""
        asked: dict[str, Any] = {"method": method, "target": target, "fields": fields, "body": base64.b64encode(body).decode()}
        said = self._ask({"request": {**asked, **({"tls": tls} if tls else {})}})
        try:
            reply = said["reply"]
            octets = base64.b64decode(reply["body"], validate=True)
            return Reply(int(reply["status"]), tuple(map(tuple, reply["fields"])), octets, str(said.get("why", "")))
        except (KeyError, TypeError, ValueError) as error:
            raise HarnessError(f"no reply is in {str(said)[:200]}: {error}") from None

    def act(self, step: Mapping[str, Any]) -> None:
        """Something between two requests: ``{"approve": true}`` or ``{"advance": SECONDS}``."""
        self._ask(step)

    def _ask(self, line: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise HarnessError("the harness has ended") from None
        said = self._process.stdout.readline()
        try:
            decoded = json.loads(said)
        except ValueError:
            raise HarnessError(f"expected a line of JSON, got {said[:200]!r}") from None
        if not isinstance(decoded, dict):
            raise HarnessError(f"expected an object, got {said[:200]!r}")
        return decoded
