"""Engines of containers, with a program in place of docker and podman that writes down how it is called."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop import declaration, engines, namespaces, system
from interop.clients.driving import TIMED_OUT
from interop.engines import Unavailable, container
from interop.engines.place import BUNDLE, INSIDE_JOB, ContainerPlace
from interop.launching import Launch, launch
from interop.namespaces import Network

CLIENTS = declaration.clients()
FAKE = """#!/bin/sh
echo "$CONTAINERS_CONF $*" >> {calls}
case "$1" in
    image) exit {has} ;;
    import) cat > /dev/null ;;
    run) case "$*" in
        *--showformat*) echo 1:2.3-4 ;;
        *--detach*) echo owner ;;
        *) {run} ;;
    esac ;;
    inspect) echo 4711 ;;
    ps) echo owner; echo driver ;;
    kill) exit 1 ;;
esac
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a program on PATH that answers as told, and reads what it was called with."""
    calls = tmp_path / "calls"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CONTAINERS_CONF", raising=False)
    monkeypatch.setattr(container.os, "geteuid", lambda: 0)
    monkeypatch.setattr(namespaces, "why_not", lambda: "")

    def put(*names: str, run: str = "exit 0", has: int = 0):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name in (*names, "nsenter"):
            path = folder / name
            path.write_text(FAKE.format(calls=calls, run=run, has=has))
            path.chmod(0o700)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        return lambda: calls.read_text().splitlines() if calls.exists() else []

    return put


def test_a_command_with_no_engine_behind_it_says_so(fake):
    fake("docker", run="echo 'no daemon' >&2; exit 125")
    with pytest.raises(Unavailable, match="it starts no container: docker run: no daemon"):
        container.Docker(install=False).ready()


def test_an_engine_that_starts_a_container_is_asked_once(fake):
    calls = fake("docker")
    engine = container.Docker(install=False)
    engine.ready()
    engine.ready()
    assert [call.split()[0] for call in calls()] == ["image", "run"]


def test_podman_is_tried_with_less(fake, tmp_path):
    calls = fake("podman", "runc", run='[ -n "$CONTAINERS_CONF" ] || { echo no limits >&2; exit 126; }')
    engine = container.Podman(install=False)
    engine.ready()
    config = tmp_path / "cache" / "privca-interop" / "containers.conf"
    assert 'runtime = "runc"' in config.read_text()
    assert [call.split()[0] for call in calls() if " run " in f" {call} "] == ["run", str(config)]
    place = engine.place(CLIENTS["lego"])
    assert place.environment(CLIENTS["lego"], tmp_path)["CONTAINERS_CONF"] == str(config)


def test_no_command_no_root_no_engine(fake, monkeypatch):
    fake()
    with pytest.raises(Unavailable, match="there is no docker command"):
        container.Docker(install=False).ready()
    monkeypatch.setattr(container.os, "geteuid", lambda: 1000)
    with pytest.raises(Unavailable, match="root"):
        container.Docker(install=False).ready()


def test_a_place_is_the_image_of_what_is_in_it_and_tells_the_version(fake):
    fake("docker")
    engine = container.Docker(install=False)
    places = {name: engine.place(CLIENTS[name]) for name in ("lego", "certbot", "openssl-cmp-sid")}
    assert places["lego"] == places["certbot"] != places["openssl-cmp-sid"]
    assert places["openssl-cmp-sid"].image.startswith("localhost/privca-interop:sid-")
    assert engine.version(CLIENTS["lego"], places["lego"]) == "2.3-4"
    with pytest.raises(Unavailable, match="not a Debian package"):
        engine.place(CLIENTS["npm-acme-client"])


def test_an_image_that_the_user_names(fake):
    calls = fake("docker", run='[ "$*" != "${*#*sscep -v}" ] && { echo "sscep: version 0.10.0" >&2; exit 1; }; exit 0')
    engine = container.Docker(install=False, given={"sscep": "my/sscep:1"})
    place = engine.place(CLIENTS["sscep"])
    assert place.image == "my/sscep:1"
    assert engine.version(CLIENTS["sscep"], place) == "0.10.0"
    assert not [call for call in calls() if " import " in call or " build " in call]
    assert engine.place(CLIENTS["lego"]).image.startswith("localhost/privca-interop:")


def test_an_image_is_made_of_a_directory_or_else_by_its_recipe(fake, tmp_path, monkeypatch):
    (tmp_path / "root").mkdir()
    calls = fake("docker", has=1)
    monkeypatch.setattr(container.system, "need", lambda program, install: None)
    monkeypatch.setattr(container.images, "root", lambda suite, packages, install: tmp_path / "root")
    engine = container.Docker(install=False)
    name = engine.place(CLIENTS["lego"]).image
    assert f" import - {name}" in calls()

    def none(suite, packages, install):
        raise system.MissingError("there is no apt")

    monkeypatch.setattr(container.images, "root", none)
    engine.place(CLIENTS["lego"])
    built = next(call for call in calls() if call.startswith(" build"))
    assert "BASE=debian:trixie-slim" in built
    assert f"--tag {name}" in built
    assert "--network=host" in built


def test_the_recipe_takes_what_it_is_given():
    text = container.CONTAINERFILE.read_text()
    assert text.index("ARG BASE") < text.index("FROM ${BASE}") < text.index("ARG PACKAGES") < text.index("RUN")


def test_a_network_is_a_containers_and_all_that_shares_it_ends_with_it(fake):
    calls = fake("docker")
    engine = container.Docker(install=False)
    engine.ready()
    with engine.networks() as network:
        assert network.join == ("nsenter", "--net=/proc/4711/ns/net", "--")
        assert network.owner == "owner"
        assert "--net" not in network.worker()
    assert calls()[-3:] == [f" ps --all --quiet --filter=label={network.run}", " kill owner driver", " rm --force owner driver"]


def test_a_workers_own_network():
    assert Network().worker()[0] == "unshare"
    assert "--net" in Network().worker()


def test_a_container_gets_the_job_and_the_network(tmp_path):
    place = ContainerPlace("podman", "image", {"CONTAINERS_CONF": "/c"}, "owner", "privca-interop=1")
    argv = place.argv(CLIENTS["certbot"], tmp_path)
    assert argv[:2] == ["podman", "run"]
    assert {"--network=container:owner", "--label=privca-interop=1", f"--env=REQUESTS_CA_BUNDLE={BUNDLE}"} <= set(argv)
    assert f"--volume={tmp_path}:{INSIDE_JOB}" in argv
    assert argv[argv.index("image") + 1 :] == [
        "/usr/bin/python3",
        "-m",
        "interop.clients.certbot.driver",
        f"{INSIDE_JOB}/job.json",
    ]
    assert place.left(tmp_path)[-1] in next(word for word in argv if word.startswith("--name="))


def test_no_engine_of_containers_is_installed_unasked():
    assert [engine.install for engine in engines.ladder((), install=True)] == [False, False, True, True]
    assert [(engine.name, engine.install) for engine in engines.ladder(["rootfs", "podman"], install=True)] == [
        ("podman", True),
        ("rootfs", True),
    ]


def test_what_is_left_is_removed_and_what_takes_too_long_is_ended(tmp_path):
    left = (sys.executable, "-c", f"open({str(tmp_path / 'removed')!r}, 'w')")
    output = str(tmp_path / "output")
    assert launch(Launch((sys.executable, "-c", "print('said'); raise SystemExit(3)"), {}, output, 20, left)).status == 3
    assert Path(output).read_text() == "said\n"
    assert (tmp_path / "removed").exists()
    waits = Launch((sys.executable, "-c", "import threading; threading.Event().wait()"), {}, output, 0.5)
    assert launch(waits).status == TIMED_OUT
