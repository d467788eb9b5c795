"""``privca up --faults`` and ``privca faults``: a server that errs in one way is another URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
