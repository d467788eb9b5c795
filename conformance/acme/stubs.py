"""Servers that are no ACME servers. Some do one thing right, so that a case gets as far as it can: what they do honestly, a case may find so."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator

from conformance.stubs import COMMON, Answer, Stub, echo, fixed
from conformance.target import AcmeTarget, Target
from conformance.transport import HttpRequest, HttpResponse

BASE = "https://stub.example.test/acme/"
DIRECTORY = BASE + "directory"
_RESOURCES = ("newNonce", "newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange", "renewalInfo")
_INDEX = ("Link", f'<{DIRECTORY}>;rel="index"')
_PROBLEM = ("Content-Type", "application/problem+json")


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
    *COMMON,
    Stub("fixed-error", fixed(400, _RIGHT_LOOKING, _PROBLEM, _INDEX, ("Replay-Nonce", "c3R1YiBub25jZSBubyAx"))),
    Stub("echo", echo(("Content-Type", "application/json"), _INDEX)),
    Stub("garbage", fixed(200, b"\x30\x82\x01\x00" + bytes(range(256)), ("Content-Type", "application/json"))),
    Stub("replay", _replaying, ("acme.directory.",)),
    Stub(
        "garbage-problem",
        _with_directory(lambda request, nonce: HttpResponse(400, (_PROBLEM, nonce, _INDEX), b"\xff{", request)),
        _UP_TO_NONCES,
    ),
    Stub("refuses-all-malformed", _refusing("malformed"), _UP_TO_NONCES),
    Stub("refuses-all-unauthorized", _refusing("unauthorized", 403), _UP_TO_NONCES),
    Stub("refuses-all-bad-nonce", _refusing("badNonce"), _UP_TO_NONCES),
    Stub("grants-all", _with_directory(_granting), _UP_TO_NONCES),
)

TARGET = Target(name="stub", acme=AcmeTarget(directory=DIRECTORY, validates=False))
"""Where a stub is thought to be."""
