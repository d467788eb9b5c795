"""Downloading (RFC 8555 sections 7.4.2 and 9.1)."""

import itertools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.acme.client import dns


@pytest.fixture
def issued(lab):
    client = lab.client()
    account = client.register()
    enrolled = lab.enroll(client, account)
    return client, account, enrolled, client.read(account, enrolled.order_url)["certificate"]


def test_the_chain_is_strict_pem_without_the_root(issued):
    _, _, enrolled, _ = issued
    assert len(enrolled.certificates) >= 2
    assert all(c.issuer != c.subject for c in enrolled.certificates)


@pytest.mark.parametrize(
    "accept",
    [None, "*/*", "application/*", "application/pem-certificate-chain", "text/html, application/pem-certificate-chain;q=0.5"],
)
def test_the_chain_is_what_comes_by_default(issued, accept):
    client, account, enrolled, url = issued
    response = client.perform(client.fetch(account, url, accept))
    assert response.media_type == "application/pem-certificate-chain"
    assert response.body == enrolled.chain


def test_one_certificate_as_der_with_a_link_up(issued):
    client, account, enrolled, url = issued
    response = client.perform(client.fetch(account, url, "application/pkix-cert"))
    assert response.media_type == "application/pkix-cert"
    assert response.body == enrolled.certificates[0].public_bytes(Encoding.DER)
    up = response.links("up")
    assert up


def test_a_format_that_is_not_offered_is_refused_by_a_strict_profile(lab):
    client = lab.client(profile=lab.profile(tolerant=False))
    account = client.register()
    url = client.read(account, lab.enroll(client, account).order_url)["certificate"]
    assert client.send(client.fetch(account, url)).status == 200
    refused = client.send(client.fetch(account, url, "application/x-pkcs12"))
    assert (refused.status, refused.error) == (406, "malformed")
    assert client.send(client.fetch(account, url)).status == 200


def test_the_preferred_format_wins(issued):
    client, account, _, url = issued
    response = client.perform(client.fetch(account, url, "application/pem-certificate-chain;q=0.1, application/pkix-cert"))
    assert response.media_type == "application/pkix-cert"


def test_alternate_chains_are_absolute_and_there(lab, issued):
    client, account, enrolled, url = issued
    response = client.perform(client.fetch(account, url))
    assert response.raw_links("alternate") == response.links("alternate")
    for alternate in response.links("alternate"):
        other = client.perform(client.fetch(account, alternate))
        assert x509.load_pem_x509_certificates(other.body)[0] == enrolled.certificates[0]
        stranger = client.register()
        refused = client.send(client.fetch(stranger, alternate))
        assert (refused.status, refused.error) == (403, "unauthorized")
    beyond = client.send(client.fetch(account, f"{url}/9"))
    assert (beyond.status, beyond.error) == (404, "malformed")


def test_the_same_certificate_each_time(issued):
    client, account, enrolled, url = issued
    assert client.perform(client.fetch(account, url)).body == enrolled.chain


def test_two_orders_two_serial_numbers(lab):
    client = lab.client()
    account = client.register()
    name = lab.name()
    serials = {lab.enroll(client, account, dns(name)).certificates[0].serial_number for _ in range(3)}
    assert len(serials) == 3
    assert all(0 < serial < 1 << 159 and serial.bit_length() > 64 for serial in serials)


def test_a_rollover_of_the_root_gives_an_alternate_chain(own_lab):
    """Each alternate ends below another root key; every URL is absolute, and the default chain stays."""
    client = own_lab.client()
    account = client.register()
    enrolled = own_lab.enroll(client, account)
    own_lab.rollover("root")
    url = client.read(account, enrolled.order_url)["certificate"]
    response = client.perform(client.fetch(account, url))
    assert response.body == enrolled.chain
    alternates = response.links("alternate")
    assert alternates
    for alternate in alternates:
        chain = x509.load_pem_x509_certificates(client.perform(client.fetch(account, alternate)).body)
        assert chain[0] == enrolled.certificates[0]
        assert list(chain) != list(enrolled.certificates)
        for below, above in itertools.pairwise(chain):
            below.verify_directly_issued_by(above)
