"""RFC 8555 section 7.6: revocation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from privca.jose.rfc4648 import encode

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def der(client):
    return client.certificate(client.issue("a.example.test", "b.example.test"))


def reason_of(world):
    return world.scalar("SELECT reason FROM certificate WHERE revoked_at IS NOT NULL")


@pytest.mark.parametrize(("reason", "stored"), [(..., 0), (None, 0), (0, 0), (1, 1), (3, 3), (4, 4), (5, 5)])
def test_by_the_account_that_issued_it(world, client, der, reason, stored):
    payload = {"certificate": encode(der)} | ({} if reason is ... else {"reason": reason})
    reply = client.post("revoke-cert", payload)
    assert reply.status == 200, reply.json
    assert reply.response.body == b""
    assert reason_of(world) == stored
    again = client.post("revoke-cert", payload)
    assert (again.status, again.type) == (400, "alreadyRevoked")


def test_by_the_account_that_issued_it_without_any_authorization_left(world, client):
    order = client.issue("a.example.test")
    for url in order.json["authorizations"]:
        client.post(url, {"status": "deactivated"})
    assert client.post("revoke-cert", {"certificate": encode(client.certificate(order))}).status == 200


def test_by_an_account_that_holds_all_authorizations(world, client, der):
    other = world.client(client.profile)
    other.ready("a.example.test")
    reply = other.post("revoke-cert", {"certificate": encode(der)})
    assert (reply.status, reply.type) == (403, "unauthorized")
    second = other.ready("b.example.test")
    url = second.json["authorizations"][0]
    assert other.post("revoke-cert", {"certificate": encode(der), "reason": 4}).status == 200
    assert url


def test_authorizations_that_no_longer_hold_do_not_count(world, client, der):
    other = world.client(client.profile)
    order = other.ready("a.example.test", "b.example.test")
    other.post(order.json["authorizations"][0], {"status": "deactivated"})
    assert other.post("revoke-cert", {"certificate": encode(der)}).type == "unauthorized"
    again = other.ready("a.example.test", "b.example.test")
    assert again.status == 201
    world.clock.advance(timedelta(days=31))
    assert other.post("revoke-cert", {"certificate": encode(der)}).type == "unauthorized"


def test_a_pending_authorization_does_not_count(world, client, der):
    other = world.client(client.profile)
    other.order("a.example.test", "b.example.test")
    assert other.post("revoke-cert", {"certificate": encode(der)}).type == "unauthorized"


def test_the_base_name_does_not_authorize_a_wildcard(world, client):
    der = client.certificate(client.issue("*.example.test"))
    other = world.client(client.profile)
    other.ready("example.test")
    assert other.post("revoke-cert", {"certificate": encode(der)}).type == "unauthorized"
    other.ready("*.example.test")
    assert other.post("revoke-cert", {"certificate": encode(der)}).status == 200


def by_key(client, key, der, **more):
    signer = type(client.key)()
    signer.private = key
    numbers = key.public_key().public_numbers()
    signer.jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": encode(numbers.x.to_bytes(32, "big")),
        "y": encode(numbers.y.to_bytes(32, "big")),
    }
    return client.post("revoke-cert", {"certificate": encode(der), **more}, key=signer, jwk=True)


def test_by_the_certificate_key(world, client, der):
    key = client.certificate_key
    stranger = world.client(client.profile, register=False)
    assert by_key(stranger, key, der, reason=1).status == 200
    assert reason_of(world) == 1
    assert by_key(stranger, key, der).type == "alreadyRevoked"


def test_by_the_certificate_key_of_a_deactivated_account(client, der):
    client.post(client.kid, {"status": "deactivated"})
    assert client.post("revoke-cert", {"certificate": encode(der)}).status == 401
    assert by_key(client, client.certificate_key, der).status == 200


def test_another_key_learns_nothing(world, client, der):
    """Neither that the certificate is known, nor that it is revoked already."""
    other = world.client(client.profile)
    before = [other.post("revoke-cert", {"certificate": encode(der)}), by_key(other, other.key.private, der)]
    assert client.post("revoke-cert", {"certificate": encode(der)}).status == 200
    after = [other.post("revoke-cert", {"certificate": encode(der)}), by_key(other, other.key.private, der)]
    unknown = [other.post("revoke-cert", {"certificate": encode(foreign())}), by_key(other, other.key.private, foreign())]
    for replies in (before, after, unknown):
        assert [(r.status, r.type) for r in replies] == [(403, "unauthorized")] * 2
    assert [r.json for r in before] == [r.json for r in after] == [r.json for r in unknown]


def foreign(key=None, serial=None):
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), serial or x509.random_serial_number(), START, START + timedelta(days=9)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_forged_certificate_with_a_serial_of_ours_revokes_nothing(world, client, der):
    """Its key is the attacker's, its serial number the victim's."""
    attacker = world.client(client.profile)
    serial = x509.load_der_x509_certificate(der).serial_number
    forged = foreign(attacker.key.private, serial)
    assert by_key(attacker, attacker.key.private, forged).type == "unauthorized"
    assert client.post("revoke-cert", {"certificate": encode(forged)}).type == "unauthorized"
    assert world.scalar("SELECT count(*) FROM certificate WHERE revoked_at IS NOT NULL") == 0


def test_a_forged_jwk_revokes_nothing(world, client, der):
    """The jwk names the certificate's key, and another key signs."""
    attacker = world.client(client.profile)
    numbers = client.certificate_key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}
    url = client.url("revoke-cert")
    header = {"alg": "ES256", "nonce": client.fresh(), "url": url, "jwk": jwk}
    reply = attacker.raw(url, attacker.body(url, {"certificate": encode(der)}, header=header))
    assert reply.type == "malformed"
    assert world.scalar("SELECT count(*) FROM certificate WHERE revoked_at IS NOT NULL") == 0


