"""RFC 8555 section 7.4.1: pre-authorization."""

from __future__ import annotations

from datetime import timedelta

import pytest

WANTED = {"identifier": {"type": "dns", "value": "a.example.test"}}


def test_made_then_found_then_used(world, client):
    made = client.post("new-authz", WANTED)
    assert made.status == 201
    assert made.json["status"] == "pending"
    assert made.json["identifier"] == WANTED["identifier"]
    assert "wildcard" not in made.json
    again = client.post("new-authz", WANTED)
    assert (again.status, again.header("location"), again.json) == (200, made.header("location"), made.json)
    client.prove(made.header("location"))
    assert client.post("new-authz", WANTED).json["status"] == "valid"
    order = client.order("a.example.test")
    assert order.json["status"] == "ready"
    assert order.json["authorizations"] == [made.header("location")]


def test_an_ended_one_is_not_found(world, client):
    first = client.post("new-authz", WANTED)
    client.post(first.header("location"), {"status": "deactivated"})
    second = client.post("new-authz", WANTED)
    assert second.status == 201
    world.clock.advance(timedelta(days=7))
    assert client.post("new-authz", WANTED).status == 201


def test_one_of_another_account_is_not_found(world, client):
    client.post("new-authz", WANTED)
    assert world.client(client.profile).post("new-authz", WANTED).status == 201


@pytest.mark.parametrize(
    ("identifier", "status", "type"),
    [
        ({"type": "dns", "value": "*.example.test"}, 403, "rejectedIdentifier"),
        ({"type": "dns", "value": "a b"}, 403, "rejectedIdentifier"),
        ({"type": "x", "value": "a"}, 403, "unsupportedIdentifier"),
        ({"type": "dns"}, 400, "malformed"),
        (None, 400, "malformed"),
    ],
)
def test_what_is_refused(client, identifier, status, type):
    reply = client.post("new-authz", {"identifier": identifier})
    assert (reply.status, reply.type) == (status, type)
