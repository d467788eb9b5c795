"""``privca serve``: a configuration made by hand, from no key at all to a server, and everything of a lab refused."""

from __future__ import annotations

import datetime
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from privca import server
from tests.support.running import ENVIRONMENT, PATIENCE, free_port, quickly

CONFIG = """
[server]
bind = ["127.0.0.1"]
hosts = ["127.0.0.1"]
https_port = {https}
http_port = {http}
admin_port = {admin}
certificate = "tls.pem"
key = "tls.key"

[ca.root]
subject = {{ CN = "Root" }}

[ca.issuing]
subject = {{ CN = "Issuing" }}
parent = "root"
path_length = 0

[template.tls]

[profile.web]
protocol = "acme"
issuer = "issuing"
template = "tls"
authentication = ["account"]
"""


def write_tls(directory: Path, days: int = 90) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=100))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(__import__("ipaddress").ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "tls.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (directory / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (directory / "tls.key").chmod(0o600)


@pytest.fixture(autouse=True)
def _serve_nothing_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal that is missing fails, instead of serving for ever inside the test."""

    def serve(*_: object, **__: object) -> int:
        raise AssertionError("it was not refused")

    monkeypatch.setattr(server, "serve", serve)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose CAs have no keys yet."""
    path = tmp_path / "privca.toml"
    path.write_text(CONFIG.format(https=free_port(), http=free_port(), admin=free_port()))
    write_tls(tmp_path)
    return path


@pytest.fixture
def ready(config: Path) -> Path:
    """The same with keys."""
    made = quickly("ca", "rollover", "issuing", "--config", config)
    assert [line.split(":")[0] for line in made.stdout.splitlines()] == ["root", "issuing"], made.stderr
    return config


@pytest.fixture
def serving(ready: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "privca", "serve", "--config", str(ready)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "event=serving" in line, line + process.stderr.read()
    yield process, ready
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_serves_what_was_configured_and_stops_when_asked(serving: tuple[subprocess.Popen[str], Path]) -> None:
    process, config = serving
    context = ssl.create_default_context(cafile=str(config.parent / "tls.pem"))
    port = next(line.split("= ")[1] for line in config.read_text().splitlines() if line.startswith("https_port"))
    reply = httpx.get(f"https://127.0.0.1:{port}/acme/web/directory", verify=context)
    assert reply.status_code == 200
    admin = next(line.split("= ")[1] for line in config.read_text().splitlines() if line.startswith("admin_port"))
    assert httpx.get(f"http://127.0.0.1:{admin}/healthz").status_code == 200
    # The calls that change a lab's DNS are not there in real use.
    assert httpx.post(f"http://127.0.0.1:{admin}/set-default-ipv4", json={"ip": "192.0.2.1"}).status_code == 404
    process.terminate()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert out == ""
    assert not (config.parent / "endpoints.json").exists()


def test_it_generates_nothing(config: Path) -> None:
    before = sorted(path.name for path in config.parent.iterdir())
    refused = quickly("serve", "--config", config)
    assert refused.returncode == 1
    assert "privca ca rollover" in refused.stderr
    assert sorted(path.name for path in config.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        pytest.param("[lab]\n", "[lab] is for 'privca up' alone", id="lab"),
        pytest.param("[lab]\nresolver = true\n", "[lab] is for 'privca up' alone", id="built-in resolver"),
        pytest.param(
            '[profile.open]\nprotocol = "acme"\nissuer = "issuing"\ntemplate = "tls"\nauthentication = ["open"]\n',
            "'open' issues to anybody",
            id="open",
        ),
        pytest.param(
            '[profile.faulty]\nprotocol = "acme"\nissuer = "issuing"\ntemplate = "tls"\nauthentication = ["account"]\nfaults = ["x"]\n',
            "makes the server err, and exists only in a lab",
            id="faults",
        ),
        pytest.param("[sever]\n", "there is no table [sever] (did you mean 'server'?)", id="unknown table"),
    ],
)
def test_what_is_of_a_lab_or_unknown_is_refused(ready: Path, addition: str, told: str) -> None:
    ready.write_text(ready.read_text() + addition)
    refused = quickly("serve", "--config", ready)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_an_open_profile_of_a_former_lab_is_not_served(ready: Path) -> None:
    text = ready.read_text()
    with_open = (
        text + '[profile.open]\nprotocol = "acme"\nissuer = "issuing"\ntemplate = "tls"\nauthentication = ["open"]\n[lab]\n'
    )
    ready.write_text(with_open)
    assert quickly("profile", "apply", ready, "--config", ready).returncode == 0
    ready.write_text(text)
    refused = quickly("serve", "--config", ready)
    assert refused.returncode == 2
    assert "profile open" in refused.stderr


def test_profile_apply_refuses_open_outside_a_lab(ready: Path, tmp_path: Path) -> None:
    file = tmp_path / "open.toml"
    file.write_text('[profile.open]\nprotocol = "acme"\nissuer = "issuing"\ntemplate = "tls"\nauthentication = ["open"]\n')
    refused = quickly("profile", "apply", file, "--config", ready)
    assert refused.returncode == 1
    assert "exists only in a lab" in refused.stderr
    assert "open" not in quickly("profile", "list", "--config", ready).stdout


def test_check_is_content_with_it(ready: Path) -> None:
    checked = quickly("check", "--config", ready)
    assert checked.returncode == 0, checked.stdout
    assert "wrong" not in checked.stdout
    assert "warn" not in checked.stdout


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(lambda d: (d / "tls.key").chmod(0o644), "chmod 0600", id="server key open to others"),
        pytest.param(lambda d: (d / "tls.pem").unlink(), "tls.pem: No such file", id="no server certificate"),
        pytest.param(lambda d: (d / "tls.pem").write_bytes(b"?"), "has no certificates in PEM", id="no PEM"),
        pytest.param(lambda d: write_tls(d, -1), "ended at", id="server certificate ended"),
        pytest.param(lambda d: (d / "tls.key").write_bytes(b"?"), "has no private key", id="no key"),
        pytest.param(lambda d: next((d / "keys").glob("issuing-*")).chmod(0o640), "chmod 0600", id="CA key open to others"),
        pytest.param(lambda d: (d / "keys").chmod(0o755), "chmod 0700", id="key directory open to others"),
        pytest.param(lambda d: next((d / "keys").glob("issuing-*")).unlink(), "CA issuing", id="CA key lost"),
        pytest.param(lambda d: _swap(*(d / "keys").glob("*-1-*")), "is not that of its certificate", id="CA keys swapped"),
        pytest.param(lambda d: (d / "keys/store.key").unlink(), "put it back from the backup", id="store key lost"),
        pytest.param(
            lambda d: (d / "privca.db").write_bytes(b"no database" * 100), "cannot be used as database", id="no database"
        ),
        pytest.param(lambda d: (d / "privca.db").unlink(), "there is no", id="database lost"),
        pytest.param(lambda d: (d / "privca.db").chmod(0o644), "chmod 0600", id="database open to others"),
    ],
)
def test_check_says_what_is_wrong_and_serve_does_not_start(ready: Path, spoil: object, told: str) -> None:
    assert callable(spoil)
    spoil(ready.parent)
    checked = quickly("check", "--config", ready)
    assert checked.returncode == 1
    assert told in "".join(line for line in checked.stdout.splitlines() if line.startswith("wrong"))
    refused = quickly("serve", "--config", ready)
    assert refused.returncode == 1
    assert told in refused.stderr
    assert "Traceback" not in checked.stderr + refused.stderr


