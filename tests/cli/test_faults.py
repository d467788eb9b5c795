"""``privca up --faults`` and ``privca faults``: a server that errs in one way is another URL."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from conformance.acme.client import Client
from conformance.acme.keys import Key
from conformance.transport import SocketTransport
from tests.support.running import Running, quickly

ERRING = "acme-fault-nonce-accept-reused"


def reuse_a_nonce(running: Running, profile: str) -> int:
    """The status of a second request with the nonce of the first."""
    with SocketTransport(running.directory / "ca.pem") as transport:
        client = Client(transport, running.profile(profile)["url"])
        account = client.register(Key.make())
        draft = client.fetch(account, account.url)
        draft.protected["nonce"] = client.nonce()
        assert client.send(draft).status == 200
        return client.send(draft).status


def test_a_fault_is_met_at_its_own_url_alone_and_only_while_faults_are_served(up: Callable[..., Running]) -> None:
    running = up("--faults")
    ids = [one["id"] for one in running.endpoints()["profiles"]]
    assert len([id for id in ids if id.startswith("acme-fault-")]) > 60
    assert running.profile(ERRING)["faults"] == ["acme.nonce.accept-reused"]
    assert "acme-fault" not in (running.directory / "target.toml").read_text()
    assert "acme-fault" not in "".join(running.said)
    assert reuse_a_nonce(running, ERRING) == 200
    assert reuse_a_nonce(running, "lab-acme") == 400
    url = running.profile(ERRING)["url"]
    running.stop()
    again = up()
    assert ERRING not in [one["id"] for one in again.endpoints()["profiles"]]
    with again.client() as client:
        path = url.partition("/acme/")[2]
        assert client.get(f"{again.origin()}/acme/{path}").status_code == 404
        assert client.get(again.profile()["url"]).status_code == 200


def test_a_fault_of_the_status_services_is_met_at_its_own_urls_alone(up: Callable[..., Running]) -> None:
    running = up("--faults")
    erring = running.profile("status-fault-crl-number-stands-still")
    assert erring["faults"] == ["status.crl.number-stands-still"]
    with httpx.Client() as client:
        honest = erring["crl"].replace("/faults/status-fault-crl-number-stands-still/", "/")
        numbers = [_number(client.get(url).content) for url in (honest, erring["crl"], honest, erring["crl"])]
        assert numbers[0] == numbers[2]
        assert numbers[1] == numbers[3] == 1
        assert client.get(erring["crl"].replace("stands-still", "runs")).status_code == 404
    running.stop()
    again = up()
    assert "status" not in [one["protocol"] for one in again.endpoints()["profiles"]]
    target = tomllib.loads((again.directory / "target.toml").read_text())
    origin = target["status"]["crl"].partition("/crl/")[0]
    with httpx.Client() as client:
        assert client.get(target["status"]["crl"]).status_code == 200
        for url in (erring["crl"], honest):
            assert client.get(f"{origin}/{url.split('/', 3)[3]}").status_code == 404


def _number(octets: bytes) -> int:
    value = x509.load_der_x509_crl(octets).extensions.get_extension_for_class(x509.CRLNumber).value
    return value.crl_number


def test_faults_are_listed() -> None:
    listed = quickly("faults", "acme.nonce.").stdout
    assert "acme.nonce.accept-reused" in listed
    assert "acme.jws." not in listed
    assert "RFC 8555 section 6.5" in listed
    assert quickly("faults", "none.such").returncode == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("acme.nonce.accept-reuse", "there is no fault 'acme.nonce.accept-reuse' (did you mean 'acme.nonce.accept-reused'?)"),
    ],
)
def test_a_fault_that_is_none_is_refused(shared: Running, tmp_path: Path, name: str, told: str) -> None:
    file = tmp_path / "more.toml"
    file.write_text(
        f'[profile.erring]\nprotocol = "acme"\nissuer = "lab-ec"\ntemplate = "tls"\nauthentication = ["account"]\nfaults = ["{name}"]\n'
    )
    refused = quickly("profile", "apply", file, "--dir", shared.directory)
    assert refused.returncode == 1
    assert told in refused.stderr
