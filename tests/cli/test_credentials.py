"""``privca code`` and ``privca otp``: what they store, print and refuse, and how a code is typed."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from privca.base.clock import SystemClock
from privca.cli import lab
from privca.cli.main import main
from privca.composition import compose, directly, set_code
from privca.config import Lab, Server, Validation, load
from tests.support.running import ENVIRONMENT, PATIENCE

ALL = frozenset({"acme", "est", "scep", "cmp"})


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab with profiles of every protocol that was never served."""
    for module in ("privca.config", "privca.cli.lab"):
        monkeypatch.setattr(f"{module}.SERVED_PROTOCOLS", ALL)
    where = tmp_path / "lab"
    where.mkdir(mode=0o700)
    (where / "privca.toml").write_text(lab.text(Server(), Validation(), Lab()).replace("RSA-2048", "P-256"))
    assert call(where, "ca", "rollover", "lab-ec").exit_code == 0
    assert call(where, "profile", "apply", str(where / "privca.toml")).exit_code == 0
    return where


def call(directory: Path, *arguments: str, said: str | None = None) -> Any:
    done = CliRunner().invoke(main, [*arguments, "--dir", str(directory)], input=said, prog_name="privca")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def of(directory: Path, *arguments: str) -> Any:
    done = call(directory, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_lab_has_profiles_of_every_protocol(directory: Path) -> None:
    listed = {one["id"]: one for one in of(directory, "profile", "list")}
    assert sorted(listed) == sorted(
        ["lab-acme", "lab-acme-eab", "lab-cmp-delayed", "lab-cmp-lightweight", "lab-cmp-ra", "lab-est-strict", "lab-scep-strict"]
        + [f"lab-{p}{kind}" for p in ("est", "scep", "cmp") for kind in ("", "-approval")]
    )
    assert {one["id"] for one in listed.values() if one["default"]} == {"lab-acme", "lab-est", "lab-scep", "lab-cmp"}
    assert listed["lab-scep"]["issuer"] == "lab-rsa"
    assert "approval" in listed["lab-est-approval"]["authentication"]


def test_a_code_is_set_replaced_shown_and_removed(directory: Path) -> None:
    done = call(directory, "code", "set", "lab-est", "--stdin", said="correct horse battery\n")
    assert done.stdout == "the code of lab-est for lab-est is set\n", done.stderr
    assert of(directory, "code", "show", "lab-est") == [
        {"profile": "lab-est", "reference": "lab-est", "code": "correct horse battery"}
    ]
    made = call(directory, "code", "set", "lab-est", "--generate", "--reference", "floor 2")
    assert made.stdout.startswith("reference  floor 2\ncode       ")
    code = made.stdout.split()[-1]
    assert len(code) == 20
    assert [one["code"] for one in of(directory, "code", "show", "lab-est", "--reference", "floor 2")] == [code]
    assert [(one["profile"], one["reference"]) for one in of(directory, "code", "list")] == [
        ("lab-est", "floor 2"),
        ("lab-est", "lab-est"),
    ]
    assert code not in call(directory, "code", "list").stdout
    assert call(directory, "code", "set", "lab-est", "--stdin", said="another one than before").exit_code == 0
    assert of(directory, "code", "show", "lab-est", "--reference", "lab-est")[0]["code"] == "another one than before"
    assert call(directory, "code", "remove", "lab-est").exit_code == 0
    assert call(directory, "code", "remove", "lab-est").exit_code == 1
    assert [one["reference"] for one in of(directory, "code", "list")] == ["floor 2"]
    assert b"correct horse" not in (directory / "privca.db").read_bytes()
    assert code.encode() not in (directory / "privca.db").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said", "status", "told"),
    [
        pytest.param(["lab-est", "--stdin"], "short\n", 1, "a code has 12 to 200 characters", id="short"),
        pytest.param(["lab-est", "--stdin"], "aaaaaaaaaaaaaaaa\n", 1, "easily guessed", id="monotonous"),
        pytest.param(["lab-est", "--stdin"], "ungewöhnliches wort\n", 1, "printable ASCII", id="not ASCII"),
        pytest.param(["lab-est", "--stdin"], "", 1, "a code has 12 to 200 characters", id="nothing"),
        pytest.param(["lab-est"], "", 1, "standard input is no terminal to type at", id="no terminal"),
        pytest.param(["lab-acme", "--generate"], "", 1, "does not admit by this method", id="ACME"),
        pytest.param(["lab-eest", "--generate"], "", 1, "there is no profile 'lab-eest'", id="no profile"),
        pytest.param(["lab-est", "--generate", "--stdin"], "", 2, "exclude each other", id="both"),
        pytest.param(["lab-est", "--generate", "--reference", "a:b"], "", 2, "none of them a colon", id="colon"),
    ],
)
def test_a_code_that_is_not_set(directory: Path, arguments: list[str], said: str, status: int, told: str) -> None:
    done = call(directory, "code", "set", *arguments, said=said)
    assert done.exit_code == status
    assert told in done.stderr
    assert of(directory, "code", "list") == []


