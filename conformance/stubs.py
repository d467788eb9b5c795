"""Servers that do nothing of what they should, by which the gauntlet shows that no case passes for nothing.

A stub answers each request by a function; those that break the connection are seen by a case as what they are, unreachable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.transport import HttpRequest, HttpResponse, Unreachable

Answer = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Stub:
    """A server that is none. ``honest`` are the beginnings of case IDs that it may pass, since it does that much right."""

    name: str
    make: Callable[[], Answer]
    honest: tuple[str, ...] = ()


class StubTransport:
    """Carries the messages to a stub."""

    def __init__(self, stub: Stub) -> None:
        self._answer = stub.make()

    def exchange(self, request: HttpRequest) -> HttpResponse:
        """The stub's reply."""
        return self._answer(request)


def fixed(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Callable[[], Answer]:
    """The same reply to everything."""
    return lambda: lambda request: HttpResponse(status, headers, body, request)


def echo(*headers: tuple[str, str]) -> Callable[[], Answer]:
    """The body of the request comes back."""
    return lambda: lambda request: HttpResponse(200, headers, request.body, request)


def _closing() -> Answer:
    def answer(request: HttpRequest) -> HttpResponse:
        raise Unreachable(f"{request.method} {request.url}: the connection was closed")

    return answer


COMMON: tuple[Stub, ...] = (
    Stub("closes", _closing),
    Stub("empty-200", fixed(200)),
    Stub("no-content", fixed(204)),
    Stub("redirect", fixed(301, b"", ("Location", "https://stub.example.test/elsewhere"))),
    Stub("not-found", fixed(404)),
    Stub("server-error", fixed(500)),
)
"""What is wrong in every protocol."""
