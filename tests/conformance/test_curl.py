"""``conformance curl``: what it prints is run by a shell, and arrives as the examiner would have sent it."""

import json
import re
import shutil
import socket
import subprocess
import threading

import pytest
from click.testing import CliRunner

from conformance.command import main
from conformance.examination import Exchange
from conformance.protocols import load
from conformance.reports.curl import command, script
from conformance.results import exchange
from conformance.transport import HttpRequest, HttpResponse, SocketTransport
from tests.support.running import free_port, lab

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")


def sh(text):
    return subprocess.run(["sh"], input=text.encode(), capture_output=True, timeout=60, check=True).stdout.decode(
        "utf-8", "replace"
    )


class Wire:
    """Keeps the octets of the one request of each connection."""

    def __init__(self):
        self.seen = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                octets = b""
                while b"\r\n\r\n" not in octets:
                    octets += connection.recv(65536)
                head, _, body = octets.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                while len(body) < (int(length[1]) if length else 0):
                    body += connection.recv(65536)
                self.seen.append((head.decode("latin-1").split("\r\n"), body))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self):
        self._socket.close()


@pytest.fixture(scope="module")
def wire():
    made = Wire()
    yield made
    made.close()


JOSE = (("Content-Type", "application/jose+json"),)


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        pytest.param("POST", "/acme/x", JOSE, b'{"payload":"","x":"it\'s $HOME `date` \\u0041 %s"}', id="quotes"),
        pytest.param("POST", "/acme/x", JOSE, b'{\n  "a": 1\n}\n\n', id="lines"),
        pytest.param("POST", "/acme/x", JOSE, b'{"x":"\xff\x00"}' * 50, id="octets"),
        pytest.param("POST", "/acme/x", JOSE, b'{"x":"\t\r\n"}', id="control characters"),
        pytest.param("POST", "/acme/x", (), b"{}", id="no media type"),
        pytest.param("POST", "/acme/x", JOSE, b"", id="no body"),
        pytest.param("GET", "/acme/../x?a=[1]&b={2}'", (("Accept", "text/plain"),), b"", id="a URL that would be tidied up"),
        pytest.param("HEAD", "/acme/new-nonce", (), b"", id="HEAD"),
        pytest.param("PUT", "/acme/x", JOSE, b"{}", id="PUT"),
    ],
)
def test_curl_sends_what_the_examiner_sends(wire, method, path, headers, body):
    request = HttpRequest(method, wire.url + path, headers, body)
    wire.seen.clear()
    with SocketTransport() as transport:
        reply = transport.exchange(request)
    sh(command(exchange(Exchange("setup", HttpResponse(200, (), b"", request)))["request"]))
    (theirs, first), (ours, second) = wire.seen
    assert reply.status == 200
    assert second == first == body
    assert ours[0] == theirs[0] == f"{method} {path} HTTP/1.1"
    assert sorted(line.lower() for line in ours[1:]) == sorted(line.lower() for line in theirs[1:] if line)


def test_what_a_server_says_ends_no_comment():
    case = {
        "id": "acme.x.y",
        "title": "t",
        "covers": [],
        "negative": False,
        "verdict": "fail",
        "detail": "no\n$(touch x)\r\nrm x",
    }
    made = script(case, [], trust="", once=False, whole=True)
    assert all(line.startswith("#") for line in made.splitlines())


def test_usage():
    def run(*arguments):
        return CliRunner().invoke(main, ["curl", *arguments])

    assert run("acme.no.case", "--acme", "https://127.0.0.1:1/").exit_code == 2
    assert run("acme.nonce.reused-rejected").exit_code == 2
    assert run("acme.nonce.reused-rejected", "--est", "https://127.0.0.1:1/").exit_code == 2


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    ports = ("--http01-port", str(free_port()), "--tlsalpn01-port", str(free_port()))
    with lab(tmp_path_factory.mktemp("curl") / "lab", *ports) as running:
        yield running.directory / "target.toml"


def printed(*arguments):
    done = CliRunner().invoke(main, ["curl", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


STAGED = [
    ("acme.jws.crit-unknown", 400, "malformed"),
    ("acme.jws.url-twice", 400, "malformed"),
    ("acme.jws.signature-flipped", 400, "malformed"),
    ("acme.jws.media-type-absent", 415, "malformed"),
    ("acme.nonce.never-issued-rejected", 400, "badNonce"),
    ("acme.nonce.absent-rejected", 400, "badNonce"),
    ("acme.http.not-utf8", 400, "malformed"),
    ("acme.http.get-refused", 405, "malformed"),
    ("acme.order.unicode", 403, "rejectedIdentifier"),
]


@pytest.mark.parametrize(("id", "status", "error"), STAGED)
def test_the_commands_repeat_a_case(target, id, status, error):
    """Control, spoilt control, control: granted, refused for the same reason, granted."""
    assert load()[id].negative
    output = sh(printed(id, "--target", target))
    found = [int(one) for one in re.findall(r"^HTTP/1.1 (\d+)", output, re.M)]
    assert found == [found[0], status, found[2]]
    assert found[0] in (200, 201)
    assert found[2] in (200, 201)
    assert f"acme:error:{error}" in output


def test_a_nonce_that_two_requests_have_is_one_nonce_again(target):
    output = sh(printed("acme.nonce.reused-rejected", "--target", target))
    assert [int(one) for one in re.findall(r"^HTTP/1.1 (\d+)", output, re.M)] == [200, 200, 400, 200]


def test_what_a_run_has_sent(target, tmp_path):
    CliRunner().invoke(main, ["run", "--target", str(target), "-k", "acme.jws.crit-unknown", "--out", str(tmp_path)])
    made = printed("acme.jws.crit-unknown", "--results", tmp_path / "results.json", "--ca", target.with_name("ca.pem"))
    assert "is spent" in made
    (case,) = json.loads((tmp_path / "results.json").read_text())["cases"]
    sent = [one["request"]["text"] for one in case["exchanges"] if one["stage"] == "spoilt"]
    assert sent[0] in made
    output = sh(made)
    assert output.count("acme:error:badNonce") == 2  # the controls; the spoilt one is refused for its crit first
