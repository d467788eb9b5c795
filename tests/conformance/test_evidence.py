"""The archive of evidence: complete, the same each time, and signed so that openssl believes it, and disbelieves what was changed."""

import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from conformance.command import main
from conformance.reports.evidence import EvidenceError, pack

OPENSSL = shutil.which("openssl")


@pytest.fixture
def reports(tmp_path):
    """A directory with two reports."""
    directory = tmp_path / "report"
    directory.mkdir()
    (directory / "results.json").write_text("{}\n")
    (directory / "index.html").write_text("<html>\n")
    (directory / "notes.txt").write_text("no report\n")
    return directory


@pytest.fixture
def signer(tmp_path):
    """Key and certificate as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "assessor")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, now - timedelta(hours=1), now + timedelta(days=1))
    (tmp_path / "signer.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (tmp_path / "signer.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return tmp_path / "signer.key", tmp_path / "signer.pem"


def test_reports_and_their_digests_are_in_it_and_nothing_else(reports):
    with zipfile.ZipFile(pack(reports)) as archive:
        assert archive.namelist() == ["results.json", "index.html", "SHA256SUMS"]
        assert len(archive.read("SHA256SUMS").splitlines()) == 2


def test_it_is_the_same_each_time(reports):
    assert pack(reports).read_bytes() == pack(reports).read_bytes()


def test_there_is_no_evidence_without_results(tmp_path):
    with pytest.raises(EvidenceError, match=r"results\.json"):
        pack(tmp_path)
    assert CliRunner().invoke(main, ["evidence", str(tmp_path)]).exit_code == 2


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not on PATH")
@pytest.mark.parametrize(("changed", "status"), [(b"", 0), (b"x", 4)])
def test_openssl_verifies_the_signature(reports, signer, tmp_path, changed, status):
    key, certificate = signer
    with zipfile.ZipFile(pack(reports, key=key, certificate=certificate)) as archive:
        archive.extractall(tmp_path / "out")
    sums = tmp_path / "out" / "SHA256SUMS"
    sums.write_bytes(sums.read_bytes() + changed)
    command = [OPENSSL, "cms", "-verify", "-binary", "-inform", "DER", "-in", str(tmp_path / "out" / "SHA256SUMS.p7s")]
    command += ["-content", str(sums), "-CAfile", str(certificate), "-purpose", "any", "-out", "/dev/null"]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == status


def test_a_key_that_does_not_fit_is_refused(reports, signer, tmp_path):
    _, certificate = signer
    for other in (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        file = tmp_path / "other.key"
        file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(EvidenceError):
            pack(reports, key=file, certificate=certificate)
    assert not (reports / "evidence.zip").exists()
