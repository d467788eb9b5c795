"""nested: added protection and batches (RFC 9810 section 5.1.3.5, RFC 9483 section 5.2.2)."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import cmp

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())


def inner(lab, request, protection=None, **changes):
    client = lab.client(protection)
    return client, client.message(cmp.IR, cmp.seq(request.encode()), **changes)


def wrap(lab, signer, *messages, **changes):
    client = lab.client(signer)
    return client.call(cmp.NESTED, cmp.seq(*(message.encode() for message in messages)), **changes)


def same(message):
    return {"transaction_id": message.transaction_id, "sender_nonce": message.sender_nonce}


def test_rfc9483_5_2_2_1_an_ra_adds_its_protection(lab):
    client, message = inner(lab, cmp.Request(KEY, proof=b"\x80\x00"))
    answer = wrap(lab, lab.ra(), message, **same(message))
    assert (answer.kind, answer.status()[0], answer.verify(client.protection)) == (cmp.IP, 0, "mac")
    client.answer = answer
    assert client.confirm(cmp.cert_status(answer.certificate())).kind == cmp.PKICONF


def test_rfc9483_5_2_2_2_a_batch_is_answered_by_a_batch(lab):
    ra = lab.ra()
    first, one = inner(lab, cmp.Request(KEY, "a"))
    _, two = inner(lab, cmp.Request(OTHER, "b"), cmp.Pbm(secret=b"wrong"))
    answer = wrap(lab, ra, one, two)
    assert (answer.kind, answer.verify(ra)) == (cmp.NESTED, "signature")
    good, bad = (cmp.Reply(node.raw) for node in answer.content.inside)
    assert (good.kind, good.status()[0], good.verify(first.protection)) == (cmp.IP, 0, "mac")
    assert (bad.kind, bad.status()[1], bad.verify(first.protection)) == (cmp.ERROR, "badMessageCheck", "signature")


def test_rfc9483_5_2_2_2_a_batch_vouches_for_nothing(lab):
    _, message = inner(lab, cmp.Request(KEY, proof=b"\x80\x00"))
    answer = cmp.Reply(wrap(lab, lab.ra(), message).content[0].raw)
    assert answer.status()[1] == "badPOP"


def test_section_5_1_3_5_only_an_ra_nests(lab):
    _, message = inner(lab, cmp.Request(OTHER))
    answer = wrap(lab, lab.device(), message, **same(message))
    assert (answer.kind, answer.status()[1]) == (cmp.ERROR, "notAuthorized")
    assert wrap(lab, cmp.Pbm(), message).status()[1] == "notAuthorized"


def test_nested_in_nested_is_refused(lab):
    ra = lab.ra()
    _, message = inner(lab, cmp.Request(KEY))
    deeper = lab.client(ra).message(cmp.NESTED, cmp.seq(message.encode()))
    answer = wrap(lab, ra, deeper, deeper)
    assert {cmp.Reply(node.raw).status()[1] for node in answer.content.inside} == {"badRequest"}
    assert len([c for c in lab.certificates() if c.profile_id == "lab"]) == 0


def test_rfc9483_5_2_2_1_the_nonce_around_one_message_is_its_own(lab):
    _, message = inner(lab, cmp.Request(KEY))
    answer = wrap(lab, lab.ra(), message, transaction_id=message.transaction_id)
    assert answer.status()[1] == "badSenderNonce"


@pytest.mark.parametrize("count", [0, 17])
def test_a_batch_has_bounds(lab, count):
    _, message = inner(lab, cmp.Request(KEY))
    assert wrap(lab, lab.ra(), *[message] * count).status()[1] == "badDataFormat"