def _swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def test_check_warns_before_the_server_certificate_ends(ready: Path) -> None:
    write_tls(ready.parent, 5)
    checked = quickly("check", "--config", ready)
    assert checked.returncode == 0
    assert "ends soon" in next(line for line in checked.stdout.splitlines() if line.startswith("warn"))


def test_check_tells_of_a_port_that_is_taken(ready: Path) -> None:
    port = next(int(line.split("= ")[1]) for line in ready.read_text().splitlines() if line.startswith("https_port"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        checked = quickly("check", "--config", ready)
        refused = quickly("serve", "--config", ready)
    assert (checked.returncode, refused.returncode) == (1, 1)
    assert f"port {port} is taken on 127.0.0.1" in checked.stdout
    assert f"port {port} is taken on 127.0.0.1" in refused.stderr


def test_check_of_a_running_server_is_content(serving: tuple[subprocess.Popen[str], Path]) -> None:
    _, config = serving
    checked = quickly("check", "--config", config)
    assert checked.returncode == 0, checked.stdout
    assert "in use by this server" in checked.stdout


def test_the_log_goes_into_a_file_of_its_own(ready: Path) -> None:
    ready.write_text(ready.read_text().replace("[server]", '[server]\nlog = "server.log"'))
    with subprocess.Popen(
        [sys.executable, "-m", "privca", "serve", "--config", str(ready)], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        log, pause = ready.parent / "server.log", threading.Event()
        for _ in range(int(PATIENCE * 10)):
            if process.poll() is not None or (log.exists() and "event=serving" in log.read_text()):
                break
            pause.wait(0.1)
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert "event=serving" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
