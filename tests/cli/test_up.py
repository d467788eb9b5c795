"""``privca up`` as its user meets it: a real process, from an empty directory to the end by signal."""

from __future__ import annotations

import base64
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from tests.support.running import ANY_PORTS, ENVIRONMENT, PATIENCE, Running, free_port, privca


def test_a_first_run_serves_the_directory_under_the_labs_root(shared: Running) -> None:
    with shared.client() as client:
        reply = client.get(shared.profile()["url"])
    assert reply.status_code == 200
    assert reply.json()["newOrder"].startswith(shared.origin())


def test_endpoints_json_names_what_scripts_need(shared: Running) -> None:
    endpoints = shared.endpoints()
    assert endpoints["trust_anchor"] == str(shared.directory / "ca.pem")
    assert endpoints["pid"] == shared.process.pid
    served = [(p["id"], p["protocol"]) for p in endpoints["profiles"]]
    assert {("lab-acme", "acme"), ("lab-acme-eab", "acme"), ("lab-est", "est"), ("lab-est-approval", "est")} <= set(served)
    assert set(shared.profile("lab-est")) == {
        *("id", "protocol", "default", "url", "username", "code"),
        *("decrypt_key_identifier", "decrypt_key"),
    }
    assert shared.profile()["default"] is True
    assert set(shared.profile("lab-acme-eab")) == {"id", "protocol", "url", "kid", "hmac_key"}
    assert httpx.get(f"{endpoints['admin']}/healthz").status_code == 200
    assert httpx.get(f"{endpoints['admin']}/readyz").status_code == 200
    host, _, port = endpoints["resolver"].rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE):
        pass


def test_a_command_is_shown_for_the_endpoint_that_is_for_everybody_alone(shared: Running) -> None:
    said = "".join(shared.said)
    assert said.count("openssl cmp -cmd ir") == 1
    assert "lets every client ask again" in said
    assert "certifies registration authorities" in said


def test_target_toml_describes_the_lab_to_the_examiner(shared: Running) -> None:
    target = tomllib.loads((shared.directory / "target.toml").read_text())
    assert target["trust_anchor"] == str(shared.directory / "ca.pem")
    assert target["acme"]["directory"] == shared.profile()["url"]
    assert target["acme"]["dns_api"] == shared.endpoints()["admin"]
    assert target["status"]["directory"] == shared.profile()["url"]
    assert [httpx.get(target["status"][name]).status_code for name in ("crl", "issuer")] == [200, 200]
    est = target["est"]
    assert est["plain"].startswith("http://")
    assert (est["decrypt_key_identifier"], len(est["decrypt_key"])) == (b"lab".hex(), 64)
    others = {one["url"].rpartition("/")[2]: one["code"] for one in est["others"]}
    assert others.keys() == {"lab-est-approval", "lab-est-strict"}
    assert len({est["code"], *others.values()}) == 3
    assert target["claims"]["fullcmc"]
    light = target["cmp"]["lightweight"]
    assert light["url"] == shared.profile("lab-cmp-lightweight")["url"]
    assert light["code"] != target["cmp"]["code"]
    for name in ("delayed", "ra"):
        assert target["cmp"][name]["url"] == shared.profile(f"lab-cmp-{name}")["url"]
    strict, approval = shared.profile("lab-scep-strict"), shared.profile("lab-scep-approval")
    assert target["scep"].pop("decide")[-4:] == ["--subject", "{subject}", "--config", str(shared.directory / "privca.toml")]
    assert target["scep"] == {
        "url": strict["url"],
        "code": strict["code"],
        "approval_url": approval["url"],
        "approval_code": approval["code"],
    }


def test_nobody_else_can_read_what_is_in_the_directory(shared: Running) -> None:
    assert shared.directory.stat().st_mode & 0o777 == 0o700
    modes = {path.relative_to(shared.directory).as_posix(): path.stat().st_mode & 0o777 for path in shared.directory.rglob("*")}
    assert modes.pop("ca.pem") == 0o644
    assert {modes.pop(name) for name in ("keys", "keys/est", "keys/est/lab-est", "transcripts")} == {0o700}
    assert set(modes.values()) == {0o600}, modes
    assert {"privca.toml", "privca.db", "keys/store.key", "keys/server.pem", "endpoints.json"} <= set(modes)
    assert (shared.directory / ".gitignore").read_text() == "*\n"