def test_a_passcode_is_issued_listed_and_revoked(directory: Path) -> None:
    made = of(directory, "otp", "issue", "lab-scep", "--for", "device-7", "--ttl", "2h")
    assert (made["profile"], made["reference"]) == ("lab-scep", "device-7")
    assert made["passcode"].encode() not in (directory / "privca.db").read_bytes()
    again = of(directory, "otp", "issue", "lab-scep", "--for", "device-7")
    other = of(directory, "otp", "issue", "lab-scep")
    assert other["reference"] not in ("", "device-7")
    states = {one["id"]: one["state"] for one in of(directory, "otp", "list", "--profile", "lab-scep")}
    assert states == {made["id"]: "revoked", again["id"]: "live", other["id"]: "live"}
    assert call(directory, "otp", "revoke", again["id"]).exit_code == 0
    assert call(directory, "otp", "revoke", again["id"]).exit_code == 1
    assert {one["id"]: one["state"] for one in of(directory, "otp", "list")}[again["id"]] == "revoked"
    assert "passcode  " in call(directory, "otp", "issue", "lab-est").stdout
    assert made["passcode"] not in call(directory, "otp", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        pytest.param(["lab-acme"], 1, "does not admit by this method", id="ACME"),
        pytest.param(["lab-est", "--ttl", "soon"], 2, "is not a duration", id="duration"),
        pytest.param(["lab-est", "--ttl", "0s"], 2, "for a second at least", id="no life"),
        pytest.param(["lab-est", "--for", ""], 2, "1 to 64 printable ASCII characters", id="no name"),
    ],
)
def test_a_passcode_that_is_not_issued(directory: Path, arguments: list[str], status: int, told: str) -> None:
    done = call(directory, "otp", "issue", *arguments)
    assert done.exit_code == status
    assert told in done.stderr
    assert of(directory, "otp", "list") == []


TYPING = "from privca.cli.terminal import typed_twice\nprint('typed', len(typed_twice('the code')))"


@pytest.mark.parametrize(("second", "told"), [("correct horse battery", "typed 21"), ("correct horse", "the two differ")])
def test_a_code_is_typed_twice_and_never_shown(second: str, told: str) -> None:
    shown, status = typing(TYPING, ["correct horse battery", second])
    assert told in shown
    assert "correct" not in shown
    # Each once; the trace of an error may quote the program.
    assert (shown.count("the code: "), shown.count("the code again: ")) == (1, 1)
    assert (status == 0) == ("typed" in told)


def typing(program: str, lines: list[str]) -> tuple[str, int]:
    """What a program shows to somebody who types these lines, each at its own prompt; and its exit status.

    It gets a terminal of its own in a session of its own, so nothing here depends on the terminal that the tests run at.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=theirs, stdout=theirs, stderr=theirs, env=ENVIRONMENT, start_new_session=True
    )
    os.close(theirs)
    shown, waiting, end = b"", list(lines), time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                octets = os.read(ours, 1000)
            except OSError:  # EIO: the other end is closed
                break
            if not octets:
                break
            shown += octets
            if waiting and shown.endswith(b": "):
                os.write(ours, waiting.pop(0).encode() + b"\n")
        return shown.decode(), process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(ours)


DEVICES = """
[profile.devices]
protocol = "est"
issuer = "lab-ec"
template = "device"
authentication = ["code", "certificate"]
certificate_profiles = ["gone"]
vendor_anchors = ["vendor.pem"]
"""


def vendor(days: int = 100, *, ca: bool = True) -> str:
    """A vendor's root as openssl writes it, with words around the certificate."""
    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vendor")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - timedelta(days=9), now + timedelta(days=days)
    ).add_extension(x509.BasicConstraints(ca, None), critical=True)
    return "Certificate:\n  Data:\n" + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def found(directory: Path, subject: str) -> list[tuple[str, str]]:
    done = call(directory, "check", "--json")
    return [(one["level"], one["said"]) for one in json.loads(done.stdout) if one["subject"] == subject]


def test_vendor_anchors_are_stored_with_the_profile(directory: Path) -> None:
    file = directory / "devices.toml"
    file.write_text(DEVICES)
    missing = call(directory, "profile", "apply", str(file))
    assert missing.exit_code == 1
    assert "vendor.pem: cannot be read: No such file" in missing.stderr
    for wrong, told in (("no certificate", "there is no certificate in PEM"), (vendor(ca=False), "is not a CA")):
        (directory / "vendor.pem").write_text(wrong)
        refused = call(directory, "profile", "apply", str(file))
        assert refused.exit_code == 1
        assert "devices.toml: [profile.devices]: vendor_anchors[0]" in refused.stderr
        assert told in refused.stderr
    (directory / "vendor.pem").write_text(vendor(-1))
    assert call(directory, "profile", "apply", str(file)).exit_code == 0
    (directory / "vendor.pem").unlink()
    (anchor,) = of(directory, "profile", "show", "devices")["profile"]["vendor_anchors"]
    assert anchor.startswith("-----BEGIN CERTIFICATE-----")
    said = found(directory, "profile devices")
    assert [level for level, _ in said] == ["good", "warn", "warn", "warn"]
    assert "none is set; set it with: privca code set devices" in said[1][1]
    assert "certificate_profiles names gone, which is no profile that is enabled" in said[2][1]
    assert "vendor_anchors[0] ended at " in said[3][1]
    call(directory, "code", "set", "devices", "--generate")
    assert not any("code set" in one for _, one in found(directory, "profile devices"))


def test_a_code_that_a_lab_made_is_for_labs(directory: Path) -> None:
    parts = compose(load(directory / "privca.toml"), directly)
    set_code(parts, "lab-est", "lab", b"made by a lab itself", lab=True)
    parts.store.close()
    assert not any(level == "wrong" for level, _ in found(directory, "profile lab-est"))
    text = (directory / "privca.toml").read_text()
    (directory / "privca.toml").write_text(text.partition("[lab]")[0] + "[ca.lab-root]" + text.partition("[ca.lab-root]")[2])
    wrong = [said for level, said in found(directory, "profile lab-est") if level == "wrong"]
    assert wrong == ["its code for lab was made by a lab; take it away: privca code remove lab-est --reference lab"]
    served = CliRunner().invoke(main, ["serve", "--config", str(directory / "privca.toml")])
    assert served.exit_code != 0
    assert "was made by a lab" in served.stderr
