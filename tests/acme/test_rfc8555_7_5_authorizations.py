"""RFC 8555 sections 7.1.4, 7.5 and 8.2: authorizations, challenges and their validation."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from privca.acme.ports import CaaProbe, HttpProbe
from privca.base.clock import rfc3339


@pytest.fixture
def order(client):
    return client.order("a.example.test")


@pytest.fixture
def url(order):
    return order.json["authorizations"][0]


@pytest.fixture
def challenge(client, url):
    return client.challenge(url)


def test_a_pending_authorization(world, client, url):
    shown = client.post(url)
    assert shown.status == 200
    assert shown.json["status"] == "pending"
    assert shown.json["expires"] == rfc3339(world.clock.now() + timedelta(days=7))
    for challenge in shown.json["challenges"]:
        assert set(challenge) == {"type", "url", "status", "token"}
        assert challenge["status"] == "pending"  # erratum 8883
    assert shown.header("retry-after") is None


def test_responding_and_polling(world, client, url, challenge):
    client.serve(challenge, "a.example.test")
    reply = client.post(challenge["url"], {})
    assert reply.status == 200
    assert reply.json == challenge | {"status": "processing"}
    assert reply.links("up") == [url]
    assert reply.header("location") == challenge["url"]
    assert reply.header("retry-after")
    assert client.post(url).header("retry-after")
    world.clock.advance(timedelta(seconds=1))
    world.background.run()
    valid = challenge | {"status": "valid", "validated": rfc3339(world.clock.now())}
    assert client.post(challenge["url"]).json == valid
    shown = client.post(url)
    assert shown.json["status"] == "valid"
    assert shown.json["expires"] == rfc3339(world.clock.now() + timedelta(days=30))
    assert shown.json["challenges"] == [valid]
    assert shown.header("retry-after") is None
    assert isinstance(world.network.seen[0], HttpProbe)


@pytest.mark.parametrize("payload", [{"keyAuthorization": "x"}, {"type": "http-01", "x": [1]}])
def test_members_of_the_response_object_are_ignored(client, challenge, payload):
    assert client.post(challenge["url"], payload).json["status"] == "processing"


@pytest.mark.parametrize("payload", [b"[]", b"7", b"null", b"x", b'"{}"'])
def test_a_response_is_an_object(client, challenge, payload):
    assert client.post(challenge["url"], payload).type == "malformed"
    assert client.post(challenge["url"]).json["status"] == "pending"


@pytest.mark.parametrize("payload", [None, {}])
def test_a_challenge_that_was_not_offered(client, challenge, payload):
    reply = client.post(challenge["url"].replace("http-01", "http-02"), payload)
    assert (reply.status, reply.type) == (404, "malformed")


def test_post_as_get_starts_nothing(world, client, challenge):
    assert client.post(challenge["url"]).json["status"] == "pending"
    assert not world.background.work


def test_a_challenge_that_is_valid_is_answered_again(world, client, url, challenge):
    client.prove(url)
    reply = client.post(challenge["url"], {})
    assert (reply.status, reply.json["status"]) == (200, "valid")
    reply = client.post(challenge["url"].replace("http-01", "dns-01"), {})
    assert (reply.status, reply.json["status"]) == (200, "pending")
    assert not world.background.work


def test_8_2_attempts_and_errors(world, client, url, challenge):
    seen = []

    def look():
        shown = client.post(challenge["url"])
        seen.append((shown.json["status"], len(errors(shown.json)), int(shown.header("retry-after"))))

    world.background.between = look
    client.post(challenge["url"], {})
    world.background.run()
    assert seen == [("processing", 1, 1 + 1), ("processing", 2, 1 + 1)]
    shown = client.post(challenge["url"]).json
    assert shown["status"] == "invalid"
    assert [e["type"].rpartition(":")[2] for e in errors(shown)] == ["connection"] * 3
    assert shown["error"]["type"] == "urn:ietf:params:acme:error:connection"
    assert len(world.network.seen) == 3
    assert client.post(challenge["url"]).header("retry-after") is None


def errors(challenge):
    error = challenge.get("error")
    return [] if error is None else error.get("subproblems", [error]) if len(error.get("subproblems", [])) > 1 else [error]


def test_a_failed_challenge_makes_authorization_and_order_invalid(world, client, order, url, challenge):
    client.post(challenge["url"], {})
    world.background.run()
    shown = client.post(url).json
    assert shown["status"] == "invalid"
    assert [c["type"] for c in shown["challenges"]] == ["http-01"]
    failed = client.post(order.header("location")).json
    assert failed["status"] == "invalid"
    assert failed["error"]["type"] == "urn:ietf:params:acme:error:unauthorized"
    assert failed["error"]["subproblems"][0]["identifier"] == {"type": "dns", "value": "a.example.test"}
    for type in ("http-01", "dns-01"):
        reply = client.post(challenge["url"].replace("http-01", type), {})
        assert (reply.status, reply.type) == (400, "malformed")


def test_8_2_a_later_attempt_succeeds(world, client, url, challenge):
    world.background.between = lambda: client.serve(challenge, "a.example.test")
    client.post(challenge["url"], {})
    world.background.run()
    assert client.post(url).json["status"] == "valid"
    assert "error" not in client.post(challenge["url"]).json


def test_8_2_a_retry_while_it_waits_is_at_once_and_uses_an_attempt(world, client, url, challenge):
    replies = []

    def retry():
        world.background.between = lambda: None
        client.serve(challenge, "a.example.test")
        replies.append(client.post(challenge["url"], {}))
        assert len(world.background.work) == 1

    world.background.between = retry
    client.post(challenge["url"], {})
    world.background.run()
    assert replies[0].json["status"] == "processing"
    assert len(world.network.seen) == 2
    assert client.post(url).json["status"] == "valid"


def test_8_2_retries_do_not_lift_the_limit(world, client, url, challenge):
    world.background.between = lambda: client.post(challenge["url"], {})
    client.post(challenge["url"], {})
    world.background.run()
    assert len(world.network.seen) == 3
    assert client.post(url).json["status"] == "invalid"


def test_8_2_a_retry_while_it_looks_starts_no_second_look(world, client, url, challenge):
    client.serve(challenge, "a.example.test")
    client.post(challenge["url"], {})
    assert client.post(challenge["url"], {}).json["status"] == "processing"
    world.background.run()
    assert len(world.network.seen) == 1


def test_one_challenge_at_a_time(client, challenge):
    client.post(challenge["url"], {})
    reply = client.post(challenge["url"].replace("http-01", "dns-01"), {})
    assert (reply.status, reply.type) == (400, "malformed")


def test_a_wrong_answer_is_incorrect_response(world, client, url, challenge, new_key):
    client.key, mine = new_key(), client.key
    client.serve(challenge, "a.example.test")  # bound to another account key
    client.key = mine
    client.post(challenge["url"], {})
    world.background.run()
    assert client.post(challenge["url"]).json["error"]["type"] == "urn:ietf:params:acme:error:incorrectResponse"


def test_7_5_2_deactivation(client, order, url):
    reply = client.post(url, {"status": "deactivated"})
    assert reply.status == 200
    assert reply.json["status"] == "deactivated"
    shown = client.post(order.header("location")).json
    assert shown["status"] == "invalid"
    assert "deactivated" in shown["error"]["detail"]
    again = client.post(url, {"status": "deactivated"})
    assert (again.status, again.type) == (400, "malformed")


def test_7_5_2_a_deactivated_authorization_issues_nothing(world, client):
    order = client.ready("a.example.test")
    client.post(order.json["authorizations"][0], {"status": "deactivated"})
    assert client.finalize(order, "a.example.test").type == "orderNotReady"
    assert world.scalar("SELECT count(*) FROM certificate WHERE protocol = 'acme'") == 0


@pytest.mark.parametrize("payload", [{}, {"status": "valid"}, {"status": "revoked"}, {"status": 7}, b"[]"])
def test_7_5_2_nothing_else_can_be_done_to_one(client, url, payload):
    assert client.post(url, payload).type == "malformed"
    assert client.post(url).json["status"] == "pending"


def test_a_deactivation_during_validation_stays(world, client, url, challenge):
    client.serve(challenge, "a.example.test")
    client.post(challenge["url"], {})
    world.network.during = lambda: client.post(url, {"status": "deactivated"})
    world.background.run()
    assert client.post(url).json["status"] == "deactivated"


def test_an_authorization_of_another_account(world, client, url, challenge):
    other = world.client(client.profile)
    for target, payload in ((url, None), (url, {"status": "deactivated"}), (challenge["url"], None), (challenge["url"], {})):
        reply = other.post(target, payload)
        assert (reply.status, reply.type) == (403, "unauthorized")
    assert client.post(url).json["status"] == "pending"


def test_an_expired_authorization(world, client, url, challenge):
    world.clock.advance(timedelta(days=7))
    assert client.post(url).json["status"] == "expired"
    assert client.post(challenge["url"], {}).type == "malformed"
    assert client.post(url, {"status": "deactivated"}).type == "malformed"
    assert client.post(url).json["status"] == "expired"


def test_one_that_expires_while_it_is_validated_does_not_become_valid(world, client, url, challenge):
    world.clock.advance(timedelta(days=7) - timedelta(seconds=1))
    client.serve(challenge, "a.example.test")
    client.post(challenge["url"], {})
    world.clock.advance(timedelta(seconds=1))
    assert client.post(url).json["status"] == "expired"
    world.background.run()
    assert not world.network.seen
    assert client.post(url).json["status"] == "expired"
    assert client.post(challenge["url"]).json["status"] == "invalid"


def test_one_that_expires_while_the_server_looks_does_not_become_valid(world, client, url, challenge):
    client.serve(challenge, "a.example.test")
    client.post(challenge["url"], {})
    world.network.during = lambda: world.clock.advance(timedelta(days=7))
    world.background.run()
    assert client.post(url).json["status"] == "expired"


def test_a_deactivated_account_validates_no_more(world, client, url, challenge):
    client.post(challenge["url"], {})
    world.background.between = lambda: client.post(client.kid, {"status": "deactivated"})
    world.background.run()
    assert len(world.network.seen) == 1
    assert world.stored(url).state.value == "invalid"


def test_profile_open_counts_challenges_as_valid(world):
    client = world.client(world.profile("free", ("open",)))
    order = client.order("a.example.test")
    url = order.json["authorizations"][0]
    challenge = client.challenge(url, "dns-01")
    reply = client.post(challenge["url"], {})
    assert reply.json["status"] == "valid"
    assert reply.json["validated"]
    assert client.post(url).json["status"] == "valid"
    assert not world.network.seen
    assert not world.background.work
    assert client.finalize(order, "a.example.test").json["status"] == "valid"


@pytest.mark.parametrize("authentication", [("account",), ("eab", "account")])
def test_every_other_profile_looks(world, authentication):
    client = world.client(world.profile("closed", authentication))
    order = client.order("a.example.test")
    client.post(client.challenge(order.json["authorizations"][0])["url"], {})
    world.background.run()
    assert client.post(order.header("location")).json["status"] == "invalid"


# --- CAA ---


@pytest.fixture
def careful(world):
    return world.client(world.profile("careful", caa=True, caa_identities=("ca.example.test",), validation_attempts=1))


def test_caa_is_asked_and_forbids(world, careful):
    order = careful.order("a.example.test")
    url = order.json["authorizations"][0]
    world.network.caa["example.test"] = ((0, "issue", "other.test"),)
    careful.prove(url)
    assert careful.post(url).json["challenges"][0]["error"]["type"] == "urn:ietf:params:acme:error:caa"
    assert careful.post(order.header("location")).json["status"] == "invalid"


def test_caa_is_not_asked_unless_the_profile_says_so(world, client, url):
    world.network.caa["example.test"] = ((0, "issue", "other.test"),)
    client.prove(url)
    assert client.post(url).json["status"] == "valid"
    assert not any(isinstance(probe, CaaProbe) for probe in world.network.seen)


@pytest.mark.parametrize(("account", "expected"), [(True, "valid"), (False, "invalid")])
def test_caa_with_account_uri_and_method(world, careful, account, expected):
    uri = careful.kid if account else careful.kid + "x"
    world.network.caa["a.example.test"] = ((0, "issue", f"ca.example.test; accounturi={uri}; validationmethods=http-01"),)
    url = careful.order("a.example.test").json["authorizations"][0]
    careful.prove(url)
    assert careful.post(url).json["status"] == expected


@pytest.mark.parametrize(("hours", "type"), [(9, "caa"), (7, None)])
def test_caa_is_asked_again_at_finalize_after_eight_hours(world, careful, hours, type):
    order = careful.ready("a.example.test")
    world.network.caa["a.example.test"] = ((0, "issue", ";"),)
    world.clock.advance(timedelta(hours=hours))
    reply = careful.finalize(order, "a.example.test")
    if type is None:
        assert reply.json["status"] == "valid"
    else:
        assert (reply.status, reply.type) == (403, "caa")
        assert careful.post(order.header("location")).json["status"] == "ready"


def test_every_reply_is_json(client, url):
    assert client.post(url).header("content-type") == "application/json"
    assert json.loads(client.post(url).response.body)