def test_what_it_prints_can_be_pasted(shared: Running) -> None:
    said = "".join(shared.said)
    for profile in shared.endpoints()["profiles"]:
        assert profile["url"] in said
    assert f"REQUESTS_CA_BUNDLE={shared.directory / 'ca.pem'} certbot certonly" in said
    assert f"LEGO_CA_CERTIFICATES={shared.directory / 'ca.pem'} lego" in said
    assert f"--ca-bundle {shared.directory / 'ca.pem'}" in said
    assert "\x1b" not in said
    commands = [line for line in said.replace("\\\n", " ").splitlines() if " certbot certonly " in line]
    assert len(commands) == 2
    assert all("--server" in command for command in commands)


def test_crls_and_ca_certificates_are_served_with_and_without_tls(shared: Running) -> None:
    with shared.client() as client:
        crl = client.get(f"{shared.origin()}/crl/lab-ec.crl")
        issuer = client.get(f"{shared.origin()}/ca/lab-ec.cer")
    assert crl.headers["content-type"] == "application/pkix-crl"
    assert issuer.headers["content-type"] == "application/pkix-cert"
    certificate = x509.load_der_x509_certificate(issuer.content)
    assert x509.load_der_x509_crl(crl.content).is_signature_valid(certificate.public_key())
    published = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0].full_name
    assert published is not None
    over_http = httpx.get(published[0].value)
    root = x509.load_pem_x509_certificate((shared.directory / "ca.pem").read_bytes())
    assert x509.load_der_x509_crl(over_http.content).is_signature_valid(root.public_key())


def test_its_certificate_names_every_way_to_reach_it(up: Callable[..., Running], tmp_path: Path) -> None:
    first = up()
    assert first.stop() == 0
    again = up("--host", "ca.example.test", "--host", "192.0.2.7")
    assert again.origin().startswith("https://ca.example.test:")
    port = int(again.origin().rpartition(":")[2])
    context = ssl.create_default_context(cafile=str(again.directory / "ca.pem"))
    for name in ("ca.example.test", "192.0.2.7", "127.0.0.1", "::1", "localhost"):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw, context.wrap_socket(raw, server_hostname=name):
            pass


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(up: Callable[..., Running], how: signal.Signals) -> None:
    running = up()
    with running.client() as client:
        # A connection that is kept open does not keep it from stopping.
        client.get(running.profile()["url"])
        assert running.stop(how) == 0
    assert not (running.directory / "endpoints.json").exists()
    assert (running.directory / "transcripts/server.jsonl").read_text().count("\n") == 1
    assert "Traceback" not in running.log.read_text()
    assert "level=error" not in running.log.read_text()


def test_after_kill_9_it_goes_on_with_what_was_there(up: Callable[..., Running]) -> None:
    running = up()
    anchor = (running.directory / "ca.pem").read_bytes()
    stored = privca("cert", "list", "--json", "--dir", running.directory).stdout
    running.stop(signal.SIGKILL)
    assert (running.directory / "endpoints.json").exists()
    again = up()
    assert again.endpoints()["pid"] == again.process.pid
    assert (again.directory / "ca.pem").read_bytes() == anchor
    assert privca("cert", "list", "--json", "--dir", again.directory).stdout == stored
    with again.client() as client:
        assert client.get(again.profile()["url"]).status_code == 200


def test_a_first_run_that_was_cut_off_is_completed(up: Callable[..., Running], tmp_path: Path) -> None:
    running = up()
    running.stop()
    for name in ("ca.pem", "keys/server.pem", "target.toml", "privca.db"):
        (running.directory / name).unlink()
    again = up()
    with again.client() as client:
        assert client.get(again.profile()["url"]).status_code == 200


def test_a_second_up_on_the_same_directory_is_refused(shared: Running) -> None:
    before = (shared.directory / "endpoints.json").read_bytes()
    second = privca("up", "--dir", shared.directory, *ANY_PORTS)
    assert second.returncode == 1
    assert f"another 'privca up' runs on it (process {shared.process.pid})" in second.stderr
    assert second.stderr.count("\n") == 1
    assert (shared.directory / "endpoints.json").read_bytes() == before
    with shared.client() as client:
        assert client.get(shared.profile()["url"]).status_code == 200


