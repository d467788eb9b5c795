"""The examiner against ``privca up`` in a process of its own: what only sockets, TLS and the real prober can show."""

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from conformance.acme import enrollment
from conformance.acme.client import Client, dns, ip
from conformance.acme.deviations import deviations
from conformance.acme.keys import Key, MacKey
from conformance.acme.mutations import MUTATIONS
from conformance.acme.responders import DnsResponder, HttpResponder, TlsAlpnResponder
from conformance.transport import HttpRequest, SocketTransport
from tests.support.control import paired

ROOT = Path(__file__).resolve().parents[2]
READY = 60.0


def free_ports(count):
    with contextlib.ExitStack() as stack:
        return [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


class Up:
    """A running ``privca up``: its endpoints, and where it looks for challenges."""

    def __init__(self, directory, process, http01, tlsalpn01):
        self.process, self.directory = process, directory
        known = json.loads((directory / "endpoints.json").read_text())
        self.trust = Path(known["trust_anchor"])
        self.admin = known["admin"]
        self.profiles = {profile["id"]: profile for profile in known["profiles"]}
        self.http01, self.tlsalpn01 = http01, tlsalpn01
        self.transport = SocketTransport(self.trust)

    def client(self, profile="lab-acme", observe=None):
        return Client(self.transport, self.profiles[profile]["url"], observe)


def brief(seconds):
    """Do not wait as long as the server would like: nobody else waits for it here."""
    threading.Event().wait(min(seconds, 0.1))


def enroll(*arguments, **options):
    return enrollment.enroll(*arguments, **options, wait=brief)


@contextlib.contextmanager
def running(directory, *options):
    """``privca up`` until the block ends; it must end in order, and say nothing that looks like a fault."""
    lab = directory / "lab"
    http01, tlsalpn01 = free_ports(2)
    ports = [f"--{name}-port=0" for name in ("https", "http", "admin", "resolver")]
    ports += [f"--http01-port={http01}", f"--tlsalpn01-port={tlsalpn01}"]
    log = directory / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "privca", "up", "--dir", str(lab), *ports, *options]
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    pause = threading.Event()
    for _ in range(int(READY / 0.1)):
        if (lab / "endpoints.json").exists() or process.poll() is not None:
            break
        pause.wait(0.1)
    try:
        assert (lab / "endpoints.json").exists(), log.read_text()
        server = Up(lab, process, http01, tlsalpn01)
        with server.transport:
            yield server
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
    said = log.read_text()
    assert status == 0, said
    assert "Traceback" not in said


