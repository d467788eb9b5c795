"""Accounts, orders and authorizations through random histories on the real store: the figures of RFC 8555 section 7.1.6 hold.

Beside the service runs a model that knows only what a client sees: every status, and what may follow it.
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

NAMES = ["a.example.test", "b.example.test", "*.example.test"]
# What a client may see after what, from the figures (closed under transition, since it does not look all the time).
ORDER = {
    "pending": {"pending", "ready", "processing", "valid", "invalid"},
    "ready": {"ready", "processing", "valid", "invalid"},
    "processing": {"processing", "valid", "invalid"},
    "valid": {"valid"},
    "invalid": {"invalid"},
}
AUTHORIZATION = {
    "pending": {"pending", "valid", "invalid", "deactivated", "expired"},
    "valid": {"valid", "deactivated", "expired"},
    "invalid": {"invalid"},
    "deactivated": {"deactivated"},
    "expired": {"expired"},
}
CHALLENGE = {
    "pending": {"pending", "processing", "valid", "invalid"},
    "processing": {"processing", "valid", "invalid"},
    "valid": {"valid"},
    "invalid": {"invalid"},
}


@pytest.fixture
def machine(build_world):
    class Machine(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.directory = tempfile.TemporaryDirectory()
            self.world = build_world(Path(self.directory.name))
            self.orders, self.authorizations, self.challenges = {}, {}, {}
            self.certificates = 0

        def teardown(self):
            self.world.background.die()
            self.world.store.close()
            self.directory.cleanup()

        @initialize(mode=st.sampled_from(["synchronous", "processing"]))
        def begin(self, mode):
            self.client = self.world.client(self.world.profile("p", finalize=mode, authorization_life="10d"))

        @rule(names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
        def order(self, names):
            reply = self.client.order(*names)
            assert reply.status == 201
            self.orders[reply.header("location")] = reply.json

        @rule(names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True), finalized=st.booleans())
        def ready(self, names, finalized):
            """Most histories die early otherwise: an order whose names are all proven."""
            reply = self.client.order(*names)
            for url in reply.json["authorizations"]:
                self.prove_one(url)
            self.world.background.run()
            self.orders[reply.header("location")] = reply.json
            assert self.client.post(reply.header("location")).json["status"] == "ready"
            if finalized:
                assert self.client.finalize(reply, *names).json["status"] in ("processing", "valid")

        @rule(data=st.data(), right=st.booleans())
        def respond(self, data, right):
            url = self.pick(data, self.authorizations)
            challenge = self.client.post(url).json["challenges"][-1] if right else self.client.post(url).json["challenges"][0]
            name = self.client.post(url).json["identifier"]["value"]
            if right and challenge["type"] != "tls-alpn-01":
                self.client.serve(challenge, name)
            reply = self.client.post(challenge["url"], {})
            assert (
                reply.status == 200
                or self.authorizations[url]["status"] not in ("pending", "valid")
                or "being validated" in reply.json["detail"]
            )

        @rule(data=st.data())
        def prove(self, data):
            self.prove_one(self.pick(data, self.authorizations))

        def prove_one(self, url):
            shown = self.client.post(url).json
            challenge = next((c for c in shown["challenges"] if c["type"] == "dns-01"), None)
            if challenge:
                self.client.serve(challenge, shown["identifier"]["value"])
                self.client.post(challenge["url"], {})

        @rule()
        def work(self):
            self.world.background.run()

        @rule(data=st.data(), good=st.sampled_from([True, True, False]))
        def finalize(self, data, good):
            url = self.pick(data, self.orders)
            before = self.client.post(url).json
            names = [one["value"] for one in before["identifiers"]]
            reply = self.client.post(
                before["finalize"], {"csr": self.client.csr(*(names if good else [*names, "x.example.test"]))}
            )
            if before["status"] != "ready":
                assert reply.type == "orderNotReady"
            elif good:
                assert reply.json["status"] in ("processing", "valid")
            else:
                assert reply.type == "badCSR"
                assert self.client.post(url).json["status"] == "ready"

        @rule(data=st.data())
        def deactivate(self, data):
            url = self.pick(data, self.authorizations)
            before = self.client.post(url).json["status"]
            reply = self.client.post(url, {"status": "deactivated"})
            assert (reply.status == 200) == (before in ("pending", "valid"))

        @rule(hours=st.sampled_from([1, 1, 1, 30, 200]))
        def time(self, hours):
            self.world.clock.advance(timedelta(hours=hours))

        @rule()
        def crash(self):
            """All work under way is lost; what was stored is taken up when its lease is over."""
            self.world.background.die()
            self.world.clock.advance(timedelta(seconds=61))
            self.world.resume()
            self.world.background.run()
            assert not any(self.client.post(url).json["status"] == "processing" for url in self.orders)

        @rule()
        def roll(self):
            new = type(self.client.key)()
            url = self.client.url("key-change")
            header = {"alg": "ES256", "jwk": new.jwk, "url": url, "nonce": ...}
            change = {"account": self.client.kid, "oldKey": self.client.key.jwk}
            assert self.client.post("key-change", self.client.body(url, change, key=new, header=header)).status == 200
            self.client.key = new

        def pick(self, data, things):
            if not things:
                reply = self.client.order(NAMES[0])
                self.orders[reply.header("location")] = reply.json
                self.look()
            return data.draw(st.sampled_from(sorted(things)))

        @invariant()
        @precondition(lambda self: hasattr(self, "client"))
        def look(self):
            for url, before in list(self.orders.items()):
                now = self.client.post(url).json
                assert now["status"] in ORDER[before["status"]], (before, now)
                assert now["identifiers"] == before["identifiers"]
                assert now["authorizations"] == before["authorizations"]
                assert ("certificate" in now) == (now["status"] == "valid")
                assert ("error" in now) == (now["status"] == "invalid")
                states = []
                for one in now["authorizations"]:
                    shown = self.client.post(one).json
                    states.append(shown["status"])
                    known = self.authorizations.setdefault(one, shown)
                    assert shown["status"] in AUTHORIZATION[known["status"]], (known, shown)
                    self.authorizations[one] = shown
                    for challenge in shown["challenges"]:
                        status = self.challenges.setdefault(challenge["url"], challenge["status"])
                        assert challenge["status"] in CHALLENGE[status]
                        assert ("validated" in challenge) == (challenge["status"] == "valid")
                        self.challenges[challenge["url"]] = challenge["status"]
                if now["status"] == "ready":
                    assert set(states) == {"valid"}
                if now["status"] == "pending":
                    assert set(states) <= {"pending", "valid"}
                    assert "pending" in states
                self.orders[url] = now
            valid = sum(order["status"] == "valid" for order in self.orders.values())
            issued = self.world.scalar("SELECT count(*) FROM certificate WHERE protocol = 'acme'")
            assert issued == valid

    return Machine


def test_histories(machine):
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        ),
    )