@pytest.mark.parametrize("option", ["--https-port", "--http-port", "--admin-port", "--resolver-port"])
def test_a_taken_port_is_named_with_its_option_and_nothing_is_written(tmp_path: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        arguments = [port if before == option else value for before, value in zip(("", *ANY_PORTS), ANY_PORTS, strict=False)]
        refused = privca("up", "--dir", tmp_path / "lab", *arguments)
    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr
    assert f"{option} N" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_lab_is_not_shown_to_others_by_accident(tmp_path: Path) -> None:
    refused = privca("up", "--dir", tmp_path / "lab", "--bind", "0.0.0.0", *ANY_PORTS)
    assert refused.returncode == 2
    assert "--expose-lab" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = privca("up", "--dir", tmp_path, *ANY_PORTS)
    assert refused.returncode == 1
    assert "is not empty and no lab is in it" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_configuration_of_a_real_server_is_not_a_lab(tmp_path: Path) -> None:
    (tmp_path / "privca.toml").write_text("[server]\n")
    refused = privca("up", "--dir", tmp_path, *ANY_PORTS)
    assert refused.returncode == 2
    assert "privca serve --config" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "resolver"),
    [(("--resolver", "192.0.2.53:53"), "192.0.2.53:53"), (("--no-resolver",), "")],
    ids=["other", "system"],
)
def test_the_resolver_can_be_another_one(up: Callable[..., Running], arguments: tuple[str, ...], resolver: str) -> None:
    running = up(*arguments)
    assert running.endpoints()["resolver"] == resolver
    assert ("says the resolver" in "".join(running.said)) is False


def test_profile_changes_by_commands_take_effect_within_a_second(up: Callable[..., Running]) -> None:
    running = up()
    url = running.profile()["url"]
    with running.client() as client:
        assert client.get(url).status_code == 200
        done = privca("profile", "disable", "lab-acme", "--dir", running.directory)
        assert done.stdout == "lab-acme: disabled (revision 2)\n"
        since = time.monotonic()
        while client.get(url).status_code == 200:
            assert time.monotonic() - since < 1.0
        done = privca("profile", "apply", running.directory / "privca.toml", "--dir", running.directory)
        assert done.stdout.startswith("lab-acme: revision 3\nlab-acme-eab: revision 1 (unchanged)\n")
        since = time.monotonic()
        while client.get(url).status_code == 404:
            assert time.monotonic() - since < 1.0


def test_a_disabled_profile_stays_so_over_a_restart(up: Callable[..., Running]) -> None:
    running = up()
    privca("profile", "disable", "lab-acme", "--dir", running.directory)
    running.stop()
    again = up()
    assert [p["id"] for p in again.endpoints()["profiles"] if p["protocol"] == "acme"] == ["lab-acme-eab"]
    assert "profile lab-acme: the store has another revision than privca.toml" in "".join(again.said)


def test_an_enrollment_with_external_binding_leaves_no_secret_in_log_or_transcript(
    up: Callable[..., Running], tmp_path: Path
) -> None:
    port = free_port()
    running = up("--http01-port", str(port))
    bound = running.profile("lab-acme-eab")
    enrolled = subprocess.run(
        [
            sys.executable, "-m", "conformance", "issue", "--acme", bound["url"], "--ca", str(running.directory / "ca.pem"),
            "--names", "www.example.test", "--http01-port", str(port), "--eab-kid", bound["kid"], "--eab-hmac-key", bound["hmac_key"],
        ],
        capture_output=True, text=True, env=ENVIRONMENT, timeout=PATIENCE,
    )  # fmt: skip
    assert enrolled.returncode == 0, enrolled.stdout + enrolled.stderr
    hmac_key = base64.urlsafe_b64decode(bound["hmac_key"] + "==")
    secrets = [bound["hmac_key"].encode(), base64.b64encode(hmac_key), hmac_key, hmac_key.hex().encode()]
    for file in (one for one in (running.directory / "keys").rglob("*") if one.is_file()):
        octets = file.read_bytes()
        secrets += (
            [octets]
            if file.name == "store.key"
            else [line for line in octets.split(b"-----BEGIN CERT")[0].splitlines() if len(line) > 40]
        )
        if file.name == "store.key":
            secrets += [octets.hex().encode(), base64.b64encode(octets), base64.urlsafe_b64encode(octets)]
    assert running.stop() == 0
    written = running.log.read_bytes() + b"".join(file.read_bytes() for file in (running.directory / "transcripts").iterdir())
    # The log tells the whole story, but for the secrets.
    assert b'decision="certificate issued"' in written
    assert bound["kid"].encode() in base64.b64decode(_protected(running)) + written
    assert [secret for secret in secrets if secret in written] == []
    database = (running.directory / "privca.db").read_bytes()
    assert [secret for secret in secrets if secret in database] == []


def _protected(running: Running) -> bytes:
    """The protected header of the external account binding, as the transcript has it."""
    lines = [json.loads(line) for line in (running.directory / "transcripts/server.jsonl").read_text().splitlines()]
    body = next(json.loads(one["request"]["body"]["text"]) for one in lines if "/new-account" in one["request"]["head"]["text"])
    payload = json.loads(base64.urlsafe_b64decode(body["payload"] + "=="))
    return base64.b64encode(base64.urlsafe_b64decode(payload["externalAccountBinding"]["protected"] + "=="))