PROFILE = """
[profile.once]
protocol = "acme"
issuer = "lab-ec"
template = "once"
authentication = ["account"]
acme = { caa = true, caa_identities = ["ca.example.test"], validation_attempts = 1 }
[template.once]
subject = { CN = { source = "first-name" } }
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """A lab, with a profile applied while it runs that checks CAA and tries each challenge once."""
    directory = tmp_path_factory.mktemp("up")
    with running(directory) as server:
        file = directory / "once.toml"
        file.write_text(PROFILE)
        command = [sys.executable, "-m", "privca", "profile", "apply", str(file), "--dir", str(server.directory)]
        applied = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert applied.returncode == 0, applied.stderr
        url = server.profiles["lab-acme"]["url"].replace("/lab-acme/", "/once/")
        server.profiles["once"] = {"url": url}
        pause = threading.Event()
        for _ in range(100):
            if server.transport.exchange(HttpRequest("GET", url)).status == 200:
                break
            pause.wait(0.1)
        yield server


@pytest.mark.parametrize("kind", ["http-01", "tls-alpn-01", "dns-01"])
def test_the_reference_enrollment_on_the_command_line(up, kind, tmp_path):
    """The examiner's own command: every reply checked on the way, exit status 0, a chain that ends at the lab's trust anchor."""
    command = [sys.executable, "-m", "conformance", "issue", "--acme", up.profiles["lab-acme"]["url"], "--ca", str(up.trust)]
    ports = ["--http01-port", str(up.http01), "--tlsalpn01-port", str(up.tlsalpn01), "--dns-api", up.admin]
    names = ["--names", f"a.{kind}.example.test", f"b.{kind}.example.test"]
    done = subprocess.run(
        [*command, *ports, "--challenge", kind, *names, "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verdict: pass (0 MUST broken, 0 SHOULD not followed)" in done.stdout
    assert "RFC 8555 section 7.4.2" in done.stdout
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600


def test_what_http_refuses_is_an_acme_problem_too(up):
    """RFC 8555 sections 6.5 and 7.1: also a body that was cut off has a problem document, the link to the directory, and a nonce."""
    directory = up.profiles["lab-acme"]["url"]
    url = directory.replace("/directory", "/new-order")
    reply = up.transport.exchange(HttpRequest("POST", url, (("Content-Type", "application/jose+json"),), b"x" * 200_000))
    assert reply.status == 413
    assert reply.header("content-type") == "application/problem+json"
    assert json.loads(reply.body)["type"] == "urn:ietf:params:acme:error:malformed"
    assert reply.header("link") == f'<{directory}>;rel="index"'
    assert reply.header("replay-nonce")


def test_an_address_by_tls_alpn_01(up):
    client = up.client()
    with TlsAlpnResponder(port=up.tlsalpn01) as responder:
        enroll(client, ip("127.0.0.1"), responder)
        assert [one.hello.server_name for one in responder.seen] == ["1.0.0.127.in-addr.arpa"]


def test_the_prober_offers_acme_tls_alone(up):
    """RFC 8737 section 3: with a server that likes http/1.1 better, which it would get if it were offered."""
    with TlsAlpnResponder(port=up.tlsalpn01, protocols=["http/1.1", "acme-tls/1"]) as responder:
        enroll(up.client(), dns("alpn.example.test"), responder)
        assert [(one.hello.server_name, one.hello.protocols) for one in responder.seen] == [
            ("alpn.example.test", ("acme-tls/1",))
        ]
    with (
        TlsAlpnResponder(port=up.tlsalpn01, protocols=["http/1.1"]) as responder,
        pytest.raises(enrollment.Failed, match="became invalid"),
    ):
        enroll(up.client(), dns("http11.example.test"), responder)


def test_caa_records_behind_an_alias_count(up):
    """RFC 8659 section 3: a CNAME is followed before the climb goes on; with the real resolver."""
    client = up.client("once")
    responder = DnsResponder(up.admin)
    responder.call("add-caa", host="target.test.", policies=[{"tag": "issue", "value": "other.test"}])
    responder.call("add-caa", host="ours.test.", policies=[{"tag": "issue", "value": "ca.example.test"}])
    responder.call("set-cname", host="alias.example.test.", target="target.test.")
    responder.call("set-cname", host="fine.example.test.", target="ours.test.")
    with HttpResponder(port=up.http01) as http01:
        enroll(client, dns("free.example.test"), http01)
        enroll(client, dns("fine.example.test"), http01)
        with pytest.raises(enrollment.Failed, match="error:caa"):
            enroll(client, dns("alias.example.test"), http01)
        responder.call("clear-caa", host="target.test.")
        enroll(client, dns("alias.example.test"), http01)


def test_workers_agree_on_nonces_accounts_and_orders(tmp_path):
    """Two workers, a new connection for each request: whichever gets it, a nonce of either is good, once, and all see the same objects."""

    class Reconnecting:
        def __init__(self, trust):
            self.trust = trust

        def exchange(self, request):
            with SocketTransport(self.trust) as transport:
                return transport.exchange(request)

    with running(tmp_path, "--workers=2") as up, HttpResponder(port=up.http01) as responder:
        client = Client(Reconnecting(up.trust), up.profiles["lab-acme"]["url"])
        account = client.register()
        for number in range(3):
            enrolled = enroll(client, dns(f"w{number}.example.test"), responder, account=account)
            assert client.read(account, enrolled.order_url)["status"] == "valid"
        for number in range(10):
            request = with_own_nonce(client, account, f"once{number}.example.test")
            statuses = [client.transport.exchange(request).status for _ in range(3)]
            assert statuses == [201, 400, 400]


def with_own_nonce(client, account, name):
    draft = client.new_order(account, dns(name))
    draft.protected["nonce"] = client.nonce()
    return draft.request()


def test_a_wildcard_by_dns_01(up):
    client = up.client()
    enrolled = enroll(client, dns("*.wild.example.test", "wild.example.test"), DnsResponder(up.admin))
    assert client.perform(client.revoke(enrolled.account, enrolled.certificates[0].public_bytes(Encoding.DER), 1)).status == 200


def test_an_external_account(up):
    profile = up.profiles["lab-acme-eab"]
    client = up.client("lab-acme-eab")
    with HttpResponder(port=up.http01) as responder:
        binding = MacKey(profile["kid"], profile["hmac_key"])
        enrolled = enroll(client, dns("bound.example.test"), responder, binding=binding)
        assert enrolled.certificates
        assert all(host.partition(":")[0] == "bound.example.test" for _, host in responder.seen)


def test_nobody_answers(up):
    """A closed port is ``connection``, a name without an address is ``dns``: the client developer learns which."""
    client = up.client("once")
    account = client.register()
    for kind, expected in (("http-01", "connection"), ("tls-alpn-01", "connection")):
        _, order = client.order(account, dns(f"nobody-{kind}.example.test"))
        url = order["authorizations"][0]
        challenge = next(c for c in client.read(account, url)["challenges"] if c["type"] == kind)
        client.perform(client.respond(account, challenge["url"]))
        decided = enrollment.poll(client, account, url, lambda a: a["status"] != "pending", brief)
        assert decided["status"] == "invalid"
        error = next(c for c in decided["challenges"] if c["type"] == kind)["error"]
        kinds = {error["type"], *(part["type"] for part in error.get("subproblems", ()))}
        assert f"urn:ietf:params:acme:error:{expected}" in kinds


EXPECTED = {
    "http.Content-Type=application/json": (415, "malformed"),
    "http.Content-Type=None": (415, "malformed"),
    "protected.jwk+kid": (400, "malformed"),
    "protected.nonce.never-issued": (400, "badNonce"),
    "protected.url.other": (403, "unauthorized"),
    "envelope.signature.flipped": (400, "malformed"),
    "envelope.header.present": (400, "malformed"),
    "http.method=GET": (405, "malformed"),
    "http.method=PUT": (405, "malformed"),
    "http.not-utf8": (400, "malformed"),
}


def test_spoilt_requests_are_refused_over_sockets_as_in_process(up):
    client = up.client()
    account = client.register()
    counter = iter(range(1000))
    for name, (status, error) in EXPECTED.items():
        outcome = paired(
            client, lambda: client.new_order(account, dns(f"s{next(counter)}.example.test")), MUTATIONS[name], status, {error}
        )
        assert outcome.verdict == "pass", outcome.detail


def test_header_names_have_no_case(up):
    client = up.client()
    account = client.register()
    draft = client.new_order(account, dns("case.example.test"))
    draft.headers = {"cOnTeNt-TyPe": "application/jose+json"}
    response = client.send(draft)
    assert response.status == 201


def test_what_is_not_there_is_a_problem_document(up):
    client = up.client()
    base = client.directory_url.removesuffix("lab-acme/directory")
    for path in ("", "nobody/directory", "lab-acme", "lab-acme/", "lab-acme/nothing", "../etc/passwd"):
        response = client.get(base + path)
        assert response.status in {404, 405}, path
        assert response.media_type == "application/problem+json", path
        # Outside a profile there is no ACME service whose error types could be used.
        assert response.error in {"malformed", "about:blank"}, path
        assert response.object["detail"], path


def test_the_origin_is_never_what_a_client_made_up(up):
    """Every URL begins with a name that the server was given: a Host header of somebody else's ends up in no reply."""
    client = up.client()
    response = client.get(client.directory_url, Host="evil.example.test")
    assert b"evil" not in response.body
    for _, value in response.headers:
        assert "evil" not in value
    assert client.get(client.directory_url).status == 200


