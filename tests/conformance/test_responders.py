"""The challenge responders, asked as a server would ask them."""

import hashlib
import http.client
import socket
import ssl

import pytest
from cryptography import x509

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


def shake(port, server_name, alpn="acme-tls/1"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=server_name) as tls,
    ):
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
    assert responder.seen == [(name, ""), (name, "acme-tls/1"), (name, "")]
