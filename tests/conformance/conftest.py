"""A scripted server for the examiner: an honest directory and nonces, and whatever a test wants for everything else."""

import itertools
import json

import pytest

from conformance.acme.client import Client
from conformance.transport import HttpResponse

BASE = "https://ca.example.test/acme/"
DIRECTORY = BASE + "directory"
INDEX = ("Link", f'<{DIRECTORY}>;rel="index"')
RESOURCES = {name: BASE + name for name in ("newNonce", "newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange")}


class Scripted:
    """Answers POST with what ``answer`` makes of the request: status, headers, body."""

    def __init__(self, answer):
        self.answer = answer
        self.seen = []
        self._nonces = itertools.count()

    def nonce(self):
        return ("Replay-Nonce", f"{next(self._nonces):032d}")

    def exchange(self, request):
        self.seen.append(request)
        if request.url == DIRECTORY:
            return HttpResponse(200, (("Content-Type", "application/json"),), json.dumps(RESOURCES).encode(), request)
        if request.url == RESOURCES["newNonce"]:
            return HttpResponse(200, (self.nonce(), INDEX, ("Cache-Control", "no-store")), b"", request)
        status, headers, body = self.answer(self, request)
        return HttpResponse(status, headers, body, request)


def problem(server, status, error, **members):
    """A problem document as an ACME server would write it."""
    document = {"type": f"urn:ietf:params:acme:error:{error}", "detail": "no", "status": status, **members}
    return status, (server.nonce(), INDEX, ("Content-Type", "application/problem+json")), json.dumps(document).encode()


@pytest.fixture
def scripted():
    """``scripted(answer)``: a client of a scripted server, and the server."""

    def make(answer):
        server = Scripted(answer)
        return Client(server, DIRECTORY), server

    make.problem = problem
    make.index = INDEX
    make.base = BASE
    return make
