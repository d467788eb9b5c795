"""The examiner's CMP messages, without a server: read what clients and servers really sent, written so that it reads back, spoilt as it says."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.cmp import crmf, der
from conformance.cmp.crmf import CertRequest
from conformance.cmp.lab import cert_status, status_info
from conformance.cmp.message import Body, Draft, Reply, Response, Status, generalized_time
from conformance.cmp.mutations import bad_protection, content, header, protected_before, request
from conformance.cmp.protection import NotVerified, Pbm, Pbmac1, Unprotected, verify

VECTORS = {
    file.name.removesuffix(".json"): json.loads(file.read_text())
    for file in sorted((resources.files("vectors") / "cmp").iterdir(), key=lambda file: file.name)
    if file.name.endswith(".json")
}
READABLE = {
    name: base64.b64decode(one["octets"])
    for name, one in VECTORS.items()
    if one.get("octets") and one.get("verdict") != "invalid"
}
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("name", sorted(READABLE))
def test_what_was_really_sent_is_read(name):
    reply = Reply(READABLE[name])
    assert reply.transaction_id is None or len(reply.transaction_id) >= 8
    assert reply.octets.startswith(b"\x30")
    if reply.body in (Body.IP, Body.CP, Body.KUP, Body.RP, Body.ERROR):
        assert reply.statuses


REPLIES = {
    name: octets
    for name, octets in READABLE.items()
    if ".generated." in name and name.endswith(".reply") and Reply(octets).protection
}


@pytest.mark.parametrize("name", sorted(REPLIES))
def test_the_protection_of_a_recorded_reply_is_verified(name):
    reply = Reply(REPLIES[name])
    secret = Pbm("lab", b"vector secret")
    kind = verify(reply.protected, secret, [])
    spoilt = replace(reply.protected, value=reply.protected.value[:-1] + bytes((reply.protected.value[-1] ^ 1,)))
    with pytest.raises(NotVerified):
        verify(spoilt, secret, [])
    if kind == "mac":
        with pytest.raises(NotVerified):
            verify(reply.protected, Pbm("lab", b"another secret"), [])


def draft(protection=None, **fields):
    one = CertRequest(KEY, crmf.common_name("a.example.test"), **fields)
    made = Draft(Body.IR, protection or Pbm("lab", b"secret"), requests=(one,))
    return made.at(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    "protection", [Pbm("lab", b"secret"), Pbmac1("lab", b"secret"), Pbm("lab", b"secret", "sha512", "sha384")]
)
def test_a_draft_reads_back_and_its_mac_verifies(protection):
    made = draft(protection)
    reply = Reply(made.encode())
    assert (reply.body, reply.pvno, reply.sender_kid) == (Body.IR, 2, b"lab")
    assert (reply.transaction_id, reply.sender_nonce) == (made.transaction_id, made.sender_nonce)
    assert reply.message_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert verify(reply.protected, protection, []) == "mac"


def test_a_draft_is_the_same_message_whenever_it_is_encoded():
    made = draft()
    assert made.encode() == made.encode()


def test_what_is_not_protected_has_no_protection():
    reply = Reply(draft(Unprotected()).encode())
    assert (reply.protected, reply.algorithm, reply.protection, reply.extra_certs) == (None, None, None, ())


def difference(mutation):
    made = draft()
    right, wrong = Reply(made.encode()), Reply(mutation.apply(made))
    parts = {
        "header": right.header_der != wrong.header_der,
        "body": right.body_der != wrong.body_der,
        "protection": right.protection != wrong.protection,
    }
    try:
        verify(wrong.protected, made.protection, [])
    except NotVerified:
        return {name for name, differs in parts.items() if differs}, False
    return {name for name, differs in parts.items() if differs}, True


def test_a_mutation_changes_what_it_says_and_is_protected_unless_it_is_about_that():
    assert difference(header("x", "y", sender_nonce=bytes(16))) == ({"header", "protection"}, True)
    assert difference(request("x", "y", id=5)) == ({"body", "protection"}, True)
    assert difference(content("x", "y", lambda old: der.sequence())) == ({"body", "protection"}, True)
    assert difference(bad_protection()) == ({"protection"}, False)
    assert difference(protected_before("x", "y", sender_nonce=bytes(16))) == ({"header"}, False)


def test_a_request_has_the_proof_that_it_is_told_to_have():
    parts = [
        der.element(draft(**fields).requests[0].encode()).children for fields in ({}, {"proof": b""}, {"proof": crmf.RA_VERIFIED})
    ]
    assert [[one.tag for one in found] for found in parts] == [[0x30, 0xA1], [0x30], [0x30, 0x80]]
    spoilt = draft(spoil=True).requests[0].encode()
    assert spoilt != draft().requests[0].encode()


def test_a_cert_status_and_a_status_info_are_what_rfc_9810_has():
    response = Response(3, Status(0, frozenset(), "", given=False), (der.element(der.tlv(0xA0, b"\x30\x00")),))
    made = der.element(cert_status(response, digest=b"h")).children
    assert [one.raw for one in made] == [b"\x04\x01h", b"\x02\x01\x03"]
    assert status_info(2, 9) == der.sequence(b"\x02\x01\x02", b"\x03\x03\x06\x00\x40")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        b"\x05\x00",
        b"\x30\x80\x00\x00",
        draft().encode() + b"\0",
        draft().encode()[:-1],
        b"\x30\x81\x05abcde",
    ],
    ids=["nothing", "cut", "empty", "NULL", "BER", "an octet behind it", "the last octet missing", "no tags"],
)
def test_what_is_no_message_is_garbled(octets):
    with pytest.raises(der.Garbled):
        Reply(octets)


@pytest.mark.parametrize("text", ["20260102030405", "202601020304Z", "20260102030405.5Z", "20260102030405+0000", ""])
def test_a_time_is_as_rfc_5280_has_it(text):
    with pytest.raises(der.Garbled):
        generalized_time(text)
