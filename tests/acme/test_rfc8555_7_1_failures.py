"""RFC 8555 sections 6.5, 6.7 and 7.1: errors that are decided outside of the protocol look like its own."""

from __future__ import annotations

import json

import pytest

from privca.base.exchange import Exchange
from privca.base.http import Request

ORIGIN = "https://ca.example.test:8443"
FRONT = "/certificate-authority/api/v1/acme/"


def failure(world, profile, status, *, stem="/acme/web/", method="POST"):
    exchange = Exchange("1", world.clock.now(), world.entropy, "web")
    request = Request(method, f"{stem}new-order", "new-order", "", {}, b"", world.peer, ORIGIN)
    return world.service.failure(exchange, request, profile, status, "it is so")


@pytest.mark.parametrize(
    ("status", "type"), [(408, "malformed"), (413, "malformed"), (500, "serverInternal"), (501, "serverInternal")]
)
def test_a_problem_document_with_index_and_nonce(world, client, status, type):
    response = failure(world, client.profile, status)
    assert response.status == status
    assert response.header("content-type") == "application/problem+json"
    assert json.loads(response.body) == {"type": f"urn:ietf:params:acme:error:{type}", "detail": "it is so", "status": status}
    assert response.header("link") == f'<{ORIGIN}/acme/web/directory>;rel="index"'
    assert client.post(client.kid, None, nonce=response.header("replay-nonce")).status == 200


def test_the_directory_is_the_one_that_the_client_knows(world, client):
    assert failure(world, client.profile, 500, stem=FRONT).header("link") == f'<{ORIGIN}{FRONT}directory>;rel="index"'


def test_without_a_profile_there_is_neither(world):
    response = failure(world, None, 404)
    assert json.loads(response.body)["type"] == "urn:ietf:params:acme:error:malformed"
    assert (response.header("link"), response.header("replay-nonce")) == (None, None)
