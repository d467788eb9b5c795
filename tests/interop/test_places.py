"""Places and engines, as far as they can be looked at without root."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop import declaration, engines, images
from interop.engines import Unavailable
from interop.engines.place import BUNDLE, INSIDE_JOB, HostPlace, RootfsPlace, number_in
from interop.plan import plan
from interop.probes import PROBES
from interop.system import MissingError, need

CLIENTS = declaration.clients()


def test_a_root_directory_is_named_by_what_is_in_it():
    assert images.key("trixie", ["a", "b"]) == images.key("trixie", ["b", "a", "a"])
    assert len({images.key("trixie", ["a"]), images.key("trixie", ["b"]), images.key("sid", ["a"])}) == 3


def test_a_version_comes_from_the_package_database(tmp_path: Path):
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text("Package: lego\nVersion: 4.9.1-2\nDescription: x\n a: b\n\nPackage: certbot\nVersion: 1:4.0.0-2\n")
    assert [images.version(tmp_path, name) for name in ("lego", "certbot", "none")] == ["4.9.1-2", "4.0.0-2", ""]


@pytest.mark.parametrize(
    ("text", "found"), [("certbot 5.8.0\n", "5.8.0"), ("v3.1.1", "3.1.1"), ("lego version dev linux/amd64", "")]
)
def test_a_version_in_what_a_program_says(text: str, found: str):
    assert number_in(text) == found


def test_a_client_on_the_host_sees_nothing_of_the_users_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEGO_EMAIL", "user@example.test")
    environment = HostPlace("/somewhere/bin").environment(CLIENTS["lego"], tmp_path)
    assert "LEGO_EMAIL" not in environment
    assert environment["HOME"] == str(tmp_path / "home")
    assert environment["PATH"].startswith("/somewhere/bin:")
    assert environment["LEGO_CA_CERTIFICATES"] == str(tmp_path / "trust.pem")


def test_a_driver_in_another_language_is_found_in_its_folder(tmp_path: Path):
    client = CLIENTS["npm-acme-client"]
    place = HostPlace("/modules/.bin", "/modules")
    assert place.argv(client, tmp_path) == [
        "node",
        str(declaration.CLIENTS / "npm_acme_client/driver.js"),
        str(tmp_path / "job.json"),
    ]
    assert place.environment(client, tmp_path)["NODE_PATH"] == "/modules"
    assert RootfsPlace("/roots/x").argv(client, tmp_path)[-2] == "/opt/lab/interop/clients/npm_acme_client/driver.js"


def test_a_client_in_a_root_directory_gets_nothing_but_the_job(tmp_path: Path):
    argv = RootfsPlace("/roots/x").argv(CLIENTS["certbot"], tmp_path)
    inside = argv[argv.index("/usr/bin/env") :]
    assert inside[1] == "-i"
    assert f"REQUESTS_CA_BUNDLE={BUNDLE}" in inside
    assert inside[-1] == f"{INSIDE_JOB}/job.json"
    assert sys.executable not in inside


class NoEngine(engines.Engine):
    name = "none"

    def ready(self) -> None:
        raise Unavailable("it does not exist")

    def place(self, client):
        return self.ready()

    def version(self, client, place) -> str:
        return ""


def test_every_engine_says_why_not():
    with pytest.raises(Unavailable, match=r"none: it does not exist; none: it does not exist"):
        engines.place([NoEngine(install=False), NoEngine(install=False)], CLIENTS["lego"])


def test_a_missing_program_is_not_installed_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="not installed"):
        need("mmdebstrap", install=False)


def test_what_cannot_run_is_a_row_that_says_why():
    tasks, rows = plan([CLIENTS["lego"]], ["http-01", "ip-http-01"], [NoEngine(install=False)], "privca", lambda text: None)
    assert tasks == []
    assert [(row.scenario, row.verdict, row.expected) for row in rows] == [
        ("http-01", "skip", "pass"),
        ("ip-http-01", "skip", "fail"),
    ]
    assert {row.detail for row in rows} == {"none: it does not exist"}


class AnyPlace(NoEngine):
    def place(self, client):
        return HostPlace("")


def test_every_client_is_probed_before_its_scenarios():
    tasks, rows = plan([CLIENTS["lego"]], ["http-01", "ip-http-01"], [AnyPlace(install=False)], "privca", lambda text: None)
    assert rows == []
    assert [task.scenario for task in tasks] == [*PROBES, "http-01", "ip-http-01"]
    assert [task.known and task.known.verdict for task in tasks[-2:]] == [None, "fail"]
    assert tasks[-1].again == "privca-interop run --target privca --engine none --clients lego --scenarios ip-http-01"
