"""Bad input, bounded and seeded by recordings: whatever is sent, there is an answer, and no certificate that nobody should have."""

from __future__ import annotations

import random

import pytest

import vectors
from tests.support.issuance_lab import run
from tests.support.scep_client import GET_CERT, PKCS_REQ, Client, envelop, issuer_and_serial, request
from tests.support.scep_lab import ScepLab

MESSAGES = {
    vector.id: vectors.http.scep_message(vectors.http.parse(vector.octets))
    for vector in vectors.requests("scep")
    if "message_type" in vector.expected
}
WRONG = "not the code"
"""What is spoilt may still be right in what counts: then this is refused."""
ROUNDS = 40
"""Variants of each recording: enough that each kind of change meets each layer, few enough for every run."""


def spoilt(octets: bytes, chance: random.Random) -> bytes:
    """A variant: bits flipped, cut, lengths changed, parts doubled or turned around."""
    out = bytearray(octets)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(out))
        match chance.randrange(6):
            case 0:
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                del out[at:]
            case 2:
                out[at] = chance.choice((0, 0x30, 0x31, 0x80, 0x84, 0xA0, 0xFF))
            case 3:
                end = min(len(out), at + chance.randrange(1, 40))
                out[at:at] = out[at:end]
            case 4:
                del out[at : at + chance.randrange(1, 20)]
            case 5:
                out[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 9)))
        if not out:
            return b"\x30"
    return bytes(out)


@pytest.mark.parametrize("name", list(MESSAGES))
def test_a_spoilt_recording_is_answered(shared: ScepLab, name: str) -> None:
    profile = shared.profile()
    chance = random.Random(name)
    for _ in range(ROUNDS):
        response = shared.send(profile, spoilt(MESSAGES[name], chance))
        assert response.status in (200, 400, 413)
        if response.status == 200:
            assert shared.last.decision.facts["pkiStatus"] == "FAILURE"
    assert run(shared.store.certificates(profile_id=profile.id)) == []


class TestLayers:
    """Each layer by itself, the ones outside being right."""

    @pytest.fixture
    def client(self, shared: ScepLab) -> Client:
        return shared.client(shared.profile())

    def test_a_spoilt_envelope(self, shared: ScepLab, client: Client) -> None:
        profile = shared.profile()
        chance = random.Random("envelope")
        whole = envelop(request(client.key, "device", challenge=WRONG), client.recipient)
        for _ in range(60):
            reply = shared.operate(profile, client, client.wrap(PKCS_REQ, spoilt(whole, chance)))
            assert (reply.status, reply.fail_info) in (("2", "2"), ("2", "0"))

    def test_a_spoilt_request(self, shared: ScepLab, client: Client) -> None:
        profile = shared.profile()
        chance = random.Random("request")
        csr = request(client.key, "device", challenge=WRONG)
        for _ in range(60):
            reply = shared.operate(profile, client, client.message(PKCS_REQ, spoilt(csr, chance)))
            assert (reply.status, reply.fail_info) == ("2", "2")

    def test_a_spoilt_query(self, shared: ScepLab, client: Client) -> None:
        profile = shared.profile()
        chance = random.Random("query")
        for _ in range(40):
            reply = shared.operate(
                profile, client, client.message(GET_CERT, spoilt(issuer_and_serial(client.certificate), chance))
            )
            assert (reply.status, reply.fail_info) == ("2", "4")

    def test_spoilt_attributes(self, shared: ScepLab, client: Client) -> None:
        """Signed as they are: what is in them is the client's doing."""
        profile = shared.profile()
        chance = random.Random("attributes")
        envelope = envelop(b"nothing", client.recipient)
        for _ in range(60):
            attributes = client.attributes(PKCS_REQ, envelope)
            at = chance.randrange(len(attributes))
            attributes[at] = spoilt(attributes[at], chance)
            response = shared.send(profile, client.sign(attributes, envelope))
            assert response.status in (200, 400)

    def test_a_spoilt_query_string(self, shared: ScepLab) -> None:
        profile = shared.profile()
        chance = random.Random("string")
        for vector in vectors.requests("scep"):
            message = vectors.http.parse(vector.octets)
            if message.method == "GET":
                query = message.target.partition("?")[2].encode("ascii")
                for _ in range(10):
                    text = spoilt(query, chance).decode("latin-1")
                    assert shared.send(profile, method="GET", query=text).status in (200, 400, 404, 413)
