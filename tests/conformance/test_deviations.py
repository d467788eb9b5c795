"""Each thing that a reply owes is missed when it is not there, and nothing is missed in a reply that has it all."""

import json

import pytest

from conformance.acme.deviations import deviations
from conformance.transport import HttpRequest, HttpResponse

DIRECTORY = "https://ca.example.test/directory"
NONCE = "https://ca.example.test/new-nonce"
ORDER = "https://ca.example.test/order/1"
REPLAY = ("Replay-Nonce", "A" * 43)
INDEX = ("Link", f'<{DIRECTORY}>; rel="index"')
PROBLEM = ("Content-Type", "application/problem+json")


def found(status, headers=(), body=b"", *, url=ORDER, method="POST"):
    response = HttpResponse(status, tuple(headers), body, HttpRequest(method, url))
    return [str(d) for d in deviations(response, directory_url=DIRECTORY, new_nonce_url=NONCE)]


def document(**members):
    return json.dumps({"type": "urn:ietf:params:acme:error:malformed", "detail": "x", **members}).encode()


def test_nothing_is_missed():
    assert found(200, [REPLAY, INDEX]) == []
    assert found(400, [REPLAY, INDEX, PROBLEM], document(status=400)) == []
    assert found(200, [REPLAY, INDEX, ("Cache-Control", "no-store")], url=NONCE, method="HEAD") == []
    assert found(200, url=DIRECTORY, method="GET") == []


@pytest.mark.parametrize(
    ("missed", "arguments"),
    [
        ("MUST RFC 8555 section 6.5: no Replay-Nonce in a successful", (200, [INDEX])),
        ("SHOULD RFC 8555 section 6.5", (400, [INDEX, PROBLEM], document())),
        (
            "MUST RFC 8555 section 6.5: no Replay-Nonce in a badNonce",
            (400, [INDEX, PROBLEM], document(type="urn:ietf:params:acme:error:badNonce")),
        ),
        ("more than one Replay-Nonce", (200, [REPLAY, REPLAY, INDEX])),
        ("not base64url", (200, [("Replay-Nonce", "a=b"), INDEX])),
        ("can be guessed", (200, [("Replay-Nonce", "AAAA"), INDEX])),
        ("relation index", (200, [REPLAY])),
        ("relation index", (200, [REPLAY, ("Link", '<https://elsewhere.test/>;rel="index"')])),
        ("without a problem document", (404, [REPLAY, INDEX])),
        ("cannot be read", (400, [REPLAY, INDEX, PROBLEM], b"{")),
        ("without type", (400, [REPLAY, INDEX, PROBLEM], b'{"detail":"x"}')),
        ("without detail", (400, [REPLAY, INDEX, PROBLEM], b'{"type":"about:blank"}')),
        ("not a registered", (400, [REPLAY, INDEX, PROBLEM], document(type="urn:ietf:params:acme:error:conflict"))),
        ("not a registered", (400, [REPLAY, INDEX, PROBLEM], document(subproblems=[{"type": "urn:ietf:params:acme:error:x"}]))),
        ("top level", (400, [REPLAY, INDEX, PROBLEM], document(identifier={"type": "dns", "value": "x"}))),
        ("algorithms", (400, [REPLAY, INDEX, PROBLEM], document(type="urn:ietf:params:acme:error:badSignatureAlgorithm"))),
        ("differ", (400, [REPLAY, INDEX, PROBLEM], document(status=403))),
    ],
)
def test_it_is_missed(missed, arguments):
    assert any(missed in line for line in found(*arguments)), found(*arguments)


def test_new_nonce_must_not_be_stored():
    assert any("no-store" in line for line in found(200, [REPLAY, INDEX], url=NONCE, method="HEAD"))
    assert any(
        "newNonce without Replay-Nonce" in line
        for line in found(204, [INDEX, ("Cache-Control", "no-store")], url=NONCE, method="GET")
    )
