"""The first flight of TLS: what a weak server chooses is seen, and a strong one refuses it."""

import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conformance.est import handshake
from conformance.est.session import EstSession
from conformance.protocols import load
from conformance.target import EstTarget, Target
from conformance.verdict import Verdict


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    key_octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(key_octets + made.public_bytes(Encoding.PEM))
    return file


@contextlib.contextmanager
def serving(certificate, suites, lowest=ssl.TLSVersion.TLSv1_2):
    """A TLS server of these suites that hangs up after each handshake: its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.warns(DeprecationWarning, match="TLSv1") if lowest is ssl.TLSVersion.TLSv1 else contextlib.nullcontext():
        context.minimum_version = lowest
    context.set_ciphers(f"{suites}:@SECLEVEL=0")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"https://localhost:{listening.getsockname()[1]}/.well-known/est"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@pytest.mark.parametrize(
    ("suites", "offered"),
    [
        pytest.param("eNULL", handshake.NULL, id="no encryption"),
        pytest.param("aNULL", handshake.ANON, id="no authentication"),
        pytest.param("ECDHE-RSA-AES128-GCM-SHA256", handshake.MODERN, id="of today"),
    ],
)
def test_what_a_server_has_it_chooses(certificate, suites, offered):
    with serving(certificate, suites) as url:
        chosen = handshake.offer(url, handshake.TLS12, offered)
        assert chosen is not None
        assert chosen.version == handshake.TLS12
        assert chosen.suite in offered
        assert chosen.renegotiation_info
        assert handshake.offer(url, handshake.TLS12, handshake.EXPORT + handshake.DES) is None


def test_nobody_there_is_no_refusal():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            handshake.offer(f"https://127.0.0.1:{taken.getsockname()[1]}/", handshake.TLS12, handshake.MODERN)


def examined(url, certificate, id):
    target = Target(name="weak", trust_anchor=str(certificate), est=EstTarget(url=url))
    with EstSession(target) as session:
        return session.examine(load()[id])


@pytest.mark.parametrize(
    ("id", "suites", "lowest"),
    [
        ("est.tls.version", "ALL", ssl.TLSVersion.TLSv1),
        ("est.tls.null-and-anon", "ECDHE+AESGCM:eNULL", ssl.TLSVersion.TLSv1_2),
        ("est.tls.null-and-anon", "ECDHE+AESGCM:aNULL", ssl.TLSVersion.TLSv1_2),
    ],
)
def test_a_weak_server_fails(certificate, id, suites, lowest):
    with serving(certificate, suites, lowest) as url:
        result = examined(url, certificate, id)
        assert result.verdict is Verdict.FAIL, result.detail


@pytest.mark.parametrize(
    "id", ["est.tls.version", "est.tls.null-and-anon", "est.tls.export-and-des", "est.tls.secure-renegotiation"]
)
def test_a_strong_server_passes(certificate, id):
    with serving(certificate, "ECDHE+AESGCM") as url:
        result = examined(url, certificate, id)
        assert result.verdict is Verdict.PASS, result.detail


def test_sessions_are_resumed_by_who_resumes_them(certificate):
    with serving(certificate, "ECDHE+AESGCM") as url:
        assert examined(url, certificate, "est.tls.resumption").verdict is Verdict.PASS


def test_a_certificate_for_another_name_fails(certificate):
    with serving(certificate, "ECDHE+AESGCM") as url:
        result = examined(url.replace("localhost", "127.0.0.1"), certificate, "est.tls.server-certificate")
        assert result.verdict is Verdict.FAIL, result.detail
        assert examined(url, certificate, "est.tls.server-certificate").verdict is Verdict.PASS
