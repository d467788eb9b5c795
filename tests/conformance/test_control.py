"""No vacuous pass: a paired control passes on a server that refuses what is wrong and accepts what is right, and on nothing else."""

import json

import pytest

from conformance.acme.client import Account, Problem
from conformance.acme.keys import Key
from conformance.acme.mutations import MUTATIONS
from conformance.transport import Unreachable
from tests.support.control import paired

ACCEPTED = b"{}"


def control(client):
    account = Account("https://ca.example.test/acct/1", Key.make())
    return lambda: client.new_order(account, [])


def accept(scripted, server):
    return 201, (server.nonce(), scripted.index, ("Content-Type", "application/json")), ACCEPTED


def judge(scripted, answer, name="protected.url.other", status=403, error="unauthorized"):
    client, _ = scripted(answer)
    return paired(client, control(client), MUTATIONS[name], status, {error})


def spoilt(request):
    return b"other" in _header(request)


def _header(request):
    import base64

    text = json.loads(request.body)["protected"]
    return base64.urlsafe_b64decode(text + "==")


def test_a_server_that_judges_right_passes(scripted):
    def answer(server, request):
        return scripted.problem(server, 403, "unauthorized") if spoilt(request) else accept(scripted, server)

    assert judge(scripted, answer).verdict == "pass"


def test_a_server_that_accepts_everything_fails(scripted):
    assert judge(scripted, lambda server, request: accept(scripted, server)).verdict == "fail"


def test_a_server_that_refuses_everything_is_inconclusive(scripted):
    assert judge(scripted, lambda server, request: scripted.problem(server, 403, "unauthorized")).verdict == "inconclusive"


def test_the_wrong_reason_fails(scripted):
    def answer(server, request):
        return scripted.problem(server, 403, "malformed") if spoilt(request) else accept(scripted, server)

    assert judge(scripted, answer).verdict == "fail"


def test_the_wrong_status_fails(scripted):
    def answer(server, request):
        return scripted.problem(server, 400, "unauthorized") if spoilt(request) else accept(scripted, server)

    assert judge(scripted, answer).verdict == "fail"


def test_a_server_that_is_poisoned_by_the_spoilt_request_fails(scripted):
    poisoned = []

    def answer(server, request):
        if spoilt(request):
            poisoned.append(True)
        return scripted.problem(server, 403, "unauthorized") if poisoned else accept(scripted, server)

    outcome = judge(scripted, answer)
    assert outcome.verdict == "fail"
    assert "the control is refused" in outcome.detail


def test_a_refusal_that_leaves_out_what_every_reply_owes_fails(scripted):
    def answer(server, request):
        if not spoilt(request):
            return accept(scripted, server)
        status, headers, body = scripted.problem(server, 403, "unauthorized")
        return status, tuple(h for h in headers if h[0] != "Link"), body

    assert "index" in judge(scripted, answer).detail


def _unreachable(server, request):
    raise Unreachable("closed")


STUBS = {
    "200 empty": lambda server, request: (200, (), b""),
    "204": lambda server, request: (204, (), b""),
    "301": lambda server, request: (301, (("Location", "https://elsewhere.example.test/"),), b""),
    "404": lambda server, request: (404, (), b""),
    "500": lambda server, request: (500, (("Content-Type", "text/html"),), b"<h1>oops</h1>"),
    "echo": lambda server, request: (200, (server.nonce(), ("Content-Type", "application/json")), request.body),
    "garbage": lambda server, request: (400, (server.nonce(), ("Content-Type", "application/problem+json")), b"\xff\x00"),
    "closes": _unreachable,
}


@pytest.mark.parametrize("stub", STUBS)
@pytest.mark.parametrize(
    "name", ["protected.url.other", "protected.nonce.absent", "http.method=GET", "envelope.signature.flipped"]
)
def test_no_stub_passes(scripted, stub, name):
    for status, error in ((400, "malformed"), (403, "unauthorized"), (405, "malformed")):
        try:
            outcome = judge(scripted, STUBS[stub], name, status, error)
        except (Unreachable, Problem, ValueError):
            continue
        assert outcome.verdict != "pass"
