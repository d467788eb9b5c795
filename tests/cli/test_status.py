"""One revocation, seen by CRL, OCSP and renewal information of a running server, by the openssl and curl of every machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from privca.base.names import dns_name
from privca.composition import opened, run
from privca.issuance.issue import Request
from tests.support.issuance_lab import csr
from tests.support.running import Running, quickly


@pytest.fixture(scope="module")
def files(shared: Running, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A good and a revoked certificate, and their issuer, in PEM."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    directory, names = tmp_path_factory.mktemp("pem"), (dns_name("www.example.test"),)
    found = {}
    with opened(shared.directory / "privca.toml") as parts:
        profile = run(parts.store.profile("lab-acme"))
        assert profile is not None
        for name in ("good", "bad"):
            request = Request(f"status-{name}", "acme:1", csr(names), names)
            record = run(parts.issuer.issue(parts.exchange("lab-acme"), profile, request))
            assert record.der is not None
            found[name] = record.der
        found["issuer"] = run(parts.authorities.current(record.authority)).generation.certificate
    paths = {}
    for name, der in found.items():
        paths[name] = directory / f"{name}.pem"
        paths[name].write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    serial = x509.load_der_x509_certificate(found["bad"]).serial_number
    done = quickly("cert", "revoke", f"{serial:X}", "--reason", "keyCompromise", "--dir", shared.directory)
    assert done.returncode == 0, done.stderr
    return paths


def openssl(*arguments: object) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def parsed(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
def test_openssl_asks_by_ocsp(shared: Running, files: dict[str, Path], nonce: str) -> None:
    url = openssl("x509", "-in", files["good"], "-noout", "-ocsp_uri").strip()
    asked = ("ocsp", "-issuer", files["issuer"], "-url", url, "-CAfile", shared.directory / "ca.pem", nonce)
    for name, said in (("good", ": good"), ("bad", ": revoked")):
        told = openssl(*asked, "-cert", files[name])
        assert "Response verify OK" in told, told
        assert said in told
        assert "WARNING" not in told
    assert "0x1234: unknown" in openssl(*asked, "-serial", "0x1234")


def test_openssl_verifies_by_crl(shared: Running, files: dict[str, Path], tmp_path: Path) -> None:
    crls = tmp_path / "crls.pem"
    with shared.client() as client, crls.open("wb") as out:
        for name in ("good", "issuer"):
            (point,) = parsed(files[name]).extensions.get_extension_for_class(x509.CRLDistributionPoints).value
            assert point.full_name is not None
            crl = x509.load_der_x509_crl(client.get(point.full_name[0].value).content)
            out.write(crl.public_bytes(Encoding.PEM))
            if name == "good":
                own = tmp_path / "own.pem"
                own.write_bytes(crl.public_bytes(Encoding.PEM))
    assert "verify OK" in openssl("crl", "-in", own, "-noout", "-verify", "-CAfile", files["issuer"])
    anchor, chain = shared.directory / "ca.pem", files["issuer"]
    checked = ("verify", "-crl_check_all", "-CRLfile", crls, "-CAfile", anchor, "-untrusted", chain)
    assert openssl(*checked, files["good"]).endswith(": OK\n")
    assert "certificate revoked" in openssl(*checked, files["bad"])


def test_a_renewal_is_suggested_at_once(shared: Running, files: dict[str, Path]) -> None:
    certificate = parsed(files["bad"])
    shown = quickly("cert", "renewal", f"{certificate.serial_number:X}", "--dir", shared.directory).stdout
    end = next(line for line in shown.splitlines() if line.startswith("end"))
    assert end.split()[1] < certificate.not_valid_before_utc.isoformat()
