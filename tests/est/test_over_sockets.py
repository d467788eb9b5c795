"""EST over real TLS sockets with a server that runs as a process: curl with openssl, and clients that write their octets themselves."""

import contextlib
import json
import re
import shutil
import socket
import ssl
import subprocess
from base64 import b64decode, b64encode
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates
from OpenSSL import SSL

from tests.est.conftest import csr, spelled
from tests.support.running import PATIENCE, free_port, lab, quickly

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("openssl") is None, reason="needs the curl and openssl commands"
)


class Up:
    """A lab, and what a client needs of it."""

    def __init__(self, running):
        self.directory = running.directory
        self.trust = str(running.directory / "ca.pem")
        entry = running.profile("lab-est")
        self.url, self.user, self.code = entry["url"], entry["username"], entry["code"]
        self.waiting = running.profile("lab-est-approval")
        parts = urlsplit(self.url)
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path

    @property
    def basic(self):
        return "Authorization: Basic " + b64encode(f"{self.user}:{self.code}".encode()).decode()

    def context(self, version=None):
        context = ssl.create_default_context(cafile=self.trust)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    @contextlib.contextmanager
    def connection(self, version=None):
        with (
            socket.create_connection((self.host, self.port), PATIENCE) as plain,
            self.context(version).wrap_socket(plain, server_hostname=self.host) as tls,
        ):
            yield tls

    def post(self, octets, *, operation="simpleenroll", version="1.1", more=(), length=None):
        """A request with the code, as octets."""
        lines = [
            f"POST {self.path}/{operation} HTTP/{version}",
            "Host: a",
            self.basic,
            "Content-Type: application/pkcs10",
            f"Content-Length: {len(octets) if length is None else length}",
            *more,
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + octets

    def listed(self, profile="lab-est"):
        listed = quickly("cert", "list", "--profile", profile, "--json", "--dir", self.directory)
        assert listed.returncode == 0, listed.stderr
        return json.loads(listed.stdout)


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    directory = tmp_path_factory.mktemp("est") / "lab"
    with lab(directory, "--http01-port", str(free_port()), "--tlsalpn01-port", str(free_port())) as running:
        yield Up(running)


def read(tls):
    """One reply: status line, fields and body, by its Content-Length."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = tls.recv(65536)
        assert more, got
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(re.search(rb"\r\nContent-Length: (\d+)", head)[1])
    while len(body) < length:
        more = tls.recv(65536)
        assert more, got
        body += more
    return head.decode(), body[:length], body[length:]


def issued(body):
    (certificate,) = load_der_pkcs7_certificates(b64decode(body))
    return certificate


def curl(up, *arguments, at):
    done = subprocess.run(["curl", "-sS", "--cacert", up.trust, *arguments], cwd=at, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def openssl(*arguments, at, stdin=None):
    done = subprocess.run(["openssl", *arguments], cwd=at, capture_output=True, timeout=PATIENCE, input=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


POST = ("-H", "Content-Type: application/pkcs10", "-H", "Content-Transfer-Encoding: base64", "--data-binary", "@csr.b64")


def request(at, subject="/CN=curl.example.test"):
    """Key, CSR and its base64, all by the openssl command."""
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem", at=at)
    der = openssl("req", "-new", "-key", "key.pem", "-subj", subject, "-outform", "DER", at=at)
    (at / "csr.b64").write_bytes(openssl("base64", at=at, stdin=der))


def certificate_in(body, at):
    """PEM of the one certificate in a reply, by the openssl command."""
    return openssl("pkcs7", "-inform", "DER", "-print_certs", at=at, stdin=openssl("base64", "-d", at=at, stdin=body))


def test_curl_and_openssl_from_cacerts_to_a_renewal(up, tmp_path):
    body = curl(up, f"{up.url}/cacerts", at=tmp_path)
    (tmp_path / "cas.pem").write_bytes(certificate_in(body, tmp_path))
    assert (tmp_path / "cas.pem").read_text().count("BEGIN CERTIFICATE") == 2
    request(tmp_path)
    body = curl(up, "-u", f"{up.user}:{up.code}", *POST, f"{up.url}/simpleenroll", at=tmp_path)
    (tmp_path / "cert.pem").write_bytes(certificate_in(body, tmp_path))
    said = openssl("verify", "-CAfile", up.trust, "-untrusted", "cas.pem", "cert.pem", at=tmp_path)
    assert said == b"cert.pem: OK\n"
    body = curl(up, "--cert", "cert.pem", "--key", "key.pem", *POST, f"{up.url}/simplereenroll", at=tmp_path)
    (tmp_path / "new.pem").write_bytes(certificate_in(body, tmp_path))
    assert openssl("verify", "-CAfile", up.trust, "-untrusted", "cas.pem", "new.pem", at=tmp_path) == b"new.pem: OK\n"
    assert (tmp_path / "new.pem").read_bytes() != (tmp_path / "cert.pem").read_bytes()


@pytest.mark.parametrize("scheme", ["--basic", "--digest"])
def test_curl_answers_a_challenge(up, tmp_path, scheme):
    request(tmp_path)
    body = curl(up, scheme, "-u", f"{up.user}:{up.code}", *POST, f"{up.url}/simpleenroll", at=tmp_path)
    assert b"BEGIN CERTIFICATE" in certificate_in(body, tmp_path)


@pytest.mark.parametrize("default", [True, False], ids=["without a label", "with a label"])
def test_rfc7030_3_2_2_with_and_without_a_label(up, tmp_path, default):
    url = up.url.removesuffix("/lab-est") if default else up.url
    assert b"BEGIN CERTIFICATE" in certificate_in(curl(up, f"{url}/cacerts", at=tmp_path), tmp_path)


def test_a_key_that_the_server_makes(up, tmp_path):
    request(tmp_path)
    body = curl(up, "-u", f"{up.user}:{up.code}", *POST, f"{up.url}/serverkeygen", at=tmp_path)
    key = re.search(rb"application/pkcs8\r\n.*?\r\n\r\n(.*?)\r\n--", body, re.DOTALL)[1]
    (tmp_path / "made.der").write_bytes(b64decode(key))
    assert b"PRIVATE KEY" in openssl("pkey", "-inform", "DER", "-in", "made.der", at=tmp_path)


def test_a_wrong_password_and_its_text(up, tmp_path):
    before = len(up.listed())
    request(tmp_path)
    said = curl(up, "-u", f"{up.user}:wrong", *POST, "-w", "%{http_code}", f"{up.url}/simpleenroll", at=tmp_path)
    assert said.endswith(b"401")
    assert b"(profile: authentication)" in said
    assert len(up.listed()) == before


def test_an_unknown_label_is_a_text(up, tmp_path):
    said = curl(up, "-w", "%{http_code}", up.url.replace("lab-est", "nobody") + "/cacerts", at=tmp_path)
    assert said.endswith(b"404")
    assert b"RFC 9110 section 15.5.5" in said


def test_a_person_approves_while_the_client_polls(up, tmp_path):
    request(tmp_path)
    url = f"{up.waiting['url']}/simpleenroll"

    def ask():
        return curl(up, "-i", "-u", f"{up.waiting['username']}:{up.waiting['code']}", *POST, url, at=tmp_path)

    said = ask()
    assert b" 202 " in said.split(b"\r\n")[0]
    assert re.search(rb"\r\nRetry-After: \d+\r\n", said)
    listed = quickly("request", "list", "--json", "--dir", up.directory)
    (waiting,) = json.loads(listed.stdout)
    done = quickly("request", "approve", waiting["id"], "--dir", up.directory)
    assert done.returncode == 0, done.stderr
    said = ask()
    assert b" 200 " in said.split(b"\r\n")[0]
    assert b"BEGIN CERTIFICATE" in certificate_in(said.partition(b"\r\n\r\n")[2], tmp_path)


# -- the octets of a connection


@pytest.fixture
def key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_version_of_the_request_is_echoed_and_its_trailing_line_end_ignored(up, key, version):
    """Debian's estclient sends HTTP/1.0, takes nothing else, and ends each message with CR LF."""
    body = spelled(csr(key, ["echo.example.test"]))
    with up.connection() as tls:
        tls.sendall(up.post(body, version=version) + b"\r\n")
        head, got, rest = read(tls)
    assert head.startswith(f"HTTP/{version} 200 OK\r\n")
    assert "\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\n" in head
    assert issued(got).public_key() == key.public_key()
    assert rest == b""


def test_every_head_is_short(up):
    """strongSwan reads 1024 octets first, and looks for the end of the head in them."""
    with up.connection() as tls:
        tls.sendall(f"POST {up.path}/simpleenroll HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
        head, body, _ = read(tls)
    assert head.startswith("HTTP/1.1 401 ")
    assert head.count("WWW-Authenticate: ") == 3
    assert len(head) < 1000
    assert body == b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3(up, key, version):
    with up.connection(version) as tls:
        tls.sendall(up.post(spelled(csr(key, ["tls.example.test"]))))
        assert issued(read(tls)[1])


def test_rfc7030_3_5_tls_unique_as_python_has_it(up, key):
    with up.connection(ssl.TLSVersion.TLSv1_2) as tls:
        mine = b64encode(tls.get_channel_binding("tls-unique")).decode()
        tls.sendall(up.post(spelled(csr(key, ["unique.example.test"], password=mine))))
        assert issued(read(tls)[1])
    before = len(up.listed())
    with up.connection(ssl.TLSVersion.TLSv1_2) as tls:
        tls.sendall(up.post(spelled(csr(key, ["other.example.test"], password=mine))))
        head, body, _ = read(tls)
    assert " 400 " in head.split("\r\n")[0]
    assert b"RFC 7030 section 3.5" in body
    assert len(up.listed()) == before


def test_rfc9266_tls_exporter_as_another_client_has_it(up, key):
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    with socket.create_connection((up.host, up.port), PATIENCE) as plain:
        plain.settimeout(None)
        connection = SSL.Connection(context, plain)
        connection.set_connect_state()
        connection.do_handshake()
        mine = b64encode(connection.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")).decode()
        connection.sendall(up.post(spelled(csr(key, ["exporter.example.test"], password=mine))))
        assert issued(read(connection)[1])
        connection.sendall(up.post(spelled(csr(key, ["wrong.example.test"], password=mine[::-1]))))
        assert b"RFC 7030 section 3.5" in read(connection)[1]


def test_a_renewal_over_tls_with_the_client_certificate(up, key, tmp_path):
    with up.connection() as tls:
        tls.sendall(up.post(spelled(csr(key, ["renew.example.test"]))))
        old = issued(read(tls)[1])
    pem = tmp_path / "client.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + old.public_bytes(Encoding.PEM))
    context = up.context()
    context.load_cert_chain(pem)
    body = spelled(csr(key, ["renew.example.test"], old.subject))
    head = f"POST {up.path}/simplereenroll HTTP/1.1\r\nHost: a\r\nContent-Type: application/pkcs10\r\nContent-Length: {len(body)}"
    for context_, status in ((context, 200), (up.context(), 403)):
        with (
            socket.create_connection((up.host, up.port), PATIENCE) as plain,
            context_.wrap_socket(plain, server_hostname=up.host) as tls,
        ):
            tls.sendall(head.encode() + b"\r\n\r\n" + body)
            answer, got, _ = read(tls)
        assert f" {status} " in answer.split("\r\n")[0], got
    assert b"RFC 7030 section 4.2.2" in got


def test_pipelined_requests_are_answered_in_order(up):
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    with up.connection() as tls:
        tls.sendall(b"".join(up.post(spelled(csr(one, [f"p{n}.example.test"]))) for n, one in enumerate(keys)))
        rest = b""
        for one in keys:
            head, body, rest = read(Replay(rest, tls))
            assert head.startswith("HTTP/1.1 200")
            assert issued(body).public_key() == one.public_key()
        assert rest == b""


class Replay:
    """A socket that gives first what was read too much."""

    def __init__(self, octets, tls):
        self.octets, self.tls = octets, tls

    def recv(self, count):
        octets, self.octets = self.octets, b""
        return octets or self.tls.recv(count)


def test_a_connection_that_ends_before_its_request_does(up, key):
    before = len(up.listed())
    whole = up.post(spelled(csr(key, ["half.example.test"])))
    for cut in (len(whole) - 1, len(whole) // 2, 30):
        with up.connection() as tls:
            tls.sendall(whole[:cut])
            with contextlib.suppress(OSError):
                tls.unwrap()
    assert len(up.listed()) == before


def test_a_request_whose_client_shuts_down_behind_it_is_answered_or_not_but_is_one(up, key):
    before = len(up.listed())
    with up.connection() as tls:
        tls.sendall(up.post(spelled(csr(key, ["shut.example.test"]))))
        with contextlib.suppress(OSError):
            tls.unwrap()
    with up.connection() as tls:
        tls.sendall(up.post(spelled(csr(key, ["shut.example.test"]))))
        assert issued(read(tls)[1])
    assert len(up.listed()) == before + 1


def chunks(octets, size=100):
    return (
        b"".join(b"%x\r\n%s\r\n" % (len(octets[at : at + size]), octets[at : at + size]) for at in range(0, len(octets), size))
        + b"0\r\n\r\n"
    )


def test_rfc9112_7_1_a_chunked_request_is_a_request(up, key):
    head = f"POST {up.path}/simpleenroll HTTP/1.1\r\nHost: a\r\n{up.basic}\r\nContent-Type: application/pkcs10\r\nTransfer-Encoding: chunked"
    with up.connection() as tls:
        tls.sendall(head.encode() + b"\r\n\r\n" + chunks(spelled(csr(key, ["chunked.example.test"]))))
        assert issued(read(tls)[1])


BROKEN = {
    "chunked in HTTP/1.0": (
        lambda up, body: up.post(b"", version="1.0", more=["Transfer-Encoding: chunked"]) + chunks(body),
        400,
    ),
    "chunked and a length": (lambda up, body: up.post(body, more=["Transfer-Encoding: chunked"]), 400),
    "a bad chunk": (
        lambda up, body: up.post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"zz\r\n" + body,
        400,
    ),
    "two lengths": (lambda up, body: up.post(body, more=["Content-Length: 1"]), 400),
    "too large": (lambda up, body: up.post(b"", length=1 << 20), 413),
    "too large in chunks": (
        lambda up, body: up.post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"fffff\r\n",
        413,
    ),
    "another coding": (lambda up, body: up.post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: gzip"), 501),
}


@pytest.mark.parametrize("case", BROKEN)
def test_framing_that_is_refused_with_its_clause(up, key, case):
    make, status = BROKEN[case]
    before = len(up.listed())
    with up.connection() as tls:
        tls.sendall(make(up, spelled(csr(key, ["broken.example.test"]))))
        head, body, _ = read(tls)
    assert f" {status} " in head.split("\r\n")[0]
    # Where the head itself cannot be read, nobody knows that it was for EST.
    assert "Content-Type: application/problem+json" in head if case == "two lengths" else "Content-Type: text/plain" in head
    assert b"RFC 9" in body
    assert len(up.listed()) == before


def test_nothing_secret_is_in_the_transcript(up, key, tmp_path):
    request(tmp_path)
    body = curl(up, "-u", f"{up.user}:{up.code}", *POST, f"{up.url}/serverkeygen", at=tmp_path)
    made = re.search(rb"application/pkcs8\r\n.*?\r\n\r\n(.*?)\r\n--", body, re.DOTALL)[1]
    (transcript,) = (up.directory / "transcripts").glob("server*.jsonl")
    while b"/serverkeygen" not in (text := transcript.read_bytes()):
        pass
    spelled_code = b64encode(f"{up.user}:{up.code}".encode())
    assert up.code.encode() not in text
    assert spelled_code not in text
    assert made.split(b"\n")[1] not in text
    assert b"redacted private key" in text
