"""The composition root: what is wired to what."""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from conformance.acme import csr, enrollment
from conformance.acme.client import Account, Client, dns
from conformance.acme.keys import Key
from conformance.acme.responders import HttpResponder
from conformance.transport import SocketTransport
from privca import server
from privca.cli import lab
from privca.composition import opened, run
from privca.config import Config, Lab, Server, Validation, load
from privca.server_certificate import issue_server_certificate, read_server_certificate
from privca.web.framing import HttpLimits
from privca.web.metrics import Metrics
from tests.support.running import PATIENCE, Running, free_port

REAL = Config(path=Path("/nonexistent/privca.toml"), server=Server(bind=("192.0.2.1", "2001:db8::1")))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "::1", "169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "::ffff:127.0.0.1"],
)
def test_validation_connects_to_no_inner_address_in_real_use(address: str) -> None:
    assert server.address_policy(REAL).objection(address, 80)


@pytest.mark.parametrize(
    ("address", "port"),
    [("192.0.2.1", 8443), ("192.0.2.1", 8080), ("2001:db8::1", 8443), ("127.0.0.1", 8444)],
    ids=["https", "http", "v6", "admin"],
)
def test_validation_never_connects_to_the_server_itself(address: str, port: int) -> None:
    for validation in (Validation(), Validation(allow=("0.0.0.0/0", "::/0"))):
        config = Config(path=REAL.path, server=REAL.server, validation=validation)
        assert server.address_policy(config).objection(address, port)
    assert not server.address_policy(REAL).objection("192.0.2.1", 80)


def test_what_is_allowed_or_denied_by_configuration() -> None:
    config = Config(path=REAL.path, server=REAL.server, validation=Validation(allow=("127.0.0.0/8",), deny=("198.51.100.0/24",)))
    policy = server.address_policy(config)
    assert not policy.objection("127.0.0.1", 80)
    assert policy.objection("198.51.100.7", 80)
    assert not server.address_policy(REAL).objection("198.51.100.7", 80)


def test_open_files_suffice_for_all_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= HttpLimits().connections + 512
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        server._allow_descriptors()
        raised, still = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert (raised, still) == (min(server.DESCRIPTORS, hard), hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        server._allow_descriptors()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_running_lab_renews_its_server_certificate(tmp_path: Path) -> None:
    path = tmp_path / "privca.toml"
    path.write_text(lab.text(Server(), Validation(), Lab()).replace("RSA-2048", "P-256"))
    with opened(path, create=True) as parts:
        run(parts.authorities.create_missing())
        run(issue_server_certificate(parts))
    config = load(path)
    keeper = server.Keeper(config, Metrics(), lambda: ())
    (before,), _ = read_server_certificate(config)
    run(keeper.renew())
    (same,), _ = read_server_certificate(config)
    assert same == before
    path.write_text(path.read_text().replace('"localhost"', '"localhost", "ca.example.test"'))
    run(server.Keeper(load(path), Metrics(), lambda: ()).renew())
    (after,), _ = read_server_certificate(config)
    assert after != before


def shown(port: int) -> bytes:
    """The certificate that a server shows, whoever issued it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw, context.wrap_socket(raw) as connection:
        return connection.getpeercert(binary_form=True) or b""


def test_a_changed_server_certificate_is_used_without_a_restart(up: Callable[..., Running]) -> None:
    running = up()
    port = int(running.origin().rpartition(":")[2])
    before = shown(port)
    with opened(running.directory / "privca.toml") as parts:
        run(issue_server_certificate(parts))
    pause = threading.Event()
    for _ in range(int(server.WATCH * 4)):
        if shown(port) != before:
            return
        pause.wait(0.5)
    raise AssertionError("it goes on with the old one")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_validation_that_kill_9_cut_off_is_taken_up_at_the_next_start(
    up: Callable[..., Running], connect: Callable[[Running], Client], workers: str
) -> None:
    ports = ("--https-port", str(free_port()), "--http01-port", str(http01 := free_port()), "--workers", workers)
    running = up(*ports)
    client = connect(running)
    account, url, challenge = _challenged(client)
    # Nobody answers yet: the challenge is being processed when the server dies.
    client.perform(client.respond(account, challenge["url"]))
    running.kill()
    with opened(running.directory / "privca.toml") as parts:
        now = parts.clock.now()
        (due,) = run(parts.store.due_authorizations(now + timedelta(hours=1), 10))
        run(parts.store.commit(msgspec.structs.replace(due, next_attempt=now - timedelta(seconds=1))))
    with HttpResponder("127.0.0.1", http01) as responder:
        responder.provision(
            {"type": "dns", "value": "www.example.test"}, challenge["token"], account.key.key_authorization(challenge["token"])
        )
        up(*ports)
        client = connect(running)
        done = enrollment.poll(client, account, url, lambda authorization: authorization["status"] != "pending")
    assert done["status"] == "valid"


def test_what_was_answered_survives_kill_9(up: Callable[..., Running], connect: Callable[[Running], Client]) -> None:
    ports = ("--https-port", str(free_port()), "--http01-port", str(http01 := free_port()))
    running = up(*ports)
    client = connect(running)
    with HttpResponder("127.0.0.1", http01) as responder:
        enrolled = enrollment.enroll(client, dns("www.example.test"), responder)
        running.kill()
        again = up(*ports)
        client = connect(again)
        order = client.read(enrolled.account, enrolled.order_url)
        assert client.perform(client.fetch(enrolled.account, order["certificate"])).body == enrolled.chain
        # The authorization that was proven is still good for the same account.
        url, order = client.order(enrolled.account, dns("www.example.test"))
        assert order["status"] == "ready"
        client.perform(client.finalize(enrolled.account, order["finalize"], csr.request(Key.make(), dns("www.example.test"))))
        assert client.read(enrolled.account, url)["status"] == "valid"


@pytest.fixture
def connect() -> Iterator[Callable[[Running], Client]]:
    """The examiner's client of a server."""
    with contextlib.ExitStack() as stack:

        def connected(running: Running) -> Client:
            transport = SocketTransport(running.directory / "ca.pem")
            stack.callback(transport.close)
            return Client(transport, running.profile()["url"])

        yield connected


def _challenged(client: Client) -> tuple[Account, str, dict[str, str]]:
    account = client.register()
    _, order = client.order(account, dns("www.example.test"))
    url = order["authorizations"][0]
    return account, url, next(c for c in client.read(account, url)["challenges"] if c["type"] == "http-01")


def test_no_system_resolver_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> tuple[tuple[str, int], ...]:
        raise server.DnsFailure("the system has no DNS server configured")

    monkeypatch.setattr(server, "system_servers", none)
    with pytest.raises(server.ConfigurationError, match=r"name a DNS server with \[validation\] resolver"):
        server._prober(REAL)


def test_crls_are_there_before_anybody_asks(up: Callable[..., Running]) -> None:
    """RFC 5280 section 5: made by a timer, not by who comes first; the one worker that does so is enough."""
    running = up("--workers", "2")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with opened(running.directory / "privca.toml") as parts:
            if all(run(parts.store.newest_crl(name, 1)) is not None for name in parts.config.ca):
                return
    raise AssertionError("no CRL was made")
