"""What ``privca up`` tells of EST, SCEP and CMP: its commands are pasted, and what scripts read says the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.running import PATIENCE, Running, quickly


def printed(running: Running, client: str, url: str) -> str:
    """The command for a client that names this URL, in one line."""
    lines = "".join(running.said).replace("\\\n", " ").splitlines()
    (command,) = [line for line in lines if line.split()[:1] == [client] and re.search(rf"{re.escape(url)}(?![\w-])", line)]
    return " ".join(command.split()[1:])


@pytest.mark.parametrize(("profile", "client", "written"), [("lab-est", "curl", "est.pem"), ("lab-cmp", "openssl", "cmp.pem")])
def test_a_command_that_is_pasted_enrolls(shared: Running, tmp_path: Path, profile: str, client: str, written: str) -> None:
    missing = [tool for tool in ("bash", "openssl", "curl") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    command = printed(shared, client, shared.profile(profile)["url"])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        start_new_session=True,
    )
    assert done.returncode == 0, done.stderr
    certificate = x509.load_pem_x509_certificate((tmp_path / written).read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=device.example.test"
    shown = quickly("cert", "show", f"{certificate.serial_number:X}", "--dir", shared.directory).stdout
    assert f"profile           {profile}" in shown
    assert "identity          code:lab" in shown


def test_scripts_read_the_same(shared: Running) -> None:
    target = tomllib.loads((shared.directory / "target.toml").read_text())
    names = {"est": "username", "cmp": "reference"}
    for protocol in ("est", "scep", "cmp"):
        assert shared.profile(f"lab-{protocol}")["default"] is True
        # Examined is the SCEP endpoint that has nothing but what RFC 8894 has.
        entry = shared.profile("lab-scep-strict" if protocol == "scep" else f"lab-{protocol}")
        told = {key: entry[key] for key in ("url", names.get(protocol, "code"), "code")}
        assert {key: target[protocol][key] for key in told} == told
        waits = shared.profile(f"lab-{protocol}-approval")
        assert waits["approval"] is True
        assert waits["code"] != entry["code"]
        assert f"{waits['url']}  a person decides: privca request list" in "".join(shared.said)


def test_codes_are_made_once(up: Callable[..., Running]) -> None:
    first = up()
    codes = {entry["id"]: entry.get("code") for entry in first.endpoints()["profiles"]}
    assert first.stop() == 0
    quickly("code", "set", "lab-est", "--reference", "lab", "--generate", "--dir", first.directory)
    again = {entry["id"]: entry.get("code") for entry in up().endpoints()["profiles"]}
    assert again.pop("lab-est") != codes.pop("lab-est")
    assert again == codes
