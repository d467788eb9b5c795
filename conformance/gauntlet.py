"""The gauntlet: servers that do nothing of what they should. A case that passes on one of them proves nothing, and fails the gauntlet.

A stub answers each request by a function; those that break the connection are seen by a case as what they are, unreachable. Some stubs do
one thing right, so that a case gets as far as it can: what they do honestly, a case may find so.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.acme.session import AcmeSession
from conformance.case import Case
from conformance.examination import Result
from conformance.target import AcmeTarget, Target
from conformance.transport import HttpRequest, HttpResponse, Unreachable
from conformance.verdict import Verdict

BASE = "https://stub.example.test/acme/"
DIRECTORY = BASE + "directory"
_RESOURCES = ("newNonce", "newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange", "renewalInfo")
_INDEX = ("Link", f'<{DIRECTORY}>;rel="index"')
_PROBLEM = ("Content-Type", "application/problem+json")

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


def _fixed(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Callable[[], Answer]:
    return lambda: lambda request: HttpResponse(status, headers, body, request)


def _closing() -> Answer:
    def answer(request: HttpRequest) -> HttpResponse:
        raise Unreachable(f"{request.method} {request.url}: the connection was closed")

    return answer


def _echo() -> Answer:
    kind = ("Content-Type", "application/json")
    return lambda request: HttpResponse(200, (kind, _INDEX), request.body, request)


def _nonces() -> Iterator[tuple[str, str]]:
    return (("Replay-Nonce", f"c3R1YiBub25jZSBubyAx{number:012d}") for number in itertools.count())


def _with_directory(rest: Callable[[HttpRequest, tuple[str, str]], HttpResponse]) -> Callable[[], Answer]:
    """An honest directory and fresh nonces, and ``rest`` for everything else: a case gets past its setup."""

    def make() -> Answer:
        nonces = _nonces()

        def answer(request: HttpRequest) -> HttpResponse:
            if request.url == DIRECTORY:
                return _directory(request)
            if request.url == BASE + "newNonce":
                fields = (next(nonces), _INDEX, ("Cache-Control", "no-store"))
                return HttpResponse(200 if request.method == "HEAD" else 204, fields, b"", request)
            return rest(request, next(nonces))

        return answer

    return make


def _directory(request: HttpRequest) -> HttpResponse:
    urls = {name: BASE + name for name in _RESOURCES}
    return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(urls).encode(), request)


def _refusing(error: str, status: int = 400) -> Callable[[], Answer]:
    document = {"type": f"urn:ietf:params:acme:error:{error}", "detail": "no", "status": status, "algorithms": ["ES256"]}
    body = json.dumps(document).encode()
    return _with_directory(lambda request, nonce: HttpResponse(status, (_PROBLEM, nonce, _INDEX), body, request))


def _granting(request: HttpRequest, nonce: tuple[str, str]) -> HttpResponse:
    """Everything is found to be valid."""
    url = BASE + "thing/1"
    document = {
        "status": "valid",
        "identifiers": [{"type": "dns", "value": "a.example.test"}],
        "identifier": {"type": "dns", "value": "a.example.test"},
        "authorizations": [url],
        "challenges": [{"type": "http-01", "url": url, "token": "A" * 43, "status": "valid"}],
        "finalize": url,
        "certificate": url,
        "orders": url,
        "expires": "2099-01-01T00:00:00Z",
    }
    fields = (("Content-Type", "application/json"), nonce, _INDEX, ("Location", url))
    return HttpResponse(201, fields, json.dumps(document).encode(), request)


def _replaying() -> Answer:
    """The first reply, the directory, again and again."""
    return _directory


_UP_TO_NONCES = ("acme.directory.", "acme.nonce.new-nonce-")
_RIGHT_LOOKING = json.dumps({"type": "urn:ietf:params:acme:error:malformed", "detail": "no", "status": 400}).encode()

STUBS: tuple[Stub, ...] = (
    Stub("closes", _closing),
    Stub("empty-200", _fixed(200)),
    Stub("no-content", _fixed(204)),
    Stub("redirect", _fixed(301, b"", ("Location", DIRECTORY))),
    Stub("not-found", _fixed(404)),
    Stub("server-error", _fixed(500)),
    Stub("fixed-error", _fixed(400, _RIGHT_LOOKING, _PROBLEM, _INDEX, ("Replay-Nonce", "c3R1YiBub25jZSBubyAx"))),
    Stub("echo", _echo),
    Stub("garbage", _fixed(200, b"\x30\x82\x01\x00" + bytes(range(256)), ("Content-Type", "application/json"))),
    Stub("replay", _replaying, ("acme.directory.",)),
    Stub("refuses-all-malformed", _refusing("malformed"), _UP_TO_NONCES),
    Stub("refuses-all-unauthorized", _refusing("unauthorized", 403), _UP_TO_NONCES),
    Stub("refuses-all-bad-nonce", _refusing("badNonce"), _UP_TO_NONCES),
    Stub("grants-all", _with_directory(_granting), _UP_TO_NONCES),
)


def run(cases: Sequence[Case], stubs: Iterable[Stub] = STUBS) -> Iterator[tuple[Stub, Result]]:
    """Every case on every stub."""
    for stub in stubs:
        target = Target(name=stub.name, acme=AcmeTarget(directory=DIRECTORY, validates=False))
        with AcmeSession(target, transport=StubTransport(stub)) as session:
            for case in cases:
                yield stub, session.examine(case)


def vacuous(stub: Stub, result: Result) -> bool:
    """Whether a case passed where there is nothing to pass, or fell over what a server may send."""
    if result.verdict is Verdict.ERROR:
        return True
    return result.verdict is Verdict.PASS and not result.case.id.startswith(stub.honest or ("\0",))
