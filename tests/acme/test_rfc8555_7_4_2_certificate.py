"""RFC 8555 sections 7.4.2 and 9.1: downloading the certificate."""

from __future__ import annotations

import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from privca.acme.rfc8555.certificate import negotiate
from privca.base.refused import Reason, Refused


@pytest.fixture
def order(client):
    return client.issue("a.example.test")


def test_the_default_is_a_strict_pem_chain(client, order):
    reply = client.post(order.json["certificate"])
    assert reply.status == 200
    assert reply.header("content-type") == "application/pem-certificate-chain"
    text = reply.response.body.decode("ascii")
    one = r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/=]{1,64}\n-----END CERTIFICATE-----\n"
    assert re.fullmatch(f"({one}){{2}}", text)  # erratum 5983: no blank line in between
    leaf, issuer = x509.load_pem_x509_certificates(reply.response.body)
    leaf.verify_directly_issued_by(issuer)
    assert issuer.issuer != issuer.subject  # the root is the peer's to have


def test_formats(client, order):
    url = order.json["certificate"]
    one = client.post(url, accept="application/pkix-cert")
    assert one.header("content-type") == "application/pkix-cert"
    assert one.header("vary") == "Accept"
    leaf = x509.load_der_x509_certificate(one.response.body)
    up = client.post(one.links("up")[0])
    assert up.header("content-type") == "application/pkix-cert"
    leaf.verify_directly_issued_by(x509.load_der_x509_certificate(up.response.body))
    bundle = client.post(url, accept="application/pkcs7-mime")
    assert bundle.header("content-type").startswith("application/pkcs7-mime")
    assert leaf in pkcs7.load_der_pkcs7_certificates(bundle.response.body)


def test_a_format_that_is_not_offered(client, order):
    reply = client.post(order.json["certificate"], accept="application/json")
    assert (reply.status, reply.header("content-type")) == (200, "application/pem-certificate-chain")


def test_a_format_that_is_not_offered_by_a_strict_profile(world):
    client = world.client(world.profile("strict", tolerant=False))
    order = client.issue("strict.example.test")
    reply = client.post(order.json["certificate"], accept="application/json")
    assert (reply.status, reply.type) == (406, "malformed")
    assert client.post(order.json["certificate"], accept="*/*").status == 200


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "pem-certificate-chain"),
        ("*/*", "pem-certificate-chain"),
        ("application/*", "pem-certificate-chain"),
        ("text/html, application/pkix-cert;q=0.5", "pkix-cert"),
        ("application/pkix-cert;q=0.5, application/pem-certificate-chain;q=0.9", "pem-certificate-chain"),
        ("application/pkcs7-mime, */*;q=0.1", "pkcs7-mime"),
        ("APPLICATION/PKIX-CERT", "pkix-cert"),
        ("application/pem-certificate-chain;q=0, */*", "pkix-cert"),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "pem-certificate-chain"),  # what Java sends by itself
    ],
)
def test_negotiation(accept, expected):
    assert negotiate(accept, tolerant=False) == f"application/{expected}"


@pytest.mark.parametrize(
    "accept", ["text/*", "application/json", "application/pkix-cert;q=0", "application/pkix-cert;q=x", "*/*;q=0", "*/*;q=nan"]
)
def test_negotiation_fails(accept):
    with pytest.raises(Refused) as refused:
        negotiate(accept, tolerant=False)
    assert refused.value.reason is Reason.NOT_ACCEPTABLE
    assert negotiate(accept, tolerant=True) == "application/pem-certificate-chain"


def test_alternates_after_a_rollover_of_the_root(world, client):
    world.drive(world.authorities.rollover("root"))
    order = client.issue("b.example.test")
    url = order.json["certificate"]
    first = client.post(url)
    alternates = first.links("alternate")
    assert alternates
    assert all(link.startswith(url) for link in alternates)
    chains = {first.response.body}
    leaf = x509.load_pem_x509_certificates(first.response.body)[0]
    for link in alternates:
        alternate = client.post(link)
        assert alternate.status == 200
        assert url in alternate.links("alternate")
        assert x509.load_pem_x509_certificates(alternate.response.body)[0] == leaf
        chains.add(alternate.response.body)
    assert len(chains) == len(alternates) + 1


@pytest.mark.parametrize("which", ["9", "-1", "01x", "٣", "1" * 5000, "root"])
def test_a_chain_that_is_not_there(client, order, which):
    assert client.post(f"{order.json['certificate']}/{which}").status == 404


def test_owner_only(world, client, order):
    other = world.client(client.profile)
    for tail in ("", "/0", "/issuer"):
        reply = other.post(order.json["certificate"] + tail)
        assert (reply.status, reply.type) == (403, "unauthorized")
