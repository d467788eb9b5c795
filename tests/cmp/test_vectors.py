"""Messages that ``openssl cmp`` and its mock server exchanged: each is read, and its header is written again octet for octet."""

import pytest

import vectors
from privca.cmp.rfc9810 import confirm, general, poll, revoke
from privca.cmp.rfc9810 import message as messages
from privca.cmp.rfc9810.message import Body
from privca.pkix import der, rfc2986, rfc4211

VECTORS = {vector.id: vector for vector in vectors.load("cmp") if vector.origin["type"] == "recorded"}


@pytest.mark.parametrize("id", sorted(VECTORS))
def test_rfc9810_5_1_a_recorded_message_is_read_and_written(id):
    octets = VECTORS[id].octets
    message = messages.parse(octets)
    assert message.header.encode() == message.header_der
    body = messages.encode_body(message.body, message.content)
    assert messages.encode(message.header_der, body, message.protection, message.extra_certs) == octets


READERS = {
    Body.IR: rfc4211.parse,
    Body.CR: rfc4211.parse,
    Body.KUR: rfc4211.parse,
    Body.P10CR: rfc2986.parse,
    Body.RR: revoke.parse,
    Body.CERTCONF: lambda content: confirm.parse(content, 3),
    Body.POLLREQ: poll.parse,
    Body.GENM: lambda content: general.informations(content, "test"),
}


@pytest.mark.parametrize("id", sorted(id for id in VECTORS if not id.endswith(".reply")))
def test_rfc9810_5_3_the_body_of_a_recorded_request_is_read(id):
    message = messages.parse(VECTORS[id].octets)
    assert READERS[message.body](message.content) or id.endswith("genm-empty")
    if message.body in (Body.IR, Body.CR, Body.KUR):
        for request, octets in zip(rfc4211.parse(message.content), der.elements(message.content, clause="test"), strict=True):
            assert request.der == octets