def test_a_body_over_the_limit_is_cut_off(up):
    client = up.client()
    url = client.directory["newAccount"]
    request = HttpRequest("POST", url, (("Content-Type", "application/jose+json"),), b"{" + b" " * 5_000_000 + b"}")
    with contextlib.suppress(Exception):
        response = up.transport.exchange(request)
        assert response.status == 413
        assert response.error == "malformed"
    up.transport.close()
    assert client.register().url


def connect(up, url):
    parts = urlsplit(url)
    raw = socket.create_connection((parts.hostname, parts.port), timeout=30)
    return ssl.create_default_context(cafile=str(up.trust)).wrap_socket(raw, server_hostname=parts.hostname)


def test_slow_clients_do_not_hold_others(up):
    """Thirty connections that never finish their request, and one that is served meanwhile."""
    client = up.client()
    directory = client.directory_url
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            slow = stack.enter_context(connect(up, directory))
            slow.sendall(f"POST {urlsplit(directory).path} HTTP/1.1\r\nHost: {urlsplit(directory).netloc}\r\nContent-Le".encode())
        assert client.register().url
        assert client.get(directory).status == 200


def test_requests_in_one_packet_are_answered_in_turn(up):
    parts = urlsplit(up.profiles["lab-acme"]["url"])
    once = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
    last = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    with connect(up, up.profiles["lab-acme"]["url"]) as connection:
        connection.sendall((once * 4 + last).encode())
        octets = b""
        while piece := connection.recv(65536):
            octets += piece
    assert octets.count(b"HTTP/1.1 200") == 5
    assert octets.count(b'"newNonce"') == 5


def test_every_reply_of_an_enrollment_owes_nothing(up):
    found = []

    def observe(draft, response):
        if response.request.url != client.directory_url:
            found.extend(deviations(response, directory_url=client.directory_url, new_nonce_url=client.directory["newNonce"]))

    client = up.client(observe=observe)
    with HttpResponder(port=up.http01) as responder:
        enroll(client, dns("owes.example.test"), responder, account_key=Key.make("EdDSA"))
    assert [str(d) for d in found] == []


def test_a_nonce_is_good_once_whichever_connection_brings_it(up):
    """A race of two connections for one nonce: one of them wins."""
    client = up.client()
    account = client.register()
    for number in range(5):
        request = with_own_nonce(client, account, f"race{number}.example.test")
        gate = threading.Barrier(4)
        statuses = []

        def send(request=request, gate=gate, statuses=statuses):
            with SocketTransport(up.trust) as transport:
                gate.wait()
                response = transport.exchange(request)
                statuses.append((response.status, response.error))

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [(201, ""), *[(400, "badNonce")] * 3]
