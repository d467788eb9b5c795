"""Finalizing (RFC 8555 section 7.4): a bad request is refused, and the order stays ready for a better one."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.acme import csr as requests
from conformance.acme import mutations
from conformance.acme.client import dns
from conformance.acme.keys import Key, b64

BAD_CSR = (400, "badCSR")
MALFORMED = (400, "malformed")


def names(order):
    return order["identifiers"]


def other(lab):
    return dns(lab.name())[0]


BAD = {
    "not DER": (lambda lab, account, order: b"nonsense", BAD_CSR),
    "empty": (lambda lab, account, order: b"", BAD_CSR),
    "cut": (lambda lab, account, order: lab.csr(names(order))[:-10], BAD_CSR),
    "something after it": (lambda lab, account, order: lab.csr(names(order)) + b"\0", BAD_CSR),
    "bad signature": (lambda lab, account, order: requests.badly_signed(lab.csr(names(order))), BAD_CSR),
    "a name too few": (lambda lab, account, order: lab.csr(names(order)[:1]), BAD_CSR),
    "a name too many": (lambda lab, account, order: lab.csr([*names(order), other(lab)]), BAD_CSR),
    "another name": (lambda lab, account, order: lab.csr([names(order)[0], other(lab)]), BAD_CSR),
    "a wildcard instead": (
        lambda lab, account, order: lab.csr([names(order)[0], {"type": "dns", "value": "*." + names(order)[1]["value"]}]),
        BAD_CSR,
    ),
    "no name": (lambda lab, account, order: requests.request(Key.make(), []), BAD_CSR),
    "common name that was not ordered": (
        lambda lab, account, order: requests.request(Key.make(), names(order), common_name=lab.name()),
        BAD_CSR,
    ),
    "the account's key": (lambda lab, account, order: requests.request(account.key, names(order)), BAD_CSR),
    "RSA of 1024 bits": (lambda lab, account, order: requests.request(lab.key("RS256", 1024), names(order)), BAD_CSR),
    "asks to be a CA": (
        lambda lab, account, order: requests.request(
            Key.make(), names(order), extensions=[(x509.BasicConstraints(ca=True, path_length=None), True)]
        ),
        BAD_CSR,
    ),
    "unknown critical extension": (
        lambda lab, account, order: requests.request(
            Key.make(),
            names(order),
            extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"\5\0"), True)],
        ),
        BAD_CSR,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_csr_leaves_the_order_ready(lab, case):
    client = lab.client()
    account = client.register()
    url, order = lab.ready(client, account, names=[lab.name(), lab.name()])
    make, expected = BAD[case]
    refused = client.send(client.finalize(account, order["finalize"], make(lab, account, order)))
    assert (refused.status, refused.error) == expected, refused.body
    assert client.read(account, url)["status"] == "ready"
    lab.finalized(client, account, url)


@pytest.mark.parametrize(
    ("value", "label"),
    [(None, "null"), (7, "number"), ("!!!", "not base64url"), ("pem", "pem"), ("padded", "padded")],
    ids=lambda v: str(v),
)
def test_a_csr_that_is_not_base64url_is_refused(lab, value, label):
    """RFC 8555 section 7.4: base64url of DER; neither PEM nor padding."""
    client = lab.client()
    account = client.register()
    url, order = lab.ready(client, account)
    der = lab.csr(order["identifiers"])
    if label == "pem":
        value = x509.load_der_x509_csr(der).public_bytes(Encoding.PEM).decode()
    if label == "padded":
        value = b64(der) + "=" * (-len(b64(der)) % 4 or 4)
    refused = client.send(
        client.finalize(account, order["finalize"], der), mutations.member("csr", value, "RFC 8555 section 7.4")
    )
    assert (refused.status, refused.error) in {MALFORMED, BAD_CSR}
    assert client.read(account, url)["status"] == "ready"
    lab.finalized(client, account, url)


def test_a_missing_csr_is_refused(lab):
    client = lab.client()
    account = client.register()
    url, order = lab.ready(client, account)
    refused = client.send(client.by_account(account, order["finalize"], {}))
    assert (refused.status, refused.error) == MALFORMED
    assert client.read(account, url)["status"] == "ready"


def test_names_may_stand_in_the_common_name(lab):
    """RFC 8555 section 7.4: in commonName or subjectAltName, or both."""
    client = lab.client()
    account = client.register()
    for in_san in (True, False):
        _url, order = lab.ready(client, account)
        name = order["identifiers"][0]["value"]
        der = requests.request(Key.make(), order["identifiers"] if in_san else [], common_name=name)
        finished = client.perform(client.finalize(account, order["finalize"], der))
        assert finished.object["status"] == "valid"
        chain = client.perform(client.fetch(account, finished.object["certificate"]))
        leaf = x509.load_pem_x509_certificates(chain.body)[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [name]


def test_an_order_that_is_pending_cannot_be_finalized(lab):
    client = lab.client()
    account = client.register()
    url, order = client.order(account, dns(lab.name()))
    refused = client.send(client.finalize(account, order["finalize"], lab.csr(order["identifiers"])))
    assert (refused.status, refused.error) == (403, "orderNotReady")
    assert client.read(account, url)["status"] == "pending"
    lab.prove(client, account, order["authorizations"][0])
    lab.finalized(client, account, url)


def test_a_valid_order_cannot_be_finalized_again(lab):
    """A client that finalizes twice gets one certificate."""
    client = lab.client()
    account = client.register()
    enrolled = lab.enroll(client, account)
    order = client.read(account, enrolled.order_url)
    refused = client.send(client.finalize(account, order["finalize"], lab.csr(order["identifiers"])))
    assert (refused.status, refused.error) == (403, "orderNotReady")
    assert client.read(account, enrolled.order_url) == order


def test_the_reply_to_finalize_says_where_the_order_is(lab):
    """RFC 8555 section 7.4 shows Location there, and clients rely on it."""
    client = lab.client()
    account = client.register()
    url, order = lab.ready(client, account)
    finished = client.perform(client.finalize(account, order["finalize"], lab.csr(order["identifiers"])))
    assert finished.header("Location") == url
    assert finished.object["status"] == "valid"


def test_a_certificate_that_takes_its_time(lab):
    """``processing`` with Retry-After, then valid; a second finalize meanwhile is refused (RFC 8555 section 7.4)."""
    client = lab.client(profile=lab.profile(acme={"finalize": "processing", "retry_after": 7}))
    account = client.register()
    url, order = lab.ready(client, account)
    csr = lab.csr(order["identifiers"])
    started = client.perform(client.finalize(account, order["finalize"], csr))
    assert started.object["status"] == "processing"
    assert started.header("Retry-After") == "7"
    refused = client.send(client.finalize(account, order["finalize"], csr))
    assert (refused.status, refused.error) == (403, "orderNotReady")
    lab.settle()
    assert client.read(account, url)["status"] == "valid"


@pytest.mark.parametrize("case", ["bad signature", "a name too many", "the account's key"])
def test_a_bad_csr_is_refused_at_once_even_if_issuance_takes_its_time(lab, case):
    client = lab.client(profile=lab.profile(acme={"finalize": "processing"}))
    account = client.register()
    url, order = lab.ready(client, account, names=[lab.name(), lab.name()])
    make, expected = BAD[case]
    refused = client.send(client.finalize(account, order["finalize"], make(lab, account, order)))
    assert (refused.status, refused.error) == expected
    assert client.read(account, url)["status"] == "ready"


def test_a_key_that_the_profile_does_not_take_is_refused(lab):
    client = lab.client(profile=lab.profile(keys=("RSA",)))
    account = client.register()
    url, order = lab.ready(client, account)
    refused = client.send(client.finalize(account, order["finalize"], requests.request(Key.make(), order["identifiers"])))
    assert (refused.status, refused.error) == BAD_CSR
    assert client.read(account, url)["status"] == "ready"
    finished = client.perform(
        client.finalize(account, order["finalize"], requests.request(lab.key("RS256"), order["identifiers"]))
    )
    assert finished.object["status"] == "valid"


def test_an_authorization_that_ran_out_is_not_enough(own_lab):
    """The order was ready; its authorization expires before the order does."""
    profile = own_lab.profile(acme={"order_life": "30d", "authorization_life": "1d"})
    client = own_lab.client(profile=profile)
    account = client.register()
    url, order = own_lab.ready(client, account)
    own_lab.clock.advance(timedelta(days=2))
    client.forget_nonces()
    refused = client.send(client.finalize(account, order["finalize"], own_lab.csr(order["identifiers"])))
    assert (refused.status, refused.error) == (403, "orderNotReady")
    assert client.read(account, url)["status"] == "invalid"


def test_nothing_is_issued_for_an_account_that_is_gone(lab):
    """RFC 8555 section 7.3.6: an order that is processing when its account is deactivated gets no certificate."""
    profile = lab.profile(acme={"finalize": "processing"})
    client = lab.client(profile=profile)
    account = client.register()
    url, order = lab.ready(client, account)
    client.perform(client.finalize(account, order["finalize"], lab.csr(order["identifiers"])))
    client.perform(client.update_account(account, status="deactivated"))
    lab.settle()
    assert not lab.issued_for(url)
