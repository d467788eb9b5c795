"""The challenge responders, asked as a server would ask them."""

import hashlib
import http.client
import socket
import ssl

import pytest
from cryptography import x509

from conformance.acme import clienthello
from conformance.acme.client import dns, ip
from conformance.acme.responders import ACME_IDENTIFIER, HttpResponder, TlsAlpnResponder, reverse_name

TOKEN, KEY_AUTHORIZATION = "token", "token.thumbprint"


def fetch(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": "a.test"})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, body


def test_http_01():
    path = f"/.well-known/acme-challenge/{TOKEN}"
    with HttpResponder() as responder:
        assert fetch(responder.port, path)[0] == 404
        responder.provision(dns("a.test")[0], TOKEN, KEY_AUTHORIZATION)
        assert fetch(responder.port, path) == (200, KEY_AUTHORIZATION.encode())
        responder.withdraw(dns("a.test")[0], TOKEN)
        assert fetch(responder.port, path)[0] == 404
        assert responder.seen == [(path, "a.test")] * 3


def shake(port, server_name, alpn=("acme-tls/1",), say=b""):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(alpn)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=server_name) as tls,
    ):
        tls.sendall(say)
        return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True)), tls.selected_alpn_protocol()


@pytest.mark.parametrize("identifier", [*dns("a.test"), *ip("192.0.2.1", "2001:db8::1")], ids=lambda i: i["value"])
def test_tls_alpn_01(identifier):
    name = reverse_name(identifier["value"]) if identifier["type"] == "ip" else identifier["value"]
    with TlsAlpnResponder() as responder:
        with pytest.raises(ssl.SSLError):
            shake(responder.port, name)
        responder.provision(identifier, TOKEN, KEY_AUTHORIZATION)
        certificate, protocol = shake(responder.port, name)
        assert protocol == "acme-tls/1"
        extension = certificate.extensions.get_extension_for_oid(ACME_IDENTIFIER)
        assert extension.critical
        assert extension.value.public_bytes() == b"\x04\x20" + hashlib.sha256(KEY_AUTHORIZATION.encode()).digest()
        responder.withdraw(identifier, TOKEN)
        with pytest.raises(ssl.SSLError):
            shake(responder.port, name)
    assert [(one.hello.server_name, one.chosen) for one in responder.seen] == [(name, ""), (name, "acme-tls/1"), (name, "")]
    assert all(one.ended.is_set() for one in responder.seen)


@pytest.fixture
def alpn():
    with TlsAlpnResponder(protocols=["http/1.1", "acme-tls/1"]) as responder:
        responder.provision(dns("a.test")[0], TOKEN, KEY_AUTHORIZATION)
        yield responder


def test_what_a_peer_offers_is_known_as_soon_as_it_was_answered(alpn):
    """Not some time later: a server may say that it has validated before another thread of ours has run."""
    for number in range(100):
        shake(alpn.port, "a.test")
        assert len(alpn.seen) == number + 1
        assert alpn.seen[-1].hello.protocols == ("acme-tls/1",)
        assert min(alpn.seen[-1].hello.versions) >= 0x0303


def test_a_second_protocol_is_seen_and_so_is_what_is_said_after_the_handshake(alpn):
    shake(alpn.port, "a.test", ["acme-tls/1", "http/1.1"], b"GET / HTTP/1.1\r\n\r\n")
    (seen,) = alpn.seen
    assert seen.hello.protocols == ("acme-tls/1", "http/1.1")
    assert seen.ended.wait(10)
    assert (seen.chosen, seen.data, seen.closed) == ("http/1.1", b"GET / HTTP/1.1\r\n\r\n", True)


@pytest.mark.parametrize("octets", [b"", b"\x16", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"])
def test_what_is_no_tls_is_passed_over(alpn, octets):
    with socket.create_connection(("127.0.0.1", alpn.port), timeout=10) as raw:
        raw.sendall(octets)
    shake(alpn.port, "a.test")
    assert [one.hello.server_name for one in alpn.seen] == ["a.test"]


def test_a_client_hello_in_pieces():
    """It may come in several segments and several records (RFC 8446 section 5.1)."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["acme-tls/1"])
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="a.test").do_handshake()
    octets = outgoing.read()
    message = octets[5:]
    records = b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in (message[:50], message[50:]))
    for whole in (octets, records):
        assert clienthello.parse(whole) == clienthello.ClientHello("a.test", ("acme-tls/1",), (0x0304, 0x0303))
        for end in range(len(whole)):
            with pytest.raises(clienthello.Incomplete):
                clienthello.parse(whole[:end])
