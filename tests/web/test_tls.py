"""TLS as clients meet it: versions, suites, ALPN, client certificates, tickets, another certificate while running."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL
from twisted.logger import globalLogPublisher

from privca.web import tls
from privca.web.framing import HttpLimits
from privca.web.tls import ServerTls

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSE_NOTIFY = bytes.fromhex("15 0303 0002 01 00")


def test_requests_over_tls_and_keep_alive(serve, client, echo, server_tls, trusting):
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        for _ in range(3):
            assert c.send(REQUEST).read().status == 200
        assert c.socket.version() == "TLSv1.3"
    assert echo.peers[0].tls
    assert echo.peers[0].certificate is None
    assert echo.peers[0].address == "127.0.0.1"


def test_a_large_body_and_a_large_reply(serve, client, echo, server_tls, trusting):
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        body = b"a" * 100_000
        assert (
            c.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body).read().json()["body"] == body.decode()
        )
        assert len(c.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").read().body) == 1_000_000
        assert c.send(REQUEST).read().status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_1_2_and_1_3(version, serve, client, echo, server_tls, trusting):
    trusting.minimum_version = trusting.maximum_version = version
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        assert c.send(REQUEST).read().status == 200
        assert "GCM" in c.socket.cipher()[0] or "CHACHA20" in c.socket.cipher()[0]


def test_version_1_1_is_refused(serve, echo, server_tls):
    port = serve(echo, tls=server_tls).port
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_max_proto_version(SSL.TLS1_1_VERSION)
    with socket.create_connection(("127.0.0.1", port)) as plain:
        connection = SSL.Connection(context, plain)
        connection.set_connect_state()
        with pytest.raises(SSL.Error):
            connection.do_handshake()


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"])
def test_suites_without_forward_secrecy_or_aead_are_refused(suite, serve, client, echo, server_tls, trusting):
    port = serve(echo, tls=server_tls).port
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.set_ciphers(suite)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        client(port, trusting)


def test_rfc9325_4_2_1_of_what_a_client_offers_the_stronger_is_chosen(serve, client, echo, server_tls, trusting):
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384")
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        assert c.socket.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), ([], None)])
def test_alpn_is_http_1_1(offered, chosen, serve, client, echo, server_tls, trusting):
    if offered:
        trusting.set_alpn_protocols(offered)
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        assert c.socket.selected_alpn_protocol() == chosen
        assert c.send(REQUEST).read().status == 200


def test_a_client_that_speaks_only_http_2_is_told_so(serve, client, echo, server_tls, trusting):
    # RFC 7301 section 3.2: no_application_protocol
    trusting.set_alpn_protocols(["h2"])
    port = serve(echo, tls=server_tls).port
    with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
        client(port, trusting)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_reaches_the_application_unjudged(
    version, serve, client, echo, server_tls, trusting, make_identity, tmp_path
):
    mine = make_identity("client.test")
    pem = tmp_path / "client.pem"
    pem.write_bytes(
        mine.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + mine.certificate.public_bytes(Encoding.PEM)
    )
    trusting.load_cert_chain(pem)
    trusting.minimum_version = trusting.maximum_version = version
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        assert c.send(REQUEST).read().status == 200
    assert echo.peers[0].certificate == mine.certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_is_resumed(version, serve, echo, server_tls, trusting):
    port = serve(echo, tls=server_tls).port
    trusting.minimum_version = trusting.maximum_version = version
    session = None
    for _ in range(3):
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
        ):
            connection.sendall(REQUEST)
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            assert not connection.session_reused
            session = connection.session
            assert version is ssl.TLSVersion.TLSv1_3 or not session.has_ticket


def test_another_certificate_while_running(serve, client, echo, server_tls, trusting, make_identity):
    port = serve(echo, tls=server_tls).port
    other = make_identity("localhost")
    with client(port, trusting) as before:
        server_tls.replace([other.certificate], other.key)
        with client(port, trusting) as after:
            assert after.socket.getpeercert(True) == other.certificate.public_bytes(Encoding.DER)
        assert before.send(REQUEST).read().status == 200


def test_a_key_of_another_certificate_is_refused(identity, make_identity):
    with pytest.raises(ValueError, match="not that of"):
        ServerTls([identity.certificate], make_identity("x.test").key)


def test_who_never_ends_the_handshake_is_cut_off(serve, client, echo, server_tls):
    with client(serve(echo, HttpLimits(head_time=0.3, close_time=0.3), server_tls).port) as c:
        c.send(b"\x16\x03\x01\x02\x00\x01")
        assert c.rest() in (b"", b"<reset>")


def test_a_close_in_the_midst_of_the_handshake_is_no_error_of_ours(serve, client, echo, server_tls, trusting):
    port = serve(echo, tls=server_tls).port
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trusting.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    errors = []

    def note(event):
        if event.get("isError"):
            errors.append(event["failure"].value)

    globalLogPublisher.addObserver(note)
    try:
        with client(port) as c:
            c.send(outgoing.read() + CLOSE_NOTIFY).rest()
    finally:
        globalLogPublisher.removeObserver(note)
    assert errors == []
    with client(port, trusting) as c:
        assert c.send(REQUEST).read().status == 200


def test_plain_http_on_the_tls_port_harms_nobody(serve, client, echo, server_tls, trusting):
    port = serve(echo, tls=server_tls).port
    with client(port) as c:
        c.send(REQUEST).rest()
    with client(port, trusting) as c:
        assert c.send(REQUEST).read().status == 200


def test_close_over_tls_ends_with_close_notify(serve, client, echo, server_tls, trusting):
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").read()
        assert c.socket.recv(100) == b""  # not an SSLEOFError


def test_refusal_over_tls(serve, client, echo, server_tls, trusting):
    with client(serve(echo, tls=server_tls).port, trusting) as c:
        assert c.send(b"GET / HTTP/1.1\nHost: a\n\n").read().status == 400
        assert c.rest() == b""


def signed_by(key, other, *, subject, issuer):
    """A certificate of ``key`` by ``other``."""

    def named(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer)).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return builder.add_extension(x509.BasicConstraints(subject != "0", None), critical=True).sign(other, hashes.SHA256())


def shake_hands(client_side, server_side):
    """A handshake in memory."""
    for _ in range(10):
        for side, other in ((client_side, server_side), (server_side, client_side)):
            with suppress(SSL.WantReadError):
                side.do_handshake()
            with suppress(SSL.WantReadError):
                while True:
                    other.bio_write(side.bio_read(65536))


def test_the_certificates_of_a_client_cost_no_verification(monkeypatch):
    """A profile may judge the path later; TLS itself must not verify a hundred signatures for whoever sends a hundred certificates."""
    depths = []
    monkeypatch.setattr(tls, "_judge_nothing", lambda connection, certificate, error, depth, ok: depths.append(depth) or True)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(7)]
    own, *others = [
        signed_by(key, keys[place + 1], subject=str(place), issuer=str(place + 1)) for place, key in enumerate(keys[:-1])
    ]
    server = ServerTls([signed_by(keys[0], keys[0], subject="server", issuer="server")], keys[0])
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate(own)
    context.use_privatekey(keys[0])
    for other in others:
        context.add_extra_chain_cert(other)
    client_side, server_side = SSL.Connection(context, None), server.serverConnectionForTLS(None)
    client_side.set_connect_state()
    server_side.set_accept_state()
    shake_hands(client_side, server_side)
    # What the client sent is all there, and nothing of it but its own certificate was looked at.
    assert tls.Session(server_side).chain() == tuple(other.public_bytes(Encoding.DER) for other in others)
    assert depths
    assert max(depths) <= 1
