"""Commands on the store of a lab."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from privca.cli.output import operator
from tests.support.running import Running, quickly


def of(running: Running, *arguments: str) -> object:
    done = quickly(*arguments, "--json", "--dir", running.directory)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_ca_list_and_show(shared: Running) -> None:
    listed = of(shared, "ca", "list")
    assert isinstance(listed, list)
    assert [(ca["name"], ca["parent"], ca["key"], ca["generation"]) for ca in listed] == [
        ("lab-root", "", "P-256", 1),
        ("lab-ec", "lab-root", "P-256", 1),
        ("lab-rsa", "lab-root", "RSA-2048", 1),
    ]
    shown = of(shared, "ca", "show", "lab-ec")
    assert isinstance(shown, dict)
    assert x509.load_pem_x509_certificate(shown["certificate"].encode()).subject.rfc4514_string() == shown["subject"]
    assert [one["role"] for one in shown["generations"]] == ["current"]
    text = quickly("ca", "show", "lab-ec", "--dir", shared.directory).stdout
    assert shown["certificate"] in text
    assert "lab-root" in quickly("ca", "list", "--dir", shared.directory).stdout


def test_profile_list_and_show(shared: Running) -> None:
    listed = of(shared, "profile", "list")
    assert isinstance(listed, list)
    assert [(p["id"], p["authentication"], p["enabled"]) for p in listed if p["protocol"] == "acme"] == [
        ("lab-acme", ["account"], True),
        ("lab-acme-eab", ["eab"], True),
    ]
    shown = of(shared, "profile", "show", "lab-acme")
    assert isinstance(shown, dict)
    assert shown["profile"]["issuer"] == "lab-ec"
    assert "lab-acme-eab" in quickly("profile", "list", "--dir", shared.directory).stdout


def test_what_profile_show_prints_can_be_applied_again(shared: Running, tmp_path: Path) -> None:
    file = tmp_path / "profile.toml"
    file.write_text(quickly("profile", "show", "lab-acme", "--dir", shared.directory).stdout)
    applied = quickly("profile", "apply", file, "--dir", shared.directory)
    assert applied.stdout == "lab-acme: revision 1 (unchanged)\n", applied.stderr


def test_cert_show_has_the_fields_that_scripts_rely_on(shared: Running) -> None:
    listed = of(shared, "cert", "list")
    assert isinstance(listed, list)
    own = next(record for record in listed if record["profile"] == "server")
    shown = of(shared, "cert", "show", own["serial"])
    assert shown == own
    assert list(own) == [
        "serial", "status", "reason", "profile", "profile_revision", "protocol", "subject", "names", "not_before", "not_after", "issuer", "identity",
        "revoked_at", "revoked_by", "invalidity_date",
    ]  # fmt: skip
    assert own["status"] == "good"
    assert own["names"] == ["ip:127.0.0.1", "ip:::1", "dns:localhost"]
    colons = ":".join(own["serial"][i : i + 2] for i in range(0, len(own["serial"]), 2)).lower()
    assert of(shared, "cert", "show", colons) == own
    assert of(shared, "cert", "list", "--profile", "server") == [own]
    assert own["serial"] in quickly("cert", "list", "--dir", shared.directory).stdout
    assert own["serial"] in quickly("cert", "show", own["serial"], "--dir", shared.directory).stdout


def test_a_revoked_certificate_is_on_the_crl_of_the_running_server(up: Callable[..., Running]) -> None:
    running = up()
    own = next(record for record in of(running, "cert", "list") if record["profile"] == "server")  # type: ignore[attr-defined]
    serial = own["serial"]

    def on_crl() -> x509.RevokedCertificate | None:
        with running.client() as client:
            crl = x509.load_der_x509_crl(client.get(f"{running.origin()}/crl/lab-root.crl").content)
        return crl.get_revoked_certificate_by_serial_number(int(serial, 16))

    assert on_crl() is None
    assert (
        quickly("cert", "revoke", serial, "--reason", "certificateHold", "--dir", running.directory).stdout
        == f"{serial} is on hold\n"
    )
    assert of(running, "cert", "show", serial)["status"] == "held"  # type: ignore[index]
    assert on_crl() is not None
    released = quickly("cert", "revoke", serial, "--reason", "removeFromCRL", "--dir", running.directory)
    assert released.stdout == f"{serial} is released from hold\n"
    assert on_crl() is None
    dated = ("--invalidity-date", "2026-01-31T12:00:00")
    assert quickly("cert", "revoke", serial, "--reason", "SUPERSEDED", *dated, "--dir", running.directory).returncode == 0
    entry = on_crl()
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.superseded
    shown = of(running, "cert", "show", serial)
    assert (shown["status"], shown["reason"]) == ("revoked", "superseded")  # type: ignore[index]
    assert (shown["revoked_by"], shown["invalidity_date"]) == (operator(), "2026-01-31T12:00:00Z")  # type: ignore[index]
    again = quickly("cert", "revoke", serial, "--dir", running.directory)
    assert again.returncode == 1
    assert "revoked already (RFC 5280 section 5.3.1)" in again.stderr


def test_rollover_of_the_root_is_in_the_trust_anchor(up: Callable[..., Running]) -> None:
    running = up()
    before = x509.load_pem_x509_certificates((running.directory / "ca.pem").read_bytes())
    rolled = quickly("ca", "rollover", "lab-root", "--dir", running.directory)
    assert rolled.stdout.startswith("lab-root: generation 2 is current")
    after = x509.load_pem_x509_certificates((running.directory / "ca.pem").read_bytes())
    assert len(after) == 2
    assert before[0] in after
    with running.client() as client:
        assert client.get(running.profile()["url"]).status_code == 200
    shown = of(running, "ca", "show", "lab-root")
    assert isinstance(shown, dict)
    generations = shown["generations"]
    assert [one["role"] for one in generations] == ["previous", "current"]
    assert [one["crl"].rpartition("/")[2] for one in generations] == ["lab-root.crl", "lab-root.2.crl"]
    assert shown["crl"] == generations[1]["crl"]
    text = quickly("ca", "show", "lab-root", "--dir", running.directory).stdout
    for one in generations:
        assert one["crl"] in text
        assert one["ca_certificate"] in text
        # What is printed leads there.
        key = x509.load_der_x509_certificate(httpx.get(one["ca_certificate"]).content)
        assert key.fingerprint(SHA256()).hex() == one["sha256"]
        assert x509.load_der_x509_crl(httpx.get(one["crl"]).content).is_signature_valid(key.public_key())  # type: ignore[arg-type]


def test_eab_issue(shared: Running) -> None:
    issued = of(shared, "eab", "issue", "lab-acme-eab", "--ttl", "1h")
    assert isinstance(issued, dict)
    assert set(issued) == {"profile", "kid", "hmac_key", "expires"}
    assert len(base64.urlsafe_b64decode(issued["hmac_key"] + "==")) == 64
    assert "--eab-kid" in quickly("eab", "issue", "lab-acme-eab", "--dir", shared.directory).stdout


def test_check_of_a_running_lab(shared: Running) -> None:
    found = of(shared, "check")
    assert isinstance(found, list)
    assert {one["level"] for one in found} == {"good"}
    assert {"configuration", "keys", "database", "CA lab-root", "profile lab-acme", "server certificate", "ports"} <= {
        one["subject"] for one in found
    }


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("cert", "show", "00"), 1, "no certificate has the serial number 00"),
        (("cert", "show", "xyz"), 2, "is no serial number in hex"),
        (("cert", "revoke", "00"), 1, "no certificate has the serial number 00"),
        (("cert", "revoke", "00", "--reason", "boredom"), 2, "'boredom' is not one of"),
        (("ca", "show", "lab-rot"), 1, "there is no CA 'lab-rot'"),
        (("ca", "rollover", "x"), 1, "there is no CA 'x'"),
        (("profile", "show", "x"), 1, "there is no profile 'x'"),
        (("profile", "disable", "x"), 1, "there is no profile 'x'"),
        (("profile", "apply", "/nonexistent.toml"), 1, "there is no such file"),
        (("eab", "issue", "x"), 1, "there is no profile 'x'"),
        (("eab", "issue", "lab-acme"), 1, "does not use external account binding"),
        (("eab", "issue", "lab-acme-eab", "--ttl", "soon"), 2, "is not a duration"),
        (("eab",), 2, "Usage:"),
        (("fly",), 2, "No such command 'fly'"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(shared: Running, arguments: tuple[str, ...], status: int, told: str) -> None:
    where = () if len(arguments) == 1 else ("--dir", str(shared.directory))
    done = quickly(*arguments, *where)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    if status == 1:
        assert done.stderr.count("\n") == 1


def test_a_directory_without_a_lab(tmp_path: Path) -> None:
    for command in (("cert", "list"), ("ca", "list"), ("profile", "list"), ("eab", "issue", "x")):
        done = quickly(*command, "--dir", tmp_path)
        assert done.returncode == 1
        assert "there is no such file; 'privca up' makes a lab" in done.stderr
    assert list(tmp_path.iterdir()) == []
    both = quickly("cert", "list", "--dir", tmp_path, "--config", tmp_path / "privca.toml")
    assert both.returncode == 2


@pytest.mark.parametrize("changed", ["authentication = []", 'validity = "for ever"', 'names = { permitted_ip = ["10.0.0.1/8"] }'])
def test_profile_apply_stores_all_or_nothing(shared: Running, tmp_path: Path, changed: str) -> None:
    good = '[profile.good]\nprotocol = "acme"\nissuer = "lab-ec"\ntemplate = "tls"\nauthentication = ["account"]\n'
    bad = good.replace("good", "bad").replace('authentication = ["account"]', "") + changed
    bad += "" if "authentication" in changed else '\nauthentication = ["account"]\n'
    file = tmp_path / "profiles.toml"
    file.write_text(good + bad)
    refused = quickly("profile", "apply", file, "--dir", shared.directory)
    assert refused.returncode == 1
    assert "profiles.toml: [profile.bad]" in refused.stderr
    assert quickly("profile", "show", "good", "--dir", shared.directory).returncode == 1


def test_an_operator_has_a_name() -> None:
    """Also one whose number no account of this machine has, as in containers."""
    assert re.fullmatch(r"operator:\S+", operator())