@pytest.mark.parametrize("reason", [2, 6, 7, 8, 10, 11, -1, 2**40])
def test_reasons_that_are_not_allowed(client, der, reason):
    reply = client.post("revoke-cert", {"certificate": encode(der), "reason": reason})
    assert (reply.status, reply.type) == (400, "badRevocationReason")
    assert "0, 1" in reply.json["detail"]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"certificate": 7},
        {"certificate": "AAAA"},
        {"certificate": "="},
        {"certificate": ""},
        {"certificate": "AAAA", "reason": "1"},
        {"certificate": "AAAA", "reason": 1.5},
    ],
)
def test_what_is_malformed(client, payload):
    assert client.post("revoke-cert", payload).type == "malformed"
    assert client.post("revoke-cert", payload, jwk=True).type == "malformed"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a003020102", "a003020107"),  # version 8
        ("06082a8648ce3d030107", "06082a8648ce3d030109"),  # a curve that nobody knows
        ("06072a8648ce3d0201", "06072a8648ce3d0209"),  # a kind of key that nobody knows
    ],
)
def test_a_certificate_that_cannot_be_read(client, der, old, new):
    odd = der.replace(bytes.fromhex(old), bytes.fromhex(new))
    assert odd != der
    assert client.post("revoke-cert", {"certificate": encode(odd)}).type in ("malformed", "unauthorized")
    assert client.post("revoke-cert", {"certificate": encode(odd)}, jwk=True).type in ("malformed", "unauthorized")


@pytest.mark.parametrize("serial", ["020100", "0201ff"])
def test_a_serial_number_that_no_certificate_of_ours_has(client, serial):
    """Zero and negative ones are none (RFC 5280 section 4.1.2.2): the parser of certificates warns of them, and is to refuse them one day."""
    odd = foreign(client.key.private, 1).replace(bytes.fromhex("a003020102020101"), bytes.fromhex("a003020102" + serial))
    assert client.post("revoke-cert", {"certificate": encode(odd)}).type == "malformed"
    assert client.post("revoke-cert", {"certificate": encode(odd)}, jwk=True).type == "malformed"


def test_a_certificate_of_another_profile(world, client, der):
    other = world.client(world.profile("other"))
    other.ready("a.example.test", "b.example.test")
    assert other.post("revoke-cert", {"certificate": encode(der)}).type == "unauthorized"


def test_after_a_key_change_the_account_still_may(world, client, der, new_key):
    new = new_key()
    url = client.url("key-change")
    header = {"alg": "ES256", "jwk": new.jwk, "url": url, "nonce": ...}
    inner = client.body(url, {"account": client.kid, "oldKey": client.key.jwk}, key=new, header=header)
    assert client.post("key-change", inner).status == 200
    client.key = new
    assert client.post("revoke-cert", {"certificate": encode(der)}).status == 200
