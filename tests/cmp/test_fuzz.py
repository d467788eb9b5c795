"""Bounded fuzz: messages that were recorded, and good ones, spoilt at random. Every answer is a PKIMessage, nothing crashes, and nothing
is issued that was not asked for."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import vectors
from tests.support import cmp

KEY = ec.generate_private_key(ec.SECP256R1())
SEEDS = [vector.octets for vector in sorted(vectors.load("cmp"), key=lambda one: one.id)]


def spoilt(octets, chance):
    made = bytearray(octets)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made))
        match chance.randrange(5):
            case 0:
                made[at] ^= 1 << chance.randrange(8)
            case 1:
                made[at] = chance.choice((0, 0x7F, 0x80, 0xFF, 0x30))
            case 2:
                del made[at : at + chance.randint(1, 9)]
            case 3:
                made[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 5)))
            case 4:
                other = chance.choice(SEEDS)
                start = chance.randrange(len(other))
                made[at:at] = other[start : start + chance.randint(1, 40)]
        made = made or bytearray(b"\0")
    return bytes(made)


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_messages_are_answered_and_issue_nothing(lab, seed):
    chance = random.Random(seed)
    for _ in range(120):
        response = lab.post(spoilt(chance.choice(SEEDS), chance))
        assert response.status in (200, 400)
        assert cmp.Reply(response.body).kind == cmp.ERROR
    assert lab.certificates() == []


@pytest.mark.parametrize("seed", range(4))
def test_spoilt_bodies_under_a_good_protection(lab, seed):
    chance = random.Random(100 + seed)
    client = lab.client()
    bodies = [(cmp.Node(octets)[1].tag & 0x1F, cmp.Node(octets)[1].content) for octets in SEEDS]
    bodies.append((cmp.IR, cmp.seq(cmp.Request(KEY).encode())))
    for _ in range(80):
        kind, content = chance.choice(bodies)
        whole = cmp.Node(content)
        answer = client.begin().call(kind, cmp.tlv(whole.tag, spoilt(whole.content or b"\0", chance)))
        assert answer.verify(client.protection) == "mac"
        if answer.kind in (cmp.IP, cmp.CP, cmp.KUP):
            # A spoilt request is refused, unless what was spoilt is not signed: then it is the one that was recorded or made here.
            assert all(answer.status(number)[0] in (0, 2) for number in range(len(answer.responses)))
