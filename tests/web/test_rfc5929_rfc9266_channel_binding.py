"""Channel bindings and the client's chain, held against what clients of their own make: Python's ssl for tls-unique, the openssl command
for tls-exporter."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL

from privca.base.http import ChannelBinding
from tests.web.conftest import WAIT

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
OLD_REQUEST = b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"
UNIQUE, EXPORTER = ChannelBinding.TLS_UNIQUE, ChannelBinding.TLS_EXPORTER
# SSL_OP_NO_EXTENDED_MASTER_SECRET, for which Python has no name.
NO_EXTENDED_MASTER_SECRET = 1


def only(context, version):
    context.minimum_version = context.maximum_version = version
    return context


def test_rfc5929_3_tls_unique_is_the_clients_finished(serve, client, echo, server_tls, trusting, loop):
    port = serve(echo, tls=server_tls).port
    only(trusting, ssl.TLSVersion.TLSv1_2)
    values = []
    for _ in range(2):
        with client(port, trusting) as c:
            assert c.send(REQUEST).read().status == 200
            session = echo.peers[-1].session
            assert loop.run(session.channel_binding, UNIQUE) == c.socket.get_channel_binding("tls-unique")
            assert len(c.socket.get_channel_binding("tls-unique")) == 12
            assert loop.run(lambda session=session: session.version) == "TLSv1.2"
            values.append(c.socket.get_channel_binding("tls-unique"))
    assert values[0] != values[1]


def test_rfc5929_3_tls_unique_is_the_same_for_every_request_of_a_connection(serve, client, echo, server_tls, trusting):
    only(trusting, ssl.TLSVersion.TLSv1_2)
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        for _ in range(2):
            assert c.send(REQUEST).read().status == 200
        mine = c.socket.get_channel_binding("tls-unique")
        assert [peer.session.channel_binding(UNIQUE) for peer in echo.peers] == [mine, mine]


def test_rfc7627_no_tls_unique_without_the_extended_master_secret(serve, client, echo, server_tls, trusting):
    only(trusting, ssl.TLSVersion.TLSv1_2)
    trusting.options |= NO_EXTENDED_MASTER_SECRET
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        assert c.send(REQUEST).read().status == 200
        assert c.socket.get_channel_binding("tls-unique"), "the client has one"
        assert echo.peers[0].session.channel_binding(UNIQUE) is None


def test_rfc8446_c_5_no_tls_unique_in_tls_1_3(serve, client, echo, server_tls, trusting):
    with client(serve(echo, tls=server_tls).port, only(trusting, ssl.TLSVersion.TLSv1_3)) as c:
        assert c.send(REQUEST).read().status == 200
        session = echo.peers[0].session
        assert session.version == "TLSv1.3"
        assert session.channel_binding(UNIQUE) is None


def test_rfc9266_4_no_tls_exporter_below_tls_1_3(serve, client, echo, server_tls, trusting):
    with client(serve(echo, tls=server_tls).port, only(trusting, ssl.TLSVersion.TLSv1_2)) as c:
        assert c.send(REQUEST).read().status == 200
        assert echo.peers[0].session.channel_binding(EXPORTER) is None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_rfc9266_2_tls_exporter_as_openssl_exports_it(serve, echo, server_tls):
    port = serve(echo, tls=server_tls).port
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3", "-ign_eof"]
    export = ["-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"]
    asked = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    done = subprocess.run([*command, *export], input=asked, capture_output=True, timeout=60)
    found = re.search(rb"Keying material: ([0-9A-F]{64})", done.stdout)
    assert found, done.stdout
    assert echo.peers[0].session.channel_binding(EXPORTER) == bytes.fromhex(found[1].decode())


def test_rfc5929_3_no_renegotiation(serve, echo, server_tls):
    """A second handshake on the connection would have a second Finished; the server does not take part in one."""
    port = serve(echo, tls=server_tls).port
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    with socket.create_connection(("127.0.0.1", port), WAIT) as plain:
        plain.settimeout(None)
        connection = SSL.Connection(context, plain)
        connection.set_connect_state()
        connection.do_handshake()
        assert connection.renegotiate()
        with pytest.raises(SSL.Error):
            connection.do_handshake()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_chain_that_the_client_sent(version, serve, client, echo, server_tls, trusting, make_identity, tmp_path):
    """RFC 5246 section 7.4.6, RFC 8446 section 4.4.2: its own certificate first, then whatever it has more."""
    ca = make_identity("ca.test", ((x509.BasicConstraints(True, None), True),))
    other = make_identity("other.test")
    mine = make_identity("client.test")
    built = x509.CertificateBuilder(
        ca.certificate.subject,
        mine.certificate.subject,
        mine.key.public_key(),
        7,
        mine.certificate.not_valid_before_utc,
        mine.certificate.not_valid_after_utc,
    ).sign(ca.key, hashes.SHA256())
    pem = tmp_path / "client.pem"
    pem.write_bytes(
        mine.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + b"".join(one.public_bytes(Encoding.PEM) for one in (built, ca.certificate, other.certificate))
    )
    trusting.load_cert_chain(pem)
    only(trusting, version)
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        assert c.send(REQUEST).read().status == 200
    assert echo.peers[0].certificate == built.public_bytes(Encoding.DER)
    sent = tuple(one.certificate.public_bytes(Encoding.DER) for one in (ca, other))
    assert echo.peers[0].session.chain() == sent


def test_no_certificate_no_chain_and_no_tls_no_session(serve, client, echo, server_tls, trusting):
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        c.send(REQUEST).read()
    with client(serve(echo).port) as c:
        c.send(REQUEST).read()
    assert echo.peers[0].certificate is None
    assert echo.peers[0].session.chain() == ()
    assert echo.peers[1].session is None


def test_nothing_is_exported_unless_it_is_asked_for(serve, client, echo, server_tls, trusting, monkeypatch):
    asked = []
    for name in ("get_peer_finished", "export_keying_material", "get_peer_cert_chain"):
        monkeypatch.setattr(SSL.Connection, name, lambda *_, name=name: asked.append(name))
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        assert c.send(REQUEST).read().status == 200
    assert asked == []


def test_http_1_0_is_answered_in_http_1_0_and_its_trailing_line_end_is_no_request(serve, client, echo, server_tls, trusting):
    """libest's client sends CR LF behind every message, and Debian's takes nothing but its own version of HTTP."""
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        answer = c.send(OLD_REQUEST + b"\r\n").read()
        assert (answer.version, answer.status) == ("HTTP/1.0", 200)
        assert answer.json()["body"] == "abc"
        assert c.rest() == b""
    assert len(echo.seen) == 1
    assert echo.refused == []


def test_a_trailing_line_end_on_a_kept_connection(serve, client, echo, server_tls, trusting):
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        for _ in range(2):
            body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\n"
            answer = c.send(body).read()
            assert (answer.version, answer.status) == ("HTTP/1.1", 200)
    assert len(echo.seen) == 2
    assert echo.refused == []


def test_a_reply_is_one_tls_record(serve, echo, server_tls):
    """strongSwan reads twice, the first time 1024 octets: head and body come together, and the head is short."""
    port = serve(echo, tls=server_tls).port
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    with socket.create_connection(("127.0.0.1", port), WAIT) as plain:
        plain.settimeout(None)
        connection = SSL.Connection(context, plain)
        connection.set_connect_state()
        connection.do_handshake()
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n" + b"b" * 4000)
        record = connection.recv(1 << 15)  # never more than one record
    head, _, body = record.partition(b"\r\n\r\n")
    assert len(head) < 1020
    assert len(body) > 4000
    assert re.search(rb"\r\nContent-Length: %d(\r\n|$)" % len(body), head)
