"""What a kill leaves behind is finished or given back by ``resume``: RFC 8555 sections 7.1.6 and 8.2 hold over a crash."""

from __future__ import annotations

from datetime import timedelta

import pytest

from privca.acme.rfc8555 import issue, validation
from privca.base.refused import Reason, Refused


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


def kill(*_):
    raise Killed


def finalize_and_die(world, client, order):
    """Killed while it issues: within the request, or in the background."""
    try:
        client.finalize(order, "a.example.test")
        world.background.run()
    except Killed:
        return
    raise AssertionError("it was not killed")


@pytest.fixture
def order(client):
    return client.order("a.example.test")


def later(world, lease):
    """The worker is dead, and its lease is over."""
    world.background.die()
    world.clock.advance(lease)
    world.resume()


@pytest.fixture
def responded(world, client, order):
    challenge = client.challenge(order.json["authorizations"][0])
    client.serve(challenge, "a.example.test")
    client.post(challenge["url"], {})
    return order


def test_a_validation_that_never_began(world, client, responded):
    later(world, validation.LEASE)
    world.background.run()
    assert client.post(responded.header("location")).json["status"] == "ready"
    assert len(world.network.seen) == 1


def test_a_validation_that_was_cut_off_while_it_looked(world, client, responded):
    world.network.during = kill
    with pytest.raises(Killed):
        world.background.run()
    world.network.during = lambda: None
    assert client.post(responded.header("location")).json["status"] == "pending"
    later(world, validation.LEASE)
    world.background.run()
    assert client.post(responded.header("location")).json["status"] == "ready"


def test_a_validation_that_was_cut_off_while_it_waited(world, client, order):
    challenge = client.challenge(order.json["authorizations"][0])
    client.post(challenge["url"], {})
    world.background.between = kill
    with pytest.raises(Killed):
        world.background.run()
    client.serve(challenge, "a.example.test")
    world.resume()  # the interval is over
    world.background.run()
    assert client.post(order.header("location")).json["status"] == "ready"


def test_a_cut_off_look_uses_no_attempt(world, client, order):
    challenge = client.challenge(order.json["authorizations"][0])
    client.post(challenge["url"], {})
    for _ in range(5):
        later(world, validation.LEASE)
        world.background.work[0].close()
    world.background.work.clear()
    later(world, validation.LEASE)
    world.background.run()
    assert len(world.network.seen) == 3
    assert client.post(challenge["url"]).json["status"] == "invalid"


def test_a_lease_is_respected(world, responded):
    world.background.die()
    world.clock.advance(validation.LEASE - timedelta(seconds=1))
    world.resume()
    assert not world.background.work


def test_of_two_workers_that_resume_one_looks(world, client, responded):
    world.background.die()
    world.clock.advance(validation.LEASE)
    world.resume()
    world.resume()
    assert len(world.background.work) == 2
    world.background.run()
    assert len(world.network.seen) == 1
    assert client.post(responded.header("location")).json["status"] == "ready"


def test_a_resumed_validation_knows_the_account_url(world):
    profile = world.profile("careful", caa=True, caa_identities=("ca.example.test",))
    client = world.client(profile)
    order = client.order("a.example.test")
    world.network.caa["a.example.test"] = ((0, "issue", f"ca.example.test; accounturi={client.kid}"),)
    challenge = client.challenge(order.json["authorizations"][0])
    client.serve(challenge, "a.example.test")
    client.post(challenge["url"], {})
    later(world, validation.LEASE)
    world.background.run()
    assert client.post(order.header("location")).json["status"] == "ready"


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("mode", ["synchronous", "processing"])
def test_an_issuance_that_was_cut_off(world, mode, where):
    """Before or after the certificate was made: there is one certificate, and the order has it."""
    client = world.client(world.profile("p", finalize=mode))
    order = client.ready("a.example.test")
    setattr(world.door, where, kill)
    finalize_and_die(world, client, order)
    setattr(world.door, where, lambda: None)
    shown = client.post(order.header("location"))
    assert shown.json["status"] == "processing"
    assert shown.header("retry-after")
    later(world, issue.LEASE)
    world.background.run()
    done = client.post(order.header("location"))
    assert done.json["status"] == "valid"
    assert client.certificate(done)
    assert world.scalar("SELECT count(*) FROM certificate WHERE protocol = 'acme'") == 1


def test_a_cut_off_issuance_that_is_refused_gives_the_order_back(world, client):
    """The client was told nothing: it may try again with another CSR."""
    order = client.ready("a.example.test")
    world.door.before = kill
    with pytest.raises(Killed):
        client.finalize(order, "a.example.test")
    world.door.before = lambda: None
    world.door.refusal = Refused(Reason.BAD_CSR, "profile: template", "no")
    later(world, issue.LEASE)
    world.background.run()
    assert client.post(order.header("location")).json["status"] == "ready"
    world.door.refusal = None
    assert client.finalize(order, "a.example.test").json["status"] == "valid"


def test_a_failure_of_ours_is_tried_again(world):
    client = world.client(world.profile("p", finalize="processing"))
    order = client.ready("a.example.test")
    client.finalize(order, "a.example.test")
    world.door.refusal = Refused(Reason.UNAVAILABLE, "RFC 5280 section 4.1.2.2", "later")
    world.background.run()
    assert client.post(order.header("location")).json["status"] == "processing"
    world.door.refusal = None
    later(world, issue.LEASE)
    world.background.run()
    assert client.post(order.header("location")).json["status"] == "valid"


@pytest.mark.parametrize("mode", ["synchronous", "processing"])
def test_a_failure_that_does_not_end_is_invalid_when_the_order_expires(world, mode):
    client = world.client(world.profile("p", finalize=mode, order_life="1h"))
    order = client.ready("a.example.test")
    world.door.before = kill
    finalize_and_die(world, client, order)
    later(world, timedelta(hours=1))
    world.background.run()
    shown = client.post(order.header("location")).json
    assert shown["status"] == "invalid"
    assert "expired" in shown["error"]["detail"]
    later(world, issue.LEASE)
    assert not world.background.work


def test_the_order_of_a_deactivated_account_is_given_up(world):
    client = world.client(world.profile("p", finalize="processing"))
    order = client.ready("a.example.test")
    client.finalize(order, "a.example.test")
    client.post(client.kid, {"status": "deactivated"})
    later(world, issue.LEASE)
    world.background.run()
    assert not world.door.submissions
    assert world.scalar("SELECT count(*) FROM acme_order WHERE next_attempt IS NOT NULL") == 0


def test_of_two_workers_that_resume_an_order_one_issues(world):
    client = world.client(world.profile("p", finalize="processing"))
    order = client.ready("a.example.test")
    client.finalize(order, "a.example.test")
    world.background.die()
    world.clock.advance(issue.LEASE)
    world.resume()
    world.resume()
    world.background.run()
    assert len(world.door.submissions) == 1
    assert client.post(order.header("location")).json["status"] == "valid"


def test_a_refusal_that_comes_at_once_gives_the_order_back_at_once(world, client):
    order = client.ready("a.example.test")
    world.door.refusal = Refused(Reason.UNAVAILABLE, "RFC 5280 section 6.1.3", "the CA has ended")
    reply = client.finalize(order, "a.example.test")
    assert (reply.status, reply.type) == (503, "serverInternal")
    assert client.post(order.header("location")).json["status"] == "ready"
